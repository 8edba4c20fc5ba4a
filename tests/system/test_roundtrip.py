"""Backup, delete, restore: the same instance, to its last attribute."""

import os
import stat
import struct

import pytest

from backups import create, identity_of_files, restore

KEY = ["--gpg", "tests@example.org"]

# linux/capability.h, revision 2: cap_net_raw may be used, and is.
NET_RAW = struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0)

NAMES = [b"a\nb", b"\xff\xfe\x80", b"n" * 255, b" ", b"-rf", b"\x1b[31m",
         "été".encode(), b"a\\b", b"*", b"'\"$(id)", b"x:y"]

# Before 1970, before 2001, and with every digit of a nanosecond.
TIMES_NS = [-1_000_000_000_000_000_000, 1, 1_234_567_890_123_456_789,
            4_200_000_000_987_654_321]


def put(path, data=b"", mode=0o644, owner=(0, 0)):
    with open(path, "wb") as file:
        file.write(data)
    os.chown(path, *owner)
    os.chmod(path, mode)
    return path


def make_names(top):
    for name in NAMES:
        put(top + b"/" + name, name)
    deep = top
    for _ in range(12):
        deep += b"/" + b"d" * 100
        os.mkdir(deep)
    put(deep + b"/bottom", b"deep")


def make_modes(top):
    for mode in (0, 0o400, 0o644, 0o777, 0o4755, 0o2711, 0o6777, 0o1644):
        put(top + b"/mode-%o" % mode, b"1", mode)
    for mode in (0o700, 0o1777, 0o2775):
        os.mkdir(top + b"/dir-%o" % mode)
        os.chmod(top + b"/dir-%o" % mode, mode)
    for owner in ((1000, 1000), (65534, 65534), (123456, 654321), (0, 7)):
        put(top + b"/owner-%d-%d" % owner, b"1", 0o640, owner)


def make_kinds(top):
    put(top + b"/one", b"shared")
    os.mkdir(top + b"/sub")
    os.link(top + b"/one", top + b"/two")
    os.link(top + b"/one", top + b"/sub/three")
    for name, target in ((b"relative", b"one"), (b"absolute", b"/etc/hosts"),
                         (b"nowhere", b"no\nsuch"), (b"up", b"../../.."),
                         (b"long", b"l" * 1000)):
        os.symlink(target, top + b"/" + name)
    os.lchown(top + b"/relative", 1000, 1000)
    os.mkfifo(top + b"/fifo", 0o620)
    os.mknod(top + b"/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mknod(top + b"/disk", stat.S_IFBLK | 0o660, os.makedev(7, 200))
    put(top + b"/empty")
    os.mkdir(top + b"/empty directory")


def make_attributes(top):
    path = put(top + b"/xattrs", b"1")
    os.setxattr(path, "user.text", b"value")
    os.setxattr(path, "user.bytes", bytes(range(256)))
    os.mkdir(top + b"/with xattrs")
    os.setxattr(top + b"/with xattrs", "user.on a directory", b"yes")
    path = put(top + b"/ping", b"1", 0o755)
    os.setxattr(path, "security.capability", NET_RAW)


def make_sparse(top):
    with open(top + b"/sparse", "wb") as file:
        file.write(b"head")
        file.seek(8 << 20)
        file.write(b"middle")
        file.truncate(20 << 20)


def make_times(top):
    for when in TIMES_NS:
        path = put(top + b"/time%d" % when, b"1")
        os.utime(path, ns=(when, when))
    os.utime(top, ns=(TIMES_NS[2], TIMES_NS[2]))


def state_of(root):
    """All that must be the same; times as an Incus tar keeps them: rounded to
    whole seconds (Go, archive/tar)."""
    found = identity_of_files(root)
    for name, entry in found.items():
        info = os.lstat(os.path.join(os.fsencode(root), name))
        entry["device"] = info.st_rdev
        entry["mtime_ns"] = (entry["mtime_ns"] + 500_000_000) // 1_000_000_000
    return found


def snapshot_files(box, snapshot):
    name = box.name if box.project == "default" else (
        f"{box.project}_{box.name}")
    return (box.daemon.files / "storage-pools" / box.pool
            / "containers-snapshots" / name / snapshot / "rootfs")


@pytest.fixture
def furnished(make_box):
    """A box with a bit of everything, and with two snapshots before."""

    def make(pool):
        box = make_box(project="work", pool=pool, start=False)
        top = os.fsencode(box.inner("/srv"))
        os.makedirs(top, exist_ok=True)
        words = ["--project", "work"]
        for kind, fill in (("names", make_names), ("modes", make_modes)):
            os.mkdir(top + b"/" + kind.encode())
            fill(top + b"/" + kind.encode())
        box.daemon.incus("snapshot", "create", box.name, "first", *words)
        for kind, fill in (("kinds", make_kinds), ("xattrs", make_attributes),
                           ("sparse", make_sparse)):
            os.mkdir(top + b"/" + kind.encode())
            fill(top + b"/" + kind.encode())
        os.unlink(top + b"/modes/mode-0")
        box.daemon.incus("snapshot", "create", box.name, "second", *words)
        os.mkdir(top + b"/times")
        make_times(top + b"/times")
        return box

    return make


@pytest.mark.parametrize("pool, options", [
    ("default", []), ("bt", []), ("bt", ["--compression", "zstd"])],
    ids=["dir", "btrfs", "btrfs-zstd"])
def test_the_same_comes_back(daemon, furnished, gpg_home, tmp_path, pool,
                             options):
    """Files, snapshots; and it runs."""
    env = {"GNUPGHOME": str(gpg_home)}
    box = furnished(pool)
    places = {"": box.inner("/"), "first": snapshot_files(box, "first"),
              "second": snapshot_files(box, "second")}
    before = {name: state_of(place) for name, place in places.items()}
    made = create(daemon, box, tmp_path, *KEY, *options, env=env)
    assert made.path.suffix == ".gpg"
    box.delete()
    assert not box.inner("/").exists()

    done = restore(daemon, made, env=env)
    assert (done.status, done.out) == (0, f"{box}\n"), done
    for name, place in places.items():
        after = state_of(place)
        assert after.keys() == before[name].keys(), name
        changed = {path: (before[name][path], after[path]) for path in after
                   if after[path] != before[name][path]}
        assert not changed, name
    box.start()
    assert box.read("/srv/kinds/sub/three") == b"shared"
    seen = box.exec("stat", "-c", "%u %a", "/srv/modes/mode-4755").out
    assert seen == "0 4755\n"
