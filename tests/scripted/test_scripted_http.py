"""What comes over the wire is not what it should be: one clear line and the
right exit status, never a crash, never a hang."""

import copy
import json
import socket

import pytest

from scripted import (LAST_CHUNK, SWITCH, body_of, chunk, drip, error, http,
                      sync)

NAMES = "GET /1.0/instances"
SNAPSHOTS = "GET /1.0/instances/web/snapshots"
MAKE_SNAPSHOT = "POST /1.0/instances/web/snapshots"
WAIT = "GET /1.0/operations/ID/wait"
LOOK = "GET /1.0/operations/ID"
SFTP = "GET /1.0/instances/web/sftp"
EXPORT = "POST /1.0/instances/web/backups"

LIST = ("snapshot", "list", "web")
SNAPSHOT = ("snapshot", "create", "web")
FETCH = ("portal", "copy", "web:/root/file", "here")
BACKUP = ("backup", "create", "web", "-o", "out")


def sample(size, count=12):
    """Some offsets below size: the first, the last, and some between."""
    return sorted({*range(0, size, max(1, size // count)), 1, size - 1})


def size_of(daemon, anklume, words, command):
    """How many bytes the ordinary answer has."""
    sizes = []

    def measure(wire):
        sizes.append(len(wire))
        return wire
    daemon.on_wire(words, measure)
    assert anklume(*command).status == 0
    return sizes[0]


@pytest.mark.parametrize("words, command", [
    (NAMES, LIST), (SNAPSHOTS, LIST), (MAKE_SNAPSHOT, SNAPSHOT),
    (WAIT, SNAPSHOT), (LOOK, SNAPSHOT)])
def test_connection_closed_inside_an_answer(daemon, anklume, words, command):
    for n in sample(size_of(daemon, anklume, words, command)):
        daemon.on_wire(words, lambda wire, n=n: wire[:n])
        result = anklume(*command)
        # The wait is only waited for: the look behind it is what counts.
        if words != WAIT:
            assert result.status == 1, (n, result)
        assert result.status in (0, 1), (n, result)
        assert bool(result.err) == bool(result.status), (n, result)


def test_connection_closed_inside_a_refusal_to_open_sftp(daemon, anklume):
    refusal = error("Instance is not running")
    for n in sample(len(refusal)):
        daemon.on(SFTP, lambda x, n=n: (x.send(refusal[:n]), x.hang_up()))
        assert anklume(*FETCH).status == 1, n
    assert anklume.leftovers == []


@pytest.mark.parametrize("after", [0, 5, 20, 60, 150])
@pytest.mark.parametrize("words, command", [
    (NAMES, LIST), (MAKE_SNAPSHOT, SNAPSHOT), (WAIT, SNAPSHOT),
    (LOOK, SNAPSHOT)])
def test_silence_inside_an_answer(daemon, anklume, words, command, after):
    daemon.stall(words, after)
    result = anklume(*command, "--timeout", "1")
    assert result.status == 9, result
    assert "for 1 s" in result.err


@pytest.mark.parametrize("after", [0, 7, 30, len(SWITCH)])
def test_silence_before_sftp_begins(daemon, anklume, after):
    daemon.on(SFTP, lambda x: (x.send(SWITCH[:after]), x.hold()))
    result = anklume(*FETCH, "--timeout", "1")
    assert result.status == 9, result
    assert anklume.leftovers == []


def test_a_daemon_that_does_not_even_accept(anklume, tmp_path, monkeypatch):
    """Its backlog is full: the connection itself is waited for."""
    # A socket's path is short; pytest's directories are not.
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener, \
            socket.socket(socket.AF_UNIX) as first:
        listener.bind("deaf")
        listener.listen(0)
        first.connect("deaf")
        anklume.environment["INCUS_SOCKET"] = "../deaf"
        result = anklume(*LIST, "--timeout", "1")
    assert result.status == 9, result
    assert result.err == "anklume: Incus has not answered for 1 s\n"


def test_words_for_another_remote_are_not_for_this_daemon(daemon, anklume):
    anklume.environment["INCUS_REMOTE"] = "nas"
    result = anklume(*SNAPSHOT)
    assert result.status == 2, result
    assert "only the local daemon" in result.err
    assert daemon.asked == []
    anklume.environment["INCUS_REMOTE"] = "local"
    assert anklume(*SNAPSHOT).status == 0


def test_silence_inside_a_direct_export(daemon, anklume):
    def some(x):
        x.body()
        x.send(http(chunk(daemon.tar[:4096]), Content_Length=None,
                    kind="application/octet-stream",
                    Transfer_Encoding="chunked"))
        x.hold()
    daemon.on(EXPORT, some)
    result = anklume(*BACKUP, "--timeout", "1")
    assert result.status == 9, result
    assert anklume.leftovers == []


def test_an_answer_that_never_stops_arriving_is_not_silence(daemon, anklume):
    wire = sync([])
    head = len(wire) - len(body_of(wire))

    def slowly(x):
        x.send(wire[:head])
        drip(wire[head:], 0.02)(x)
    daemon.on(SNAPSHOTS, slowly)
    assert anklume(*LIST, "--timeout", "1").status == 0


def test_a_head_that_drips_is_not_silence(daemon, anklume):
    head, body = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n", \
        b'{"metadata":[]}'
    daemon.on(SNAPSHOTS, lambda x: (drip(head, 0.04)(x), x.send(body)))
    assert anklume(*LIST, "--timeout", "1").status == 0


def test_work_longer_than_the_timeout_is_not_silence(daemon, anklume):
    daemon.verdicts["snapshot"] = {"status_code": 103, "err": ""}
    waits = []

    def end_the_second_time(x):
        waits.append(x)
        if len(waits) == 2:
            daemon.finish("snapshot")
        daemon._ordinary(x)
    daemon.on(WAIT, end_the_second_time)
    assert anklume(*SNAPSHOT, "--timeout", "1").status == 0


GOOD = body_of(sync([]))


def in_chunks(body):
    return http(body, Content_Length=None, Transfer_Encoding="chunked")


FRAMES = {
    "length too large": http(GOOD, Content_Length=len(GOOD) + 100),
    "length too small": http(GOOD, Content_Length=len(GOOD) - 10),
    "length negative": http(GOOD, Content_Length=-5),
    "length a word": http(GOOD, Content_Length="twelve"),
    "no last chunk": in_chunks(chunk(GOOD)),
    "chunk size a word": in_chunks(b"zz\r\n" + GOOD + b"\r\n0\r\n\r\n"),
    "chunk size negative": in_chunks(b"-5\r\n" + GOOD + b"\r\n0\r\n\r\n"),
    "chunk size huge": in_chunks(b"f" * 18 + b"\r\n" + GOOD),
    "chunk too small": in_chunks(b"5\r\n" + GOOD + b"\r\n0\r\n\r\n"),
    "chunked, it says": http(GOOD, Transfer_Encoding="chunked"),
    "coding unknown": http(GOOD, Transfer_Encoding="sleight-of-hand"),
    "header of 1 MiB": http(GOOD, X_Long="x" * (1 << 20)),
    "headers of 1 MB": http(GOOD, **{f"X_{i}": "x" * 1000
                                     for i in range(1000)}),
    "zero byte": http(GOOD, X_Zero="a\0b"),
    "redirect": http(GOOD, "302 Found", Location="http://127.0.0.1:1/"),
    "no content": http(GOOD, "204 No Content", Content_Length=None),
    "status 999": http(GOOD, "999 Odd"),
    "HTTP/9.9": b"HTTP/9.9 200 OK\r\n\r\n" + GOOD,
    "HTTP/0.9": b"HTTP/0.9\r\n\r\n" + GOOD,
    "FTP": b"220 ftp.example.org ready\r\n",
    "TLS": b"\x16\x03\x01\x02\x00" + bytes(512),
    "empty lines": b"\r\n\r\n",
}


@pytest.mark.parametrize("wire", FRAMES.values(), ids=FRAMES)
def test_broken_framing(daemon, anklume, wire):
    daemon.on(SNAPSHOTS, lambda x: (x.send(wire), x.hang_up()))
    result = anklume(*LIST)
    print(result)
    assert result.status == 1, result
    assert result.out == ""
    assert len(result.err) < 3000


def test_both_lengths_and_chunks_are_read_as_chunks(daemon, anklume):
    daemon.on(SNAPSHOTS, http(chunk(GOOD) + LAST_CHUNK, Content_Length=3,
                              Transfer_Encoding="chunked"))
    assert anklume(*LIST).status == 0


def test_a_hundred_interim_answers_come_first(daemon, anklume):
    daemon.on(SNAPSHOTS,
              b"HTTP/1.1 102 Processing\r\n\r\n" * 100 + sync([]))
    assert anklume(*LIST).status == 0


def test_a_storm_of_interim_answers_ends(daemon, anklume):
    def storm(x):
        x.over = True
        while True:
            x.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
    daemon.on(SNAPSHOTS, storm)
    result = anklume(*LIST, "--timeout", "1")
    assert result.status in (1, 9), result


@pytest.mark.parametrize("body", [
    b"", b"null", b"[]", b"7", b'"text"', b"{", b'{"metadata":', b"\xff\xfe",
    b"<html><body>502 Bad Gateway</body></html>", b"\0" * 100,
    b'{"metadata":[]} trailing', b'{"metadata":[1e999]}',
    b'{"metadata":[],"metadata":["x"]}', b"[" * 100000,
    b'{"a":' * 100000, b'{"metadata":["\\ud800"]}',
    b'{"metadata":["\\u0000"]}', b'{"metadata":["\xc3"]}',
], ids=lambda body: body[:30].decode("latin-1").encode(
    "unicode_escape").decode())
def test_a_body_that_is_no_envelope(daemon, anklume, body):
    daemon.on(SNAPSHOTS, http(body))
    result = anklume(*LIST)
    assert result.status == 1, result
    assert result.out == ""


def test_an_answer_of_20_mib_is_refused(daemon, anklume):
    daemon.on(SNAPSHOTS, lambda x: (x.send(sync(["x" * (20 << 20)])),
                                    x.hang_up()))
    result = anklume(*LIST)
    assert result.status == 1, result
    assert "larger than" in result.err


def leaves(value, path=()):
    """The places inside a JSON value, itself included."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from leaves(value[key], path + (key,))
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from leaves(item, path + (i,))


def replaced(value, path, other):
    if not path:
        return other
    value = copy.deepcopy(value)
    inner = value
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = other
    return value


# A request of `backup create`, and whether its answers are spooled ones.
ASKED = [(NAMES, True), ("GET /1.0/instances/web", True),
         ("GET /1.0/projects/default", True), ("GET /1.0", True),
         (EXPORT, False), (LOOK, False),
         ("DELETE /1.0/instances/web/backups/EXPORT", False)]


@pytest.mark.parametrize("words, direct", ASKED)
@pytest.mark.parametrize("other", [None, 7, "x", [], {}, [None], {"a": None}],
                         ids=json.dumps)
def test_a_value_of_the_wrong_type_anywhere(daemon, anklume, words, direct,
                                            other):
    daemon.direct = direct
    wires = []
    daemon.on_wire(words, lambda wire: wires.append(wire) or wire)
    assert anklume(*BACKUP).status == 0
    head, _, body = wires[0].partition(b"\r\n\r\n")
    envelope = json.loads(body)
    for path in leaves(envelope):
        bad = json.dumps(replaced(envelope, path, other)).encode()
        daemon.on(words, http(bad, head.decode().split(" ", 1)[1]
                              .split("\r\n")[0]))
        result = anklume(*BACKUP, "--force")
        assert result.status in (0, 1, 4, 5, 6, 7), (path, result)
