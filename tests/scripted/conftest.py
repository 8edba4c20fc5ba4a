"""anklume against a daemon of our own, which cuts, stalls and lies. No lab, no
root; the real daemons are met in tests/system."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import lab  # noqa: E402
from scripted import Daemon  # noqa: E402

# No run takes this long: what does hangs.
DEADLINE_S = 30

# root keeps its record in /var/lib and its trail in /var/log, and this host may
# have a policy: a run of ours gets its own, and no policy.
HIDDEN = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
          'mount --bind "$0" /var/lib && mount -t tmpfs none /var/log && '
          '{ [ ! -d /etc/anklume ] || '
          'mount -t tmpfs -o mode=755 none /etc/anklume; } && exec "$@"']


@pytest.fixture(scope="session")
def hiding():
    """The words before a command that keep it off this host's record."""
    if os.geteuid() != 0:
        return lambda state: []
    if subprocess.run(["unshare", "--mount", "true"], check=False,
                      capture_output=True).returncode != 0:
        pytest.skip("root, but without mount namespaces of its own")
    return lambda state: [*HIDDEN, str(state)]


@pytest.fixture
def daemon():
    """A daemon without faults, for a test to bend."""
    # A socket's path is short; pytest's directories are not.
    home = pathlib.Path(tempfile.mkdtemp(prefix="anklume-scripted-"))
    made = Daemon(home / "socket")
    yield made
    made.stop()
    shutil.rmtree(home)
    assert made.faults == []


class Runner:
    """Runs the program against the daemon, and judges what every run owes."""

    def __init__(self, daemon, home, hiding):
        self.home = home
        self.before = hiding(home / "state")
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(home),
            "XDG_STATE_HOME": str(home / "state"), "LC_ALL": "C.UTF-8",
            "XDG_CONFIG_HOME": "/proc/none",
            "TZ": "UTC", "INCUS_SOCKET": daemon.path,
            "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
        if "LLVM_PROFILE_FILE" in os.environ:
            self.environment["LLVM_PROFILE_FILE"] = \
                os.environ["LLVM_PROFILE_FILE"]
        (home / "state").mkdir()
        self._process, self._started = None, threading.Event()

    def start(self, *words, binary=None):
        """Begin a run, for a test that wants to meddle with it."""
        self._started.clear()
        self._process = subprocess.Popen(
            [*self.before, str(binary or lab.binary()), *map(str, words)],
            env={**self.environment, "ASAN_OPTIONS": lab.leak_search(words)},
            cwd=self.home, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._started.set()
        return self._process

    def end(self, process, stdin=b""):
        """Wait for its end: no run hangs, crashes or speaks in escapes."""
        try:
            out, err = process.communicate(stdin, DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            pytest.fail("anklume hangs")
        result = lab.Result(subprocess.CompletedProcess(
            process.args, process.returncode, out, err))
        assert "Sanitizer" not in result.err, result.err
        assert "runtime error:" not in result.err, result.err
        assert result.status >= 0, result
        assert all(c == "\n" or c.isprintable() for c in result.err), result
        return result

    def __call__(self, *words, stdin=b""):
        return self.end(self.start(*words), stdin)

    def kill(self, number):
        """Send a signal to the run, which may be only just beginning."""
        assert self._started.wait(DEADLINE_S)
        self._process.send_signal(number)

    def wait(self):
        """Wait for the end of the run."""
        assert self._started.wait(DEADLINE_S)
        self._process.wait(DEADLINE_S)

    @property
    def leftovers(self):
        """What a run has left beside its record."""
        return sorted(
            str(path.relative_to(self.home))
            for path in self.home.rglob("*")
            if "state" not in path.parts and not path.is_dir())


@pytest.fixture
def anklume(daemon, tmp_path, hiding):
    home = tmp_path / "home"
    home.mkdir()
    return Runner(daemon, home, hiding)
