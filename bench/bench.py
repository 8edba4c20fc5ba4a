"""anklume against the shell pipeline of the user's page, same daemon, same run.

Seconds differ from machine to machine; ratios are what counts. Each figure is
the median of several runs, alternating between the two sides, so that whatever
else the machine does meets both. Each run starts on a disk that has nothing
left to write, and writes a file that is not there: neither side pays for what
the other has left behind."""

import argparse
import itertools
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import night

ROOT = pathlib.Path(__file__).resolve().parents[1]
LAB = ROOT / "tests" / "lab" / "lab"
ANKLUME = ROOT / "build" / "src" / "anklume"
KEY = "bench@example.org"

# The client of the daemon's own root, run by that root's loader: on this side
# of the socket, as anklume is.
CLIENT = """
incus() {
    "$LAB_ROOT/lib64/ld-linux-x86-64.so.2" --library-path \
        "$LAB_ROOT/usr/lib/x86_64-linux-gnu:$LAB_ROOT/lib/x86_64-linux-gnu" \
        "$LAB_ROOT/usr/bin/incus" "$@"
}
"""

# What the page's script does for one copy: it lists all instances twice, to find
# the projects, and pipes the file through two clients.
COPY_SCRIPT = CLIENT + """
project_of() {
    incus list --all-projects --format json | /usr/bin/python3 -c '
import json, sys
for one in json.load(sys.stdin):
    if one["name"] == sys.argv[1]:
        print(one["project"])
' "$1"
}
source_project=$(project_of alpha)
target_project=$(project_of bench-target)
incus -q file pull alpha/root/bench - --project "$source_project" |
    incus -q file push - bench-target/root/theirs --project "$target_project"
"""

# And for one encrypted backup.
BACKUP_SCRIPT = CLIENT + """
incus -q export bench "$WORK/bench.tar.gz"
gpg --batch --yes -q -e -r "$KEY" -o "$WORK/theirs.gpg" "$WORK/bench.tar.gz"
rm "$WORK/bench.tar.gz"
"""


class Lab:
    """One daemon of the lab."""

    def __init__(self, version):
        self.version = version
        out = subprocess.run([LAB, "env", version], check=True,
                             capture_output=True, text=True).stdout
        self.facts = dict(line.split("=", 1) for line in out.splitlines())
        self.shared = pathlib.Path(self.facts["LAB_SHARED"])
        self.env = dict(os.environ, INCUS_SOCKET=self.facts["INCUS_SOCKET"])

    def incus(self, *words, check=True):
        return subprocess.run([LAB, "incus", self.version, *words],
                              check=check, capture_output=True, text=True)

    def script_seconds(self, script, **variables):
        """Seconds of a shell script that uses the client."""
        env = dict(os.environ, **self.facts, **variables,
                   INCUS_CONF=self.facts["LAB_CONF"])
        begin = time.monotonic()
        subprocess.run(["bash", "-euo", "pipefail", "-c", script], env=env,
                       check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - begin

    def anklume_run(self, *words, good=(0,)):
        """Seconds and peak KiB of one run, which ends as it should."""
        begin = time.monotonic()
        process = subprocess.Popen(
            [ANKLUME, "-q", *map(str, words)], env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if any(good) else None)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - begin
        if process.returncode not in good:
            sys.exit(f"anklume {words}: status {process.returncode}")
        return seconds, usage.ru_maxrss

    def prepare(self):
        subprocess.run([LAB, "image", "debian", self.version], check=True,
                       capture_output=True)
        self.incus("delete", "-f", "bench", check=False)
        self.incus("init", "debian", "bench", "-c",
                   "raw.lxc=lxc.init.cmd=/bin/sleep infinity")
        self.incus("launch", "busybox", "bench-target", "--project", "work")

    def crowd(self, count):
        """So many more instances, stopped; 0 takes them away."""
        there = self.incus("list", "--project", "home", "-f", "csv", "-c", "n",
                           "crowd-").stdout.split()
        if there:
            self.incus("delete", "--project", "home", *there)
        for i in range(count):
            self.incus("init", "busybox", f"crowd-{i}", "--project", "home")


def alternate(runs, settle, ours, theirs):
    """Medians and spreads of both sides, run in turns."""
    def settled(side):
        settle()
        os.sync()
        return side()

    rows = [(settled(ours), settled(theirs)) for _ in range(runs)]
    mine, peaks = zip(*[row[0] for row in rows])
    others = [row[1] for row in rows]
    return {
        "anklume_s": statistics.median(mine),
        "anklume_spread_s": [min(mine), max(mine)],
        "pipeline_s": statistics.median(others),
        "pipeline_spread_s": [min(others), max(others)],
        "ratio": statistics.median(others) / statistics.median(mine),
        "peak_kib": max(peaks),
    }


def bench_copy(lab, runs, size_bytes):
    """One file from an instance to one of another project."""
    source = lab.shared / "source"
    with open(source, "wb") as out:
        for _ in range(size_bytes // 65536 or 1):
            out.write(os.urandom(min(size_bytes, 65536)))
    lab.anklume_run("copy", source, "alpha:/root/bench")
    source.unlink()

    def settle():
        lab.incus("exec", "bench-target", "--project", "work", "--", "rm",
                  "-f", "/root/ours", "/root/theirs")

    result = alternate(
        runs, settle,
        lambda: lab.anklume_run("copy", "alpha:/root/bench",
                                "bench-target:/root/ours"),
        lambda: lab.script_seconds(COPY_SCRIPT))
    lab.incus("exec", "alpha", "--", "rm", "/root/bench")
    settle()
    return result


def bench_crowded_copy(lab, runs, size_bytes):
    """The same where a user has more than the lab's few instances: both sides
    have to find the two that are meant."""
    lab.crowd(100)
    try:
        return bench_copy(lab, runs, size_bytes)
    finally:
        lab.crowd(0)


# A tree by way of this machine's disk, which is what the client can do.
TREE_SCRIPT = CLIENT + """
mkdir "$WORK/pulled-$N"
incus -q file pull -r bench/usr "$WORK/pulled-$N"
incus -q file push -r -p "$WORK/pulled-$N/usr" "bench-target/root/theirs-$N" \
    --project work
"""


def bench_tree(lab, runs, work):
    """/usr of the Debian instance: some 5,000 files in 690 directories.

    Nothing is deleted meanwhile, nor shortly before: for a minute, and longer,
    ext4 makes a long way around every inode that was (ialloc.c,
    recently_deleted), which slows both sides by seconds, and by chance."""
    numbers = itertools.count()
    place = work / lab.version

    def theirs():
        number = next(numbers)
        return lab.script_seconds(TREE_SCRIPT, WORK=str(place), N=str(number))

    place.mkdir()
    return alternate(
        runs, lambda: None,
        lambda: lab.anklume_run("copy", "-r", "bench:/usr",
                                f"bench-target:/root/ours-{next(numbers)}"),
        theirs)


def bench_backup(lab, runs, work):
    """An encrypted backup of the Debian instance."""
    def settle():
        shutil.rmtree(work / "ours", ignore_errors=True)
        (work / "theirs.gpg").unlink(missing_ok=True)

    return alternate(
        runs, settle,
        lambda: lab.anklume_run("backup", "create", "bench", "--gpg", KEY,
                                "-o", work / "ours"),
        lambda: lab.script_seconds(BACKUP_SCRIPT, WORK=str(work), KEY=KEY))


def make_key(home):
    home.mkdir(mode=0o700)
    os.environ["GNUPGHOME"] = str(home)
    subprocess.run(
        ["gpg", "--batch", "-q", "--passphrase", "", "--quick-gen-key",
         f"Bench <{KEY}>", "default", "default", "never"],
        check=True, capture_output=True)


# What is measured, and how many times faster it has to be (6.0 and 7.0).
FIGURES = [
    ("tree of 5,000 files", bench_tree, 12, 12),
    ("small copy", lambda lab, n, _: bench_copy(lab, 2 * n, 1024), 20, 20),
    ("small copy, 100 more around",
     lambda lab, n, _: bench_crowded_copy(lab, 2 * n, 1024), 20, 20),
    ("1 GiB copy", lambda lab, n, _: bench_copy(lab, n, 1 << 30), 6, 6),
    ("encrypted backup, 200 MB", bench_backup, 4, 5),
]
PEAK_KIB = 32 * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", help="only figures whose name holds this")
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="anklume-bench-",
                                         dir="/var/tmp"))
    results = {}
    try:
        make_key(work / "gnupg")
        print(f"{'figure':<28} {'Incus':<6} {'pipeline':>9} {'anklume':>9} "
              f"{'ratio':>7} {'goal':>5} {'peak':>8}")
        labs = [Lab("6"), Lab("7")]
        for lab in labs:
            lab.prepare()
        for name, measure, *goals in FIGURES:
            if options.only and options.only not in name:
                continue
            for lab, goal in zip(labs, goals):
                row = measure(lab, options.runs, work)
                results[f"{name}, Incus {lab.version}"] = row
                print(f"{name:<28} {lab.version:<6} {row['pipeline_s']:>8.2f}s "
                      f"{row['anklume_s']:>8.3f}s {row['ratio']:>6.1f}x "
                      f"{goal:>4}x {row['peak_kib'] // 1024:>5} MiB",
                      flush=True)
        if not options.only or options.only in "night":
            results.update(night.measure(labs, options.runs, work))
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], check=False)
        shutil.rmtree(work)
    with open(ROOT / "bench" / "results.json", "w", encoding="utf-8") as out:
        json.dump(results, out, indent=2)
        out.write("\n")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
