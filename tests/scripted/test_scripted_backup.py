"""An export that is cut, lies or never ends: no archive appears, and what the
daemon has spooled is deleted."""

import datetime
import gzip
import signal

import pytest

import scripted_tars
from scripted import (LAST_CHUNK, RUNNING, body_of, chunk, error, failed, http,
                      sync)

DIRECT = SPOOL = "POST /1.0/instances/web/backups"
LOOK = "GET /1.0/operations/ID"
OBJECT = "/1.0/instances/web/backups/EXPORT"
FETCH = f"GET {OBJECT}/export"
DELETE = f"DELETE {OBJECT}"

BACKUP = ("backup", "create", "web", "-o", "out", "--compression", "none")


@pytest.fixture
def spooling(daemon):
    """The daemon without direct_backup."""
    daemon.direct = False
    return daemon


def stream(body):
    """A direct export of these bytes, ended well."""
    return http((chunk(body) if body else b"") + LAST_CHUNK,
                kind="application/octet-stream", Content_Length=None,
                Transfer_Encoding="chunked")


def check_nothing(anklume, result, *statuses):
    assert result.status in statuses, result
    assert result.out == "", result
    assert result.err.startswith("anklume: "), result
    assert anklume.leftovers == []


def test_archives_hold_what_the_daemon_sent(daemon, anklume):
    for daemon.direct in (True, False):
        made = anklume(*BACKUP, "--force")
        assert made.status == 0, made
        archive = anklume.home / made.out.strip()
        assert archive.read_bytes() == daemon.tar


def test_exports_expire_by_themselves(spooling, anklume):
    assert anklume(*BACKUP).status == 0
    asked = spooling.bodies[SPOOL]
    expires = datetime.datetime.fromisoformat(asked["expires_at"])
    left = expires - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(hours=23) < left <= datetime.timedelta(hours=24)


# The direct stream.

def test_a_direct_stream_that_is_cut(daemon, anklume):
    wire = stream(daemon.tar)
    end = len(wire) - len(LAST_CHUNK)
    for n in [*range(150, end, end // 20), end, end + 1]:
        daemon.on(DIRECT, lambda x, n=n: (
            x.body(), x.send(wire[:n]), x.hang_up()))
        check_nothing(anklume, anklume(*BACKUP), 1, 5)


def test_a_direct_stream_that_ends_well_between_two_members(daemon, anklume):
    for n in scripted_tars.boundaries(daemon.tar):
        daemon.on(DIRECT, stream(daemon.tar[:n]))
        check_nothing(anklume, anklume(*BACKUP), 5)


def test_a_direct_stream_that_ends_well_anywhere(daemon, anklume):
    end = [*scripted_tars.boundaries(daemon.tar)][-1]
    for n in [*range(1, end, end // 20), end + 511, end + 512, end + 1023]:
        daemon.on(DIRECT, stream(daemon.tar[:n]))
        check_nothing(anklume, anklume(*BACKUP), 5)


BODIES = {
    "error at its end": lambda tar: tar + body_of(error("disk on fire", 500)),
    "error between members": lambda tar: tar[:1024] + body_of(error("no")),
    "another tar behind it": lambda tar: tar + tar,
    "nothing": lambda tar: b"",
    "only zeros": lambda tar: bytes(len(tar)),
    "HTML": lambda tar: b"<html><body>Bad Gateway</body></html>",
    "another instance": lambda tar: scripted_tars.backup("other"),
    "no index": lambda tar: tar[1024:],
}


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "spooled"])
@pytest.mark.parametrize("change", BODIES.values(), ids=BODIES)
def test_an_export_of_something_else(daemon, anklume, change, direct):
    daemon.direct, daemon.tar = direct, change(daemon.tar)
    check_nothing(anklume, anklume(*BACKUP), 5)
    assert daemon.backups == set()


def test_a_direct_export_is_never_compressed(daemon, anklume):
    daemon.tar = gzip.compress(daemon.tar)
    check_nothing(anklume, anklume(*BACKUP), 5)


def test_an_export_whose_padding_never_ends(daemon, anklume):
    def zeros(x):
        x.body()
        x.send(stream(daemon.tar)[:-len(LAST_CHUNK)])
        x.over = True
        while True:
            x.send(chunk(bytes(1 << 20)))
    daemon.on(DIRECT, zeros)
    check_nothing(anklume, anklume(*BACKUP), 5)


@pytest.mark.parametrize("wire, status, words", [
    (error("Project \"p\" doesn't allow for backup creation", 403), 4,
     "doesn't allow for"),
    (error("no space left on device", 500), 13, "no space left"),
    (error("compressor unknown", 400), 1, "compressor"),
    (http(body_of(error("failed in the middle", 500))), 1,
     "failed in the middle"),
    (sync({"id": "x"}), 1, "something else"),
    (http(b"<html>", "502 Bad Gateway", "text/html"), 1, "502"),
    (http(b"", "307 Moved", Location="/1.0"), 1, "307"),
], ids=["forbidden", "full", "bad request", "error inside 200", "no stream",
        "HTML", "redirect"])
def test_a_direct_export_that_is_refused(daemon, anklume, wire, status, words):
    daemon.on(DIRECT, wire)
    result = anklume(*BACKUP)
    check_nothing(anklume, result, status)
    assert words in result.err


def test_a_request_that_got_no_answer_is_not_repeated(spooling, anklume):
    spooling.on(SPOOL, lambda x: (x.body(), x.hang_up()))
    check_nothing(anklume, anklume(*BACKUP), 1)
    assert spooling.asked.count(SPOOL) == 1


# The daemon's words reach the terminal, but not as they are.

@pytest.mark.parametrize("words", [
    "\x1b]52;c;aGVsbG8=\x07 \x1b[2J", "\r\nanklume: all is well",
    "\u202eelif\u2066", "\x9b31m", "\x7f\x08", "\ufeff\u200b"])
def test_an_error_with_escape_sequences(daemon, anklume, words):
    daemon.on(DIRECT, error("bad " + words + " end"))
    result = anklume(*BACKUP)
    check_nothing(anklume, result, 1)
    assert result.err.count("\n") == 1
    assert "bad " in result.err and " end" in result.err


def test_an_error_of_100_kib_is_cut(daemon, anklume):
    daemon.on(DIRECT, error("x" * 102400))
    result = anklume(*BACKUP)
    check_nothing(anklume, result, 1)
    assert 1000 < len(result.err) < 3000
    assert result.err.endswith("...\n")


# The spool.

@pytest.mark.parametrize("verdict, status, words", [
    (failed("tar: disk on fire"), 1, "disk on fire"),
    (failed("write: no space left on device"), 13, "no space left"),
    (failed("", 401), 1, "cancelled"),
    (failed("\x1b[31mred"), 1, "red"),
    (failed(None), 1, ""),
], ids=["failure", "full", "cancelled", "escapes", "no reason"])
def test_an_export_that_fails(spooling, anklume, verdict, status, words):
    spooling.verdicts["backup"] = verdict
    result = anklume(*BACKUP)
    check_nothing(anklume, result, status)
    assert words in result.err
    assert spooling.asked.count(DELETE) == 1
    assert FETCH not in spooling.asked


def forget(spooling):
    """The operation, when it is looked for."""
    spooling.on(LOOK, lambda x: (spooling.bent.pop(LOOK),
                                 spooling._missing(x)))


@pytest.mark.parametrize("answer", [f"GET {OBJECT}", FETCH])
def test_an_export_that_the_daemon_has_forgotten(spooling, anklume, answer):
    forget(spooling)
    spooling.on(answer, error("not found", 404))
    result = anklume(*BACKUP)
    check_nothing(anklume, result, 1)
    assert "restarted" in result.err
    assert spooling.backups == set()


def test_a_daemon_without_a_compressor(spooling, anklume):
    """It looks for one when it begins."""
    tried = []

    def spool(x):
        spooling._ordinary(x)
        tried.append(spooling.bodies[SPOOL]["compression_algorithm"])
        if tried[-1] != "gzip -1":
            spooling.finish("backup", failed(
                'exec: "zstd": executable file not found in $PATH'))
    spooling.on(SPOOL, spool)
    made = anklume(*BACKUP)
    assert made.status == 0, made
    assert tried == ["zstd --fast=10", "zstd -1", "gzip -1"]
    assert spooling.backups == set()


def test_a_daemon_that_takes_no_option_but_a_level(spooling, anklume):
    def refuse(x):
        spooling.bent.pop(SPOOL)
        x.body()
        x.send(error(
            'Compression algorithm argument "--fast=10" isn\'t allowed'))
    spooling.on(SPOOL, refuse)
    made = anklume(*BACKUP)
    assert made.status == 0, made
    assert spooling.bodies[SPOOL]["compression_algorithm"] == "zstd -1"
    assert spooling.backups == set()


# While it grows.

@pytest.fixture
def growing(spooling):
    """An export that runs until all of it is there; a piece more at a look."""
    spooling.verdicts["backup"] = RUNNING

    def grow(x):
        spooling.spooled += spooling.piece
        if spooling.spooled >= len(spooling.tar):
            spooling.finish("backup")
        spooling._ordinary(x)
    spooling.piece = len(spooling.tar) // 5
    spooling.on(LOOK, grow)
    return spooling


def test_an_export_is_read_while_it_grows(growing, anklume):
    begins = []

    def fetch(x):
        begins.append(x.headers.get("range"))
        growing._ordinary(x)
    growing.on(FETCH, fetch)
    made = anklume(*BACKUP)
    assert made.status == 0, made
    assert (anklume.home / made.out.strip()).read_bytes() == growing.tar
    piece = growing.piece
    assert begins == [None, *(f"bytes={i * piece}-" for i in range(1, 5))]
    assert growing.backups == set()


def test_an_export_that_does_not_grow_for_a_while(growing, anklume):
    """Neither at its beginning, nor later."""
    sizes = [0, 0, 700, 700, 700, 1500, 1500, len(growing.tar)]

    def look(x):
        if sizes:
            growing.spooled = sizes.pop(0)
        if not sizes:
            growing.finish("backup")
        growing._ordinary(x)
    growing.on(LOOK, look)
    made = anklume(*BACKUP)
    assert made.status == 0, made
    assert (anklume.home / made.out.strip()).read_bytes() == growing.tar


ELSEWHERE = {
    "all of it again": lambda tar: http(tar, kind="application/octet-stream"),
    "another part": lambda tar: http(
        tar[5:], "206 Partial Content", "application/octet-stream",
        Content_Range=f"bytes 5-{len(tar) - 1}/{len(tar)}"),
    "a part of nothing": lambda tar: http(
        tar[5:], "206 Partial Content", "application/octet-stream"),
}


@pytest.mark.parametrize("answer", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_daemon_that_sends_another_part(growing, anklume, answer):
    def fetch(x):
        if "range" in x.headers:
            x.send(answer(growing.tar))
        else:
            growing._ordinary(x)
    growing.on(FETCH, fetch)
    result = anklume(*BACKUP)
    check_nothing(anklume, result, 1)
    assert "another part" in result.err
    assert growing.backups == set()


def test_an_export_that_fails_half_way(growing, anklume):
    """The daemon takes away what there was, and says why."""
    def look(x):
        growing.spooled += growing.piece
        if growing.spooled > 2 * growing.piece:
            growing.finish("backup", failed("write: no space left on device"))
            growing.on(FETCH, error("not found", 404))
        growing._ordinary(x)
    growing.on(LOOK, look)
    result = anklume(*BACKUP)
    check_nothing(anklume, result, 13)
    assert "no space left" in result.err
    assert "storage.backups_volume" in result.err
    assert growing.backups == set()


def test_a_file_that_goes_before_its_failure_is_known(growing, anklume):
    """Between a look and a fetch."""
    def fetch(x):
        growing.finish("backup", failed("write: no space left on device"))
        growing._missing(x)
    growing.on(FETCH, lambda x: (growing.on(FETCH, fetch),
                                 growing._ordinary(x)))
    check_nothing(anklume, anklume(*BACKUP), 13)


@pytest.mark.parametrize("cut, status", [(0, 0), (6000, 5)])
def test_a_success_that_is_forgotten(spooling, anklume, cut, status):
    """Whoever takes long over a piece comes too late to hear of it: then its
    content counts."""
    spooling.tar = spooling.tar[:len(spooling.tar) - cut]
    forget(spooling)
    made = anklume(*BACKUP)
    assert made.status == status, made
    assert bool(anklume.leftovers) == (status == 0)
    assert spooling.backups == set()


def test_a_reader_that_fails_waits_for_the_daemon(growing, anklume):
    """It cannot be stopped, and what it makes is to be deleted."""
    growing.tar = b"x" * len(growing.tar)
    result = anklume(*BACKUP)
    check_nothing(anklume, result, 5)
    assert "waiting for the daemon" in result.err
    assert growing.backups == set()


def test_an_export_that_does_not_move(spooling, anklume):
    spooling.verdicts["backup"] = RUNNING
    result = anklume(*BACKUP, "--timeout", "1")
    check_nothing(anklume, result, 9)
    assert spooling.backups == set()


def test_an_export_that_moves_may_take_longer_than_the_timeout(
        spooling, anklume):
    spooling.verdicts["backup"] = RUNNING
    looks = []

    def move(x):
        looks.append(x)
        for operation in spooling.operations.values():
            operation["metadata"] = {"create_backup_progress": str(len(looks))}
        if len(looks) == 3:
            spooling.finish("backup")
        spooling._ordinary(x)
    spooling.on(LOOK, move)
    assert anklume(*BACKUP, "--timeout", "1").status == 0


def short(x):
    """An export that is cut, with a length that fits."""
    tar = x.daemon.tar
    x.send(http(tar[:len(tar) // 2], kind="application/octet-stream"))


EXPORTS = {
    "HTML": (http(b"<html>", kind="text/html"), 5),
    "JSON": (sync({}), 1),
    "error inside 200": (http(body_of(error("gone"))), 1),
    "not found": (error("not found", 404), 6),
    "broken": (error("read: input/output error", 500), 1),
    "empty": (http(b"", kind="application/octet-stream"), 5),
    "part of it": (short, 5),
    "length too large": (
        lambda x: (x.send(http(x.daemon.tar, Content_Length=1 << 30,
                               kind="application/octet-stream")),
                   x.hang_up()), 1),
    "length too small": (
        lambda x: (x.send(http(x.daemon.tar, Content_Length=3000,
                               kind="application/octet-stream")),
                   x.hang_up()), 5),
    "hung up": (lambda x: x.hang_up(), 1),
}


@pytest.mark.parametrize("answer, status", EXPORTS.values(), ids=EXPORTS)
def test_a_spooled_export_that_is_not_what_it_should_be(
        spooling, anklume, answer, status):
    spooling.on(FETCH, answer)
    check_nothing(anklume, anklume(*BACKUP), status)
    assert spooling.asked.count(DELETE) == 1


def test_a_spooled_export_that_falls_silent(spooling, anklume):
    spooling.stall(FETCH, 4000)
    check_nothing(anklume, anklume(*BACKUP, "--timeout", "1"), 9)
    assert spooling.asked.count(DELETE) == 1


def test_an_object_that_cannot_be_deleted_is_said(spooling, anklume):
    spooling.on(DELETE, error("database is locked", 500))
    result = anklume(*BACKUP)
    assert result.status == 0, result
    assert "database is locked" in result.err
    assert "expires" in result.err


# Interruptions.

def test_interrupted_while_the_daemon_exports(spooling, anklume):
    spooling.verdicts["backup"] = RUNNING
    process = anklume.start(*BACKUP)
    spooling.wait_for(LOOK)
    anklume.kill(signal.SIGINT)
    spooling.finish("backup")
    check_nothing(anklume, anklume.end(process), 130)
    assert spooling.asked.count(DELETE) == 1


def test_interrupted_before_the_daemon_has_named_the_object(
        spooling, anklume):
    """Until then there is nothing that could be deleted."""
    def late(x):
        anklume.kill(signal.SIGINT)
        early.append(spooling.hears(DELETE, 0.5))
        spooling._ordinary(x)
    early = []
    spooling.on(SPOOL, late)
    process = anklume.start(*BACKUP)
    check_nothing(anklume, anklume.end(process), 130)
    assert early == [False]
    assert spooling.backups == set()


def test_interrupted_while_it_is_fetched(spooling, anklume):
    spooling.stall(FETCH, 4000)
    process = anklume.start(*BACKUP)
    spooling.wait_for(FETCH)
    anklume.kill(signal.SIGINT)
    check_nothing(anklume, anklume.end(process), 130)
    assert spooling.asked.count(DELETE) == 1


def test_interrupted_twice_leaves_at_once(spooling, anklume):
    spooling.verdicts["backup"] = RUNNING
    process = anklume.start(*BACKUP)
    spooling.wait_for(LOOK)
    anklume.kill(signal.SIGINT)
    assert b"waiting for the daemon" in process.stderr.readline()
    anklume.kill(signal.SIGINT)
    assert anklume.end(process).status == 130
    assert anklume.leftovers == []


def test_terminated_inside_a_direct_stream(daemon, anklume):
    def some(x):
        x.body()
        x.send(stream(daemon.tar)[:4096])
        anklume.kill(signal.SIGTERM)
        x.hold()
    daemon.on(DIRECT, some)
    process = anklume.start(*BACKUP)
    check_nothing(anklume, anklume.end(process), 143)
