"""`doctor` with real daemons: what it tells of them, and what killed runs have
left in them. Others may be at work there: only what is ours is judged."""

import contextlib
import json
import os
import pathlib
import uuid

import pytest

import midway
from backups import backups_in, create, wait_for
from disks import mount_image

LOCKS = pathlib.Path("/var/lib/anklume/lock")
KEY = "user.anklume.drill"


class Report:
    """What a run has found."""

    def __init__(self, result):
        self.status = result.status
        self.findings = result.json()["findings"]
        problems = [one for one in self.findings if one["level"] == "problem"]
        assert self.status == (3 if problems else 0), result

    def levels(self, name, about=""):
        return [one["level"] for one in self.findings
                if one["id"] == name and about in one["text"]]

    def text(self, name):
        return " ".join(one["text"] for one in self.findings
                        if one["id"] == name)


@pytest.fixture
def configured(tmp_path):
    """An environment with a configuration of the test's own."""
    def make(text):
        path = tmp_path / "anklume.conf"
        path.write_text(text)
        return {"ANKLUME_CONFIG": str(path)}

    return make


def doctor(daemon, *words, env=None):
    return Report(daemon.anklume("doctor", "--json", *words, env=env))


def test_the_whole(daemon, tmp_path, configured, gpg_home):
    env = {**configured(f"[backup]\noutput = {tmp_path}\n"
                        "gpg = tests@example.org\nsign = tests@example.org\n"),
           "GNUPGHOME": str(gpg_home)}
    report = doctor(daemon, env=env)
    direct = "direct_backup" in daemon.get("/1.0")["api_extensions"]
    assert report.levels("direct-export") == ["ok" if direct else "note"]
    for name in ("config", "daemon", "daemon-version", "clock", "gpg",
                 "keyring", "key", "signing-key", "audit", "output",
                 "output-on-root"):
        assert report.levels(name) == ["ok"], report.findings
    assert daemon.socket in report.text("daemon")
    spool = pathlib.Path(daemon.socket).parent / "backups"
    assert f"'{spool}'" in report.text("spool-room")
    assert report.levels("policy") == ["note"]
    assert report.levels("one-recipient") == ["note"]
    assert report.levels("secret-here") == ["note"]


def test_its_pools_and_projects(daemon):
    report = doctor(daemon)
    drivers = {pool["name"]: pool["driver"]
               for pool in daemon.get("/1.0/storage-pools?recursion=1")}
    for name, driver in drivers.items():
        assert (f"'{name}'" in report.text("pool-drivers")) == \
            (driver in ("dir", "lvm"))
    for project in daemon.get("/1.0/projects?recursion=1"):
        config = project["config"]
        forbids = config.get("restricted") == "true" and \
            config.get("restricted.backups") != "allow"
        assert (f"'{project['name']}'" in
                report.text("project-restrictions")) == forbids



@pytest.mark.parametrize("socket, words", [
    ("/nonexistent/socket", "there is no socket"),
    ("/etc/hosts", "nothing listens")])
def test_a_daemon_that_is_not_there(lab_seven, socket, words):
    report = doctor(lab_seven, env={"INCUS_SOCKET": socket})
    assert report.status == 3
    assert report.levels("daemon") == ["problem"]
    assert words in report.text("daemon")
    assert report.levels("not-checked") == ["unknown"]
    for name in ("gpg", "audit", "clock", "output", "leftover-file"):
        assert report.levels(name) or name == "leftover-file"


def test_a_user_without_rights(lab_seven, tmp_path):
    tmp_path.chmod(0o711)
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    child = lab_seven.spawn("doctor", user=65534, group=65534,
                            extra_groups=[], cwd="/",
                            env={"HOME": str(home), "GNUPGHOME": None})
    out, err = child.communicate(timeout=midway.END_S)
    assert child.returncode == 3, (out, err)
    assert b"permission denied on the Incus socket" in out
    assert b"Sanitizer" not in err


# What killed runs have left --------------------------------------------------

def names_of_exports(box):
    return [one["name"] for one in backups_in(box.daemon, box.name,
                                              box.project)]


def test_the_export_of_a_killed_run(daemon, make_box):
    """Incus 6.0 spools it; 7.0 has nothing to leave."""
    box = make_box(project="work", start=False)
    midway.make_bulk(box)
    about = f"of '{box}'"
    with midway.create(daemon, box) as child:
        alive = names_of_exports(box)
        assert doctor(daemon, "--fix").levels("leftover-export", about) == []
        assert names_of_exports(box) == alive and child.poll() is None
        child.kill()
    left = names_of_exports(box)
    assert left == alive
    count = len(left)
    assert count == (0 if doctor(daemon).levels("direct-export") == ["ok"]
                     else 1)
    report = doctor(daemon)
    assert report.levels("leftover-export", about) == ["problem"] * count
    report = doctor(daemon, "--fix", "-n")
    assert report.levels("leftover-export", about) == ["problem"] * count
    assert names_of_exports(box) == left
    report = doctor(daemon, "--fix")
    assert report.levels("leftover-export", about) == ["fixed"] * count
    assert names_of_exports(box) == []
    assert doctor(daemon).levels("leftover-export", about) == []


def test_what_others_have_made_is_left_alone(daemon, make_box):
    """By name, and by age where this host knows of no run."""
    box = make_box(project="work", start=False)
    names = ["nightly", "anklume-0123", "anklume-" + uuid.uuid4().hex[:16]]
    for name in names:
        daemon.query(f"/1.0/instances/{box.name}/backups?project=work",
                     method="POST",
                     data={"name": name, "compression_algorithm": "gzip"})
    wait_for(lambda: sorted(names_of_exports(box)) == sorted(names), names)
    report = doctor(daemon, "--fix")
    assert report.levels("leftover-export", f"of '{box}'") == []
    assert sorted(names_of_exports(box)) == sorted(names)


@contextlib.contextmanager
def drill_under_way(daemon, made):
    """Its project, which no other run can have: by its lock."""
    before = set(LOCKS.glob("*")) if LOCKS.exists() else set()
    child = daemon.spawn("-q", "backup", "drill", str(made), "--timeout",
                         "300")

    def running():
        for lock in set(LOCKS.glob("anklume-drill-*")) - before:
            names = daemon.get(f"/1.0/instances?project={lock.name}") \
                if lock.name in projects(daemon) else []
            for url in names:
                if daemon.get(url)["status"] == "Running":
                    return lock.name
        return None

    try:
        yield child, wait_for(running, "a clone")
    finally:
        if child.poll() is None:
            child.kill()
        child.wait(midway.END_S)
        for pipe in (child.stdout, child.stderr):
            pipe.close()


def projects(daemon):
    return [url.rpartition("/")[2] for url in daemon.get("/1.0/projects")]


def test_the_project_of_a_killed_drill(daemon, make_box, tmp_path):
    box = make_box(start=False)
    daemon.incus("config", "set", box.name, f"{KEY}=sleep 1000")
    made = create(daemon, box, tmp_path)
    with drill_under_way(daemon, made) as (child, project):
        report = doctor(daemon, "--fix")
        assert report.levels("leftover-drill", project) == []
        assert child.poll() is None and project in projects(daemon)
        child.kill()
        child.wait(midway.END_S)
    report = doctor(daemon)
    assert report.levels("leftover-drill", project) == ["problem"]
    report = doctor(daemon, "-n", "--fix")
    assert report.levels("leftover-drill", project) == ["problem"]
    assert project in projects(daemon)
    report = doctor(daemon, "--fix")
    assert report.levels("leftover-drill", project) == ["fixed"]
    assert project not in projects(daemon)
    assert not (LOCKS / project).exists()


def test_the_drill_of_another_host(lab_seven):
    foreign = "anklume-drill-" + uuid.uuid4().hex[:12]
    lab_seven.incus("project", "create", foreign)
    try:
        report = doctor(lab_seven, "--fix")
        assert report.levels("leftover-drill", foreign) == ["note"]
        assert foreign in projects(lab_seven)
    finally:
        lab_seven.incus("project", "delete", foreign)


@pytest.mark.parametrize("kind", ["replaced", "restore"])
def test_an_instance_that_a_restore_has_left(daemon, make_box, kind):
    box = make_box(f"anklume-{kind}-{uuid.uuid4().hex[:8]}", start=False)
    for words in ([], ["--fix"]):
        report = doctor(daemon, *words)
        assert report.levels("leftover-instance", box.name) == ["problem"]
    assert daemon.exists(box.name)


def test_the_file_of_a_killed_run(lab_seven, make_box_on, mounted, tmp_path,
                                  configured):
    """Where files cannot be without a name."""
    stick = mount_image(mounted, tmp_path / "image", "stick", 64 << 20)
    box = make_box_on(lab_seven, start=False)
    midway.make_bulk(box)
    env = configured(f"[backup]\noutput = {stick}\n")
    child = lab_seven.spawn("-q", "backup", "create", str(box), "-o", stick,
                            "--compression", "none", "--bwlimit", "1M")

    def parts():
        return [path for path in stick.glob(".anklume-*.part")
                if path.stat().st_size > 0]

    try:
        (part,) = wait_for(parts, "an unfinished file")
        os.utime(part, (1, 1))
        report = doctor(lab_seven, "--fix", env=env)
        assert report.levels("leftover-file", part.name) == []
        assert part.exists()
    finally:
        child.kill()
        child.communicate(timeout=midway.END_S)
    os.utime(part, (10 ** 9, 10 ** 9))
    report = doctor(lab_seven, env=env)
    assert report.levels("leftover-file", part.name) == ["problem"]
    report = doctor(lab_seven, "--fix", env=env)
    assert report.levels("leftover-file", part.name) == ["fixed"]
    assert not part.exists()


def test_somebody_without_rights(lab_seven, tmp_path):
    """Neither to the socket nor, for the state is a file, to a trail."""
    (tmp_path / "anklume").write_text("in the way")
    tmp_path.chmod(0o755)
    child = lab_seven.spawn("--json", "doctor", user=65534, group=65534,
                            extra_groups=[], cwd="/",
                            env={"XDG_STATE_HOME": str(tmp_path),
                                 "HOME": str(tmp_path)})
    out, err = child.communicate(timeout=60)
    assert child.returncode == 3, err
    levels = {one["id"]: one for one in json.loads(out)["findings"]}
    assert levels["daemon"]["level"] == "problem"
    assert "permission denied" in levels["daemon"]["text"]
    # syslog would have it.
    assert levels["audit"]["level"] == (
        "ok" if os.path.exists("/dev/log") else "problem")
