"""What `backup show` tells of one backup, and that its commands are true."""

import json
import os
import subprocess

import pytest

import lab
from backups import create
from catalogues import Catalogue

# A lab's incus has a root of its own: files come in by its standard input.
INCUS = """#!/bin/bash
for word; do
    [[ ! -f $word ]] || {{ exec <"$word"; word=-; }}
    words+=("$word")
done
exec {lab} incus {version} "${{words[@]}}"
"""


@pytest.fixture
def catalogue(tmp_path):
    return Catalogue(tmp_path / "archives")


def show(lab_seven, catalogue, word, *options):
    return lab_seven.anklume("backup", "show", str(word), "--from",
                             catalogue.path, *options)


def path_of(lab_seven, catalogue, word, *options):
    done = show(lab_seven, catalogue, word, "--json", *options)
    assert done.status == 0, done
    return json.loads(done.out)["backup"]["path"]


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("encrypted", [False, True])
def test_the_commands_restore_this_very_file(
        daemon, make_box, gpg_home, tmp_path, compression, encrypted):
    box = make_box(project="home", start=False)
    box.inner("/etc/proof").write_text("as it was\n")
    env = daemon.environment(GNUPGHOME=str(gpg_home))
    output = tmp_path / "it's here"
    key = ["--gpg", "tests@example.org"] if encrypted else []
    made = create(daemon, box, output, "--compression", compression, *key,
                  env=env)
    daemon.incus("delete", "-f", box.name, "--project", "home")

    done = daemon.anklume("backup", "show", made, "--json", env=env)
    assert done.status == 0, done
    (command,) = json.loads(done.out)["backup"]["restore_commands"]
    told = daemon.anklume("backup", "show", made, env=env)
    assert f"    {command}\n" in told.out

    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "incus").write_text(INCUS.format(lab=lab.LAB,
                                              version=daemon.version))
    (tools / "incus").chmod(0o755)
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True,
        text=True, timeout=120, env={
            **os.environ, **env, "PATH": f"{tools}:{env['PATH']}"})
    assert ran.returncode == 0, (command, ran)
    assert box.inner("/etc/proof").read_text() == "as it was\n"


def test_all_that_the_manifest_says(lab_seven, catalogue):
    path = catalogue.archive(
        "web.tar.gz.gpg", recipients=["0" * 40, "1" * 40],
        snapshots=["s1", "s2"], warnings=["mind this"],
        not_included=[{"kind": "volume", "source": "data", "device": "d",
                       "pool": "default"}])
    done = show(lab_seven, catalogue, path)
    assert done.status == 0, done
    for value in ("work", "web", "host", "x86_64", "2026-11-22T03:04:05Z",
                  "0" * 40, "1" * 40, "s1", "s2", "mind this", "data",
                  "unknown", "present", "cd" * 32):
        assert value in done.out


def test_the_newest_intact_one_is_meant(lab_seven, catalogue):
    old = catalogue.archive("1.tar", created_at="2026-11-20T00:00:00Z")
    cut = catalogue.archive("2.tar", created_at="2026-11-21T00:00:00Z")
    gone = catalogue.archive("3.tar", created_at="2026-11-22T00:00:00Z")
    cut.write_bytes(b"")
    gone.unlink()
    done = show(lab_seven, catalogue, "web")
    assert done.status == 0 and str(old) in done.out
    assert f"passed over: '{cut}'" in done.err
    assert f"passed over: '{gone}'" in done.err


@pytest.mark.parametrize("word, name", [
    ("web", "3.tar"), ("work/web", "3.tar"), ("web@2026-11-20Z", "1.tar"),
    ("web@2026-11-21T10:00Z", "2.tar"), ("web@2026-11-21Z", "2b.tar")])
def test_by_instance_and_time(lab_seven, catalogue, word, name):
    for number, day in ("1", 20), ("2", 21), ("3", 22):
        catalogue.archive(f"{number}.tar",
                          created_at=f"2026-11-{day}T10:00:00Z")
    catalogue.archive("2b.tar", created_at="2026-11-21T11:00:00Z")
    assert path_of(lab_seven, catalogue, word) == str(
        catalogue.path / name)


def test_of_two_projects_the_user_chooses(lab_seven, catalogue):
    work = catalogue.archive("work/web.tar")
    home = catalogue.archive("home/web.tar", project="home")
    done = show(lab_seven, catalogue, "web")
    assert done.status == 7, done
    assert "work/web" in done.err and "home/web" in done.err
    assert path_of(lab_seven, catalogue, "home/web") == str(home)
    assert path_of(lab_seven, catalogue, "web", "--project",
                   "work") == str(work)


@pytest.mark.parametrize("word, status, said", [
    ("db", 6, "holds no backup of 'db'"),
    ("web@2026-01-01", 6, "holds no backup of 'web@2026-01-01'"),
    ("web@soon", 2, "'soon' is not a time"),
    ("none.tar.gz", 6, "none.tar.gz"), ("/tmp/none", 6, "/tmp/none"),
    ("a/b/c/d", 2, "a/b/c/d"), ("a/b/c", 6, "no backup")])
def test_none(lab_seven, catalogue, word, status, said):
    catalogue.archive("web.tar")
    done = show(lab_seven, catalogue, word)
    assert done.status == status and said in done.err, done


def test_without_a_manifest(lab_seven, catalogue):
    path = catalogue.bare("web-20261122-030405.tar.gz.gpg")
    done = show(lab_seven, catalogue, path)
    assert done.status == 0, done
    assert "no manifest" in done.out
    assert f"gpg --decrypt {path} | incus import - NAME" in done.out


@pytest.mark.parametrize("name", ["-rf", "a b", "$(id)", "a;b", "\x1b[2J"])
def test_a_manifests_words_do_not_get_into_a_command(
        lab_seven, catalogue, name):
    path = catalogue.archive("web.tar", instance=name, project=name)
    done = show(lab_seven, catalogue, path, "--json")
    (command,) = json.loads(done.out)["backup"]["restore_commands"]
    assert command == f"incus import {path} NAME --project default"


def test_restore_takes_the_same_words(daemon, new_name, tmp_path):
    made = create(daemon, "home/web", tmp_path)
    name = new_name()
    done = daemon.anklume("backup", "restore", "home/web", "--from",
                          tmp_path, "--name", name)
    assert done.status == 0, done
    assert f"home/{name}" in done.out
    made.path.write_bytes(b"")
    done = daemon.anklume("backup", "restore", "home/web", "--from", tmp_path)
    assert done.status == 6, done
