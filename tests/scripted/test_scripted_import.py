"""The daemon refuses, cuts or loses an upload; and it never sees the last chunk
of an archive that is not whole."""

import gzip
import hashlib
import json
import signal

import pytest

import scripted_tars
from scripted import RUNNING, body_of, error, failed, http

POST = "POST /1.0/instances"
WAIT = "GET /1.0/operations/ID/wait"
DELETE = "DELETE /1.0/instances/again"

RESTORE = ("backup", "restore", "--project", "default", "--name", "again",
           "--file", "a.tar")

LARGE = 32 << 20


@pytest.fixture
def archive(anklume):
    """Writes the archive that is restored."""
    return (anklume.home / "a.tar").write_bytes


def check_nothing(daemon, result, *statuses):
    assert result.status in statuses, result
    assert result.out == "", result
    assert result.err.startswith("anklume: "), result
    assert "again" not in daemon.instances


def test_a_whole_archive_arrives_whole(daemon, anklume, archive):
    tar = scripted_tars.backup("web", 1 << 20)
    for data in (tar, gzip.compress(tar)):
        archive(data)
        assert anklume(*RESTORE).status == 0
        upload = daemon.uploads.pop()
        assert upload.whole and upload.body_bytes == len(tar)
        del daemon.instances["again"]


# Damaged archives: the last chunk is withheld.

def cut_between_members(tar):
    return tar[:[*scripted_tars.boundaries(tar)][-2]]


def flip(data, where):
    return data[:where] + bytes([data[where] ^ 0x10]) + data[where + 1:]


DAMAGES = {
    "cut between members": cut_between_members,
    "cut behind the last member":
        lambda tar: tar[:[*scripted_tars.boundaries(tar)][-1]],
    "one end block": lambda tar:
        tar[:[*scripted_tars.boundaries(tar)][-1] + 512],
    "cut inside a member": lambda tar: tar[:len(tar) // 2],
    "data behind the end": lambda tar: tar + b"x",
    "another tar behind it": lambda tar: tar + tar,
    "gzip without trailer": lambda tar: gzip.compress(tar)[:-8],
    "gzip cut": lambda tar: gzip.compress(tar)[:-100],
    "gzip with a wrong sum": lambda tar: flip(gzip.compress(tar), -6),
    "gzip with a tail": lambda tar: gzip.compress(tar) + b"x",
    "gzip of a cut tar": lambda tar: gzip.compress(cut_between_members(tar)),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_archive_never_becomes_a_whole_upload(
        daemon, anklume, archive, damage):
    archive(damage(scripted_tars.backup("web", 300000)))
    check_nothing(daemon, anklume(*RESTORE), 5)
    assert [x.whole for x in daemon.uploads] in ([], [False])


def test_an_archive_cut_anywhere_never_becomes_a_whole_upload(
        daemon, anklume, archive):
    tar = scripted_tars.backup("web")
    end = [*scripted_tars.boundaries(tar)][-1]
    for n in [*range(0, end, end // 30), end + 1023]:
        archive(tar[:n])
        check_nothing(daemon, anklume(*RESTORE), 5)
    assert not any(x.whole for x in daemon.uploads)


def test_a_pipe_that_ends_early_never_becomes_a_whole_upload(daemon, anklume):
    tar = cut_between_members(scripted_tars.backup("web", 300000))
    result = anklume(*RESTORE[:-1], "-", stdin=tar)
    check_nothing(daemon, result, 5)
    assert [x.whole for x in daemon.uploads] == [False]


def test_an_archive_that_is_not_its_manifest_s(daemon, anklume, archive):
    tar = scripted_tars.backup("web", 300000)
    archive(flip(tar, -200000))
    (anklume.home / "a.tar.json").write_text(json.dumps({
        "format": 1, "instance": "web", "entries": 6,
        "size_bytes": len(tar),
        "tar_size_bytes": len(tar),
        "sha256": hashlib.sha256(tar).hexdigest()}))
    check_nothing(daemon, anklume(*RESTORE), 5)
    assert [x.whole for x in daemon.uploads] == [False]


# Refusals.

REFUSALS = [
    (400, "unsupported compression", 1),
    (403, "project is over its limit", 4),
    (409, "instance already exists", 8),
    (500, "write: no space left on device", 13),
    (500, "disk on fire", 1),
]


@pytest.mark.parametrize("code, text, status", REFUSALS)
def test_refused_after_the_body(daemon, anklume, archive, code, text, status):
    archive(scripted_tars.backup("web"))
    daemon.on(POST, error(text, code))
    result = anklume(*RESTORE)
    check_nothing(daemon, result, status)
    assert text in result.err


@pytest.mark.parametrize("code, text, status", REFUSALS)
def test_refused_in_the_middle_of_the_body(daemon, anklume, archive, code,
                                           text, status):
    def refuse(x):
        daemon.uploads.append(x)
        pieces = x.pieces()
        while x.body_bytes < 1 << 20:
            next(pieces)
        x.send(error(text, code))
        for _ in pieces:
            pass
        x.hang_up()
    archive(scripted_tars.backup("web", LARGE))
    daemon.on(POST, refuse)
    result = anklume(*RESTORE)
    check_nothing(daemon, result, status)
    assert text in result.err
    assert not daemon.uploads[0].whole
    assert daemon.uploads[0].body_bytes < LARGE // 2


def test_refused_by_a_daemon_that_hangs_up_at_once(daemon, anklume, archive):
    def refuse(x):
        next(x.pieces())
        x.send(error("project is over its limit", 403))
        x.hang_up()
    archive(scripted_tars.backup("web", LARGE))
    daemon.on(POST, refuse)
    result = anklume(*RESTORE)
    check_nothing(daemon, result, 4)
    assert "over its limit" in result.err


def test_an_error_inside_a_success(daemon, anklume, archive):
    archive(scripted_tars.backup("web"))
    daemon.on(POST, http(body_of(error("disk on fire", 500))))
    result = anklume(*RESTORE)
    check_nothing(daemon, result, 1)
    assert "disk on fire" in result.err


def test_a_connection_cut_inside_the_upload(daemon, anklume, archive):
    archive(scripted_tars.backup("web", LARGE))
    daemon.on(POST, lambda x: (next(x.pieces()), x.hang_up()))
    check_nothing(daemon, anklume(*RESTORE), 1)


def test_a_connection_cut_behind_the_upload(daemon, anklume, archive):
    archive(scripted_tars.backup("web"))
    daemon.on(POST, lambda x: (daemon.uploads.append(x), x.body(),
                               x.hang_up()))
    check_nothing(daemon, anklume(*RESTORE), 1)
    assert len(daemon.uploads) == 1


@pytest.mark.parametrize("whole", [False, True], ids=["inside", "behind"])
def test_a_daemon_that_takes_no_more(daemon, anklume, archive, whole):
    def stop(x):
        if whole:
            x.body()
        anklume.wait()
        x.hang_up()
    archive(scripted_tars.backup("web", 0 if whole else LARGE))
    daemon.on(POST, stop)
    process = anklume.start(*RESTORE, "--timeout", "1")
    result = anklume.end(process)
    check_nothing(daemon, result, 9)


# What follows the upload.

@pytest.mark.parametrize("verdict, status", [
    (failed("Failed loading profiles"), 1),
    (failed("write: no space left on device"), 13),
    (failed("Instance \"again\" already exists"), 8),
    (failed("", 401), 1),
])
def test_an_import_that_fails_after_the_upload(daemon, anklume, archive,
                                               verdict, status):
    archive(scripted_tars.backup("web"))
    daemon.verdicts["import"] = verdict
    result = anklume(*RESTORE)
    check_nothing(daemon, result, status)
    assert verdict["err"] in result.err


def test_interrupted_inside_the_upload(daemon, anklume, archive):
    def interrupt(x):
        daemon.uploads.append(x)
        pieces = x.pieces()
        next(pieces)
        anklume.kill(signal.SIGINT)
        for _ in pieces:
            pass
        x.hang_up()
    archive(scripted_tars.backup("web", LARGE))
    daemon.on(POST, interrupt)
    process = anklume.start(*RESTORE)
    check_nothing(daemon, anklume.end(process), 130)
    assert not daemon.uploads[0].whole


def test_interrupted_while_the_daemon_imports(daemon, anklume, archive):
    archive(scripted_tars.backup("web"))
    daemon.verdicts["import"] = RUNNING
    process = anklume.start(*RESTORE)
    daemon.wait_for(WAIT)
    anklume.kill(signal.SIGINT)
    daemon.finish("import")
    check_nothing(daemon, anklume.end(process), 130)
    assert DELETE in daemon.asked


def test_interrupted_between_the_last_chunk_and_the_answer(
        daemon, anklume, archive):
    def interrupt(x):
        x.body()
        anklume.kill(signal.SIGINT)
        daemon.instances["again"] = "default"
        daemon.start(x, "import", {})
    archive(scripted_tars.backup("web"))
    daemon.on(POST, interrupt)
    process = anklume.start(*RESTORE)
    check_nothing(daemon, anklume.end(process), 130)
