"""What a shell offers while a command is typed: the words that the program
prints, and what bash, zsh and fish make of them."""

import os
import pty
import select
import shutil
import subprocess
import time

import pytest

import lab
from catalogues import Catalogue
from scripted import drip, http, sync

COMPLETIONS = lab.ROOT / "completions"

# A shell that takes longer hangs.
DEADLINE_S = 30

# The program gives up after 2 s; the rest is for a machine with other work.
LIMIT_S = 8

HOSTILE = ["a b", "$(touch pwned)", "`touch pwned`", "a;touch pwned", "a'b",
           'a"b', "a\nb", "a\tb", "\x1b[2J", "--yes", "-x", ":file", "a\\b",
           "a|b", "a&b", "a>b", "a*b", "a?b", "a[b", "a{b,c}", "~root", "a#b",
           "a!b", "a=b", "a:b", "é", "a\u202eb", ""]


@pytest.fixture
def offered(anklume):
    """The words that the program offers, without what they do."""
    def ask(*words):
        result = anklume("complete", "--", *words)
        assert (result.status, result.err) == (0, ""), result
        return [line.split("\t")[0] for line in result.out.splitlines()]
    return ask


@pytest.fixture
def archives(anklume):
    """backups/ and elsewhere/, in the directory of the runs."""
    kept = Catalogue(anklume.home / "backups")
    other = Catalogue(anklume.home / "elsewhere")
    return kept, other


def test_groups_verbs_and_aliases(offered):
    assert offered("") == [
        "copy", "portal", "backup", "snapshot", "config", "doctor", "help"]
    assert offered("doctor", "--f") == ["--fix"]
    assert "--fix" in offered("doctor", "")
    assert offered("p") == ["portal"]
    assert offered("snapshot", "") == ["create", "list", "restore", "delete"]
    assert offered("snapshot", "re") == ["restore"]
    assert offered("--json", "snapshot", "-q", "--project", "p", "re") == [
        "restore"]
    assert offered("help", "co") == ["copy", "config"]
    assert offered("help", "snapshot", "re") == ["restore"]


def test_nothing_behind_what_is_no_command(offered):
    for words in (["snapshto", ""], ["snapshot", "dance", ""],
                  ["snapshot", "dance", "--"], ["help", "copy", ""],
                  ["snap", "create", ""], ["complete", ""]):
        assert offered(*words) == [], words


def test_options_of_the_command_and_of_all(offered):
    assert offered("backup", "create", "--co") == [
        "--compression", "--consistency"]
    assert offered("backup", "create", "--gpg") == ["--gpg"]  # no alias
    assert "--dry-run" in offered("backup", "create", "-")
    assert "--gpg" not in offered("--")
    assert "--json" in offered("backup", "--")
    # What takes no argument more has options only.
    assert offered("config", "show", "")[0] == "--origin"
    assert offered("backup", "show", "web", "")[0] == "--from"


def test_values_of_options(offered):
    assert offered("backup", "create", "--consistency", "") == [
        "auto", "live", "freeze"]
    assert offered("backup", "create", "--consistency=f") == [
        "--consistency=freeze"]
    assert offered("backup", "create", "web", "--compr", "z") == ["zstd"]
    assert offered("portal", "log", "--result=", ) == [
        f"--result={word}" for word in
        ("done", "partial", "denied", "failed", "interrupted")]
    assert offered("backup", "verify", "--level", "") == ["digest", "content"]
    assert offered("backup", "status", "--format", "") == [
        "table", "json", "nagios", "prometheus", "html"]
    assert offered("backup", "create", "-o", "") == [":dir"]
    assert offered("backup", "create", "--output=") == [":dir"]
    assert offered("backup", "restore", "--file", "") == [":file"]
    assert offered("--project", "") == ["default", "work"]
    assert offered("snapshot", "--project=w") == ["--project=work"]
    assert offered("backup", "restore", "-s", "") == ["default"]
    assert offered("backup", "create", "--gpg", "") == []
    assert offered("backup", "create", "--json=") == []
    assert offered("backup", "create", "--no-such=") == []


def test_what_ends_options(offered):
    assert offered("snapshot", "create", "--", "--") == []
    assert offered("snapshot", "create", "--", "w") == ["web"]
    assert offered("snapshot", "create", "--project", "--", "w") == ["web"]
    assert offered("--", "snap") == ["snapshot"]


def test_instances(daemon, offered):
    assert offered("backup", "create", "") == ["db", "web"]
    assert offered("backup", "create", "db", "w") == ["web"]
    assert offered("backup", "create", "default/") == [
        "default/db", "default/web"]
    assert offered("backup", "create", "lo") == ["local:"]
    assert offered("backup", "create", "local:") == ["local:db", "local:web"]
    assert offered("backup", "create", "def") == ["default/db", "default/web"]
    daemon.instances = {"web": "default", "x": "anklume-drill-1"}
    assert offered("backup", "create", "") == ["web"]
    assert offered("portal", "log", "--instance=") == ["--instance=web"]


def two_webs(daemon):
    daemon.on("GET /1.0/instances", sync([
        "/1.0/instances/web", "/1.0/instances/web?project=work",
        "/1.0/instances/mail?project=work"]))


def test_a_project_where_the_name_does_not_tell(daemon, offered, anklume):
    two_webs(daemon)
    assert offered("backup", "create", "") == [
        "mail", "default/web", "work/web"]
    assert offered("backup", "create", "--project", "work", "") == [
        "mail", "default/web", "web"]
    anklume.environment["INCUS_PROJECT"] = "default"
    assert offered("backup", "create", "") == ["mail", "web", "work/web"]


def test_snapshots_of_the_instance_before(daemon, offered):
    daemon.on("GET /1.0/instances/web/snapshots", sync(
        [{"name": name} for name in ("before", "db2", "$(x)")]))
    assert offered("snapshot", "restore", "web", "") == ["before", "db2"]
    assert offered("snapshot", "delete", "web", "be") == ["before"]
    assert offered("snapshot", "delete", "web", "--name", "") == [
        "before", "db2"]
    assert offered("snapshot", "delete", "--name=d", "web") == ["web"]
    # More than one instance: the name is given by --name.
    assert offered("snapshot", "delete", "web", "we") == ["web"]
    assert offered("snapshot", "delete", "web", "db", "") == ["db", "web"]
    assert offered("snapshot", "delete", "nobody", "b") == []
    # The name of a new one is anybody's guess.
    assert offered("snapshot", "create", "web", "--name", "") == []


def test_places(daemon, offered):
    assert offered("portal", "copy", "") == [":file", "db:", "web:"]
    assert offered("copy", "-r", "web:/etc", "w") == [":file", "web:"]
    assert offered("copy", "default/") == [
        ":file", "default/db:", "default/web:"]
    assert offered("portal", "copy", "web:/e") == []
    assert offered("portal", "copy", "./a:b") == [":file"]
    assert offered("portal", "copy", "local:w") == ["local:web:"]


def test_backups(archives, offered, anklume):
    kept, other = archives
    kept.archive("web-1.tar", instance="web", project="default",
                 created_at="2026-11-22T10:00:00Z")
    kept.archive("web-2.tar", instance="web", project="default",
                 created_at="2026-11-23T10:00:00Z", snapshots=["early"])
    kept.archive("work.tar", instance="mail", project="work")
    kept.bare("bare.tar")
    other.archive("db.tar", instance="db", project="default")
    paths = [f"backups/{name}.tar"
             for name in ("bare", "web-1", "web-2", "work")]

    assert sorted(offered("backup", "show", "")) == [*paths, "mail", "web"]
    assert offered("backup", "list", "") == ["mail", "web"]
    for verb in ("prune", "ack"):
        assert offered("backup", verb, "") == ["mail", "web"]
    assert offered("backup", "verify", "web", "m") == ["mail"]
    assert offered("backup", "show", "backups/we") == [
        "backups/web-2.tar", "backups/web-1.tar"]
    assert offered("backup", "show", "work/") == ["work/mail"]
    assert offered("backup", "show", "web@") == [
        "web@2026-11-23T10:00:00Z", "web@2026-11-22T10:00:00Z"]
    assert offered("backup", "show", "./x") == [":file"]
    for words in (["--from", "elsewhere"], ["--from=elsewhere"]):
        assert offered("backup", "list", *words, "") == ["db"]
        assert offered("backup", "show", *words, "e") == ["elsewhere/db.tar"]
    assert offered("backup", "show", "--from", "nowhere", "") == [":file"]
    assert offered("backup", "files", "web", "--snapshot", "") == ["early"]
    assert offered("backup", "files", "web", "") == []
    assert offered("backup", "extract", "web", "/etc", "d") == [
        ":file", "db:"]

    configured = anklume.home / "anklume.conf"
    configured.write_text(f"[backup]\noutput = {anklume.home}/elsewhere\n")
    anklume.environment["ANKLUME_CONFIG"] = str(configured)
    assert offered("backup", "list", "") == ["db"]
    configured.write_text("[backup\n")
    assert offered("backup", "list", "w") == ["web"]


def test_hostile_names_are_not_offered(daemon, archives, offered):
    kept, _ = archives
    daemon.on("GET /1.0/projects", sync(
        [f"/1.0/projects/{name}" for name in HOSTILE]))
    daemon.on("GET /1.0/storage-pools", sync(
        [f"/1.0/storage-pools/{name}" for name in HOSTILE] + [None, 1, {}]))
    daemon.on("GET /1.0/instances/web/snapshots", sync(
        [{"name": name} for name in HOSTILE] + [{}, "x", None]))
    for i, name in enumerate(HOSTILE):
        kept.archive(f"{i}.tar", instance=name, project=name,
                     created_at=name)
    assert offered("--project", "") == []
    assert offered("backup", "restore", "--storage", "") == []
    assert offered("snapshot", "delete", "web", "--name", "") == []
    assert offered("backup", "list", "") == []
    assert offered("backup", "list", "--", "-") == []

    for i, name in enumerate(HOSTILE):
        kept.archive(f"time{i}.tar", instance="web", project="default",
                     created_at=name or " ")
        # Paths may have what names may not.
        if name not in ("a:b", "--yes", "-x", ":file", ""):
            kept.bare(f"bare{name}.tar")
    assert offered("backup", "show", "web@") == [":file"]
    assert offered("backup", "show", "backups/bare") == [":file"]

    daemon.on("GET /1.0/instances", sync(
        [f"/1.0/instances/{name}" for name in HOSTILE if "?" not in name] +
        [f"/1.0/instances/x?project={name}"
         for name in HOSTILE if "&" not in name]))
    assert offered("backup", "create", "") == []
    assert offered("backup", "create", "a") == []
    assert offered("backup", "create", "a/") == []


@pytest.mark.parametrize("answer", [
    sync({"a": 1}), sync(None), sync("x"), b"nonsense\r\n\r\n",
    b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"])
def test_a_daemon_that_answers_nonsense(daemon, offered, answer):
    def bent(x):
        x.send(answer)
        x.hang_up()
    daemon.on("GET /1.0/instances", bent)
    daemon.on("GET /1.0/projects", bent)
    assert offered("backup", "create", "") == []
    assert offered("--project=") == []


def test_no_daemon(anklume, offered):
    anklume.environment["INCUS_SOCKET"] = "/nonexistent/socket"
    assert offered("backup", "create", "") == []
    assert offered("portal", "copy", "") == [":file"]
    assert offered("snapshot", "re") == ["restore"]


def test_another_daemon_is_not_asked(anklume, daemon, offered):
    anklume.environment["INCUS_REMOTE"] = "elsewhere"
    assert offered("backup", "create", "") == []
    assert daemon.asked == []


def trickle(x):
    """An answer that goes on and on: there is always news."""
    head, _, body = http(100000 * b" ").partition(b"\r\n\r\n")
    x.send(head + b"\r\n\r\n")
    drip(body, 0.1)(x)


@pytest.mark.parametrize("how", ["silent", "slow"])
def test_a_daemon_that_hangs(daemon, offered, how):
    """What can be told without it is told, and the shell goes on."""
    if how == "silent":
        daemon.stall("GET /1.0/instances")
    else:
        daemon.on("GET /1.0/instances", trickle)
    before = time.monotonic()
    assert offered("portal", "copy", "") == [":file"]
    assert time.monotonic() - before < LIMIT_S


def test_it_is_no_command(anklume):
    """Nobody meets it who does not look for it."""
    assert "complete" not in anklume("help").out
    for words in (["complete"], ["complete", "x"], ["complete", "--"]):
        assert anklume(*words).status == 2, words


def test_descriptions_stand_behind_a_tab(anklume):
    assert anklume("complete", "--", "config", "").out == (
        "show\twhat the configuration files say, and what counts else\n")


# The shells themselves.

INIT = {
    "bash": "PS1=; set +o history; bind 'set enable-bracketed-paste off'; "
            "bind 'set show-all-if-ambiguous on'; . %s/anklume\n",
    "zsh": "unset zle_bracketed_paste; PS1=; fpath=(%s $fpath); "
           "autoload -Uz compinit; compinit -D -u\n",
    "fish": "function fish_prompt; end; source %s/anklume.fish\n",
}
START = {"bash": ["bash", "--norc", "--noprofile", "-i"],
         "zsh": ["zsh", "-f", "-i"],
         "fish": ["fish", "--no-config", "-i"]}

# In the program's place: asked to complete, it is the program; run, it only
# keeps its words.
PROXY = """#!/bin/sh
if [ "$1" = complete ]; then
	exec "{binary}" "$@"
fi
printf '%s\\n' "$@" >words.part
mv words.part words
"""


class Shell:
    """An interactive shell, to type into."""

    def __init__(self, name, anklume):
        self.name, self.home = name, anklume.home
        tools = anklume.home / "bin"
        tools.mkdir()
        proxy = tools / "anklume"
        proxy.write_text(PROXY.format(binary=lab.binary()))
        proxy.chmod(0o755)
        self.environment = {
            **anklume.environment, "TERM": "xterm",
            # fish keeps settings of its own there.
            "XDG_CONFIG_HOME": str(anklume.home / "config"), "ASAN_OPTIONS":
            "detect_leaks=0", "PATH": f"{tools}:{os.environ['PATH']}"}
        self.seen = b""

    def __enter__(self):
        self.end, other = pty.openpty()
        self.process = subprocess.Popen(
            START[self.name], stdin=other, stdout=other, stderr=other,
            cwd=self.home, env=self.environment, start_new_session=True,
            preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)))
        os.close(other)
        self.send(INIT[self.name] % COMPLETIONS + "anklume ready\n")
        assert self.words() == ["ready"]
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.end)

    def send(self, text):
        os.write(self.end, text.encode())

    def words(self):
        """Wait until the line has been run: its words."""
        written = self.home / "words"
        end = time.monotonic() + DEADLINE_S
        while not written.exists():
            assert time.monotonic() < end, self.seen
            if select.select([self.end], [], [], 0.05)[0]:
                self.seen += os.read(self.end, 65536)
        found = written.read_text().split("\n")[:-1]
        written.unlink()
        return found

    def type(self, text):
        """A line, with tabs: the words that it has become."""
        self.send(text + "\n")
        return self.words()


@pytest.fixture(params=sorted(START))
def shell(request, anklume):
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    with Shell(request.param, anklume) as started:
        yield started


def test_shells_complete_words(shell):
    assert shell.type("anklume snap\tcre\tw\t") == [
        "snapshot", "create", "web"]
    assert shell.type("anklume backup create --consis\tfr\tdb") == [
        "backup", "create", "--consistency", "freeze", "db"]
    assert shell.type("anklume --json backup create --compression=z\tw\t") == [
        "--json", "backup", "create", "--compression=zstd", "web"]
    assert shell.type("anklume backup create default/w\t") == [
        "backup", "create", "default/web"]
    assert shell.type("anklume snapshot create -- w\t") == [
        "snapshot", "create", "--", "web"]


def test_shells_complete_places(shell):
    (shell.home / "notes here").write_text("")
    (shell.home / "wide").mkdir()
    (shell.home / "wide" / "file").write_text("")
    assert shell.type("anklume copy web:/etc/hosts d\t/tmp/x") == [
        "copy", "web:/etc/hosts", "db:/tmp/x"]
    assert shell.type("anklume copy not\tlocal:w\t/tmp/x") == [
        "copy", "notes here", "local:web:/tmp/x"]
    assert shell.type("anklume copy web:/et\t x") == ["copy", "web:/et", "x"]
    # An instance and a directory begin so.
    assert shell.type("anklume copy wi\tfi\tx") == [
        "copy", "wide/file", "x"]


def test_shells_complete_directories(shell, archives):
    _, other = archives
    other.archive("db.tar", instance="db", project="default",
                  created_at="2026-11-22T10:00:00Z")
    (shell.home / "elsewhat").write_text("")

    def words_of(typed):
        """zsh takes a slash back when a blank follows."""
        return [word.rstrip("/") for word in shell.type(typed)]

    for words in (["--from", "elsewhere"], ["--from=elsewhere"]):
        typed = " ".join(words).replace("elsewhere", "els\t")
        assert words_of(f"anklume backup show {typed} d\t") == [
            "backup", "show", *words, "db"]
    assert words_of("anklume backup show --from ~/els\t db@\t") == [
        "backup", "show", "--from", f"{shell.home}/elsewhere",
        "db@2026-11-22T10:00:00Z"]
    assert shell.type("anklume backup show --from '~' elsewhere/d\t")[-1] == (
        "elsewhere/db.tar")


def test_shells_act_on_no_name(shell):
    """Also of what would get past the program."""
    (shell.home / "bin" / "anklume").write_text(
        PROXY.replace('exec "{binary}" "$@"',
                      'for word; do :; done; grep "^$word" names; exit'))
    (shell.home / "names").write_text("y$(touch pwned)\n" + "".join(
        f"x{name}\n" for name in HOSTILE if "\n" not in name))
    shell.type("anklume backup create x\t")
    # zsh and fish quote what they put into the line.
    assert shell.type("anklume backup create y\t") == [
        "backup", "create", "y" if shell.name == "bash" else
        "y$(touch pwned)"]
    assert not (shell.home / "pwned").exists()
