"""`backup prune` and `backup ack`: which archives go, which never do, and what
becomes of a run that is in the way, fails or is killed."""

import fcntl
import json
import os
import pathlib
import subprocess
import time

import pytest

from backups import RECORD, create, sha256_of, wait_for
from catalogues import FINGERPRINT, Catalogue
from midway import END_S

PROOFS = RECORD.with_name("proof")
LOCKS = RECORD.with_name("lock")
TRAIL = pathlib.Path("/var/log/anklume/audit.jsonl")

# Slower than any test: such a run is under way until it is ended.
NEVER = ("--bwlimit", "1K")


def fingerprint_of(daemon):
    return daemon.get("/1.0")["environment"]["certificate_fingerprint"]


class Store(Catalogue):
    """Archives that a daemon could have made, each with bytes of its own."""

    def __init__(self, path, daemon):
        super().__init__(path)
        self.daemon = daemon
        self.server = {"name": "host", "member": "",
                       "fingerprint": fingerprint_of(daemon)}
        # What was proven of another test's is not true of this one's.
        self._salt = os.urandom(4)

    def add(self, name, when, **fields):
        """`when` is a day, or a time in UTC."""
        if "T" not in when:
            when += "T12:00:00Z"
        fields = {"server": self.server, "created_at": when, **fields}
        return self.archive(name + ".tar", self._salt + name.encode(),
                            **fields)

    def days(self, count, prefix="web", **fields):
        """One a day, the last the newest."""
        return [self.add(f"{prefix}-{day:02}", f"2026-03-{day:02}", **fields)
                for day in range(1, count + 1)]

    def prune(self, *words, status=0, **run):
        done = self.daemon.anklume("backup", "prune", *words, "--from",
                                   self.path, **run)
        assert done.status == status, done
        return done

    def judged(self, *words, status=0, **run):
        """{name without suffix: reasons}, and what was removed."""
        told = self.prune("--json", *words, status=status, **run).json()
        names = {pathlib.Path(one["path"]).stem: one
                 for one in told["archives"]}
        return ({name: one["reasons"] for name, one in names.items()},
                sorted(n for n, one in names.items() if not one["keep"]))

    def ack(self, *words, status=0):
        done = self.daemon.anklume("backup", "ack", *words, "--from",
                                   self.path)
        assert done.status == status, done
        return done

    def left(self):
        """The archives, without suffix."""
        return sorted(str(path.relative_to(self.path))[:-len(".tar")]
                      for path in self.path.rglob("*.tar"))

    def files(self):
        return sorted(str(path.relative_to(self.path))
                      for path in self.path.rglob("*"))


@pytest.fixture
def store(daemon, tmp_path):
    return Store(tmp_path / "archives", daemon)


@pytest.fixture
def store_seven(lab_seven, tmp_path):
    return Store(tmp_path / "archives", lab_seven)


def digest_of(path):
    return sha256_of(path.read_bytes())


def prove(archive, kind="drill", **fields):
    """As the command that proves it would."""
    PROOFS.mkdir(parents=True, exist_ok=True)
    proof = PROOFS / f"{digest_of(archive)}.{kind}.json"
    proof.write_text(json.dumps({"at": "2026-03-30T00:00:00Z", **fields}))
    return proof


def another_second():
    """Archives are named by it."""
    then = int(time.time())
    wait_for(lambda: time.time() > then + 1, "a name of its own")


# What goes and what stays ---------------------------------------------------

def test_real_archives(daemon, make_box, tmp_path):
    """Manifest and signature go with the archive; a dry run takes nothing."""
    box = make_box(start=False)
    made = []
    for number in range(1, 5):
        place = tmp_path / f"p{number}"
        made.append(create(daemon, box, place))
        made[-1].edit_manifest(created_at=f"2026-03-0{number}T00:00:00Z")
        made[-1].path.with_name(made[-1].path.name + ".json.sig").write_text(
            "a signature")
    words = ("backup", "prune", str(box), "--from", tmp_path, "--keep-daily",
             "2")
    before = sorted(tmp_path.rglob("*"))
    done = daemon.anklume(*words, "-n")
    assert done.status == 0, done
    assert [line.split()[0] for line in done.out.splitlines()] == [
        "remove", "remove", "keep", "keep"]
    assert "would keep 2 archives and remove 2" in done.err
    assert sorted(tmp_path.rglob("*")) == before

    done = daemon.anklume(*words)
    assert done.status == 0, done
    assert "kept 2 archives, removed 2" in done.err
    line = done.out.splitlines()[-1]
    assert line.startswith("keep ") and "2026-03-04 00:00:00" in line
    assert line.endswith("daily, newest intact")
    for one in made[:2]:
        assert os.listdir(one.path.parent) == []
    for one in made[2:]:
        assert len(os.listdir(one.path.parent)) == 3
    again = daemon.anklume(*words, "--json").json()
    assert (again["kept"], again["removed"]) == (2, 0)


def test_each_instance_for_itself(store):
    store.days(3)
    store.days(2, prefix="home", project="home")
    store.days(2, prefix="db", instance="db")
    store.days(2, prefix="sub/web", project="sub")
    store.prune("--keep-last", "1")
    assert store.left() == ["db-02", "home-02", "sub/web-02", "web-03"]


@pytest.mark.parametrize("words, gone", [
    (["web"], ["h1", "w1"]),
    (["work/web"], ["w1"]),
    (["web", "--project", "home"], ["h1"]),
    (["--project", "work"], ["d1", "w1"]),
    (["home/web", "db"], ["d1", "h1"])])
def test_some_instances(store_seven, words, gone):
    for name, fields in [("w", {}), ("h", {"project": "home"}),
                         ("d", {"instance": "db"})]:
        store_seven.add(name + "1", "2026-03-01", **fields)
        store_seven.add(name + "2", "2026-03-02", **fields)
    assert store_seven.judged(*words, "--keep-last", "1")[1] == gone


@pytest.mark.parametrize("words, reasons", [
    (["--keep-last", "1"], {3: ["last"]}),
    (["--keep-daily", "2"], {3: ["daily"], 1: ["daily"]}),
    (["--keep-within", "3h"], {3: ["within"]}),
    (["--keep-hourly=1", "--keep-monthly=9"],
     {3: ["hourly", "monthly"], 0: ["monthly"]}),
    (["--keep-weekly=2", "--keep-yearly=1", "--keep-last=0"],
     {3: ["weekly", "yearly"], 1: ["weekly"]})])
def test_rules(store_seven, words, reasons):
    """Days and hours are those of local time."""
    dates = ["2026-03-01T10:00:00Z", "2026-03-01T22:59:59Z",
             "2026-03-01T23:00:00Z", "2026-03-02T03:00:00+01:00"]
    for number, date in enumerate(dates):
        store_seven.add(str(number), date)
    told, _ = store_seven.judged(*words, env={"TZ": "Europe/Paris"})
    assert told == {
        str(number): reasons.get(number, [])
        + ["newest intact"] * (number == 3) for number in range(4)}


def test_the_json(store_seven):
    store_seven.days(2)
    store_seven.add("b\x1b[31m", "2026-03-01", instance="b\x1b[31m")
    done = store_seven.prune("--json", "--keep-last=1")
    told = done.json()
    assert {key: told[key] for key in (
        "command", "status", "kept", "removed", "removed_bytes")} == {
            "command": "backup prune", "status": 0, "kept": 2, "removed": 1,
            "removed_bytes": 10}
    assert told["archives"][-2:] == [
        {"path": str(store_seven.path / "web-01.tar"), "project": "work",
         "instance": "web", "created_at": "2026-03-01T12:00:00Z",
         "size_bytes": 10, "keep": False, "reasons": []},
        {"path": str(store_seven.path / "web-02.tar"), "project": "work",
         "instance": "web", "created_at": "2026-03-02T12:00:00Z",
         "size_bytes": 10, "keep": True,
         "reasons": ["last", "newest intact"]}]
    shown = store_seven.prune("--keep-last=1")
    assert "\x1b" not in shown.out and "work/b\\x1b[31m" in shown.out


def test_nothing_there(store_seven):
    store_seven.path.mkdir()
    told = store_seven.prune("--json", "--keep-last=1").json()
    assert (told["archives"], told["kept"], told["removed"]) == ([], 0, 0)
    store_seven.days(1)
    assert "holds no such backup" in store_seven.prune(
        "nope", "--keep-last=1", status=6).err


# What never goes ------------------------------------------------------------

def test_strangers(store):
    """Without a manifest, with an unreadable one, or of another server."""
    store.days(3)
    store.bare("bare-1.tar")
    store.add("bad", "2026-01-01").with_name("bad.tar.json").write_text("{")
    for number in (1, 2):
        store.add(f"other-{number}", f"2026-01-0{number}",
                  server={**store.server, "fingerprint": FINGERPRINT})
        store.add(f"none-{number}", f"2026-01-0{number}", server={})
        store.add(f"empty-{number}", f"2026-01-0{number}",
                  server={**store.server, "fingerprint": ""})
    told, gone = store.judged("--keep-last", "1")
    assert gone == ["web-01", "web-02"] and set(told) == {*gone, "web-03"}
    assert store.left() == [
        "bad", "bare-1", "empty-1", "empty-2", "none-1", "none-2", "other-1",
        "other-2", "web-03"]


def test_the_newest_that_is_intact(store):
    """What is not as it should be stays, to be looked at, and does not count.
    """
    archives = store.days(5)
    archives[4].write_bytes(b"cut")
    prove(archives[3], "damage", path=str(archives[3]), problem="a bit")
    store.add("when", "the day before")
    told, gone = store.judged("--keep-last", "1")
    assert told == {"web-05": ["not intact"], "web-04": ["not intact"],
                    "web-03": ["last", "newest intact"], "web-02": [],
                    "web-01": [], "when": ["not intact"]}
    assert gone == ["web-01", "web-02"]


def test_without_any_rule_for_it_the_newest_stays(store_seven):
    """All that the rules keep is from before the clock was set."""
    store_seven.days(3)
    told, _ = store_seven.judged("--keep-within", "1h")
    assert told["web-03"] == ["within", "newest intact"]


def test_the_newest_that_was_drilled(store):
    archives = store.days(5)
    proofs = [prove(archives[day]) for day in (0, 2)]
    told, gone = store.judged("--keep-last", "1")
    assert told["web-03"] == ["newest drilled"]
    assert gone == ["web-01", "web-02", "web-04"]
    # What was proven of one that went is forgotten.
    assert [proof.exists() for proof in proofs] == [False, True]


def test_a_drilled_one_that_is_cut(store_seven):
    """It proves nothing: the one before counts."""
    archives = store_seven.days(4)
    prove(archives[0])
    prove(archives[1])
    archives[1].write_bytes(b"cut")
    told, gone = store_seven.judged("--keep-last", "1")
    assert told["web-01"] == ["newest drilled"] and gone == ["web-03"]


def test_a_copy_keeps_its_proofs(store_seven):
    first, *_ = store_seven.days(2)
    manifest = first.with_name(first.name + ".json").read_text()
    copy = store_seven.bare("sub/web-01.tar", first.read_bytes())
    copy.with_name(copy.name + ".json").write_text(manifest)
    proof = prove(first)
    store_seven.prune("--keep-last", "1")
    assert len(store_seven.left()) == 2 and proof.exists()


def test_a_real_shrinkage(daemon, make_box, tmp_path):
    """Both sides stay until somebody says that it is as it should be."""
    box = make_box(start=False)
    bulk = box.inner("/root/bulk")
    bulk.write_bytes(os.urandom(6 << 20))
    made = [create(daemon, box, tmp_path)]
    bulk.unlink()
    for _ in range(2):
        another_second()
        made.append(create(daemon, box, tmp_path))
    prune = ("backup", "prune", "--from", tmp_path, "--keep-last=1", "--json")
    told = daemon.anklume(*prune).json()
    assert [one["reasons"] for one in told["archives"]] == [
        ["before it shrank"], ["shrank"], ["last", "newest intact"]]

    ack = ("backup", "ack", str(box), "--from", tmp_path)
    done = daemon.anklume(*ack, "-n")
    assert (done.status, done.out) == (0, f"{made[1]}\n"), done
    done = daemon.anklume(*ack, "--json")
    assert (done.status, done.json()["paths"]) == (0, [str(made[1])]), done
    proof = PROOFS / f"{made[1].manifest['sha256']}.accepted.json"
    assert set(json.loads(proof.read_text())) == {"at"}
    again = daemon.anklume(*ack)
    assert again.status == 6, again
    assert "none of these backups has shrunk" in again.err
    told = daemon.anklume(*prune).json()
    assert (told["kept"], told["removed"]) == (1, 2), told
    assert made[2].path.exists() and not proof.exists()


def test_the_other_side_of_a_shrinkage(store):
    """Is the one that the manifest names, whatever was made in between."""
    archives = store.days(3)
    archives[1].write_bytes(b"cut")
    store.add("small", "2026-03-04", shrunk_from=digest_of(archives[0]))
    store.add("last", "2026-03-05")
    told, gone = store.judged("--keep-last", "1")
    assert told["small"] == ["shrank"]
    assert told["web-01"] == ["before it shrank"] and gone == ["web-03"]


def test_the_other_side_has_another_digest(store_seven):
    """Or has gone: then it is the next that is intact."""
    archives = store_seven.days(3)
    archives[2].write_bytes(b"cut")
    store_seven.add("small", "2026-03-04", shrunk_from="0" * 64)
    store_seven.add("last", "2026-03-05")
    told, gone = store_seven.judged("--keep-last", "1")
    assert told["web-02"] == ["before it shrank"] and gone == ["web-01"]


def test_acknowledge_one_of_several(store_seven):
    first = store_seven.days(1)[0]
    for number, project in enumerate(("work", "home", "home")):
        store_seven.add(f"s{number}", f"2026-03-0{number + 2}",
                        project=project, shrunk_from=digest_of(first))
    assert store_seven.ack("work/web").out == f"{store_seven.path}/s0.tar\n"
    store_seven.ack("work/web", status=6)
    assert store_seven.ack("web@2026-03-04").out == (
        f"{store_seven.path}/s2.tar\n")
    assert store_seven.ack("web").out == f"{store_seven.path}/s1.tar\n"
    store_seven.ack("nope", status=6)
    assert store_seven.daemon.anklume("backup", "ack").status == 2


# Two daemons ----------------------------------------------------------------

def test_two_servers_in_one_directory(lab, make_box_on, tmp_path):
    """An instance of the same name, and neither takes the other's."""
    for version, daemon in lab.items():
        box = make_box_on(daemon, "prune-twin", start=False)
        for day in "123":
            place = tmp_path / f"{version}-{day}"
            create(daemon, box, place).edit_manifest(
                created_at=f"2026-03-0{day}T0{version}:00:00Z")

    def left():
        return sorted(path.parent.name for path in tmp_path.rglob("*.tar.gz"))

    prune = ("backup", "prune", "--keep-last=1", "--from", tmp_path)
    assert lab["6"].anklume(*prune).status == 0
    assert left() == ["6-3", "7-1", "7-2", "7-3"]
    assert lab["7"].anklume(*prune).status == 0
    assert left() == ["6-3", "7-3"]


# Rules ----------------------------------------------------------------------

@pytest.mark.parametrize("words", [
    [], ["--keep-last", "0"], ["--keep-within", "0d"],
    ["--keep-daily=0", "--keep-within=0y0h"]])
def test_no_rule(store_seven, words):
    store_seven.days(2)
    done = store_seven.prune(*words, status=2)
    assert "no rule says what to keep" in done.err
    assert "--dry-run" in done.err
    assert len(store_seven.left()) == 2


@pytest.mark.parametrize("words, says", [
    (["--keep-daily", "x"], "--keep-daily: 'x' is no number"),
    (["--keep-daily", "-1"], "'-1' is no number"),
    (["--keep-daily", ""], "'' is no number"),
    (["--keep-last", "10000"], "'10000' is no number"),
    (["--keep-within", "7"], "--keep-within: '7' is no length of time"),
    (["--keep-within", "2w"], "'2w' is no length of time"),
    (["--keep-last=1", "--lock-wait=soon"], "--lock-wait wants a time"),
    (["--keep-last=1", "web@2026-03-01"], "without a time"),
    (["--keep-last=1", "web@noon"], "'noon' is not a time"),
    (["--keep-some=1"], "--keep-some")])
def test_wrong_words(store_seven, words, says):
    store_seven.days(2)
    assert says in store_seven.prune(*words, status=2).err
    assert len(store_seven.left()) == 2


def test_rules_of_the_configuration(store, tmp_path):
    """What is typed replaces all of them."""
    conf = tmp_path / "conf"
    conf.write_text(f"[backup]\noutput = {store.path}\nkeep-last = 3\n"
                    "keep-yearly = 2\n")
    env = {"ANKLUME_CONFIG": str(conf)}
    store.days(5)
    store.daemon.anklume("backup", "prune", env=env)
    assert store.left() == ["web-01", "web-03", "web-04", "web-05"]
    assert store.judged("--keep-last=2", env=env)[0] == {
        "web-01": [], "web-03": [], "web-04": ["last"],
        "web-05": ["last", "newest intact"]}
    conf.write_text("[backup]\nkeep-within = 0d\n")
    store.prune(status=2, env=env)
    conf.write_text("[backup]\nkeep-last = many\n")
    assert "'many' is no number" in store.prune(status=2, env=env).err


def test_a_mount_that_must_be_there(store_seven, tmp_path):
    store_seven.days(2)
    conf = tmp_path / "conf"
    conf.write_text(f"[backup]\noutput = {store_seven.path}\n"
                    f"require-mount = {store_seven.path}\n")
    done = store_seven.daemon.anklume(
        "backup", "prune", "--keep-last=1", env={"ANKLUME_CONFIG": str(conf)})
    assert done.status == 10 and "nothing is mounted" in done.err
    assert len(store_seven.left()) == 2


# What goes wrong ------------------------------------------------------------

def test_no_directory(store_seven, tmp_path):
    done = store_seven.prune("--keep-last=1", status=10)
    assert "does not exist" in done.err
    store_seven.path.write_text("")
    done = store_seven.prune("--keep-last=1", status=10)
    assert "is not a directory" in done.err
    store_seven.ack("web", status=10)


def test_the_daemon_does_not_answer(store, tmp_path):
    """Then nobody knows which archives are its own."""
    store.days(3)
    env = {"INCUS_SOCKET": str(tmp_path / "none")}
    for words in ([], ["-n"]):
        store.prune("--keep-last=1", *words, status=9, env=env)
    assert len(store.left()) == 3


def test_one_that_cannot_be_removed(store):
    """The others go on."""
    archives = store.days(4)
    subprocess.run(["mount", "--bind", archives[1], archives[1]], check=True)
    try:
        done = store.prune("--json", "--keep-last=1", status=3)
    finally:
        subprocess.run(["umount", archives[1]], check=True)
    told = done.json()
    assert (told["kept"], told["removed"]) == (1, 2)
    assert f"cannot remove '{archives[1]}'" in done.err
    assert "not all of what was to go could be removed" in told["error"]
    assert store.files() == ["web-02.tar", "web-02.tar.json", "web-04.tar",
                             "web-04.tar.json"]
    last = json.loads(TRAIL.read_text().splitlines()[-1])
    assert (last["result"], last["done"], last["failed"]) == ("partial", 2, 1)


def test_the_trail(store):
    store.days(3)
    lines = TRAIL.read_text().splitlines() if TRAIL.exists() else []
    store.prune("-n", "--keep-last=1")
    store.prune(status=2)
    store.prune("--keep-last=1")
    told = [json.loads(line) for line in TRAIL.read_text().splitlines()]
    assert len(told) == len(lines) + 1
    assert {key: told[-1][key] for key in (
        "command", "result", "status", "from", "to", "done", "failed",
        "size_bytes")} == {
            "command": "backup prune", "result": "done", "status": 0,
            "from": [{"path": str(store.path)}], "to": [], "done": 2,
            "failed": 0, "size_bytes": 20}


@pytest.fixture
def writer(store, make_box):
    """A run that writes into the store and does not end by itself."""
    store.path.mkdir()
    box = make_box(start=False)
    child = store.daemon.spawn("-q", "backup", "create", str(box), "-o",
                               store.path, *NEVER)
    wait_for(lambda: list(LOCKS.glob(f"backup-*-{box.project}-{box.name}")),
             "a lock")
    yield child
    if child.poll() is None:
        child.kill()
    child.communicate(timeout=END_S)


def test_while_archives_are_written_there(store, writer):
    store.days(3)
    done = store.prune("--keep-last=1", status=11)
    assert "is in use by another run" in done.err and "--lock-wait" in done.err
    assert store.prune("--keep-last=1", "--lock-wait=1s", status=11)
    assert len(store.left()) == 3
    # What only looks needs no lock.
    assert store.judged("-n", "--keep-last=1")[1] == ["web-01", "web-02"]

    waiting = store.daemon.spawn("backup", "prune", "--keep-last=1", "--from",
                                 store.path, "--lock-wait", "10m")
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(0.5)
    assert len(store.left()) == 3
    writer.kill()
    _, err = waiting.communicate(timeout=END_S)
    assert waiting.returncode == 0, err
    assert store.left() == ["web-03"]


# Killed ---------------------------------------------------------------------

def check_after_a_kill(store):
    """An archive never lost its manifest; at most one manifest is alone."""
    names = set(store.files())
    archives = {name for name in names if name.endswith(".tar")}
    assert all(name + ".json" in names for name in archives)
    alone = {name for name in names if name.endswith(".json")
             and name.removesuffix(".json") not in archives}
    assert len(alone) <= 1
    return alone


def test_killed_half_way(store):
    """Nobody reads what it says, so that it stands still."""
    for number in range(500):
        store.add(f"web-{number:03}", "2026-03-01")
    reader, end = os.pipe()
    fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 4096)
    with os.fdopen(end, "wb") as out:
        child = store.daemon.spawn("-q", "backup", "prune", "--keep-last=1",
                                   "--from", store.path, stdout=out)
    wait_for(lambda: len(store.left()) < 500, "a first one that went")
    child.kill()
    child.communicate(timeout=END_S)
    os.close(reader)
    assert 1 < len(store.left()) < 500
    alone = check_after_a_kill(store)
    store.prune("-q", "--keep-last=1")
    (last,) = store.left()
    assert set(store.files()) == {f"{last}.tar", f"{last}.tar.json", *alone}


def test_killed_at_any_time(store_seven):
    for _ in range(5):
        archives = store_seven.days(25)
        child = store_seven.daemon.spawn(
            "-q", "backup", "prune", "--keep-last=1", "--from",
            store_seven.path, stdout=subprocess.DEVNULL)
        wait_for(lambda: len(os.listdir(store_seven.path)) < 50, "a first one")
        child.kill()
        child.communicate(timeout=END_S)
        alone = check_after_a_kill(store_seven)
        for name in alone:
            (store_seven.path / name).unlink()
        store_seven.prune("--keep-last=1")
        assert store_seven.files() == [archives[-1].name,
                                       archives[-1].name + ".json"]
