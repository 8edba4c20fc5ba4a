"""The night: a run over many small instances against the daemon's own work,
and what is told of ten thousand manifests."""

import hashlib
import json
import shutil
import time

from daemon import HERE
from figure import Figure
from incus_http import Socket
from sides import Side, take_turns

INSTANCES = 30
PROJECT = "bench-night"
MANIFESTS = 10_000
# Of so many instances; made on as many days.
GROUPS = 100


def many(lab, runs):
    """The daemon alone, one job, and two, in turns."""
    target = lab.work / "night"

    def ours(jobs):
        return lab.anklume("backup", "create", "--all", "--project", PROJECT,
                           "-o", target, "--jobs", jobs)

    names = [f"i{i}" for i in range(INSTANCES)]
    lab.incus("project", "create", PROJECT, "-c", "features.images=false",
              "-c", "features.profiles=false")
    try:
        for name in names:
            lab.incus("init", "busybox", name, "--project", PROJECT)
        sides = take_turns(lab, runs, {
            "anklume": ours(1),
            "two jobs": ours(2),
            "limit": Side(["/usr/bin/python3", "-ISB", HERE / "incus_http.py",
                           lab.socket, lab.version, PROJECT, *names], lab.env),
        }, lambda: shutil.rmtree(target, ignore_errors=True))
    finally:
        lab.incus("delete", "-f", *names, "--project", PROJECT, check=False)
        lab.incus("project", "delete", PROJECT)
    two = sides["two jobs"]["median_s"]
    return sides, {"note": f"with two jobs {two:.2f} s"}


def make_manifests(target, fingerprint):
    body = b"some bytes"
    for i in range(MANIFESTS):
        day = time.gmtime(1_750_000_000 + i // GROUPS * 86_400)
        name = time.strftime(f"i{i % GROUPS}-%Y%m%d-%H%M%S.tar.gz", day)
        (target / name).write_bytes(body)
        (target / f"{name}.json").write_text(json.dumps({
            "format": 1, "instance": f"i{i % GROUPS}", "project": "work",
            "server": {"name": "host", "fingerprint": fingerprint,
                       "member": ""},
            "type": "container", "architecture": "x86_64",
            "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", day),
            "archive": name, "size_bytes": len(body),
            "sha256": hashlib.sha256(name.encode()).hexdigest(),
            "compression": "gzip", "recipients": [], "tar_size_bytes": 10240,
            "entries": 3, "snapshots": [], "profiles": ["default"],
            "consistency": "stopped", "instance_only": False, "volumes": [],
            "not_included": [], "warnings": []}))


def catalogue(lab, runs, verb, **how):
    """list or status."""
    target = lab.work / "manifests"
    if not target.exists():
        target.mkdir()
        server = Socket(lab.socket).answer("GET", "/1.0")
        make_manifests(target, server["metadata"]["environment"]
                       ["certificate_fingerprint"])
    sides = take_turns(lab, runs, {"anklume": lab.anklume(
        "backup", verb, "--from", target, **how)})
    median = sides["anklume"]["median_s"]
    return sides, {"ratios": {"seconds": median}}


# All of it is sorted, so all of it is held.
CATALOGUE_GOALS = {"seconds": 1, "peak_mib": None}

FIGURES = [
    Figure(f"night of {INSTANCES} instances", many, {"of_limit": 1.3}),
    Figure(f"list of {MANIFESTS:,} manifests",
           lambda lab, runs: catalogue(lab, runs, "list"), CATALOGUE_GOALS,
           ("7",)),
    # Instances that have no backup are late: 3.
    Figure(f"status of {MANIFESTS:,}",
           lambda lab, runs: catalogue(lab, runs, "status", good=(0, 3)),
           CATALOGUE_GOALS, ("7",)),
]
