"""The daemon's spool is small: jobs share it, and what cannot fit is refused
before the daemon is put to work."""

import contextlib
import os
import uuid

import pytest

import lab
from backups import asks_for_no_work
from test_create_many import check_whole, create

def in_world(daemon, *words):
    done = lab.run([lab.LAB, "run", daemon.version, *words])
    assert done.status == 0, done


@contextlib.contextmanager
def small_spool(daemon):
    """Exports go to a volume on a disk of 200 MB, which the daemon sees."""
    name = "spool" + uuid.uuid4().hex[:6]
    in_world(daemon, "mkdir", f"/mnt/{name}")
    in_world(daemon, "mount", "-t", "tmpfs", "-o", "size=200M", "none",
             f"/mnt/{name}")
    daemon.incus("storage", "create", name, "dir", f"source=/mnt/{name}")
    daemon.incus("storage", "volume", "create", name, "exports")
    daemon.incus("config", "set", f"storage.backups_volume={name}/exports")
    try:
        yield
    finally:
        daemon.incus("config", "unset", "storage.backups_volume")
        daemon.incus("storage", "volume", "delete", name, "exports")
        daemon.incus("storage", "delete", name)
        in_world(daemon, "umount", f"/mnt/{name}")
        in_world(daemon, "rmdir", f"/mnt/{name}")


def fill(daemon, mine, size):
    """Content that no compressor makes smaller."""
    for project in mine.projects:
        for name in mine.NAMES:
            place = (daemon.files / "storage-pools" / "default" / "containers"
                     / f"{project}_{name}" / "rootfs" / "bulk")
            place.write_bytes(os.urandom(size))


older = pytest.mark.parametrize("daemon", ["6"], indirect=True)


@older
def test_jobs_share_it(daemon, crowd, tmp_path):
    """Two of three fit. Nothing is known of the first time: who finds no room
    gets another try alone. After that it is known."""
    mine = crowd()
    fill(daemon, mine, 80 << 20)
    with small_spool(daemon):
        for name in ("first", "second"):
            made = create(daemon, mine.all, "-o", tmp_path / name, "--jobs",
                          "3", "--compression", "none")
            check_whole(made, tmp_path / name)
            assert len(made["backups"]) == 3
        again = daemon.anklume("-v", "backup", "create", mine.all, "-o",
                               tmp_path / "first", "--jobs", "3",
                               "--force", "--compression", "none")
    assert again.status == 0, again
    assert "tried again alone" not in again.err


@older
def test_what_cannot_fit_is_not_begun(daemon, crowd, tmp_path):
    mine = crowd()
    [project] = mine.projects
    place = (daemon.files / "storage-pools" / "default" / "containers"
             / f"{project}_web" / "rootfs" / "bulk")
    place.write_bytes(os.urandom(250 << 20))
    create(daemon, f"{project}/w*", "-o", tmp_path / "o")
    with small_spool(daemon):
        made = create(daemon, mine.all, "-o", tmp_path / "o", "--jobs", "2",
                      status=3)
        assert [one["status"] for one in made["backups"]] == [0, 0, 13]
        assert "the daemon's spool has" in made["backups"][2]["error"]
        assert "storage.backups_volume" in made["backups"][2]["hint"]
        with asks_for_no_work(daemon):
            done = daemon.anklume("backup", "create", f"{project}/web", "-o",
                                  tmp_path / "o" / project)
        assert done.status == 13, done
        assert "storage.backups_volume" in done.err
