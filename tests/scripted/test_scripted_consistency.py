"""An instance that is frozen for its backup runs again, whatever happens."""

import json
import os
import pathlib
import signal

import pytest

from backups import wait_for
from scripted import chunk, error, failed, http

BACKUP = ("backup", "create", "web", "-o", "out", "--compression", "none")
FREEZE = (*BACKUP, "--consistency", "freeze")
EXPORT = "POST /1.0/instances/web/backups"
STATE = "PUT /1.0/instances/web/state"
WAIT = "GET /1.0/operations/ID/wait"

SHRUNK = "to tarball: Failed to write tar header: archive/tar: missed " \
    "writing 100 bytes"
VANISHED = "Error adding \"/x\" as \"backup/x\" to tarball: Failed to open " \
    "file \"/x\": open /x: no such file or directory"


@pytest.fixture
def spooling(daemon):
    daemon.direct = False
    return daemon


def manifest_of(anklume):
    path, = (anklume.home / "out").glob("*.json")
    return json.loads(path.read_text())


def ends_badly(daemon, text, times=1):
    """The next direct exports are cut, and an operation says why."""
    left = [times]

    def bent(x):
        x.body()
        left[0] -= 1
        if left[0] == 0:
            del daemon.bent[EXPORT]
        number = f"00000000-0000-0000-0000-00000000000{left[0]}"
        daemon.operations[number] = dict(
            failed(text), id=number, kind="backup",
            description="Backing up instance",
            created_at=f"2026-11-22T10:00:0{9 - left[0]}Z",
            resources={"instances": ["/1.0/instances/web"]})
        x.send(http(chunk(daemon.tar[:4096]), Content_Length=None,
                    kind="application/octet-stream",
                    Transfer_Encoding="chunked"))
        x.hang_up()
    daemon.on(EXPORT, bent)


def fails_once(spooling, text):
    """The next export into the spool fails."""
    def bent(x):
        spooling.verdicts["backup"] = failed(text)
        spooling._ordinary(x)
        del spooling.verdicts["backup"], spooling.bent[EXPORT]
    spooling.on(EXPORT, bent)


def hold(daemon):
    """A direct export that stops half-way."""
    def bent(x):
        x.body()
        x.send(http(chunk(daemon.tar[:4096]), Content_Length=None,
                    kind="application/octet-stream",
                    Transfer_Encoding="chunked"))
        x.hold()
    daemon.on(EXPORT, bent)


def guard_of(process):
    """The child in a session of its own."""
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[1] == str(process.pid) and fields[3] == path.parent.name:
            return int(path.parent.name)
    return None


def wait_for_end_of(guard):
    """It outlives its run, but not its work."""
    wait_for(lambda: not pathlib.Path(f"/proc/{guard}").exists(), "an end")


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "spooled"])
def test_frozen_while_it_is_read(daemon, anklume, direct):
    daemon.direct = direct
    seen = []

    def look(x):
        seen.append(daemon.statuses.get("web"))
        daemon._ordinary(x)
    daemon.on(EXPORT, look)
    made = anklume(*FREEZE)
    assert made.status == 0, made
    assert seen == ["Frozen"]
    assert daemon.actions == ["freeze", "unfreeze"]
    assert "was frozen for" in made.err
    manifest = manifest_of(anklume)
    assert manifest["consistency"] == "frozen"
    assert 0 <= manifest["frozen_ms"] < 30_000
    assert not [w for w in manifest["warnings"] if "could change" in w]


def test_a_spooled_export_is_thawed_before_it_is_fetched(spooling, anklume):
    """It stands still for the daemon's reading, not for ours."""
    def slowly(x):
        wire = http(spooling.tar, kind="application/octet-stream")
        x.send(wire[:4000])
        spooling.wait_until(lambda: "unfreeze" in spooling.actions)
        x.send(wire[4000:])
    spooling.on("GET /1.0/instances/web/backups/EXPORT/export", slowly)
    assert anklume(*FREEZE).status == 0
    assert spooling.actions == ["freeze", "unfreeze"]


@pytest.mark.parametrize("words", [SHRUNK, VANISHED],
                         ids=["shrunk", "vanished"])
@pytest.mark.parametrize("direct", [True, False], ids=["direct", "spooled"])
def test_a_file_that_changed(daemon, anklume, direct, words):
    daemon.direct = direct
    (ends_badly if direct else fails_once)(daemon, words)
    made = anklume(*BACKUP)
    assert made.status == 0, made
    assert daemon.actions == ["freeze", "unfreeze"]
    assert daemon.asked.count(EXPORT) == 2
    assert daemon.asked.index(STATE) > daemon.asked.index(EXPORT)
    assert "once more" in made.err and words.split("\"")[0] in made.err
    assert manifest_of(anklume)["consistency"] == "frozen"


def test_only_once(daemon, anklume):
    ends_badly(daemon, SHRUNK, 2)
    result = anklume(*BACKUP)
    assert result.status != 0, result
    assert daemon.asked.count(EXPORT) == 2
    assert daemon.actions == ["freeze", "unfreeze"]
    assert anklume.leftovers == []


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "spooled"])
def test_live_never_freezes(daemon, anklume, direct):
    daemon.direct = direct
    (ends_badly if direct else fails_once)(daemon, SHRUNK)
    result = anklume(*BACKUP, "--consistency", "live")
    assert result.status == 1, result
    assert "missed writing 100 bytes" in result.err
    assert "--consistency freeze" in result.err
    assert daemon.actions == []


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "spooled"])
def test_another_failure_is_not_a_change(daemon, anklume, direct):
    daemon.direct = direct
    (ends_badly if direct else fails_once)(daemon, "disk on fire")
    result = anklume(*BACKUP)
    assert result.status in (1, 5), result
    assert daemon.asked.count(EXPORT) == 1
    assert daemon.actions == []


def test_what_was_written_out_cannot_be_taken_back(daemon, anklume):
    ends_badly(daemon, SHRUNK)
    result = anklume("backup", "create", "web", "-o", "-")
    assert result.status == 1, result
    assert "missed writing" in result.err
    assert daemon.actions == []


def test_a_spool_may_fail_before_anything_is_written_out(spooling, anklume):
    fails_once(spooling, SHRUNK)
    result = anklume("backup", "create", "web", "-o", "-",
                     "--compression", "none")
    assert result.raw == spooling.tar
    assert spooling.actions == ["freeze", "unfreeze"]


@pytest.mark.parametrize("how", ["auto", "live", "freeze"])
@pytest.mark.parametrize("status, expected", [
    ("Stopped", "stopped"), ("Frozen", "frozen")])
def test_what_does_not_run_is_left_alone(daemon, anklume, status, expected,
                                         how):
    daemon.statuses["web"] = status
    assert anklume(*BACKUP, "--consistency", how).status == 0
    manifest = manifest_of(anklume)
    assert manifest["consistency"] == expected
    assert manifest["frozen_ms"] == 0
    assert daemon.actions == []
    assert daemon.statuses["web"] == status


def test_frozen_by_somebody_who_thaws_it_meanwhile(daemon, anklume):
    daemon.statuses["web"] = "Frozen"

    def thaw(x):
        del daemon.statuses["web"]
        daemon._ordinary(x)
    daemon.on(EXPORT, thaw)
    assert anklume(*FREEZE).status == 0
    assert manifest_of(anklume)["consistency"] == "live"


def test_frozen_by_somebody_at_the_last_moment(daemon, anklume):
    def frozen(x):
        daemon.statuses["web"] = "Frozen"
        x.body()
        x.send(error("The container is already frozen", 400))
    daemon.on(STATE, frozen)
    assert anklume(*FREEZE).status == 0
    assert manifest_of(anklume)["consistency"] == "frozen"
    assert daemon.statuses == {"web": "Frozen"}


def test_a_freeze_that_is_refused(daemon, anklume):
    daemon.on(STATE, error("not allowed", 403))
    result = anklume(*FREEZE)
    assert result.status == 4, result
    assert EXPORT not in daemon.asked
    assert anklume.leftovers == []


def test_thawed_by_somebody_before_its_end(daemon, anklume):
    def thaw(x):
        del daemon.statuses["web"]
        daemon._ordinary(x)
    daemon.on(EXPORT, thaw)
    result = anklume(*FREEZE)
    assert result.status == 1, result
    assert "thawed by somebody else" in result.err
    assert anklume.leftovers == []


def test_a_limit_that_passes(daemon, anklume):
    def late(x):
        daemon.wait_until(lambda: "unfreeze" in daemon.actions)
        daemon._ordinary(x)
    daemon.on(EXPORT, late)
    result = anklume(*FREEZE, "--freeze-limit", "1")
    assert result.status == 1, result
    assert "after 1 s" in result.err and "--freeze-limit" in result.err
    assert anklume.leftovers == []


def test_a_daemon_that_is_away_when_it_should_thaw(daemon, anklume):
    tries = []

    def away(x):
        tries.append(x)
        if len(tries) == 1:
            daemon._ordinary(x)
            return
        if len(tries) == 4:
            del daemon.bent[STATE]
        x.hang_up()
    daemon.on(STATE, away)
    result = anklume(*FREEZE)
    assert result.status == 0, result
    assert len(tries) == 4
    assert daemon.statuses == {}


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "spooled"])
def test_killed_while_it_is_frozen(daemon, anklume, direct):
    daemon.direct = direct
    if direct:
        hold(daemon)
    else:
        daemon.verdicts["backup"] = {"status": "Running", "status_code": 103,
                                     "err": ""}
    process = anklume.start(*FREEZE)
    daemon.wait_for(EXPORT)
    assert daemon.statuses == {"web": "Frozen"}
    guard = guard_of(process)
    process.kill()
    process.communicate()
    wait_for_end_of(guard)
    daemon.finish("backup")
    assert daemon.statuses == {}


def test_killed_while_it_freezes(daemon, anklume):
    guards = []

    def kill(x):
        guards.append(guard_of(process))
        daemon._ordinary(x)
        anklume.kill(signal.SIGKILL)
    daemon.on(STATE, lambda x: (daemon.bent.pop(STATE), kill(x)))
    process = anklume.start(*FREEZE)
    process.communicate()
    wait_for_end_of(guards[0])
    assert daemon.actions == ["freeze", "unfreeze"]
    assert daemon.statuses == {}


@pytest.mark.parametrize("number, status", [
    (signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_interrupted_while_it_is_frozen(daemon, anklume, number, status):
    hold(daemon)
    process = anklume.start(*FREEZE)
    daemon.wait_for(EXPORT)
    guard = guard_of(process)
    # A terminal's signal goes to the whole group; the guard is not in it.
    os.kill(guard, number)
    anklume.kill(number)
    result = anklume.end(process)
    assert result.status == status, result
    assert daemon.actions == ["freeze", "unfreeze"]
    assert daemon.statuses == {}


def test_interrupted_while_the_daemon_exports(spooling, anklume):
    """The daemon cannot be stopped, but need not keep it frozen."""
    spooling.verdicts["backup"] = {"status": "Running", "status_code": 103,
                                   "err": ""}
    process = anklume.start(*FREEZE)
    spooling.wait_for(EXPORT)
    spooling.wait_until(lambda: spooling.asked.count(WAIT) > 1)
    anklume.kill(signal.SIGINT)
    spooling.wait_until(lambda: "unfreeze" in spooling.actions)
    spooling.finish("backup")
    assert anklume.end(process).status == 130
    assert spooling.backups == set()


def test_the_guard_is_killed(daemon, anklume):
    """What it was there for is done by the run itself."""
    def kill(x):
        os.kill(guard_of(process), signal.SIGKILL)
        daemon._ordinary(x)
    daemon.on(EXPORT, kill)
    process = anklume.start(*FREEZE)
    result = anklume.end(process)
    assert result.status == 1, result
    assert "was killed" in result.err
    assert daemon.statuses == {}
    assert anklume.leftovers == []


@pytest.mark.parametrize("words", [
    ("--consistency", "frozen"), ("--freeze-limit", "0"),
    ("--freeze-limit", "x"), ("--freeze-limit", "604801")])
def test_words_that_mean_nothing(daemon, anklume, words):
    assert anklume(*BACKUP, *words).status == 2
    assert daemon.asked == []
