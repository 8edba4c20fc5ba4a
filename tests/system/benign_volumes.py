"""Archives of custom volumes as Incus does write them: name -> a function that
builds one. None may be refused."""

import gzip

import tar_writer as tw
from backup_builder import VOLUME, VolumeBuilder

BENIGN_VOLUMES = {}


def benign(what, **kind):
    def keep(bend):
        def make():
            builder = VolumeBuilder(**kind)
            made = bend(builder)
            return builder.build() if made is None else made
        assert what not in BENIGN_VOLUMES, what
        BENIGN_VOLUMES[what] = make
        return bend
    return keep


BLOCK = {"content_type": "block"}
OPTIMIZED = {"optimized": True, "driver": "btrfs"}


@benign("an empty volume")
@benign("an empty volume with snapshots", snapshots=("s0", "s1"))
@benign("a disk", **BLOCK)
@benign("a disk with snapshots", snapshots=("s0", "s1"), **BLOCK)
@benign("an optimized volume", **OPTIMIZED)
@benign("an optimized volume with snapshots", snapshots=("s0",), **OPTIMIZED)
@benign("an optimized disk", optimized=True, driver="zfs", **BLOCK)
@benign("a name with all that 6.0 takes", name="-a_b.c+d$&'\"`*\u00e9")
@benign("a name of 255 bytes", name="a" * 255)
@benign("a snapshot named like a disk", snapshots=("s.img", "s.bin", "..."))
@benign("a snapshot named like a directory", snapshots=("volume",))
def _(builder):
    del builder


@benign("files of all kinds")
def _(builder):
    builder.add("d", kind=tw.DIR)
    builder.add("d/file", b"x")
    builder.add("d/hard", kind=tw.HARD, link=VOLUME + "/d/file")
    builder.add("link", kind=tw.SYMLINK, link="/etc/passwd")
    builder.add("up", kind=tw.SYMLINK, link="../../../etc")
    builder.add("fifo", kind=tw.FIFO)
    builder.add("char", kind=tw.CHAR)
    builder.add("block", kind=tw.DEVICE)


@benign("files named like those of an instance")
def _(builder):
    for name in ("backup.yaml", "metadata.yaml", "index.yaml"):
        builder.add(name, b"{")
    for name in ("rootfs", "templates"):
        builder.add(name, kind=tw.SYMLINK, link="/etc")


@benign("a hard link in a snapshot")
def _(builder):
    builder.add_snapshot("s0")
    root = "backup/volume-snapshots/s0"
    builder.before.append(tw.member(root + "/twin", kind=tw.HARD,
                                    link=root + "/old"))


@benign("owners and attributes")
def _(builder):
    builder.add("x", b"x", records={
        "uid": "4294967294", "SCHILY.xattr.user.x": b"\0=\n",
        "mtime": "1795316645.123456789"})


@benign("streams of subvolumes", snapshots=("s0",), **OPTIMIZED)
def _(builder):
    builder.members += [tw.member(VOLUME + "_sub.bin", b"x")]
    builder.before += [
        tw.member("backup/volume-snapshots/s0_sub.bin", b"x")]


@benign("snapshots by their full names", snapshots=("s0", "s1"))
def _(builder):
    for one in builder.config["volume_snapshots"]:
        one["name"] = "data/" + one["name"]


@benign("a map of owners")
def _(builder):
    builder.volume["config"]["volatile.idmap.last"] = "[]"


@benign("a disk of no bytes", **BLOCK)
def _(builder):
    return b"".join([builder.first(), tw.member(VOLUME + ".img"), tw.END])


@benign("gzip")
def _(builder):
    return gzip.compress(builder.build(), 1)
