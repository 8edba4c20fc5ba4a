"""backup restore --force: the old instance or the new one, nothing between."""

import json
import os

import pytest

from backups import asks_for_no_work, create, leaves_nothing, restore


def set_state(box, data):
    """Not over SFTP: its server holds a stopped instance for ten seconds, and
    the daemon's renaming waits for that."""
    path = box.inner("/root/state")
    path.write_bytes(data)
    owner = path.parent.stat()
    os.chown(path, owner.st_uid, owner.st_gid)


@pytest.fixture
def changed(make_box, daemon, tmp_path):
    """A box whose backup says "old" and that says "new" by now."""
    box = make_box(project="work", start=False)
    set_state(box, b"old")
    made = create(daemon, box, tmp_path)
    set_state(box, b"new")
    return box, made


def answer(daemon, made, typed, *options):
    """Run it on a terminal where a person types."""
    terminal, ours = os.openpty()
    process = daemon.spawn("backup", "restore", "--force", made, *options,
                           stdin=ours, stderr=ours)
    os.close(ours)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(terminal, 4096)
    os.write(terminal, typed)
    process.communicate()
    os.close(terminal)
    return process.returncode, shown.decode()


def names(daemon):
    return {url.rpartition("/")[2]
            for url in daemon.get("/1.0/instances?project=work")}


def test_yes_replaces_it(daemon, changed):
    box, made = changed
    before = names(daemon)
    done = restore(daemon, made, "--force", "--yes")
    assert (done.status, done.out) == (0, f"{box}\n"), done
    assert box.read("/root/state") == b"old"
    assert names(daemon) == before


def test_without_a_terminal_yes_must_be_said(daemon, changed):
    box, made = changed
    with asks_for_no_work(daemon):
        done = restore(daemon, made, "--force")
    assert done.status == 2, done
    assert f"'{box}' was not replaced" in done.err
    assert "--yes answers the question beforehand" in done.err
    assert box.read("/root/state") == b"new"


@pytest.mark.parametrize("typed, replaced", [
    (b"y\n", True), (b"Y\n", True), (b"yes\n", True), (b"n\n", False),
    (b"\n", False), (b"\x04", False), (b"x\n", False)])
def test_the_question_on_a_terminal(daemon, changed, typed, replaced):
    box, made = changed
    status, shown = answer(daemon, made, typed)
    assert f"replace the instance '{box}'?" in shown
    assert status == (0 if replaced else 2)
    assert box.read("/root/state") == (b"old" if replaced else b"new")


def test_what_ran_runs_again(daemon, changed):
    box, made = changed
    box.start()
    done = restore(daemon, made, "--force", "--yes", "--json")
    assert done.status == 0, done
    assert done.json()["started"] is True
    assert box.read("/root/state") == b"old"


def test_what_was_stopped_stays_stopped(daemon, changed):
    box, made = changed
    assert restore(daemon, made, "--force", "-y").status == 0
    state = daemon.get(f"/1.0/instances/{box.name}/state?project=work")
    assert state["status"] == "Stopped"


@pytest.mark.parametrize("where", ["instance", "profile"])
def test_a_protected_one_stays(daemon, changed, where):
    box, made = changed
    key = "security.protection.delete"
    if where == "profile":
        daemon.incus("profile", "create", "guarded")
        daemon.incus("profile", "set", "guarded", f"{key}=true")
        daemon.incus("profile", "add", box.name, "guarded", "--project",
                     "work")
    else:
        daemon.incus("config", "set", box.name, f"{key}=true", "--project",
                     "work")
    try:
        with asks_for_no_work(daemon):
            done = restore(daemon, made, "--force", "--yes")
        assert done.status == 4, done
        assert f"'{box}' is protected from deletion" in done.err
        command = done.err.splitlines()[-1].split()
        daemon.incus(*command[1:])
        assert restore(daemon, made, "--force", "--yes").status == 0
    finally:
        daemon.incus("config", "set", box.name, f"{key}=false", "--project",
                     "work")
        box.delete()
        if where == "profile":
            daemon.incus("profile", "delete", "guarded")


def test_nothing_to_replace_is_no_error(daemon, changed, new_name):
    _, made = changed
    done = restore(daemon, made, "--force", "--name", new_name())
    assert done.status == 0, done


def test_namesakes_in_other_projects_stay(daemon, changed, make_box):
    box, made = changed
    other = make_box(box.name, project="home", start=False)
    other.write("/root/state", b"other")
    done = restore(daemon, made, "--force", "--yes")
    assert done.status == 0, done
    assert other.read("/root/state") == b"other"
    assert box.read("/root/state") == b"old"


def test_a_bad_archive_leaves_the_old_one_running(daemon, changed):
    box, made = changed
    box.start()
    data = made.path.read_bytes()
    made.forget().path.write_bytes(data[:-1])
    with leaves_nothing(daemon):
        done = restore(daemon, made, "--force", "--yes", "--project", "work",
                       "--name", box.name)
    assert done.status == 5, done
    assert box.read("/root/state") == b"new"


def test_the_identity_of_the_replaced_one_is_kept(daemon, changed):
    box, made = changed
    def uuid_of():
        return daemon.get(f"/1.0/instances/{box.name}?project=work")[
            "config"]["volatile.uuid"]
    before = uuid_of()
    assert restore(daemon, made, "--force", "--yes").status == 0
    assert uuid_of() == before


def test_snapshots_of_the_archive_come_along(daemon, make_box, tmp_path):
    box = make_box(start=False)
    daemon.incus("snapshot", "create", box.name, "then")
    made = create(daemon, box, tmp_path)
    daemon.incus("snapshot", "create", box.name, "later")
    assert restore(daemon, made, "--force", "--yes").status == 0
    assert [url.rpartition("/")[2] for url in daemon.get(
        f"/1.0/instances/{box.name}/snapshots")] == ["then"]


def test_an_ephemeral_one_is_replaced(daemon, changed):
    """Stopping an ephemeral instance deletes it: the old one must outlive the
    new one's arrival."""
    box, made = changed
    instance = daemon.get(f"/1.0/instances/{box.name}?project={box.project}")
    instance["ephemeral"] = True
    daemon.incus("query", "-X", "PUT", "--wait", "-d", json.dumps(instance),
                 f"/1.0/instances/{box.name}?project={box.project}")
    box.start()
    before = names(daemon)
    done = restore(daemon, made, "--force", "--yes")
    assert (done.status, done.out) == (0, f"{box}\n"), done
    assert names(daemon) == before
    assert box.read("/root/state") == b"old"


@pytest.mark.parametrize("true", ["1", "on", "Yes"])
def test_protection_is_seen_however_it_is_spelled(daemon, changed, true):
    box, made = changed
    daemon.incus("config", "set", box.name,
                 f"security.protection.delete={true}", "--project",
                 box.project)
    try:
        with asks_for_no_work(daemon):
            assert restore(daemon, made, "--force", "--yes").status == 4
    finally:
        daemon.incus("config", "unset", box.name,
                     "security.protection.delete", "--project", box.project)


def test_a_dry_run_asks_nothing(daemon, changed):
    box, made = changed
    with asks_for_no_work(daemon):
        done = restore(daemon, made, "--force", "-n")
    assert done.status == 0, done
    assert box.inner("/root/state").read_bytes() == b"new"
