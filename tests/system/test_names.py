"""Names to projects: what is found, and what is said of all other words."""

import os
import pathlib
import uuid

import pytest

from backups import asks_for_no_work
from relay import Relay

LISTING = "GET /1.0/instances?all-projects=true"


@pytest.fixture
def relay(daemon, tmp_path):
    relay = Relay(tmp_path / "relay.socket", daemon)
    yield relay
    relay.close()


def refusals(daemon, directory):
    """Run what must end before anything is done."""

    def run(status, *words, says=(), **more):
        with asks_for_no_work(daemon):
            result = daemon.anklume(*words, **{"cwd": directory, **more})
        assert (result.status, result.out) == (status, ""), result
        for text in [says] if isinstance(says, str) else says:
            assert text in result.err, result
        return result

    return run


@pytest.fixture
def refused(daemon, tmp_path):
    return refusals(daemon, tmp_path)


@pytest.fixture
def refused_as_word(lab_seven, tmp_path):
    """For what no daemon gets to see."""
    return refusals(lab_seven, tmp_path)


@pytest.fixture
def make_project(daemon):
    """Projects, empty again by then, that go with the test."""
    made = []

    def make(name, **config):
        options = [f"--config={key.replace('_', '.')}={value}" for key, value
                   in {"features_images": "false",
                       "features_profiles": "false", **config}.items()]
        daemon.incus("project", "create", name, *options)
        made.append(name)
        return name

    yield make
    for name in made:
        for url in daemon.get(f"/1.0/instances?project={name}"):
            daemon.incus("delete", "-f", url.split("/")[-1].split("?")[0],
                         "--project", name)
        daemon.incus("project", "delete", name)


def snapshots(daemon, *words, **more):
    """Which instance a word names, told by a command that only looks."""
    told = daemon.anklume("--json", "snapshot", "list", *words, **more)
    assert told.status == 0, told
    return "{project}/{instance}".format(**told.json())


# What is asked ------------------------------------------------------------

def test_one_cheap_request_finds_a_name(relay):
    result, asked = relay.asked_for("snapshot", "list", "alpha")
    assert result.status == 0, result
    assert [line for line in asked if "/snapshots" not in line
            and line != "GET /1.0"] == [LISTING]


def test_one_request_resolves_all_names_of_a_run(relay, here, there):
    for name in "abc":
        here.write(name, b"1")
    result, asked = relay.asked_for(
        "copy", here.at("a"), here.at("b"), here.at("c"), there.at())
    assert result.status == 0, result
    assert asked.count(LISTING) == 1
    assert not [line for line in asked if "recursion" in line]


def test_an_unknown_name_costs_no_more(relay):
    result, asked = relay.asked_for("snapshot", "list", "nobody")
    assert result.status == 6, result
    assert set(asked) <= {LISTING, "GET /1.0"}


# What is found ------------------------------------------------------------

def test_a_name_alone_is_found_in_any_project(daemon, here):
    assert snapshots(daemon, "alpha") == "default/alpha"
    assert snapshots(daemon, here.box.name) == f"work/{here.box.name}"


def test_a_full_name_is_found(daemon):
    assert snapshots(daemon, "work/web") == "work/web"
    assert snapshots(daemon, "home/web") == "home/web"


def test_local_is_the_daemon_itself(daemon):
    assert snapshots(daemon, "local:alpha") == "default/alpha"
    assert snapshots(daemon, "local:home/web") == "home/web"


def test_another_remote_is_not_known(refused):
    refused(6, "snapshot", "list", "elsewhere:alpha",
            says="'elsewhere:alpha': only the local daemon is known")


@pytest.mark.parametrize("command", [
    ("snapshot", "create", "web"),
    ("snapshot", "delete", "web", "x"),
    ("backup", "create", "web"),
    ("copy", "web:/etc/hosts", "x"),
    ("copy", "/etc/hosts", "web:/tmp/x"),
], ids=" ".join)
def test_two_holders_are_listed_as_they_are_typed(
        daemon, refused, command):
    told = refused(7, *command, says="2 projects hold an instance 'web'")
    names = [line.strip() for line in told.err.splitlines()[1:]]
    assert sorted(names) == ["home/web", "work/web"]
    for name in names:
        assert snapshots(daemon, name) == name


@pytest.mark.parametrize("chosen", ["work", "home"])
def test_a_project_breaks_a_tie(daemon, chosen):
    expected = f"{chosen}/web"
    assert snapshots(daemon, "web", "--project", chosen) == expected
    assert snapshots(
        daemon, "web", env={"INCUS_PROJECT": chosen}) == expected


def test_the_option_goes_before_the_environment(daemon):
    assert snapshots(daemon, "web", "--project=work",
                     env={"INCUS_PROJECT": "home"}) == "work/web"


@pytest.mark.parametrize("chosen", ["work", "nosuch"])
def test_a_project_does_nothing_but_break_ties(daemon, refused, chosen):
    """A name with one holder is found wherever that is."""
    for how in ({"env": {"INCUS_PROJECT": chosen}}, {}):
        words = [] if how else ["--project", chosen]
        assert snapshots(daemon, "alpha", *words, **how) == "default/alpha"
        assert snapshots(daemon, "home/web", *words, **how) == "home/web"


@pytest.mark.parametrize("chosen", ["default", "nosuch", ""])
def test_a_project_without_a_holder_breaks_no_tie(refused, chosen):
    for how in ({"env": {"INCUS_PROJECT": chosen}}, {}):
        words = [] if how else ["--project", chosen]
        refused(7, "snapshot", "list", "web", *words, **how,
                says=("home/web", "work/web"))


def test_drills_are_left_out(daemon, make_project, make_box, refused):
    drill = make_project("anklume-drill-" + uuid.uuid4().hex[:8])
    name = make_box(project=drill, start=False).name
    refused(6, "snapshot", "list", name, says="instance not found")
    assert snapshots(daemon, f"{drill}/{name}") == f"{drill}/{name}"
    make_box(name=name, project="work", start=False)
    assert snapshots(daemon, name) == f"work/{name}"


def test_a_project_with_an_odd_name(daemon, make_project, make_box):
    project = make_project("p.1-" + uuid.uuid4().hex[:8])
    name = make_box(name="x", project=project, start=False).name
    assert snapshots(daemon, name) == f"{project}/x"
    assert snapshots(daemon, f"{project}/x") == f"{project}/x"


# What is not --------------------------------------------------------------

@pytest.mark.parametrize("command", [
    ("snapshot", "list", "nobody"),
    ("snapshot", "create", "nobody"),
    ("snapshot", "restore", "nobody", "x"),
    ("snapshot", "delete", "nobody", "x"),
    ("backup", "create", "nobody"),
    ("copy", "nobody:/etc/hosts", "x"),
    ("copy", "/etc/hosts", "nobody:/x"),
], ids=" ".join)
def test_an_unknown_instance(refused, tmp_path, command):
    refused(6, *command, says=("anklume: instance not found: 'nobody'\n",
                               "  incus list --all-projects\n"))
    assert os.listdir(tmp_path) == []


def test_an_unknown_project_is_not_another(refused):
    refused(6, "snapshot", "list", "nosuch/alpha",
            says="instance not found: 'nosuch/alpha'")
    refused(6, "snapshot", "list", "work/alpha",
            says="instance not found: 'work/alpha'")


@pytest.mark.parametrize("word", ["web/snap0", "alpha/snap0"])
def test_an_instance_in_the_place_of_a_project(refused, word):
    """As Incus users name a snapshot."""
    left = word.split("/", maxsplit=1)[0]
    refused(6, "backup", "create", word, says=(
        f"instance not found: '{word}'",
        f"'{left}' is an instance, not a project"))


@pytest.mark.parametrize("word, right", [
    ("alpha/etc/hosts", "alpha:/etc/hosts"),
    ("web/etc/hosts", "web:/etc/hosts"),
    ("work/web/etc/hosts", "work/web:/etc/hosts"),
])
def test_the_spelling_of_incus_file(refused, tmp_path, word, right):
    """In either place; with -p no local directory comes of it."""
    refused(2, "copy", word, ".", says=f"  {right}\n")
    refused(2, "copy", "beta:/etc/hosts", word, says=f"  {right}\n")
    refused(2, "copy", "-p", "beta:/etc/hosts", word, says=f"  {right}\n")
    assert os.listdir(tmp_path) == []


def test_a_local_path_that_begins_like_an_instance(daemon, tmp_path):
    """What is there is meant."""
    (tmp_path / "alpha" / "etc").mkdir(parents=True)
    done = daemon.anklume("copy", "alpha:/etc/hosts", "alpha/etc/hosts",
                          cwd=tmp_path)
    assert done.status == 0, done
    assert (tmp_path / "alpha/etc/hosts").read_bytes() == daemon.read(
        "alpha", "/etc/hosts")


@pytest.mark.parametrize("words", [
    ("alpha:notes.txt", "."), ("beta:/etc/hosts", "alpha:notes.txt")])
def test_a_relative_path_in_an_instance(refused_as_word, words):
    refused_as_word(2, "copy", *words, says=(
        "'alpha:notes.txt': a path in an instance is absolute",
        "alpha:/PATH/notes.txt", "./alpha:notes.txt"))


def test_a_place_where_an_instance_is_wanted(refused_as_word):
    for command in (["backup", "create"], ["snapshot", "list"]):
        refused_as_word(2, *command, "alpha:/etc/hosts",
                says="is not the name of an instance")
        refused_as_word(2, *command, "alpha/etc/hosts",
                says="is not the name of an instance")


@pytest.mark.parametrize("word, option", [
    ("GPG=me", "--gpg me"),
    ("O=there", "--output there"),
    ("NAME=other", "--name other"),
    ("PROJECT=work", "--project work"),
    ("me@example.org", "--gpg me@example.org"),
])
@pytest.mark.parametrize("place", ["alone", "beside"])
def test_a_word_that_should_be_an_option(
        refused_as_word, tmp_path, word, option, place):
    """make's spelling, or a key: before or after the instance's name."""
    names = [word] if place == "alone" else ["alpha", word]
    refused_as_word(2, "backup", "create", *names, says=(f"'{word}'", option))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("where", ["relative", "dotted", "absolute", "bare"])
def test_a_file_where_an_instance_is_wanted(refused_as_word, tmp_path, where):
    path = tmp_path / ("web.tar.gz" if where != "bare" else "archive_1")
    path.write_bytes(b"")
    word = {"dotted": f"./{path.name}", "absolute": str(path)}.get(
        where, path.name)
    refused_as_word(2, "backup", "create", word, says=(
        f"'{word}' is a file, not an instance",
        f"  anklume backup restore --file {word}\n"))


def test_a_command_to_paste_is_quoted(refused_as_word, tmp_path):
    """Whatever the file is called, pasting does nothing else."""
    name = "a b.tar;touch pwned"
    (tmp_path / name).write_bytes(b"")
    refused_as_word(2, "backup", "create", name,
            says=f"  anklume backup restore --file '{name}'\n")


def test_a_file_does_not_hide_an_instance(daemon, tmp_path):
    (tmp_path / "alpha").write_bytes(b"")
    assert snapshots(daemon, "alpha", cwd=tmp_path) == "default/alpha"


# Words that are no names --------------------------------------------------

@pytest.mark.parametrize("word", [
    "", "/", "/web", "web/", "work//web", "./web", "../web", ":web",
    "local:", "local:/web", "-web", "web-", "12", "we_b", "w.b", "é",
    "n" * 64, "$(touch pwned)", "`touch pwned`", "a;touch pwned", "a b", "*",
    "a'b", 'a"b', "a\\b", "work/$(touch pwned)", "alpha?project=work",
    "%61lpha", "alpha#", "../../1.0"])
def test_what_cannot_be_a_name(refused_as_word, tmp_path, word):
    shown = refused_as_word(2, "snapshot", "list", "--", word).err
    assert f"'{word}'" in shown.splitlines()[0]
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("word, shown", [
    ("a\x1b[31mb", r"a\x1b[31mb"),
    ("a\nanklume: done", r"a\nanklume: done"),
    ("a\rb\tc\x07", r"a\rb\tc\x07"),
    ("a\x7fb", r"a\x7fb"),
    ("a\u202eb", r"a\xe2\x80\xaeb"),
    ("a\u009bb", r"a\xc2\x9bb"),
    (os.fsdecode(b"a\xffb"), r"a\xffb"),
], ids=["escape", "newline", "bell", "delete", "bidi", "c1", "not-utf8"])
def test_control_bytes_are_shown_escaped(refused_as_word, word, shown):
    for command in (["snapshot", "list"], ["backup", "create"],
                    ["--project=" + word, "snapshot", "list"]):
        result = refused_as_word(2, *command, word, says=f"'{shown}'")
        assert all(c.isprintable() or c == "\n" for c in result.err)
    result = refused_as_word(2, "copy", f"alpha:{word}", "x",
                             says=f"alpha:{shown}")
    assert all(c.isprintable() or c == "\n" for c in result.err)


def test_a_word_longer_than_any_message(refused_as_word):
    told = refused_as_word(2, "snapshot", "list", "x" * 100_000)
    assert len(told.err) < 5000


# Restricted projects ------------------------------------------------------

def test_a_restricted_project_can_be_read_and_written(
        daemon, make_box, tmp_path):
    box = make_box(project="locked")
    (tmp_path / "a").write_bytes(b"1")
    for words in ((tmp_path / "a", box.place("/a")),
                  (f"{box.name}:/a", tmp_path / "b")):
        done = daemon.anklume("copy", *words)
        assert done.status == 0, done
    assert (tmp_path / "b").read_bytes() == b"1"


def test_a_restricted_project_that_blocks_backups(
        daemon, make_project, make_box, refused, tmp_path):
    """The command that is shown, typed as it stands, opens the way."""
    project = make_project(
        "r" + uuid.uuid4().hex[:8], restricted="true",
        restricted_backups="block", features_profiles="true")
    daemon.incus("profile", "device", "add", "default", "root", "disk",
                 "path=/", "pool=default", "--project", project)
    box = make_box(project=project, start=False)
    told = refused(4, "backup", "create", str(box), "-o", tmp_path,
                   says=f"cannot back up '{box}'")
    command = told.err.splitlines()[1].split()
    assert command[0] == "incus"
    daemon.incus(*command[1:])
    made = daemon.anklume("backup", "create", str(box), "-o", tmp_path)
    assert made.status == 0, made
    assert pathlib.Path(made.out.strip()).exists()
