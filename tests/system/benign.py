"""Archives as Incus does write them, odd as they may be: name -> a function that
builds one under a name. None may be refused."""

import gzip
import subprocess

import tar_writer as tw
from backup_builder import ROOTFS, Builder

BENIGN = {}


def benign(name):
    def keep(bend):
        def make(instance="guest", **where):
            builder = Builder(instance, **where)
            made = bend(builder)
            return builder.build() if made is None else made
        assert name not in BENIGN, name
        BENIGN[name] = make
        return bend
    return keep


def each(prefix, cases):
    def keep(bend):
        for name, case in cases.items():
            benign(f"{prefix} {name}")(
                lambda builder, case=case: bend(builder, case))
        return bend
    return keep


@benign("an empty instance")
def _(builder):
    del builder


@benign("two snapshots")
def _(builder):
    builder.add_snapshot("s0")
    builder.add_snapshot("s1")


@benign("two hundred snapshots")
def _(builder):
    for i in range(200):
        builder.add_snapshot(f"snap{i}")


@each("a snapshot named", {name: name for name in (
    "-", "...", "1", "é", "backup", "rootfs", "s" * 200, "2026-11-22T10:00",
    "x.img", "%41", "'")})
def _(builder, name):
    builder.add_snapshot(name)


NAMES = {
    "a blank": "a b", "a dash": "-rf", "stars": "*?[", "a colon": "a:b",
    "a backslash": "dev-disk\\x2dby", "quotes": "'\"", "a newline": "a\nb",
    "a tab": "a\tb", "an escape": "\x1b[2J", "0x01": "\x01", "DEL": "\x7f",
    "no UTF-8": "a\udcff\udcfe", "overlong UTF-8": "\udcc0\udc80",
    "Arabic": "\u0645\u0644\u0641", "an override": "a\u202eb",
    "255 bytes": "a" * 255, "dots": "...", "two dots and more": "..a",
    "a dot": ".a", "a percent": "%s%n", "an equals sign": "a=b",
    "only a blank": " "}


@each("a file's name with", NAMES)
def _(builder, name):
    builder.add("rootfs/" + name, b"x")


@benign("every byte as a name")
def _(builder):
    for byte in range(1, 256):
        if byte not in (0x2e, 0x2f):
            builder.add(b"rootfs/".decode() + bytes([byte]).decode(
                "utf-8", "surrogateescape"), b"x")


@benign("names that differ in case and form only")
def _(builder):
    for name in ("a", "A", "\u00e9", "e\u0301"):
        builder.add("rootfs/" + name, b"x")


@benign("a deep tree")
def _(builder):
    path = "rootfs"
    while len(path) < 3900:
        path += "/d"
        builder.add(path, kind=tw.DIR)
    builder.add(path + "/f", b"x")


@benign("a farm of hard links")
def _(builder):
    builder.add("rootfs/first", b"x")
    for i in range(5000):
        builder.add(f"rootfs/link{i}", kind=tw.HARD, link=ROOTFS + "/first")


@benign("hard links with long names")
def _(builder):
    builder.add("rootfs/" + "a" * 200, b"x")
    builder.add("rootfs/b", kind=tw.HARD, link=ROOTFS + "/" + "a" * 200)


@each("a device node:", {"char": tw.CHAR, "block": tw.DEVICE,
                         "FIFO": tw.FIFO})
def _(builder, kind):
    builder.add("rootfs/node", kind=kind)


@each("a symlink to", {target: target for target in (
    "/etc/passwd", "../../../../etc/shadow", ".", "/", "none", "a" * 300,
    "\u00e9", "link")})
def _(builder, target):
    builder.add("rootfs/link", kind=tw.SYMLINK, link=target)


@benign("a symlink in the place of a system directory")
def _(builder):
    builder.add("rootfs/usr", kind=tw.DIR)
    builder.add("rootfs/usr/bin", kind=tw.DIR)
    builder.add("rootfs/bin", kind=tw.SYMLINK, link="usr/bin")


@each("extended attributes:", {
    "a capability": ("security.capability", b"\1\0\0\2\0\4\0\0\0\0\0\0"),
    "an ACL": ("system.posix_acl_access", b"\2\0\0\0\1\0\6\0"),
    "binary": ("user.x", bytes(range(256))), "empty": ("user.x", b""),
    "with an equals sign": ("user.a=b", b"c"), "of 64 KiB":
    ("user.x", b"x" * 65536), "of overlayfs": ("trusted.overlay.opaque",
                                               b"y")})
def _(builder, case):
    builder.add("rootfs/x", b"x", records={"SCHILY.xattr." + case[0]: case[1]})


@benign("a large pax header")
def _(builder):
    builder.add("rootfs/x", b"x", records={
        f"SCHILY.xattr.user.{i}": b"x" * 4000 for i in range(200)})


@benign("owners and times that need pax")
def _(builder):
    builder.add("rootfs/x", b"x", records={
        "uid": "4294967294", "gid": "3000000",
        "mtime": "-86400.123456789"})


@each("a file of", {str(size): size for size in (
    0, 1, 511, 512, 513, 262143, 262144, 262145, 3000000)})
def _(builder, size):
    builder.add("rootfs/x", b"x" * size)


@benign("ten thousand files")
def _(builder):
    for i in range(10000):
        builder.add(f"rootfs/{i}", b"")


@benign("all that stands beside the root")
def _(builder):
    for name in ("templates", "exec-output", "state", "credentials",
                 "network"):
        builder.add(name, kind=tw.DIR)
        builder.add(name + "/file", b"x")
    builder.add("config.json", b"{}")


@benign("keys that are the instance's own affair")
def _(builder):
    builder.container["config"].update({
        "security.nesting": "true", "limits.memory": "64MiB",
        "boot.autostart": "true", "user.note": "a\nb: c",
        "cloud-init.user-data": "#cloud-config\npackages: []\n"})


@benign("padding to ten KiB")
def _(builder):
    builder.end = bytes(10240)


@benign("gzip")
def _(builder):
    return gzip.compress(builder.build(), 1)


@benign("zstd")
def _(builder):
    return subprocess.run(["zstd", "-q", "-1", "-c"], check=True,
                          input=builder.build(), capture_output=True).stdout
