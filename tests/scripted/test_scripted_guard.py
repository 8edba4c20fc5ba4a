"""Archives made to harm the daemon, or the host: none reaches it as a whole. And
those that only look strange: each does."""

import pytest

from benign import BENIGN
from hostile import HOSTILE

RESTORE = ("backup", "restore", "--project", "default", "--name", "again",
           "--file", "a.tar")

# Hundreds of runs of which one is like the other in what it might leak: the
# unit tests look for that, and the last test here.
QUICKLY = "detect_leaks=0:abort_on_error=0"


def families():
    """What is before the colon in a name; one daemon serves them all."""
    found = {}
    for name in HOSTILE:
        head, colon, _ = name.partition(":")
        found.setdefault(head if colon else "single ones", []).append(name)
    return found


def test_the_corpus_is_as_large_as_it_should_be():
    assert len(HOSTILE) >= 330 and len(BENIGN) >= 70


@pytest.mark.parametrize("family", families())
def test_hostile_archives_are_refused(daemon, anklume, family):
    anklume.environment["ASAN_OPTIONS"] = QUICKLY
    came_in = {}
    for name in families()[family]:
        (anklume.home / "a.tar").write_bytes(HOSTILE[name]())
        result = anklume(*RESTORE)
        if result.status not in (5, 14) or "again" in daemon.instances:
            came_in[name] = result
    assert came_in == {}
    assert not any(one.whole for one in daemon.uploads)


def test_benign_archives_come_through(daemon, anklume):
    anklume.environment["ASAN_OPTIONS"] = QUICKLY
    refused = {}
    for name, make in BENIGN.items():
        (anklume.home / "a.tar").write_bytes(make())
        result = anklume(*RESTORE)
        if result.status != 0 or not daemon.uploads.pop().whole:
            refused[name] = result
        daemon.instances.pop("again", None)
    assert refused == {}
    assert daemon.uploads == []


def test_verify_finds_the_same(anklume):
    for name, make in (("hostile", HOSTILE["below: a symlink"]),
                       ("benign", BENIGN["two snapshots"])):
        (anklume.home / "a.tar").write_bytes(make())
        result = anklume("backup", "verify", "--level", "content", "a.tar")
        assert result.status == (0 if name == "benign" else 14), result
