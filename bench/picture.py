"""docs/performance.svg, out of bench/results.json: where the time of a backup
goes, and how time and memory grow."""

import matplotlib
from matplotlib import pyplot

import growth
import results
import stages
from daemon import ROOT
from figure import PEAK_MIB

PATH = ROOT / "docs" / "performance.svg"
COLORS = ("#4c72b0", "#55a868", "#dd8452", "#c44e52", "#8172b3")
SHOWN = {"drained": "the daemon's tar", "examined": "+ digest, examination",
         "compressed": "+ gzip", "encrypted": "+ gpg",
         "kept": "+ file, fsync"}


def share(seconds, version, figures):
    """In percent of the whole; of too little, nothing is written."""
    whole = max(side["median_s"] for side in
                figures[f"{stages.NAME}, Incus {version}"]["sides"].values())
    return f"{seconds / whole:.0%}" if seconds >= 0.04 * whole else ""


def draw_stages(axes, figures):
    """What each adds, for each daemon."""
    versions = [version for version in "67"
                if f"{stages.NAME}, Incus {version}" in figures]
    left = [0.0] * len(versions)
    for stage, color in zip(stages.STAGES, COLORS):
        until = [figures[f"{stages.NAME}, Incus {version}"]["sides"][stage]
                 ["median_s"] for version in versions]
        # A stage that hides behind another one adds nothing.
        added = [max(0.0, now - before) for now, before in zip(until, left)]
        bars = axes.barh([f"Incus {version}" for version in versions], added,
                         left=left, height=0.6, color=color,
                         label=SHOWN[stage])
        axes.bar_label(bars, label_type="center", color="white", labels=[
            share(more, version, figures)
            for more, version in zip(added, versions)])
        left = [before + more for before, more in zip(left, added)]
    axes.invert_yaxis()
    axes.set_title("Encrypted backup of 200 MB: what each stage adds")
    axes.set_xlabel("seconds")
    axes.legend(ncol=5, fontsize=8, frameon=False, loc="upper center",
                bbox_to_anchor=(0.5, -0.3))


def grown(figures):
    """The sizes that have been measured, in MiB, and their rows."""
    rows = [(size_bytes / 2**20, figures[f"{name}, Incus 7"])
            for name, size_bytes in growth.NAMES.items()
            if f"{name}, Incus 7" in figures]
    return [size for size, _ in rows], [row for _, row in rows]


def name_sizes(axes, sizes):
    axes.set_xscale("log")
    axes.set_xticks(sizes, list(growth.SIZES)[:len(sizes)])
    axes.minorticks_off()
    axes.grid(color="#dddddd")
    axes.set_xlabel("size of the instance")


def draw_time(axes, sizes, rows):
    for side, label, style in (("anklume", "encrypted backup", "o-"),
                               ("limit", "the daemon's tar alone", "s--")):
        axes.plot(sizes, [row["sides"][side]["median_s"] for row in rows],
                  style, label=label)
    axes.set_yscale("log")
    name_sizes(axes, sizes)
    axes.set_title("Seconds, Incus 7")
    axes.legend(frameon=False)


def draw_memory(axes, sizes, rows):
    axes.plot(sizes, [row["ratios"]["peak_mib"] for row in rows], "o-",
              label="peak of one backup")
    axes.axhline(PEAK_MIB, color="#c44e52", linestyle="--",
                 label=f"goal: {PEAK_MIB} MiB")
    axes.set_ylim(0, PEAK_MIB * 1.25)
    name_sizes(axes, sizes)
    axes.set_title("Memory in MiB, Incus 7")
    axes.legend(frameon=False, loc="lower right")


def draw():
    """The same bytes for the same results."""
    figures = results.load()["figures"]
    sizes, rows = grown(figures)
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "anklume", "font.size": 9})
    whole = pyplot.figure(figsize=(9, 6), layout="constrained")
    grid = whole.add_gridspec(2, 2, height_ratios=(2, 3))
    draw_stages(whole.add_subplot(grid[0, :]), figures)
    draw_time(whole.add_subplot(grid[1, 0]), sizes, rows)
    draw_memory(whole.add_subplot(grid[1, 1]), sizes, rows)
    whole.savefig(PATH, metadata={"Date": None})
    pyplot.close(whole)


if __name__ == "__main__":
    draw()
