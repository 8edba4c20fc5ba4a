"""What was measured, in bench/results.json; whatever is not measured again
stays as it is."""

import datetime
import json
import os
import platform
import subprocess

from daemon import HERE, ROOT

PATH = HERE / "results.json"


def facts(labs, runs):
    """Of this run: they belong to each row that it brings."""
    commit = subprocess.run(
        ["git", "-C", ROOT, "describe", "--always", "--dirty"], check=False,
        capture_output=True, text=True).stdout.strip()
    return {
        "date": datetime.date.today().isoformat(),
        "commit": commit,
        "runs": runs,
        "cores": os.cpu_count(),
        "memory_mib": os.sysconf("SC_PAGE_SIZE")
        * os.sysconf("SC_PHYS_PAGES") >> 20,
        "kernel": platform.release(),
        "incus": {lab.version: lab.server() for lab in labs},
    }


def load():
    if not PATH.exists():
        return {"schema": 1, "figures": {}}
    return json.loads(PATH.read_text(encoding="utf-8"))


def save(results):
    """The old file or the new one, whatever happens."""
    new = PATH.with_name("results.json.new")
    with open(new, "w", encoding="utf-8") as out:
        json.dump(results, out, indent=2)
        out.write("\n")
        out.flush()
        os.fsync(out.fileno())
    new.rename(PATH)


def keep(row, of_run):
    """One row more, and saved at once: a stop loses nothing."""
    results = load()
    results["figures"][f"{row['figure']}, Incus {row['incus']}"] = {
        **row, "run": of_run}
    save(results)
