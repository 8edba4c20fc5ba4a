"""Where Incus is looked for, what is said when it is not there, and anklume
inside an instance that holds the socket."""

import contextlib
import os
import shutil
import socket
import tarfile
import tempfile

import pytest

import lab
from lab import DEADLINE_S
from relay import Relay

COMMANDS = [
    ["copy", "/etc/hosts", "alpha:/tmp/x"],
    ["backup", "create", "alpha"],
    ["snapshot", "list", "alpha"],
    ["snapshot", "delete", "alpha", "x"],
]

NOBODY = 65534

# Runs "$@" where the machine's own Incus, if any, cannot be seen. What stands
# behind $SOCKET is bound to $PLACES, one below the other.
ELSEWHERE = """
set -e
exec 9<"$(dirname "$SOCKET")"
mount -t tmpfs none /run
for place in $PLACES; do
    mkdir -p "$(dirname "$place")"
    : >"$place"
    mount --bind "/proc/self/fd/9/$(basename "$SOCKET")" "$place"
done
exec 9<&-
exec "$@"
"""


@pytest.fixture
def state():
    """Where anybody may keep an audit trail."""
    with tempfile.TemporaryDirectory(prefix="anklume-state-") as place:
        os.chmod(place, 0o777)
        yield place


@pytest.fixture
def unreachable(lab_seven, tmp_path, state):
    """Run what must end with 9, one sentence and what to do."""

    def run(path, *says, command=("snapshot", "list", "alpha"), **popen):
        env = path if isinstance(path, dict) else {"INCUS_SOCKET": str(path)}
        child = lab_seven.spawn(*command, cwd=tmp_path, **popen,
                                env={"XDG_STATE_HOME": state, **env})
        out, err = child.communicate(timeout=DEADLINE_S)
        assert (child.returncode, out) == (9, b""), err
        first, *rest = err.decode().splitlines()
        assert first.startswith("anklume: ")
        assert all(line.startswith("  ") for line in rest)
        for text in says:
            assert text in err.decode()
        return err.decode()

    return run


def found(daemon, **env):
    """Whether the socket that is found is that daemon's."""
    result = daemon.anklume("--json", "snapshot", "list", "alpha", env=env)
    assert result.status == 0, result
    return result


# Not reachable ------------------------------------------------------------

@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_socket(unreachable, tmp_path, command):
    path = tmp_path / "no.socket"
    unreachable(path, f"there is no socket '{path}'", "is Incus installed",
                "INCUS_SOCKET=", command=command)
    assert os.listdir(tmp_path) == []


def test_no_socket_in_json(lab_seven, tmp_path):
    failed = lab_seven.anklume("--json", "snapshot", "list", "alpha",
                               env={"INCUS_SOCKET": str(tmp_path / "no")})
    assert failed.status == 9
    assert failed.json()["status"] == 9
    assert "there is no socket" in failed.json()["error"]


def test_nothing_listens(unreachable, tmp_path):
    """What a daemon that was stopped or killed leaves."""
    path = tmp_path / "unix.socket"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    for command in COMMANDS:
        unreachable(path, f"nothing listens on '{path}'",
                    "systemctl start incus", command=command)


def test_what_is_no_socket(unreachable, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    unreachable(tmp_path / "file", str(tmp_path / "file"))
    unreachable(tmp_path, str(tmp_path))
    unreachable(tmp_path / "file" / "x", str(tmp_path / "file" / "x"))
    (tmp_path / "loop").symlink_to("loop")
    unreachable(tmp_path / "loop", str(tmp_path / "loop"))


def test_a_path_longer_than_any_socket(unreachable, tmp_path):
    unreachable(tmp_path / ("n" * 108), "longer than 107 bytes")


def test_control_bytes_of_the_path_are_escaped(unreachable):
    unreachable("/no\x1b[2Jwhere\n", r"'/no\x1b[2Jwhere\n'")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_permission_on_the_socket(lab_seven, unreachable, command):
    unreachable(lab_seven.socket, "permission denied on the Incus socket",
                "incus-admin", command=command, user=NOBODY, group=NOBODY,
                extra_groups=[])


def test_no_permission_on_its_directory(lab_seven, unreachable, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "unix.socket").symlink_to(lab_seven.socket)
    tmp_path.chmod(0o755)
    unreachable(closed / "unix.socket",
                "permission denied on the Incus socket", "incus-admin",
                user=NOBODY, group=NOBODY, extra_groups=[])


def test_a_member_of_the_group_is_let_in(daemon, tmp_path):
    """The group of the socket is all it takes: no root."""
    relay = Relay(tmp_path / "unix.socket", daemon)
    with contextlib.closing(relay):
        os.chown(relay.path, 0, 4242)
        os.chmod(relay.path, 0o660)
        for parent in tmp_path, tmp_path.parent, tmp_path.parent.parent:
            parent.chmod(0o755)
        child = daemon.spawn("snapshot", "list", "alpha", user=NOBODY,
                             group=NOBODY, extra_groups=[4242],
                             env={"INCUS_SOCKET": relay.path})
        _, err = child.communicate(timeout=DEADLINE_S)
    assert (child.returncode, err) == (0, b"")


# Where it is looked for ---------------------------------------------------

def elsewhere(daemon, places, *words, env=None):
    """Run on a machine that has Incus only where we say."""
    return lab.run(
        ["unshare", "-m", "sh", "-c", ELSEWHERE, "sh", lab.binary(), *words],
        env=daemon.environment(
            INCUS_SOCKET=None, SOCKET=daemon.socket, PLACES=places,
            **(env or {})))


@pytest.fixture
def bare(mounted, tmp_path):
    """Hide a machine's own Incus, from this process and its children."""
    for path in "/run/incus", "/var/lib/incus":
        if os.path.isdir(path):
            place = mounted("tmpfs")
            lab.run(["mount", "--bind", place, path])
    yield tmp_path
    for path in "/run/incus", "/var/lib/incus":
        if os.path.ismount(path):
            lab.run(["umount", path])


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_incus_is_absent(unreachable, bare, command):
    told = unreachable(
        {"INCUS_SOCKET": None}, "Incus is not reachable",
        "/var/lib/incus/unix.socket", "is Incus installed and started?",
        command=command)
    assert len(told.splitlines()) == 2
    assert os.listdir(bare) == []


def test_found_in_its_usual_place(daemon):
    told = elsewhere(daemon, "/run/incus/unix.socket", "snapshot", "list",
                     "alpha")
    assert (told.status, told.err) == (0, ""), told


def test_the_socket_that_is_named(daemon, tmp_path):
    link = tmp_path / "named"
    link.symlink_to(daemon.socket)
    found(daemon, INCUS_SOCKET=str(link))


def test_the_directory_that_is_named(daemon):
    found(daemon, INCUS_SOCKET=None, INCUS_DIR=os.path.dirname(daemon.socket))


def test_a_directory_without_socket(unreachable, tmp_path):
    unreachable({"INCUS_SOCKET": None, "INCUS_DIR": str(tmp_path)},
                f"there is no socket '{tmp_path}/unix.socket'")


def test_the_socket_goes_before_the_directory(daemon, tmp_path):
    found(daemon, INCUS_DIR=str(tmp_path))


def test_an_empty_variable_is_none(daemon):
    found(daemon, INCUS_SOCKET="", INCUS_DIR=os.path.dirname(daemon.socket))


def test_an_empty_project_is_none(daemon):
    told = daemon.anklume("snapshot", "list", "web",
                          env={"INCUS_PROJECT": ""})
    assert told.status == 7, told


def test_the_socket_for_users(daemon, tmp_path):
    """Who may not use the one takes the other, and is in a project of his
    own there."""
    for parent in tmp_path, tmp_path.parent, tmp_path.parent.parent:
        parent.chmod(0o755)
    (tmp_path / "unix.socket").symlink_to(daemon.socket)
    relay = Relay(tmp_path / "unix.socket.user", daemon)
    with contextlib.closing(relay):
        os.chmod(relay.path, 0o666)
        child = daemon.spawn(
            "snapshot", "list", "alpha", user=NOBODY, group=NOBODY,
            extra_groups=[],
            env={"INCUS_SOCKET": None, "INCUS_DIR": str(tmp_path)})
        _, err = child.communicate(timeout=DEADLINE_S)
    assert (child.returncode, err) == (0, b"")
    assert relay.requests


# Inside an instance -------------------------------------------------------

def linked(file):
    """The libraries that a program or a library is linked with."""
    return [word for word in lab.run(["ldd", file]).out.split()
            if word.startswith("/")]


class Inside:
    """anklume in a box: the program, all that it needs, and the daemon's
    socket."""

    HOME = "/opt/anklume"
    SOCKET = "/run/incus.socket"

    def __init__(self, box):
        self.box = box
        home = box.inner(self.HOME)
        home.mkdir(parents=True)
        needed = linked(lab.binary())
        for path in [lab.binary(), *needed]:
            shutil.copy(path, home)
        [loader] = [path for path in needed
                    if os.path.basename(path).startswith("ld-")]
        self.program = [f"{self.HOME}/{os.path.basename(loader)}",
                        "--library-path", self.HOME,
                        f"{self.HOME}/{os.path.basename(lab.binary())}"]
        box.daemon.incus(
            "config", "device", "add", box.name, "socket", "proxy",
            f"listen=unix:{self.SOCKET}", f"connect=unix:{box.daemon.socket}",
            "bind=instance", "mode=0600", "--project", box.project)

    def anklume(self, *words, user="0"):
        result = self.box.daemon.incus(
            "exec", self.box.name, "--project", self.box.project, "--user",
            user, "--env", f"INCUS_SOCKET={self.SOCKET}", "--env",
            "HOME=/root", "--", *self.program, *words, check=False)
        assert "Sanitizer" not in result.err, result.err
        return result

    def done(self, *words):
        result = self.anklume(*words)
        assert result.status == 0, result
        return result


@pytest.fixture(scope="module")
def insiders():
    """One for each daemon, made when first asked for."""
    return {}


@pytest.fixture
def inside(daemon, kept_box, insiders):
    if daemon.version not in insiders:
        insiders[daemon.version] = Inside(
            kept_box(daemon, "home", "default"))
    return insiders[daemon.version]


def test_copy_from_inside(daemon, inside, here):
    """Its own files are the local ones."""
    here.write("a", b"dear reader\n")
    inside.done("copy", here.at("a"), "/root/a")
    assert inside.box.read("/root/a") == b"dear reader\n"
    inside.done("copy", "/root/a", here.at("b"))
    assert here.read("b") == b"dear reader\n"
    inside.done("copy", here.at("a"), inside.box.place("/root/c"))
    assert inside.box.read("/root/c") == b"dear reader\n"


def test_snapshots_from_inside(daemon, inside):
    """Of another instance, and of itself."""
    del daemon
    for name in "alpha", str(inside.box):
        for verb in "create", "delete":
            done = inside.done("snapshot", verb, name, "--name", "inner")
            assert (done.out, done.err) == ("inner\n", "")


def whole(path):
    """The names in an archive, read to its end."""
    with tarfile.open(path) as tar:
        return [member.name for member in tar]


def test_backup_from_inside(inside, new_name):
    made = inside.done("backup", "create", "home/web", "-o", "/root/backups")
    path = made.out.removesuffix("\n")
    assert "backup/index.yaml" in whole(inside.box.inner(path))
    name = new_name()
    restored = inside.done("backup", "restore", path, "--name", name,
                           "--project", "home")
    assert restored.out == f"home/{name}\n"
    assert inside.box.daemon.exists(name, "home")


@pytest.fixture
def backup_of_itself(inside):
    """The result, the archive's name, and the names in it."""
    made = inside.done("backup", "create", str(inside.box), "-o", "/root/own")
    path = inside.box.inner(made.out.removesuffix("\n"))
    names = whole(path)
    shutil.rmtree(path.parent)
    return made, path.name, names


def test_backup_of_itself_is_whole(backup_of_itself):
    """What is written does not come into what is read."""
    _, archive, names = backup_of_itself
    assert "backup/container/rootfs/opt/anklume/anklume" in names
    assert not [name for name in names if name.endswith(archive)]


def test_backup_of_itself_warns(backup_of_itself):
    """The archive lies in what it saves, and would go with it."""
    made, *_ = backup_of_itself
    assert "itself" in made.err, made


def test_it_never_replaces_itself(inside):
    """It would end in the middle, with the old one stopped."""
    made = inside.done("backup", "create", str(inside.box), "-o", "/root/own")
    # Only looked at: a program that got this wrong would stop its own box.
    refused = inside.anklume(
        "-n", "backup", "restore", made.out.removesuffix("\n"), "--project",
        inside.box.project, "--force", "--yes")
    shutil.rmtree(inside.box.inner("/root/own"))
    assert refused.status != 0, refused
    assert "itself" in refused.err


def test_it_never_freezes_itself(inside):
    """Nobody inside could thaw it."""
    # Only looked at, as above.
    refused = inside.anklume("-n", "backup", "create", str(inside.box),
                             "--consistency", "freeze", "-o", "/root/own")
    assert refused.status == 8, refused
    assert "itself" in refused.err


def test_it_freezes_another(daemon, inside, make_box):
    """The guard works inside, too."""
    box = make_box(project="home")
    made = inside.done("backup", "create", str(box), "--consistency",
                       "freeze", "-o", "/root/frozen")
    assert "was frozen for" in made.err
    url = f"/1.0/instances/{box.name}?project=home"
    assert daemon.get(url)["status"] == "Running"


def test_it_never_resets_itself(inside):
    """The daemon stops what it sets back to a snapshot."""
    inside.done("snapshot", "create", str(inside.box), "--name", "before")
    # Only looked at, as above.
    refused = inside.anklume(
        "-n", "snapshot", "restore", str(inside.box), "before")
    inside.done("snapshot", "delete", str(inside.box), "before")
    assert refused.status == 8, refused
    assert "itself" in refused.err


def test_a_socket_that_is_not_for_users_inside(inside):
    denied = inside.anklume("snapshot", "list", "alpha", user="1000")
    assert denied.status == 9, denied
    assert "permission denied on the Incus socket" in denied.err
