"""anklume against the shell pipeline of the user's page, and against the least
that the daemon and the disk need for the same bytes; same machine, same run.

Seconds differ from machine to machine; ratios are what counts. One table is
printed, and bench/results.json is written, row by row; docs/performance.md
says what each figure is."""

import argparse
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

import backups
import copies
import growth
import memory
import night
import picture
import restores
import results
import stages
import table
from daemon import KEY, Lab
from sides import GROUP

# Trees and restores come first: they make inodes, which takes long where
# others have been deleted shortly before. The last ones leave much behind.
FIGURES = [
    *copies.FIGURES, *restores.FIGURES, *backups.FIGURES, *stages.FIGURES,
    *night.FIGURES, *growth.LAST_FIGURES, *backups.LAST_FIGURES,
    *memory.LAST_FIGURES, *copies.LAST_FIGURES,
]


def make_key(home):
    home.mkdir(mode=0o700)
    os.environ["GNUPGHOME"] = str(home)
    subprocess.run(
        ["gpg", "--batch", "-q", "--passphrase", "", "--quick-gen-key",
         f"Bench <{KEY}>", "default", "default", "never"],
        check=True, capture_output=True)


def measure(chosen, runs, work):
    """Print each row when it is there; how many goals are missed."""
    labs = [Lab(version, work) for version in "67"]
    for lab in labs:
        lab.prepare()
    of_run = results.facts(labs, runs)
    print(f"{of_run['date']}, {of_run['commit']}, Incus "
          f"{' and '.join(of_run['incus'].values())}, {of_run['cores']} "
          f"cores, Linux {of_run['kernel']}, {runs} runs each")
    print(f"{table.legend()}\n\n{table.HEAD}", flush=True)
    missed = 0
    for figure in chosen:
        for lab in labs:
            if lab.version in figure.daemons:
                row = figure.row(lab, runs)
                results.keep(row, of_run)
                print(table.line(row), flush=True)
                missed += len(row["missed"])
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", action="append", metavar="TEXT",
                        help="only figures whose name holds this; repeatable")
    options = parser.parse_args()
    chosen = [figure for figure in FIGURES if not options.only
              or any(text in figure.name for text in options.only)]
    if not chosen:
        parser.error("no figure has such a name: "
                     + "; ".join(figure.name for figure in FIGURES))
    work = pathlib.Path(tempfile.mkdtemp(prefix="anklume-bench-",
                                         dir="/var/tmp"))
    try:
        make_key(work / "gnupg")
        with GROUP.there():
            missed = measure(chosen, options.runs, work)
    finally:
        shutil.rmtree(work)
    picture.draw()
    print(f"\n{missed} goals missed" if missed else "\nall goals reached")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main()
