"""Backups of volumes, as real daemons have them: the commands that `show` prints
restore them, and `restore --all` sees which are there."""

import json
import os
import subprocess

import pytest

import lab
from backups import Backup

# A lab's incus has a root of its own: files come in by its standard input.
INCUS = """#!/bin/bash
for word; do
    [[ ! -f $word || $word = /dev/* ]] ||
        {{ exec <"$word"; word=/dev/stdin; }}
    words+=("$word")
done
exec {lab} incus {version} "${{words[@]}}"
"""


class Shelf:
    """An instance with a volume, and their archives."""

    def __init__(self, box, name, path):
        self.box, self.name, self.path = box, name, path
        self.daemon = box.daemon
        self.incus("create", "bt", name)
        self.daemon.incus("storage", "volume", "attach", "bt", name, box.name,
                          "shelf", "/srv/shelf", "--project", box.project)

    def incus(self, verb, *words, **run):
        return self.daemon.incus("storage", "volume", verb, *words,
                                 "--project", self.box.project, **run)

    @property
    def inside(self):
        return (self.daemon.files / "storage-pools/bt/custom"
                / f"{self.box.project}_{self.name}")

    @property
    def there(self):
        return self.inside.exists()

    def remove(self):
        self.box.delete()
        self.incus("delete", "bt", self.name, check=False)

    def back_up(self, *options, **run):
        done = self.daemon.anklume("backup", "create", str(self.box), "-o",
                                   self.path, *options, **run)
        assert done.status == 0, done
        [found] = [one for one in self.path.rglob(f"bt+{self.name}-*.tar*")
                   if ".json" not in one.name]
        return Backup(found)


@pytest.fixture
def shelf(make_box, tmp_path):
    box = make_box(project="work", start=False)
    made = Shelf(box, f"v-{box.name}", tmp_path / "it's here")
    yield made
    made.remove()


@pytest.mark.parametrize("options", [
    ["--compression", "none"], ["--compression", "zstd"],
    ["--gpg", "tests@example.org"]], ids=["none", "zstd", "gpg"])
def test_the_commands_restore_this_very_file(daemon, shelf, gpg_home, tmp_path,
                                             options):
    """Larger than any pipe, and than what a client may read ahead."""
    env = daemon.environment(GNUPGHOME=str(gpg_home))
    data = os.urandom(1 << 20) * 24
    (shelf.inside / "proof").write_bytes(data)
    made = shelf.back_up(*options, env=env)
    word = f"work/bt/{shelf.name}"
    done = daemon.anklume("backup", "show", word, "--json", "--from",
                          shelf.path, env=env)
    assert done.status == 0, done
    told = json.loads(done.out)["backup"]
    assert told["path"] == str(made.path)
    assert told["manifest"]["volume"] == f"bt/{shelf.name}"
    (command,) = told["restore_commands"]

    shelf.remove()
    assert not shelf.there
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "incus").write_text(INCUS.format(lab=lab.LAB,
                                              version=daemon.version))
    (tools / "incus").chmod(0o755)
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True,
        text=True, timeout=120, check=False, env={
            **os.environ, **env, "PATH": f"{tools}:{env['PATH']}"})
    assert ran.returncode == 0, (command, ran)
    assert (shelf.inside / "proof").read_bytes() == data


def test_what_restore_all_finds_of_it(daemon, shelf):
    """Both there, then the volume alone, then neither."""
    shelf.back_up()
    volume, instance = f"bt/{shelf.name}", shelf.box.name

    def plan():
        done = daemon.anklume("--json", "backup", "restore", "--all",
                              "--dry-run", "--from", shelf.path, "--project",
                              "work")
        assert done.status in (0, 3), done
        return [(one.get("volume"), one.get("instance"), one["plan"])
                for one in done.json()["instances"]]

    assert plan() == [(volume, None, "exists"), (None, instance, "exists")]
    shelf.box.delete()
    assert plan() == [(volume, None, "exists"), (None, instance, "restore")]
    shelf.remove()
    assert plan() == [(volume, None, "restore"), (None, instance, "restore")]


def test_a_project_and_a_pool_that_are_not_there(daemon, shelf):
    made = shelf.back_up()
    before = made.manifest
    for fields in {"project": "nosuch"}, {"volume": f"nosuch/{shelf.name}"}:
        made.edit_manifest(**{**before, **fields})
        done = daemon.anklume("--json", "backup", "restore", "--all",
                              "--dry-run", "--from", shelf.path)
        first = done.json()["instances"][0]
        assert first["plan"] == "restore" and "volume" in first, done
