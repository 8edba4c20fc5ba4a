"""Sides of a figure, and how long each takes.

A side is one command. hyperfine measures its seconds; below it, /usr/bin/time
the memory of the largest process that the command waits for; and cgroups the
processor's seconds, for they also know of processes that nobody waits for
(gpg, which gpgme lets go of) and of the daemon's, which does much of the
work."""

import contextlib
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import tempfile
import time

# A shell goes into the cgroup and becomes hyperfine, which costs some
# milliseconds of a processor that are counted with the side.
ENTER = 'echo $$ >"$0"; exec "$@"'


class Side:
    """A command. {n} in its words, and N in its environment, are new at every
    run."""

    def __init__(self, words, env, good=(0,)):
        self._words = [str(word) for word in words]
        self._env = env
        self.good = good

    def words(self, number):
        return [word.replace("{n}", unique(number)) for word in self._words]

    def environment(self, number):
        return dict(self._env, N=unique(number))


def unique(number):
    return f"{os.getpid()}-{number}"


class Group:
    """A cgroup of its own for what is measured here."""

    def __init__(self):
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            mount = next(line.split()[1] for line in mounts
                         if line.split()[2] == "cgroup2")
        self.path = pathlib.Path(mount) / f"anklume-bench-{os.getpid()}"

    @contextlib.contextmanager
    def there(self):
        self.path.mkdir()
        try:
            yield
        finally:
            # An agent of gpg takes a moment to go.
            subprocess.run(["gpgconf", "--kill", "all"], check=False)
            while "populated 1" in (self.path / "cgroup.events").read_text():
                time.sleep(0.01)
            self.path.rmdir()


GROUP = Group()


def cpu_seconds(cgroup):
    """Used so far by all that is, or was, in it."""
    facts = (cgroup / "cpu.stat").read_text().split()
    return int(facts[facts.index("usage_usec") + 1]) / 1e6


def measure_once(lab, side, number):
    """Seconds, the processor's seconds of both ends of the socket, and KiB."""
    with tempfile.TemporaryDirectory() as place:
        timed = ["/usr/bin/time", "-q", "-f", "%M", "-o", f"{place}/kib",
                 *side.words(number)]
        before = cpu_seconds(GROUP.path), cpu_seconds(lab.cgroup)
        done = subprocess.run(
            ["bash", "-c", ENTER, GROUP.path / "cgroup.procs", "hyperfine",
             "-N", "--runs", "1", "--style", "none", "--ignore-failure",
             "--export-json", f"{place}/times", shlex.join(timed)],
            env=side.environment(number), check=False, capture_output=True,
            text=True)
        after = cpu_seconds(GROUP.path), cpu_seconds(lab.cgroup)
        if done.returncode != 0:
            raise RuntimeError(f"hyperfine: {done.stderr}")
        times = json.loads(pathlib.Path(place, "times").read_text())
        kib = int(pathlib.Path(place, "kib").read_text())
    result = times["results"][0]
    if result["exit_codes"][0] not in side.good:
        raise RuntimeError(
            f"status {result['exit_codes']}: {shlex.join(timed)}")
    return {"seconds": result["times"][0], "cpu_s": after[0] - before[0],
            "daemon_cpu_s": after[1] - before[1], "peak_kib": kib}


def summary(runs):
    """Of the runs of one side."""
    columns = {key: [run[key] for run in runs] for key in runs[0]}
    return {
        "seconds": columns["seconds"],
        "median_s": statistics.median(columns["seconds"]),
        "spread_s": [min(columns["seconds"]), max(columns["seconds"])],
        "cpu_s": statistics.median(columns["cpu_s"]),
        "daemon_cpu_s": statistics.median(columns["daemon_cpu_s"]),
        "peak_kib": max(columns["peak_kib"]),
    }


def take_turns(lab, runs, sides, settle=None):
    """All sides, run in turns, so that what else the machine does meets all.
    Each begins on a disk that has nothing left to write; `settle` takes away
    what the one before has left."""
    measured = {name: [] for name in sides}
    for number in range(runs):
        for name, side in sides.items():
            if settle:
                settle()
            os.sync()
            measured[name].append(measure_once(lab, side, number))
    if settle:
        settle()
    return {name: summary(rows) for name, rows in measured.items()}


def ratio(sides, above, below, key="seconds"):
    """How often one side holds the other: the median of the turns."""
    return statistics.median(
        a / b for a, b in zip(sides[above][key], sides[below][key]))
