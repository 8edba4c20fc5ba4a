"""A backup as Incus writes it, to be bent: every part can be replaced before it
is put together."""

import copy

import tar_writer as tw

CONTAINER = "backup/container"
ROOTFS = CONTAINER + "/rootfs"
VOLUME = "backup/volume"

EPOCH = "0001-01-01T00:00:00Z"


def to_yaml(value, indent=0):
    """Block style, every text in double quotes; nothing else is needed."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        out = ""
        for key, one in value.items():
            if isinstance(one, (dict, list)) and one:
                out += f"{pad}{key}:\n{to_yaml(one, indent + 1)}"
            else:
                out += f"{pad}{key}: {_scalar(one)}\n"
        return out
    if isinstance(value, list) and value:
        out = ""
        for one in value:
            if isinstance(one, dict) and one:
                body = to_yaml(one, indent + 1)
                out += f"{pad}- {body[len(pad) + 2:]}"
            else:
                out += f"{pad}- {_scalar(one)}\n"
        return out
    return f"{pad}{_scalar(value)}\n"


def _scalar(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return "[]"
    text = "".join(c if c.isprintable() and c not in '"\\'
                   else f"\\u{ord(c):04x}" for c in value)
    return f'"{text}"'


def snapshot_of(name):
    return {"name": name, "expires_at": EPOCH, "architecture": "x86_64",
            "config": {"image.os": "busybox"}, "created_at":
            "2026-11-22T10:00:00Z", "devices": {}, "ephemeral": False,
            "expanded_config": {}, "expanded_devices": {},
            "last_used_at": EPOCH, "profiles": ["default"],
            "stateful": False, "size": 0}


class Builder:
    """Parts of one backup. `members` come behind the beginning."""

    def __init__(self, name="guest", snapshots=(), pool="default",
                 project="default", driver="dir"):
        self.name = name
        self.config = {
            "container": {
                "architecture": "x86_64",
                "config": {"image.os": "busybox", "volatile.uuid":
                           "b3d09b66-898e-4fc9-b40b-b8fbb842d2df"},
                "devices": {}, "ephemeral": False, "profiles": ["default"],
                "stateful": False, "description": "",
                "created_at": "2026-11-22T10:00:00Z",
                "expanded_config": {"image.os": "busybox"},
                "expanded_devices": {"root": {
                    "path": "/", "pool": pool, "type": "disk"}},
                "name": name, "status": "Stopped", "status_code": 102,
                "last_used_at": EPOCH, "location": "none",
                "type": "container", "project": project},
            "pool": {"config": {}, "description": "", "name": pool,
                     "driver": driver, "used_by": [], "status": "Created",
                     "locations": ["none"]},
            "profiles": [{"config": {}, "description": "", "devices": {},
                          "name": "default", "used_by": [],
                          "project": project}],
            "volume": {"config": {}, "description": "", "name": name,
                       "type": "container", "used_by": [],
                       "location": "none", "content_type": "filesystem",
                       "project": project, "created_at":
                       "2026-11-22T10:00:00Z"}}
        self.index = {
            "name": name, "backend": driver, "pool": pool,
            "optimized": False, "optimized_header": False,
            "type": "container"}
        self.own_config = None   # of backup.yaml, where it differs
        self.index_text = None   # instead of what is above
        self.config_text = None
        self.members = []        # bytes, behind the beginning
        self.before = []         # bytes, between index and container
        self.in_front = []       # bytes, in front of all
        self.end = tw.END
        for one in snapshots:
            self.add_snapshot(one)

    def add_snapshot(self, name, files=True):
        self.index.setdefault("snapshots", []).append(name)
        self.config.setdefault("snapshots", []).append(snapshot_of(name))
        self.config.setdefault("volume_snapshots", []).append(
            {"name": name, "description": "", "expires_at": EPOCH,
             "config": {}, "content_type": "filesystem",
             "created_at": "2026-11-22T10:00:00Z"})
        if files:
            root = f"backup/snapshots/{name}"
            self.before += [
                tw.member(root, kind=tw.DIR),
                tw.member(root + "/backup.yaml", "{}\n"),
                tw.member(root + "/metadata.yaml", "{}\n"),
                tw.member(root + "/rootfs", kind=tw.DIR),
                tw.member(root + "/rootfs/old", f"in {name}\n")]

    @property
    def container(self):
        return self.config["container"]

    def add(self, path, data=b"", **how):
        """A member, by its path in the instance's own directory."""
        self.members.append(tw.member(f"{CONTAINER}/{path}", data, **how))
        return self

    def differ(self):
        """The configuration that only backup.yaml has from now on."""
        self.own_config = copy.deepcopy(self.config)
        return self.own_config

    def texts(self):
        config = self.config if self.own_config is None else self.own_config
        index = self.index_text
        if index is None:
            index = to_yaml({**self.index, "config": self.config})
        own = self.config_text
        return index, to_yaml(config) if own is None else own

    def beginning(self):
        index, config = self.texts()
        return [*self.in_front, tw.member("backup/index.yaml", index),
                *self.before, tw.member(CONTAINER, kind=tw.DIR),
                tw.member(CONTAINER + "/backup.yaml", config),
                tw.member(CONTAINER + "/metadata.yaml", METADATA),
                tw.member(ROOTFS, kind=tw.DIR)]

    def build(self):
        return b"".join([*self.beginning(), *self.members, self.end])


class VolumeBuilder:
    """The same for a custom volume, of files or a disk, or optimized."""

    def __init__(self, name="data", snapshots=(), pool="default",
                 project="default", driver="dir", content_type="filesystem",
                 optimized=False):
        self.content_type = content_type
        self.config = {
            "volume": {"config": {"user.note": "x"}, "description": "",
                       "name": name, "type": "custom", "used_by": [],
                       "location": "none", "content_type": content_type,
                       "project": project, "created_at":
                       "2026-11-22T10:00:00Z"}}
        self.index = {
            "name": name, "backend": driver, "pool": pool,
            "optimized": optimized, "optimized_header": optimized,
            "type": "custom"}
        self.index_text = None   # instead of what is above
        self.before = []         # bytes, between index and volume
        self.members = []        # bytes, behind the beginning
        self.end = tw.END
        for one in snapshots:
            self.add_snapshot(one)

    def add_snapshot(self, name, files=True):
        self.index.setdefault("snapshots", []).append(name)
        self.config.setdefault("volume_snapshots", []).append(
            {"description": "", "expires_at": EPOCH, "name": name,
             "config": {}, "content_type": self.content_type,
             "created_at": "2026-11-22T10:00:00Z"})
        if files:
            self.before.append(self.root(f"backup/volume-snapshots/{name}"))
        if files and self.is_tree:
            self.before.append(tw.member(
                f"backup/volume-snapshots/{name}/old", f"in {name}\n"))

    @property
    def volume(self):
        return self.config["volume"]

    @property
    def is_tree(self):
        return self.content_type == "filesystem" and \
            not self.index["optimized"]

    def root(self, path=VOLUME):
        """The directory of the volume or a snapshot, or the file instead."""
        if self.is_tree:
            return tw.member(path, kind=tw.DIR)
        if self.index["optimized"]:
            return tw.member(path + ".bin", b"stream")
        return tw.member(path + ".img", bytes(4096))

    def add(self, path, data=b"", **how):
        """A member, by its path in the volume."""
        self.members.append(tw.member(f"{VOLUME}/{path}", data, **how))
        return self

    def first(self):
        text = self.index_text
        if text is None:
            text = to_yaml({**self.index, "config": self.config})
        return tw.member("backup/index.yaml", text)

    def beginning(self):
        header = [tw.member("backup/optimized_header.yaml", "a: b\n")] \
            if self.index["optimized"] else []
        return [self.first(), *header, *self.before, self.root()]

    def build(self):
        return b"".join([*self.beginning(), *self.members, self.end])


METADATA = ('architecture: "x86_64"\ncreation_date: 1795316645\n'
            "expiry_date: 0\nproperties:\n  os: busybox\n"
            "templates: {}\n")
