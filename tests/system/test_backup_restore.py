"""backup restore: where an archive is found, what it becomes, what is refused.

The instances of the lab are only read: home/web is stopped, on a btrfs pool.
"""

import json
import os
import re

import pytest

from backups import (RECORD, Backup, asks_for_no_work, create, leaves_nothing,
                     restore, rewritten)

TESTS_KEY = ["--gpg", "tests@example.org"]


@pytest.fixture
def archive(daemon, tmp_path):
    """Of home/web, with its manifest and its record."""
    return create(daemon, "home/web", tmp_path / "archive")


@pytest.mark.parametrize("how", ["positional", "--file F", "--file=F"])
def test_ways_to_name_the_archive(daemon, archive, new_name, how):
    name = new_name()
    words = {"positional": [archive], "--file F": ["--file", archive],
             "--file=F": [f"--file={archive}"]}[how]
    done = daemon.anklume("backup", "restore", *words, "--name", name)
    assert (done.status, done.out) == (0, f"home/{name}\n"), done
    assert daemon.exists(name, "home")


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("key", [[], TESTS_KEY], ids=["plain", "gpg"])
@pytest.mark.parametrize("wrong", ["a.bin", "a.tar.gz.gpg", "a.tar"])
def test_content_decides_not_the_name(daemon, gpg_home, tmp_path, new_name,
                                      compression, key, wrong):
    env = {"GNUPGHOME": str(gpg_home)}
    made = create(daemon, "home/web", tmp_path, "--compression", compression,
                  *key, env=env)
    renamed = Backup(made.path.rename(tmp_path / wrong))
    done = restore(daemon, renamed, "--name", new_name(), "--project", "work",
                   env=env)
    assert done.status == 0, done


@pytest.mark.parametrize("words", [["-"], ["--file", "-"]])
def test_from_standard_input(daemon, archive, new_name, words):
    """Nothing is known of what comes there, so all must be said."""
    data = archive.path.read_bytes()
    name = new_name()
    for missing in ([], ["--project", "work"], ["--name", name]):
        with asks_for_no_work(daemon):
            done = daemon.anklume("backup", "restore", *words, *missing,
                                  stdin=data)
        assert done.status == 2, done
        assert "is of unknown origin" in done.err
    done = daemon.anklume("backup", "restore", *words, "--project", "work",
                          "--name", name, stdin=data)
    assert (done.status, done.out) == (0, f"work/{name}\n"), done


def test_standard_input_can_turn_out_to_be_ours(daemon, archive, new_name):
    done = daemon.anklume("backup", "restore", "-", "--project", "work",
                          "--name", new_name(), "--json",
                          stdin=archive.path.read_bytes())
    assert done.json()["origin"] == "this host", done


def test_unknown_origin_needs_a_project(daemon, archive, new_name):
    archive.forget()
    with asks_for_no_work(daemon):
        done = restore(daemon, archive, "--name", new_name())
    assert done.status == 2, done
    assert "unknown origin" in done.err
    assert "--project home" in done.err


def test_unknown_origin_may_keep_the_name_that_was_typed(
        daemon, make_box, tmp_path):
    """INSTANCE-STAMP.tar.gz was typed; another file name says nothing."""
    box = make_box(start=False)
    made = create(daemon, box, tmp_path).forget()
    renamed = Backup(tmp_path / "other.tar.gz")
    os.link(made.path, renamed.path)
    box.delete()
    with asks_for_no_work(daemon):
        done = restore(daemon, renamed, "--project", "default")
    assert done.status == 2, done
    assert f"--name {box.name}" in done.err
    done = restore(daemon, made, "--project", "default")
    assert done.out == f"default/{box.name}\n", done


def test_known_origin_goes_back_where_it_was(daemon, make_box, tmp_path):
    """By its manifest or, without one, by the record alone."""
    box = make_box(project="work", start=False)
    made = create(daemon, box, tmp_path)
    for _ in range(2):
        box.delete()
        done = daemon.anklume("backup", "restore", "--json", made)
        assert done.status == 0, done
        assert done.json()["origin"] == "this host"
        assert (done.json()["project"], done.json()["instance"]) == (
            "work", box.name)
        made.manifest_path.unlink(missing_ok=True)


def test_a_manifest_alone_gives_no_origin(daemon, archive, new_name):
    archive.record_path.unlink()
    done = restore(daemon, archive, "--name", new_name())
    assert done.status == 2, done
    assert "unknown origin" in done.err


def flip_a_name(path):
    """Change what no checksum of a tar covers."""
    data = bytearray(path.read_bytes())
    where = data.index(b"root:x:0:0")
    data[where:where + 4] = b"toor"
    path.write_bytes(data)


@pytest.mark.usefixtures("empty_record")
def test_origin_follows_the_digest_not_the_size(daemon, tmp_path, new_name):
    """A stranger of the same size is no archive of ours."""
    made = create(daemon, "home/web", tmp_path, "--compression", "none")
    made.manifest_path.unlink()
    flip_a_name(made.path)
    with leaves_nothing(daemon):
        done = restore(daemon, made, "--name", new_name())
    assert done.status == 5, done
    assert "--project P --name N" in done.err
    done = restore(daemon, made, "--name", new_name(), "--project", "work",
                   "--json")
    assert done.status == 0, done
    assert done.json()["origin"] == "unknown"


@pytest.mark.usefixtures("empty_record")
@pytest.mark.parametrize("instance", ["web", "another"])
def test_equal_sizes_do_not_hide_the_origin(daemon, tmp_path, new_name,
                                            instance):
    """Uncompressed archives are often equally large."""
    made = create(daemon, "home/web", tmp_path, "--compression", "none")
    made.manifest_path.unlink()
    other = {**made.record, "sha256": "0" * 64, "instance": instance}
    (RECORD / f"{'0' * 64}.json").write_text(json.dumps(other))
    done = restore(daemon, made, "--name", new_name(), "--json")
    assert done.json()["origin"] == "this host", done
    assert done.json()["project"] == "home"


@pytest.mark.usefixtures("empty_record")
def test_equal_sizes_give_no_origin_either(daemon, archive, new_name):
    """The record has two others of that size, the archive itself is not
    there."""
    entry = archive.record
    archive.forget()
    for digit, instance in ("0", "web"), ("1", "another"):
        (RECORD / f"{digit * 64}.json").write_text(json.dumps(
            {**entry, "sha256": digit * 64, "instance": instance}))
    done = restore(daemon, archive, "--name", new_name())
    assert done.status == 2, done
    assert "unknown origin" in done.err


def test_a_current_project_does_not_choose(daemon, archive, new_name):
    done = restore(daemon, archive.forget(), "--name", new_name(),
                   env={"INCUS_PROJECT": "work"})
    assert done.status == 2, done


@pytest.mark.parametrize("name", [
    "work/x", "a b", "-x", "", "x" * 64, "über", "a.b", "1", "x-"])
def test_bad_names_are_refused_before_the_upload(daemon, archive, name):
    with asks_for_no_work(daemon):
        done = restore(daemon, archive, f"--name={name}")
    assert done.status == 2, done
    assert f"'{name}' is not the name of an instance" in done.err


@pytest.mark.parametrize("pool", ["default", "bt"])
def test_storage(daemon, archive, new_name, pool):
    name = new_name()
    assert restore(daemon, archive, "--name", name, "-s", pool).status == 0
    found = daemon.get(f"/1.0/instances/{name}?project=home")
    assert found["expanded_devices"]["root"]["pool"] == pool


def test_start(daemon, archive, new_name):
    name = new_name()
    done = restore(daemon, archive, "--name", name, "--start", "--json")
    assert done.status == 0, done
    assert done.json()["started"] is True
    assert daemon.exec(name, "hostname", project="home").out == f"{name}\n"


def test_dry_run(daemon, archive, new_name):
    name = new_name()
    with asks_for_no_work(daemon):
        done = restore(daemon, archive, "-n", "--name", name)
    assert done.status == 0, done
    assert f"would restore '{archive}' as 'home/{name}'" in done.err
    assert done.out == ""
    assert restore(daemon, archive, "-n").status == 8


@pytest.mark.parametrize("words, status", [
    (["missing.tar.gz"], 6), (["--file", "missing.tar.gz"], 6),
    ([], 2), (["one", "--file", "two"], 2), (["one", "two"], 2),
    (["/tmp"], 1), (["/dev/null"], 1), (["--file", ""], 6)])
def test_no_such_archive(daemon, tmp_path, words, status):
    with asks_for_no_work(daemon):
        done = daemon.anklume("backup", "restore", *words, cwd=tmp_path)
    assert done.status == status, done


def test_a_fifo_is_not_waited_for(daemon, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    done = daemon.anklume("backup", "restore", tmp_path / "fifo",
                          deadline_s=20)
    assert done.status == 1, done


def test_an_existing_instance_is_refused_before_the_upload(daemon, archive):
    with asks_for_no_work(daemon):
        done = restore(daemon, archive)
    assert done.status == 8, done
    assert "'home/web' exists already" in done.err
    assert "--force" in done.err and "--name" in done.err


def test_profiles_that_are_no_names(daemon, tmp_path, new_name):
    archive = create(daemon, "home/web", tmp_path, "--compression",
                     "none").forget()
    for member in ("index.yaml", "container/backup.yaml"):
        rewritten(archive, "backup/" + member, lambda text: re.sub(
            r"^( *)profiles:\n *- default\n",
            r"\1profiles: [[], nope]\n", text, count=1,
            flags=re.MULTILINE))
    with asks_for_no_work(daemon):
        done = restore(daemon, archive, "--project", "home", "--name",
                       new_name())
    assert done.status == 14, done
    assert "'config.container.profiles' in backup/index.yaml" in done.err


def test_a_namesake_elsewhere_is_a_note(daemon, archive, make_box):
    there = make_box(project="work", start=False)
    done = restore(daemon, archive, "--name", there.name)
    try:
        assert done.status == 0, done
        assert f"'work' holds an instance '{there.name}', too" in done.err
    finally:
        daemon.incus("delete", there.name, "--project", "home")


def test_the_archive_is_not_touched(daemon, archive, new_name):
    before = [(path, path.stat().st_mtime_ns, path.read_bytes())
              for path in (archive.path, archive.manifest_path)]
    restore(daemon, archive, "--name", new_name())
    assert before == [
        (path, path.stat().st_mtime_ns, path.read_bytes())
        for path in (archive.path, archive.manifest_path)]
    assert len(os.listdir(archive.path.parent)) == 2
