"""Several exports at once: as many as --jobs says, and no more."""

import json
import threading

import pytest

import scripted_tars
from scripted import LAST_CHUNK, chunk, error, http

NAMES = ("one", "three", "two")
DEADLINE_S = 60


@pytest.fixture
def three(daemon):
    """Three instances, whose exports leave a trail of what happened when."""
    daemon.instances = {name: "default" for name in NAMES}
    daemon.seen = []
    return daemon


def export(daemon, name, before_the_end=lambda: None):
    """A direct export."""
    def give(x):
        x.body()
        daemon.seen.append(f"begin {name}")
        x.send(http(chunk(scripted_tars.backup(name)), Content_Length=None,
                    kind="application/octet-stream",
                    Transfer_Encoding="chunked"))
        before_the_end()
        daemon.seen.append(f"end {name}")
        x.send(LAST_CHUNK)
    daemon.on(f"POST /1.0/instances/{name}/backups", give)


def run(anklume, jobs, status=0):
    done = anklume("--json", "backup", "create", "*", "-o", "out",
                   "--jobs", jobs)
    assert done.status == status, done
    return json.loads(done.out)


def test_one_at_a_time(three, anklume):
    """The next begins when the daemon has nothing more to give."""
    for name in NAMES:
        export(three, name)
    assert len(run(anklume, 1)["backups"]) == 3
    assert three.seen == [f"{what} {name}" for name in NAMES
                          for what in ("begin", "end")]


def test_two_at_a_time(three, anklume):
    """None of the first two ends before both have begun; the third has to
    wait."""
    both = threading.Barrier(2)
    for name in NAMES:
        export(three, name, (lambda: None) if name == "two"
               else lambda: both.wait(DEADLINE_S))
    run(anklume, 2)
    assert sorted(three.seen[:2]) == ["begin one", "begin three"]
    assert three.seen.index("begin two") > min(
        three.seen.index("end one"), three.seen.index("end three"))


def test_one_that_fails_holds_nobody_up(three, anklume):
    for name in NAMES:
        export(three, name)
    three.on("POST /1.0/instances/three/backups", error("no such luck", 500))
    told = run(anklume, 1, status=3)
    assert [one["status"] != 0 for one in told["backups"]] == [
        False, True, False]
