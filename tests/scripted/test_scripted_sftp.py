"""Hostile sources and hostile destinations: the copy is right, or there is none
and nothing is left of it."""

import re
import stat
import threading

import pytest

from scripted import PATIENCE_S, error
from scripted_sftp import (ATTRS, CLOSE, DATA, EOF, EXTENDED, FAILURE, FSETSTAT,
                           FSTAT, HANDLE, INIT, LSTAT, NAME, OK, OPEN, READ,
                           READLINK, STAT, STATUS, VERSION, WRITE, attributes,
                           directory, link, packet, regular, status, text, u32)

BIG = bytes(i * 7 % 251 for i in range(600_000))

COPY = ("portal", "copy", "web:/root/file", "db:/root/new")
FETCH = ("portal", "copy", "web:/root/file", "here")


@pytest.fixture
def source(daemon):
    guest = daemon.guests["web"]
    guest.files["/root/file"] = regular(BIG, 0o640, uid=1000, gid=1001)
    return guest


@pytest.fixture
def target(daemon):
    return daemon.guests["db"]


def check_nothing(target, result, *statuses):
    """Refused, and the destination is as it was."""
    assert result.status in (statuses or (1,)), result
    assert re.match("anklume: .", result.err), result
    assert "/root/new" not in target.files
    assert target.temporaries == []


def copied(target):
    return bytes(target.files["/root/new"].data)


def silent(answer, request):
    return b""


def test_a_copy_keeps_bytes_owner_mode_and_time(source, target, anklume):
    assert anklume(*COPY).status == 0
    assert target.files["/root/new"] == source.files["/root/file"]
    assert target.temporaries == []


# Lengths.

LENGTHS = [0, 1, 4, 256 * 1024 + 1, 1 << 31, (1 << 32) - 1]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("kind", [INIT, STAT, OPEN, READ])
def test_a_length_that_no_packet_has_from_the_source(
        source, target, anklume, kind, length):
    source.on(kind, lambda answer, request: u32(length) + answer[4:])
    check_nothing(target, anklume(*COPY, "--timeout", "1"), 1, 9)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("kind", [INIT, LSTAT, OPEN, WRITE, EXTENDED])
def test_a_length_that_no_packet_has_from_the_destination(
        source, target, anklume, kind, length):
    target.on(kind, lambda answer, request: u32(length) + answer[4:])
    result = anklume(*COPY, "--timeout", "1")
    assert result.status in (1, 9), result


# The greeting.

@pytest.mark.parametrize("greeting", [
    packet(VERSION, u32(0)), packet(VERSION, u32(2)), packet(VERSION, u32(4)),
    packet(VERSION, u32(999)), packet(VERSION, b"\0\0"), packet(VERSION, b""),
    packet(STATUS, u32(3)), packet(VERSION, u32(3) + u32(1 << 30) + b"name"),
    packet(VERSION, u32(3) + text("half a pair")),
    packet(VERSION, u32(3)) + packet(VERSION, u32(3)), b"SSH-2.0-OpenSSH_9\r\n",
], ids=lambda greeting: greeting[:24].hex())
def test_a_greeting_that_is_not_version_3(source, target, anklume, greeting):
    source.on(INIT, lambda answer, request: greeting)
    check_nothing(target, anklume(*COPY, "--timeout", "1"), 1, 9)


def test_a_greeting_with_thousands_of_extensions(source, target, anklume):
    source.extensions = [f"x{i}@example.org" for i in range(9000)]
    assert anklume(*COPY).status == 0


@pytest.mark.parametrize("words, exclusive", [
    ("posix-rename@openssh.com", False), ("hardlink@openssh.com", True)])
def test_a_destination_that_cannot_publish(source, target, anklume, words,
                                           exclusive):
    target.extensions.remove(words)
    result = anklume(*COPY, *(["--no-clobber"] if exclusive else []))
    check_nothing(target, result)
    assert words in result.err


# Ids.

def wrong_id(answer, request):
    return answer[:5] + u32(request.id + 1000) + answer[9:]


def twice(answer, request):
    return answer + answer


def unasked(answer, request):
    return answer + status(request.id + 77, OK)


@pytest.mark.parametrize("change", [wrong_id, twice, unasked])
@pytest.mark.parametrize("kind", [STAT, OPEN, FSTAT, READ])
def test_answers_to_no_request_from_the_source(source, target, anklume, kind,
                                               change):
    source.on(kind, change)
    check_nothing(target, anklume(*COPY, "--timeout", "1"), 1)


@pytest.mark.parametrize("change", [wrong_id, twice, unasked])
@pytest.mark.parametrize("kind", [LSTAT, OPEN, WRITE, FSETSTAT])
def test_answers_to_no_request_from_the_destination(
        source, target, anklume, kind, change):
    target.on(kind, change)
    result = anklume(*COPY, "--timeout", "1")
    assert result.status == 1, result
    assert "/root/new" not in target.files


# What a READ brings.

def data(request, content):
    return packet(DATA, u32(request.id) + text(content))


READS = {
    "longer than asked": lambda a, r: data(r, BIG[:200000]),
    "one byte longer": lambda a, r: data(r, bytes(131073)),
    "no bytes": lambda a, r: data(r, b""),
    "a length of its own": lambda a, r: packet(
        DATA, u32(r.id) + u32(1 << 31) + b"x"),
    "end of file": lambda a, r: status(r.id, EOF),
    "status OK": lambda a, r: status(r.id, OK),
    "failure": lambda a, r: status(r.id, FAILURE, "input/output error"),
    "status 4294967295": lambda a, r: status(r.id, (1 << 32) - 1),
    "an empty status": lambda a, r: packet(STATUS, u32(r.id)),
    "a handle": lambda a, r: packet(HANDLE, u32(r.id) + text("1")),
    "names": lambda a, r: packet(NAME, u32(r.id) + u32(1 << 31)),
    "an unknown packet": lambda a, r: packet(250, u32(r.id)),
}


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("change", READS.values(), ids=READS)
def test_a_read_that_brings_something_else(source, target, anklume, change, n):
    source.nth(READ, n, change)
    check_nothing(target, anklume(*COPY))


def test_a_read_that_brings_something_else_for_this_side(source, anklume):
    for change in READS.values():
        source.nth(READ, 3, change)
        assert anklume(*FETCH).status == 1
        assert anklume.leftovers == []


def test_a_file_that_ends_before_its_size(source, target, anklume):
    source.on(FSTAT, lambda answer, request: packet(
        ATTRS, u32(request.id) + attributes(
            len(BIG) + 1, 0, 0, stat.S_IFREG | 0o644, (1, 1))))
    result = anklume(*COPY)
    check_nothing(target, result)
    assert "shrank" in result.err


def test_a_file_that_holds_more_than_its_size(source, target, anklume):
    lie = regular(BIG)
    for kind in (STAT, FSTAT):
        source.on(kind, lambda answer, request: packet(
            ATTRS, u32(request.id) + attributes(
                1000, 0, 0, lie.mode, (1, 1))))
    result = anklume(*COPY)
    check_nothing(target, result)
    assert "more than its size" in result.err


def test_a_source_that_falls_silent_inside_a_read(source, target, anklume):
    seen = []

    def silence(answer, request):
        seen.append(request)
        return answer if len(seen) < 3 else answer[:100 * (len(seen) == 3)]
    source.on(READ, silence)
    result = anklume(*COPY, "--timeout", "1")
    check_nothing(target, result, 9)
    assert "'default/web:/root/file': the other side has been" in result.err


def test_a_destination_that_falls_silent(source, target, anklume):
    for kind in (INIT, LSTAT, OPEN, WRITE, FSTAT, EXTENDED):
        target.bent.clear()
        target.on(kind, silent)
        if kind == INIT:
            target.on(LSTAT, silent)
        result = anklume(*COPY, "--timeout", "1")
        assert result.status == 9, (kind, result)
        assert "'default/db:/root/" in result.err, (kind, result)
        left = f"may be deleted: 'default/db:{target.temporaries[0]}'" if (
            target.temporaries) else ""
        assert left in result.err, (kind, result)
        for path in target.temporaries:
            del target.files[path]


# What need not be waited for.

def together(guest, kinds, last):
    """Hold the answers to these kinds back until the last is asked for."""
    held = []

    def hold(answer, request):
        held.append(answer)
        if not last(request):
            return b""
        whole = b"".join(held)
        held.clear()
        return whole
    for kind in kinds:
        guest.on(kind, hold)


def test_a_path_is_looked_at_with_one_question(source, target, anklume):
    """All components at once, and with the greeting: who waits for any of
    their answers waits in vain. Nothing is looked at twice."""
    for path in ("/srv", "/srv/a", "/srv/a/b"):
        target.files[path] = directory()
    together(target, [INIT, LSTAT], lambda request:
             request is not None and request.text() == "/srv/a/b/new")
    target.on(STAT, lambda answer, request: pytest.fail("looked at again"))
    result = anklume("copy", "web:/root/file", "db:/srv/a/b/new",
                     "--timeout", "2")
    assert result.status == 0, result
    assert target.files["/srv/a/b/new"].data == BIG


def test_a_source_is_asked_for_its_first_bytes_with_its_size(
        source, target, anklume):
    """And a small one for its end."""
    source.files["/root/file"] = regular(BIG[:32768])
    stats = []

    def stat_(answer, request):
        stats.append(request)
        return answer if len(stats) == 1 else held.pop() + answer
    held = []
    source.on(STAT, stat_)
    source.nth(READ, 1, lambda answer, request: held.append(answer) or b"")
    result = anklume(*COPY, "--timeout", "2")
    assert result.status == 0, result
    assert copied(target) == BIG[:32768]


def test_both_ends_are_asked_at_once(source, target, anklume):
    """The source answers nothing before the destination has been asked."""
    asked = threading.Event()
    target.on(LSTAT, lambda answer, request: asked.set() or answer)

    def after(answer, request):
        assert asked.wait(PATIENCE_S)
        return answer
    source.on(INIT, after)
    assert anklume(*COPY, "--timeout", "2").status == 0
    assert copied(target) == BIG


@pytest.mark.parametrize("path", [
    "/srv/x/y/../../a/up//../b/./c/new", "/srv/a/up/c/new",
    "/srv/there/up/../../data/b/c/new"])
def test_paths_behind_links_and_dots(source, target, anklume, path):
    """What was asked too early about them does no harm."""
    for name in ("/srv", "/srv/a", "/data", "/data/b", "/data/b/c"):
        target.files[name] = directory()
    target.files["/srv/a/up"] = link("../../data/./b")
    target.files["/srv/there"] = link("/srv/./a")
    target.files["/data/b/c/new"] = link("/srv/x/../a/there")
    result = anklume("copy", "web:/root/file", f"db:{path}")
    assert result.status == 0, result
    assert target.files["/srv/a/there"].data == BIG


def test_a_path_longer_than_is_asked_at_once(source, target, anklume):
    path = ""
    for i in range(40):
        path += f"/{i}"
        target.files[path] = directory()
    assert anklume("copy", "web:/root/file", f"db:{path}").status == 0
    assert target.files[f"{path}/file"].data == BIG


# Several sources.

SOURCES = ("web:/root/a", "web:/root/b", "web:/root/c", "web:/root/d")


@pytest.fixture
def sources(source):
    for word in SOURCES:
        source.files[word.partition(":")[2]] = regular(BIG)


def sessions(daemon, name):
    return daemon.asked.count(f"GET /1.0/instances/{name}/sftp")


def test_a_silent_destination_is_waited_for_once(
        daemon, sources, target, anklume):
    target.on(INIT, silent)
    target.on(LSTAT, silent)
    result = anklume("copy", *SOURCES, "db:/root/", "--timeout", "1")
    assert result.status == 9, result
    assert "silent" in result.err
    assert "4 of 4 files were not copied" in result.err
    assert sessions(daemon, "web") == 1


def test_a_destination_that_falls_silent_later_is_waited_for_once(
        daemon, sources, target, anklume):
    target.nth(OPEN, 2, silent)
    result = anklume("--json", "copy", *SOURCES, "db:/root/", "--timeout", "1")
    assert result.status == 9, result
    assert "3 of 4 files were not copied" in result.err
    said = result.json()
    assert (said["copied"], said["failed"]) == (1, 3)
    assert sessions(daemon, "web") == 2


def test_a_destination_that_is_refused_is_asked_for_once(
        daemon, sources, anklume):
    daemon.on("GET /1.0/instances/db/sftp",
              lambda x: x.send(error("instance is frozen")))
    result = anklume("copy", *SOURCES, "db:/root/", "--timeout", "1")
    assert result.status == 1, result
    assert "frozen" in result.err
    assert (sessions(daemon, "web"), sessions(daemon, "db")) == (1, 1)


@pytest.mark.parametrize("words", [
    ("web:/root/file", "db:/root/file", "here/"),
    ("web:/root/file", "file", "db:/root"),
    ("web:/etc/file", "web:/root/a", "web:/root/file", "web:/root"),
], ids=["two instances", "one is local", "one instance"])
def test_two_sources_of_one_name(daemon, source, anklume, words):
    """One would replace the other: nothing is copied."""
    (anklume.home / "here").mkdir()
    (anklume.home / "file").write_bytes(b"local")
    result = anklume("copy", *words)
    assert result.status == 2, result
    assert "would get the same name" in result.err
    assert sessions(daemon, "web") == sessions(daemon, "db") == 0
    assert anklume.leftovers == ["file"]


# Directories that are made for someone.

def put_in_place(node):
    """When the new directory has been looked at, its owner puts something else
    there; or before that."""
    def change(guest, early):
        def lstat(answer, request):
            path = request.text()
            if path == "/home/u/new" and path in guest.files:
                guest.files[path] = node
                if early:
                    return packet(ATTRS, u32(request.id) + node.attributes())
            return answer
        guest.on(LSTAT, lstat)
    return change


@pytest.fixture
def home(target):
    """Whose owner cannot be trusted, and what he would like to own."""
    target.files.update({
        "/home": directory(), "/home/u": directory(uid=1000, gid=1000),
        "/etc": directory(), "/etc/passwd": regular(b"root"),
        "/usr": directory(mtime=1), "/root/old": regular(b"old")})
    return target


@pytest.mark.parametrize("early", [False, True], ids=["late", "early"])
@pytest.mark.parametrize("wish", ["/etc", "/usr"])
def test_a_new_directory_is_replaced_before_its_owner_is_set(
        source, home, anklume, wish, early):
    """A link to a directory of the same look, or to an empty one."""
    put_in_place(link(wish))(home, early)
    result = anklume("copy", "-p", "web:/root/file", "db:/home/u/new/file")
    assert result.status == 1, result
    assert {node.uid for path, node in home.files.items()
            if not path.startswith("/home/u")} == {0}
    assert home.temporaries == []


def test_new_directories_belong_to_whom_they_are_made_for(
        source, home, anklume):
    result = anklume("copy", "-p", "web:/root/file", "db:/home/u/new/er/file")
    assert result.status == 0, result
    for path in ("/home/u/new", "/home/u/new/er"):
        assert (home.files[path].uid, home.files[path].gid) == (1000, 1000)


# Slow and strange, but right.

@pytest.mark.parametrize("most", [1, 511, 32767, 1 << 20])
def test_short_reads_give_the_same_bytes(source, target, anklume, most):
    source.files["/root/file"] = regular(BIG[:20000 * min(most, 15)])
    source.read_most = most
    assert anklume(*COPY).status == 0
    assert copied(target) == source.files["/root/file"].data


def test_reads_of_changing_length_give_the_same_bytes(source, target, anklume):
    lengths = [32768, 1, 30000, 2, 3, 32768]

    def uneven(answer, request):
        handle, offset = request.bytes(), request.u64()
        del handle
        lengths.append(lengths.pop(0))
        size = min(request.u32(), lengths[0])
        part = BIG[offset:offset + size]
        return data(request, part) if part else answer
    source.on(READ, uneven)
    assert anklume(*COPY).status == 0
    assert copied(target) == BIG


def test_answers_in_reverse_order_give_the_same_bytes(source, target, anklume):
    held = []

    def reverse(answer, request):
        request.bytes()
        offset, size = request.u64(), request.u32()
        held.insert(0, answer)
        # Nothing else is asked for before the first answer.
        if len(held) < 8 and 0 < offset and offset + size < len(BIG):
            return b""
        out = b"".join(held)
        held.clear()
        return out
    source.on(READ, reverse)
    assert anklume(*COPY).status == 0
    assert copied(target) == BIG


def test_answers_byte_by_byte_give_the_same_bytes(source, target, anklume):
    source.files["/root/file"] = regular(BIG[:2000])
    source.dribble = target.dribble = True
    assert anklume(*COPY).status == 0
    assert copied(target) == BIG[:2000]


# Attributes.

def of(*fields, **named):
    return lambda answer, request: packet(
        ATTRS, u32(request.id) + attributes(*fields, **named))


REG = stat.S_IFREG | 0o644
ATTRIBUTES = {
    "nothing": of(),
    "no size": of(uid=0, gid=0, mode=REG, times=(1, 1)),
    "no mode": of(300000, 0, 0, times=(1, 1)),
    "all flags": lambda a, r: packet(
        ATTRS, u32(r.id) + u32((1 << 32) - 1) + a[13:]),
    "endless extensions": lambda a, r: packet(
        ATTRS, u32(r.id) + u32(1 << 31 | 15) + a[13:] + u32((1 << 32) - 1)),
    "size of 2^63": of(1 << 63, 0, 0, REG, (1, 1)),
    "size of 2^64 - 1": of((1 << 64) - 1, 0, 0, REG, (1, 1)),
    "cut": lambda a, r: packet(ATTRS, u32(r.id) + a[9:20]),
    "directory": of(4096, 0, 0, stat.S_IFDIR | 0o755, (1, 1)),
    "FIFO": of(0, 0, 0, stat.S_IFIFO | 0o644, (1, 1)),
    "device": of(0, 0, 0, stat.S_IFCHR | 0o644, (1, 1)),
    "disk": of(0, 0, 0, stat.S_IFBLK | 0o644, (1, 1)),
    "socket": of(0, 0, 0, stat.S_IFSOCK | 0o644, (1, 1)),
    "link": of(0, 0, 0, stat.S_IFLNK | 0o777, (1, 1)),
    "no type": of(0, 0, 0, 0o644, (1, 1)),
}


@pytest.mark.parametrize("kind", [STAT, FSTAT], ids=["STAT", "FSTAT"])
@pytest.mark.parametrize("change", ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_attributes_of_no_regular_file(source, target, anklume, change, kind):
    source.nth(kind, 1, change)
    check_nothing(target, anklume(*COPY), 1, 2)
    if kind == STAT and "FIFO" in str(change):
        assert not any(words.startswith("open") for words in source.log)


@pytest.mark.parametrize("size", [1000, 300000])
@pytest.mark.parametrize("more, says", [(-1, "shrank"), (1, "replaced")])
def test_a_file_that_changes_under_our_eyes(
        source, target, anklume, size, more, says):
    """Whether it is read with one question or with many."""
    source.files["/root/file"] = regular(BIG[:size])
    source.nth(FSTAT, 2, of(size + more, 0, 0, REG, (2, 2)))
    result = anklume(*COPY)
    check_nothing(target, result)
    assert says in result.err


@pytest.mark.parametrize("size", [1000, 300000])
def test_a_file_that_does_not_stop_to_grow(source, target, anklume, size):
    """Its name is looked at last, and shows more than the open file did."""
    source.files["/root/file"] = regular(BIG[:size])
    source.nth(FSTAT, 2, of(size + 1, 0, 0, REG, (2, 2)))
    source.nth(STAT, 2, of(size + 2, 0, 0, REG, (3, 3)))
    result = anklume(*COPY)
    assert result.status == 0, result
    assert "grew while it was read" in result.err
    assert copied(target) == BIG[:size]


def test_a_file_that_shrinks_before_it_is_open(source, target, anklume):
    source.nth(STAT, 1, of(len(BIG) + 1, 1000, 1001, REG, (1, 1)))
    result = anklume(*COPY)
    check_nothing(target, result)
    assert "shrank" in result.err


@pytest.mark.parametrize("seen, size", [
    (0, 1), (0, 300000), (1, 300000), (1000, 20000), (200000, 300000)])
def test_a_file_that_grows_before_it_is_open(
        source, target, anklume, seen, size):
    """It is copied to the size that the open file has."""
    source.files["/root/file"] = regular(BIG[:size])
    source.nth(STAT, 1, of(seen, 0, 0, REG, (1, 1)))
    assert anklume(*COPY).status == 0
    assert copied(target) == BIG[:size]


def test_a_fifo_is_not_opened(source, target, anklume):
    source.on(STAT, ATTRIBUTES["FIFO"])
    check_nothing(target, anklume(*COPY))
    assert source.log == []


def test_a_file_that_is_another_at_its_end(source, target, anklume):
    source.nth(STAT, 2, of(len(BIG), 0, 0, REG, (2, 2)))
    result = anklume(*COPY)
    check_nothing(target, result)
    assert "replaced" in result.err


# Handles, links, words.

@pytest.mark.parametrize("size", [0, 257, 200000])
@pytest.mark.parametrize("end", ["web", "db"])
def test_a_handle_of_an_impossible_size(daemon, source, target, anklume, end,
                                        size):
    daemon.guests[end].on(OPEN, lambda answer, request: packet(
        HANDLE, u32(request.id) + text("h" * size)))
    check_nothing(target, anklume(*COPY))


def test_a_link_that_leads_to_itself(source, target, anklume):
    target.files["/root/new"] = link("/root/new")
    result = anklume(*COPY)
    assert result.status == 1, result
    assert "too many levels" in result.err
    assert target.log == []


def test_links_that_lead_ever_deeper(source, target, anklume):
    target.files["/root/new"] = link("/root/new/" + "x/" * 900)
    result = anklume(*COPY)
    assert result.status == 1, result
    assert target.log == []


@pytest.mark.parametrize("names", [
    u32(0), u32(2) + text("/a") + text("") + attributes(), u32((1 << 32) - 1),
    u32(1) + text("") + text("") + attributes(),
    u32(1) + text("/root/\0x") + text("") + attributes(),
    u32(1) + text("/" + "x" * 5000) + text("") + attributes(),
    u32(1) + u32(1 << 31) + b"x", b"",
], ids=["none", "two", "2^32 - 1", "empty", "zero byte", "too long",
        "a length of its own", "cut"])
def test_a_link_to_no_path(source, target, anklume, names):
    target.files["/root/new"] = link("/nowhere")
    target.on(READLINK, lambda answer, request: packet(
        NAME, u32(request.id) + names))
    result = anklume(*COPY)
    assert result.status == 1, result
    assert target.log == []


@pytest.mark.parametrize("kind", [STAT, OPEN, READ])
def test_words_with_escape_sequences(source, target, anklume, kind):
    source.on(kind, lambda answer, request: status(
        request.id, FAILURE, "bad \x1b]52;c;aGk=\x07\r\n\u202e" + "y" * 200000))
    result = anklume(*COPY)
    check_nothing(target, result)
    assert "bad \\x1b]52" in result.err
    assert len(result.err) < 1500


# A destination that fails.

def refuse(message):
    return lambda answer, request: status(request.id, FAILURE, message)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("message, code", [
    ("write /root: no space left on device", 13),
    ("write /root: disk quota exceeded", 13),
    ("input/output error", 1)])
def test_a_write_that_fails(source, target, anklume, n, message, code):
    target.nth(WRITE, n, refuse(message))
    result = anklume(*COPY)
    check_nothing(target, result, code)
    assert message in result.err


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("kind, count", [
    (OPEN, 1), (FSETSTAT, 3), (FSTAT, 1), (CLOSE, 1), (EXTENDED, 1)])
def test_a_step_that_fails(source, target, anklume, kind, count, n):
    if n > count:
        return
    target.nth(kind, n, refuse("operation not permitted"))
    if kind == EXTENDED:
        target.publishes = False
    result = anklume(*COPY)
    assert result.status == 1, result
    assert "operation not permitted" in result.err
    assert target.temporaries == []


def test_an_old_file_stays_when_the_new_one_fails(source, target, anklume):
    target.files["/root/new"] = regular(b"old")
    for kind in (OPEN, WRITE, FSTAT, FSETSTAT, CLOSE):
        target.bent.clear()
        target.nth(kind, 1, refuse("input/output error"))
        assert anklume(*COPY).status == 1
        assert copied(target) == b"old"
        assert target.temporaries == []


@pytest.mark.parametrize("change", [
    of(len(BIG) - 1, 0, 0, REG), of(0, 0, 0, REG), of(len(BIG) + 1, 0, 0, REG),
    of(mode=REG), lambda a, r: packet(ATTRS, u32(r.id))])
def test_a_written_size_that_is_not_right(source, target, anklume, change):
    target.on(FSTAT, change)
    result = anklume(*COPY)
    check_nothing(target, result)
    assert "bytes were written" in result.err


def test_a_source_that_fails_leaves_nothing_at_the_destination(
        source, target, anklume):
    source.nth(READ, 5, lambda a, r: status(r.id, FAILURE, "EIO"))
    check_nothing(target, anklume(*COPY))
    assert [words for words in target.log if words.startswith("remove")]


# Connections that are cut.

def session_bytes(guest, anklume):
    """How many bytes a whole session sends."""
    guest.cut_after = 1 << 40
    assert anklume(*COPY).status == 0
    return guest.sent


@pytest.mark.parametrize("end", ["web", "db"])
def test_a_connection_closed_at_any_byte(daemon, source, target, anklume, end):
    source.files["/root/file"] = regular(BIG[:100000])
    total = session_bytes(daemon.guests[end], anklume)
    target.files.pop("/root/new")
    for n in [*range(0, 200, 13), *range(200, total, total // 25), total - 1]:
        daemon.guests[end].cut_after = n
        result = anklume(*COPY)
        if end == "web":
            check_nothing(target, result)
        else:
            assert result.status == 1, (n, result)
            # The answer to the rename may be what is lost.
            assert copied(target) == BIG[:100000] \
                if "/root/new" in target.files else True
            target.files.pop("/root/new", None)


def test_a_full_directory_is_not_published_into(source, target, anklume):
    target.files["/root/new"] = directory()
    source.nth(READ, 1, refuse("EIO"))
    check = anklume(*COPY)
    assert check.status == 1, check
