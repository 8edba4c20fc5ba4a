"""What is shown while bytes move: on a terminal, in a log, or not at all."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

import lab

# Back to the first column, erase the line.
CLEAR = b"\r\x1b[K"
UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
UPDATE = re.compile(
    r"(?P<what>.+?)  (?P<size>[0-9.]+) (?P<unit>B|[KMG]iB)"
    r"  (?P<rate>[0-9.]+) (?P<rate_unit>B|[KMG]iB)/s"
    r"(?:  +(?P<share>[0-9]+) %  (?P<left>[0-9]+:[0-9]{2}) left)?")

CHUNK = bytes(range(256)) * 64


class Run:
    """anklume with its messages on a terminal or in a pipe. Data is passed to
    or from it only as long as a test wants, so that a test waits for what is
    shown, and not for time to pass."""

    def __init__(self, daemon, *words, columns=80, log=False, **popen):
        if log:
            self.seen_by, messages = os.pipe()
        else:
            self.seen_by, messages = pty.openpty()
            fcntl.ioctl(messages, termios.TIOCSWINSZ,
                        struct.pack("HHHH", 24, columns, 0, 0))
        self.raw = b""
        self.passed = 0
        self.child = daemon.spawn(*words, stderr=messages, **popen)
        os.close(messages)

    def look(self, wait_s=0.0):
        """Take what has been shown; False when there will be no more."""
        while select.select([self.seen_by], [], [], wait_s)[0]:
            try:
                data = os.read(self.seen_by, 65536)
            except OSError:
                data = b""
            if not data:
                return False
            self.raw += data
            wait_s = 0.0
        return True

    @property
    def updates(self):
        shown = [UPDATE.fullmatch(one.decode()) for one in
                 self.raw.split(CLEAR)]
        return [one for one in shown if one]

    def move(self, enough):
        """Feed or drain a little at a time, until it is enough."""
        end = time.monotonic() + lab.DEADLINE_S
        while not enough(self):
            assert time.monotonic() < end, self.raw
            assert self.child.poll() is None, self.raw
            if self.child.stdin:
                self.passed += self.child.stdin.write(CHUNK)
                self.child.stdin.flush()
            else:
                self.passed += len(self.child.stdout.read(len(CHUNK)))
            self.look(0.01)
        return self

    def end(self):
        """The rest, at once: the status and what came on standard output."""
        out, _ = self.child.communicate(timeout=lab.DEADLINE_S)
        while self.look(1):
            pass
        os.close(self.seen_by)
        assert b"Sanitizer" not in self.raw, self.raw
        return self.child.returncode, out

    def finish(self, status=0):
        found, out = self.end()
        assert found == status, self.raw
        return out


def screen(raw):
    """The lines that a terminal shows in the end, cursor line last."""
    lines = [""]
    for part in re.findall(r"\r\x1b\[K|\r\n|[^\r]+|\r", raw.decode()):
        if part == CLEAR.decode():
            lines[-1] = ""
        elif part == "\r\n":
            lines.append("")
        else:
            lines[-1] += part
    return lines


def updates(count):
    return lambda run: len(run.updates) >= count


@pytest.fixture
def upload(daemon, here):
    """A copy from standard input, fed by the test."""
    def start(*options, name="data", **popen):
        return Run(daemon, "copy", *options, "-", here.at(name),
                   stdin=subprocess.PIPE, **popen)

    return start


def test_bytes_and_rate_on_a_terminal(upload):
    run = upload().move(updates(2))
    run.finish()
    first, second = run.updates[:2]
    assert first["what"] == "-"
    assert first["share"] is None

    def size(update):
        return float(update["size"]) * UNITS[update["unit"]]

    assert 0 < size(first) < size(second) <= run.passed * 1.01


def test_share_and_time_left_where_the_whole_is_known(daemon, here):
    """A share of what was asked for; it only grows."""
    source = here.sparse("big", 40_000_000)
    run = Run(daemon, "copy", source, "-", bufsize=0).move(updates(3))
    run.finish()
    for update in run.updates:
        assert source.endswith(update["what"].removeprefix("..."))
        assert update["share"] is not None
        done = float(update["size"]) * UNITS[update["unit"]]
        assert abs(int(update["share"]) - 100 * done / 40_000_000) <= 1.5
    shares = [int(update["share"]) for update in run.updates]
    assert shares == sorted(shares)


def span_ms(update):
    """When it was shown, from the start on: at the earliest, at the latest.
    Bytes by rate, by the program's own figures; both are rounded."""
    size, rate = float(update["size"]), float(update["rate"])
    unit_ms = 1000 * UNITS[update["unit"]] / UNITS[update["rate_unit"]]
    return [unit_ms * (size - 0.05) / (rate + 0.05),
            unit_ms * (size + 0.05) / (rate - 0.05)]


def test_at_most_ten_updates_a_second(daemon, here):
    source = here.sparse("big", 100_000_000)
    run = Run(daemon, "copy", source, "-", bufsize=0).move(updates(6))
    run.finish()
    last = 0.0
    for earliest, latest in map(span_ms, run.updates):
        assert latest - last >= 99, run.raw
        last = earliest


def test_the_line_is_gone_in_the_end(upload):
    run = upload().move(updates(1))
    run.finish()
    assert screen(run.raw) == [""]


def test_messages_stand_on_lines_of_their_own(upload):
    """Also an interrupted run leaves no half a line."""
    run = upload().move(updates(1))
    run.child.send_signal(signal.SIGINT)
    run.finish(130)
    assert screen(run.raw) == ["anklume: interrupted", ""]


def test_an_update_fits_the_terminal(daemon, here):
    """A longer one would wrap, and what is above cannot be erased."""
    source = here.sparse("n" * 200, 40_000_000)
    run = Run(daemon, "copy", source, "-", bufsize=0)
    run.move(lambda run: len(run.raw.split(CLEAR)) > 1)
    run.finish()
    for shown in run.raw.decode().split(CLEAR.decode()):
        assert len(shown) < 80, run.raw


def test_control_bytes_of_a_name_are_escaped(daemon, here):
    source = here.sparse("a\x1b[2Jb\n", 40_000_000)
    run = Run(daemon, "copy", source, "-", bufsize=0).move(updates(1))
    run.finish()
    assert run.updates[0]["what"].endswith("/" + r"a\x1b[2Jb\n")


@pytest.mark.parametrize("options, env", [
    ([], {}), (["--no-color"], {}), ([], {"NO_COLOR": "1"})],
    ids=["plain", "option", "environment"])
def test_nothing_but_text_and_erasing(upload, options, env):
    """No colors, nor anything else that stays in a terminal."""
    run = upload(*options, env=env).move(updates(2))
    run.finish()
    assert run.raw.replace(CLEAR, b"").decode().isprintable()


def moved_for_a_second(run):
    """Long enough for updates, if there were any."""
    run.begun = getattr(run, "begun", time.monotonic())
    return time.monotonic() - run.begun > 1


def test_quiet_shows_nothing(upload):
    run = upload("-q").move(moved_for_a_second)
    run.finish()
    assert run.raw == b""


def test_a_log_holds_lines_only(upload):
    """One in 30 s; so for a short copy none."""
    run = upload(log=True).move(moved_for_a_second)
    run.finish()
    assert run.raw == b""


def test_a_log_of_a_backup_holds_lines_only(daemon, here):
    here.sparse("big", 30_000_000)
    run = Run(daemon, "backup", "create", str(here.box), "-o", "-",
              "--compression", "none", log=True, bufsize=0)
    run.move(moved_for_a_second)
    run.finish()
    text = run.raw.decode()
    assert text.startswith("anklume: nothing was encrypted\n")
    assert text.replace("\n", "").isprintable()
    assert all(line.startswith("anklume: ") for line in text.splitlines())


def test_a_backup_shows_progress(daemon, here):
    """And the remarks at its end stand below, whole."""
    here.sparse("big", 30_000_000)
    run = Run(daemon, "backup", "create", str(here.box), "-o", "-",
              "--compression", "none", bufsize=0).move(updates(2))
    run.finish()
    assert {one["what"] for one in run.updates} == {here.box.name}
    *remarks, last = screen(run.raw)
    assert last == ""
    assert remarks[0] == "anklume: nothing was encrypted"
    assert all(line.startswith("anklume: ") for line in remarks)


def test_a_restore_shows_progress(daemon, here, new_name, tmp_path):
    here.sparse("big", 30_000_000)
    made = daemon.anklume("backup", "create", str(here.box), "-o", tmp_path,
                          "--compression", "none")
    assert made.status == 0, made
    run = Run(daemon, "backup", "restore", "-", "--project", "work",
              "--name", new_name(), stdin=subprocess.PIPE)
    with open(made.out.removesuffix("\n"), "rb") as archive:
        end = time.monotonic() + lab.DEADLINE_S
        while len(run.updates) < 2 and (data := archive.read(1 << 18)):
            assert time.monotonic() < end, run.raw
            run.child.stdin.write(data)
            run.look(0.01)
        run.child.stdin.write(archive.read())
    run.finish()
    assert len(run.updates) >= 2
    assert screen(run.raw)[-1] == ""


def test_json_is_whole_beside_progress(daemon, here):
    run = Run(daemon, "--json", "copy", "-", here.at("a"),
              stdin=subprocess.PIPE).move(updates(1))
    told = json.loads(run.finish())
    assert (told["schema"], told["copied"]) == (1, 1)
    assert told["size_bytes"] == run.passed


def test_progress_needs_only_the_terminal_it_is_shown_on(daemon, here):
    """Standard output may be a pipe, and is not written to."""
    source = here.sparse("big", 40_000_000)
    run = Run(daemon, "copy", source, "-", bufsize=0).move(updates(1))
    assert run.passed + len(run.finish()) == 40_000_000
