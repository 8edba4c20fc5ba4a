"""What every system test can ask for: a daemon, a box to play with, a key."""

import contextlib
import ctypes
import fcntl
import os
import pathlib
import subprocess
import uuid

import pytest

import backups
import crowds
import keys
import lab as lab_module
import places

CLONE_NEWNS = 0x00020000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
SETTINGS = pathlib.Path("/etc/anklume")
# This host's record, audit trail and policy, which are not the tests' to write.
OWN = {pathlib.Path("/var/lib/anklume"): 0o755,
       pathlib.Path("/var/log/anklume"): 0o750, SETTINGS: 0o755}
MARK = ".anklume-tests"


def _mount(source, target, kind, flags):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source, target, kind, flags, None) < 0:
        raise OSError(ctypes.get_errno(), "mount", target)


@contextlib.contextmanager
def _alone():
    """No other run of the tests on this machine is here at the same time."""
    turn = os.open("/etc", os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
    finally:
        os.close(turn)


def _make_place(place):
    """A place that this host does not have is made, for all runs that want it:
    whoever removes a directory takes away what others have mounted there. They
    hold the mark in it, which also tells the next run what one that was killed
    has left. None where the place is the host's own."""
    mark = place / MARK
    if place.exists() and not mark.exists():
        return None
    place.mkdir(parents=True, exist_ok=True)
    held = os.open(mark, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(held, fcntl.LOCK_SH)
    return held


def _leave_place(place, held):
    """The last of them removes it."""
    if held is None:
        return
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    finally:
        os.close(held)
    (place / MARK).unlink()
    # Somebody else may have put something there meanwhile.
    with contextlib.suppress(OSError):
        place.rmdir()


@pytest.fixture(scope="session", autouse=True)
def own_state(lab):
    """Hide from the tests what is this host's own."""
    del lab
    libc = ctypes.CDLL(None, use_errno=True)
    with _alone():
        held = {place: _make_place(place) for place in OWN}
        if libc.unshare(CLONE_NEWNS) < 0:
            raise OSError(ctypes.get_errno(), "unshare")
        _mount(b"none", b"/", None, MS_REC | MS_PRIVATE)
        for place, mode in OWN.items():
            _mount(b"tmpfs", str(place).encode(), b"tmpfs", 0)
            place.chmod(mode)
    yield
    with _alone():
        for place in OWN:
            libc.umount2(str(place).encode(), 2)
            _leave_place(place, held[place])


@pytest.fixture
def policy():
    """Write a file of /etc/anklume, for one test."""
    made = []

    def write(*lines, name="policy", mode=0o644):
        path = SETTINGS / name
        path.write_text("".join(f"{line}\n" for line in lines))
        path.chmod(mode)
        made.append(path)
        return path

    yield write
    for path in made:
        path.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def lab(request):
    """The daemons, those of this lane up for the whole run."""
    lane = request.config.getoption("--lane")
    chosen = lane if lane in ("6", "7") else "all"
    check = lab_module.run([lab_module.LAB, "check"])
    if check.status != 0:
        reason = "no lab on this machine: " + check.out.strip()
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    up = lab_module.run([lab_module.LAB, "up", chosen], deadline_s=900)
    assert up.status == 0, up
    yield {v: lab_module.Daemon(v) for v in ("6", "7")}
    if os.environ.get("ANKLUME_LAB_KEEP") != "1":
        lab_module.run([lab_module.LAB, "down", chosen])


@pytest.fixture(params=["6", "7"])
def daemon(request, lab):
    """One daemon; a test that asks for it runs on both."""
    return lab[request.param]


@pytest.fixture
def lab_seven(lab):
    """The newer daemon, where both would show the same."""
    return lab["7"]


class Box:
    """A small container of one test's own."""

    def __init__(self, daemon, name, project, pool):
        self.daemon, self.name = daemon, name
        self.project, self.pool = project, pool

    def __str__(self):
        return f"{self.project}/{self.name}"

    def place(self, path):
        return f"{self}:{path}"

    def inner(self, path="/"):
        """A path of its own as seen from the machine, ids as inside."""
        name = self.name
        if self.project != "default":
            name = f"{self.project}_{name}"
        return (self.daemon.files / "storage-pools" / self.pool
                / "containers" / name / "rootfs" / path.lstrip("/"))

    def exec(self, *words, check=True):
        return self.daemon.exec(self.name, *words, project=self.project,
                                check=check)

    def read(self, path):
        return self.daemon.read(self.name, path, self.project)

    def write(self, path, data, mode="0644"):
        self.daemon.write(self.name, path, data, self.project, mode)

    @contextlib.contextmanager
    def at_work(self, script):
        """A shell runs this inside, and has ended afterwards: a container that
        is busy when it is stopped may never be seen to stop, and then everybody
        waits who asks the daemon for all (6 of 480 did so, none of 480 at rest)."""
        shell = self.exec("sh", "-c", f"({script}) > /dev/null 2>&1 & echo $!")
        try:
            yield
        finally:
            self.exec("kill", "-9", shell.out.strip())

    def stop(self):
        self.daemon.incus("stop", "-f", self.name, "--project", self.project)

    def start(self):
        self.daemon.incus("start", self.name, "--project", self.project)

    def delete(self):
        """The daemon sometimes never sees a busy container stop: the lab takes
        away what is left at its end."""
        for _ in range(2):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.daemon.incus("delete", "-f", self.name, "--project",
                                  self.project, check=False, deadline_s=60)
                return


@pytest.fixture
def make_box_on():
    """Make containers that are gone after the test."""
    made = []

    def make(daemon, name=None, project="default", pool="default",
             start=True):
        name = name or "t" + uuid.uuid4().hex[:10]
        daemon.incus("launch" if start else "init", "busybox", name,
                     "--project", project, "-s", pool)
        box = Box(daemon, name, project, pool)
        made.append(box)
        return box

    yield make
    for box in made:
        box.delete()


@pytest.fixture
def make_box(daemon, make_box_on):
    """The same on this daemon."""
    def make(*words, on=None, **options):
        return make_box_on(on or daemon, *words, **options)
    return make


@pytest.fixture
def box(make_box):
    return make_box()


@pytest.fixture
def make_crowd_on():
    """Make projects of one kind that are gone after the test, from all daemons
    that it names."""
    made = []

    def make(daemon, count=1, also=()):
        made.append((crowds.Crowd(daemon, count), (daemon, *also)))
        return made[-1][0]

    yield make
    for one, daemons in made:
        for daemon in daemons:
            one.wipe(daemon)


@pytest.fixture
def crowd(daemon, make_crowd_on):
    """The same on this daemon."""
    def make(count=1):
        return make_crowd_on(daemon, count)
    return make


@pytest.fixture(scope="session")
def kept_box(lab):
    """Containers that live as long as the run, made when first asked for; for
    tests that would disturb others, by a tag of their own."""
    del lab
    made = {}

    def get(daemon, project, pool, start=True, tag=None):
        key = daemon.version, project, pool, start, tag
        if key not in made:
            name = "kept-" + uuid.uuid4().hex[:10]
            daemon.incus("launch" if start else "init", "busybox", name,
                         "--project", project, "-s", pool)
            made[key] = Box(daemon, name, project, pool)
        return made[key]

    yield get
    for box in made.values():
        left = places.leftovers(box.inner())
        box.delete()
        assert not left, left


@pytest.fixture
def make_place(daemon, kept_box):
    """Make directories in kept boxes; nothing of ours may be left in them."""
    made = []

    def make(project="work", pool="default", start=True):
        box = kept_box(daemon, project, pool, start)
        made.append(places.Place(box, "/srv/" + uuid.uuid4().hex[:10]))
        return made[-1]

    yield make
    left = [path for place in made for path in places.leftovers(place.files)]
    for place in made:
        place.remove()
    assert not left, left


@pytest.fixture
def here(make_place):
    """In project work, on the dir pool, running."""
    return make_place()


@pytest.fixture
def there(make_place):
    """In project home, on the btrfs pool, running."""
    return make_place("home", "bt")


@pytest.fixture(scope="session")
def gpg_home(tmp_path_factory):
    """A throw-away key ring with one key, tests@example.org."""
    home = tmp_path_factory.mktemp("gnupg")
    home.chmod(0o700)
    env = dict(os.environ, GNUPGHOME=str(home))
    subprocess.run(
        ["gpg", "--batch", "-q", "--passphrase", "", "--quick-gen-key",
         "Tests <tests@example.org>", "default", "default", "never"],
        env=env, check=True, capture_output=True)
    yield home
    subprocess.run(["gpgconf", "--kill", "all"], env=env, check=False)


@pytest.fixture
def empty_record():
    """As on a host that has made no backup yet."""
    for path in backups.RECORD.glob("*"):
        path.unlink()


def tree_of(directory):
    """Names and contents below a directory, hidden files too."""
    found = {}
    for path in sorted(pathlib.Path(directory).rglob("*")):
        name = str(path.relative_to(directory))
        found[name] = None if path.is_dir() else path.read_bytes()
    return found


@pytest.fixture
def mounted(tmp_path_factory):
    """Mount file systems, for this process and its children only."""
    places = []

    def mount(kind, *options, source="none"):
        place = tmp_path_factory.mktemp("mount")
        subprocess.run(["mount", "-t", kind, *options, source, place],
                       check=True, capture_output=True)
        places.append(place)
        return place

    yield mount
    for place in reversed(places):
        if os.path.ismount(place):
            subprocess.run(["umount", place], check=True)


@pytest.fixture
def small_disk(mounted):
    """A disk of 1 MiB: less than the smallest backup."""
    return mounted("tmpfs", "-o", "size=1M")


@pytest.fixture(scope="session")
def key_ring(tmp_path_factory):
    """Keys of every kind: see keys.py."""
    ring = keys.full_key_ring(tmp_path_factory.mktemp("keys"))
    yield ring
    ring.close()


@pytest.fixture
def new_name(daemon):
    """Names for instances to be; those that came to be are taken away."""
    names = []

    def choose():
        names.append("r" + uuid.uuid4().hex[:10])
        return names[-1]

    yield choose
    for url in daemon.get("/1.0/instances?all-projects=true"):
        name, _, project = url.rpartition("/")[2].partition("?project=")
        if name in names:
            daemon.incus("delete", "-f", name, "--project",
                         project or "default")
