"""The rows of results, for people: 110 columns."""

HEAD = (f"{'figure':<26}{'on':>3}{'pipeline':>13}{'limit':>13}{'anklume':>13}"
        f"{'faster':>12}{'of limit':>13}{'cpu':>12}{'MiB':>5}")

# Ratios that have a place of their own.
COLUMNS = ("faster", "of_limit", "cpu", "peak_mib")


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
    text = (f"{row['figure']:<26}{row['incus']:>3}"
            f"{seconds(sides.get('pipeline')):>13}"
            f"{seconds(sides.get('limit')):>13}"
            f"{seconds(sides.get('anklume')):>13}"
            f"{judged(row, 'faster', 1):>12}{judged(row, 'of_limit', 2):>13}"
            f"{judged(row, 'cpu', 2):>12}{peak:>5}").rstrip()
    notes = [f"{key} {judged(row, key, 2).strip()}" for key in row["goals"]
             if key not in COLUMNS]
    notes += [row["note"]] if row.get("note") else []
    return text + (f"\n    {'; '.join(notes)}" if notes else "")


def legend():
    return ("Medians, and half of the spread. on: Incus 6 or 7; faster: than "
            "the pipeline; of limit: the limit's\nseconds, so many times; "
            "cpu: so much of the pipeline's, client and daemon together; MiB: "
            "anklume's\npeak. Goals are in parentheses; ! is a goal missed.")
