"""Look before the leap: all that would go wrong in one report, what is missing
made from the archive, and what an import forgets."""

import pytest

from backups import (asks_for_no_work, create, leaves_nothing, restore,
                     rewritten)


@pytest.fixture
def project(daemon):
    """The name of a project that is not there, and goes away."""
    name = f"new-{daemon.version}"
    yield name
    daemon.incus("project", "delete", name, check=False)


@pytest.fixture
def profiled(daemon, make_box, tmp_path):
    """A backup of a box with a profile of its own, which is gone since."""
    box = make_box(project="work", start=False)
    daemon.incus("profile", "create", "extra", "--project", "default")
    try:
        daemon.incus("profile", "set", "extra", "limits.cpu=1",
                     "--project", "default")
        daemon.incus("profile", "add", box.name, "extra", "--project", "work")
        made = create(daemon, box, tmp_path, "--compression", "none")
        box.delete()
        yield made, box.name
    finally:
        box.delete()
        daemon.incus("profile", "delete", "extra", "--project", "default",
                     check=False)


@pytest.fixture
def gone(daemon, profiled):
    daemon.incus("profile", "delete", "extra", "--project", "default")
    return profiled


def profiles(daemon):
    return [url.rpartition("/")[2] for url in daemon.get(
        "/1.0/profiles?project=default")]


# One report -----------------------------------------------------------------

def test_everything_in_one_report(daemon, gone, new_name):
    made, _ = gone
    with asks_for_no_work(daemon):
        done = restore(daemon, made, "--project", "home", "--name", "web",
                       "-s", "none")
    assert done.status == 6, done
    lines = done.err.splitlines()
    first = next(one for one in lines if "cannot restore" in one)
    hints = lines[lines.index(first) + 1:]
    for said in ("pool 'none'", "profile 'extra'",
                 "'home/web' exists already"):
        assert said in first, done
    assert any("--create-missing" in one for one in hints), done
    assert any("--force" in one for one in hints), done


def test_a_dry_run_finds_the_same(daemon, gone):
    made, _ = gone
    words = [made, "--project", "home", "--name", "web", "-s", "none"]
    real, dry = (restore(daemon, *words), restore(daemon, *words, "-n"))
    assert (real.status, real.err) == (dry.status, dry.err)


def test_a_dry_run_says_what_would_change(daemon, gone, project):
    made, _ = gone
    with asks_for_no_work(daemon):
        done = restore(daemon, made, "-n", "--project", project, "--name",
                       "other", "--create-missing")
    assert done.status == 0, done
    for said in (f"would create the project '{project}'",
                 "would create the profile 'extra' in 'default'",
                 "new MAC addresses", f"as '{project}/other'"):
        assert said in done.err, done
    assert "extra" not in profiles(daemon)


def test_a_pool_that_is_too_small(daemon, make_box, tmp_path, new_name):
    """Incus reckons what is free itself."""
    box = make_box(start=False)
    with open(box.inner("/root/large"), "wb") as file:
        file.truncate(200 << 20)
    made = create(daemon, box, tmp_path, "--compression", "zstd")
    daemon.incus("storage", "create", "small", "btrfs", "size=160MiB")
    try:
        with asks_for_no_work(daemon):
            done = restore(daemon, made, "--name", new_name(), "-s", "small")
        assert done.status == 13, done
        assert "'small' has" in done.err and "unpacks to" in done.err, done
    finally:
        daemon.incus("storage", "delete", "small")


def test_another_architecture(daemon, tmp_path, new_name):
    made = create(daemon, "home/web", tmp_path, "--compression",
                  "none").forget()
    for member in ("index.yaml", "container/backup.yaml"):
        rewritten(made, "backup/" + member, lambda text: text.replace(
            "architecture: x86_64", "architecture: s390x"))
    with asks_for_no_work(daemon):
        done = restore(daemon, made, "--project", "home", "--name", new_name())
    assert done.status == 8 and "'s390x'" in done.err, done


def test_what_the_project_forbids(daemon, make_box, tmp_path, new_name):
    box = make_box(start=False)
    daemon.incus("config", "set", box.name, "security.nesting=true")
    daemon.incus("config", "device", "add", box.name, "fuse", "unix-char",
                 "source=/dev/fuse")
    daemon.incus("config", "device", "add", box.name, "host", "disk",
                 "source=/tmp", "path=/mnt")
    made = create(daemon, box, tmp_path)
    with asks_for_no_work(daemon):
        done = restore(daemon, made, "--project", "locked", "--name",
                       new_name())
    assert done.status == 4, done
    for said in ("'security.nesting' (restricted.containers.nesting)",
                 "'fuse' (restricted.devices.unix-char)",
                 "'host' (restricted.devices.disk)",
                 "incus project set locked restricted.devices.disk=allow"):
        assert said in done.err, done


def test_a_project_that_is_full(daemon, tmp_path, new_name, project):
    made = create(daemon, "home/web", tmp_path)
    daemon.incus("project", "create", project, "-c", "limits.instances=0",
                 "-c", "features.profiles=false", "-c", "features.images=false")
    with asks_for_no_work(daemon):
        done = restore(daemon, made, "--project", project)
    assert done.status == 4 and "limits.instances" in done.err, done


# What is missing ------------------------------------------------------------

def test_missing_ones_are_made(daemon, gone, project):
    made, name = gone
    done = restore(daemon, made, "--project", project, "--create-missing")
    assert done.status == 0, done
    assert f"created the project '{project}'" in done.err
    shown = daemon.query(f"/1.0/instances/{name}?project={project}")
    assert shown["profiles"] == ["default", "extra"]
    assert daemon.query("/1.0/profiles/extra?project=default")["config"] == {
        "limits.cpu": "1"}
    daemon.incus("delete", name, "--project", project)


def test_what_was_made_goes_with_a_failure(daemon, gone, project):
    """The damage is found when all has been read."""
    made, _ = gone
    data = bytearray(made.path.read_bytes())
    at = data.rindex(b"root:x:0:0")
    data[at] ^= 1
    made.path.write_bytes(data)
    with leaves_nothing(daemon):
        done = restore(daemon, made, "--project", project, "--create-missing")
    assert done.status == 5, done
    assert "extra" not in profiles(daemon)
    assert daemon.incus("project", "show", project, check=False).status != 0


def test_no_profile_is_made_before_the_archive_has_proven_whole(
        daemon, gone, new_name):
    made, _ = gone
    data = bytearray(made.path.read_bytes())
    data[data.rindex(b"root:x:0:0")] ^= 1
    made.path.write_bytes(data)
    done = restore(daemon, made, "--project", "work", "--name", new_name(),
                   "--create-missing")
    assert done.status == 5 and "created the profile" not in done.err, done
    assert "extra" not in profiles(daemon)


def test_a_profile_that_the_archive_does_not_describe(
        daemon, gone, new_name):
    """Is missing with all the rest."""
    made, _ = gone
    made.forget()
    for member in ("index.yaml", "container/backup.yaml"):
        rewritten(made, "backup/" + member, lambda text: text.replace(
            "- extra\n", "- unheard\n"))
    with asks_for_no_work(daemon):
        done = restore(daemon, made, "--project", "work", "--name",
                       new_name(), "-s", "none", "--create-missing")
    assert done.status == 6, done
    assert "profile 'unheard'" in done.err and "pool 'none'" in done.err, done


def test_a_strangers_profile_does_not_reach_for_the_host(
        daemon, profiled, new_name):
    made, _ = profiled
    made.forget()
    for member in ("index.yaml", "container/backup.yaml"):
        rewritten(made, "backup/" + member, lambda text: text.replace(
            'limits.cpu: "1"', "raw.lxc: lxc.apparmor.profile=unconfined"))
    daemon.incus("profile", "delete", "extra", "--project", "default")
    words = [made, "--project", "work", "--name", new_name(),
             "--create-missing"]
    with leaves_nothing(daemon):
        done = restore(daemon, *words)
    assert done.status == 14 and "raw.lxc" in done.err, done
    assert "extra" not in profiles(daemon)


def test_nothing_is_made_where_nothing_is_missing(daemon, profiled):
    made, name = profiled
    done = restore(daemon, made, "--create-missing", "-n")
    assert done.status == 0 and "would create" not in done.err, done


# Snapshots ------------------------------------------------------------------

def test_snapshots_keep_their_end(daemon, make_box, tmp_path, new_name):
    box = make_box(start=False)
    for name, end in (("s0", "2099-01-02T03:04:05Z"), ("s1", None)):
        daemon.incus("snapshot", "create", box.name, name)
        if end is not None:
            daemon.query(f"/1.0/instances/{box.name}/snapshots/{name}", "PUT",
                         {"expires_at": end})
    made, name = create(daemon, box, tmp_path), new_name()
    assert restore(daemon, made, "--name", name).status == 0
    ends = {one["name"]: one["expires_at"] for one in daemon.get(
        f"/1.0/instances/{name}/snapshots?recursion=1")}
    assert ends["s0"].startswith("2099-01-02T03:04:05"), ends
    assert ends["s1"].startswith("0001-01-01"), ends


def test_one_that_has_ended_stays(daemon, make_box, tmp_path, new_name):
    box = make_box(start=False)
    daemon.incus("snapshot", "create", box.name, "s0")
    made = create(daemon, box, tmp_path, "--compression", "none").forget()
    for member in ("index.yaml", "container/backup.yaml"):
        rewritten(made, "backup/" + member, lambda text: text.replace(
            "expires_at: 0001-01-01T00:00:00Z",
            "expires_at: 2020-02-03T00:00:00Z"))
    name = new_name()
    done = restore(daemon, made, "--name", name, "--project", "default")
    assert done.status == 0, done
    assert "'s0' should have ended on 2020-02-03" in done.err, done
    assert [one["expires_at"][:4] for one in daemon.get(
        f"/1.0/instances/{name}/snapshots?recursion=1")] == ["0001"]
