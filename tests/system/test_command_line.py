"""The command line itself: words, options, help, silence and JSON."""

import json
import os
import pathlib
import re
import subprocess

import pytest

import lab
from backups import asks_for_no_work
from conftest import tree_of

COMMANDS = [
    "portal copy", "portal log", "backup create", "backup restore",
    "snapshot create", "snapshot list", "snapshot restore", "snapshot delete"]
GROUPS = ["portal", "backup", "snapshot"]

# Nothing on the command line alone may ask a daemon.
NOWHERE = {"INCUS_SOCKET": "/nonexistent/unix.socket"}


@pytest.fixture
def alone(lab_seven, tmp_path):
    """Run without any daemon, in an empty directory that stays empty."""

    def run(*words, **env):
        result = lab_seven.anklume(
            *words, env={**NOWHERE, **env}, cwd=tmp_path)
        assert os.listdir(tmp_path) == []
        return result

    return run


def refused(result, *says):
    """Wrong usage: status 2, and one sentence with what to type below."""
    assert (result.status, result.out) == (2, ""), result
    first, *rest = result.err.splitlines()
    assert re.fullmatch(r"anklume: \S.*[^.\s]", first), result
    assert all(line.startswith("  ") for line in rest), result
    for text in says:
        assert text in result.err, result


# Help ---------------------------------------------------------------------

@pytest.mark.parametrize("words", [
    [], ["help"], ["-h"], ["--help"], ["-q"], ["--json", "help"],
    ["help", "help"]], ids=" ".join)
def test_usage_lists_all_commands(alone, words):
    shown = alone(*words)
    assert (shown.status, shown.err) == (0, ""), shown
    for command in COMMANDS:
        assert re.search(rf"^  {command} [A-Z\[]", shown.out, re.M), command
    assert "--project P" in shown.out


@pytest.mark.parametrize("group", GROUPS)
def test_usage_of_a_group_lists_its_commands_only(alone, group):
    for words in ([group, "--help"], [group, "-h"], ["help", group]):
        shown = alone(*words)
        assert (shown.status, shown.err) == (0, ""), shown
        for command in COMMANDS:
            assert (f"\n  {command} " in shown.out) == command.startswith(
                group)


@pytest.mark.parametrize("command", [*COMMANDS, "copy"])
def test_usage_of_a_command_is_the_same_wherever_it_is_asked(alone, command):
    words = command.split()
    shown = alone("help", *words)
    assert (shown.status, shown.err) == (0, "")
    assert f"anklume {command} [OPTIONS]" in shown.out
    assert "Global options:" in shown.out
    for asked in ([*words, "--help"], [*words, "-h"], ["-h", *words],
                  [*words, "a", "b", "--help", "c"]):
        assert alone(*asked).out == shown.out


def test_version(alone):
    for words in (["--version"], ["-v", "--version"]):
        shown = alone(*words)
        assert (shown.status, shown.err) == (0, "")
        assert re.fullmatch(r"anklume [0-9]+\.[0-9]+\.[0-9]+\S*\n", shown.out)


def test_the_man_page_knows_every_command_and_option(alone):
    page = (lab.ROOT / "man" / "anklume.1").read_text()
    page = page.replace("\\-", "-").replace("Fl -", "--")
    for command in COMMANDS:
        assert re.search(command.replace(" ", r"[ \n]+"), page), command
        for option in re.findall(
                r"--[a-z-]+", alone("help", *command.split()).out):
            assert option in page, (command, option)


# Wrong usage --------------------------------------------------------------

@pytest.mark.parametrize("words, says", [
    (["bakup"], "unknown command 'bakup'"),
    ([""], "unknown command ''"),
    (["backup"], "what shall 'backup' do?"),
    (["backup", "make"], "unknown command 'backup make'"),
    (["create", "alpha"], "unknown command 'create'"),
    (["backup create", "alpha"], "unknown command 'backup create'"),
    (["-n", "nosuch"], "unknown command 'nosuch'"),
    (["\x1b[31mred"], r"unknown command '\x1b[31mred'"),
    (["--", "nosuch"], "unknown command 'nosuch'"),
])
def test_unknown_commands(alone, words, says):
    refused(alone(*words), says, "  anklume help")


@pytest.mark.parametrize("words, says", [
    (["--nosuch"], "unknown option '--nosuch'"),
    (["-Z"], "unknown option '-Z'"),
    (["snapshot", "list", "alpha", "--nosuch"], "unknown option '--nosuch'"),
    (["snapshot", "list", "alpha", "--nosuch=1"], "--nosuch"),
    (["snapshot", "list", "alpha", "-Z"], "unknown option '-Z'"),
    (["snapshot", "list", "alpha", "-qZn"], "unknown option '-Z'"),
    (["snapshot", "list", "alpha", "--name", "x"], "unknown option '--name'"),
    (["snapshot", "list", "alpha", "-\x1b"], r"'-\x1b'"),
    (["snapshot", "list", "alpha", "--\x1b[1m"], r"'--\x1b[1m'"),
    (["snapshot", "list", "alpha", "--project"], "'--project' needs a value"),
    (["backup", "create", "alpha", "-o"], "'-o' needs a value"),
    (["snapshot", "list", "alpha", "--json=yes"], "--json takes no value"),
    (["snapshot", "list", "alpha", "--quiet="], "--quiet takes no value"),
])
def test_bad_options(alone, words, says):
    refused(alone(*words), says)


@pytest.mark.parametrize("command", [
    one for one in COMMANDS if one != "portal log"])
def test_missing_arguments(alone, command):
    refused(alone(*command.split()))


@pytest.mark.parametrize("words", [
    ["backup", "show", "a", "b"], ["backup", "restore", "a", "b"]],
    ids=" ".join)
def test_words_too_many(alone, words):
    refused(alone(*words), f"'{words[-1]}'")


@pytest.mark.parametrize("value", [
    "0", "-1", "x", "", "1.5", "1s", " 1", "0x10", "86401",
    "99999999999999999999"])
def test_bad_timeouts(alone, value):
    for words in (["--timeout", value], [f"--timeout={value}"]):
        refused(alone("snapshot", "list", "alpha", *words),
                f"--timeout wants seconds, 1 to 86400, not '{value}'")


@pytest.mark.parametrize("option, values", [
    ("--uid", ["", "-1", "x", "root", "4294967295", "4294967296"]),
    ("--gid", ["", "-1", "4294967295"]),
    ("--mode", ["", "8", "+x", "-644", "77777", "0o644"]),
])
def test_bad_numbers(alone, option, values):
    for value in values:
        refused(alone("copy", f"{option}={value}", "alpha:/a", "b"), option)


@pytest.mark.parametrize("how", [
    "", "xz", "gzip:", "gzip:0", "gzip:10", "gzip:x", "zstd:20", "zstd:-1",
    "none:1", "gzip -9", "GZIP"])
def test_bad_compressions(alone, how):
    refused(alone("backup", "create", "alpha", f"--compression={how}"))


def test_one_option_too_often(alone):
    refused(alone("backup", "create", "alpha", *["--gpg=x"] * 65),
            "--gpg may be given at most 64 times")


# Where options may stand --------------------------------------------------

@pytest.mark.parametrize("words", [
    "--project work snapshot list web", "snapshot list --project work web",
    "snapshot list web --project work", "snapshot list web --project=work",
    "--project=home snapshot list web --project=work",
    "-q --project=work snapshot list -v web -n",
    "snapshot list -qvn --project work -- web",
    "--project=work -- snapshot list web",
    "snapshot --project work list web", "snapshot -q list --project work web"])
def test_options_stand_anywhere(lab_seven, words):
    told = lab_seven.anklume("--json", *words.split())
    assert told.status == 0, told
    assert told.json()["project"] == "work"


def test_two_dashes_end_the_options(alone):
    refused(alone("snapshot", "list", "--", "--json"),
            "'--json' is not the name of an instance")
    refused(alone("snapshot", "list", "--", "--help"),
            "'--help' is not the name of an instance")
    refused(alone("snapshot", "list", "--", "-h", "-q"),
            "'-h' is not the name of an instance")


def test_a_value_may_look_like_an_option(alone):
    refused(alone("snapshot", "list", "alpha", "--timeout", "--json"),
            "not '--json'")


# --dry-run ----------------------------------------------------------------

def test_dry_runs_write_nothing(daemon, here, tmp_path):
    """Nothing here, nothing there."""
    (tmp_path / "a").write_bytes(b"1")
    daemon.incus("snapshot", "create", here.box.name, "dry", "--project",
                 "work")
    before = tree_of(tmp_path)
    try:
        with asks_for_no_work(daemon):
            for words in (
                    ["backup", "create", "home/web", "-o", "new/"],
                    ["backup", "create", "home/web"],
                    ["copy", "a", here.at("a")],
                    ["copy", "alpha:/etc/hosts", "b"],
                    ["copy", "-p", "alpha:/etc/hosts", "x/y/"],
                    ["snapshot", "create", str(here.box), "other"],
                    ["snapshot", "restore", str(here.box), "dry"],
                    ["snapshot", "delete", str(here.box), "dry"]):
                done = daemon.anklume("--dry-run", *words, cwd=tmp_path)
                assert done.status == 0, (words, done)
    finally:
        daemon.incus("snapshot", "delete", here.box.name, "dry", "--project",
                     "work")
    assert tree_of(tmp_path) == before
    assert os.listdir(here.files) == []


@pytest.mark.parametrize("words", [
    ["backup", "create", "home/web"], ["copy", "alpha:/etc/hosts", "b"],
    ["snapshot", "create", "alpha", "dry"]], ids=" ".join)
def test_a_dry_run_says_what_it_would_do(lab_seven, tmp_path, words):
    """So that nobody takes it for done."""
    done = lab_seven.anklume("-n", *words, cwd=tmp_path)
    assert (done.status, done.out) == (0, ""), done
    assert done.err.startswith("anklume: would "), done


# --quiet ------------------------------------------------------------------

def test_quiet_leaves_results_and_errors(daemon, here, tmp_path):
    made = daemon.anklume("-q", "backup", "create", "alpha", "-o", tmp_path)
    assert (made.status, made.err) == (0, ""), made
    assert pathlib.Path(made.out.removesuffix("\n")).exists()
    copied = daemon.anklume("copy", "alpha:/etc/hosts", here.at(), "--quiet")
    assert (copied.status, copied.out, copied.err) == (0, "", "")
    failed = daemon.anklume("-q", "snapshot", "list", "nobody")
    assert failed.status == 6
    assert failed.err.startswith("anklume: instance not found: 'nobody'\n")


# --json -------------------------------------------------------------------

def one_object(result, command):
    """Standard output is one object and nothing else."""
    told = json.loads(result.out)
    assert told["schema"] == 1
    assert told["status"] == result.status
    assert told["command"] == command
    return told


def test_json_of_all_commands(daemon, here, new_name, tmp_path):
    box = str(here.box)

    def run(command, *words):
        result = daemon.anklume(*command.split(), "--json", *words)
        assert result.status == 0, result
        return one_object(result, command)

    copied = run("portal copy", "alpha:/etc/hosts", here.at())
    assert copied.items() >= {"copied": 1, "failed": 0}.items()
    made = run("backup create", "home/web", "-o", str(tmp_path))
    assert pathlib.Path(made["path"]).exists()
    assert made["manifest"]["instance"] == "web"
    assert made["notes"] == ["nothing was encrypted"]
    name = new_name()
    restored = run("backup restore", made["path"], "--name", name,
                   "--project", "home")
    assert restored.items() >= {"project": "home", "instance": name}.items()
    for verb in ("create", "restore", "delete"):
        assert run(f"snapshot {verb}", box, "js")["snapshot"] == "js"
    assert run("snapshot list", box)["snapshots"] == []


@pytest.mark.parametrize("command, words, status", [
    ("snapshot list", ["nobody"], 6),
    ("snapshot list", ["web"], 7),
    ("snapshot list", ["a=b"], 2),
    ("backup create", ["nobody"], 6),
    ("backup create", ["alpha", "--compression=xz"], 2),
    ("backup create", ["alpha", "--gpg=nobody@example.org"], 12),
    ("backup restore", ["nosuch.tar.gz"], 6),
    ("portal copy", ["nobody:/a", "b"], 6),
    ("portal copy", ["a", "b"], 2),
])
def test_json_of_failures(daemon, tmp_path, command, words, status):
    """The object holds status and message; people read it on stderr too."""
    failed = daemon.anklume("--json", *command.split(), *words, cwd=tmp_path)
    assert failed.status == status, failed
    told = one_object(failed, command)
    assert failed.err.splitlines()[0] == f"anklume: {told['error']}"


@pytest.mark.parametrize("words", [
    ["nosuch"], ["snapshot"], ["--nosuch"], ["snapshot", "list"],
    ["backup", "show", "a", "b"], ["snapshot", "list", "a", "--nosuch"],
    ["snapshot", "list", "a", "--timeout=x"]], ids=" ".join)
def test_json_of_wrong_usage(alone, words):
    failed = alone("--json", *words)
    assert failed.status == 2
    told = json.loads(failed.out)
    assert (told["schema"], told["status"]) == (1, 2)
    assert failed.err.splitlines()[0] == f"anklume: {told['error']}"


def test_json_leaves_standard_output_to_data(daemon):
    done = daemon.anklume("--json", "copy", "alpha:/etc/hosts", "-")
    assert done.status == 0, done
    assert done.raw == daemon.read("alpha", "/etc/hosts")


def test_json_is_utf8_whatever_a_name_holds(alone):
    told = alone("--json", "snapshot", "list", os.fsdecode(b"a\xff\x1b\xc3"))
    assert told.status == 2
    assert "\\xff" in one_object(told, "snapshot list")["error"]


def test_a_full_standard_output_is_a_failure(lab_seven):
    """Data that did not arrive is never success."""
    for words in (["snapshot", "list", "alpha", "--json"], ["--help"],
                  ["--version"]):
        with open("/dev/full", "wb") as full:
            child = lab_seven.spawn(*words, stdout=full)
            _, err = child.communicate(timeout=lab.DEADLINE_S)
        assert child.returncode == 13, err
        assert b"cannot write to standard output" in err


# Languages ----------------------------------------------------------------

@pytest.fixture(scope="module")
def french(tmp_path_factory, own_state):
    """The French texts where the program looks for them."""
    del own_state
    config = pathlib.Path(lab.binary()).parents[1] / "config.h"
    place = pathlib.Path(re.search(
        r'LOCALE_DIR "(.+)"', config.read_text())[1])
    texts = tmp_path_factory.mktemp("locale") / "fr" / "LC_MESSAGES"
    texts.mkdir(parents=True)
    subprocess.run(["msgfmt", "-o", texts / "anklume.mo",
                    lab.ROOT / "po" / "fr.po"], check=True)
    missing = [p for p in (place, *place.parents) if not p.exists()]
    place.mkdir(parents=True, exist_ok=True)
    # Seen by this process and its children only.
    subprocess.run(["mount", "--bind", texts.parents[1], place], check=True)
    yield {"LC_ALL": "C.UTF-8", "LANGUAGE": "fr"}
    subprocess.run(["umount", place], check=True)
    for directory in missing:
        directory.rmdir()


SPOKEN = [
    (["bakup"], "commande inconnue 'bakup'"),
    (["snapshot", "list", "nobody"], None),
    (["snapshot", "list", "web"], None),
    (["snapshot", "list", "alpha", "--timeout=x"], None),
    (["backup", "create", "a=b"], None),
    (["copy", "alpha:/nosuch", "/tmp/"], None),
]


@pytest.mark.parametrize("words, says", SPOKEN)
def test_french_texts_and_the_same_status(lab_seven, french, words, says):
    english = lab_seven.anklume(*words)
    spoken = lab_seven.anklume(*words, env=french)
    assert spoken.status == english.status != 0
    assert spoken.err != english.err
    assert spoken.err.startswith(f"anklume: {says or ''}")


def test_french_help(lab_seven, french):
    shown = lab_seven.anklume("help", "backup", "create", env=french)
    assert shown.status == 0
    assert "Options globales" in shown.out
    assert "--gpg" in shown.out


def speak_alike(daemon, french, *words):
    english = daemon.anklume(*words)
    spoken = daemon.anklume(*words, env=french)
    assert (spoken.status, spoken.out, spoken.err) == (
        english.status, english.out, english.err)


@pytest.mark.parametrize("words", [words for words, _ in SPOKEN])
def test_json_is_never_translated(lab_seven, french, words):
    speak_alike(lab_seven, french, *words, "--json")


def test_json_is_never_translated_however_it_is_spelled(lab_seven, french):
    """getopt takes a beginning for the whole."""
    speak_alike(lab_seven, french, "snapshot", "list", "nobody", "--js")


@pytest.mark.parametrize("env", [
    {"LC_ALL": "C", "LANGUAGE": "fr"}, {"LC_ALL": "C.UTF-8"},
    {"LC_ALL": "xx_XX.UTF-8", "LANGUAGE": "fr"},
    {"LC_ALL": "C.UTF-8", "LANGUAGE": "xx:../../etc"}])
def test_english_where_nothing_else_is_asked_for(lab_seven, french, env):
    del french
    told = lab_seven.anklume("bakup", env=env)
    assert told.err.startswith("anklume: unknown command 'bakup'\n")
