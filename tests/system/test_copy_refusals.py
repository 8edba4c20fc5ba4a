"""portal copy: what is refused leaves both sides as they were."""

import os
import socket
import stat

import pytest

from places import leftovers, state_of
from test_copy import noise


@pytest.fixture
def refused(daemon, here, there, tmp_path):
    """Run a copy that must fail and change nothing at any of the three ends."""
    ends = (here.files, there.files, tmp_path)

    def run(status, *words, says="", **more):
        before = [state_of(end) for end in ends]
        result = daemon.anklume("portal", "copy", *words, **more)
        assert (result.status, result.out) == (status, ""), result
        assert result.err.startswith("anklume: "), result
        assert says in result.err, result
        assert [state_of(end) for end in ends] == before
        return result

    return run


@pytest.fixture
def old(there):
    """A file that is there already."""
    return there.write("a", b"old", 0o640, (1000, 1000), 1_000_000_000)


def test_missing_source(refused, here, old):
    refused(6, here.at("nosuch"), old, says="no such file")


def test_missing_local_source(refused, old, tmp_path):
    refused(6, tmp_path / "nosuch", old, says="no such file")


def test_missing_instance(refused, old, tmp_path):
    refused(6, "nosuch:/etc/hosts", old, says="instance not found: 'nosuch'")
    refused(6, old, "nosuch:/etc/hosts", says="instance not found: 'nosuch'")


def test_names_are_resolved_before_the_first_byte(refused, here, there):
    there.files.joinpath("inbox").mkdir()
    good = here.write("good", b"1")
    refused(6, good, "nosuch:/etc/hosts", there.at("inbox"))


@pytest.mark.parametrize("slash", ["", "/"])
def test_directory_as_source(refused, here, old, tmp_path, slash):
    here.files.joinpath("d").mkdir()
    refused(2, here.at("d" + slash), old, says="is a directory")
    refused(2, f"{tmp_path}{slash}", old, says="is a directory")


def make_special(path, kind):
    """A FIFO, a socket, or the device that /dev/null is."""
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        os.mknod(path, stat.S_IFSOCK | 0o600)
    else:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))


@pytest.mark.parametrize("kind", ["fifo", "socket", "device"])
def test_special_source(refused, here, old, kind):
    make_special(here.files / "s", kind)
    refused(1, here.at("s"), old, says="not a regular file")


@pytest.mark.parametrize("kind", ["fifo", "device"])
def test_special_local_source(refused, old, tmp_path, kind):
    make_special(tmp_path / "s", kind)
    refused(1, tmp_path / "s", old, says="not a regular file")


def test_local_socket_as_source(refused, old, tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        refused(1, tmp_path / "s", old)


def test_device_of_the_instance_as_source(refused, here, old):
    refused(1, here.box.place("/dev/null"), old, says="not a regular file")


@pytest.mark.parametrize("kind", ["fifo", "socket", "device"])
def test_special_destination(refused, here, there, kind):
    make_special(there.files / "s", kind)
    refused(8, here.write("a", b"1"), there.at("s"),
            says="not a regular file")


def test_special_local_destination(refused, here, tmp_path):
    os.mkfifo(tmp_path / "s")
    refused(8, here.write("a", b"1"), tmp_path / "s",
            says="not a regular file")


def test_directory_holds_a_directory_of_that_name(refused, here, there):
    (there.files / "inbox/a").mkdir(parents=True)
    refused(8, here.write("a", b"1"), there.at("inbox"),
            says="exists and is not a regular file")


def test_local_directory_holds_a_directory_of_that_name(
        refused, here, tmp_path):
    (tmp_path / "a").mkdir()
    refused(8, here.write("a", b"1"), tmp_path,
            says="exists and is not a regular file")


def test_missing_parent(refused, here, there, tmp_path):
    a = here.write("a", b"1")
    for target in (there.at("no/a"), there.at("no/"), tmp_path / "no/a",
                   f"{tmp_path}/no/"):
        refused(6, a, target, says="-p makes missing directories")


def test_parent_is_a_file(refused, here, there, old, tmp_path):
    a = here.write("a", b"1")
    (tmp_path / "file").write_bytes(b"")
    for target in (f"{old}/b", f"{old}/", f"{tmp_path}/file/b",
                   f"{tmp_path}/file/"):
        for options in ([], ["-p"]):
            refused(1, *options, a, target, says="ot a directory")


def test_no_clobber(refused, here, old, tmp_path):
    a = here.write("a", b"1")
    (tmp_path / "a").write_bytes(b"old")
    for target in (old, tmp_path / "a", tmp_path):
        refused(8, "--no-clobber", a, target, says="exists already")


def test_no_clobber_copies_where_nothing_is(daemon, here, there, tmp_path):
    a = here.write("a", b"1")
    for target in (there.at("b"), tmp_path / "b"):
        result = daemon.anklume("copy", "--no-clobber", a, target)
        assert (result.status, result.err) == (0, "")
    assert (there.read("b"), (tmp_path / "b").read_bytes()) == (b"1", b"1")


def test_stdin_has_no_name_for_a_directory(refused, here, tmp_path):
    refused(2, "-", here.at(), stdin=b"1", says="standard input has no name")
    refused(2, "-", here.at("new/"), "-p", stdin=b"1")


@pytest.mark.parametrize("target", [
    "a", "./a", "../PLACE/a", "sub/../a", "link", "chain", "dir/a", "dir",
    "dir/", ""])
def test_onto_itself(refused, here, target):
    """However the same file is spelled."""
    (here.files / "sub").mkdir()
    a = here.write("a", b"1")
    (here.files / "link").symlink_to("a")
    (here.files / "chain").symlink_to(f"{here.path}/link")
    (here.files / "dir").symlink_to("../" + here.path.split("/")[-1])
    name = here.path.split("/")[-1]
    refused(2, a, here.at(target.replace("PLACE", name)),
            says="are the same file")


@pytest.mark.parametrize("source", ["link", "dir/a", "./sub/../a"])
def test_onto_itself_from_elsewhere(refused, here, source):
    (here.files / "sub").mkdir()
    here.write("a", b"1")
    (here.files / "link").symlink_to("a")
    (here.files / "dir").symlink_to(here.path)
    refused(2, here.at(source), here.at("a"), says="are the same file")


def test_same_path_in_another_instance_is_another_file(
        daemon, make_place, here):
    other = make_place("work", "bt")
    here.box.exec("mkdir", "-p", "/tmp/x")
    here.write("a", b"1")
    result = daemon.anklume("copy", here.at("a"), other.at("a"))
    assert result.status == 0, result


@pytest.mark.parametrize("end", ["source", "destination"])
def test_symlink_loop(refused, here, there, end):
    here.write("a", b"1")
    for place in (here, there):
        (place.files / "loop").symlink_to("pool")
        (place.files / "pool").symlink_to("loop")
    if end == "source":
        refused(1, here.at("loop"), there.at("a"))
    else:
        refused(1, here.at("a"), there.at("loop"),
                says="too many levels of symbolic links")


@pytest.mark.parametrize("path", ["/proc/version", "/proc/1/status"])
def test_kernel_file_that_hides_its_size(refused, here, old, path):
    refused(1, here.box.place(path), old, says="more than its size says")


def test_local_kernel_file_that_hides_its_size(refused, old):
    refused(1, "/proc/version", old, says="more than its size says")


def test_full_disk_in_a_running_instance(daemon, make_place, here):
    """A mount of its own, which only the instance sees."""
    small = make_place("work", "bt").box
    small.exec("mount", "-t", "tmpfs", "-o", "size=1m", "none", "/mnt")
    small.exec("dd", "if=/dev/zero", "of=/mnt/a", "bs=1k", "count=1")
    result = daemon.anklume(
        "copy", here.write("big", noise(3_000_000)), small.place("/mnt/a"))
    left = small.exec("find", "/mnt", "-type", "f", "-size", "1k").out
    names = small.exec("ls", "-A", "/mnt").out
    small.exec("umount", "/mnt")
    assert result.status == 13, result
    assert "no space left" in result.err
    assert (left, names) == ("/mnt/a\n", "a\n")


@pytest.mark.parametrize("running", [True, False])
def test_full_quota_of_an_instance(daemon, make_box, here, running):
    small = make_box(pool="bt", start=running)
    daemon.incus("config", "device", "set", small.name, "root",
                 "size=20MiB")
    result = daemon.anklume(
        "copy", here.write("big", noise(60_000_000)), small.place("/root/a"))
    assert result.status == 13, result
    assert list(small.inner("/root").iterdir()) == []


def test_full_local_disk(refused, here, small_disk):
    (small_disk / "a").write_bytes(b"old")
    refused(13, here.write("big", noise(3_000_000)), small_disk / "a",
            says="No space left")
    assert (small_disk / "a").read_bytes() == b"old"
    assert leftovers(small_disk) == []


def test_read_only_local_directory(refused, here, mounted):
    sealed = mounted("tmpfs", "-o", "ro")
    refused(1, here.write("a", b"1"), sealed / "a", says="Read-only")


def test_local_directory_of_someone_else(daemon, here, tmp_path):
    """As a user who may speak to the daemon, but not write there."""
    tmp_path.chmod(0o755)
    os.chown(tmp_path, 0, 0)
    child = daemon.spawn(
        "copy", here.write("a", b"1"), tmp_path / "a", user=65534, group=0,
        extra_groups=[])
    _, err = child.communicate(timeout=60)
    assert child.returncode == 1, err
    assert b"Permission denied" in err
    assert os.listdir(tmp_path) == []


def test_one_of_several_fails(daemon, here, there):
    """The others arrive; status 3; each failure is named."""
    (there.files / "inbox").mkdir()
    here.write("a", b"1")
    here.write("c", b"3")
    result = daemon.anklume("copy", here.at("a"), here.at("nosuch"),
                            here.at("c"), there.at("inbox"))
    assert result.status == 3
    first, last = result.err.splitlines()
    assert "nosuch" in first and "no such file" in first
    assert last == "anklume: 1 of 3 files were not copied"
    assert sorted(os.listdir(there.files / "inbox")) == ["a", "c"]


def test_all_of_several_fail(refused, here, there):
    refused(3, here.at("x"), here.at("y"), there.at(),
            says="2 of 2 files were not copied")


def test_several_need_a_directory(refused, here, old, there):
    a, b = here.write("a", b"1"), here.write("b", b"2")
    refused(2, a, b, old, says="is not a directory")
    refused(2, a, b, there.at("nosuch"), says="is not a directory")


def test_several_of_one_name(refused, here, there, tmp_path):
    """One would replace the other."""
    a, b = here.write("a", b"1"), here.write("b", b"2")
    (tmp_path / "a").write_bytes(b"3")
    (there.files / "inbox").mkdir()
    for words in ((a, b, there.write("a", b"4"), there.at("inbox")),
                  (tmp_path / "a", b, a, there.at("inbox/")),
                  (a, a, there.at("inbox"))):
        refused(2, *words, says="would get the same name")


def test_several_with_standard_streams(refused, here, there):
    a = here.write("a", b"1")
    refused(2, a, "-", there.at(), stdin=b"1")
    refused(2, a, a, "-")


@pytest.mark.parametrize("words", [
    ("-", "-"), ("./a", "./b"), ("-", "./b"), ("./a", "-"), ("a", "b", "c/")])
def test_without_an_instance(refused, words, tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    refused(2, *words, cwd=tmp_path, says="is in an instance")
