"""The two daemons of tests/lab, and anklume run against them."""

import atexit
import contextlib
import functools
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAB = ROOT / "tests" / "lab" / "lab"

# No command of a test takes this long; what does hangs.
DEADLINE_S = 240

# Of each output of a command, in the report of a test that failed.
SHOWN = 2000


class Result:
    """How a command ended: status, out and err are its own."""

    def __init__(self, done):
        self.status = done.returncode
        self.raw = done.stdout
        self.out = done.stdout.decode("utf-8", "backslashreplace")
        self.err = done.stderr.decode("utf-8", "backslashreplace")

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"<status {self.status}, out {self.out!r}, err {self.err!r}>"


# The commands whose leaks have been looked for, each with its options.
_searched = set()


def leak_search(words):
    """For ASAN_OPTIONS. The search takes longer than most runs (0.07 s of 0.13,
    measured): one for each command with each set of options."""
    kind = (*map(str, words[:2]),
            *sorted({str(word).partition("=")[0] for word in words
                     if str(word).startswith("-")}))
    fresh = kind not in _searched
    _searched.add(kind)
    return f"detect_leaks={int(fresh)}:abort_on_error=0"


def binary():
    """The program under test; ASan and UBSan are in it."""
    return os.environ.get(
        "ANKLUME_BINARY", str(ROOT / "build-check" / "src" / "anklume"))


@functools.cache
def public_binary():
    """A copy that every user may run: the build may lie in root's home."""
    place = tempfile.mkdtemp(prefix="anklume-public-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    os.chmod(place, 0o755)
    return shutil.copy(binary(), place)


def run(argv, stdin=b"", env=None, cwd=None, deadline_s=DEADLINE_S):
    """Run any command to its end, with what a user's shell would give it."""
    if isinstance(stdin, str):
        stdin = stdin.encode()
    done = subprocess.run(
        [str(word) for word in argv], input=stdin, capture_output=True,
        env=env, cwd=cwd, timeout=deadline_s, check=False)
    result = Result(done)
    # Shown when a test fails, where pytest cuts what an assertion says.
    print([str(word) for word in argv], result.status,
          repr(result.err[:SHOWN]), repr(result.out[:SHOWN]))
    return result


class _Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("incus", timeout=DEADLINE_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    """One running Incus: version "6" or "7"."""

    def __init__(self, version):
        self.version = version
        self.facts = {}
        self.refresh()

    def refresh(self):
        """Read where it is; after a restart its pid is another."""
        out = run([LAB, "env", self.version]).out
        self.facts = dict(
            line.split("=", 1) for line in out.splitlines() if "=" in line)

    @property
    def socket(self):
        return self.facts["INCUS_SOCKET"]

    @property
    def files(self):
        """INCUS_DIR as the daemon sees it, its pools mounted."""
        return pathlib.Path(
            f"/proc/{self.facts['LAB_PID']}/root") / self.facts[
                "INCUS_DIR"].lstrip("/")

    @property
    def spool(self):
        """What lies in the daemon's spool: exports and uploads."""
        return sorted(
            str(path) for path in (self.files / "backups").rglob("*")
            if not path.is_dir())

    def incus(self, *words, stdin=b"", check=True, deadline_s=DEADLINE_S):
        result = run([LAB, "incus", self.version, *words], stdin=stdin,
                     deadline_s=deadline_s)
        assert not check or result.status == 0, (words, result)
        return result

    def query(self, path, method="GET", data=None):
        """The API's metadata behind a path."""
        words = ["query", "-X", method, path]
        if data is not None:
            words += ["--data", json.dumps(data)]
        out = self.incus(*words).out
        return json.loads(out) if out.strip() else None

    def get(self, path, method="GET", data=None):
        """The same without a process, for loops; of work that this begins, the
        operation when it has ended."""
        with contextlib.closing(_Unix(self.socket)) as connection:
            connection.request(method, path,
                               data if data is None else json.dumps(data))
            reply = json.loads(connection.getresponse().read())
        if reply["type"] == "async":
            return self.get(reply["operation"] + "/wait")
        assert reply["type"] == "sync", (path, reply)
        return reply["metadata"]

    def exists(self, name, project="default"):
        return self.incus("config", "show", name, "--project", project,
                          check=False).status == 0

    def read(self, name, path, project="default"):
        """A file's bytes inside an instance, by the daemon's own client."""
        return self.incus("file", "pull", f"{name}{path}", "-",
                          "--project", project).raw

    def write(self, name, path, data, project="default", mode="0644"):
        self.incus("file", "push", "-", f"{name}{path}", "--mode", mode,
                   "--project", project, stdin=data)

    def exec(self, name, *words, project="default", check=True):
        """Run a command inside, without a process. The daemon writes down what
        it says: of what comes through 'incus exec', some is lost on a busy
        machine, and the status is 0 (of 1,700 runs of cat, 9 said nothing)."""
        ran = self.get(f"/1.0/instances/{name}/exec?project={project}", "POST", {
            "command": [str(word) for word in words], "record-output": True})
        said = ran["metadata"] or {}
        assert "return" in said, (words, ran)
        result = Result(subprocess.CompletedProcess(
            words, said["return"],
            *(self.take(f"{said['output'][fd]}?project={project}")
              for fd in ("1", "2"))))
        assert not check or result.status == 0, (words, result)
        return result

    def take(self, path):
        """The bytes of a file that the daemon keeps, which it then keeps no
        longer."""
        with contextlib.closing(_Unix(self.socket)) as connection:
            connection.request("GET", path)
            reply = connection.getresponse()
            data = reply.read()
            assert reply.status == 200, (path, data)
        self.get(path, "DELETE")
        return data

    def environment(self, **more):
        """What anklume is run with; None takes a variable away."""
        env = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/root"),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "INCUS_SOCKET": self.socket,
            "XDG_CONFIG_HOME": "/proc/none",
            "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0",
            "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        }
        for name in ("GNUPGHOME", "TMPDIR", "LLVM_PROFILE_FILE"):
            if name in os.environ:
                env[name] = os.environ[name]
        env.update({k: v for k, v in more.items() if v is not None})
        for name in [k for k, v in more.items() if v is None]:
            env.pop(name, None)
        return env

    def spawn(self, *words, env=None, **popen):
        """Start the program; the caller feeds, signals and awaits it."""
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                 "stderr": subprocess.PIPE}
        program = public_binary() if "user" in popen else binary()
        return subprocess.Popen(
            [str(word) for word in (program, *words)],
            env=self.environment(**{"ASAN_OPTIONS": leak_search(words),
                                    **(env or {})}),
            **{**pipes, **popen})

    def anklume(self, *words, stdin=b"", env=None, cwd=None, binary_path=None,
                deadline_s=DEADLINE_S):
        """Run the program; no run may end with a sanitizer's report."""
        result = run([binary_path or binary(), *words], stdin=stdin, cwd=cwd,
                     env=self.environment(
                         **{"ASAN_OPTIONS": leak_search(words),
                            **(env or {})}),
                     deadline_s=deadline_s)
        assert "Sanitizer" not in result.err, result.err
        assert "runtime error:" not in result.err, result.err
        assert result.status >= 0, result
        return result
