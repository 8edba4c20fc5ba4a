"""The morning after: every instance of a directory is brought back, and nothing
else is touched."""

import os
import shutil
import signal

import pytest

from backups import RECORD, Backup, identity_of_files, wait_for
from keys import KeyRing
from midway import END_S

STATE = RECORD.parent

# What is planned does not depend on the daemon.
on_six = pytest.mark.parametrize("daemon", ["6"], indirect=True)
on_seven = pytest.mark.parametrize("daemon", ["7"], indirect=True)


@pytest.fixture(scope="module")
def signers(tmp_path_factory):
    ring = KeyRing(tmp_path_factory.mktemp("signers"))
    for name in ("ann", "bob"):
        ring.make(name, f"{name} <{name}@example.org>", "ed25519", "sign",
                  "never")
    yield ring
    ring.close()


def lose_disk():
    """What this host knows of its archives."""
    for path in STATE.iterdir():
        shutil.rmtree(path)


class Store:
    """A directory of a crowd's archives."""

    def __init__(self, path, mine):
        self.path, self.mine, self.daemon = path, mine, mine.daemon

    def fill(self, *options, words=None, **run):
        done = self.daemon.anklume("backup", "create", words or self.mine.all,
                                   "-o", self.path, *options, **run)
        assert done.status == 0, done
        return self

    def restore(self, *options, status=0, on=None, **run):
        done = (on or self.daemon).anklume(
            "--json", "backup", "restore", "--all", "--from", self.path,
            *options, **run)
        assert done.status == status, done
        return done.json()

    def archives(self, project, name):
        """The newest first, by their manifests."""
        found = [Backup(path) for path in (self.path / project).glob("*.tar*")
                 if ".json" not in path.name]
        return sorted((one for one in found
                       if one.manifest["instance"] == name),
                      key=lambda one: one.manifest["created_at"],
                      reverse=True)

    def archive(self, project, name):
        return self.archives(project, name)[0]

    def age(self, project, name, created_at):
        """Its newest is of that time; the next can have that name."""
        made = self.archive(project, name)
        stamp = created_at.translate({ord(one): None for one in "-:TZ"})
        old = Backup(made.path.with_name(f"{name}-{stamp}.tar.gz"))
        made.edit_manifest(created_at=created_at)
        made.path.rename(old.path)
        made.manifest_path.rename(old.manifest_path)
        return old


@pytest.fixture
def store(crowd, tmp_path):
    def make(count=1):
        return Store(tmp_path / "store", crowd(count))
    return make


def plans(result):
    return {(one["project"], one["instance"]): one["plan"]
            for one in result["instances"]}


def restored(result):
    return [(one["project"], one["instance"]) for one in result["instances"]
            if one.get("status") == 0]


def spoil(archive):
    """A byte in the middle is another; the size stays."""
    data = bytearray(archive.path.read_bytes())
    data[len(data) // 2] ^= 1
    archive.path.write_bytes(data)


def cut(archive):
    os.truncate(archive.path, archive.path.stat().st_size - 1000)


# A class --------------------------------------------------------------------

def test_a_class(daemon, store):
    """Thirty projects that hold instances of the same names."""
    here = store({"6": 3, "7": 30}[daemon.version])
    mine = here.mine
    for project, name in mine.places:
        mine.mark(project, name, f"{project}/{name}\n")
    here.fill("--compression", "gzip:1")
    mine.wipe()
    done = daemon.anklume("backup", "restore", "--all", "--from", here.path,
                          "--create-missing")
    assert done.status == 0, done
    assert mine.there() == mine.places
    for project, name in mine.places:
        assert mine.mark(project, name).read_text() == f"{project}/{name}\n"
        assert f"{project}/{name} is there again" in done.err
    count = len(mine.places)
    assert f"{count} of {count} instances and volumes restored, 0 were there" in (
        done.err)
    for project in mine.projects:
        assert done.err.count(f"created the project '{project}'") == 1
    # Namesakes are what a class has: no line for each pair.
    assert len(done.err.splitlines()) == count + len(mine.projects) + 1
    assert len(done.out.splitlines()) == count + 1


# What is there --------------------------------------------------------------

@on_seven
def test_what_exists_is_not_touched(daemon, store):
    here = store().fill()
    mine = here.mine
    [project] = mine.projects
    mine.mark(project, "db", "newer than any backup")
    daemon.incus("delete", "mail", "--project", project)
    before = identity_of_files(mine.mark(project, "db").parents[1])
    made = here.restore()
    assert plans(made) == {(project, "db"): "exists",
                           (project, "mail"): "restore",
                           (project, "web"): "exists"}
    assert restored(made) == [(project, "mail")]
    assert identity_of_files(mine.mark(project, "db").parents[1]) == before


@on_six
def test_a_second_run_has_nothing_to_do(daemon, store):
    here = store().fill()
    made = here.restore()
    done = daemon.anklume("backup", "restore", "--all", "--from", here.path)
    assert set(plans(made).values()) == {"exists"} and not restored(made)
    assert done.status == 0, done
    assert "0 of 3 instances and volumes restored, 3 were there" in done.err
    assert done.out.count("exists already") == 3


@on_six
def test_one_project(daemon, store):
    here = store(2).fill()
    mine = here.mine
    one, other = mine.projects
    mine.wipe()
    made = here.restore("--project", other, "--create-missing")
    assert list(plans(made)) == [(other, name) for name in mine.NAMES]
    assert mine.there() == [(other, name) for name in mine.NAMES]
    assert "there is no archive" in here.restore(
        "--project", "nosuch", status=6)["error"]


@on_seven
def test_a_name_in_another_project_is_not_its_instance(daemon, store):
    """home/web and work/web are there all the time."""
    here = store().fill()
    mine = here.mine
    [project] = mine.projects
    daemon.incus("delete", "web", "--project", project)
    assert restored(here.restore()) == [(project, "web")]


# A run that is cut ----------------------------------------------------------

@pytest.mark.parametrize("number, status", [
    (signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_cut_goes_on(daemon, store, number, status):
    here = store(2).fill()
    mine = here.mine
    mine.wipe()
    child = daemon.spawn("backup", "restore", "--all", "--from", here.path,
                         "--create-missing")
    # One may be seen while it is made.
    wait_for(lambda: len(mine.there()) > 1, "the first instance")
    child.send_signal(number)
    _, err = child.communicate(timeout=END_S)
    assert child.returncode == status, err
    # The next ones are not begun.
    assert err.decode().count(" failed: ") <= 1
    wait_for(lambda: not any(
        one["description"] == "Restoring backup" for one in daemon.get(
            "/1.0/operations?all-projects=true&recursion=1").get(
                "running", [])), "the end of a restore")
    first = mine.there()
    assert 0 < len(first) < len(mine.places)
    made = here.restore("--create-missing")
    assert [place for place, plan in plans(made).items()
            if plan == "exists"] == first
    assert restored(made) == [one for one in mine.places if one not in first]
    assert mine.there() == mine.places
    again = here.restore()
    assert set(plans(again).values()) == {"exists"}
    for project, name in mine.places:
        assert (mine.mark(project, name).parents[1] / "bin").exists()


def test_two_runs_at_once(daemon, store):
    """One makes what it has planned, and the other says who does."""
    here = store().fill()
    mine = here.mine
    mine.wipe()
    child = daemon.spawn("-q", "backup", "restore", "--all", "--from",
                         here.path, "--create-missing")
    try:
        wait_for(mine.there, "the first instance")
        child.send_signal(signal.SIGSTOP)
        made = here.restore("--create-missing", status=11)
        assert f"(process {child.pid})" in made["error"]
        assert made["instances"] == []
        # It only looks.
        here.restore("-n", "--create-missing")
    finally:
        child.send_signal(signal.SIGCONT)
        _, err = child.communicate(timeout=END_S)
    assert child.returncode == 0, err
    assert mine.there() == mine.places
    assert set(plans(here.restore()).values()) == {"exists"}


# Older ones -----------------------------------------------------------------

@on_six
def test_as_things_were_then(daemon, store):
    here = store()
    mine = here.mine
    [project] = mine.projects
    for day in ("2026-03-01", "2026-03-02", "2026-03-03"):
        mine.mark(project, "web", day)
        here.fill(words=f"{project}/w*")
        here.age(project, "web", f"{day}T12:00:00Z")
    here.fill(words=f"{project}/db*")
    mine.wipe()
    for at, found in (("2026-03-02", "2026-03-02"),
                      ("2026-03-02T11:00", "2026-03-01"),
                      ("yesterday", "2026-03-03")):
        made = here.restore("--at", at, "--create-missing")
        # The other did not exist then: it is no failure that it is not there.
        assert list(plans(made)) == [(project, "web")]
        assert made["instances"][0]["created_at"] == f"{found}T12:00:00Z"
        assert mine.mark(project, "web").read_text() == found
        daemon.incus("delete", "web", "--project", project)
    made = here.restore("--at", "2026-02-28", status=6)
    assert "there is no archive" in made["error"]
    made = here.restore()
    assert mine.mark(project, "web").read_text() == "2026-03-03"
    assert restored(made) == [(project, "db"), (project, "web")]


@pytest.fixture
def two_each(store):
    """Of each instance two archives, which differ by the mark in them."""
    here = store()
    [project] = here.mine.projects
    for text, stamp in (("old", "2026-03-01T12:00:00Z"), ("new", None)):
        for name in here.mine.NAMES:
            here.mine.mark(project, name, text)
        here.fill()
        if stamp is not None:
            for name in here.mine.NAMES:
                here.age(project, name, stamp)
    here.mine.wipe()
    return here


@on_seven
@pytest.mark.parametrize("damage", [cut, spoil])
def test_an_older_one_for_a_damaged_one(daemon, two_each, damage):
    """Also when the damage shows only while it is read."""
    here, mine = two_each, two_each.mine
    [project] = mine.projects
    bad = here.archive(project, "mail")
    damage(bad)
    made = here.restore("--create-missing")
    assert restored(made) == mine.places
    marks = [mine.mark(*place).read_text() for place in mine.places]
    assert marks == ["new", "old", "new"]
    [mail] = [one for one in made["instances"] if one["instance"] == "mail"]
    assert mail["created_at"] == "2026-03-01T12:00:00Z"
    assert mail["path"] == str(here.archives(project, "mail")[1])
    assert [note for note in made["notes"]
            if "passed over: " in note and str(bad) in note], made["notes"]


@on_six
@pytest.mark.parametrize("damage", [cut, spoil])
def test_no_intact_one(daemon, two_each, damage):
    """The others are restored."""
    here, mine = two_each, two_each.mine
    [project] = mine.projects
    for archive in here.archives(project, "mail"):
        damage(archive)
    done = daemon.anklume("backup", "restore", "--all", "--from", here.path,
                          "--create-missing")
    assert done.status == 3, done
    assert mine.there() == [(project, "db"), (project, "web")]
    assert "1 of 3 instances and volumes were not restored" in done.err
    assert ("no intact archive" in done.out) == (damage is cut)
    assert (f"{project}/mail failed: " in done.err) == (damage is spoil)
    made = here.restore(status=3)
    assert plans(made)[project, "mail"] == (
        "no intact archive" if damage is cut else "restore")


@on_seven
def test_the_older_one_is_a_strangers(daemon, two_each):
    """Then it is not taken in the place of a damaged one."""
    here, mine = two_each, two_each.mine
    [project] = mine.projects
    new, old = here.archives(project, "mail")
    spoil(new)
    old.record_path.unlink()
    made = here.restore("--create-missing", status=3)
    [mail] = [one for one in made["instances"] if one["instance"] == "mail"]
    assert (mail["status"], mail["path"]) == (5, str(new))
    assert (project, "mail") not in mine.there()


@on_six
def test_one_that_verify_found_damaged(daemon, two_each):
    here, mine = two_each, two_each.mine
    [project] = mine.projects
    bad = here.archive(project, "db")
    spoil(bad)
    daemon.anklume("backup", "verify", bad, "--level", "digest")
    made = here.restore("--create-missing")
    assert f"passed over: '{bad}' was found damaged" in made["notes"]
    assert mine.mark(project, "db").read_text() == "old"


# Whose they are -------------------------------------------------------------

@on_seven
def test_of_unknown_origin(daemon, store):
    here = store().fill()
    mine = here.mine
    [project] = mine.projects
    mine.wipe()
    here.archive(project, "mail").record_path.unlink()
    made = here.restore("--create-missing", status=3)
    assert plans(made)[project, "mail"] == "unknown origin"
    assert restored(made) == [(project, "db"), (project, "web")]
    done = daemon.anklume("backup", "restore", "--all", "--from", here.path)
    assert done.status == 3 and "unknown origin" in done.out, done
    assert f"  anklume backup adopt {here.path}" in done.err
    assert daemon.anklume("backup", "adopt", here.path, "--yes").status == 0
    assert restored(here.restore()) == [(project, "mail")]


@on_six
def test_signed_by_someone_trusted(daemon, store, signers, tmp_path):
    here = store(2)
    mine = here.mine
    for project, name in zip(mine.projects, ("ann", "bob")):
        here.fill("--sign", f"{name}@example.org", words=f"{project}/*",
                  env=signers.env)
    mine.wipe()
    lose_disk()
    one, other = mine.projects
    env = signers.env
    ann, bob = (signers.fingerprints[name] for name in ("ann", "bob"))
    assert set(plans(here.restore("-n", env=env, status=3)).values()) == {
        "unknown origin"}

    made = here.restore("--signed-by", ann, "--create-missing", status=3,
                        env=env)
    assert restored(made) == [(one, name) for name in mine.NAMES]
    assert {row["origin"] for row in made["instances"] if "origin" in row} == {
        f"signed by {ann}"}
    assert {plan for place, plan in plans(made).items()
            if place[0] == other} == {"unknown origin"}

    conf = tmp_path / "conf"
    conf.write_text(f"[trust]\nsigners = {bob}\n")
    made = here.restore("--create-missing",
                        env={**env, "ANKLUME_CONFIG": str(conf)})
    assert restored(made) == [(other, name) for name in mine.NAMES]


@on_seven
def test_a_signed_manifest_that_was_changed(daemon, store, signers):
    here = store().fill("--sign", "ann@example.org", env=signers.env)
    mine = here.mine
    [project] = mine.projects
    mine.wipe()
    lose_disk()
    here.archive(project, "db").edit_manifest(project="home")
    made = here.restore("--signed-by", signers.fingerprints["ann"],
                        "--create-missing", status=3, env=signers.env)
    assert plans(made)["home", "db"] == "unknown origin"
    assert mine.there() == [(project, "mail"), (project, "web")]
    assert not daemon.exists("db", "home")


# Whose server ---------------------------------------------------------------

def another_server(here, project, name, fingerprint="ab" * 32):
    """The archive says it is of that one."""
    here.archive(project, name).edit_manifest(
        server={"name": "old host", "fingerprint": fingerprint, "member": ""})


@on_seven
def test_the_own_servers_of_two(daemon, store):
    here = store().fill()
    mine = here.mine
    [project] = mine.projects
    mine.wipe()
    another_server(here, project, "mail")
    made = here.restore("--create-missing")
    assert list(plans(made)) == [(project, "db"), (project, "web")]
    for server in ("old host", "abab", "ab" * 32):
        made = here.restore("--server", server)
        assert restored(made) == [(project, "mail")], server
        daemon.incus("delete", "mail", "--project", project)
    assert "there is no archive" in here.restore(
        "--server", "none", status=6)["error"]


@on_six
def test_none_of_the_own_and_two_others(daemon, store):
    here = store().fill()
    mine = here.mine
    [project] = mine.projects
    mine.wipe()
    for name in ("db", "mail"):
        another_server(here, project, name)
    another_server(here, project, "web", "cd" * 32)
    done = daemon.anklume("backup", "restore", "--all", "--from", here.path)
    assert done.status == 7, done
    assert done.err.splitlines()[1:] == ["  --server abababababab (old host)",
                                         "  --server cdcdcdcdcdcd (old host)"]
    # The name is that of both.
    here.restore("--server", "old host", status=7)
    made = here.restore("--server", "cd", "--create-missing")
    assert restored(made) == [(project, "web")]


@on_seven
def test_the_only_server_need_not_be_this_one(daemon, store):
    here = store().fill()
    mine = here.mine
    [project] = mine.projects
    mine.wipe()
    for name in mine.NAMES:
        another_server(here, project, name)
    assert restored(here.restore("--create-missing")) == mine.places


# Only looking ---------------------------------------------------------------

@on_six
def test_a_dry_run(daemon, store):
    here = store().fill()
    mine = here.mine
    [project] = mine.projects
    mine.wipe()
    done = daemon.anklume("backup", "restore", "--all", "--from", here.path,
                          "-n", "--create-missing")
    assert done.status == 0, done
    assert mine.there() == [] and not mine.has_projects()
    lines = done.out.splitlines()
    assert "WHAT HAPPENS" in lines[0] and len(lines) == 4
    for line, name in zip(lines[1:], mine.NAMES):
        assert line.startswith(f"{project}/{name} ")
        assert line.endswith("will be restored")
    assert done.err == ""


def test_a_dry_run_finds_what_is_missing(daemon, store):
    """Each is looked at; what helps is said once."""
    here = store().fill()
    mine = here.mine
    [project] = mine.projects
    mine.wipe()
    words = ["backup", "restore", "--all", "--from", here.path]
    dry, real = (daemon.anklume(*words, *more) for more in (["-n"], []))
    assert mine.there() == [] and not mine.has_projects()
    assert (dry.status, dry.out) == (3, real.out), dry
    assert dry.err.count(f"incus project create {project}") == 1
    assert dry.err.count(f"missing: project '{project}'") == 3
    assert "3 of 3 instances and volumes were not restored" in dry.err
    made = here.restore("-n", "-s", "nosuchpool", "--create-missing", status=3)
    assert {one["status"] for one in made["instances"]} == {6}
    assert "pool 'nosuchpool'" in made["instances"][0]["error"]
    assert "incus storage create" in made["instances"][0]["hint"]


@on_seven
def test_another_pool_and_a_start(daemon, store):
    here = store()
    mine = here.mine
    [project] = mine.projects
    here.fill(words=f"{project}/w*")
    mine.wipe()
    made = here.restore("-s", "bt", "--start", "--create-missing")
    assert restored(made) == [(project, "web")]
    found = daemon.get(f"/1.0/instances/web?project={project}")
    assert found["status"] == "Running"
    assert found["expanded_devices"]["root"]["pool"] == "bt"


# Words ----------------------------------------------------------------------

@on_seven
def test_the_object(daemon, store):
    here = store().fill()
    mine = here.mine
    [project] = mine.projects
    daemon.incus("delete", "web", "--project", project)
    made = here.restore()
    assert (made["schema"], made["command"], made["status"]) == (
        1, "backup restore", 0)
    rows = made["instances"]
    assert [set(row) for row in rows] == [
        {"project", "instance", "plan", "path", "created_at",
         "size_bytes"}] * 2 + [
        {"project", "instance", "plan", "path", "created_at", "size_bytes",
         "status", "origin"}]
    archive = here.archive(project, "web")
    assert rows[2] == {
        "project": project, "instance": "web", "plan": "restore",
        "path": str(archive), "created_at": archive.manifest["created_at"],
        "size_bytes": archive.path.stat().st_size, "status": 0,
        "origin": "this host"}


@on_six
@pytest.mark.parametrize("words, says", [
    (["--all", "web"], "one word too many"),
    (["--all", "--file", "x.tar"], "one word too many"),
    (["--at", "yesterday", "web"], "go with --all"),
    (["--server", "x", "web"], "go with --all"),
    (["--all", "--name", "x"], "neither --name nor --force"),
    (["--all", "--force"], "neither --name nor --force"),
    (["--all", "--at", "soon"], "--at wants a time"),
    (["--all", "--signed-by", "ann"], "fingerprint"),
])
def test_wrong_words(daemon, tmp_path, words, says):
    done = daemon.anklume("backup", "restore", *words, cwd=tmp_path)
    assert done.status == 2 and says in done.err, done


@on_seven
def test_no_archives(daemon, tmp_path):
    for where, status in ((tmp_path, 6), (tmp_path / "none", 10)):
        done = daemon.anklume("--json", "backup", "restore", "--all",
                              "--from", where)
        assert done.status == status, done
        assert done.json()["instances"] == []


@on_seven
def test_a_directory_of_any_name(daemon, store, tmp_path):
    """Names are shown escaped, and still found."""
    here = store().fill()
    mine = here.mine
    [project] = mine.projects
    odd = tmp_path / "a\x1b[31mb\n\udcff"
    here.path = here.path.rename(odd)
    daemon.incus("delete", "web", "--project", project)
    done = daemon.anklume("backup", "restore", "--all", "--from", odd)
    assert done.status == 0 and "\x1b" not in done.out + done.err, done
    assert (project, "web") in mine.there()
