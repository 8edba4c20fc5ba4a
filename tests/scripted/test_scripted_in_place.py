"""--in-place: the file that is there is written into; and where a name cannot
be given, that is said."""

import stat

import pytest

from scripted_sftp import (ATTRS, EXTENDED, FAILURE, FSETSTAT, FSTAT, OPEN, READ,
                           WRITE, Node, attributes, directory, link, packet,
                           regular, status, u32)

BIG = bytes(i * 7 % 251 for i in range(700_000))

FILE = ("portal", "copy", "web:/srv/a", "db:/root/new/a")
TREE = ("portal", "copy", "-r", "web:/srv/.", "db:/root/new")
BOTH = pytest.mark.parametrize("words", [FILE, TREE], ids=["file", "tree"])


@pytest.fixture
def source(daemon):
    guest = daemon.guests["web"]
    guest.files.update({
        "/srv": directory(), "/srv/a": regular(b"new\n", 0o640, uid=7, gid=8),
        "/srv/b": regular(b"other\n")})
    return guest


@pytest.fixture
def target(daemon):
    guest = daemon.guests["db"]
    guest.files["/root/new"] = directory()
    guest.files["/root/new/a"] = regular(
        b"what was there is longer\n", 0o604, uid=42, gid=43, mtime=5)
    return guest


def busy(answer, request):
    """As for rename(2) over something that is mounted."""
    name, old, new = request.text(), request.text(), request.text()
    assert name == "posix-rename@openssh.com"
    return status(request.id, FAILURE, f"rename {old} {new}: "
                  "device or resource busy")


@BOTH
def test_a_mount_point_is_refused(source, target, anklume, words):
    old = bytes(target.files["/root/new/a"].data)
    renamed = target._extended

    def keep(request):
        return b"" if request.rest.endswith(b"/a") else renamed(request)

    target._extended = keep
    target.on(EXTENDED, lambda answer, request: answer or busy(answer, request))
    result = anklume(*words)
    assert result.status == (8 if words is FILE else 3), result
    assert "'default/db:/root/new/a' is a mount point" in result.err
    if words is FILE:
        assert "--in-place" in result.err
    assert bytes(target.files["/root/new/a"].data) == old
    assert target.temporaries == []


@BOTH
@pytest.mark.parametrize("size", [0, 4, 60_000, 700_000])
def test_the_file_itself_is_written(source, target, anklume, words, size):
    source.files["/srv/a"].data = bytearray(BIG[:size])
    node = target.files["/root/new/a"]
    assert anklume(*words, "--in-place").status == 0
    assert target.files["/root/new/a"] is node
    assert bytes(node.data) == BIG[:size]
    assert (node.uid, node.gid, stat.S_IMODE(node.mode)) == (42, 43, 0o604)
    assert node.mtime == source.files["/srv/a"].mtime
    assert target.temporaries == []


@BOTH
def test_what_is_asked_for_is_set(source, target, anklume, words):
    assert anklume(*words, "--in-place", "--uid", "9", "--gid", "10", "--mode",
                   "600").status == 0
    node = target.files["/root/new/a"]
    assert (node.uid, node.gid, stat.S_IMODE(node.mode)) == (9, 10, 0o600)


@BOTH
def test_what_is_not_there_appears_whole(source, target, anklume, words):
    del target.files["/root/new/a"]
    assert anklume(*words, "--in-place").status == 0
    assert bytes(target.files["/root/new/a"].data) == b"new\n"
    assert any(line.startswith("posix-rename /root/new/a")
               for line in target.log)


def test_times_of_somebody_else_stay(source, target, anklume):
    """Who may write into a file may not always set its times."""
    def refused(answer, request):
        request.bytes()
        return (status(request.id, 3, "permission denied")
                if request.u32() == 8 else answer)

    target.on(FSETSTAT, refused)
    assert anklume(*FILE, "--in-place").status == 0
    assert anklume("portal", "copy", "web:/srv/a", "db:/root/n").status == 1


@pytest.mark.parametrize("there", [directory(), link("/root/new/x"),
                                   Node(mode=stat.S_IFIFO | 0o644)],
                         ids=["directory", "link", "fifo"])
def test_in_a_tree_only_files_are_written(source, target, anklume, there):
    target.files["/root/new/a"] = there
    result = anklume(*TREE, "--in-place")
    assert result.status == 3, result
    assert "exists and is not a regular file" in result.err
    assert "open /root/new/a" not in target.log


@BOTH
@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
def test_swapped_between_look_and_open(source, target, anklume, words, kind):
    """Not a byte is written, nor is it emptied."""
    target.nth(FSTAT, 1, lambda answer, request: packet(
        ATTRS, u32(request.id) + attributes(6, 0, 0, kind | 0o644, (0, 0))))
    result = anklume(*words, "--in-place")
    assert result.status == (8 if words is FILE else 3), result
    assert "is not a regular file" in result.err
    assert bytes(target.files["/root/new/a"].data).startswith(b"what was")
    assert "truncate 0" not in target.log


@BOTH
def test_a_file_that_cannot_be_opened_stays(source, target, anklume, words):
    target.on(OPEN, lambda answer, request: status(
        request.id, FAILURE, "text file busy"))
    result = anklume(*words, "--in-place")
    assert result.status in (1, 3), result
    assert bytes(target.files["/root/new/a"].data).startswith(b"what was")


@pytest.mark.parametrize("end, kind", [("db", WRITE), ("web", READ)])
def test_what_breaks_off_is_said_to_be_incomplete(
        daemon, source, target, anklume, end, kind):
    source.files["/srv/a"].data = bytearray(BIG)
    daemon.guests[end].nth(kind, 3, lambda answer, request: status(
        request.id, FAILURE, "input/output error"))
    result = anklume(*FILE, "--in-place")
    assert result.status == 1, result
    assert "'default/db:/root/new/a' is incomplete now" in result.err


@BOTH
def test_what_was_kept_is_read_back(source, target, anklume, words):
    stored = target._write

    def garbled(request):
        answer = stored(request)
        target.files["/root/new/a"].data[0] ^= 1
        return answer

    assert anklume(*words, "--in-place", "--verify").status == 0
    target._write = garbled
    result = anklume(*words, "--in-place", "--verify")
    assert result.status == (5 if words is FILE else 3), result
    assert "is not what was written" in result.err
