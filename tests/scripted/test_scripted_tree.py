"""Hostile trees: what a source lists and what a destination makes of it. The
copy is right, or says what is not, and nothing is written elsewhere."""

import itertools
import os
import stat

import pytest

from scripted_sftp import (ATTRS, EOF, EXTENDED, FAILURE, FSTAT, HANDLE, LSTAT,
                           MKDIR, NAME, OPEN, OPENDIR, READ, READDIR, READLINK,
                           SYMLINK, WRITE, Node, attributes, directory, link,
                           names_of, packet, regular, status, text, u32)

COPY = ("portal", "copy", "-r", "web:/srv", "db:/root/new")
FETCH = ("portal", "copy", "-r", "web:/srv")


@pytest.fixture
def source(daemon):
    guest = daemon.guests["web"]
    guest.files.update({
        "/srv": directory(uid=7, gid=8),
        "/srv/a": regular(b"first\n", 0o640, uid=1000, gid=1001),
        "/srv/b": regular(b"second\n"),
        "/srv/l": link("a/../b"),
        "/srv/d": directory(),
        "/srv/d/c": regular(b"x" * 100000),
        "/srv/d/e": regular(b""),
    })
    return guest


@pytest.fixture
def target(daemon):
    return daemon.guests["db"]


def below(guest, top):
    return {name.removeprefix(top): node
            for name, node in guest.files.items()
            if name == top or name.startswith(top + "/")}


def listing(*names):
    """A directory that says it holds these, once."""
    def bent(answer, request, seen=[]):
        if not hasattr(bent, "done"):
            bent.done = True
            return packet(NAME, u32(request.id) + names_of(
                [(name, regular(b"evil")) for name in names]))
        return status(request.id, EOF, "EOF")
    return bent


def test_a_tree_arrives_as_it_is(source, target, anklume):
    assert anklume(*COPY).status == 0
    assert below(target, "/root/new") == below(source, "/srv")
    assert target.temporaries == []


def test_a_tree_arrives_on_this_side(source, anklume, tmp_path):
    assert anklume(*FETCH, tmp_path / "here").status == 0
    assert (tmp_path / "here/d/c").read_bytes() == b"x" * 100000
    assert (tmp_path / "here/d/e").read_bytes() == b""
    assert os.readlink(tmp_path / "here/l") == "a/../b"
    assert stat.S_IMODE((tmp_path / "here/a").stat().st_mode) == 0o640


BAD_NAMES = ["../evil", "..//evil", "/root/evil", "a/b", "a\0b", "", "/",
             "n" * 256, "n" * 70000]


@pytest.mark.parametrize("name", BAD_NAMES, ids=lambda name: repr(name[:9]))
def test_a_name_that_is_none_is_refused(source, target, anklume, name):
    source.on(READDIR, listing("good", name, "after"))
    result = anklume(*COPY)
    assert result.status == 1, result
    assert "cannot be listed" in result.err
    assert not any("evil" in path for path in target.files)


@pytest.mark.parametrize("name", BAD_NAMES, ids=lambda name: repr(name[:9]))
def test_a_name_that_is_none_writes_nothing_here(
        source, anklume, tmp_path, name):
    (tmp_path / "below").mkdir()
    source.on(READDIR, listing(name))
    assert anklume(*FETCH, tmp_path / "below/here").status == 1
    assert list((tmp_path / "below").rglob("*")) == [tmp_path / "below/here"]
    assert not any("evil" in path.name for path in tmp_path.rglob("*"))


@pytest.mark.parametrize("names", [("twice", "twice"),
                                   ("one", "twice", "other", "twice")])
def test_a_name_that_comes_twice_is_refused(source, target, anklume, names):
    source.files["/srv/twice"] = source.files["/srv/one"] = regular(b"evil")
    source.on(READDIR, listing(*names))
    result = anklume(*COPY)
    assert result.status == 1, result
    assert "a name comes twice" in result.err
    assert target.temporaries == []


def test_dots_are_passed_over(source, target, anklume):
    source.on(READDIR, listing(".", ".."))
    assert anklume(*COPY).status == 0
    assert list(below(target, "/root/new")) == [""]


def test_a_directory_that_never_ends(source, target, anklume):
    """Entries without an end: bounded, and refused."""
    count = itertools.count()
    fifo = Node(mode=stat.S_IFDIR | 0o755)
    source.on(READDIR, lambda answer, request: packet(
        NAME, u32(request.id) + names_of(
            [(f"n{next(count)}", fifo) for _ in range(4000)])))
    result = anklume(*COPY, "-q")
    assert result.status == 1, result
    assert "'default/web:/srv': more than 100000 directories" in result.err


def test_a_listing_of_nothing_without_an_end(source, target, anklume):
    source.on(READDIR, lambda answer, request: packet(
        NAME, u32(request.id) + u32(0)))
    result = anklume(*COPY)
    assert result.status == 1, result


@pytest.mark.parametrize("count", [2, 1000, (1 << 32) - 1])
def test_more_names_announced_than_come(source, target, anklume, count):
    source.on(READDIR, lambda answer, request: packet(
        NAME, u32(request.id) + u32(count) + text("only") + text("")
        + regular(b"").attributes()))
    assert anklume(*COPY).status == 1


def test_a_directory_in_itself(source, target, anklume):
    """A loop is as deep as a path is long, and ends there."""
    loop = Node(mode=stat.S_IFDIR | 0o755)
    done = {}

    def again(answer, request):
        handle = request.bytes()
        if done.setdefault(handle, False):
            return status(request.id, EOF, "EOF")
        done[handle] = True
        return packet(NAME, u32(request.id) + names_of([("n" * 200, loop)]))

    source.on(OPENDIR, lambda answer, request: packet(
        HANDLE, u32(request.id) + text(f"loop{len(done)}-{request.id}")))
    source.on(READDIR, again)
    source.bent[4] = lambda answer, request: status(request.id, 0)
    source._act = lambda request, act=source._act: (
        b"" if request.kind in (OPENDIR, READDIR, 4) else act(request))
    result = anklume(*COPY, "-q")
    assert result.status in (1, 2, 3), result


KINDS = {"fifo": stat.S_IFIFO, "socket": stat.S_IFSOCK,
         "block": stat.S_IFBLK, "character": stat.S_IFCHR}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_is_no_file_is_skipped_and_never_opened(
        source, target, anklume, kind):
    source.files["/srv/odd"] = Node(mode=kind | 0o644)
    result = anklume(*COPY)
    assert result.status == 3, result
    assert "skipped: 'default/web:/srv/odd'" in result.err
    assert "open /srv/odd" not in source.log
    assert "/root/new/odd" not in target.files
    assert bytes(target.files["/root/new/b"].data) == b"second\n"


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_swapped_between_look_and_open(source, target, anklume, kind):
    source.nth(FSTAT, 1, lambda answer, request: packet(
        ATTRS, u32(request.id) + attributes(6, 0, 0, kind | 0o644, (0, 0))))
    result = anklume(*COPY)
    assert result.status == 3, result
    assert "1 of 5 files were not copied" in result.err
    assert target.temporaries == []


def test_a_file_that_shrinks(source, target, anklume):
    source.files["/srv/d/c"].mode = stat.S_IFREG | 0o644
    source.nth(READ, 3, lambda answer, request: status(request.id, EOF, "EOF"))
    result = anklume(*COPY)
    assert result.status == 3, result
    assert "shrank while it was read" in result.err
    assert target.temporaries == []


def test_data_beyond_what_was_asked(source, target, anklume):
    source.on(READ, lambda answer, request: packet(
        103, u32(request.id) + text(b"y" * 200000)))
    result = anklume(*COPY)
    assert result.status == 3, result
    assert "bytes were asked for" in result.err


@pytest.mark.parametrize("size", [0, 3, 32767, 32768, 65536])
def test_sizes_that_lie(source, target, anklume, size):
    """More comes than the listing and FSTAT say."""
    source.files["/srv/small"] = regular(b"z" * (size + 2))
    source.files["/srv/small"].attributes = lambda: regular(
        b"z" * size).attributes()
    result = anklume(*COPY)
    assert result.status == 3, result
    assert "web:/srv/small' holds more than its size says" in result.err
    assert "/root/new/small" not in target.files
    assert bytes(target.files["/root/new/b"].data) == b"second\n"
    assert target.temporaries == []


@pytest.mark.parametrize("size", [0, 3, 32767, 32768, 65536])
def test_a_file_that_grows_arrives_as_it_was_listed(
        source, target, anklume, size):
    source.files["/srv/d/c"] = regular(b"z" * (size + 2))
    listed = regular(b"z" * size, mtime=source.files["/srv/d/c"].mtime)
    source.files["/srv/d/c"].attributes = listed.attributes
    source.nth(FSTAT, 3, lambda answer, request: packet(
        ATTRS, u32(request.id) + regular(b"z" * (size + 2)).attributes()))
    result = anklume(*COPY)
    assert result.status == 0, result
    assert "'/srv/d/c' grew while it was read" in result.err
    assert target.files["/root/new/d/c"].data == b"z" * size


@pytest.mark.parametrize("link_target", ["", "a\0b", "x" * 5000],
                         ids=["empty", "nul", "long"])
def test_a_link_whose_target_is_no_path(source, target, anklume, link_target):
    source.on(READLINK, lambda answer, request: packet(
        NAME, u32(request.id) + u32(1) + text(link_target) + text("")
        + attributes()))
    result = anklume(*COPY)
    assert result.status == 3, result
    assert "/root/new/l" not in target.files


# Destinations.

def test_a_link_planted_where_a_directory_should_be(source, target, anklume):
    target.files["/root/new"] = directory()
    target.files["/root/new/srv"] = directory()
    target.files["/root/new/srv/d"] = link("/etc")
    target.files["/etc"] = directory()
    result = anklume(*COPY)
    assert result.status == 3, result
    assert "is not a directory" in result.err
    assert "/etc/c" not in target.files
    assert bytes(target.files["/root/new/srv/b"].data) == b"second\n"


def test_a_link_planted_behind_the_making(source, target, anklume):
    """MKDIR works, and what is there afterwards is a link."""
    def planted(answer, request):
        path = request.text()
        if path.endswith("/d"):
            target.files[path] = link("/etc")
        return answer

    target.files["/etc"] = directory()
    target.on(MKDIR, planted)
    result = anklume(*COPY)
    assert result.status == 3, result
    assert "/etc/c" not in target.files


@pytest.mark.parametrize("kind", [OPEN, WRITE, EXTENDED, SYMLINK])
def test_a_destination_that_fails(source, target, anklume, kind):
    target.on(kind, lambda answer, request: status(
        request.id, FAILURE, "no space left on device"))
    result = anklume(*COPY)
    assert result.status == 3, result
    assert "no space left on device" in result.err


def test_a_directory_that_cannot_be_made(source, target, anklume):
    def refused(answer, request):
        target.files.pop(request.text())
        return status(request.id, FAILURE, "no space left on device")

    target.on(MKDIR, refused)
    result = anklume(*COPY)
    assert result.status == 13, result


def test_a_rename_that_fails_leaves_nothing(source, target, anklume):
    target.on(EXTENDED, lambda answer, request: status(
        request.id, FAILURE, "device or resource busy"))
    # What the server has done in spite of its answer does not count.
    result = anklume(*COPY)
    assert result.status == 3, result


def test_an_existing_file_keeps_owner_and_mode(source, target, anklume):
    target.files["/root/new"] = directory()
    target.files["/root/new/srv"] = directory(uid=5, gid=6)
    target.files["/root/new/srv/a"] = regular(b"old", 0o600, uid=42, gid=43)
    assert anklume(*COPY).status == 0
    node = target.files["/root/new/srv/a"]
    assert (bytes(node.data), node.uid, node.gid, stat.S_IMODE(node.mode)) == (
        b"first\n", 42, 43, 0o600)
    assert target.files["/root/new/srv"].uid == 5


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o604, 0o000])
def test_content_is_never_open_to_more_than_in_the_end(
        source, target, anklume, mode):
    """This server makes new files with 0644, whatever it is asked for."""
    seen = []
    source.files["/srv/secret"] = regular(b"secret", mode, uid=9, gid=9)
    target.first_mode = 0o644

    def watch(request, write=target._write):
        node = target.handles[type(request)(
            bytes([WRITE]) + u32(request.id) + request.rest).bytes()]
        answer = write(request)
        if bytes(node.data) == b"secret":
            seen.append(stat.S_IMODE(node.mode))
        return answer

    target._write = watch
    assert anklume(*COPY).status == 0
    assert seen == [mode]
    assert below(target, "/root/new") == below(source, "/srv")


def test_new_files_of_another_group_are_set_right(source, target, anklume):
    """As in a directory with setgid; chown(2) takes setuid away."""
    source.files["/srv/s"] = regular(b"s", 0o4755, uid=0, gid=0)
    target.first_gid = 77
    assert anklume(*COPY, "--keep-setuid").status == 0
    assert below(target, "/root/new") == below(source, "/srv")


def test_no_clobber_keeps_what_is_there(source, target, anklume):
    target.files["/root/new"] = directory()
    target.files["/root/new/srv"] = directory()
    target.files["/root/new/srv/a"] = regular(b"old")
    assert anklume(*COPY, "--no-clobber").status == 0
    assert bytes(target.files["/root/new/srv/a"].data) == b"old"
    assert bytes(target.files["/root/new/srv/b"].data) == b"second\n"
    assert target.temporaries == []


def test_update_leaves_what_is_the_same(source, target, anklume):
    assert anklume(*COPY).status == 0
    source.files["/srv/b"] = regular(b"changed\n")
    source.log.clear()
    assert anklume("portal", "copy", "-r", "--update", "web:/srv/.",
                   "db:/root/new").status == 0
    assert [line for line in source.log if line.startswith("open ")] == [
        "open /srv/b"]
    assert bytes(target.files["/root/new/b"].data) == b"changed\n"


def test_a_tree_is_not_copied_into_itself(source, anklume):
    for place in ("web:/srv", "web:/srv/d"):
        result = anklume("portal", "copy", "-r", "web:/srv", place)
        assert result.status == 2, result
        assert "into itself" in result.err


def test_without_r_a_directory_says_what_to_type(source, anklume):
    result = anklume("portal", "copy", "web:/srv", "db:/root/new")
    assert result.status == 2, result
    assert "-r" in result.err


def test_escape_sequences_in_names_are_shown_escaped(source, anklume):
    source.files["/srv/\x1b]0;title\x07"] = Node(mode=stat.S_IFIFO | 0o644)
    result = anklume(*COPY)
    assert result.status == 3, result
    assert "\x1b" not in result.err
    assert "\\x1b]0;title\\x07" in result.err
