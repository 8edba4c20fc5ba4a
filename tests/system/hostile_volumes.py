"""Archives of custom volumes that no Incus has written: name -> a function that
builds one, and what the refusal says."""

import tar_writer as tw
from backup_builder import CONTAINER, ROOTFS, VOLUME, Builder, VolumeBuilder

HOSTILE_VOLUMES = {}

SNAPSHOT = "backup/volume-snapshots/s0"

PLACE = "does not belong there, or not as that"
MISSING = "is missing, or not what it should be"
NAME = "is no plain name"
LINK = "is a hard link to what is no file before it"
ORPHAN = "is in no directory"
TWICE = "stands there twice"


def hostile(name, says, **kind):
    """The function bends a builder, and may return the bytes itself."""
    def keep(bend):
        def make():
            builder = VolumeBuilder(**kind)
            made = bend(builder)
            return builder.build() if made is None else made
        assert name not in HOSTILE_VOLUMES, name
        HOSTILE_VOLUMES[name] = make, says
        return bend
    return keep


def each(prefix, says, cases, **kind):
    """The same function for many cases."""
    def keep(bend):
        for name, case in cases.items():
            hostile(f"{prefix}: {name}", says, **kind)(
                lambda builder, case=case: bend(builder, case))
        return bend
    return keep


BLOCK = {"content_type": "block"}
OPTIMIZED = {"optimized": True, "driver": "btrfs"}


# Names ---------------------------------------------------------------------

@each("the name", PLACE, {name: name for name in (
    "etc/passwd", "backup", "backup/x", "backup/volume2", "backup/volumes/x",
    "backup/volume.bin", "backup/volume.img", "backup/volume.img/x",
    "backup/volume-snapshots", "backup/volume-snapshots/s0.img",
    "backup/volume-snapshots/s1", "backup/volume-snapshots/s1/x",
    "backup/optimized_header.yaml", "backup/index.yaml", CONTAINER,
    ROOTFS + "/x", CONTAINER + "/backup.yaml", "backup/container.bin",
    "backup/virtual-machine.img", "backup/snapshots/s0/x",
    "backup/bucket/x", "backup/root/volume/x", "backup/root/volume.img",
    "backup/backup.yaml")}, snapshots=("s0",))
def _(builder, name):
    builder.members.append(tw.member(name, b"x"))


@each("the name", NAME, {name: name for name in (
    "/etc/passwd", "../etc/passwd", "backup/../../etc/passwd", VOLUME + "/..",
    VOLUME + "/../../etc/passwd", VOLUME + "/a/../b", VOLUME + "/./a",
    VOLUME + "//a", "./" + VOLUME + "/a", VOLUME + "/x/",
    SNAPSHOT + "/../x")}, snapshots=("s0",))
def _(builder, name):
    builder.members.append(tw.member(name, b"x"))


@each("a directory named", PLACE, {name: name for name in (
    "backup", "backup/other", "backup/volume.img", "backup/volume.bin",
    "backup/volume-snapshots", "backup/volume-snapshots/late", CONTAINER,
    "backup/eth0", "backup/eth0/volume")}, snapshots=("s0",))
def _(builder, name):
    builder.members.append(tw.member(name, kind=tw.DIR))


# Ways out ------------------------------------------------------------------

@each("below", ORPHAN, {
    "a symlink": (tw.SYMLINK, "/etc"), "a file": (tw.FILE, ""),
    "a FIFO": (tw.FIFO, ""), "a device": (tw.CHAR, ""),
    "a hard link": (tw.HARD, VOLUME + "/first")})
def _(builder, case):
    builder.add("first", b"x")
    builder.add("x", kind=case[0], link=case[1])
    builder.add("x/passwd", b"x")


@hostile("below what has not come", ORPHAN)
def _(builder):
    builder.add("none/x", b"x")


@hostile("before its directory", ORPHAN)
def _(builder):
    builder.before.append(tw.member(VOLUME + "/x", b"x"))


@each("the volume is", PLACE, {
    "a symlink": (tw.SYMLINK, "/etc"), "a file": (tw.FILE, ""),
    "a FIFO": (tw.FIFO, ""), "a device": (tw.DEVICE, ""),
    "a hard link": (tw.HARD, SNAPSHOT + "/old")})
def _(builder, case):
    builder.add_snapshot("s0")
    return b"".join([builder.first(), *builder.before, tw.member(
        VOLUME, kind=case[0], link=case[1]), tw.END])


@hostile("a snapshot is a symlink", PLACE)
def _(builder):
    builder.add_snapshot("s0", files=False)
    builder.before.append(tw.member(SNAPSHOT, kind=tw.SYMLINK, link="/etc"))


@each("a hard link to", LINK, {target or "nothing": target for target in (
    "/etc/shadow", "../../../etc/shadow", "etc/shadow", "backup/index.yaml",
    SNAPSHOT + "/old", SNAPSHOT, VOLUME, VOLUME + "/none", VOLUME + "/x",
    VOLUME + "/link", VOLUME + "/fifo", VOLUME + "/d", VOLUME + "/later",
    VOLUME + "/d/../../index.yaml", "old")}, snapshots=("s0",))
def _(builder, target):
    builder.add("link", kind=tw.SYMLINK, link="/etc/shadow")
    builder.add("fifo", kind=tw.FIFO)
    builder.add("d", kind=tw.DIR)
    builder.add("x", kind=tw.HARD, link=target)
    builder.add("later", b"x")


@hostile("a hard link out of a snapshot", LINK, snapshots=("s0", "s1"))
def _(builder):
    builder.before.append(tw.member(
        "backup/volume-snapshots/s1/x", kind=tw.HARD, link=SNAPSHOT + "/old"))


@hostile("a hard link that brings content", "")
def _(builder):
    builder.add("a", b"x")
    builder.members.append(tw.header(VOLUME + "/b", tw.HARD, 5, VOLUME + "/a")
                           + b"hello".ljust(512, b"\0"))


# Twice, too much, too little ------------------------------------------------

@each("twice", TWICE, {
    "a file": (tw.FILE, tw.FILE), "a directory, then a symlink":
    (tw.DIR, tw.SYMLINK), "a symlink, then a directory":
    (tw.SYMLINK, tw.DIR), "two directories": (tw.DIR, tw.DIR),
    "two devices": (tw.CHAR, tw.DEVICE)})
def _(builder, kinds):
    for kind in kinds:
        builder.add("x", kind=kind, link="/etc" if kind == tw.SYMLINK else "")


@hostile("a second root", TWICE)
def _(builder):
    builder.members.append(builder.root())


@hostile("a snapshot for the second time", TWICE, snapshots=("s0",))
def _(builder):
    builder.members.append(builder.root(SNAPSHOT))


@hostile("a disk for the second time", TWICE, **BLOCK)
def _(builder):
    builder.members.append(builder.root())


@hostile("a stream for the second time", TWICE, **OPTIMIZED)
def _(builder):
    builder.members.append(builder.root())


@each("no volume:", "'backup/volume", {
    "of files": {}, "a disk": BLOCK, "optimized": OPTIMIZED,
    "an optimized disk": {**OPTIMIZED, **BLOCK}})
def _(builder, kind):
    made = VolumeBuilder(snapshots=("s0",), **kind)
    return b"".join([*made.beginning()[:-1], tw.END])


@each("no snapshot:", "'backup/volume-snapshots/s0", {
    "of files": {}, "of a disk": BLOCK, "optimized": OPTIMIZED})
def _(builder, kind):
    made = VolumeBuilder(**kind)
    made.add_snapshot("s0", files=False)
    return made.build()


@hostile("nothing but an index", "'backup/volume' is not in it")
def _(builder):
    return builder.first() + tw.END


# Of one kind, with members of another ----------------------------------------

@each("in a disk", PLACE, {
    "the directory of a volume": (VOLUME, tw.DIR),
    "a file of a volume": (VOLUME + "/x", tw.FILE),
    "the directory of a snapshot": (SNAPSHOT, tw.DIR),
    "a file of a snapshot": (SNAPSHOT + "/x", tw.FILE),
    "a directory that is called a disk": (SNAPSHOT + ".img", tw.DIR),
    "a stream": (VOLUME + ".bin", tw.FILE),
    "another's snapshot": ("backup/volume-snapshots/s1.img", tw.FILE),
    "another disk": ("backup/virtual-machine.img", tw.FILE),
    "a disk in a directory": (SNAPSHOT + "/volume.img", tw.FILE)},
    snapshots=("s0",), **BLOCK)
def _(builder, case):
    builder.members.append(tw.member(case[0], kind=case[1]))


@each("the disk is", PLACE, {
    "a symlink": (tw.SYMLINK, "/dev/sda"), "a device": (tw.DEVICE, ""),
    "a directory": (tw.DIR, ""), "a FIFO": (tw.FIFO, ""), "a hard link":
    (tw.HARD, "backup/volume-snapshots/s0.img")}, snapshots=("s0",), **BLOCK)
def _(builder, case):
    return b"".join([*builder.beginning()[:-1], tw.member(
        VOLUME + ".img", kind=case[0], link=case[1]), tw.END])


@each("in an optimized one", PLACE, {
    "the directory of a volume": (VOLUME, tw.DIR),
    "a disk": (VOLUME + ".img", tw.FILE),
    "the stream of an instance": ("backup/container.bin", tw.FILE),
    "the stream of no snapshot": ("backup/volume-snapshots/s1.bin", tw.FILE),
    "a stream that is a symlink": (VOLUME + "_x.bin", tw.SYMLINK),
    "a stream that is a directory": (VOLUME + "_x.bin", tw.DIR),
    "a stream in a directory": (VOLUME + "/x.bin", tw.FILE)},
    snapshots=("s0",), **OPTIMIZED)
def _(builder, case):
    builder.members.append(tw.member(
        case[0], kind=case[1],
        link="/etc/x" if case[1] == tw.SYMLINK else ""))


@hostile("an index of an instance", PLACE)
def _(builder):
    instance = Builder()
    return b"".join([instance.beginning()[0], *builder.beginning()[1:],
                     tw.END])


@hostile("an index of a volume, and an instance", PLACE)
def _(builder):
    return b"".join([builder.first(), *Builder().beginning()[1:], tw.END])


@hostile("an instance, and a volume behind it", PLACE)
def _(builder):
    instance = Builder()
    return b"".join([*instance.beginning(), *builder.beginning()[1:], tw.END])


@hostile("an instance that is optimized, and a volume", PLACE)
def _(builder):
    instance = Builder(driver="btrfs")
    instance.index["optimized"] = True
    return b"".join([instance.beginning()[0],
                     tw.member("backup/container.bin", b"x"),
                     tw.member(VOLUME + ".bin", b"x"), tw.END])


# The index -----------------------------------------------------------------

@each("the volume is named", "is no name of a volume", {
    ascii(name): name for name in (
        "../../etc", "a/b", "/a", "a/", ".", "..", "a b", "a\tb", "a\nb",
        "\x1b[2J", "a\x7f", "a" * 256)})
def _(builder, name):
    builder.index["name"] = builder.volume["name"] = name


@hostile("the volume is named nothing", "does not name its volume")
def _(builder):
    builder.index["name"] = builder.volume["name"] = ""


@each("a snapshot is named", "is no name of a snapshot", {
    ascii(name) or "nothing": name for name in (
        "", ".", "..", "a/b", "../../x", "a b", "a\nb", "\x01", "a" * 256)})
def _(builder, name):
    builder.add_snapshot(name, files=False)


@each("the content type is", "config.volume.content_type", {
    repr(kind): kind for kind in (
        "", "Filesystem", "block ", "fs", "qcow2", None, [], {})})
def _(builder, kind):
    builder.volume["content_type"] = kind


@hostile("the content type is ISO", "ISO image 'data'")
def _(builder):
    builder.volume["content_type"] = "iso"


@hostile("the content type is another one", PLACE)
def _(builder):
    builder.volume["content_type"] = "block"


@hostile("the content type of a disk is another one", PLACE, **BLOCK)
def _(builder):
    builder.volume["content_type"] = "filesystem"


@hostile("a snapshot of another content type", "config.volume_snapshots",
         snapshots=("s0",))
def _(builder):
    builder.config["volume_snapshots"][0]["content_type"] = "block"


@each("a key that holds", "config.volume.config", {
    repr(value): value for value in (["a"], {"a": "b"})})
def _(builder, value):
    builder.volume["config"]["user.a"] = value


@each("the volume's keys are", "config.volume.config", {
    repr(value): value for value in (None, [], "x")})
def _(builder, value):
    builder.volume["config"] = value


@each("a snapshot's keys are", "config.volume_snapshots", {
    repr(value): value for value in (None, ["x"], {"a": ["b"]})},
    snapshots=("s0",))
def _(builder, value):
    builder.config["volume_snapshots"][0]["config"] = value


@each("the volume has another", MISSING, {
    "name": ("name", "other"), "type": ("type", "container"),
    "name that is a list": ("name", ["data"]), "type that is null":
    ("type", None)})
def _(builder, case):
    builder.volume[case[0]] = case[1]


@each("the index has beside a volume", "backup/index.yaml is of a volume", {
    key: value for key, value in Builder(snapshots=("s0",)).config.items()
    if not key.startswith("volume") and key != "pool"})
def _(builder, value):
    key = next(key for key, one in Builder(snapshots=("s0",)).config.items()
               if one == value)
    builder.config[key] = value


@each("the index has beside a volume also", "index.yaml is of a volume", {
    key: key for key in ("instance", "bucket", "bucket_keys",
                         "dependent_volumes", "container")})
def _(builder, key):
    builder.config[key] = None


@each("no", MISSING, {"volume": "volume", "pool": "pool"})
def _(builder, key):
    builder.config.pop(key, None)
    builder.index.pop("pool", None)


@each("the volume is given as", MISSING, {
    repr(value): value for value in (None, [], "data", {})})
def _(builder, value):
    builder.config["volume"] = value


@each("null among the", MISSING, {
    "snapshots": lambda one: one.config["volume_snapshots"].append(None),
    "names": lambda one: one.index["snapshots"].append(None),
    "both": lambda one: (one.config["volume_snapshots"].append(None),
                         one.index["snapshots"].append(None))},
    snapshots=("s0",))
def _(builder, spoil):
    spoil(builder)


@each("snapshots of which", MISSING, {
    "one is not named": lambda one: one.index["snapshots"].clear(),
    "one is only named": lambda one: one.config["volume_snapshots"].clear(),
    "one is called otherwise": lambda one:
        one.config["volume_snapshots"][0].update(name="s1"),
    "one is another volume's": lambda one:
        one.config["volume_snapshots"][0].update(name="other/s0"),
    "one has two parents": lambda one:
        one.config["volume_snapshots"][0].update(name="data/data/s0"),
    "the order is another": lambda one: one.index["snapshots"].reverse(),
    "the list is none": lambda one: one.index.update(snapshots={"a": "b"})},
    snapshots=("s0", "s1"))
def _(builder, spoil):
    spoil(builder)


@each("the type of backup is", "", {kind or "empty": kind for kind in (
    "container", "virtual-machine", "bucket", "volume", "", "Custom",
    "custom ")})
def _(builder, kind):
    builder.index["type"] = kind


# The end -------------------------------------------------------------------

@each("the end is", "", {
    "missing": b"", "one block": bytes(512), "followed by a byte":
    tw.END + b"x", "followed by a member": tw.END + tw.header(VOLUME + "/x")})
def _(builder, ending):
    builder.end = ending


@hostile("two archives in one", "")
def _(builder):
    return builder.build() * 2


@each("cut", "", {
    "in the index": 700, "behind the index": 1024 + 512, "in a disk": -1024
    - 1000, "behind a disk": -1024, "in the end": -100}, **BLOCK)
def _(builder, size):
    return builder.build()[:size]


@hostile("streams of a storage driver that are none", PLACE, **OPTIMIZED)
def _(builder):
    builder.members.append(tw.member("backup/volume.tar", b"x"))


@hostile("the index comes late", "it begins with 'backup/volume'")
def _(builder):
    return b"".join([*builder.beginning()[1:], builder.first(), tw.END])
