"""snapshot: which words are instances, which is the name, and what becomes of
several instances. Against the scripted daemon, which lets each of them fail."""

import re

import pytest

from scripted import error, sync

VERBS = ["create", "restore", "delete"]
WORK = {"create": "POST /1.0/instances/{}/snapshots",
        "restore": "PUT /1.0/instances/{}",
        "delete": "DELETE /1.0/instances/{}/snapshots/s"}


@pytest.fixture(autouse=True)
def three(daemon):
    """web and db in project default, mail in project work; an `s` of each."""
    daemon.instances["mail"] = "work"
    for name in ("web", "db", "mail"):
        daemon.on(f"GET /1.0/instances/{name}/snapshots/s", sync(
            {"name": "s"}))
    daemon.bent_for_create = lambda: [
        daemon.bent.pop(f"GET /1.0/instances/{name}/snapshots/s")
        for name in ("web", "db", "mail")]


def prepare(daemon, verb):
    """A snapshot must be there, or must not."""
    if verb == "create":
        daemon.bent_for_create()


def work_asked(daemon):
    return [words for words in daemon.asked if not words.startswith("GET ")]


# Which word is what -------------------------------------------------------

@pytest.mark.parametrize("verb", VERBS)
def test_all_words_are_instances_beside_the_option(daemon, anklume, verb):
    prepare(daemon, verb)
    done = anklume("snapshot", verb, "web", "db", "work/mail", "--name", "s")
    assert (done.status, done.err) == (0, ""), done
    assert done.out == "default/web s\ndefault/db s\nwork/mail s\n"
    assert work_asked(daemon) == [
        WORK[verb].format(name) for name in ("web", "db", "mail")]


@pytest.mark.parametrize("words, made", [
    (["web"], ["web"]), (["web", "db"], ["web", "db"]),
    (["web", "default/db"], ["web", "db"]),
    (["web", "db", "mail"], ["web", "db", "mail"])], ids=str)
def test_create_makes_one_name_for_all(daemon, anklume, words, made):
    done = anklume("snapshot", "create", *words)
    assert done.status == 0, done
    names = re.findall(r"snap-[0-9]{8}-[0-9]{6}$", done.out, re.M)
    assert len(names) == len(made) and len(set(names)) == 1
    assert work_asked(daemon) == [
        WORK["create"].format(name) for name in made]


def test_create_takes_a_word_that_is_no_instance_for_the_name(
        daemon, anklume):
    prepare(daemon, "create")
    done = anklume("snapshot", "create", "web", "before")
    assert (done.status, done.out, done.err) == (0, "before\n", "")
    assert work_asked(daemon) == [WORK["create"].format("web")]


@pytest.mark.parametrize("verb", ["restore", "delete"])
def test_the_second_of_two_is_the_name_whoever_else_is_called_so(
        daemon, anklume, verb):
    """A new instance somewhere changes nothing of what a script does."""
    daemon.instances["s"] = "work"
    done = anklume("snapshot", verb, "web", "s")
    assert (done.status, done.out, done.err) == (0, "s\n", "")
    assert work_asked(daemon) == [WORK[verb].format("web")]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("words, status", [
    (["web", "nobody", "--name", "s"], 6), (["web", "db", "nobody"], 6),
    (["nobody", "s"], 6), (["web", "a=b", "--name", "s"], 2),
    (["web", "db", "default/web", "--name", "s"], 2)], ids=str)
def test_all_instances_are_found_before_the_first_is_touched(
        daemon, anklume, verb, words, status):
    prepare(daemon, verb)
    done = anklume("snapshot", verb, *words)
    assert (done.status, done.out) == (status, ""), done
    assert work_asked(daemon) == []


@pytest.mark.parametrize("verb", ["restore", "delete"])
def test_several_instances_want_the_option(daemon, anklume, verb):
    done = anklume("snapshot", verb, "web", "db", "mail")
    assert (done.status, done.out) == (2, ""), done
    assert "which snapshot?" in done.err
    assert work_asked(daemon) == []


def test_list_tells_whose_each_is(daemon, anklume):
    done = anklume("snapshot", "list", "web", "mail", "-n")
    assert (done.status, done.err) == (0, ""), done
    assert [line.split()[:2] for line in done.out.splitlines()] == [
        ["default/web", "snap0"], ["work/mail", "snap0"]]
    told = anklume("snapshot", "list", "web", "mail", "--json").json()
    assert [(one["instance"], one["status"], one["snapshots"][0]["name"])
            for one in told["results"]] == [
                ("web", 0, "snap0"), ("mail", 0, "snap0")]


# Names --------------------------------------------------------------------

@pytest.mark.parametrize("name", ["..", ".", "", "../web", "a b", "a/b"])
def test_names_that_lead_elsewhere(daemon, anklume, name):
    """Incus 6.0 takes "..", and overwrites what others have there."""
    for words in (["web", name], ["web", "--name", name],
                  ["web", "db", "--name", name]):
        done = anklume("snapshot", "create", *words)
        assert (done.status, done.out) == (2, ""), done
        assert "cannot name a snapshot" in done.err
    assert work_asked(daemon) == []


@pytest.mark.parametrize("verb", ["restore", "delete"])
@pytest.mark.parametrize("name", ["..", ".", "", "../web", "s/.."])
def test_names_that_no_snapshot_has(daemon, anklume, verb, name):
    for words in (["web", name], ["web", "--name", name]):
        done = anklume("snapshot", verb, *words)
        assert (done.status, done.out) == (2, ""), done
    assert daemon.asked == []


def test_an_odd_name_that_exists_can_be_deleted(daemon, anklume):
    daemon.on("GET /1.0/instances/web/snapshots/a%20b", sync({}))
    done = anklume("snapshot", "delete", "web", "a b")
    assert (done.status, done.out) == (0, "a b\n"), done
    assert work_asked(daemon) == [
        "DELETE /1.0/instances/web/snapshots/a%20b"]


# Failures of some ---------------------------------------------------------

@pytest.mark.parametrize("verb", VERBS)
def test_one_of_several_fails_and_the_others_go_on(daemon, anklume, verb):
    prepare(daemon, verb)
    daemon.on(WORK[verb].format("db"), error("the pool is on fire"))
    words = ("snapshot", verb, "web", "db", "mail", "--name", "s")
    done = anklume(*words)
    assert done.status == 3, done
    assert done.out == "default/web s\nwork/mail s\n"
    note, end = done.err.splitlines()
    assert "default/db" in note and "the pool is on fire" in note
    assert end == "anklume: 1 of 3 instances failed"

    told = anklume(*words, "--json").json()
    assert (told["status"], len(told["notes"])) == (3, 1)
    assert [(one["instance"], one["snapshot"], one["status"],
             "fire" in one.get("error", "")) for one in told["results"]] == [
                 ("web", "s", 0, False), ("db", "s", 1, True),
                 ("mail", "s", 0, False)]


@pytest.mark.parametrize("verb", VERBS)
def test_one_instance_has_its_own_status(daemon, anklume, verb):
    prepare(daemon, verb)
    daemon.on(WORK[verb].format("db"), error("no space left on device"))
    done = anklume("snapshot", verb, "db", "--name", "s", "--json")
    assert done.status == 13, done
    assert done.json()["instance"] == "db"
    assert "results" not in done.json()


def test_silence_ends_the_run(daemon, anklume):
    """The next would only wait as long again."""
    prepare(daemon, "create")
    daemon.stall(WORK["create"].format("db"))
    done = anklume("snapshot", "create", "web", "db", "mail", "--name", "s",
                   "--timeout", "1", "--json")
    assert done.status == 9, done
    assert [one["status"] for one in done.json()["results"]] == [0, 9, None]
    assert WORK["create"].format("mail") not in daemon.asked


# --dry-run, --verbose -----------------------------------------------------

@pytest.mark.parametrize("verb, says", [
    ("create", "would make the snapshot 's' of 'default/{}'"),
    ("restore", "would restore 'default/{}' to 's'"),
    ("delete", "would delete the snapshot 's' of 'default/{}'")])
def test_a_dry_run_is_not_taken_for_done(daemon, anklume, verb, says):
    prepare(daemon, verb)
    done = anklume("-n", "snapshot", verb, "web", "s")
    assert (done.status, done.out) == (0, ""), done
    assert done.err == f"anklume: {says.format('web')}\n"
    assert anklume("-n", "snapshot", verb, "web", "s", "--json").json()[
        "dry_run"] is True
    told = anklume("-n", "snapshot", verb, "web", "db", "--name", "s",
                   "--json").json()
    assert [one["dry_run"] for one in told["results"]] == [True, True]
    assert told["notes"] == [says.format("web"), says.format("db")]
    assert work_asked(daemon) == []


def test_verbose_tells_what_was_found(daemon, anklume):
    done = anklume("-v", "snapshot", "list", "mail", "--json")
    assert done.status == 0, done
    assert done.err.splitlines() == [
        f"anklume: Incus 6.0.4, 'scripted', at '{daemon.path}'",
        "anklume: 'mail' is 'work/mail'"]
    assert "notes" not in done.json()


@pytest.mark.parametrize("words", [[], ["-v", "-q"]], ids=str)
def test_nothing_is_told_or_asked_otherwise(daemon, anklume, words):
    done = anklume(*words, "snapshot", "list", "mail")
    assert (done.status, done.err) == (0, ""), done
    assert "GET /1.0" not in daemon.asked
