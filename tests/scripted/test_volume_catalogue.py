"""Backups of custom volumes among those of instances: what reads manifests knows
both, and no word finds the one for the other."""

import json
import os

import pytest

from catalogues import FINGERPRINT, KEY, Catalogue
from scripted import error, sync

DATA = "GET /1.0/storage-pools/default/volumes/custom/data"
LOGS = "GET /1.0/storage-pools/bt/volumes/custom/logs"

OTHER = {"name": "other", "fingerprint": FINGERPRINT[::-1], "member": ""}


class Here:
    """backups/ of a run, and what is asked of it."""

    def __init__(self, anklume, daemon):
        self.anklume, self.daemon = anklume, daemon
        self.catalogue = Catalogue(anklume.home / "backups")
        self.catalogue.path.mkdir()
        daemon.instances = {}

    def instance(self, name, day=20, **fields):
        return self.catalogue.archive(
            name, name.encode(),
            created_at=f"2026-11-{day}T10:00:00Z", **fields)

    def volume(self, name, day=20, **fields):
        return self.catalogue.volume(
            name, name.encode(),
            created_at=f"2026-11-{day}T10:00:00Z", **fields)

    def run(self, *words, status=0):
        done = self.anklume("--json", "backup", *words)
        assert done.status == status, done
        return done.json()

    def names(self, *words):
        return [os.path.basename(one["path"])
                for one in self.run("list", *words)["backups"]]

    def shown(self, word):
        return os.path.basename(self.run("show", word)["backup"]["path"])

    def adopt(self):
        done = self.anklume("backup", "adopt", "backups", "--yes")
        assert done.status == 0, done
        return done

    def plan(self, *options, status=3):
        """What restore --all would do, in its order. The archives are none, so
        that those which it looks at fail."""
        told = self.run("restore", "--all", "--dry-run", *options,
                        status=status)
        return [(f"{one['project']}/{one.get('instance', one.get('volume'))}",
                 one["plan"]) for one in told["instances"]]


@pytest.fixture
def here(anklume, daemon):
    return Here(anklume, daemon)


@pytest.fixture
def several(here):
    """Two instances, and volumes that have the names of such."""
    here.instance("w1.tar", 20)
    here.instance("w2.tar", 22)
    here.instance("d.tar", 21, instance="data")
    here.volume("v1.tar", 20)
    here.volume("v2.tar", 22)
    here.volume("b.tar", 21, volume="bt/data")
    here.volume("home/h.tar", 21, project="home")
    here.volume("home/w.tar", 21, project="home", volume="default/web")
    return here


def test_volumes_of_a_project_come_after_its_instances(several):
    assert several.names() == [
        "h.tar", "w.tar", "d.tar", "w2.tar", "w1.tar", "b.tar", "v2.tar",
        "v1.tar"]
    done = several.anklume("backup", "list")
    assert [line.split()[0] for line in done.out.splitlines()[1:]] == [
        "home/default/data", "home/default/web", "work/data", "work/web",
        "work/web", "work/bt/data", "work/default/data", "work/default/data"]


@pytest.mark.parametrize("words, found", [
    (["work/default/data"], ["v2.tar", "v1.tar"]),
    (["local:work/default/data"], ["v2.tar", "v1.tar"]),
    (["work/default/data@2026-11-20Z"], ["v1.tar"]),
    (["work/bt/data", "web"], ["w2.tar", "w1.tar", "b.tar"]),
    (["data"], ["d.tar"]),
    (["work/data"], ["d.tar"]),
    (["web"], ["w2.tar", "w1.tar"]),
    (["--project", "home"], ["h.tar", "w.tar"]),
    (["work/default/data", "--project", "work"], ["v2.tar", "v1.tar"])])
def test_words_choose_among_both(several, words, found):
    assert several.names(*words) == found


@pytest.mark.parametrize("word", [
    "home/web", "default/data", "bt/data", "home/default/logs",
    "work/default/web", "work/default/data@2026-11-23Z"])
def test_words_that_find_neither(several, word):
    several.run("list", word, status=6)
    several.run("show", word, status=6)


@pytest.mark.parametrize("word, name", [
    ("work/default/data", "v2.tar"), ("work/bt/data", "b.tar"),
    ("work/default/data@2026-11-20Z", "v1.tar"),
    ("home/default/web", "w.tar"), ("data", "d.tar"), ("web", "w2.tar"),
    ("backups/v1.tar", "v1.tar")])
def test_the_newest_of_a_volume(several, word, name):
    assert several.shown(word) == name


def test_a_volume_found_damaged_or_cut_is_passed_over(several):
    cut = several.volume("v3.tar", 23)
    cut.write_bytes(b"")
    assert several.shown("work/default/data") == "v2.tar"
    done = several.anklume("backup", "verify", "--level", "digest",
                           "backups/v2.tar")
    assert done.status == 0, done
    (several.catalogue.path / "v2.tar").write_bytes(b"v2.tor")
    done = several.anklume("backup", "verify", "--level", "digest",
                           "work/default/data@2026-11-22Z")
    assert done.status == 5 and "damaged: " in done.out, done
    assert several.shown("work/default/data") == "v1.tar"
    states = {os.path.basename(one["path"]): one["state"]
              for one in several.run("list", "work/default/data")["backups"]}
    assert states == {"v1.tar": "present", "v2.tar": "damaged",
                      "v3.tar": "wrong size"}


def test_verify_takes_volumes_too(several):
    (several.catalogue.path / "b.tar").write_bytes(b"x.tar")
    told = several.run("verify", "--level", "digest", status=5)
    assert {os.path.basename(one["path"]): one["result"]
            for one in told["backups"]} == {
                "w1.tar": "intact", "w2.tar": "intact", "d.tar": "intact",
                "v1.tar": "intact", "v2.tar": "intact", "b.tar": "damaged",
                "h.tar": "intact", "w.tar": "intact"}
    # A few every night, and in time all: the volume is next.
    new = several.volume("v9.tar", 19)
    told = several.run("verify", "--level", "digest", "--oldest", "1",
                       "work/default/data")
    assert [one["path"] for one in told["backups"]] == [
        f"backups/{new.name}"]


def test_of_two_servers_none_is_chosen(here):
    here.volume("1.tar")
    here.volume("2.tar", server=OTHER)
    told = here.anklume("backup", "show", "work/default/data")
    assert told.status == 7 and "several volumes" in told.err, told
    assert "backups/1.tar" in told.err and "backups/2.tar" in told.err


@pytest.mark.parametrize("word", ["data", "work/data", "default/data"])
def test_a_volume_of_that_name_is_named(here, word):
    """As it must be typed."""
    here.volume("1.tar", 20)
    here.volume("2.tar", 21)
    here.volume("3.tar", 21, volume="bt/data")
    here.volume("4.tar", 21, volume="bt/other")
    done = here.anklume("backup", "show", word)
    assert done.status == 6, done
    assert done.err.count("work/default/data\n") == 1
    assert done.err.count("work/bt/data\n") == 1
    assert "other" not in done.err


def test_a_volume_whose_name_has_an_at(here):
    here.volume("a.tar", 20, volume="default/a@b")
    here.volume("b.tar", 21, volume="default/a@b")
    assert here.names("work/default/a@b") == ["b.tar", "a.tar"]
    assert here.names("work/default/a@b@2026-11-20Z") == ["a.tar"]
    done = here.anklume("backup", "show", "work/default/a@noon")
    assert done.status == 6 and "yesterday" in done.err, done


@pytest.mark.parametrize("fields", [
    {"volume": "data"}, {"volume": "a/b/c"}, {"volume": "/data"},
    {"volume": "default/"}, {"volume": "../data"}, {"volume": "default/.."},
    {"volume": 1}, {"volume": None}, {"volume": ["a/b"]}])
def test_a_manifest_that_names_no_volume(here, fields):
    here.volume("1.tar", **fields)
    done = here.anklume("backup", "list")
    assert done.status == 0 and "\n?  " in done.out, done
    done = here.anklume("backup", "adopt", "backups", "--yes")
    assert done.status == 5 and "does not say what it is of" in done.err
    assert here.run("prune", "--keep-last", "1", "--dry-run")["archives"] == []
    here.run("restore", "--all", "--dry-run", status=6)


def test_an_instance_does_not_pass_for_a_volume(here):
    here.volume("real.tar", 20)
    here.instance("false.tar", 22, instance="default/data")
    both = here.catalogue.archive("both.tar", instance="web",
                                  volume="default/data",
                                  created_at="2026-11-23T10:00:00Z")
    assert here.names("work/default/data") == ["real.tar"]
    assert here.names("web") == [both.name]
    told = here.run("prune", "--keep-last", "1", "--dry-run")["archives"]
    assert all(one["keep"] for one in told) and len(told) == 2


# Show -----------------------------------------------------------------------

def commands(here, path):
    (command,) = here.run("show", path)["backup"]["restore_commands"]
    return command


def test_show_says_type_and_content(here):
    here.volume("v.tar", content_type="block", volume="default/data")
    done = here.anklume("backup", "show", "work/default/data")
    assert done.status == 0, done
    told = dict(line.split(None, 1) for line in done.out.splitlines()
                if len(line.split(None, 1)) == 2)
    assert told["volume"] == "default/data" and told["type"] == "volume"
    assert told["content"] == "block" and "instance" not in told


def test_the_commands_that_restore_a_volume(here):
    here.volume("v.tar")
    here.volume("e.tar.gpg", recipients=[KEY])
    here.volume("o.tar", project="o p", volume="p q/--force")
    assert commands(here, "backups/v.tar") == (
        "incus storage volume import default backups/v.tar data "
        "--project work")
    assert commands(here, "backups/e.tar.gpg") == (
        "gpg --decrypt backups/e.tar.gpg | incus storage volume import "
        "default /dev/stdin data --project work")
    assert commands(here, "backups/o.tar") == (
        "incus storage volume import POOL backups/o.tar NAME "
        "--project default")


# Prune, ack -----------------------------------------------------------------

def test_prune_takes_each_for_itself(several):
    told = several.run("prune", "--keep-last", "1")
    assert {(one.get("instance"), one.get("volume"),
             os.path.basename(one["path"]))
            for one in told["archives"] if not one["keep"]} == {
                ("web", None, "w1.tar"), (None, "default/data", "v1.tar")}
    assert told["kept"] == 6 and told["removed"] == 2
    assert sorted(several.names()) == [
        "b.tar", "d.tar", "h.tar", "v2.tar", "w.tar", "w2.tar"]


def test_prune_of_one_volume(several):
    done = several.anklume("backup", "prune", "--keep-last", "1", "--dry-run",
                           "work/default/data")
    assert done.status == 0, done
    assert [line.split()[:2] for line in done.out.splitlines()] == [
        ["remove", "work/default/data"], ["keep", "work/default/data"]]
    several.run("prune", "--keep-last", "1", "work/default/nosuch", status=6)
    several.run("prune", "--keep-last", "1", "default/data", status=6)
    told = several.run("prune", "--keep-last", "1",
                       "work/default/data@2026-11-20", status=2)
    assert "without a time" in told["error"]


def test_prune_keeps_both_sides_of_a_shrinkage_until_ack(here):
    old = here.volume("1.tar", 20)
    told = json.loads(old.with_name("1.tar.json").read_text())
    here.volume("2.tar", 21, shrunk_from=told["sha256"])
    here.volume("3.tar", 22)
    here.volume("4.tar", 22, volume="bt/data", shrunk_from="0" * 64)
    rules = ["prune", "--keep-last", "1", "work/default/data"]
    assert here.run(*rules, "--dry-run")["removed"] == 0
    done = here.anklume("backup", "ack", "data")
    assert done.status == 6, done
    done = here.anklume("backup", "ack", "work/default/data")
    assert (done.status, done.out) == (0, "backups/2.tar\n"), done
    assert here.run(*rules)["removed"] == 2


# Status, drill ---------------------------------------------------------------

def test_status_is_of_instances(several):
    several.daemon.instances["web"] = "work"
    told = several.run("status", "--max-age", "99y")
    assert [(one["project"], one["instance"], one["state"])
            for one in told["instances"]] == [
                ("work", "data", "gone"), ("work", "web", "ok")]
    assert told["instances"][1]["archives"] == 2
    for form in ("table", "nagios", "prometheus", "html"):
        done = several.anklume("backup", "status", "--format", form,
                               "--max-age", "99y")
        assert done.status == 0 and "default/data" not in done.out, done


@pytest.mark.parametrize("word, options", [
    ("work/default/data", []), ("work/default/data@2026-11-20Z", []),
    ("work/default/nosuch", []), ("backups/v1.tar", []),
    ("work/default/data", ["--oldest", "9"]),
    ("work/default/nosuch", ["--oldest", "9"])])
def test_a_volume_is_not_drilled(several, word, options):
    done = several.anklume("backup", "drill", "--dry-run", "web", word,
                           *options)
    assert done.status == 2, done
    assert "custom volume" in done.err and f"backup verify {word}" in done.err


def test_drill_never_chooses_a_volume(several):
    done = several.anklume("backup", "drill", "--dry-run", "--oldest", "99")
    assert done.status == 0, done
    assert sorted(line.split("/")[-1] for line in done.err.splitlines()) == [
        "d.tar'", "w1.tar'", "w2.tar'"]
    for name in ("d", "w1", "w2"):
        (several.catalogue.path / f"{name}.tar").unlink()
    done = several.anklume("backup", "drill", "--dry-run", "--oldest", "1")
    assert done.status == 6, done


# Adopt, and restore --all ----------------------------------------------------

def test_adopt_takes_volumes(several):
    done = several.adopt()
    assert "work/default/data, made 2026-11-22" in done.err
    told = several.run("adopt", "backups")["archives"]
    assert {one["state"] for one in told} == {"known"}
    assert {one.get("volume") for one in told} == {
        None, "default/data", "bt/data", "default/web"}
    assert all(("volume" in one) != ("instance" in one) for one in told)
    assert {one["origin"] for one in several.run("list")["backups"]} == {
        "this host"}


def missing(daemon, *words):
    for one in words:
        daemon.on(one, error("Storage volume not found", 404))


def test_volumes_are_restored_first(here, daemon):
    here.instance("w.tar")
    here.instance("a.tar", project="home", instance="a")
    here.volume("v.tar")
    here.volume("l.tar", volume="bt/logs", project="zoo")
    missing(daemon, DATA, LOGS)
    here.adopt()
    order = ["work/default/data", "zoo/bt/logs", "home/a", "work/web"]
    assert here.plan() == [(one, "restore") for one in order]
    done = here.anklume("backup", "restore", "--all", "--dry-run")
    assert [line.split()[0] for line in done.out.splitlines()[1:]] == order
    assert "4 of 4 instances and volumes were not restored" in done.err
    for one in order:
        assert f"{one} failed: " in done.err


def test_what_is_there_is_left_alone(here, daemon):
    """Of the project that holds it, and of its own pool."""
    here.volume("v.tar")
    here.volume("h.tar", project="home")
    here.volume("l.tar", volume="bt/logs")
    here.instance("w.tar")
    daemon.instances["web"] = "work"
    daemon.on(DATA, lambda x: x.send(
        sync({"name": "data"}) if x.query.get("project") == "work"
        else error("Project not found", 404)))
    missing(daemon, LOGS)
    here.adopt()
    assert here.plan() == [
        ("home/default/data", "restore"), ("work/bt/logs", "restore"),
        ("work/default/data", "exists"), ("work/web", "exists")]


def test_a_daemon_that_does_not_tell_of_a_volume(here, daemon):
    here.volume("v.tar")
    daemon.on(DATA, error("boom", 500))
    told = here.run("restore", "--all", "--dry-run", status=1)
    assert "boom" in told["error"] and told["instances"] == []


def test_a_stranger_and_what_is_damaged(here, daemon):
    here.volume("v.tar").write_bytes(b"")
    here.volume("l.tar", volume="bt/logs")
    missing(daemon, DATA, LOGS)
    assert here.plan() == [("work/bt/logs", "unknown origin"),
                           ("work/default/data", "no intact archive")]


def attached(*volumes):
    return [dict(zip(("project", "pool", "name"), one.split("/")))
            for one in volumes]


def test_a_project_and_what_it_needs_of_another(here, daemon):
    here.volume("d.tar", project="default")
    here.volume("o.tar", project="default", volume="default/other")
    here.volume("l.tar", project="default", volume="bt/logs")
    here.volume("w.tar", volume="default/own")
    here.volume("z.tar", project="zoo")
    here.instance("1.tar", 20, volumes=attached("default/bt/logs"))
    here.instance("2.tar", 22, volumes=attached(
        "default/default/data", "default/default/gone") + [None, {}, {
            "project": "default", "pool": "default/other", "name": ""}])
    here.instance("h.tar", project="home", instance="h",
                  volumes=attached("default/default/other"))
    missing(daemon, DATA, LOGS, DATA.replace("data", "own"),
            DATA.replace("data", "other"))
    here.adopt()
    chosen = [("default/default/data", "restore"),
              ("work/default/own", "restore"), ("work/web", "restore")]
    assert here.plan("--project", "work") == chosen
    # As of then, the instance had another one.
    assert here.plan("--project", "work", "--at", "2026-11-21") == [
        ("default/bt/logs", "restore"), *chosen[1:]]
    assert [one for one, _ in here.plan("--project", "default")] == [
        "default/bt/logs", "default/default/data", "default/default/other"]
    assert len(here.plan()) == 7


def test_volumes_of_the_chosen_server_alone(here, daemon):
    here.volume("1.tar", 20, server=OTHER)
    here.volume("2.tar", 21)
    here.instance("w.tar", server=OTHER)
    missing(daemon, DATA)
    here.adopt()
    assert here.plan() == [("work/default/data", "restore")]
    assert here.plan("--server", "other") == [
        ("work/default/data", "restore"), ("work/web", "restore")]


# Completion ------------------------------------------------------------------

def offered(here, *words):
    result = here.anklume("complete", "--", "backup", *words)
    assert (result.status, result.err) == (0, ""), result
    return [line.split("\t")[0] for line in result.out.splitlines()]


def test_volumes_are_offered_as_they_are_typed(several):
    several.volume("x.tar", volume="default/a b")
    several.volume("y.tar", volume="de;l/ab")
    several.volume("z.tar", project="anklume-drill-1")
    assert offered(several, "list", "") == [
        "data", "web", "work/bt/data", "home/default/data",
        "work/default/data", "home/default/web"]
    assert offered(several, "prune", "work/") == [
        "work/data", "work/web", "work/bt/data", "work/default/data"]
    assert offered(several, "ack", "work/default/") == ["work/default/data"]
    assert offered(several, "show", "local:work/d") == [
        "local:work/data", "local:work/default/data"]
    assert offered(several, "list", "work/default/data@") == [
        "work/default/data@2026-11-22T10:00:00Z",
        "work/default/data@2026-11-20T10:00:00Z"]
