"""Kills at random in the midst of a night and of the morning after: of the run
itself, of one of its processes, of all of them at once. Whatever the moment,
what has a name is whole, and the same command again makes the rest.

ANKLUME_KILLS is how many of each kind, ANKLUME_KILL_SEED which ones.
"""

import contextlib
import fcntl
import gzip
import io
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tarfile
import time
import uuid

import pytest

from backups import (RECORD, Backup, backups_in, identity_of_files, sha256_of,
                     volumes_on_disk, wait_for, wait_idle)
from crowds import LOCKS
from disks import mount_image
from midway import END_S
from remains import expires_within_two_days, forget_exports

KILLS = int(os.environ.get("ANKLUME_KILLS", "0"))
SEED = int(os.environ.get("ANKLUME_KILL_SEED", "20261201"))

TAG = "ANKLUME_TESTS_RUN"
WHO = ("itself", "one", "all")

ARCHIVE = re.compile(r"(db|mail|web)-(\d{8}-\d{6})\.tar\.gz(\.gpg)?")
HOST = re.compile(r"host-.*-(\d{8}-\d{6})\.json(\.gpg)?")
PART = re.compile(r"\.anklume-[0-9a-f]{32}\.part")


# Killing --------------------------------------------------------------------

class Run:
    """A run, and all the processes that it starts: they have its tag."""

    def __init__(self, daemon, *words, env):
        self.tag = f"{TAG}={uuid.uuid4().hex}".encode()
        name, _, value = self.tag.decode().partition("=")
        # The search for leaks has a child, too.
        self.child = daemon.spawn(*words, env={
            **env, name: value,
            "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0"})

    def processes(self):
        found = set()
        for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
            try:
                if self.tag in path.read_bytes().split(b"\0"):
                    found.add(int(path.parent.name))
            except OSError:
                pass
        return found

    def kill(self, who, chance):
        """What it hits, if anything is left to be hit."""
        if who == "itself":
            victims = {self.child.pid}
        elif who == "one":
            victims = self.one_of(chance)
        else:
            victims = self.stop()
        print(*sorted(map(name_of, victims)), flush=True)
        for pid in victims:
            send(pid, signal.SIGKILL)
        return len(victims)

    def one_of(self, chance):
        """One that the run has started, of each program as often."""
        by_name = {}
        for pid in sorted(self.processes() - {self.child.pid}):
            by_name.setdefault(name_of(pid), []).append(pid)
        if not by_name:
            return set()
        return {chance.choice(by_name[chance.choice(sorted(by_name))])}

    def stop(self):
        """Hold all of them at once: none sees the end of another."""
        stopped, calm = set(), 0
        while calm < 2:
            fresh = self.processes() - stopped
            for pid in fresh:
                send(pid, signal.SIGSTOP)
            stopped |= fresh
            calm = 0 if fresh else calm + 1
        return stopped

    def end(self):
        """Its status and what it gave; nothing of it goes on."""
        out, err = self.child.communicate(timeout=END_S)
        wait_for(lambda: not self.processes(), "the end of all processes",
                 END_S)
        assert b"Sanitizer" not in err and b"runtime error" not in err, err
        return self.child.returncode, out, err.decode()


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "gone"


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


class Kills:
    """Which process at which moment, each kind spread over a whole run: half of
    them by the clock, half when the run has made so many of its names."""

    def __init__(self, count, whole_run, names):
        begun = time.monotonic()
        whole_run()
        took = time.monotonic() - begun
        self.chance = random.Random(SEED)
        self.count, self.hit = KILLS or count, 0
        self.plan = []
        for i in range(self.count):
            part = (i + self.chance.random()) / self.count
            self.plan.append(
                (WHO[i % len(WHO)],
                 *((part * took, 0) if i % 2 else (took, part * names + 1))))
        self.chance.shuffle(self.plan)
        print(f"seed {SEED}, a whole run takes {took:.3f} s")

    def __iter__(self):
        for i, (who, moment, names) in enumerate(self.plan):
            print(f"kill {i} of {who} after {moment:.4f} s"
                  + f" or {int(names)} names" * bool(names), flush=True)
            yield lambda run, seen, plan=self.plan[i]: self.kill(
                run, seen, *plan)
        print(f"{self.hit} of {self.count} kills have hit")

    def kill(self, run, seen, who, moment, names):
        """Whom it was to hit, and how the run has ended. `seen` counts the
        names."""
        end = time.monotonic() + moment
        while names and run.child.poll() is None and time.monotonic() < end:
            if seen() >= int(names):
                break
        with contextlib.suppress(subprocess.TimeoutExpired):
            if not names:
                run.child.wait(moment)
        if run.child.poll() is None:
            self.hit += run.kill(who, self.chance) > 0
        return who, *run.end()


# What always holds ----------------------------------------------------------

def check_locks(*directories):
    """Nobody holds one."""
    for path in [*LOCKS.iterdir(), *filter(os.path.exists, directories)]:
        fd = os.open(path, os.O_RDONLY)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(fd)


def check_books(daemon):
    for entry in RECORD.iterdir():
        json.loads(entry.read_text())
    done = daemon.anklume("portal", "log", "--verify")
    assert done.status == 0, done


def check_exports(daemon, mine):
    """Those that a kill has left in the daemon: they go by themselves."""
    left = [(place, one) for place in mine.places
            for one in backups_in(daemon, place[1], place[0])]
    assert all(expires_within_two_days(one) for _, one in left), left
    return [(place, one["name"]) for place, one in left]


def doctor(daemon, directory, tmp_path, *words):
    """What it finds of killed runs."""
    conf = tmp_path / "conf"
    conf.write_text(f"[backup]\noutput = {directory}\n")
    done = daemon.anklume("doctor", "--json", *words,
                          env={"ANKLUME_CONFIG": str(conf)})
    return [one for one in done.json()["findings"]
            if one["id"].startswith("leftover-")
            and one["level"] == "problem"]


# The night ------------------------------------------------------------------

class Night:
    """Runs over a crowd, as if there were no others in the daemon."""

    def __init__(self, daemon, mine, gpg_home):
        self.daemon, self.mine = daemon, mine
        self.env = {"GNUPGHOME": str(gpg_home)}
        self.others = [
            word for url in daemon.get("/1.0/projects")
            if (name := url.rpartition("/")[2]) not in mine.projects
            for word in ("--exclude", f"{name}/*")]
        self.members = None

    def words(self, place, keys):
        return ("--json", "backup", "create", "--all", *self.others, "-o",
                place, "--jobs", "2", *keys)

    def run(self, place, keys):
        """To its end."""
        done = self.daemon.anklume(*self.words(place, keys), env=self.env)
        assert done.status == 0, done
        made = done.json()["backups"]
        assert [(one["project"], one["instance"])
                for one in made] == self.mine.places
        for one in made:
            manifest = Backup(pathlib.Path(one["path"])).manifest
            assert manifest["sha256"] == one["sha256"]
        if self.members is None:
            self.members = {one["instance"]: members(self.data(one["path"]))
                            for one in made}
        self.check(place)

    def data(self, path):
        """What an archive or a description is without its encryption."""
        data = pathlib.Path(path).read_bytes()
        if str(path).endswith(".gpg"):
            data = subprocess.run(
                ["gpg", "-q", "--batch", "--decrypt"], input=data, check=True,
                capture_output=True, env={**os.environ, **self.env}).stdout
        return data

    def check(self, place):
        """All names in a directory are final ones, of whole files. The newest
        stamp in one."""
        stamps = [""]
        for path in sorted(place.rglob("*")):
            name = path.name
            if PART.fullmatch(name):
                continue
            if path.is_dir():
                assert path.parent == place and name in self.mine.projects
            elif path.parent == place and name == "RESTORE.txt":
                assert path.read_text().endswith("--project PROJECT\n")
            elif found := HOST.fullmatch(name):
                assert path.parent == place
                stamps.append(found[1])
                assert json.loads(self.data(path))["projects"]
            elif found := ARCHIVE.fullmatch(name):
                assert path.parent.parent == place
                stamps.append(found[2])
                self.check_archive(path, found[1])
            else:
                # Nothing stands beside an archive that is not there.
                of = re.sub(r"\.json(\.sig)?$", "", name)
                assert of != name and (path.parent / of).exists(), path
        return max(stamps)

    def check_archive(self, path, instance):
        made = Backup(path)
        assert members(self.data(path)) == self.members[instance]
        if made.manifest_path.exists():
            assert made.manifest["sha256"] == sha256_of(path.read_bytes())
            assert made.manifest["instance"] == instance
            assert made.record_path.exists()


def members(archive):
    """The names in a gzipped tar that is whole to its last byte."""
    data = gzip.decompress(archive)
    assert len(data) % 512 == 0 and data.endswith(bytes(1024))
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return [member.name for member in tar]


def parts_in(place):
    return [path for path in place.rglob(".*") if PART.fullmatch(path.name)]


def now():
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime())


def after(stamp):
    """Archives are named by the second."""
    wait_for(lambda: now() > stamp, "a name of its own")


@pytest.fixture
def stick(mounted, tmp_path):
    """A disk on which a file has a name from the first."""
    return mount_image(mounted, tmp_path / "image", "stick", 64 << 20)


def test_create(daemon, crowd, gpg_home, stick, tmp_path):
    mine = crowd()
    night = Night(daemon, mine, gpg_home)
    whom = "tests@example.org"
    signed = ("--gpg", whom, "--sign", whom)
    kills = Kills(12, lambda: night.run(tmp_path / "first", signed), 12)
    locks, parts = set(LOCKS.iterdir()), None
    for i, kill in enumerate(kills):
        keys = kills.chance.choice([(), ("--gpg", whom), signed])
        place = kills.chance.choice((tmp_path, tmp_path, stick)) / f"n{i}"
        who, status, out, err = kill(
            Run(daemon, *night.words(place, keys), env=night.env),
            lambda: sum(len(names) for *_, names in os.walk(place)))
        # 12: gpg was to look for the keys.
        print(f"status {status} at {place}\n{err}")
        assert status in ((0, -signal.SIGKILL), (0, 1, 3, 12))[who == "one"]
        wait_idle(daemon, END_S)
        check_locks(place, *place.glob("*/"))
        stamp = night.check(place)
        for one in json.loads(out)["backups"] if status in (0, 3) else ():
            if one["status"] == 0:
                assert Backup(pathlib.Path(one["path"])).manifest_path.exists()
        if kills.chance.random() < 0.3:
            assert not [one for one in doctor(daemon, place, tmp_path, "--fix")
                        if one["id"] != "leftover-file"]
            assert not check_exports(daemon, mine)
        left = check_exports(daemon, mine)
        assert not left or daemon.version == "6"

        # A part may be there to reserve a name of this second.
        after(now() if parts_in(place) else stamp)
        night.run(place, keys)
        assert check_exports(daemon, mine) == left
        assert set(LOCKS.iterdir()) == locks
        check_locks(place, *place.glob("*/"))
        for (project, name), _ in left:
            forget_exports(daemon, name, project)
        if parts_in(place):
            assert place.parent == stick
            parts, place = place, parts
        if place is not None:
            shutil.rmtree(place, ignore_errors=True)
    assert kills.hit
    check_books(daemon)
    assert mine.there() == mine.places
    if parts is not None:
        # Others may be at work on such a disk: a day passes first.
        for path in parts_in(parts):
            os.utime(path, (10 ** 9, 10 ** 9))
        assert not doctor(daemon, parts, tmp_path, "--fix")
        assert not parts_in(parts)


# The morning after ----------------------------------------------------------

class Morning:
    """A crowd that is brought back from its archives."""

    def __init__(self, daemon, mine, gpg_home):
        self.daemon, self.mine = daemon, mine
        self.env = {"GNUPGHOME": str(gpg_home)}
        for project, name in mine.places:
            mark = mine.mark(project, name, f"{project}/{name}\n")
            load = mark.with_name("load")
            load.write_bytes(os.urandom(1 << 20))
            # A daemon's tar has no more of them.
            for path in (mark, load, mark.parent):
                os.utime(path, (10 ** 9, 10 ** 9))
        self.sources = {place: self.tree(place) for place in mine.places}

    def tree(self, place):
        return identity_of_files(self.mine.mark(*place).parents[1])

    def check(self):
        """Those that are there are whole."""
        there = self.mine.there()
        for place in there:
            assert self.tree(place) == self.sources[place], place
        return there

    def words(self, store):
        return ("--json", "backup", "restore", "--all", "--from", store,
                "--create-missing")

    def run(self, store, there=()):
        """To its end: what is there already is left alone."""
        done = self.daemon.anklume(*self.words(store), env=self.env)
        assert done.status == 0, done
        plans = {(one["project"], one["instance"]): one["plan"]
                 for one in done.json()["instances"]}
        assert plans == {place: "exists" if place in there else "restore"
                         for place in self.mine.places}
        assert self.check() == self.mine.places

    def volumes(self):
        return [path for path in volumes_on_disk(self.daemon)
                if self.mine.tag in path]


def test_restore(daemon, crowd, gpg_home, tmp_path):
    mine = crowd()
    morning = Morning(daemon, mine, gpg_home)
    stores = {tmp_path / "plain": (),
              tmp_path / "gpg": ("--gpg", "tests@example.org")}
    for store, keys in stores.items():
        done = daemon.anklume("backup", "create", mine.all, "-o", store, *keys,
                              env=morning.env)
        assert done.status == 0, done
    mine.wipe()
    before = daemon.spool
    kills = Kills(8, lambda: morning.run(tmp_path / "gpg"), 3)
    for kill in kills:
        mine.wipe()
        assert not mine.there() and not morning.volumes()
        store = kills.chance.choice(list(stores))
        who, status, out, err = kill(
            Run(daemon, *morning.words(store), env=morning.env),
            lambda: len(mine.there()))
        assert status in ((0, -signal.SIGKILL), (0, 3))[who == "one"], err
        # What was set going shows, too.
        wait_idle(daemon, END_S)
        there = morning.check()
        for one in json.loads(out)["instances"] if status in (0, 3) else ():
            assert ((one["project"], one["instance"]) in there) == (
                one["status"] == 0), one
        assert daemon.spool == before
        check_locks()
        morning.run(store, there)
        assert daemon.spool == before
    assert kills.hit
    check_books(daemon)
