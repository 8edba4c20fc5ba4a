"""Archives that no Incus has written, one for each attack and limit that is
known: name -> a function that builds it. All must be refused before the daemon
has the last byte."""

import gzip
import io
import tarfile

import tar_writer as tw
from backup_builder import CONTAINER, METADATA, ROOTFS, Builder, to_yaml

HOSTILE = {}


def hostile(name):
    """The function bends a builder, and may return the bytes itself."""
    def keep(bend):
        def make():
            builder = Builder()
            made = bend(builder)
            return builder.build() if made is None else made
        assert name not in HOSTILE, name
        HOSTILE[name] = make
        return bend
    return keep


def each(prefix, cases):
    """The same function for many cases."""
    def keep(bend):
        for name, case in cases.items():
            hostile(f"{prefix}: {name}")(
                lambda builder, case=case: bend(builder, case))
        return bend
    return keep


# Links in the place of what the daemon opens by name (CVE-2026-48749, -48750,
# -48752, -63125, -63343) ---------------------------------------------------

TOPS = ("rootfs", "templates", "metadata.yaml", "backup.yaml", "exec-output",
        "state", "credentials", "network", "config.json")


def without(builder, top):
    """The members of the beginning but one."""
    ends = (f"/{top}".encode(), f"/{top}\0".encode())
    return [one for one in builder.beginning()
            if not one[:100].rstrip(b"\0").endswith(ends)]


@each("a symlink in the place of", {one: one for one in TOPS})
def _(builder, top):
    return b"".join([*without(builder, top), tw.member(
        f"{CONTAINER}/{top}", kind=tw.SYMLINK, link="/etc"), tw.END])


@each("a symlink before", {one: one for one in TOPS[:4]})
def _(builder, top):
    index, *rest = builder.beginning()
    link = tw.member(f"{CONTAINER}/{top}", kind=tw.SYMLINK, link="/etc")
    return b"".join([index, rest[0], link, *rest[1:], tw.END])


@each("a second time, as a symlink:", {one: one for one in TOPS[:4]})
def _(builder, top):
    builder.add("templates", kind=tw.DIR)
    builder.add(top, kind=tw.SYMLINK, link="/etc/shadow")


@each("in a snapshot a symlink in the place of",
      {one: one for one in ("rootfs", "metadata.yaml", "backup.yaml",
                            "templates")})
def _(builder, top):
    builder.add_snapshot("s0", files=False)
    builder.before += [
        tw.member("backup/snapshots/s0", kind=tw.DIR),
        tw.member(f"backup/snapshots/s0/{top}", kind=tw.SYMLINK, link="/etc")]


@each("a hard link in the place of", {one: one for one in TOPS[1:]})
def _(builder, top):
    builder.add("rootfs/file", b"x")
    return b"".join([*without(builder, top), *builder.members, tw.member(
        f"{CONTAINER}/{top}", kind=tw.HARD, link=ROOTFS + "/file"), tw.END])


@each("the instance itself is", {
    "a symlink": (tw.SYMLINK, "/etc"), "a file": (tw.FILE, ""),
    "a FIFO": (tw.FIFO, "")})
def _(builder, case):
    index, _, *rest = builder.beginning()
    return b"".join([index, tw.member(CONTAINER, kind=case[0], link=case[1]),
                     *rest, tw.END])


@hostile("a snapshot is a symlink")
def _(builder):
    builder.add_snapshot("s0", files=False)
    builder.before.append(tw.member("backup/snapshots/s0", kind=tw.SYMLINK,
                                    link="/etc"))


@hostile("a template is a symlink")
def _(builder):
    builder.add("templates", kind=tw.DIR)
    builder.add("templates/x.tpl", kind=tw.SYMLINK, link="/etc/shadow")


@hostile("a kept output is a symlink")
def _(builder):
    builder.add("exec-output", kind=tw.DIR)
    builder.add("exec-output/x", kind=tw.SYMLINK, link="/etc/cron.d/x")


@hostile("a template is a device")
def _(builder):
    builder.add("templates", kind=tw.DIR)
    builder.add("templates/x.tpl", kind=tw.DEVICE)


# Names ---------------------------------------------------------------------

@each("the name", {name: name for name in (
    "/etc/passwd", "../etc/passwd", "etc/passwd", "backup/../../etc/passwd",
    ROOTFS + "/../../../../etc/passwd", ROOTFS + "/a/../b", ROOTFS + "/..",
    ROOTFS + "/./a", ROOTFS + "//a", ROOTFS + "/", "./" + ROOTFS + "/a",
    "/" + ROOTFS + "/a", "backup", "backup/", "backup/x",
    "backup/container2/x", "backup/containers", CONTAINER + "/x",
    CONTAINER + "/rootfs2", CONTAINER + "/backup.yaml.old",
    "backup/snapshots/none", "backup/snapshots", "backup/container.bin",
    "backup/container.img", "backup/optimized_header.yaml",
    "backup/virtual-machine", "backup/virtual-machine.img", "backup/volume",
    "backup/bucket", "backup/root/volume.bin")})
def _(builder, name):
    builder.members.append(tw.member(name, b"x"))


@each("a directory named", {name: name for name in (
    "/", "/etc", "..", ".", "backup/..", ROOTFS + "/..", ROOTFS + "//",
    ROOTFS + "/a//", "backup/container/other", "backup/eth0/volume")})
def _(builder, name):
    builder.members.append(tw.member(name, kind=tw.DIR))


@hostile("a name longer than a path")
def _(builder):
    builder.add("rootfs/" + "a/" * 2100 + "b", b"x")


@hostile("a name of 64 KiB")
def _(builder):
    builder.add("rootfs/" + "/".join(["a" * 200] * 320), b"x")


@hostile("a component of 256 bytes")
def _(builder):
    builder.add("rootfs/" + "a" * 256, b"x")


@hostile("a name that ends in a NUL")
def _(builder):
    builder.members.append(
        tw.pax(tw.record("path", ROOTFS + "/a\0/../../b"))
        + tw.header("x"))


@hostile("no name at all")
def _(builder):
    builder.members.append(tw.header(""))


@hostile("bytes behind a name")
def _(builder):
    builder.members.append(tw.header(ROOTFS + "/a", change={60: b"hidden"}))


# Order: below what is no directory, and twice ------------------------------

@each("below", {
    "a symlink": (tw.SYMLINK, "/etc"), "a file": (tw.FILE, ""),
    "a FIFO": (tw.FIFO, ""), "a device": (tw.CHAR, "")})
def _(builder, case):
    builder.add("rootfs/x", kind=case[0], link=case[1])
    builder.add("rootfs/x/passwd", b"x")


@hostile("below what has not come")
def _(builder):
    builder.add("rootfs/none/x", b"x")


@hostile("below a hard link")
def _(builder):
    builder.add("rootfs/a", b"x")
    builder.add("rootfs/b", kind=tw.HARD, link=ROOTFS + "/a")
    builder.add("rootfs/b/c", b"x")


@each("twice, first", {
    "a file": (tw.FILE, tw.FILE), "a directory": (tw.DIR, tw.SYMLINK),
    "a symlink": (tw.SYMLINK, tw.DIR), "a symlink, then a file":
    (tw.SYMLINK, tw.FILE), "a device": (tw.CHAR, tw.FIFO),
    "two directories": (tw.DIR, tw.DIR)})
def _(builder, kinds):
    for kind in kinds:
        builder.add("rootfs/x", kind=kind,
                    link="/etc" if kind == tw.SYMLINK else "")


@hostile("a symlink at first, and later what goes through it")
def _(builder):
    builder.add("rootfs/d", kind=tw.DIR)
    builder.add("rootfs/d/x", b"x")
    builder.add("rootfs/d", kind=tw.SYMLINK, link="/")
    builder.add("rootfs/d/y", b"x")


@hostile("the instance twice")
def _(builder):
    builder.members.append(tw.member(CONTAINER, kind=tw.DIR))


@hostile("a snapshot behind the instance, and not listed")
def _(builder):
    builder.members.append(tw.member("backup/snapshots/late", kind=tw.DIR))


# Hard links ----------------------------------------------------------------

@each("a hard link to", {target or "nothing": target for target in (
    "", "/etc/shadow", "../../../etc/shadow", "etc/shadow",
    "backup/index.yaml", "rootfs/a", ROOTFS + "/none", ROOTFS + "/x",
    ROOTFS + "/../backup.yaml", CONTAINER + "/backup.yaml/x",
    ROOTFS + "/link", ROOTFS + "/fifo", ROOTFS + "/device", ROOTFS,
    ROOTFS + "/later")})
def _(builder, target):
    builder.add("rootfs/link", kind=tw.SYMLINK, link="/etc/shadow")
    builder.add("rootfs/fifo", kind=tw.FIFO)
    builder.add("rootfs/device", kind=tw.CHAR)
    builder.add("rootfs/x", kind=tw.HARD, link=target)
    builder.add("rootfs/later", b"x")


@hostile("a hard link into a snapshot")
def _(builder):
    builder.add_snapshot("s0")
    builder.add("rootfs/x", kind=tw.HARD,
                link="backup/snapshots/s0/rootfs/old")


@hostile("a hard link that brings content")
def _(builder):
    builder.add("rootfs/a", b"x")
    builder.members.append(tw.header(ROOTFS + "/b", tw.HARD, 5, ROOTFS + "/a")
                           + b"hello".ljust(512, b"\0"))


# Types and headers ---------------------------------------------------------

@each("the type", {kind if kind != "\0" else "NUL": kind
                   for kind in "\x007gLKSVMDNAX"})
def _(builder, kind):
    builder.members.append(tw.header(ROOTFS + "/x", kind))


@each("outside of a file system a", {
    "FIFO": tw.FIFO, "device": tw.DEVICE, "character device": tw.CHAR,
    "symlink": tw.SYMLINK})
def _(builder, kind):
    builder.members.append(tw.member("backup/x", kind=kind, link=(
        "/" if kind == tw.SYMLINK else "")))


HEADERS = {
    "GNU tar's magic": {257: b"ustar  \0"},
    "no magic": {257: bytes(8)},
    "a size in base 256": {124: b"\x80" + bytes(10) + b"\5"},
    "a negative size in base 256": {124: b"\xff" * 12},
    "a negative size": {124: b"-0000000005\0"},
    "a size with blanks": {124: b"          5\0"},
    "a size that is no number": {124: b"0x000000005\0"},
    "a uid in base 256": {108: b"\x80\0\0\0\0\0\0\1"},
    "a mode that is no number": {100: b"rwxr-xr-"},
    "a time that is none": {136: b"yesterday\0\0\0"},
    "a target": {157: b"/etc"},
    "something behind its end": {505: b"x"},
    "a prefix": {345: b"backup/container"},
}


@each("a header with", HEADERS)
def _(builder, change):
    builder.members.append(tw.header(ROOTFS + "/x", change=change))


@hostile("a checksum of signed bytes")
def _(builder):
    block = bytearray(tw.header(ROOTFS + "/x", change={345: b""}))
    block[329:337] = b"\xff" * 8
    block[148:156] = b"        "
    total = sum(b - 256 if b > 127 else b for b in block)
    block[148:156] = b"%06o\0 " % (total & 0o777777)
    builder.members.append(bytes(block))


@hostile("a directory with content")
def _(builder):
    builder.members.append(tw.header(ROOTFS + "/d", tw.DIR, 512) + bytes(512))


@hostile("something behind a member")
def _(builder):
    data = b"hello".ljust(511, b"\0") + b"x"
    builder.members.append(tw.header(ROOTFS + "/x", size=5) + data)


# pax -----------------------------------------------------------------------

RECORDS = {
    "GNU.sparse.size": [("GNU.sparse.size", "9")],
    "GNU.sparse.map": [("GNU.sparse.map", "0,5")],
    "GNU.sparse.name": [("GNU.sparse.name", "/etc/passwd")],
    "SCHILY.realsize": [("SCHILY.realsize", "9")],
    "a comment": [("comment", "x")],
    "a charset": [("hdrcharset", "BINARY")],
    "a path twice": [("path", ROOTFS + "/a"), ("path", "/etc/passwd")],
    "an empty path": [("path", "")],
    "an empty link": [("linkpath", "")],
    "a link of no link": [("linkpath", "/etc")],
    "a small size": [("size", "0")],
    "a negative size": [("size", "-1")],
    "a size that is no number": [("size", "1e10")],
    "a size beyond all": [("size", "9223372036854775808")],
    "a uid that is no number": [("uid", "root")],
    "a time that is none": [("mtime", "now")],
    "a nameless attribute": [("SCHILY.xattr.", "x")],
    "an absolute path": [("path", "/etc/passwd")],
}


@each("pax:", RECORDS)
def _(builder, records):
    builder.members.append(tw.pax(*(tw.record(*one) for one in records))
                           + tw.header(ROOTFS + "/x"))


@each("a pax record that is", {
    "too long": b"99 path=a\n", "too short": b"5 path=a\n",
    "without a length": b"path=a\n", "without an end": b"9 path=ab",
    "without a value": b"7 path\n", "not one": b"\0" * 20,
    "padded": b"010 uid=12\n", "of a negative length": b"-9 path=a\n",
    "of a length beyond all": b"99999999999999999999 a=b\n"})
def _(builder, record):
    builder.members.append(tw.pax(record) + tw.header(ROOTFS + "/x"))


@hostile("two sizes")
def _(builder):
    builder.members.append(
        tw.pax(tw.record("size", str(1 << 34)))
        + tw.header(ROOTFS + "/x", size=5) + b"hello".ljust(512, b"\0"))


@hostile("two pax headers for one member")
def _(builder):
    builder.members.append(tw.pax(tw.record("uid", "1"))
                           + tw.pax(tw.record("path", ROOTFS + "/b"))
                           + tw.header(ROOTFS + "/a"))


@hostile("a pax header for all members")
def _(builder):
    builder.members.append(tw.pax(tw.record("path", ROOTFS + "/b"), kind="g")
                           + tw.header(ROOTFS + "/a"))


@hostile("a pax header at the end")
def _(builder):
    builder.members.append(tw.pax(tw.record("uid", "1")))


@hostile("a pax header of 2 MiB")
def _(builder):
    builder.members.append(
        tw.pax(tw.record("SCHILY.xattr.user.x", "x" * (2 << 20)))
        + tw.header(ROOTFS + "/a"))


@hostile("a pax header of 4 GiB")
def _(builder):
    builder.members.append(tw.header("x", "x", 4 << 30) + bytes(100000))


# The end -------------------------------------------------------------------

@each("the end is", {
    "missing": b"", "one block": bytes(512), "one block and a half":
    bytes(768), "not zero": bytes(511) + b"x" + bytes(512),
    "followed by a byte": tw.END + b"x", "followed by a member":
    tw.END + tw.header(ROOTFS + "/x"), "padded with 8 MiB": bytes(8 << 20),
    "a block between members": bytes(512) + tw.header(ROOTFS + "/x") + tw.END})
def _(builder, ending):
    builder.end = ending


@hostile("two archives in one")
def _(builder):
    return builder.build() * 2


@hostile("a member that claims 8 EiB")
def _(builder):
    builder.members.append(tw.pax(tw.record("size", str((1 << 63) - 1)))
                           + tw.header(ROOTFS + "/x"))


@hostile("a member that claims 1 TiB and brings none")
def _(builder):
    builder.members.append(tw.pax(tw.record("size", str(1 << 40)))
                           + tw.header(ROOTFS + "/x"))


# The index -----------------------------------------------------------------

@hostile("no index")
def _(builder):
    return b"".join([*builder.beginning()[1:], tw.END])


@hostile("the index comes late")
def _(builder):
    index, *rest = builder.beginning()
    return b"".join([*rest, index, tw.END])


@hostile("the index comes twice")
def _(builder):
    builder.members.append(builder.beginning()[0])


@hostile("something before the index")
def _(builder):
    builder.in_front.append(tw.member("backup/x", b"x"))


@each("the index is", {
    "a symlink": (tw.SYMLINK, "container/backup.yaml"), "a directory":
    (tw.DIR, ""), "a hard link": (tw.HARD, "backup/x"), "a FIFO":
    (tw.FIFO, "")})
def _(builder, case):
    return b"".join([tw.member("backup/index.yaml", kind=case[0],
                               link=case[1]), *builder.beginning()[1:],
                     tw.END])


def bomb():
    out = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for i in range(1, 12):
        out += f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n"
    return out


TEXTS = {
    "empty": "", "no YAML": "{", "a list": "- a\n", "a text": "hello\n",
    "a bomb of aliases": bomb(), "with a tag": "name: !!binary x\n",
    "with a key twice": "name: a\nname: b\n", "with a merge": "<<: {}\n",
    "with tabs": "name:\n\t- a\n", "not UTF-8": b"name: \xff\xfe\n",
    "UTF-16": "name: a\n".encode("utf-16"), "with a NUL": b"name: a\0b\n",
    "two documents": "name: a\n---\nname: b\n", "nested too deep":
    "[" * 5000, "of 200,000 values": "a: [" + "b," * 300000 + "b]\n",
    "larger than a mebibyte": "#" * (1 << 20) + "\nname: a\n"}


@each("the index is", TEXTS)
def _(builder, text):
    builder.index_text = text


@each("backup.yaml is", TEXTS)
def _(builder, text):
    builder.config_text = text


@hostile("no backup.yaml")
def _(builder):
    return b"".join([*without(builder, "backup.yaml"), tw.END])


@hostile("nothing but an index")
def _(builder):
    return builder.beginning()[0] + tw.END


@each("the type of backup is", {kind or "empty": kind for kind in (
    "custom", "bucket", "volume", "", "container ", "Container")})
def _(builder, kind):
    builder.index["type"] = kind


@hostile("a virtual machine that is called a container")
def _(builder):
    builder.container["type"] = "virtual-machine"


@each("the instance is named", {name or "nothing": name for name in (
    "", "../../etc", "a/b", ".", "..", "-a", "a-", "123", "a_b", "a b",
    "a" * 64, "a" * 300, "a\nb", "\x1b[2J", "é")})
def _(builder, name):
    builder.index["name"] = builder.container["name"] = name


@each("a snapshot is named", {name or "nothing": name for name in (
    "", ".", "..", "a b", "a/b", "../../x", "a" * 300)})
def _(builder, name):
    builder.add_snapshot(name, files=False)
    builder.before.append(tw.member(f"backup/snapshots/{name}", kind=tw.DIR))


# What the daemon reads without asking (CVE-2026-40197, -40251, -41684, -47753,
# -48754, -48756) -----------------------------------------------------------

@each("the index has no", {key: key for key in (
    "container", "pool", "volume")})
def _(builder, key):
    del builder.config[key]


@each("null in the place of", {key: key for key in (
    "container", "pool", "volume")})
def _(builder, key):
    builder.config[key] = None


@each("in the instance null in the place of", {key: key for key in (
    "config", "devices", "profiles", "name", "type")})
def _(builder, key):
    builder.container[key] = None


@each("null among the", {key: key for key in (
    "profiles", "snapshots", "volume_snapshots", "dependent_volumes")})
def _(builder, key):
    builder.config.setdefault(key, []).append(None)


@hostile("null among the names of profiles")
def _(builder):
    builder.container["profiles"].append(None)


@hostile("null among the names of snapshots")
def _(builder):
    builder.add_snapshot("s0")
    builder.index["snapshots"] = [None]


@hostile("a device that is null")
def _(builder):
    builder.container["devices"]["eth0"] = None


@hostile("a device of devices")
def _(builder):
    builder.container["devices"]["eth0"] = {"type": {"a": "b"}}


@hostile("a key that holds a list")
def _(builder):
    builder.container["config"]["user.a"] = ["b"]


@hostile("a snapshot's settings are null")
def _(builder):
    builder.add_snapshot("s0")
    builder.config["snapshots"][0]["config"] = None


@hostile("fewer snapshots than names")
def _(builder):
    builder.add_snapshot("s0")
    builder.config["snapshots"] = []


@hostile("more snapshots than names")
def _(builder):
    builder.add_snapshot("s0")
    builder.index["snapshots"] = []


@hostile("snapshots of other names")
def _(builder):
    builder.add_snapshot("s0")
    builder.index["snapshots"] = ["s1"]


@hostile("a snapshot that its definition calls otherwise")
def _(builder):
    builder.add_snapshot("s0")
    builder.config["snapshots"][0]["name"] = "s1"


@hostile("a snapshot is not there")
def _(builder):
    builder.add_snapshot("s0", files=False)


@hostile("no pool is named")
def _(builder):
    builder.index["pool"] = ""


# Two files, and each says something else (CVE-2026-34178) ------------------

@each("only backup.yaml says", {
    "security.privileged": ("security.privileged", "true"),
    "raw.lxc": ("raw.lxc", "lxc.hook.pre-start=/bin/sh"),
    "raw.idmap": ("raw.idmap", "both 0 0"),
    "boot.autostart": ("boot.autostart", "true")})
def _(builder, case):
    builder.differ()["container"]["config"][case[0]] = case[1]


@hostile("only backup.yaml has a disk of the host")
def _(builder):
    builder.differ()["container"]["devices"]["d"] = {
        "type": "disk", "source": "/", "path": "/mnt"}


@hostile("only backup.yaml has a profile")
def _(builder):
    builder.differ()["container"]["profiles"].append("admin")


@hostile("only backup.yaml has another name")
def _(builder):
    builder.differ()["container"]["name"] = "other"


@hostile("only backup.yaml is ephemeral")
def _(builder):
    builder.differ()["container"]["ephemeral"] = True


@hostile("only backup.yaml has a snapshot with raw.lxc")
def _(builder):
    builder.add_snapshot("s0")
    builder.differ()["snapshots"][0]["config"]["raw.lxc"] = "lxc.a=b"


@hostile("only backup.yaml has another pool")
def _(builder):
    builder.differ()["pool"]["config"]["source"] = "/etc"


@hostile("only backup.yaml has a volume's key")
def _(builder):
    builder.differ()["volume"]["config"]["security.unmapped"] = "true"


@hostile("only the index has an instance")
def _(builder):
    builder.config_text = "{}\n"


# What gives the host away (refused as it is of unknown origin) -------------

KEYS = {
    "raw.lxc": "lxc.hook.pre-start=/bin/sh", "raw.apparmor": "capability,",
    "raw.seccomp": "2", "raw.idmap": "both 0 0", "raw.qemu": "-x",
    "security.privileged": "true", "linux.kernel_modules": "loop",
    "security.syscalls.intercept.mount": "true",
    "security.syscalls.intercept.sysinfo": "true"}


@each("of a stranger, the key", {key: key for key in KEYS})
def _(builder, key):
    builder.container["config"][key] = KEYS[key]


@each("of a stranger, in a snapshot the key",
      {key: key for key in ("raw.lxc", "security.privileged")})
def _(builder, key):
    builder.add_snapshot("s0")
    builder.config["snapshots"][0]["config"][key] = KEYS[key]


@each("of a stranger, the device", {
    "disk": {"type": "disk", "source": "/", "path": "/mnt"},
    "unix-char": {"type": "unix-char", "source": "/dev/kmsg", "path":
                  "/dev/kmsg"},
    "unix-block": {"type": "unix-block", "source": "/dev/sda", "path":
                   "/dev/sda"},
    "usb": {"type": "usb", "vendorid": "1d6b"},
    "gpu": {"type": "gpu"},
    "pci": {"type": "pci", "address": "0000:00:02.0"},
    "proxy": {"type": "proxy", "listen": "tcp:0.0.0.0:22", "connect":
              "tcp:127.0.0.1:22"},
    "nic": {"type": "nic", "nictype": "physical", "parent": "eth0"}})
def _(builder, device):
    builder.container["devices"]["d"] = device


# Other formats -------------------------------------------------------------

@each("the format", {
    "squashfs": b"hsqs", "xz": b"\xfd7zXZ\0", "bzip2": b"BZh9",
    "lz4": b"\x04\x22\x4d\x18", "qcow2": b"QFI\xfb", "vmdk": b"KDMV",
    "zip": b"PK\x03\x04", "lzma": b"\x5d\x00\x00\x80\x00"})
def _(builder, magic):
    return magic + builder.build()


@hostile("gzip with a tail")
def _(builder):
    return gzip.compress(builder.build(), 1) + b"x"


@hostile("gzip in gzip")
def _(builder):
    return gzip.compress(gzip.compress(builder.build(), 1), 1)


@hostile("a tar of tar(1), old format")
def _(builder):
    out = io.BytesIO()
    index, config = builder.texts()
    with tarfile.open(fileobj=out, mode="w",
                      format=tarfile.GNU_FORMAT) as made:
        for name, text in (("backup/index.yaml", index),
                           (CONTAINER + "/backup.yaml", config),
                           (CONTAINER + "/metadata.yaml", METADATA)):
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            made.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


@hostile("the configuration of LXD 2.0")
def _(builder):
    builder.index_text = to_yaml({**builder.index, "privileged": False})


@hostile("streams of a storage driver that are none")
def _(builder):
    builder.index["optimized"] = True
    builder.members = []
    return b"".join([builder.beginning()[0],
                     tw.member("backup/container.tar", b"x"), tw.END])
