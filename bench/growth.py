"""How time and memory grow with the size of an instance."""

from backups import encrypted, settle
from figure import Figure
from mixture import fill
from sides import take_turns

SIZES = {"10 MB": 10 * 10**6, "100 MB": 100 * 10**6, "1 GiB": 1 << 30,
         "10 GiB": 10 << 30}


def growth(size_bytes):
    """An encrypted backup of so much, and the daemon's stream thrown away."""
    def measure(lab, runs):
        root = lab.make("busybox", "grown")
        fill(root / "data", size_bytes, lab.inside("bench") / "usr")
        try:
            return take_turns(lab, runs, {
                "anklume": encrypted(lab, "grown"),
                "limit": lab.drain("grown"),
            }, lambda: settle(lab)), {"bytes": size_bytes}
        finally:
            lab.incus("delete", "grown")

    return measure


NAMES = {f"growth, {size}": size_bytes for size, size_bytes in SIZES.items()}

LAST_FIGURES = [Figure(name, growth(size_bytes), daemons=("7",))
                for name, size_bytes in NAMES.items()]
