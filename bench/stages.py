"""What each stage of an encrypted backup adds to the time of the others."""

from backups import encrypted, settle
from figure import Figure
from sides import take_turns

NAME = "stages of a backup"
# In the order in which they come on top of each other.
STAGES = ("drained", "examined", "compressed", "encrypted", "kept")


def stages(lab, runs):
    """One backup with ever more of what belongs to it."""
    def up_to(*options):
        return lab.anklume("backup", "create", "bench", "-o", "-", *options)

    sides = take_turns(lab, runs, dict(zip(STAGES, (
        lab.drain("bench"),
        up_to("--no-gpg", "--compression", "none"),
        up_to("--no-gpg", "--compression", "gzip"),
        up_to("--gpg", lab.env["KEY"]),
        encrypted(lab, "bench"),
    ))), lambda: settle(lab))
    return sides, {"note": ", ".join(
        f"{stage} {sides[stage]['median_s']:.2f} s" for stage in STAGES)}


FIGURES = [Figure(NAME, stages)]
