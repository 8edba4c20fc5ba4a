"""An archive is good elsewhere: on a newer daemon, and without anklume."""

import os
import subprocess

import pytest

from backups import create, restore

KEY = ["--gpg", "tests@example.org"]
MARK = b"here I am\n"


@pytest.fixture
def env(gpg_home):
    return {"GNUPGHOME": str(gpg_home)}


@pytest.fixture
def elsewhere(lab):
    """Names for instances of the newer daemon, taken away at the end."""
    name = "moved-" + os.urandom(5).hex()
    yield name
    for url in lab["7"].get("/1.0/instances?all-projects=true"):
        found, _, project = url.rpartition("/")[2].partition("?project=")
        if found == name:
            lab["7"].incus("delete", "-f", name, "--project",
                           project or "default")


@pytest.fixture
def marked(make_box):
    """A box with something to recognise it by, and a snapshot."""

    def make(daemon):
        box = make_box(project="work", pool="bt", start=False, on=daemon)
        box.inner("/root/mark").write_bytes(MARK)
        daemon.incus("snapshot", "create", box.name, "then", "--project",
                     "work")
        return box

    return make


def check_it_works(daemon, name, project):
    daemon.incus("start", name, "--project", project)
    assert daemon.exec(name, "cat", "/root/mark", project=project).raw == MARK
    assert [url.rpartition("/")[2].partition("?")[0] for url in daemon.get(
        f"/1.0/instances/{name}/snapshots?project={project}")] == ["then"]


@pytest.fixture
def both(lab):
    return lab["6"], lab["7"]


@pytest.fixture
def daemon(lab):
    """What make_box runs on here."""
    return lab["6"]


@pytest.mark.parametrize("options", [[], KEY], ids=["plain", "gpg"])
def test_from_the_older_to_the_newer(both, marked, env, tmp_path, elsewhere,
                                     options):
    """Under another name, in another project, on another pool."""
    old, new = both
    made = create(old, marked(old), tmp_path, *options, env=env)
    done = restore(new, made, "--name", elsewhere, "--project", "home", "-s",
                   "default", env=env)
    assert (done.status, done.out) == (0, f"home/{elsewhere}\n"), done
    check_it_works(new, elsewhere, "home")
    found = new.get(f"/1.0/instances/{elsewhere}?project=home")
    assert found["expanded_devices"]["root"]["pool"] == "default"


def test_the_manifest_need_not_come_along(both, marked, env, tmp_path,
                                          elsewhere):
    """On a host that has never seen the archive."""
    old, new = both
    made = create(old, marked(old), tmp_path, *KEY, env=env).forget()
    done = restore(new, made, "--name", elsewhere, "--project", "home",
                   env=env)
    assert done.status == 0, done
    check_it_works(new, elsewhere, "home")


@pytest.mark.parametrize("version", ["6", "7"])
def test_stock_tools_restore_an_encrypted_one(lab, marked, env, tmp_path,
                                              version):
    """gpg -d F | incus import - NAME"""
    on = lab[version]
    box = marked(on)
    made = create(on, box, tmp_path, *KEY, env=env)
    box.delete()
    plain = subprocess.run(
        ["gpg", "--batch", "-q", "-d", made.path], check=True,
        capture_output=True, env=on.environment(**env)).stdout
    on.incus("import", "-", box.name, "--project", "work", stdin=plain)
    check_it_works(on, box.name, "work")


@pytest.mark.parametrize("version", ["6", "7"])
@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_stock_tools_restore_a_plain_one(lab, marked, tmp_path, version,
                                         compression):
    """incus import F NAME"""
    on = lab[version]
    box = marked(on)
    made = create(on, box, tmp_path, "--compression", compression)
    box.delete()
    on.incus("import", "-", box.name, "--project", "work",
             stdin=made.path.read_bytes())
    check_it_works(on, box.name, "work")
