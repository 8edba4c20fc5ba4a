"""The rows of results, for people: 110 columns."""

HEAD = (f"{'figure':<29}{'Incus':<6}{'pipeline':>13}{'limit':>13}"
        f"{'anklume':>13}{'faster':>10}{'of limit':>12}{'cpu':>8}{'MiB':>5}")


def seconds(side):
    """A median, and half of the spread around it."""
    if side is None:
        return ""
    median = side["median_s"]
    low, high = side["spread_s"]
    digits = 3 if median < 1 else 2 if median < 100 else 1
    return f"{median:.{digits}f} s ±{(high - low) / 2 / median:>2.0%}"


def judged(row, key, digits):
    """A ratio, and its goal; "!" where that is missed."""
    if key not in row["ratios"]:
        return ""
    text = f"{row['ratios'][key]:.{digits}f}"
    if key in row["goals"]:
        text += f" ({row['goals'][key]:g})"
    return text + ("!" if key in row["missed"] else " ")


def line(row):
    """One figure on one daemon."""
    sides = row["sides"]
    peak = f"{row['ratios']['peak_mib']:.0f}"
    peak += "!" if "peak_mib" in row["missed"] else ""
    text = (f"{row['figure']:<29}{row['incus']:<6}"
            f"{seconds(sides.get('pipeline')):>13}"
            f"{seconds(sides.get('limit')):>13}"
            f"{seconds(sides.get('anklume')):>13}"
            f"{judged(row, 'faster', 1):>10}{judged(row, 'of_limit', 2):>12}"
            f"{judged(row, 'cpu', 2):>8}{peak:>5}").rstrip()
    return text + (f"\n    {row['note']}" if row.get("note") else "")


def legend():
    return ("Medians, ± half of the spread. faster: than the pipeline; of "
            "limit: times the limit's seconds; cpu: part of\nthe pipeline's, "
            "client and daemon; MiB: peak of anklume. (goal), and ! where it "
            "is missed.")
