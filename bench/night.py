"""The night: a run over many small instances against the daemon's own work, and
what is told of ten thousand manifests."""

import hashlib
import http.client
import json
import os
import shutil
import socket
import statistics
import time

INSTANCES = 30
PROJECT = "bench-night"
MANIFESTS = 10_000
# Of so many instances; made on as many days.
GROUPS = 100


class Socket(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path):
        super().__init__("incus")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None, **headers):
        self.request(method, path, json.dumps(body) if body else None, headers)
        return self.getresponse()

    def answer(self, *words):
        return json.loads(self.ask(*words).read())

    def wait(self, *words):
        self.ask("GET", self.answer(*words)["operation"] + "/wait").read()


def drain(response):
    while response.read(1 << 18):
        pass


def export(lab, name):
    """What the daemon has to do for one backup, and no more: 7.0 sends it
    straight out, 6.0 makes, sends and deletes it."""
    base = f"/1.0/instances/{name}/backups"
    query = f"?project={PROJECT}"
    daemon = Socket(lab.facts["INCUS_SOCKET"])
    if lab.version == "7":
        drain(daemon.ask("POST", base + query,
                         {"compression_algorithm": "none"},
                         Accept="application/octet-stream"))
    else:
        daemon.wait("POST", base + query,
                    {"name": "b", "compression_algorithm": "zstd -1"})
        drain(daemon.ask("GET", f"{base}/b/export{query}"))
        daemon.wait("DELETE", f"{base}/b{query}")
    daemon.close()


def daemon_seconds(lab):
    begin = time.monotonic()
    for i in range(INSTANCES):
        export(lab, f"i{i}")
    return time.monotonic() - begin


def many(lab, runs, work):
    """Medians of the daemon alone, of one job, and of two, in turns."""
    target = work / "night"

    def ours(jobs):
        shutil.rmtree(target, ignore_errors=True)
        os.sync()
        return lab.anklume_run("backup", "create", "--all", "--project",
                               PROJECT, "-o", target, "--jobs", jobs)[0]

    lab.incus("project", "create", PROJECT, "-c", "features.images=false",
              "-c", "features.profiles=false")
    names = [f"i{i}" for i in range(INSTANCES)]
    try:
        for name in names:
            lab.incus("init", "busybox", name, "--project", PROJECT)
        rows = [(daemon_seconds(lab), ours(1), ours(2)) for _ in range(runs)]
    finally:
        lab.incus("delete", "-f", *names, "--project", PROJECT, check=False)
        lab.incus("project", "delete", PROJECT)
    alone, one, two = map(statistics.median, zip(*rows))
    return {"daemon_s": alone, "one_job_s": one, "two_jobs_s": two,
            "one_job_ratio": one / alone, "two_jobs_ratio": two / alone,
            "rows": rows}


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


def catalogue(lab, runs, work):
    """Medians of list and status."""
    target = work / "manifests"
    target.mkdir(exist_ok=True)
    server = Socket(lab.facts["INCUS_SOCKET"]).answer("GET", "/1.0")
    make_manifests(target, server["metadata"]["environment"]
                   ["certificate_fingerprint"])
    # Instances that have no backup are late: 3.
    seconds = {
        "list_s": [lab.anklume_run("backup", "list", "--from", target)[0]
                   for _ in range(runs)],
        "status_s": [lab.anklume_run("backup", "status", "--from", target,
                                     good=(0, 3))[0] for _ in range(runs)]}
    shutil.rmtree(target)
    return {key: statistics.median(value) for key, value in seconds.items()}


def measure(labs, runs, work):
    """Print both, and return them."""
    results = {}
    for lab in labs:
        row = many(lab, runs, work)
        results[f"{INSTANCES} instances, Incus {lab.version}"] = row
        print(f"{INSTANCES} small instances, Incus {lab.version}: the daemon "
              f"alone {row['daemon_s']:.2f} s; one job {row['one_job_s']:.2f} "
              f"s, {row['one_job_ratio']:.2f} times (goal 1.3); two "
              f"{row['two_jobs_s']:.2f} s, {row['two_jobs_ratio']:.2f} times",
              flush=True)
    row = catalogue(labs[-1], runs, work)
    results[f"{MANIFESTS} manifests"] = row
    print(f"{MANIFESTS} manifests: list {row['list_s']:.2f} s, status "
          f"{row['status_s']:.2f} s (goal 1 s)", flush=True)
    return results
