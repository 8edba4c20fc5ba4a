"""Restores of an encrypted archive, against importing what is in it."""

import subprocess

from backups import archive_of, encrypted, settle
from daemon import API, CLIENT
from figure import Figure
from sides import take_turns

# What the page says, without the flag that incus import does not have.
SCRIPT = CLIENT + """
gpg --batch --yes -q -d -o "$WORK/plain.tar.gz" "$ARCHIVE"
incus -q import "$WORK/plain.tar.gz" "theirs-$N"
"""

# The plain tar, as it is, straight to the daemon.
RAW_IMPORT = API + """
finish "$(api -X POST -T "$TAR" -H "X-Incus-name: raw-$N" \
    -H 'Content-Type: application/octet-stream' \
    http://incus/1.0/instances)"
"""


def plain_tar(lab, archive):
    """Without gpg and gzip."""
    path = lab.work / "plain.tar"
    with open(path, "wb") as out, \
            subprocess.Popen(["gpg", "--batch", "-q", "-d", archive],
                             stdout=subprocess.PIPE) as gpg:
        subprocess.run(["gzip", "-dc"], stdin=gpg.stdout, stdout=out,
                       check=True)
    return path


def restore(lab, runs):
    """The Debian instance. What is made stays until the end: where files have
    been deleted shortly before, ext4 takes its time (see copies.tree)."""
    made = archive_of(lab, encrypted(lab, "bench"))
    archive = made.rename(lab.work / made.name)
    tar = plain_tar(lab, archive)
    settle(lab)
    sides = take_turns(lab, runs, {
        "anklume": lab.anklume("backup", "restore", "--file", archive,
                               "--name", "ours-{n}"),
        "limit": lab.script(RAW_IMPORT, TAR=str(tar)),
        "pipeline": lab.script(SCRIPT, ARCHIVE=str(archive)),
    }, lambda: (lab.work / "plain.tar.gz").unlink(missing_ok=True))
    tar.unlink()
    archive.unlink()
    return sides, {}


FIGURES = [
    Figure("restore, encrypted", restore, {"of_limit": 1.1}),
]
