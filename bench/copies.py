"""Copies: of one file, of a tree, and among many instances."""

import concurrent.futures
import os

from daemon import CLIENT
from figure import Figure
from incus_http import Socket
from sides import take_turns

# What the page's script does for one copy: it lists all instances twice, to
# find the projects, and pipes the file through two clients.
FILE_SCRIPT = CLIENT + """
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

# A tree by way of this machine's disk, which is what the client can do.
TREE_SCRIPT = CLIENT + """
mkdir "$WORK/pulled-$N"
incus -q file pull -r bench/usr "$WORK/pulled-$N"
incus -q file push -r -p "$WORK/pulled-$N/usr" "bench-target/root/theirs-$N" \
    --project work
"""

# Where the crowd lives; its pool makes an instance of an image quickly.
CROWD_PROJECT = "home"
CROWD_POOL = "bt"


def remove_copies(lab):
    lab.incus("exec", "bench-target", "--project", "work", "--", "rm", "-f",
              "/root/ours", "/root/theirs", "/root/bare")


def file_copy(lab, runs, size_bytes):
    """One file from an instance to one of another project, three ways."""
    (lab.inside("alpha") / "root/bench").write_bytes(b"")
    with open(lab.inside("alpha") / "root/bench", "wb") as out:
        for _ in range(size_bytes // 65536 or 1):
            out.write(os.urandom(min(size_bytes, 65536)))
    return take_turns(lab, runs, {
        "anklume": lab.anklume("copy", "alpha:/root/bench",
                               "bench-target:/root/ours"),
        "limit": lab.bare_sftp(
            ("alpha", "default", "/root/bench"),
            ("bench-target", "work", "/root/bare")),
        "pipeline": lab.script(FILE_SCRIPT),
    }, lambda: remove_copies(lab))


def small(lab, runs):
    return file_copy(lab, 2 * runs, 1024), {}


def large(lab, runs):
    sides = file_copy(lab, runs, 1 << 30)
    (lab.inside("alpha") / "root/bench").unlink()
    return sides, {"bytes": 1 << 30}


def tree(lab, runs):
    """/usr of the Debian instance: some 5,000 files in 690 directories.

    Nothing is deleted meanwhile, nor shortly before: for a minute, and longer,
    ext4 makes a long way around every inode that was (ialloc.c,
    recently_deleted), which slows both sides by seconds, and by chance."""
    return take_turns(lab, runs, {
        "anklume": lab.anklume("copy", "-r", "bench:/usr",
                               "bench-target:/root/ours-{n}"),
        "pipeline": lab.script(TREE_SCRIPT),
    }), {}


def crowd(lab, count):
    """So many instances more than the lab's few, stopped."""
    base = f"/1.0/instances?project={CROWD_PROJECT}"

    def add(i):
        daemon = Socket(lab.socket)
        daemon.do("POST", base, {
            "name": f"crowd-{i}",
            "devices": {"root": {"type": "disk", "path": "/",
                                 "pool": CROWD_POOL}},
            "source": {"type": "image", "alias": "busybox"}})
        daemon.close()

    daemon = Socket(lab.socket)
    there = [url for url in daemon.answer("GET", base)["metadata"]
             if "/crowd-" in url]
    daemon.close()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(len(there), count)))


def crowded(lab, runs):
    """The small copy among 1,000 instances; the limit is the same, of the same
    two instances, among 10."""
    crowd(lab, 4)
    few = file_copy(lab, 2 * runs, 1024)
    crowd(lab, 994)
    sides = file_copy(lab, 2 * runs, 1024)
    sides["limit"] = few["anklume"]
    return sides, {"limit_is": "the same among 10 instances",
                   "note": "limit: the same among 10 instances"}


FIGURES = [
    Figure("small copy", small, {"faster": 40}),
    Figure("tree of 5,000 files", tree, {"faster": 15}),
    Figure("1 GiB copy", large, {"faster": 7, "of_limit": 1.15}),
]
LAST_FIGURES = [
    # Nobody takes these away but the lab's end.
    Figure("copy among 1,000 instances", crowded, {"of_limit": 2}),
]
