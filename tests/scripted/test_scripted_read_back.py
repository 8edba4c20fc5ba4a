"""--verify: a destination that keeps something else than it was sent is found,
before the file has its name."""

import pytest

from scripted_sftp import (DATA, EOF, FAILURE, OPEN, READ, READLINK, NAME,
                           attributes, directory, link, packet, regular, status,
                           text, u32)

BIG = bytes(i * 7 % 251 for i in range(700_000))

KINDS = {
    "small": ("portal", "copy", "--verify", "web:/srv/a", "db:/root/new"),
    "large": ("portal", "copy", "--verify", "web:/srv/big", "db:/root/new"),
    "tree": ("portal", "copy", "-r", "--verify", "web:/srv", "db:/root/new"),
}


@pytest.fixture(autouse=True)
def source(daemon):
    guest = daemon.guests["web"]
    guest.files.update({
        "/srv": directory(), "/srv/a": regular(b"first\n" * 1000),
        "/srv/big": regular(BIG), "/srv/empty": regular(b""),
        "/srv/l": link("a")})
    return guest


@pytest.fixture
def target(daemon):
    return daemon.guests["db"]


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def words(request):
    return request.param


def check_refused(target, result, words):
    assert result.status == (3 if "-r" in words else 5), result
    assert "what was read back is not what was written" in result.err
    assert target.temporaries == []


def test_what_is_the_same_arrives(source, target, anklume, words):
    assert anklume(*words).status == 0
    assert target.temporaries == []
    top = target.files["/root/new"]
    assert top.data is None or bytes(top.data) in (b"first\n" * 1000, BIG)
    assert any(line.startswith("read ") for line in target.log)


def test_nothing_is_read_back_unless_asked(source, target, anklume, words):
    assert anklume(*(word for word in words if word != "--verify")).status == 0
    assert not any(line.startswith("read ") for line in target.log)


@pytest.mark.parametrize("at", [0, 5_999, -1], ids=["first", "later", "last"])
def test_one_byte_that_is_another(source, target, anklume, words, at):
    """Size, owner, mode and time are right."""
    stored = target._write

    def garbled(request):
        answer = stored(request)
        for node in target.handles.values():
            if node.data:
                node.data[min(at, len(node.data) - 1)] = 0xfe
        return answer

    target._write = garbled
    result = anklume(*words)
    check_refused(target, result, words)
    assert target.files.get("/root/new", regular()).data in (None, bytearray())
    assert "/root/new/a" not in target.files
    assert "/root/new/big" not in target.files


def test_zeros_that_did_not_become_zeros(source, target, anklume, words):
    """What stands for a hole is part of the file."""
    for name in "a", "big":
        source.files[f"/srv/{name}"].data.extend(bytes(300_000))
    changed = target._fsetstat

    def garbled(request):
        answer = changed(request)
        for node in target.handles.values():
            if node.data and len(node.data) > 300_000:
                node.data[-1] = 1
        return answer

    target._fsetstat = garbled
    check_refused(target, anklume(*words), words)


def test_a_link_that_is_another(source, target, anklume):
    target.on(READLINK, lambda answer, request: packet(
        NAME, u32(request.id) + u32(1) + text("/etc/passwd") + text("")
        + attributes()))
    result = anklume(*KINDS["tree"])
    check_refused(target, result, KINDS["tree"])
    assert "/root/new/l" not in target.files


@pytest.mark.parametrize("lie", {
    "end": lambda answer, request: status(request.id, EOF, "EOF"),
    "failure": lambda answer, request: status(request.id, FAILURE, "no"),
    "more": lambda answer, request: packet(
        DATA, u32(request.id) + text(b"y" * 200_000)),
}.items(), ids=lambda lie: lie[0])
def test_a_read_that_goes_wrong(source, target, anklume, words, lie):
    target.on(READ, lie[1])
    result = anklume(*words)
    assert result.status in (1, 3, 5), result
    assert target.temporaries == []
    assert "/root/new/a" not in target.files
    assert target.files.get("/root/new", directory()).data is None


def test_a_file_that_cannot_be_opened_again(source, target, anklume, words):
    """Each can be once: when it is made."""
    opened = set()

    def once(answer, request):
        path = request.text()
        if path in opened:
            return status(request.id, FAILURE, "not again")
        opened.add(path)
        return answer

    target.on(OPEN, once)
    result = anklume(*words)
    assert result.status in (1, 3), result
    assert "not again" in result.err
    assert target.temporaries == []


def test_a_file_that_is_kept_is_not_read(source, target, anklume):
    assert anklume(*KINDS["tree"]).status == 0
    target.log.clear()
    assert anklume("portal", "copy", "-r", "--verify", "--update", "web:/srv/.",
                   "db:/root/new").status == 0
    assert not any(line.startswith("read ") for line in target.log)


def test_a_pipe_cannot_be_read_back(source, anklume):
    result = anklume("portal", "copy", "--verify", "web:/srv/a", "-")
    assert result.status == 2, result
    assert "--verify" in result.err
    assert result.out == ""
