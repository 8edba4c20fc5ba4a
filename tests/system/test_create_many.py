"""Several instances at once: which ones, where they go, and what happens to the
others when one fails, waits, or is ended."""

import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

from backups import RECORD, sha256_of, wait_for
from midway import END_S

# Slower than any test: such a run is under way until it is ended.
NEVER = ("--bwlimit", "1K")


def create(daemon, *words, status=0, **run):
    done = daemon.anklume("--json", "backup", "create", *words, **run)
    assert done.status == status, done
    return json.loads(done.out)


def where(result):
    return [(one["project"], one["instance"]) for one in result["backups"]]


def check_whole(result, output):
    """Each is what it says, where it should be, with its manifest."""
    for one in result["backups"]:
        path = pathlib.Path(one["path"])
        assert path.parent == output / one["project"]
        assert path.name.startswith(one["instance"] + "-")
        assert sha256_of(path.read_bytes()) == one["sha256"]
        manifest = json.loads((path.parent / (path.name + ".json")).read_text())
        assert (manifest["project"], manifest["instance"]) == (
            one["project"], one["instance"])
        assert (RECORD / f"{one['sha256']}.json").exists()


def files_below(path):
    return sorted(str(one.relative_to(path)) for one in path.rglob("*")
                  if one.is_file())


# Which ones ---------------------------------------------------------------

def test_a_project(daemon, crowd, tmp_path):
    mine = crowd(2)
    project = mine.projects[0]
    made = create(daemon, "--all", "--project", project, "-o", tmp_path / "o")
    assert where(made) == [(project, name) for name in mine.NAMES]
    check_whole(made, tmp_path / "o")
    assert (tmp_path / "o").stat().st_mode & 0o777 == 0o700
    assert len(files_below(tmp_path / "o")) == 6


@pytest.mark.parametrize("jobs", ["1", "2", "64"])
def test_patterns(daemon, crowd, tmp_path, jobs):
    mine = crowd(2)
    one, other = mine.projects
    made = create(daemon, mine.all, f"{one}/w?b", f"{other}/db", "--exclude",
                  "mail", "--exclude", f"{one}/d*", "-o", tmp_path / "o",
                  "--jobs", jobs)
    assert where(made) == [(one, "web"), (other, "db"), (other, "web")]
    check_whole(made, tmp_path / "o")


def test_one_by_a_pattern_is_still_several(daemon, crowd, tmp_path):
    [project] = crowd().projects
    made = create(daemon, f"{project}/w*", "-o", tmp_path / "o")
    assert where(made) == [(project, "web")]
    check_whole(made, tmp_path / "o")


def test_what_is_left_out_is_named(daemon, crowd, tmp_path):
    """But not what was asked for by its name."""
    mine = crowd()
    [project] = mine.projects
    mine.config(project, "mail", "user.anklume.backup=no: \x1b[31mscratch")
    mine.add(project, "passing", ephemeral=True)
    done = daemon.anklume("--json", "backup", "create", mine.all, "-o",
                          tmp_path / "o")
    made = json.loads(done.out)
    assert where(made) == [(project, "db"), (project, "web")]
    assert [(one["instance"], one["reason"]) for one in made["left_out"]] == [
        ("mail", "user.anklume.backup = no: \x1b[31mscratch"),
        ("passing", "it is ephemeral")]
    assert "\x1b" not in done.err
    assert f"left out: '{project}/passing': it is ephemeral" in done.err

    made = create(daemon, mine.all, f"{project}/mail", "-o", tmp_path / "p")
    assert (project, "mail") in where(made)
    made = create(daemon, f"{project}/mail", "-o", tmp_path / "q")
    assert made["path"].startswith(f"{tmp_path}/q/mail-")


@pytest.mark.parametrize("words, says", [
    (["PROJECT/x*"], "no instance matches"),
    (["PROJECT/*", "PROJECT/nope"], "instance not found"),
    (["PROJECT/*", "--exclude", "*"], "no instance is left"),
    (["--all", "--project", "nosuchproject"], "no instance matches"),
])
def test_nothing_matches(daemon, crowd, tmp_path, words, says):
    [project] = crowd().projects
    words = [word.replace("PROJECT", project) for word in words]
    made = create(daemon, *words, "-o", tmp_path / "o", status=6)
    assert says in made["error"]
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("words, says", [
    (["--all", "web"], "one word too many"),
    ([], "which instance?"),
    (["web", "--exclude", "x"], "choose among several"),
    (["web", "--jobs", "2"], "choose among several"),
    (["--all", "--jobs", "0"], "--jobs wants"),
    (["--all", "--jobs", "x"], "--jobs wants"),
    (["--all", "--lock-wait", "soon"], "--lock-wait wants"),
    (["--all", "--bwlimit", "5"], "--bwlimit wants"),
    (["--all", "-o", "-"], "standard output"),
    (["a[*"], "is no pattern"),
    (["a/b/*"], "is no pattern"),
    (["*", "--exclude", "["], "is no pattern"),
])
def test_wrong_words(daemon, tmp_path, words, says):
    made = create(daemon, *words, cwd=tmp_path, status=2)
    assert says in made["error"], made
    assert not os.listdir(tmp_path)


def test_a_dry_run(daemon, crowd, tmp_path):
    mine = crowd()
    made = create(daemon, mine.all, "-n", "-o", tmp_path / "o")
    assert len([one for one in made["notes"] if "would back up" in one]) == 3
    assert not (tmp_path / "o").exists()


# What one does to the others -----------------------------------------------

def test_one_that_fails(daemon, crowd, tmp_path):
    mine = crowd(2)
    [closed, _] = mine.projects
    mine.close_to_backups(closed)
    done = daemon.anklume("--json", "backup", "create", mine.all, "-o",
                          tmp_path / "o")
    made = json.loads(done.out)
    assert done.status == 3, done
    assert [one["status"] for one in made["backups"]] == [4] * 3 + [0] * 3
    assert "3 of 6 backups failed" in done.err
    assert all("restricted.backups" in one["error"]
               for one in made["backups"][:3])
    check_whole({"backups": made["backups"][3:]}, tmp_path / "o")


def test_paths_are_the_only_data(daemon, crowd, tmp_path):
    mine = crowd()
    done = daemon.anklume("backup", "create", mine.all, "-o", tmp_path / "o")
    assert done.status == 0, done
    assert sorted(done.out.splitlines()) == sorted(
        str(tmp_path / "o" / name) for name in files_below(tmp_path / "o")
        if not name.endswith(".json"))
    assert done.err.count("nothing was encrypted") == 1
    assert "3 of 3 backups made" in done.err
    quiet = daemon.anklume("-q", "backup", "create", mine.all, "-o",
                           tmp_path / "p")
    assert (quiet.status, quiet.err) == (0, "")


@pytest.fixture
def under_way(daemon, tmp_path):
    """A run over several that does not end by itself."""
    started = []

    def start(mine, words, jobs="2"):
        child = daemon.spawn("-q", "backup", "create", words, "-o",
                             tmp_path / "o", "--jobs", jobs, *NEVER)
        started.append(child)
        wait_for(lambda: len(mine.locks()) == int(jobs), "locks")
        return child

    yield start
    for child in started:
        if child.poll() is None:
            child.kill()
            child.communicate(timeout=END_S)


def children_of(pid):
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


@pytest.mark.parametrize("number, status", [
    (signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_interrupted(daemon, crowd, tmp_path, under_way, number, status):
    """All of it ends, and nothing is left that is not whole."""
    mine = crowd()
    child = under_way(mine, mine.all)
    workers = children_of(child.pid)
    child.send_signal(number)
    _, err = child.communicate(timeout=END_S)
    assert child.returncode == status, err
    assert not any(os.path.exists(f"/proc/{pid}") for pid in workers)
    assert files_below(tmp_path / "o") == []
    assert mine.locks() == []
    made = create(daemon, mine.all, "-o", tmp_path / "o")
    check_whole(made, tmp_path / "o")


def test_killed(daemon, crowd, tmp_path, under_way):
    """Its children end with it; the next run finds no lock."""
    mine = crowd()
    child = under_way(mine, mine.all)
    workers = children_of(child.pid)
    assert len(workers) == 2
    child.kill()
    child.communicate(timeout=END_S)
    wait_for(lambda: not any(os.path.exists(f"/proc/{pid}")
                             for pid in workers), "an end of the children")
    assert files_below(tmp_path / "o") == []
    made = create(daemon, mine.all, "-o", tmp_path / "o")
    check_whole(made, tmp_path / "o")


def test_one_child_killed(daemon, crowd, tmp_path):
    mine = crowd()
    child = daemon.spawn("--json", "backup", "create", mine.all, "-o",
                         tmp_path / "o", "--jobs", "1", *NEVER,
                         # Its search for leaks has a child, too.
                         env={"ASAN_OPTIONS": "detect_leaks=0"})
    wait_for(mine.locks, "a lock")
    done = []
    while child.poll() is None:
        for pid in children_of(child.pid):
            if pid not in done:
                done.append(pid)
                os.kill(int(pid), signal.SIGKILL)
    out, err = child.communicate(timeout=END_S)
    assert child.returncode == 3, err
    assert {one["status"] for one in json.loads(out)["backups"]} == {1}
    assert "was killed (signal 9)" in err.decode()


# Locks --------------------------------------------------------------------

def test_two_runs_at_once(daemon, crowd, tmp_path, under_way):
    mine = crowd()
    child = under_way(mine, mine.all, jobs="1")
    made = create(daemon, mine.all, "-o", tmp_path / "o", status=11)
    assert f"(process {child.pid})" in made["error"]
    assert "--lock-wait" in daemon.anklume(
        "backup", "create", mine.all, "-o", tmp_path / "o").err

    waiting = daemon.spawn("-q", "backup", "create", mine.all, "-o",
                           tmp_path / "o", "--lock-wait", "10m")
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(0.5)
    child.kill()
    child.communicate(timeout=END_S)
    out, err = waiting.communicate(timeout=END_S)
    assert waiting.returncode == 0, err
    assert len(out.splitlines()) == 3


def test_one_instance_by_two_runs(daemon, crowd, tmp_path, under_way):
    """Into whatever directory."""
    mine = crowd()
    [project] = mine.projects
    under_way(mine, f"{project}/d*", jobs="1")
    made = create(daemon, f"{project}/db", "-o", tmp_path / "p", status=11)
    assert "is held by another run" in made["error"]
    create(daemon, f"{project}/web", "-o", tmp_path / "o")
    made = create(daemon, mine.all, "-o", tmp_path / "p", status=3)
    assert [one["status"] for one in made["backups"]] == [11, 0, 0]


# Limits -------------------------------------------------------------------

def test_no_faster_than_the_limit(daemon, box, tmp_path):
    box.write("/root/bulk", os.urandom(3 << 20))
    done = daemon.anklume("backup", "create", str(box), "-o", tmp_path,
                          "--bwlimit", "1500K", "--compression", "none",
                          "--json")
    made = json.loads(done.out)
    assert done.status == 0, done
    assert made["manifest"]["size_bytes"] > 3 << 20


def test_a_mount_that_must_be_there(daemon, mounted, tmp_path):
    """It is looked at for each; without it nothing is written below it."""
    place = tmp_path / "nas"
    place.mkdir()
    conf = tmp_path / "conf"
    conf.write_text(f"[backup]\noutput = {place}\nrequire-mount = {place}\n")
    env = {"ANKLUME_CONFIG": str(conf)}
    for words in (["home/web"], ["home/w*"]):
        done = daemon.anklume("backup", "create", *words, env=env)
        assert done.status == 10, done
        assert f"nothing is mounted at '{place}'" in done.err
        assert os.listdir(place) == []
    disk = mounted("tmpfs")
    conf.write_text(f"[backup]\noutput = {disk}\nrequire-mount = {disk}\n")
    done = daemon.anklume("backup", "create", "home/web", env=env)
    assert done.status == 0, done


def test_a_disk_that_is_taken_off(daemon, crowd, mounted):
    """While archives are written to it: nothing is left below, and nothing
    passes for done."""
    mine = crowd()
    [project] = mine.projects
    disk = mounted("tmpfs")
    child = daemon.spawn("--json", "backup", "create", mine.all, "-o",
                         disk, "--jobs", "1", "--bwlimit", "500K")
    wait_for(lambda: mine.locks() and (disk / project).is_dir(), "a start")
    subprocess.run(["umount", "-l", disk], check=True)
    out, err = child.communicate(timeout=END_S)
    assert child.returncode == 3, err
    assert {one["status"] for one in json.loads(out)["backups"]} == {10}
    assert "was its disk taken off?" in err.decode()
    assert os.listdir(disk) == []


def another_second():
    """Archives are named by it."""
    then = int(time.time())
    wait_for(lambda: time.time() > then + 1, "a name of its own")


def test_a_tar_that_shrinks(daemon, box, tmp_path):
    box.stop()
    bulk = box.inner("/root/bulk")
    bulk.write_bytes(os.urandom(6 << 20))
    first = create(daemon, str(box), "-o", tmp_path)["manifest"]
    bulk.unlink()
    another_second()
    done = daemon.anklume("--json", "backup", "create", str(box), "-o",
                          tmp_path)
    made = json.loads(done.out)["manifest"]
    assert made["shrunk_from"] == first["sha256"]
    assert "the tar shrank by" in done.err
    assert any("the tar shrank by" in one for one in made["warnings"])
    another_second()
    again = daemon.anklume("--json", "backup", "create", str(box), "-o",
                           tmp_path)
    assert "shrunk_from" not in json.loads(again.out)["manifest"]
