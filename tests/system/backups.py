"""What the tests of backups share: making, keeping and comparing them."""

import contextlib
import dataclasses
import hashlib
import io
import json
import os
import pathlib
import stat
import tarfile
import time

RECORD = pathlib.Path("/var/lib/anklume/record")

# How long a daemon may take to see that a client has gone.
SETTLE_S = 20


def wait_for(condition, what, deadline_s=SETTLE_S):
    """Poll until it holds; the last value is the answer."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"still not: {what}"
        time.sleep(0.01)


@dataclasses.dataclass
class Backup:
    """One archive, and how to look at it."""

    path: pathlib.Path

    @property
    def manifest_path(self):
        return self.path.with_name(self.path.name + ".json")

    @property
    def manifest(self):
        return json.loads(self.manifest_path.read_text())

    def edit_manifest(self, **fields):
        self.manifest_path.write_text(
            json.dumps({**self.manifest, **fields}))

    @property
    def record_path(self):
        return RECORD / f"{sha256_of(self.path.read_bytes())}.json"

    @property
    def record(self):
        return json.loads(self.record_path.read_text())

    def forget(self):
        """Make it a stranger: neither a manifest nor a record, also not of
        another backup of the same size, for which it would be taken."""
        size = self.path.stat().st_size
        for entry in self.record_path.parent.glob("*.json"):
            if json.loads(entry.read_text())["size_bytes"] == size:
                entry.unlink()
        self.manifest_path.unlink(missing_ok=True)
        return self

    def __str__(self):
        return str(self.path)


def create(daemon, instance, output, *options, **run):
    """Back up, or fail the test."""
    made = daemon.anklume("backup", "create", str(instance), "-o", output,
                          *options, **run)
    assert made.status == 0, made
    return Backup(pathlib.Path(made.out.removesuffix("\n")))


def restore(daemon, backup, *options, **run):
    return daemon.anklume("backup", "restore", str(backup), *options, **run)


def sha256_of(data):
    return hashlib.sha256(data).hexdigest()


# What a daemon holds ------------------------------------------------------

def backups_in(daemon, name, project="default"):
    """The backup objects of an instance."""
    return daemon.get(f"/1.0/instances/{name}/backups"
                      f"?recursion=1&project={project}")


# Operations that a daemon never ended, which one test has failed over.
STUCK = set()


def running_operations(daemon):
    found = daemon.get("/1.0/operations?all-projects=true&recursion=1")
    return [one for one in found.get("running", [])
            if one["class"] == "task" and one["id"] not in STUCK]


def wait_idle(daemon, deadline_s=SETTLE_S):
    """Nothing is going on any more. What hangs fails this test and no other."""
    try:
        wait_for(lambda: not running_operations(daemon), "an idle daemon",
                 deadline_s)
    except AssertionError:
        hanging = running_operations(daemon)
        STUCK.update(one["id"] for one in hanging)
        raise AssertionError(f"the daemon still does {hanging}") from None


def work_seen(daemon):
    """The ids of what it has done of late; it forgets them after 5 s."""
    found = daemon.get("/1.0/operations?all-projects=true")
    return {one for kind in found.values() for one in kind}


def volumes_on_disk(daemon):
    pools = daemon.files / "storage-pools"
    return {str(path.relative_to(pools)) for path in pools.glob("*/*/*")}


def holdings(daemon):
    """All that a failed run could leave behind: instances, backup objects,
    spooled files, volumes."""
    instances = daemon.get("/1.0/instances?all-projects=true")
    backups = []
    for url in instances:
        path, _, project = url.partition("?")
        backups += daemon.get(f"{path}/backups?{project}")
    return {"instances": instances, "backups": backups,
            "spool": daemon.spool, "volumes": volumes_on_disk(daemon)}


def settled_holdings(daemon):
    """The same, once nothing is going on any more."""
    wait_idle(daemon)
    return holdings(daemon)


@contextlib.contextmanager
def leaves_nothing(daemon):
    """Whatever happens inside, the daemon is as it was, and alive."""
    before = holdings(daemon)
    yield
    wait_idle(daemon)
    wait_for(lambda: holdings(daemon) == before or None,
             f"{before}, but {holdings(daemon)}")


@contextlib.contextmanager
def asks_for_no_work(daemon):
    """Inside, the daemon is not put to work: refusals come before."""
    before = work_seen(daemon)
    yield
    assert work_seen(daemon) <= before


# Trees --------------------------------------------------------------------

def identity_of_files(root):
    """Everything about a tree that a backup must bring back: names, types,
    modes, owners, times, contents, xattrs, and which names are one file."""
    root = os.fsencode(root)
    found, names_of = {}, {}
    for directory, names, files in os.walk(root):
        for name in [b"."] * (directory == root) + names + files:
            path = os.path.join(directory, name)
            info = os.lstat(path)
            found[os.path.relpath(path, root)] = entry = {
                "mode": oct(info.st_mode), "owner": (info.st_uid, info.st_gid),
                "mtime_ns": info.st_mtime_ns,
                "xattrs": {key: os.getxattr(path, key, follow_symlinks=False)
                           for key in os.listxattr(
                               path, follow_symlinks=False)}}
            if stat.S_ISREG(info.st_mode):
                with open(path, "rb") as file:
                    entry["content"] = sha256_of(file.read())
                names_of.setdefault(info.st_ino, []).append(
                    os.path.relpath(path, root))
            elif stat.S_ISLNK(info.st_mode):
                entry["target"] = os.readlink(path)
    for names in names_of.values():
        for name in names:
            found[name]["same file"] = sorted(names)
    return found


def members_of(path):
    """The names in an uncompressed or gzipped tar, as Python reads them."""
    with tarfile.open(path) as tar:
        return [member.name for member in tar]


def rewritten(backup, member, change):
    """The same tar with one member's text changed."""
    out = io.BytesIO()
    with tarfile.open(backup.path) as source, tarfile.open(
            fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as made:
        for one in source:
            data = source.extractfile(one) if one.isreg() else None
            if one.name == member:
                text = change(data.read().decode()).encode()
                one.size, data = len(text), io.BytesIO(text)
            made.addfile(one, data)
    backup.path.write_bytes(out.getvalue())
