"""Backups: encrypted, against the pipeline and the daemon's own work."""

import json
import shutil

from daemon import CLIENT, KEY
from figure import Figure, cpu_of
from mixture import fill
from sides import take_turns

# What the page's script does for one encrypted backup.
SCRIPT = CLIENT + """
incus -q export "$NAME" "$WORK/theirs.tar.gz"
gpg --batch --yes -q -e -r "$KEY" -o "$WORK/theirs.gpg" "$WORK/theirs.tar.gz"
"""

GIB = 1 << 30
# Two of each is all that a backup has to be kept for.
TARGETS = ("ours", "other")


def create(lab, name, *options, target="ours"):
    return lab.anklume("backup", "create", name, "-o", lab.work / target,
                       *options)


def encrypted(lab, name, *options, **how):
    return create(lab, name, "--gpg", KEY, *options, **how)


def settle(lab):
    """Neither side pays for what another has left behind."""
    for target in TARGETS:
        shutil.rmtree(lab.work / target, ignore_errors=True)
    for name in ("theirs.tar.gz", "theirs.gpg", "dd"):
        (lab.work / name).unlink(missing_ok=True)


def archive_of(lab, side, target="ours"):
    """Made once, and its size in bytes, here and as a tar."""
    settle(lab)
    lab.run(side)
    return next(path for path in (lab.work / target).iterdir()
                if path.suffix != ".json")


def tar_bytes(archive):
    """Before it was compressed: its manifest knows."""
    manifest = archive.with_name(archive.name + ".json")
    return json.loads(manifest.read_text())["tar_size_bytes"]


def against_all(lab, runs, name):
    """One instance: pipeline, anklume, and two limits: the daemon's stream
    thrown away, and the archive's bytes written to disk."""
    ours = encrypted(lab, name)
    archive = archive_of(lab, ours)
    size, tar = archive.stat().st_size, tar_bytes(archive)
    sides = take_turns(lab, runs, {
        "anklume": ours,
        "limit": lab.drain(name),
        "disk": lab.disk(size),
        "pipeline": lab.script(SCRIPT, NAME=name),
    }, lambda: settle(lab))
    per_gib = {side: cpu_of(sides[side]) * GIB / tar
               for side in ("anklume", "pipeline")}
    return sides, {
        "tar_bytes": tar, "archive_bytes": size,
        "cpu_s_per_gib": per_gib,
        "note": f"{tar / 1e6:,.0f} MB become {size / 1e6:,.0f}; dd of these "
                f"takes {sides['disk']['median_s']:.2f} s; cpu seconds per "
                f"GiB: {per_gib['anklume']:.1f}, pipeline "
                f"{per_gib['pipeline']:.1f}",
    }


def of_debian(lab, runs):
    return against_all(lab, runs, "bench")


def of_mixture(lab, runs):
    """Five GiB of data of all kinds."""
    root = lab.make("busybox", "mixed")
    fill(root / "data", 5 * GIB, lab.inside("bench") / "usr")
    try:
        return against_all(lab, runs, "mixed")
    finally:
        lab.incus("delete", "mixed")


def zstd_or_gzip(lab, runs):
    """The limit is the other compression."""
    def one(how):
        return encrypted(lab, "bench", "--compression", how)

    size = {how: archive_of(lab, one(how)).stat().st_size
            for how in ("zstd", "gzip")}
    sides = take_turns(lab, runs,
                       {"anklume": one("zstd"), "limit": one("gzip")},
                       lambda: settle(lab))
    return sides, {
        "limit_is": "the same as .tar.gz",
        "archive_bytes": size,
        "ratios": {"size": size["zstd"] / size["gzip"]},
        "note": f"limit: the same as .tar.gz; {size['zstd'] / 1e6:.1f} MB "
                f"and {size['gzip'] / 1e6:.1f} MB"}


GOALS = {"faster": {"6": 6, "7": 8}, "of_limit": {"7": 1.3}, "cpu": 0.5}

FIGURES = [
    Figure("encrypted backup, 200 MB", of_debian, GOALS),
    Figure("backup as .tar.zst", zstd_or_gzip, {"of_limit": 1, "size": 1}),
]
LAST_FIGURES = [
    Figure("encrypted backup, 5 GiB", of_mixture, GOALS),
]
