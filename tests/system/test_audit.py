"""The audit trail: one line for each run that moves data, whatever became of
it, and `portal log`, which reads it."""

import contextlib
import datetime
import hashlib
import json
import os
import pathlib
import signal
import socket
import subprocess

import pytest

import lab
import midway
from backups import create, restore, sha256_of
from places import leftovers

TRAIL = pathlib.Path("/var/log/anklume/audit.jsonl")
NOTHING = "0" * 64

UTC = datetime.timezone.utc


@pytest.fixture(autouse=True)
def clean_trail(own_state):
    """Each test has its own; the directory is hidden from the machine's."""
    del own_state
    assert os.path.ismount(TRAIL.parent)
    for path in TRAIL.parent.iterdir():
        path.unlink()


def entries(path=TRAIL):
    """All lines, each of which continues the one before."""
    found, before = [], NOTHING
    lines = path.read_bytes().splitlines(keepends=True)
    for line in lines:
        entry = json.loads(line)
        assert entry["previous"] == before
        before = hashlib.sha256(line).hexdigest()
        found.append(entry)
    return found


def only_entry(**facts):
    """The one line that a run has left, and what it says."""
    found = entries()
    assert len(found) == 1, found
    assert found[0].items() >= facts.items(), found
    return found[0]


def place(box, **more):
    return {"project": box.project, "instance": box.name, **more}


# What runs leave ----------------------------------------------------------

def test_a_copy(daemon, here, there):
    here.write("a", b"some data")
    before = datetime.datetime.now(UTC).replace(microsecond=0)
    assert daemon.anklume("copy", here.at("a"), there.at("b")).status == 0
    entry = only_entry(
        command="portal copy", result="done", status=0, done=1, failed=0,
        size_bytes=9, sha256=sha256_of(b"some data"), uid=0, user="root")
    assert entry["from"] == [place(here.box, path=f"{here.path}/a")]
    assert entry["to"] == [place(there.box, path=f"{there.path}/b")]
    when = datetime.datetime.strptime(
        entry["time"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert before <= when <= datetime.datetime.now(UTC)
    assert TRAIL.stat().st_mode & 0o777 == 0o640
    assert "error" not in entry


def test_a_copy_to_this_side(daemon, here, tmp_path):
    """A path of ours is told with its directory."""
    here.write("a", b"1")
    assert daemon.anklume("copy", here.at("a"), "b", cwd=tmp_path).status == 0
    assert only_entry()["to"] == [{"path": f"{tmp_path}/b"}]


def test_a_copy_through_pipes(daemon, here):
    assert daemon.anklume(
        "copy", "-", here.at("a"), stdin=b"12").status == 0
    assert only_entry(size_bytes=2)["from"] == [{"path": "-"}]


def test_several_files_of_which_one_fails(daemon, here, tmp_path):
    here.write("a", b"123")
    done = daemon.anklume("copy", here.at("a"), here.at("no"), tmp_path)
    assert done.status == 3
    entry = only_entry(result="partial", status=3, done=1, failed=1,
                       size_bytes=3)
    assert [one["path"] for one in entry["from"]] == [
        f"{here.path}/a", f"{here.path}/no"]
    assert "sha256" not in entry


def test_a_tree(daemon, here, tmp_path):
    (tmp_path / "tree/sub").mkdir(parents=True)
    for name in ("a", "sub/b"):
        (tmp_path / "tree" / name).write_bytes(b"123")
    done = daemon.anklume("copy", "-r", tmp_path / "tree", here.at())
    assert done.status == 0, done
    entry = only_entry(result="done", failed=0, size_bytes=6)
    assert entry["done"] >= 2
    assert entry["from"] == [{"path": f"{tmp_path}/tree"}]
    assert "sha256" not in entry


def test_more_sources_than_are_listed(daemon, here, tmp_path):
    for i in range(105):
        (tmp_path / f"{i}").write_bytes(b"")
    done = daemon.anklume("copy", *sorted(tmp_path.iterdir()), here.at())
    assert done.status == 0, done
    entry = only_entry(done=105, from_more=5)
    assert len(entry["from"]) == 100


@pytest.mark.parametrize("source, status", [("nosuch", 6), ("a", 8)])
def test_a_copy_that_fails(daemon, here, there, source, status):
    here.write("a", b"1")
    there.write("b", b"2")
    failed = daemon.anklume("copy", "--no-clobber", here.at(source),
                            there.at("b"))
    assert failed.status == status, failed
    only_entry(result="failed", status=status, done=0, failed=1, size_bytes=0,
               error=failed.err.splitlines()[0].removeprefix("anklume: "))


def test_an_instance_that_is_not_there(daemon, tmp_path):
    failed = daemon.anklume("copy", "work/nobody:/a", tmp_path / "a")
    assert failed.status == 6
    assert only_entry(result="failed", status=6)["from"] == [
        {"project": "work", "instance": "nobody", "path": "/a"}]


def test_no_daemon(lab_seven, tmp_path):
    failed = lab_seven.anklume("copy", "alpha:/a", tmp_path / "a",
                               env={"INCUS_SOCKET": "/nonexistent"})
    assert failed.status == 9
    assert only_entry(result="failed", status=9)["from"] == [
        {"instance": "alpha", "path": "/a"}]


@pytest.mark.parametrize("number, status", [
    (signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"])
def test_an_interrupted_copy(daemon, there, number, status):
    with midway.copy(daemon, there, "a") as child:
        child.send_signal(number)
        got, err = midway.end_of(child)
    assert got == status, err
    assert "trail" not in err
    only_entry(result="interrupted", status=status, done=0, failed=1)


def test_an_interrupted_backup(daemon, gpg_home):
    """gpg hears the same signal and fails: that is not the cause."""
    with midway.create(daemon, "home/web", "--gpg", "tests@example.org",
                       env={"GNUPGHOME": str(gpg_home)}) as child:
        child.send_signal(signal.SIGINT)
        got, err = midway.end_of(child)
    assert got == 130, err
    only_entry(command="backup create", result="interrupted", status=130)


def test_a_killed_copy_leaves_no_line(daemon, there):
    with midway.copy(daemon, there, "a") as child:
        child.kill()
    assert not TRAIL.exists()
    for part in leftovers(there.files):
        part.unlink()


def test_a_backup_and_its_restore(daemon, tmp_path, new_name):
    made = create(daemon, "home/web", tmp_path)
    digest = sha256_of(made.path.read_bytes())
    size = made.path.stat().st_size
    entry = only_entry(command="backup create", result="done", done=1,
                       size_bytes=size, sha256=digest)
    assert entry["from"] == [{"project": "home", "instance": "web"}]
    assert entry["to"] == [{"path": str(made.path)}]

    name = new_name()
    assert restore(daemon, made, "--name", name).status == 0
    first, second = entries()
    assert first == entry
    assert second.items() >= {
        "command": "backup restore", "result": "done", "done": 1,
        "size_bytes": size, "sha256": digest,
        "from": [{"path": str(made.path)}],
        "to": [{"project": "home", "instance": name}]}.items()


def test_a_restore_that_fails(daemon, tmp_path, new_name):
    made = create(daemon, "home/web", tmp_path)
    TRAIL.unlink()
    made.path.write_bytes(made.path.read_bytes()[:-100])
    name = new_name()
    failed = restore(daemon, made, "--name", name, "--project", "work")
    assert failed.status == 5, failed
    entry = only_entry(command="backup restore", result="failed", status=5,
                       done=0, failed=1, size_bytes=0)
    assert entry["to"] == [{"project": "work", "instance": name}]
    assert "sha256" not in entry


def test_a_denied_backup(daemon, make_box, tmp_path):
    box = make_box(project="locked", start=False)
    denied = daemon.anklume("backup", "create", box, "-o", tmp_path)
    assert denied.status == 4, denied
    entry = only_entry(command="backup create", result="denied", status=4)
    assert entry["from"] == [place(box)]


def test_snapshots(daemon, box):
    """Taking one changes nothing, and leaves no line."""
    assert daemon.anklume("snapshot", "create", box, "s1").status == 0
    assert daemon.anklume("snapshot", "list", box).status == 0
    assert not TRAIL.exists()
    assert daemon.anklume("snapshot", "restore", box, "s1").status == 0
    assert daemon.anklume("snapshot", "delete", box, "s1").status == 0
    assert daemon.anklume("snapshot", "delete", box, "s1").status == 6
    found = entries()
    assert [(one["command"], one["result"]) for one in found] == [
        ("snapshot restore", "done"), ("snapshot delete", "done"),
        ("snapshot delete", "failed")]
    for one in found:
        assert one["from"] == [place(box, snapshot="s1")]
        assert one["to"] == [place(box)]


def test_snapshots_of_several_instances(daemon, make_box):
    one, other = make_box(start=False), make_box(start=False)
    assert daemon.anklume("snapshot", "create", one, "--name=s").status == 0
    done = daemon.anklume("snapshot", "delete", one, other, "--name=s")
    assert done.status == 3, done
    entry = only_entry(command="snapshot delete", result="partial", status=3,
                       done=1, failed=1)
    assert entry["to"] == [place(one), place(other)]


@pytest.mark.parametrize("words", [
    ["copy", "-n", "SOURCE", "/tmp/x"], ["copy", "SOURCE"],
    ["copy", "SOURCE", "a:b"], ["copy", "--nosuch", "SOURCE", "/tmp/x"],
    ["backup", "create", "a=b"], ["snapshot", "delete", "alpha"],
    ["snapshot", "delete", "-n", "alpha", "x"]], ids=" ".join)
def test_what_leaves_no_line(daemon, here, words):
    source = here.write("a", b"1")
    daemon.anklume(*[source if one == "SOURCE" else one for one in words])
    assert not TRAIL.exists()


def test_the_user_behind_sudo(daemon, here, tmp_path):
    here.write("a", b"1")
    env = {"SUDO_USER": "al\x1b[31mice"}
    assert daemon.anklume("copy", here.at("a"), tmp_path,
                          env=env).status == 0
    only_entry(user="root", sudo_user="al\\x1b[31mice")


@pytest.mark.parametrize("name", [
    b"\x1b[2Jx", b"a\nb", b"\xff\xfe", "\u202etxt".encode(), b"\"\\",
    "é".encode()])
def test_names_that_must_not_reach_a_terminal(daemon, here, name):
    source = os.fsdecode(os.fsencode(here.at()) + name)
    failed = daemon.anklume("copy", source, "/tmp/nosuch/x")
    assert failed.status == 6
    only_entry(result="failed")
    shown = daemon.anklume("portal", "log")
    assert shown.status == 0
    assert not set(shown.out) & set("\x1b\x07\x7f\u202e"), shown
    assert shown.out.count("\n") == 1
    if name.startswith(b"\x1b"):
        assert "\\x1b[2Jx" in shown.out


def test_concurrent_copies(daemon, here, tmp_path):
    """Their lines do not mix, and the chain holds."""
    sources = [here.write(f"f{i}", b"1") for i in range(24)]
    children = [daemon.spawn("copy", source, tmp_path) for source in sources]
    for child in children:
        _, err = child.communicate(timeout=lab.DEADLINE_S)
        assert (child.returncode, err) == (0, b"")
    assert sorted(one["from"][0]["path"] for one in entries()) == sorted(
        f"{here.path}/f{i}" for i in range(24))


# Where it goes ------------------------------------------------------------

@pytest.fixture
def read_only_log(own_state):
    """/var/log/anklume cannot be written."""
    del own_state
    subprocess.run(["mount", "-o", "remount,ro", TRAIL.parent], check=True)
    yield
    subprocess.run(["mount", "-o", "remount,rw", TRAIL.parent], check=True)


@pytest.mark.usefixtures("read_only_log")
def test_the_second_place(daemon, here, tmp_path):
    here.write("a", b"1")
    env = {"XDG_STATE_HOME": str(tmp_path / "state")}
    done = daemon.anklume("copy", here.at("a"), tmp_path, env=env)
    assert (done.status, done.err) == (0, ""), done
    trail = tmp_path / "state/anklume/audit.jsonl"
    assert len(entries(trail)) == 1
    assert trail.stat().st_mode & 0o777 == 0o600
    assert trail.parent.stat().st_mode & 0o777 == 0o700
    shown = daemon.anklume("portal", "log", env=env)
    assert (shown.status, shown.out.count("\n")) == (0, 1), shown


@pytest.mark.usefixtures("read_only_log")
def test_nowhere_is_a_note(daemon, here, tmp_path):
    here.write("a", b"1")
    env = {"XDG_STATE_HOME": "/proc/nowhere"}
    done = daemon.anklume("copy", here.at("a"), tmp_path, env=env)
    assert done.status == 0, done
    assert done.err.startswith(
        "anklume: the audit trail could not be written: ")
    assert done.err.count("\n") == 1
    assert (tmp_path / "a").read_bytes() == b"1"
    failed = daemon.anklume("copy", here.at("no"), tmp_path, env=env)
    assert failed.status == 6
    assert failed.err.count("anklume: ") == 2


@pytest.fixture
def full_log():
    """/var/log/anklume has room up to the end of a page that is in use."""
    subprocess.run(["mount", "-o", "remount,size=64k", TRAIL.parent],
                   check=True)
    with contextlib.suppress(OSError), open(
            TRAIL.parent / "filler", "wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
    yield
    subprocess.run(["mount", "-o", "remount,size=50%", TRAIL.parent],
                   check=True)


def test_a_full_disk_is_a_note(daemon, here, tmp_path, request):
    """What is in the trail stays, and no line is cut."""
    here.write("a", b"1")

    def run():
        done = daemon.anklume("copy", here.at("a"), tmp_path,
                              env={"XDG_STATE_HOME": "/proc/nowhere"})
        assert done.status == 0, done
        return done.err

    assert run() == ""
    request.getfixturevalue("full_log")
    told = [run() for _ in range(10)]
    assert "could not be written: cannot write 'audit.jsonl'" in told[-1]
    assert len(entries()) == 1 + told.count("")


def test_a_symbolic_link_is_not_followed(daemon, here, tmp_path):
    here.write("a", b"1")
    TRAIL.symlink_to(tmp_path / "victim")
    done = daemon.anklume("copy", here.at("a"), tmp_path / "b",
                          env={"XDG_STATE_HOME": "/proc/nowhere"})
    assert done.status == 0
    assert "is a symbolic link, which is not followed" in done.err
    assert not (tmp_path / "victim").exists()


# A /dev of its own for "$@", with a syslog that is this test.
WITH_SYSLOG = """
set -e
mount --bind "$DEV" /dev
exec "$@"
"""


@pytest.fixture
def syslog(tmp_path):
    """A /dev with a log that is read here."""
    dev = tmp_path / "dev"
    dev.mkdir()
    os.mknod(dev / "null", 0o020666, os.makedev(1, 3))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(dev / "log"))
        heard.settimeout(10)
        yield dev, heard


def with_syslog(daemon, dev, *words, **env):
    return lab.run(
        ["unshare", "--mount", "sh", "-c", WITH_SYSLOG, "sh", lab.binary(),
         *words], env=daemon.environment(DEV=str(dev), **env))


def test_syslog_gets_the_hash_and_the_line(daemon, here, tmp_path, syslog):
    dev, heard = syslog
    here.write("a", b"1")
    done = with_syslog(daemon, dev, "copy", here.at("a"), tmp_path)
    assert (done.status, done.err) == (0, ""), done
    said = heard.recv(65536)
    line = TRAIL.read_bytes()
    assert said.startswith(b"<86>")
    assert said.endswith(b"]: " + sha256_of(line).encode() + b" " + line[:-1])


@pytest.mark.usefixtures("read_only_log")
def test_syslog_alone_is_said(daemon, here, tmp_path, syslog):
    dev, heard = syslog
    here.write("a", b"1")
    done = with_syslog(daemon, dev, "copy", here.at("a"), tmp_path,
                       XDG_STATE_HOME="/proc/nowhere")
    assert done.status == 0, done
    assert done.err.endswith(" (syslog has it)\n")
    assert b'"command":"portal copy"' in heard.recv(65536)


def test_syslog_first(daemon, here, tmp_path, syslog):
    """A trail that cannot be written does not keep it from being known."""
    dev, heard = syslog
    here.write("a", b"1")
    TRAIL.mkdir()
    done = with_syslog(daemon, dev, "copy", here.at("a"), tmp_path,
                       XDG_STATE_HOME="/proc/nowhere")
    TRAIL.rmdir()
    assert done.status == 0, done
    assert b'"result":"done"' in heard.recv(65536)


# portal log ---------------------------------------------------------------

@pytest.fixture
def three_runs(daemon, here, there, tmp_path):
    """Copies: done, to another instance; failed; done, by somebody else."""
    here.write("a", b"x" * 2048)
    daemon.anklume("copy", here.at("a"), there.at("a"))
    daemon.anklume("copy", there.at("no"), tmp_path)
    daemon.anklume("copy", here.at("a"), tmp_path, env={"SUDO_USER": "alice"})
    assert len(entries()) == 3


@pytest.fixture
def log(daemon):
    return lambda *words, **run: daemon.anklume("portal", "log", *words, **run)


def test_the_table(log, here, there, three_runs):
    del three_runs
    shown = log(env={"TZ": "XXX-13:30"})
    assert (shown.status, shown.err) == (0, "")
    first, second, third = shown.out.splitlines()
    zone = datetime.timezone(datetime.timedelta(hours=13.5))
    when = datetime.datetime.strptime(
        first[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone)
    assert abs(datetime.datetime.now(zone) - when).seconds < 300
    assert first[19:].split() == [
        "done", "root", "portal", "copy", "2.0", "KiB", here.at("a"), "->",
        there.at("a")]
    assert first.index("root") == second.index("root")
    assert "failed" in second
    assert "root(alice)" in third


def test_a_forged_trail_is_shown_escaped(log):
    """Somebody else may have written the file."""
    text = "\x1b[2Jx\u202e"
    entry = {key: text for key in (
        "time", "command", "result", "user", "sudo_user", "previous")}
    entry["from"] = entry["to"] = [{"project": text, "instance": text,
                                    "path": text, "snapshot": text}]
    TRAIL.write_text(json.dumps(entry) + "\n")
    for words in ([], ["--verify"]):
        shown = log(*words)
        assert not set(shown.out + shown.err) & set("\x1b\u202e"), shown
    TRAIL.write_text(json.dumps({"from": 7, "to": [3], "user": []}) + "\n")
    assert log().status == 0


@pytest.mark.parametrize("words, count", [
    (["--result", "done"], 2), (["--result=failed"], 1),
    (["--result", "denied"], 0), (["--user", "alice"], 1),
    (["--user", "root"], 3), (["--user", "bob"], 0),
    (["--since", "today"], 3), (["--since", "yesterday"], 3),
    (["--since", "2020-01-01"], 3), (["--since", "2999-01-01"], 0),
    (["--since", "2020-01-01T00:00", "--result", "failed"], 1),
    (["--instance", "HERE"], 2), (["--instance", "THERE"], 2),
    (["--instance", "work/HERE"], 2), (["--instance", "home/HERE"], 0),
    (["--instance", "nobody"], 0)])
def test_filters(log, here, there, three_runs, words, count):
    del three_runs
    words = [one.replace("THERE", there.box.name).replace(
        "HERE", here.box.name) for one in words]
    shown = log(*words)
    assert shown.out.count("\n") == count, shown
    assert shown.status == (0 if count else 6)
    if not count:
        assert shown.err == (
            "anklume: no entry of the audit trail matches\n")


def test_since_is_a_moment(log, three_runs):
    del three_runs
    when = datetime.datetime.strptime(
        entries()[0]["time"], "%Y-%m-%dT%H:%M:%SZ")
    later = when + datetime.timedelta(hours=1)
    assert log(f"--since={when:%Y-%m-%dT%H:%M:%S}").status == 0
    assert log(f"--since={later:%Y-%m-%d %H:%M:%S}").status == 6
    # One hour later here is one hour earlier in UTC.
    assert log(f"--since={later:%Y-%m-%dT%H:%M:%S}",
               env={"TZ": "XXX-02:00"}).status == 0
    assert log(f"--since={later:%Y-%m-%dT%H:%M:%SZ}",
               env={"TZ": "XXX-02:00"}).status == 6


@pytest.mark.parametrize("words", [
    ["--since", "tomorrow"], ["--since", "2026-02-30"], ["--since", ""],
    ["--since", "22/11/2026"], ["--result", "ok"], ["--instance", "a=b"],
    ["--verify", "--user", "root"], ["word"]], ids=" ".join)
def test_wrong_usage(log, words):
    wrong = log(*words)
    assert (wrong.status, wrong.out) == (2, ""), wrong


def test_json(log, three_runs):
    del three_runs
    told = log("--json", "--result=done").json()
    assert (told["schema"], told["command"], told["status"]) == (
        1, "portal log", 0)
    assert told["entries"] == [
        one for one in entries() if one["result"] == "done"]
    none = log("--json", "--user=bob")
    assert none.status == 6
    assert none.json()["entries"] == []


def test_no_trail(log, tmp_path):
    for words in ([], ["--verify"]):
        told = log(*words, env={"XDG_STATE_HOME": str(tmp_path)})
        assert (told.status, told.out) == (6, "")
        assert told.err == "anklume: there is no audit trail\n"


def test_a_trail_that_is_not_ones_own(daemon, tmp_path, three_runs):
    del three_runs
    TRAIL.parent.chmod(0o750)
    child = daemon.spawn("portal", "log", user=65534, group=65534,
                         extra_groups=[],
                         env={"XDG_STATE_HOME": str(tmp_path)})
    out, err = child.communicate(timeout=lab.DEADLINE_S)
    assert (child.returncode, out) == (6, b"")
    assert f"'{TRAIL}' is not yours to read" in err.decode()


# --verify -----------------------------------------------------------------

def test_an_intact_trail(log, three_runs):
    del three_runs
    told = log("--verify")
    assert (told.status, told.err) == (0, ""), told
    assert f"{TRAIL}: 3 lines, intact\n" in told.out
    last = sha256_of(TRAIL.read_bytes().splitlines(keepends=True)[-1])
    assert "nothing confirms its end" in told.out
    assert f"journalctl -t anklume --grep {last}" in told.out


def change(lines):
    lines[1] = lines[1].replace(b'"failed"', b'"done"', 1)


def remove(lines):
    del lines[1]


def remove_first(lines):
    del lines[0]


def tear(lines):
    lines[2] = lines[2][:-5]


@pytest.mark.parametrize("spoil, line", [
    (change, 3), (remove, 2), (remove_first, 1), (tear, 3)])
def test_a_spoilt_trail(log, three_runs, spoil, line):
    del three_runs
    lines = TRAIL.read_bytes().splitlines(keepends=True)
    spoil(lines)
    TRAIL.write_bytes(b"".join(lines))
    told = log("--verify")
    assert told.status == 5, told
    assert told.err == (
        "anklume: the audit trail is not as it was written\n")
    assert f"{TRAIL}, line {line}: " in told.out
    assert "damaged" in told.out
    found = log("--verify", "--json").json()
    assert found["status"] == 5
    assert [one["line"] for one in found["trails"][0]["damage"]] == [line]


def test_the_end_is_confirmed_by_syslog(log, mounted, three_runs):
    """Not by one that lacks the last line."""
    del three_runs
    lines = TRAIL.read_bytes().splitlines(keepends=True)
    kept = pathlib.Path("/var/log")
    place = mounted("tmpfs")
    (place / "auth.log").write_text(
        f"Nov 25 anklume[1]: {sha256_of(lines[1])} ...\n")
    (place / "anklume").mkdir()
    (place / "anklume/audit.jsonl").write_bytes(b"".join(lines))
    subprocess.run(["mount", "--bind", place, kept], check=True)
    try:
        assert "nothing confirms its end" in log("--verify").out
        with open(place / "auth.log", "a", encoding="ascii") as file:
            file.write(f"Nov 25 anklume[1]: {sha256_of(lines[2])} ...\n")
        told = log("--verify")
        assert f"{TRAIL}: /var/log/auth.log confirms its end\n" in told.out
        assert log("--verify", "--json").json()["trails"] == [{
            "path": str(TRAIL), "lines": 3, "damage": [],
            "last_sha256": sha256_of(lines[2]),
            "end_confirmed_by": "/var/log/auth.log"}]
    finally:
        subprocess.run(["umount", kept], check=True)


def test_the_documented_check(three_runs):
    """What docs/formats.md tells to do without anklume."""
    del three_runs
    text = (lab.ROOT / "docs/formats.md").read_text()
    script = text.split("<!-- chain -->")[1].split("```")[1]
    script = script.removeprefix("bash\n").replace(
        "/var/log/anklume/audit.jsonl", "$TRAIL")
    told = lab.run(["bash", "-c", script],
                   env={**os.environ, "TRAIL": str(TRAIL)})
    assert (told.status, told.out, told.err) == (0, "", ""), told
    TRAIL.write_bytes(TRAIL.read_bytes().replace(b"failed", b"Failed", 1))
    assert lab.run(["bash", "-c", script],
                   env={**os.environ, "TRAIL": str(TRAIL)}).status != 0


def test_a_moved_trail_goes_on(log, daemon, here, tmp_path, three_runs):
    """As logrotate moves it."""
    del three_runs
    TRAIL.rename(f"{TRAIL}.1")
    assert daemon.anklume("copy", here.at("a"), tmp_path).status == 0
    assert log("--verify").status == 0
    os.truncate(f"{TRAIL}.1", 10)
    assert log("--verify").status == 5


# What the policy has to do with it.

def test_the_rule_that_decided_is_on_record(daemon, policy, here, there):
    policy("# first", "deny @any @any path=/root", "allow @any @any")
    a = here.write("a", b"1")
    assert daemon.anklume("portal", "copy", a, there.at("a")).status == 0
    assert entries()[-1]["rule"] == (
        "/etc/anklume/policy:3: allow @any @any")
    denied = daemon.anklume("portal", "copy", a, there.box.place("/root/a"))
    assert denied.status == 4
    last = entries()[-1]
    assert (last["result"], last["rule"]) == (
        "denied", "/etc/anklume/policy:2: deny @any @any path=/root")


@pytest.mark.parametrize("words", [
    ("portal", "copy", "{a}", "{b}"),
    ("portal", "copy", "-r", "{a}", "{b}"),
    ("backup", "create", "alpha", "-o", "{dir}/out"),
    ("backup", "restore", "{dir}/none.tar.gz", "--name", "x"),
    ("snapshot", "delete", "alpha", "--name", "none")],
    ids=lambda words: "-".join(words[:3]))
@pytest.mark.usefixtures("read_only_log")
def test_without_the_trail_that_is_required_nothing_happens(
        daemon, policy, here, there, tmp_path, words):
    policy("audit required", "allow @any @any")
    a = here.write("a", b"1")
    result = daemon.anklume(
        *[word.format(a=a, b=there.at("b"), dir=tmp_path) for word in words],
        env={"XDG_STATE_HOME": "/proc/nowhere"})
    assert result.status == 4, result
    assert "the policy wants a trail" in result.err
    assert not (there.files / "b").exists()
    assert list(tmp_path.glob("out/*")) == []


def test_a_policy_that_cannot_be_read_stops_backups_too(
        daemon, policy, tmp_path):
    policy("nonsense")
    result = daemon.anklume("backup", "create", "alpha", "-o", tmp_path)
    assert result.status == 4, result
    assert "line 1" in result.err
