"""backup create: names, places, forms, and what it refuses before it starts.

The instances of the lab are only read: alpha runs on a dir pool, home/web is
stopped on a btrfs pool.
"""

import os
import re
import time

import pytest

from backups import (asks_for_no_work, backups_in, create, leaves_nothing,
                     members_of)
from lab import run

STAMP = re.compile(r"[0-9]{8}-[0-9]{6}")


def names_to_come(suffix, instance="web", seconds=300):
    """The names that an archive made within the next minutes can have."""
    now = int(time.time())
    return [time.strftime(f"{instance}-%Y%m%d-%H%M%S{suffix}",
                          time.gmtime(now + i)) for i in range(seconds)]


def test_default_place_and_name(daemon, tmp_path):
    made = daemon.anklume("backup", "create", "home/web", cwd=tmp_path)
    assert made.status == 0, made
    assert re.fullmatch(r"backups/web-[0-9]{8}-[0-9]{6}\.tar\.gz\n", made.out)
    archive = tmp_path / made.out.strip()
    assert sorted(os.listdir(tmp_path / "backups")) == [
        archive.name, archive.name + ".json"]
    assert archive.stat().st_mode & 0o7777 == 0o600
    assert archive.with_name(archive.name + ".json").stat().st_mode \
        & 0o7777 == 0o600
    assert (tmp_path / "backups").stat().st_mode & 0o7777 == 0o700


def test_the_stamp_is_local_time(daemon, tmp_path):
    before = time.time()
    made = create(daemon, "home/web", tmp_path,
                  env={"TZ": "XXX-14", "LC_ALL": "C.UTF-8"})
    stamp = STAMP.search(made.path.name)[0]
    assert before - 1 <= time.mktime(time.strptime(
        stamp + " UTC", "%Y%m%d-%H%M%S %Z")) - time.timezone - 14 * 3600 \
        <= time.time()


@pytest.mark.parametrize("how, suffix, magic", [
    (None, ".tar.gz", b"\x1f\x8b"),
    ("none", ".tar", b"backup/index.yaml"),
    ("gzip", ".tar.gz", b"\x1f\x8b"),
    ("gzip:9", ".tar.gz", b"\x1f\x8b"),
    ("zstd", ".tar.zst", b"\x28\xb5\x2f\xfd"),
    ("zstd:19", ".tar.zst", b"\x28\xb5\x2f\xfd"),
])
def test_compressions(daemon, tmp_path, how, suffix, magic):
    options = ["--compression", how] if how else []
    made = create(daemon, "home/web", tmp_path, *options)
    assert made.path.name.removeprefix(
        "web-" + STAMP.search(made.path.name)[0]) == suffix
    data = made.path.read_bytes()
    assert data.startswith(magic)
    tool = {".gz": "gzip", "zst": "zstd"}.get(suffix[-3:])
    if tool:
        assert run([tool, "-t", made.path]).status == 0


@pytest.mark.parametrize("how", [
    "", "gz", "gzip:0", "gzip:10", "gzip:", "gzip:x", "gzip:-1", "zstd:20",
    "none:1", "xz", "gzip:1:2", "GZIP"])
def test_unknown_compression(daemon, tmp_path, how):
    with asks_for_no_work(daemon):
        done = daemon.anklume("backup", "create", "home/web", "-o", tmp_path,
                              "--compression", how)
    assert done.status == 2, done
    assert "unknown compression" in done.err
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("suffix, options", [
    (".tar.gz.gpg", []), (".tar.zst.gpg", ["--compression", "zstd"]),
    (".tar.gpg", ["--compression=none"])])
def test_encrypted_suffix(daemon, gpg_home, tmp_path, suffix, options):
    made = create(daemon, "home/web", tmp_path, "--gpg", "tests@example.org",
                  *options, env={"GNUPGHOME": str(gpg_home)})
    assert made.path.name.endswith(suffix)
    assert b"backup/index.yaml" not in made.path.read_bytes()


def test_last_component_of_the_output_is_made(daemon, tmp_path):
    made = create(daemon, "home/web", tmp_path / "new")
    assert made.path.parent == tmp_path / "new"
    assert (tmp_path / "new").stat().st_mode & 0o7777 == 0o700


def test_a_directory_that_is_there_keeps_its_mode(daemon, tmp_path):
    (tmp_path / "old").mkdir(mode=0o755)
    create(daemon, "home/web", tmp_path / "old")
    assert (tmp_path / "old").stat().st_mode & 0o7777 == 0o755


@pytest.mark.parametrize("output", ["missing/below", "file", "file/below"])
def test_no_such_directory(daemon, tmp_path, output):
    (tmp_path / "file").write_text("mine")
    with asks_for_no_work(daemon):
        done = daemon.anklume("backup", "create", "home/web", "-o",
                              tmp_path / output)
    assert done.status == 10, done
    assert os.listdir(tmp_path) == ["file"]


def test_to_standard_output(daemon, tmp_path):
    done = daemon.anklume("backup", "create", "home/web", "-o", "-",
                          cwd=tmp_path)
    assert done.status == 0, done
    (tmp_path / "stdout.tar.gz").write_bytes(done.raw)
    assert members_of(tmp_path / "stdout.tar.gz")[0] == "backup/index.yaml"
    assert os.listdir(tmp_path) == ["stdout.tar.gz"]


def closed_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.mark.parametrize("target, status", [
    (lambda: os.open("/dev/full", os.O_WRONLY), 13), (closed_pipe, 1)],
    ids=["full disk", "closed pipe"])
def test_standard_output_that_takes_nothing(daemon, target, status):
    with leaves_nothing(daemon), os.fdopen(target(), "wb") as stdout:
        done = daemon.spawn("backup", "create", "home/web", "-o", "-",
                            stdout=stdout)
        assert b"'-': " in done.communicate()[1]
    assert done.returncode == status


@pytest.mark.parametrize("suffix, options", [
    (".tar.gz", []), (".tar", ["--compression", "none"])])
def test_an_existing_name_is_refused_first(daemon, tmp_path, suffix, options):
    for name in names_to_come(suffix):
        (tmp_path / name).write_text("mine")
    with asks_for_no_work(daemon):
        done = daemon.anklume("backup", "create", "home/web", "-o", tmp_path,
                              *options)
    assert done.status == 8, done
    assert "--force replaces it" in done.err
    assert {path.read_text() for path in tmp_path.iterdir()} == {"mine"}


def test_force_replaces_that_one_name(daemon, tmp_path):
    names = names_to_come(".tar.gz")
    for name in names:
        (tmp_path / name).write_text("mine")
        (tmp_path / f"{name}.json").write_text("mine")
    made = create(daemon, "home/web", tmp_path, "--force")
    assert made.path.stat().st_mode & 0o7777 == 0o600
    assert made.manifest["size_bytes"] == made.path.stat().st_size
    others = [path for path in tmp_path.iterdir()
              if path not in (made.path, made.manifest_path)]
    assert len(others) == 2 * (len(names) - 1)
    assert {path.read_text() for path in others} == {"mine"}


def test_force_replaces_files_only(daemon, tmp_path):
    """Not what a link points to, and no directory."""
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "out").mkdir()
    for i, name in enumerate(names_to_come(".tar.gz")):
        if i % 2:
            (tmp_path / "out" / name).mkdir()
        else:
            (tmp_path / "out" / name).symlink_to("../precious")
    with leaves_nothing(daemon):
        done = daemon.anklume("backup", "create", "home/web", "--force", "-o",
                              tmp_path / "out")
    assert done.status == 8, done
    assert (tmp_path / "precious").read_text() == "mine"
    assert not list((tmp_path / "out").glob(".*"))


def test_instance_only(daemon, make_box, tmp_path):
    box = make_box(start=False)
    daemon.incus("snapshot", "create", box.name, "before")
    whole = create(daemon, box, tmp_path / "whole")
    alone = create(daemon, box, tmp_path / "alone", "--instance-only")
    assert whole.manifest["snapshots"] == ["before"]
    assert alone.manifest["snapshots"] == []
    assert any("/snapshots/" in name for name in members_of(whole.path))
    assert not any("/snapshots/" in name for name in members_of(alone.path))
    assert alone.manifest["instance_only"] is True


def test_nothing_stays_in_the_daemon(daemon, tmp_path):
    with leaves_nothing(daemon):
        create(daemon, "home/web", tmp_path)
    assert backups_in(daemon, "web", "home") == []


@pytest.mark.parametrize("output, status", [
    ("missing/below", 10), ("full", 8), ("full/" + "x" * 256, 1)])
def test_dry_run_finds_what_would_fail(daemon, tmp_path, output, status):
    (tmp_path / "full").mkdir()
    for name in names_to_come(".tar.gz"):
        (tmp_path / "full" / name).touch()
    done = daemon.anklume("backup", "create", "-n", "home/web", "-o",
                          tmp_path / output)
    assert done.status == status, done


def test_dry_run_writes_nothing(daemon, tmp_path):
    with asks_for_no_work(daemon):
        done = daemon.anklume("backup", "create", "-n", "home/web", "-o",
                              tmp_path / "new")
    assert done.status == 0, done
    assert "would back up 'home/web'" in done.err
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("words, status, says", [
    (["nobody"], 6, "instance not found: 'nobody'"),
    (["work/nobody"], 6, "instance not found"),
    (["nowhere/web"], 6, "not found"),
    (["web"], 7, "home/web"),
    (["web"], 7, "work/web"),
    (["bad=word"], 2, "bad=word"),
    (["you@example.org"], 2, "a key is named by --gpg you@example.org"),
    ([__file__], 2, f"anklume backup restore --file {__file__}"),
    (["a b"], 2, "a b"),
    (["-web"], 2, "unknown option"),
    ([], 2, "which instance?"),
    (["alpha/snap0"], 6, "'alpha' is an instance, not a project"),
])
def test_names_that_do_not_lead_anywhere(daemon, tmp_path, words, status,
                                         says):
    with asks_for_no_work(daemon):
        done = daemon.anklume("backup", "create", *words, "-o", tmp_path)
    assert done.status == status, done
    assert says in done.err
    assert not os.listdir(tmp_path)


def test_a_project_breaks_the_tie(daemon, tmp_path):
    by_option = create(daemon, "web", tmp_path / "a", "--project", "work")
    by_env = create(daemon, "web", tmp_path / "b",
                    env={"INCUS_PROJECT": "home"})
    assert by_option.manifest["project"] == "work"
    assert by_env.manifest["project"] == "home"


def test_a_restricted_project_names_the_way_out(daemon, make_box, tmp_path):
    box = make_box(project="locked", start=False)
    with asks_for_no_work(daemon):
        done = daemon.anklume("backup", "create", str(box), "-o", tmp_path)
    assert done.status == 4, done
    command = "incus project set locked restricted.backups=allow"
    assert f"  {command}\n" in done.err
    try:
        daemon.incus(*command.split()[1:])
        assert create(daemon, box, tmp_path).path.exists()
    finally:
        daemon.incus("project", "unset", "locked", "restricted.backups")


def test_a_full_disk(daemon, small_disk):
    with leaves_nothing(daemon):
        done = daemon.anklume("backup", "create", "home/web", "-o", small_disk,
                              "--compression", "none")
    assert done.status == 13, done
    assert re.search(r"there was room for [0-9]+ bytes", done.err)
    assert not os.listdir(small_disk)


def test_a_manifest_that_cannot_be_written_is_said(daemon, tmp_path):
    for name in names_to_come(".tar.gz.json"):
        (tmp_path / name).mkdir()
    done = daemon.anklume("backup", "create", "home/web", "-o", tmp_path)
    assert done.status == 8, done
    assert "the archive is whole, its manifest is not" in done.err
    [archive] = tmp_path.glob("*.tar.gz")
    assert members_of(archive)


def test_a_read_only_directory_is_refused_first(daemon, mounted):
    place = mounted("tmpfs", "-o", "ro")
    with asks_for_no_work(daemon):
        done = daemon.anklume("backup", "create", "home/web", "-o", place)
    assert done.status == 1, done
    assert "Read-only file system" in done.err


def test_json(daemon, tmp_path):
    done = daemon.anklume("backup", "create", "--json", "home/web", "-o",
                          tmp_path)
    told = done.json()
    assert (told["schema"], told["status"]) == (1, 0)
    assert told["command"] == "backup create"
    assert os.path.exists(told["path"])
    assert told["manifest"]["instance"] == "web"


def test_json_of_a_failure(daemon, tmp_path):
    done = daemon.anklume("backup", "create", "--json", "nobody", "-o",
                          tmp_path)
    assert done.status == 6
    assert done.json()["status"] == 6
    assert "nobody" in done.json()["error"]


def test_quiet(daemon, tmp_path):
    done = daemon.anklume("backup", "create", "-q", "home/web", "-o", tmp_path)
    assert done.status == 0
    assert done.err == ""
    assert os.path.exists(done.out.strip())
