"""portal copy out of, and into, a file system that its container serves itself.

It answers as it likes, or not at all (fuse_hostile.c): the run ends, says where
it was, and neither a part of a file nor anything but a file is left.
"""

import os
import pathlib
import shutil
import signal
import uuid

import pytest

import places
from backups import wait_for
from lab import binary

PROGRAM = pathlib.Path(
    binary()).resolve().parents[1] / "tests" / "system" / "fuse_hostile"

HONEST = b"x" * 5000

# As much as fits into no buffer on the way.
BULK = b"x" * (3 << 20)

# How long a run waits for a sign of life; and none takes this long in all,
# unless it hangs itself.
PATIENCE_S = 1
END_S = 60

# ASan takes most of it.
MEMORY_MAX_KIB = 256 << 10


class Hostile:
    """One mount of fuse_hostile in a box; `end` also frees who waits for it."""

    def __init__(self, box):
        self.box, self.path = box, "/mnt/" + uuid.uuid4().hex[:10]
        box.exec("mkdir", self.path)
        self.pid = box.exec("/fuse_hostile", self.path).out.strip()

    def at(self, name):
        return self.box.place(f"{self.path}/{name}")

    def names_in(self, name):
        return self.box.exec("ls", "-A", f"{self.path}/{name}").out.split()

    def has_hung(self, name):
        """Whether somebody waits for what does not come."""
        return self.box.exec("ls", f"{self.path}/seen-{name}",
                             check=False).status == 0

    def end(self):
        self.box.exec("kill", "-9", self.pid, check=False)
        self.box.exec("umount", "-l", self.path, check=False)


@pytest.fixture(scope="session")
def program():
    if not PROGRAM.exists():
        pytest.skip("no fuse_hostile: it wants linux/fuse.h and a static libc")
    return PROGRAM


def arm(box, program):
    """Give a running box the program, and the device that it speaks to."""
    shutil.copy(program, box.inner("/fuse_hostile"))
    box.daemon.incus(
        "config", "device", "add", box.name, "fuse", "unix-char",
        "source=/dev/fuse", "path=/dev/fuse", "mode=0666",
        "--project", box.project)


@pytest.fixture
def hostile(daemon, kept_box, program):
    """In a box of these tests' own: some of what hung there stays."""
    box = kept_box(daemon, "work", "default", tag="hostile")
    if not box.inner("/fuse_hostile").exists():
        arm(box, program)
    mount = Hostile(box)
    yield mount
    mount.end()


@pytest.fixture
def copy(daemon):
    """Run a copy to its end: soon, where an end without news is expected."""
    def run(*words, status=0, says="", hangs=False):
        patience_s = PATIENCE_S if hangs or status == 9 else END_S
        result = daemon.anklume(
            "portal", "copy", "--timeout", patience_s, *words,
            deadline_s=2 * END_S)
        assert (result.status, result.out) == (status, ""), result
        assert says in result.err, result
        return result
    return run


SILENT = f"the other side has been silent for {PATIENCE_S} s"


def silence(mount, name):
    return f"'{mount.at(name)}': {SILENT}"


# A file as the source.

FILES_THAT_HANG = ["hang-look", "hang-stat", "hang-stat-again", "hang-open",
                   "hang-read", "hang-read-again", "hang-read-small"]


@pytest.mark.parametrize("name", FILES_THAT_HANG)
def test_a_file_that_hangs(hostile, copy, there, tmp_path, name):
    copy(hostile.at(name), tmp_path / "x", status=9,
         says=silence(hostile, name))
    assert os.listdir(tmp_path) == []
    # What hangs is that file, not the instance.
    copy(hostile.at("honest"), there.at("y"))
    assert there.read("y") == HONEST


@pytest.mark.parametrize("name", ["hang-open", "hang-read-again"])
def test_a_file_that_hangs_on_its_way_into_an_instance(
        hostile, copy, there, name):
    there.write("x", b"old")
    copy(hostile.at(name), there.at("x"), status=9,
         says=silence(hostile, name))
    copy(hostile.at(name), there.at("y"), status=9)
    assert os.listdir(there.files) == ["x"]
    assert there.read("x") == b"old"


@pytest.mark.parametrize("name, says", [
    ("short", "shrank while it was read"),
    ("short-small", "shrank while it was read"),
    ("long", "holds more than its size says"),
    ("broken", "input/output error"),
])
def test_a_file_that_lies(hostile, copy, there, tmp_path, name, says):
    for target in (tmp_path / "x", there.at("x")):
        result = copy(hostile.at(name), target, status=1, says=says)
        assert hostile.at(name) in result.err
    assert os.listdir(tmp_path) == os.listdir(there.files) == []


def test_a_file_that_grows_whenever_it_is_looked_at(hostile, copy, tmp_path):
    copy(hostile.at("growing"), tmp_path / "x",
         says="grew while it was read")
    data = (tmp_path / "x").read_bytes()
    assert data.startswith(HONEST) and set(data) == set(HONEST)


def test_a_file_of_eight_exbibytes(hostile, copy, small_disk):
    copy(hostile.at("liar"), small_disk / "x", status=13)
    assert os.listdir(small_disk) == []


@pytest.mark.parametrize("kind", ["fifo", "device"])
@pytest.mark.parametrize("tree", [False, True], ids=["file", "tree"])
def test_a_file_that_becomes_something_else(
        hostile, copy, daemon, tmp_path, kind, tree):
    """After each number of looks, up to more than one run takes."""
    statuses = set()
    for turn in range(64):
        name = f"{kind}-{turn}"
        target = tmp_path / name
        words = (["-r", hostile.at(f"tree-{name}"), target] if tree
                 else [hostile.at(name), target])
        result = daemon.anklume("portal", "copy", "--timeout", PATIENCE_S,
                                *words, deadline_s=END_S)
        statuses.add(result.status)
        whole = target / name if tree else target
        if result.status == 0:
            assert whole.read_bytes() == HONEST
            break
        assert result.status in (1, 3, 9), result
        assert name in result.err
        assert not os.path.lexists(whole)
        # It is not opened, for a FIFO would not come back from that.
        assert turn > 0 or result.status == (3 if tree else 1), result
    assert result.status == 0 and len(statuses) > 1, statuses
    assert places.leftovers(tmp_path) == []


# A tree as the source: it holds "first", what misbehaves, and "last".

def check_whole(top):
    """What has arrived of a tree is whole."""
    found = {path.name: path.read_bytes() for path in top.rglob("*")
             if path.is_file()}
    assert set(found) <= {"first", "last"}, found.keys()
    assert set(found.values()) <= {HONEST}


@pytest.mark.parametrize("name", [
    *FILES_THAT_HANG, "hang-link", "hang-open-list", "hang-list",
    "hang-list-again"])
def test_a_tree_in_which_something_hangs(
        hostile, copy, there, tmp_path, name):
    for target, top in ((tmp_path / "x", tmp_path / "x"),
                        (there.at("x"), there.files / "x")):
        result = copy("-r", hostile.at(f"tree-{name}"), target, status=9,
                      says=SILENT)
        # Where the listing looks at the file, only its directory is known.
        assert hostile.at(f"tree-{name}") in result.err
        assert not (top / name).is_file()
        check_whole(top)
        assert places.leftovers(top) == []


@pytest.mark.parametrize("name, says", [
    ("short", "shrank while it was read"),
    ("short-small", "shrank while it was read"),
    ("long", "holds more than its size says"),
    ("broken", "input/output error"),
    ("endless-ghosts", "cannot be listed"),
])
def test_a_tree_in_which_something_lies(
        hostile, copy, there, tmp_path, name, says):
    """It is named, and all the rest arrives."""
    for target, top in ((tmp_path / "x", tmp_path / "x"),
                        (there.at("x"), there.files / "x")):
        result = copy("-r", hostile.at(f"tree-{name}"), target, status=3,
                      says=says)
        assert hostile.at(f"tree-{name}/{name}'") in result.err
        assert not (top / name).is_file()
        assert (top / "first").read_bytes() == HONEST
        assert (top / "last").read_bytes() == HONEST


def test_honest_trees_around_one_that_hangs(hostile, copy, here, there):
    for name in ("before", "behind"):
        (here.files / name).mkdir()
        here.write(f"{name}/file", HONEST)
    copy("-r", here.at("before"), hostile.at("tree-hang-read"),
         here.at("behind"), there.at(), status=3, hangs=True,
         says="1 of 3 files were not copied")
    assert there.read("before/file") == there.read("behind/file") == HONEST
    check_whole(there.files / "tree-hang-read")


def end_of(child):
    """Await it, and get the most memory that it was seen with, in KiB. What
    wait4(2) tells begins with that of the tests, whose child it is."""
    peaks = [0]

    def ended():
        status = pathlib.Path(f"/proc/{child.pid}/status").read_text()
        peaks.extend(int(line.split()[1]) for line in status.splitlines()
                     if line.startswith("VmHWM:"))
        return child.poll() is not None

    with child:
        try:
            wait_for(ended, "the end", END_S)
        finally:
            child.kill()
    return max(peaks)


def test_directories_without_an_end(hostile, daemon, tmp_path):
    """In bounded memory, however many names come."""
    where = hostile.at("tree-endless-directories/endless-directories")
    with open(tmp_path / "err", "wb") as err:
        child = daemon.spawn("portal", "copy", "--timeout", "20", "-r",
                             hostile.at("tree-endless-directories"),
                             tmp_path / "x", stderr=err)
    used = end_of(child)
    said = (tmp_path / "err").read_text()
    assert child.returncode == 1, said
    assert f"'{where}': more than 100000 directories" in said
    assert os.listdir(tmp_path / "x/endless-directories") == []
    assert 0 < used < MEMORY_MAX_KIB


# A destination.

@pytest.fixture
def bulk(tmp_path):
    path = tmp_path / "bulk"
    path.write_bytes(BULK)
    return path


@pytest.mark.parametrize("name", ["hang-look", "hang-stat"])
def test_a_destination_that_cannot_be_looked_at(hostile, copy, bulk, name):
    copy(bulk, hostile.at(name), status=9, says=silence(hostile, name))


def test_a_destination_that_keeps_what_it_gets(hostile, copy, bulk):
    """The others differ from it by what they are named after."""
    copy(bulk, hostile.at("sink/x"))
    assert hostile.names_in("sink") == ["x"]


@pytest.mark.parametrize("name", [
    "sink-hang-setattr", "sink-hang-write", "sink-hang-write-again",
    "sink-hang-close"])
def test_a_destination_that_hangs(hostile, copy, bulk, name):
    """What cannot be removed any more is named; it is not the file."""
    result = copy(bulk, hostile.at(f"{name}/x"), status=9,
                  says=silence(hostile, f"{name}/x"))
    left = hostile.names_in(name)
    assert len(left) == 1 and left[0].startswith(".anklume-"), left
    assert f"may be deleted: '{hostile.at(name)}/{left[0]}'" in result.err


@pytest.mark.parametrize("name", ["sink-hang-create", "sink-hang-rename"])
def test_a_destination_whose_directory_hangs(hostile, copy, bulk, name):
    """Who lists it now waits as well: the kernel holds its lock."""
    result = copy(bulk, hostile.at(f"{name}/x"), status=9, says=SILENT)
    assert f"may be deleted: '{hostile.at(name)}/.anklume-" in result.err


def test_a_destination_that_neither_writes_nor_removes(hostile, copy, bulk):
    name = "sink-hang-remove"
    result = copy(bulk, hostile.at(f"{name}/x"), status=1, hangs=True,
                  says="input/output error")
    assert f"may be deleted: '{hostile.at(name)}/.anklume-" in result.err


@pytest.mark.parametrize("name, says", [
    ("sink-broken", "input/output error"),
    ("sink-forgets", f"{len(BULK)} bytes were written, but 0 are there"),
])
def test_a_destination_that_lies(hostile, copy, bulk, name, says):
    result = copy(bulk, hostile.at(f"{name}/x"), status=1, says=says)
    assert hostile.at(f"{name}/x") in result.err
    assert hostile.names_in(name) == []


# The run, and the instance.

@pytest.mark.parametrize("number, status", [
    (signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_waits_can_be_interrupted(
        hostile, daemon, tmp_path, number, status):
    name = "hang-read-again"
    with daemon.spawn("-q", "portal", "copy", "--timeout", "600",
                      hostile.at(name), tmp_path / "x") as child:
        try:
            wait_for(lambda: hostile.has_hung(name), "a read that hangs")
            child.send_signal(number)
            _, err = child.communicate(timeout=END_S)
        finally:
            child.kill()
    assert child.returncode == status, err
    assert os.listdir(tmp_path) == []


def test_the_instance_can_be_used_and_stopped(
        daemon, make_box, program, copy, tmp_path):
    """Incus waits for what hangs as we do, but without an end: a snapshot and
    even `stop -f` come through only when the server has been killed."""
    box = make_box()
    arm(box, program)
    box.exec("mkdir", "-p", "/mnt")
    mount = Hostile(box)
    try:
        copy(mount.at("hang-read"), tmp_path / "x", status=9)
        copy(mount.at("hang-open"), tmp_path / "x", status=9)
        copy(box.place("/etc/hosts"), tmp_path / "hosts")
    finally:
        mount.end()
    daemon.incus("snapshot", "create", box.name, "after")
    box.stop()
    copy(box.place("/etc/hosts"), tmp_path / "hosts")
    box.start()
    copy(box.place("/etc/hosts"), tmp_path / "hosts")
