"""snapshot create, list, restore and delete."""

import datetime
import re
import uuid

import pytest

from backups import asks_for_no_work


class Subject:
    """An instance of kept_box, with its snapshots as the daemon has them."""

    def __init__(self, box):
        self.box, self.daemon = box, box.daemon
        self.url = f"/1.0/instances/{box.name}"

    def __str__(self):
        return str(self.box)

    @property
    def held(self):
        """The names, oldest first, by the daemon's own word."""
        found = self.daemon.get(f"{self.url}/snapshots?recursion=1"
                                f"&project={self.box.project}")
        return [one["name"] for one in sorted(
            found, key=lambda one: one["created_at"])]

    def snapshot(self, verb, *words, **more):
        return self.daemon.anklume("snapshot", verb, str(self), *words, **more)

    def take(self, name):
        done = self.snapshot("create", name)
        assert (done.status, done.out, done.err) == (0, f"{name}\n", "")
        return name

    def clear(self):
        for name in self.held:
            self.daemon.incus("snapshot", "delete", self.box.name, name,
                              "--project", self.box.project)


@pytest.fixture
def make_subject(daemon, kept_box):
    made = []

    def make(*kind):
        made.append(Subject(kept_box(daemon, *kind)))
        return made[-1]

    yield make
    for subject in made:
        subject.clear()


@pytest.fixture
def subject(make_subject):
    """In project work, on the dir pool, running."""
    return make_subject("work", "default")


@pytest.fixture
def name():
    return "s" + uuid.uuid4().hex[:8]


# create -------------------------------------------------------------------

def test_the_default_name_is_the_time_and_is_printed(subject):
    before = datetime.datetime.now(datetime.timezone.utc)
    done = subject.snapshot("create")
    after = datetime.datetime.now(datetime.timezone.utc)
    assert (done.status, done.err) == (0, ""), done
    made = done.out.removesuffix("\n")
    assert re.fullmatch(r"snap-[0-9]{8}-[0-9]{6}", made)
    # TZ is UTC in these tests.
    assert f"{before:snap-%Y%m%d-%H%M%S}" <= made <= (
        f"{after:snap-%Y%m%d-%H%M%S}")
    assert subject.held == [made]


def test_the_default_name_is_in_local_time(subject):
    done = subject.snapshot("create", "-n", "--json",
                            env={"TZ": "XXX-13:30"})
    name = done.json()["snapshot"]
    there = datetime.timezone(datetime.timedelta(hours=13.5))
    now = datetime.datetime.now(there)
    assert name[:13] in {
        f"{now - datetime.timedelta(minutes=1):snap-%Y%m%d}",
        f"{now:snap-%Y%m%d}"}
    stamp = datetime.datetime.strptime(
        name, "snap-%Y%m%d-%H%M%S").replace(tzinfo=there)
    assert abs(now - stamp) < datetime.timedelta(minutes=5)


def test_a_name_by_position_or_by_option(subject, name):
    subject.take(name)
    for words in (["--name", name + "b"], [f"--name={name}c"]):
        done = subject.snapshot("create", *words)
        assert (done.status, done.err) == (0, ""), done
    assert subject.held == [name, name + "b", name + "c"]


def test_create_in_json(subject, name):
    done = subject.snapshot("create", name, "--json")
    assert done.json() == {
        "schema": 1, "command": "snapshot create", "status": 0,
        "project": "work", "instance": subject.box.name, "snapshot": name}
    assert subject.held == [name]


def test_two_names_are_one_too_many(subject, name):
    with asks_for_no_work(subject.daemon):
        done = subject.snapshot("create", name, "--name", name + "b")
    assert done.status == 6, done
    assert "with --name, every word is an instance" in done.err


def test_an_existing_name(subject, name):
    subject.take(name)
    with asks_for_no_work(subject.daemon):
        done = subject.snapshot("create", name)
    assert (done.status, done.out) == (8, ""), done
    assert f"'{subject}' has a snapshot '{name}' already" in done.err
    assert subject.held == [name]


def test_a_dry_run_takes_none(subject, name):
    with asks_for_no_work(subject.daemon):
        done = subject.snapshot("create", name, "-n")
    assert done.status == 0, done
    assert subject.held == []


@pytest.mark.parametrize("bad", [
    "", "a b", "a/b", "../x", ".", "..", "a?b", "a#b", "a%2fb", "a\nb",
    "a\x1b[0m", "*", pytest.param("x" * 300, id="long")])
def test_bad_names(subject, bad):
    """Refused before the daemon is asked; shown without control bytes."""
    # Never without -n: Incus 6.0 takes "..", and with it the directory of all
    # snapshots in the pool.
    with asks_for_no_work(subject.daemon):
        done = subject.snapshot("create", "-n", f"--name={bad}")
    assert (done.status, done.out) == (2, ""), done
    assert "\x1b" not in done.err


@pytest.mark.parametrize("bad", ["", "a b", "a/b"])
def test_bad_names_in_earnest(subject, bad):
    with asks_for_no_work(subject.daemon):
        done = subject.snapshot("create", bad)
    assert (done.status, done.out) == (2, ""), done
    assert f"'{bad}' cannot name a snapshot" in done.err
    assert subject.held == []


def test_names_that_look_like_options_go_behind_two_dashes(subject, name):
    done = subject.daemon.anklume(
        "snapshot", "create", "--", str(subject), name)
    assert (done.status, done.out) == (0, f"{name}\n"), done


# list ---------------------------------------------------------------------

def test_list_tells_name_and_time(subject):
    for one in ("one", "two"):
        subject.take(one)
    done = subject.snapshot("list")
    assert done.status == 0, done
    rows = [line.split() for line in done.out.splitlines()]
    assert [row[0] for row in rows] == ["one", "two"]
    for row in rows:
        datetime.datetime.strptime(row[1], "%Y-%m-%dT%H:%M:%S")


def test_list_in_json(subject):
    subject.take("one")
    subject.daemon.incus(
        "config", "set", subject.box.name, "snapshots.expiry=1d",
        "--project", "work")
    try:
        subject.take("two")
    finally:
        subject.daemon.incus("config", "unset", subject.box.name,
                             "snapshots.expiry", "--project", "work")
    told = subject.snapshot("list", "--json").json()
    assert (told["schema"], told["status"]) == (1, 0)
    assert (told["project"], told["instance"]) == ("work", subject.box.name)
    one, two = told["snapshots"]
    assert (one["name"], one["expires_at"]) == ("one", None)
    assert two["name"] == "two"
    assert two["expires_at"] > two["created_at"]
    shown = subject.snapshot("list").out.splitlines()
    assert ["expires" in line for line in shown] == [False, True]


def test_list_of_none(subject):
    done = subject.snapshot("list")
    assert (done.status, done.out, done.err) == (0, "", "")
    assert subject.snapshot("list", "--json").json()["snapshots"] == []


# restore ------------------------------------------------------------------

@pytest.mark.parametrize("kind", [
    ("work", "default", True), ("home", "bt", True),
    ("work", "default", False), ("home", "bt", False)],
    ids=["running-dir", "running-btrfs", "stopped-dir", "stopped-btrfs"])
def test_restore_brings_the_files_back(daemon, make_subject, kind):
    """Running or stopped, on either pool; and it goes on as it was."""
    subject = make_subject(*kind)
    file, later = subject.box.inner("/root/f"), subject.box.inner("/root/l")
    file.write_bytes(b"then")
    subject.take("then")
    file.write_bytes(b"now")
    later.write_bytes(b"later")

    done = subject.snapshot("restore", "--name", "then")
    assert (done.status, done.out, done.err) == (0, "then\n", "")
    assert file.read_bytes() == b"then"
    assert not later.exists()
    state = daemon.get(f"{subject.url}?project={subject.box.project}")
    assert state["status"] == ("Running" if kind[2] else "Stopped")
    assert subject.held == ["then"]


def test_restore_leaves_other_instances_alone(make_subject):
    here, there = make_subject("work", "default"), make_subject("home", "bt")
    file = there.box.inner("/root/f")
    here.take("same")
    there.take("same")
    file.write_bytes(b"now")
    assert here.snapshot("restore", "same").status == 0
    assert file.read_bytes() == b"now"


def test_a_dry_run_restores_nothing(subject):
    file = subject.box.inner("/root/f")
    file.write_bytes(b"then")
    subject.take("then")
    file.write_bytes(b"now")
    with asks_for_no_work(subject.daemon):
        assert subject.snapshot("restore", "then", "-n").status == 0
    assert file.read_bytes() == b"now"


# delete -------------------------------------------------------------------

def test_deletion_deletes_that_one(subject):
    for one in ("one", "two", "three"):
        subject.take(one)
    done = subject.snapshot("delete", "--name", "two")
    assert (done.status, done.out, done.err) == (0, "two\n", "")
    assert subject.held == ["one", "three"]
    done = subject.snapshot("delete", "one", "--json")
    assert done.json() == {
        "schema": 1, "command": "snapshot delete", "status": 0,
        "project": "work", "instance": subject.box.name, "snapshot": "one"}
    assert subject.held == ["three"]
    left = (subject.daemon.files / "storage-pools/default"
            / "containers-snapshots" / f"work_{subject.box.name}")
    assert [path.name for path in left.iterdir()] == ["three"]


def test_a_dry_run_deletes_nothing(subject):
    subject.take("one")
    with asks_for_no_work(subject.daemon):
        assert subject.snapshot("delete", "one", "-n").status == 0
    assert subject.held == ["one"]


@pytest.mark.parametrize("verb", ["restore", "delete"])
def test_a_missing_snapshot(subject, verb):
    subject.take("one")
    with asks_for_no_work(subject.daemon):
        done = subject.snapshot(verb, "nosuch")
    assert (done.status, done.out) == (6, ""), done
    assert done.err == (f"anklume: '{subject}' has no snapshot 'nosuch'\n"
                        f"  anklume snapshot list {subject}\n")
    assert subject.held == ["one"]


@pytest.mark.parametrize("verb", ["restore", "delete"])
def test_which_snapshot(subject, verb):
    """No name is no wish: nothing is chosen."""
    subject.take("one")
    with asks_for_no_work(subject.daemon):
        done = subject.snapshot(verb)
    assert (done.status, done.out) == (2, ""), done
    assert f"anklume snapshot list {subject}" in done.err
    assert subject.held == ["one"]


@pytest.mark.parametrize("verb", ["restore", "delete"])
@pytest.mark.parametrize("name", [
    "", ".", "..", "../..", "one/..", "..%2f..", "one?project=home", "one#"])
def test_a_name_is_never_a_path(subject, verb, name):
    """The instance and its snapshots are where they were."""
    subject.take("one")
    with asks_for_no_work(subject.daemon):
        done = subject.snapshot(verb, f"--name={name}")
    assert done.status in (2, 6), done
    assert subject.held == ["one"]


def test_json_of_a_failure(subject):
    done = subject.snapshot("delete", "nosuch", "--json")
    told = done.json()
    assert (done.status, told["status"], told["schema"]) == (6, 6, 1)
    assert told["error"] == f"'{subject}' has no snapshot 'nosuch'"


# Several instances --------------------------------------------------------

def test_several_instances_and_one_name(make_subject, name):
    """One name for all, by the option; each is printed."""
    here, there = make_subject("work", "default"), make_subject("home", "bt")
    for verb, after in (("create", [name]), ("restore", [name]),
                        ("delete", [])):
        done = here.snapshot(verb, str(there), "--name", name)
        assert done.status == 0, done
        assert (here.held, there.held) == (after, after)


def test_several_instances_are_found_before_the_first_is_touched(
        subject, name):
    with asks_for_no_work(subject.daemon):
        done = subject.snapshot("create", "nobody", "--name", name)
    assert done.status == 6, done
    assert subject.held == []


# Restricted projects ------------------------------------------------------

def test_a_restricted_project_names_the_way_out(daemon, make_box):
    box = make_box(project="locked", start=False)
    with asks_for_no_work(daemon):
        done = daemon.anklume("snapshot", "create", str(box), "one")
    assert done.status == 4, done
    command = "incus project set locked restricted.snapshots=allow"
    assert f"  {command}\n" in done.err
    try:
        daemon.incus(*command.split()[1:])
        done = daemon.anklume("snapshot", "create", str(box), "one")
        assert (done.status, done.out) == (0, "one\n"), done
    finally:
        box.delete()
        daemon.incus("project", "unset", "locked", "restricted.snapshots")
