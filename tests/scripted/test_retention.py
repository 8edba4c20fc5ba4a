"""What `backup prune` keeps, beside what restic keeps of the same dates."""

import datetime
import random
import shutil
import time
import zoneinfo

import pytest

from catalogues import Catalogue
from restic import Repository

SEED = 20261130

# What stays whatever the rules say.
PROTECTIONS = {"newest intact", "newest drilled", "shrank",
               "before it shrank", "not intact"}

MINUTE, HOUR, DAY = 60, 3600, 86400
# Between two backups, on the average.
DENSITIES = [10 * MINUTE, HOUR, 5 * HOUR, DAY, 3 * DAY, 7 * DAY, 30 * DAY,
             200 * DAY]
# Before now on any machine, as what is to come is not "the newest".
NEWEST = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)

SINGLE = [
    ["--keep-last", "3"],
    ["--keep-hourly", "5"],
    ["--keep-daily", "4"],
    ["--keep-weekly", "4"],
    ["--keep-monthly", "5"],
    ["--keep-yearly", "3"],
    ["--keep-within", "1y2m3d4h"],
    ["--keep-within", "30h"],
]
MIXED = [
    ["--keep-daily", "7", "--keep-weekly", "5", "--keep-monthly", "12",
     "--keep-yearly", "2"],
    ["--keep-last", "1", "--keep-hourly", "6", "--keep-daily", "2"],
    ["--keep-within", "20d", "--keep-monthly", "3", "--keep-hourly", "1"],
]

NEEDS_RESTIC = pytest.mark.skipif(shutil.which("restic") is None,
                                  reason="there is no restic")


def history(choose):
    """The dates of one instance, the newest first: seconds apart, for restic
    compares fractions."""
    density = choose.choice(DENSITIES)
    when = NEWEST - datetime.timedelta(
        seconds=choose.randrange(6 * 365 * DAY))
    regular = choose.random() < 0.5
    dates = []
    for _ in range(choose.randint(1, 20)):
        dates.append(when)
        gap = density if regular else choose.expovariate(1 / density)
        when -= datetime.timedelta(seconds=max(1, int(gap)))
    return dates


def in_utc(text):
    when = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return f"{when.astimezone(datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


def oldest_stays(rules, reasons):
    """Whether a count is not used up: then restic keeps the oldest of all, but
    not yet in version 0.14."""
    reasons = [one for matches in reasons for one in matches]
    for option, value in zip(rules[::2], rules[1::2]):
        period = option.removeprefix("--keep-")
        used = [one for one in reasons if one.endswith(f"{period} snapshot")]
        if period != "within" and len(used) < int(value):
            return True
    return False


class Histories:
    """The same dates, as snapshots of restic and as manifests."""

    def __init__(self, home, daemon, zone, count):
        self.zone = zone
        self.dates = {}
        self.repository = Repository(home / "restic")
        self.catalogue = Catalogue(home / "archives")
        self._server = {
            "name": "host", "member": "", "fingerprint":
            daemon.about["environment"]["certificate_fingerprint"]}
        choose = random.Random(f"{SEED} {zone} {count}")
        for number in range(count):
            self._add(f"h{number}", history(choose))

    def _add(self, name, dates):
        place = zoneinfo.ZoneInfo(self.zone)
        self.dates[name] = [f"{date:%Y-%m-%dT%H:%M:%SZ}" for date in dates]
        for number, date in enumerate(dates):
            self.repository.add_snapshot(name, date.astimezone(place))
            self.catalogue.archive(
                f"{name}-{number}.tar", body=b"x", instance=name,
                created_at=self.dates[name][number], server=self._server)

    def kept_by_restic(self, rules):
        told = self.repository.forget(self.zone, *rules)
        kept = {name: {in_utc(one) for one in told[name]} for name in told}
        for name, dates in self.dates.items():
            if oldest_stays(rules, told[name].values()):
                kept[name].add(dates[-1])
        return kept

    def kept_by_us(self, anklume, rules):
        anklume.environment["TZ"] = self.zone
        done = anklume("backup", "prune", "--dry-run", "--json", "--from",
                       self.catalogue.path, *rules)
        assert done.status == 0, done.err
        kept = {name: set() for name in self.dates}
        for one in done.json()["archives"]:
            if set(one["reasons"]) - PROTECTIONS:
                kept[one["instance"]].add(one["created_at"])
        return kept


@NEEDS_RESTIC
@pytest.mark.parametrize("zone, count, all_rules", [
    ("UTC", 1000, MIXED),
    ("UTC", 100, SINGLE),
    # Where days and weeks begin in another hour, and not all have 24.
    ("Europe/Paris", 100, [*SINGLE[1:4], SINGLE[6], MIXED[0]])])
def test_as_restic_does(daemon, anklume, tmp_path, zone, count, all_rules):
    histories = Histories(tmp_path, daemon, zone, count)
    for rules in all_rules:
        theirs = histories.kept_by_restic(rules)
        ours = histories.kept_by_us(anklume, rules)
        for name, dates in histories.dates.items():
            assert ours[name] == theirs[name], (
                f"seed {SEED}, {zone}, {name}, {rules}: of {dates} restic "
                f"keeps {sorted(theirs[name])}, we keep {sorted(ours[name])}")


def test_a_server_that_does_not_say_who_it_is(daemon, anklume, tmp_path):
    """What names no server, either, is not its own."""
    daemon.about["environment"]["certificate_fingerprint"] = ""
    catalogue = Catalogue(tmp_path / "archives")
    for day in (1, 2):
        catalogue.archive(f"{day}.tar", created_at=f"2026-03-0{day}T00:00:00Z",
                          server={"name": "", "fingerprint": "", "member": ""})
    done = anklume("backup", "prune", "--keep-last", "1", "--from",
                   catalogue.path)
    assert done.status == 1 and "does not say which server" in done.err
    assert len(list(catalogue.path.iterdir())) == 4
