"""`backup status` of real instances: backed up, verified, drilled, or none of
it."""

import json
import uuid

import pytest

LIMITS = ("--max-age=1d", "--max-age-verified=1d", "--max-age-drilled=1d")


@pytest.fixture
def project(daemon):
    """One of this test's own, with two instances."""
    name = "s" + uuid.uuid4().hex[:6]
    daemon.incus("project", "create", name, "-c", "features.images=false",
                 "-c", "features.profiles=false")
    for instance in ("db", "web"):
        daemon.incus("init", "busybox", instance, "--project", name)
    yield name
    for instance in ("db", "web"):
        daemon.incus("delete", "-f", instance, "--project", name, check=False)
    daemon.incus("project", "delete", name)


def status(daemon, project, place, expected):
    """{instance: its row}"""
    done = daemon.anklume("backup", "status", "--json", "--project", project,
                          "--from", place, *LIMITS)
    assert done.status == expected, done
    return {one["instance"]: one
            for one in json.loads(done.out)["instances"]}


def test_from_nothing_to_all_is_well(daemon, project, tmp_path):
    place = tmp_path / "backups"

    def run(*words):
        done = daemon.anklume("backup", *words)
        assert done.status == 0, done

    run("create", f"{project}/web", f"{project}/db", "-o", place)
    run("verify", f"{project}/web", f"{project}/db", "--from", place)
    run("drill", f"{project}/web", "--from", place)
    rows = status(daemon, project, place, 3)
    assert (rows["web"]["state"], rows["web"]["problems"]) == ("ok", [])
    assert rows["web"]["last_drilled"] >= rows["web"]["last_backup"]
    assert rows["db"]["problems"] == ["undrilled"]

    run("drill", f"{project}/db", "--from", place)
    rows = status(daemon, project, place, 0)
    assert {name: row["state"] for name, row in rows.items()} == {
        "db": "ok", "web": "ok"}

    daemon.incus("delete", "db", "--project", project)
    assert status(daemon, project, place, 0)["db"]["state"] == "gone"
    daemon.incus("init", "busybox", "db", "--project", project)
    daemon.incus("rename", "db", "fresh", "--project", project)
    rows = status(daemon, project, place, 3)
    assert rows["fresh"]["problems"] == ["never"]
    daemon.incus("rename", "fresh", "db", "--project", project)
