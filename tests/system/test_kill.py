"""A kill at any moment leaves the old state or the new one; an interruption
leaves the old one, and nothing behind.
"""

import json
import os
import random
import re
import signal
import subprocess
import time

import pytest

import midway
from backups import (RECORD, Backup, create, leaves_nothing, members_of,
                     restore, sha256_of, wait_idle)
from places import leftovers
from remains import expires_within_two_days, exports_left, forget_exports

RUNS = 50
SEED = 20_261_124

SILENT = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

SIGNALS = pytest.mark.parametrize("number, status", [
    (signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"])


def timed(work):
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def moments(whole_run):
    """Random moments, some from each fiftieth of a run, in random order."""
    took = min(timed(whole_run) for _ in range(3))
    print(f"seed {SEED}, a whole run takes {took:.3f} s")
    chance = random.Random(SEED)
    found = [(i + chance.random()) / RUNS * took for i in range(RUNS)]
    chance.shuffle(found)
    return found


def kill_after(process, seconds):
    """True if it was killed; it may have been faster."""
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(60)
        return True


@pytest.fixture
def box(make_box):
    """A box with a few megabytes in a known number of files."""
    made = make_box(project="work", start=False)
    place = made.inner("/srv/load")
    place.mkdir(parents=True)
    for i in range(40):
        (place / f"file-{i}").write_bytes(os.urandom(100_000))
    return made


def contents(root):
    return {path.relative_to(root): sha256_of(path.read_bytes())
            for path in root.rglob("*") if path.is_file()
            and not path.is_symlink()}


# kill -9 ------------------------------------------------------------------

def check_archives(place, members):
    """A final name stands for a whole archive; no other name is there."""
    names = set(os.listdir(place))
    archives = {name for name in names if name.endswith(".tar.gz")}
    assert names <= archives | {f"{name}.json" for name in archives}
    for name in archives:
        made = Backup(place / name)
        assert members_of(made.path) == members
        if made.manifest_path.exists():
            assert made.manifest["sha256"] == sha256_of(
                made.path.read_bytes())
    for entry in RECORD.iterdir():
        json.loads(entry.read_text())


@pytest.mark.parametrize("daemon", ["6"], indirect=True)
def test_a_killed_backup(daemon, box, tmp_path):
    """On the daemon that spools."""
    first = create(daemon, box, tmp_path / "first")
    members = members_of(first.path)
    killed = 0
    try:
        with midway.create(daemon, box) as child:
            child.kill()
        for i, moment in enumerate(moments(
                lambda: create(daemon, box, tmp_path / "more", "--force"))):
            place = tmp_path / str(i)
            killed += kill_after(
                daemon.spawn("backup", "create", str(box), "-o", place,
                             **SILENT), moment)
            if place.exists():
                check_archives(place, members)
        print(f"{killed} of {RUNS} were killed")
        assert killed
        left = exports_left(daemon, box.name, box.project)
        assert left
        assert all(map(expires_within_two_days, left))
        again = create(daemon, box, tmp_path / "again")
        assert members_of(again.path) == members
    finally:
        forget_exports(daemon, box.name, box.project)


def present(daemon):
    """The names of the instances in project work."""
    return {url.rpartition("/")[2].partition("?")[0]
            for url in daemon.get("/1.0/instances?project=work")}


@pytest.mark.parametrize("daemon", ["7"], indirect=True)
def test_a_killed_restore(daemon, box, tmp_path, new_name):
    """An instance that came to be is whole."""
    made = create(daemon, box, tmp_path)
    before = contents(box.inner("/"))

    def instance(name):
        return type(box)(daemon, name, box.project, box.pool)

    def whole_run():
        name = new_name()
        assert restore(daemon, made, "--name", name).status == 0
        instance(name).delete()

    with leaves_nothing(daemon):
        killed, names = 0, []
        for moment in moments(whole_run):
            names.append(new_name())
            killed += kill_after(
                daemon.spawn("backup", "restore", made.path, "--name",
                             names[-1], **SILENT), moment)
        print(f"{killed} of {RUNS} were killed")
        assert killed
        again = next(name for name in names if name not in present(daemon))
        done = restore(daemon, made, "--name", again)
        assert done.status == 0, done

        # By now what the last one has set going shows, too.
        wait_idle(daemon, 60)
        for name in present(daemon) & set(names):
            assert contents(instance(name).inner("/")) == before
            instance(name).delete()


PART = re.compile(r"\.anklume-[0-9a-f]{32}\.part")


@pytest.mark.parametrize("daemon", ["7"], indirect=True)
def test_a_killed_copy(daemon, here, there):
    """The file that was there, or the new one; parts are hidden, and as long
    as they are parts nobody but their owner can read them."""
    new = os.urandom(6 << 20)
    here.write("a", new)
    killed, parts = 0, set()
    with midway.copy(daemon, there, "a") as child:
        parts |= set(leftovers(there.files))
        child.kill()

    def arguments():
        return ("portal", "copy", here.at("a"), there.at("a"))

    for moment in moments(lambda: daemon.anklume(*arguments())):
        there.write("a", b"old")
        killed += kill_after(daemon.spawn(*arguments(), **SILENT), moment)
        assert there.read("a") in (b"old", new)
        parts |= set(leftovers(there.files))
    print(f"{killed} of {RUNS} were killed")
    assert killed
    assert all(PART.fullmatch(part.name) for part in parts)
    assert all(part.stat().st_mode & 0o077 == 0 for part in parts
               if part.exists() and 0 < part.stat().st_size < len(new))

    done = daemon.anklume(*arguments())
    assert done.status == 0, done
    assert there.read("a") == new
    assert {path.name for path in there.files.iterdir()} - {"a"} <= {
        part.name for part in parts}
    for part in leftovers(there.files):
        part.unlink()


@pytest.mark.parametrize("daemon", ["7"], indirect=True)
def test_a_killed_copy_to_this_side(daemon, here, tmp_path):
    """There a file has no name until it is whole: nothing is left."""
    new = os.urandom(6 << 20)
    here.write("a", new)

    def arguments():
        return ("portal", "copy", here.at("a"), tmp_path / "a")

    for moment in moments(lambda: daemon.anklume(*arguments()))[::5]:
        (tmp_path / "a").unlink(missing_ok=True)
        kill_after(daemon.spawn(*arguments(), **SILENT), moment)
        assert os.listdir(tmp_path) in ([], ["a"])
        if (tmp_path / "a").exists():
            assert (tmp_path / "a").read_bytes() == new


# Interruptions ------------------------------------------------------------

def interrupt(process, number):
    process.send_signal(number)
    return midway.end_of(process)


@SIGNALS
@pytest.mark.parametrize("key", [[], ["--gpg", "tests@example.org"]],
                         ids=["plain", "gpg"])
def test_an_interrupted_backup(daemon, gpg_home, key, number, status):
    env = {"GNUPGHOME": str(gpg_home)}
    with leaves_nothing(daemon):
        with midway.create(daemon, "home/web", *key, env=env) as child:
            got, err = interrupt(child, number)
        assert got == status, err
        assert err.count("\n") == 1, err


@SIGNALS
@pytest.mark.parametrize("key", [[], ["--gpg", "tests@example.org"]],
                         ids=["plain", "gpg"])
def test_an_interrupted_restore(daemon, gpg_home, tmp_path, new_name, key,
                                number, status):
    env = {"GNUPGHOME": str(gpg_home)}
    made = create(daemon, "home/web", tmp_path, "--compression", "none", *key,
                  env=env)
    with leaves_nothing(daemon):
        with midway.restore(daemon, made.path.read_bytes(), "--project",
                            "work", "--name", new_name(), env=env) as child:
            got, err = interrupt(child, number)
        assert got == status, err
        assert err.count("\n") == 1, err


@SIGNALS
def test_an_interrupted_copy(daemon, there, number, status):
    there.write("a", b"old")
    with midway.copy(daemon, there, "a") as child:
        got, err = interrupt(child, number)
    assert got == status, err
    assert os.listdir(there.files) == ["a"]
    assert there.read("a") == b"old"
