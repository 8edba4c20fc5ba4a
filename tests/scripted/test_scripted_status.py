"""What `backup status` finds, and each form that it tells it in."""

import datetime
import hashlib
import html.parser
import json
import os
import pathlib
import re
import subprocess

import pytest

import lab
from catalogues import FINGERPRINT, Catalogue
from scripted import sync

NOW = datetime.datetime.now(datetime.timezone.utc)


def ago(**span):
    """RFC 3339; no limit below is nearer to an age than some hours."""
    return (NOW - datetime.timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Place:
    """Archives of the scripted daemon's instances, and what was proven."""

    def __init__(self, anklume, daemon):
        self.anklume, self.daemon = anklume, daemon
        self.path = anklume.home / "backups"
        self.path.mkdir()
        self.catalogue = Catalogue(self.path)
        daemon.instances = {}

    def backup(self, name, project="work", known=True, days=0.1, body=None,
               **fields):
        """An archive of an instance, which is there unless it is gone."""
        if known:
            self.daemon.instances[name] = project
        safe = hashlib.sha256(name.encode()).hexdigest()[:8]
        body = body or f"{project}/{name} of {days} days ago".encode()
        return self.catalogue.archive(
            f"{safe}-{days}.tar", body, instance=name, project=project,
            created_at=ago(days=days), **fields)

    def prove(self, archive, kind, **span):
        told = json.loads(archive.with_name(archive.name + ".json").read_text())
        proofs = self.anklume.home / "state" / "anklume" / "proof"
        proofs.mkdir(parents=True, exist_ok=True)
        (proofs / f"{told['sha256']}.{kind}.json").write_text(
            json.dumps({"at": ago(**span)}))

    def status(self, *words):
        return self.anklume("backup", "status", *words)

    def told(self, *words):
        done = self.status("--json", *words)
        assert done.status in (0, 3), done
        return json.loads(done.out)

    def row(self, name, *words):
        [row] = [one for one in self.told(*words)["instances"]
                 if one["instance"] == name]
        return row

    def problems(self, name, *words):
        return self.row(name, *words)["problems"]


@pytest.fixture
def place(anklume, daemon):
    return Place(anklume, daemon)


# States -------------------------------------------------------------------

def test_ok(place):
    archive = place.backup("web")
    place.backup("web", days=1)
    place.prove(archive, "content", hours=1)
    place.prove(archive, "drill", hours=2)
    done = place.status("--json")
    assert done.status == 0, done
    told = json.loads(done.out)
    assert (told["command"], told["status"]) == ("backup status", 0)
    assert (told["count"], told["wanting"]) == (1, 0)
    [row] = told["instances"]
    history = row.pop("history")
    size = archive.stat().st_size
    assert row == {
        "project": "work", "instance": "web", "state": "ok", "problems": [],
        "last_backup": ago(days=0.1), "last_verified": ago(hours=1),
        "last_drilled": ago(hours=2), "size_bytes": size,
        "path": "backups/" + archive.name, "archives": 2, "damaged": 0,
        "total_bytes": size + len("work/web of 1 days ago")}
    assert history == [
        {"created_at": ago(days=0.1), "size_bytes": size,
         "tar_size_bytes": 10240, "verified": True, "drilled": True},
        {"created_at": ago(days=1), "size_bytes": size - 2,
         "tar_size_bytes": 10240, "verified": False, "drilled": False}]


def test_never(place):
    place.daemon.instances["web"] = "work"
    done = place.status("--json")
    assert done.status == 3, done
    assert "1 of 1 instances" in done.err
    [row] = json.loads(done.out)["instances"]
    assert (row["state"], row["problems"]) == ("never", ["never"])
    assert row["last_backup"] is None and row["history"] == []
    assert "path" not in row


@pytest.mark.parametrize("days, words, problems", [
    (1.5, [], []), (3, [], ["late"]), (3, ["--max-age", "4d"], []),
    (1.5, ["--max-age=30h"], ["late"]), (300, ["--max-age", "1y"], [])])
def test_late(place, days, words, problems):
    place.backup("web", days=days)
    assert place.problems("web", *words) == problems


def test_damaged(place):
    """The one before it counts, and the damage is told."""
    archive = place.backup("web")
    place.backup("web", days=1)
    archive.write_bytes(b"cut")
    row = place.row("web")
    assert (row["state"], row["problems"]) == ("damaged", ["damaged"])
    assert (row["archives"], row["damaged"]) == (2, 1)
    assert row["last_backup"] == ago(days=1)
    assert len(row["history"]) == 1
    place.path.joinpath(row["path"].rpartition("/")[2]).write_bytes(b"cut")
    assert place.problems("web") == ["never", "damaged"]


def test_marked_as_damaged(place):
    archive = place.backup("web")
    place.prove(archive, "damage", hours=1)
    proofs = place.anklume.home / "state" / "anklume" / "proof"
    [proof] = proofs.iterdir()
    proof.write_text(json.dumps({"at": ago(hours=1), "path": str(archive)}))
    assert place.problems("web") == ["never", "damaged"]


def test_shrank_until_somebody_says_that_it_is_right(place):
    archive = place.backup("web", shrunk_from="web-1.tar")
    assert place.problems("web") == ["shrank"]
    place.prove(archive, "accepted", hours=1)
    assert place.problems("web") == []


@pytest.mark.parametrize("kind, option, problem", [
    ("content", "--max-age-verified", "unverified"),
    ("digest", "--max-age-verified", "unverified"),
    ("drill", "--max-age-drilled", "undrilled")])
def test_not_proven(place, kind, option, problem):
    """Any backup of it will do, and no limit is no demand."""
    place.backup("web")
    older = place.backup("web", days=1)
    assert place.problems("web") == []
    assert place.problems("web", option, "8d") == [problem]
    place.prove(older, kind, days=10)
    assert place.problems("web", option, "8d") == [problem]
    assert place.problems("web", option, "1m") == []


def test_all_problems_at_once_the_worst_first(place):
    cut = place.backup("web", days=9)
    cut.write_bytes(b"")
    place.backup("web", days=8, shrunk_from="web-1.tar")
    row = place.row("web", "--max-age-verified=1d", "--max-age-drilled=1d")
    assert row["state"] == "late"
    assert row["problems"] == [
        "late", "damaged", "shrank", "unverified", "undrilled"]


def test_what_is_left_out_has_no_problems(place):
    for name in ("scratch", "passing", "web"):
        place.daemon.instances[name] = "work"
    place.daemon.configs["scratch"] = {"user.anklume.backup": "no: a toy"}
    place.daemon.ephemeral.add("passing")
    place.backup("web")
    done = place.status("--json")
    assert done.status == 0, done
    told = json.loads(done.out)
    assert told["count"] == 1
    assert [(one["instance"], one["state"], one.get("reason"))
            for one in told["instances"]] == [
        ("passing", "excluded", "it is ephemeral"),
        ("scratch", "excluded", "user.anklume.backup = no: a toy"),
        ("web", "ok", None)]


def test_gone(place):
    place.backup("old", known=False, days=400)
    told = place.told()
    assert (told["status"], told["count"], told["wanting"]) == (0, 0, 0)
    [row] = told["instances"]
    assert (row["state"], row["problems"]) == ("gone", [])
    assert row["archives"] == 1


def test_projects_of_drills_are_not_seen(place):
    place.daemon.instances["web"] = "anklume-drill-0123"
    assert place.told()["instances"] == []


def test_archives_of_another_server_do_not_count(place):
    place.backup("web", server={
        "name": "other", "fingerprint": FINGERPRINT[::-1], "member": ""})
    place.backup("old", known=False, server={
        "name": "other", "fingerprint": FINGERPRINT[::-1], "member": ""})
    told = place.told()
    assert [(one["instance"], one["state"], one["archives"])
            for one in told["instances"]] == [("web", "never", 0)]


def test_names_of_two_projects_are_two_instances(place):
    """Sorted by project, then by name."""
    place.daemon.on("GET /1.0/instances", lambda x: x.send(sync([
        {"name": name, "project": project, "config": {}}
        for project, name in [("b", "web"), ("a", "z"), ("a", "web")]])))
    place.backup("web", project="b")
    told = place.told()["instances"]
    assert [(one["project"], one["instance"], one["state"])
            for one in told] == [
        ("a", "web", "never"), ("a", "z", "never"), ("b", "web", "ok")]
    told = place.told("--project", "b")["instances"]
    assert [(one["project"], one["instance"]) for one in told] == [("b", "web")]


def test_an_archive_without_its_file_is_none(place):
    place.backup("web").unlink()
    assert place.problems("web") == ["never"]


def test_a_long_history_ends(place):
    for i in range(95):
        place.backup("web", days=0.1 + i)
    row = place.row("web")
    assert row["archives"] == 95
    assert [one["created_at"] for one in row["history"]] == [
        ago(days=0.1 + i) for i in range(90)]


# Limits and faults --------------------------------------------------------

def test_limits_from_the_configuration(place):
    configured = place.anklume.home.parent / "anklume.conf"
    configured.write_text(
        "[backup]\nmax-age = 10d\nmax-age-verified = 1m\n"
        f"max-age-drilled = 1y\noutput = {place.path}\n")
    place.anklume.environment["ANKLUME_CONFIG"] = str(configured)
    place.backup("web", days=5)
    assert place.problems("web") == ["unverified", "undrilled"]
    assert place.problems("web", "--max-age=4d")[0] == "late"


@pytest.mark.parametrize("words, says", [
    (["--max-age", "soon"], "'soon' is no length of time"),
    (["--max-age-verified", ""], "is no length of time"),
    (["--max-age-drilled", "3"], "'3' is no length of time"),
    (["--format", "xml"], "table, json, nagios, prometheus, html"),
    (["web"], "")])
def test_wrong_words(place, words, says):
    done = place.status(*words)
    assert (done.status, done.out) == (2, ""), done
    assert says in done.err


@pytest.mark.parametrize("how", [
    "table", "json", "nagios", "prometheus", "html"])
def test_no_directory(place, how):
    """A disk that is not mounted is not "never backed up"."""
    place.path.rmdir()
    done = place.status("--format", how)
    assert done.status == 10, done
    assert (done.out == "") == (how != "json")


@pytest.mark.parametrize("how", ["table", "nagios", "html"])
def test_no_daemon(place, how):
    place.anklume.environment["INCUS_SOCKET"] += "-none"
    done = place.status("--format", how)
    assert (done.status, done.out) == (9, ""), done


@pytest.mark.parametrize("answer", [
    {"a": "b"}, [{"project": "work"}], [{"name": "web"}], [None],
    [{"name": 3, "project": "work"}]])
def test_a_daemon_that_lies(place, answer):
    place.daemon.on("GET /1.0/instances", lambda x: x.send(sync(answer)))
    done = place.status("--format", "html")
    assert (done.status, done.out) == (1, ""), done


# Forms --------------------------------------------------------------------

def crowd(place):
    """One of each state."""
    good = place.backup("good")
    place.prove(good, "content", hours=5.1)
    place.prove(good, "drill", hours=5.1)
    place.backup("late", project="home", days=3)
    place.daemon.instances["never"] = "home"
    place.daemon.instances["passing"] = "home"
    place.daemon.ephemeral.add("passing")
    place.backup("small", shrunk_from="x.tar")
    place.backup("old", known=False)
    place.backup("cut").write_bytes(b"")
    return 5, 4


def test_a_table(place):
    crowd(place)
    done = place.status("--max-age-drilled=1d")
    assert done.status == 3
    head, *rows = [re.split("  +", line) for line in done.out.splitlines()]
    assert head == ["INSTANCE", "STATE", "LAST BACKUP", "AGE", "SIZE",
                    "VERIFIED", "DRILLED", "ARCHIVES"]
    assert [row[:2] for row in rows] == [
        ["home/late", "late, not drilled"], ["home/never", "never backed up"],
        ["home/passing", "left out (it is ephemeral)"],
        ["work/cut", "never backed up, damaged"], ["work/good", "ok"],
        ["work/old", "gone"], ["work/small", "shrank, not drilled"]]
    assert rows[0][3:] == ["3 d", "23 B", "-", "-", "1"]
    assert rows[4][3:] == ["2 h", "25 B", "5 h", "5 h", "1"]


def test_json_by_either_name(place):
    crowd(place)
    one, other = place.status("--json"), place.status("--format", "json")
    assert (one.status, one.out, one.err) == (
        other.status, other.out, other.err)
    assert json.loads(one.out)["status"] == one.status == 3


@pytest.mark.parametrize("days, body, status, word", [
    (0.1, None, 0, "OK"), (0.1, b"", 1, "WARNING"), (3, None, 2, "CRITICAL")])
def test_nagios(place, days, body, status, word):
    place.backup("web", days=days)
    if body is not None:
        place.backup("web", days=0.2).write_bytes(body)
    done = place.status("--format", "nagios")
    assert (done.status, done.err) == (status, ""), done
    assert done.out == (
        f"ANKLUME {word} - {int(status == 0)} of 1 instances backed up as "
        "they should be" + {0: "", 1: ": work/web (damaged)",
                            2: ": work/web (late)"}[status] +
        f" | instances=1 wanting={int(status > 0)}\n")


def test_nagios_is_one_line_with_one_bar(place):
    for i in range(200):
        place.daemon.instances[f"w|{i}'\n\x1b"] = "work"
    done = place.status("--format=nagios")
    assert done.status == 2
    assert done.out.count("\n") == 1 and done.out.count("|") == 1
    assert all(c.isprintable() for c in done.out[:-1])
    assert done.out.endswith("| instances=200 wanting=200\n")


NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(
    rf'({NAME})(?:\{{((?:{NAME}="(?:[^"\\\n]|\\[\\"n])*",?)*)\}})? '
    r"(-?[0-9.]+)")
LABEL = re.compile(rf'({NAME})="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')


def exposed(text):
    """{(metric, labels...): value} of the Prometheus text format 0.0.4; each
    metric stands in one block, after its HELP and TYPE."""
    assert text.endswith("\n")
    samples, done, current = {}, set(), None
    for line in text[:-1].split("\n"):
        told = re.fullmatch(rf"# (HELP|TYPE) ({NAME}) (.+)", line)
        if told:
            kind, name, words = told.groups()
            if kind == "HELP":
                assert name not in done
                done.add(name)
                current = None
            else:
                assert name in done and words == "gauge"
                current = name
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample and sample[1] == current, line
        labels = tuple(
            re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], value)
            for _, value in LABEL.findall(sample[2] or ""))
        assert (current, *labels) not in samples
        samples[current, *labels] = float(sample[3])
    return samples


def test_prometheus(place):
    crowd(place)
    done = place.status("--format", "prometheus")
    assert done.status == 3
    samples = exposed(done.out)
    assert len(samples) == 7 * 7 + 1
    when = datetime.datetime.fromisoformat(ago(days=3)).timestamp()
    told = {name.removeprefix("anklume_backup_"): value
            for (name, *labels), value in samples.items()
            if labels == ["home", "late"]}
    assert told == {
        "last_backup_timestamp_seconds": when, "size_bytes": 23,
        "last_verified_timestamp_seconds": 0, "archives": 1,
        "last_drilled_timestamp_seconds": 0, "damaged_archives": 0,
        "wanting": 1}
    assert samples["anklume_backup_damaged_archives", "work", "cut"] == 1
    assert samples["anklume_backup_wanting", "work", "old"] == 0
    assert samples["anklume_status_timestamp_seconds",] >= NOW.timestamp() - 1


@pytest.mark.parametrize("name, shown", [
    ('a"b', 'a"b'), ("a\\b", "a\\b"), ('\\"', '\\"'), ("a\nb", "a\\nb"),
    ("a\x1bb", "a\\x1bb"), ("é", "é")])
def test_prometheus_escapes(place, name, shown):
    place.daemon.instances[name] = name
    samples = exposed(place.status("--format", "prometheus").out)
    assert samples["anklume_backup_archives", shown, shown] == 0


# The page -----------------------------------------------------------------

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(html.parser.HTMLParser):
    """What is on a page; it must be well formed, and ask for nothing."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.ids, self.links = [], [], [], []
        self.texts, self.titles = [], []
        self.feed(text)
        self.close()
        assert self.open == []
        assert len(set(self.ids)) == len(self.ids)
        assert set(self.links) <= {f"#{one}" for one in self.ids}

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), (tag, names)
        assert not any(name.startswith("on") or name in (
            "src", "srcset", "action", "data", "background")
            for name in names), names
        assert tag not in {"script", "link", "img", "iframe", "object",
                           "image", "base", "form"}
        values = dict(attrs)
        self.seen.append((tag, values))
        self.ids += [values["id"]] if "id" in values else []
        self.links += [values["href"]] if "href" in values else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        if data.strip() and "style" not in self.open:
            self.texts.append(data.strip())
            if self.open[-2:] == ["svg", "title"]:
                self.titles.append(data.strip())

    @property
    def rows(self):
        return [values for tag, values in self.seen
                if tag == "tr" and "row" in values.get("class", "").split()]


def page_of(place, *words):
    done = place.status("--format", "html", *words)
    assert done.status in (0, 3), done
    assert done.out.startswith("<!DOCTYPE html>\n")
    assert done.out.count("http") == done.out.count("http-equiv") == 1
    assert "://" not in done.out and "url(" not in done.out
    assert "@import" not in done.out
    assert all(c == "\n" or c.isprintable() for c in done.out)
    return Page(done.out)


def test_a_page(place):
    count, wanting = crowd(place)
    page = page_of(place)
    assert page.texts.count(
        f"{wanting} of {count} instances need a look") == 2
    assert page.seen[0] == ("html", {"lang": "en"})
    assert ("meta", {
        "http-equiv": "Content-Security-Policy",
        "content": "default-src 'none'; style-src 'unsafe-inline'"
    }) in page.seen
    # By project, those with problems first; then what does not count.
    assert [one["class"] for one in page.rows] == [
        "row bad", "row bad", "row bad", "row warn", "row ok",
        "row off", "row off"]
    at = [page.texts.index(one) for one in ("cut", "small", "good")]
    assert at == sorted(at)
    for text in ("late", "never backed up", "damaged", "damaged: 1", "shrank",
                 "left out", "gone", "it is ephemeral", "home/passing",
                 "3 d ago", "23 B"):
        assert text in page.texts, text
    assert len([1 for tag, values in page.seen
                if tag == "a" and values["href"].startswith("#i")]) == wanting


def test_a_page_when_all_is_well(place):
    place.backup("web")
    page = page_of(place)
    assert page.texts.count("All is well with every instance") == 2
    assert "What needs a look" not in page.texts
    assert "Left out, or gone" not in page.texts


def test_a_page_of_nothing(place):
    assert page_of(place).texts[0] == "There is nothing to back up"


def test_a_page_of_one_that_needs_a_look(place):
    place.daemon.instances["web"] = "work"
    assert page_of(place).texts[0] == "1 of 1 instances needs a look"


def test_a_page_names_some_and_counts_the_others(place):
    for i in range(15):
        place.daemon.instances[f"w{i:02}"] = "work"
    page = page_of(place)
    assert "work/w11" in page.texts and "work/w12" not in page.texts
    assert "and 3 more, marked below" in page.texts
    assert len(page.rows) == 15


def test_a_picture(place):
    """A bar for each, the newest on the right; marks; all of it in words."""
    archives = [place.backup("web", days=0.1 + i, body=b"x" * 1024 * (4 - i))
                for i in range(3)]
    place.prove(archives[1], "digest", hours=1)
    place.prove(archives[2], "drill", hours=1)
    page = page_of(place)
    day = ago(days=0.1)[:10], ago(days=2.1)[:10]
    assert page.titles == [
        f"Backups: 3, from {day[1]} to {day[0]}; sizes: 2.0 KiB to 4.0 KiB; "
        "verified: 1; drilled: 1"]
    paths = {values["class"]: values["d"] for tag, values in page.seen
             if tag == "path" and "class" in values
             and values["class"] != "marks" and values["d"].count("\n") > 1}
    bar = r"M([0-9.]+) 26V([0-9.]+)"
    [newest] = re.findall(bar, paths["bars"])
    older = re.findall(bar, paths["bars old"])
    assert [float(x) for x, _ in (newest, *older)] == [140, 132, 124]
    assert [float(y) for _, y in (newest, *older)] == [1, 7, 13]
    marks = [values["d"].split("\n") for tag, values in page.seen
             if tag == "path" and values.get("class") == "marks"
             and "\n" in values["d"]][0]
    assert marks[1] == "M132.0 32h.01"
    assert marks[2].startswith("M124.0 32m") and marks[2].endswith("z")


def test_a_picture_of_empty_archives(place):
    path = place.backup("web", body=b"x")
    path.write_bytes(b"")
    told = path.with_name(path.name + ".json")
    told.write_text(told.read_text().replace('"size_bytes": 1,',
                                             '"size_bytes": 0,'))
    assert page_of(place).titles[0].startswith("Backups: 1, from")


HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=y>', "' x='",
           "a&amp;b", "\x1b[31m\x07", "\u202egnp", "</title></style>", "é"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_page_with_names_that_are_markup(place, name):
    """As names, projects, reasons, paths and manifests."""
    # With a "/", it would be the name of no instance.
    own = name.replace("/", "_")
    place.backup(own, project=name, shrunk_from=name)
    place.backup(own + "2", project=name, known=False)
    place.daemon.instances["out" + own] = name
    place.daemon.configs["out" + own] = {
        "user.anklume.backup": "no: " + name}
    bad = place.path / ("p" + own)
    bad.mkdir()
    Catalogue(bad).archive("w.tar", b"w", instance="web", project="work",
                           created_at=ago(days=0.2))
    place.daemon.instances["web"] = "work"
    page = page_of(place)
    shown = name.encode("unicode_escape").decode() if any(
        not c.isprintable() for c in name) else name
    shown = shown.replace("\\u202e", "\\xe2\\x80\\xae")
    shown_own = shown.replace("/", "_")
    for text in (shown, f"{shown}/{shown_own}", f"{shown}/{shown_own}2",
                 f"user.anklume.backup = no: {shown}"):
        assert text in page.texts, (text, page.texts)


def test_many_instances(place):
    """Each with its own row; nothing is cut."""
    place.daemon.on("GET /1.0/instances", lambda x: x.send(sync([
        {"name": f"w{i}", "project": f"p{i % 7}", "config": {}}
        for i in range(1000)])))
    page = page_of(place)
    assert len(page.rows) == 1000
    assert "1000 of 1000 instances need a look" in page.texts


@pytest.fixture
def french(anklume, tmp_path):
    """Texts of another language, where the program looks for them."""
    if os.geteuid() != 0:
        pytest.skip("only root can put them there")
    config = pathlib.Path(lab.binary()).parents[1] / "config.h"
    there = re.search(r'LOCALE_DIR "(.+)"', config.read_text())[1]
    texts = tmp_path / "locale" / "fr" / "LC_MESSAGES"
    texts.mkdir(parents=True)
    (tmp_path / "fr.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n' +
        "".join(f'msgid "{text}"\nmsgstr "{said}"\n' for text, said in [
            ("en", "fr"), ("late", "en retard"), ("%s ago", "il y a %s"),
            ("All is well with every instance", "Tout va bien"),
            ("it is ephemeral", "elle est éphémère"), ("%lld h", "%lld h.")]))
    subprocess.run(["msgfmt", "-o", texts / "anklume.mo",
                    tmp_path / "fr.po"], check=True)
    # The nearest directory that is there carries one with the rest of it.
    place = pathlib.Path(there)
    while not place.exists():
        place = place.parent
    under = tmp_path / "under"
    (under / pathlib.Path(there).relative_to(place)).mkdir(
        parents=True, exist_ok=True)
    (tmp_path / "locale").rename(tmp_path / "texts")
    target = under / pathlib.Path(there).relative_to(place)
    for one in (tmp_path / "texts").iterdir():
        one.rename(target / one.name)
    anklume.before = [
        "unshare", "--mount", "--propagation", "private", "sh", "-c",
        'mount --bind "$0" "$1" && shift && exec "$@"', str(under),
        str(place), *anklume.before]
    anklume.environment["LANGUAGE"] = "fr"


def test_a_page_in_french(place, french):
    del french
    place.backup("web")
    place.daemon.instances["passing"] = "work"
    place.daemon.ephemeral.add("passing")
    page = page_of(place)
    assert page.seen[0] == ("html", {"lang": "fr"})
    assert page.texts.count("Tout va bien") == 2
    assert "il y a 2 h." in page.texts
    assert "elle est éphémère" in page.texts


@pytest.mark.parametrize("how", ["json", "nagios", "prometheus"])
def test_what_scripts_read_is_english(place, french, how):
    del french
    crowd(place)
    spoken = place.status("--format", how)
    place.anklume.environment["LANGUAGE"] = "C"
    english = place.status("--format", how)
    stamp = re.compile(r"(anklume_status_timestamp_seconds) \d+")
    assert stamp.sub(r"\1", spoken.out) == stamp.sub(r"\1", english.out)
    assert (spoken.status, spoken.err) == (english.status, english.err)
