#!/usr/bin/env python3
"""The man page names every command and option of the program, and no other.

usage: check_man.py ANKLUME"""

import os
import pathlib
import re
import subprocess
import sys

PAGE = pathlib.Path(__file__).resolve().parents[1] / "man/anklume.1"


def run(program, *words):
    done = subprocess.run([program, *words], capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C"}, check=False)
    return done.returncode, done.stdout


def sections(text):
    """{heading: body}: a command's words, or the name of a section."""
    parts = re.split(r"^\.S[hs] (.*)$", text, flags=re.MULTILINE)
    return {re.split(r" O[opc] ", heading)[0]: body
            for heading, body in zip(parts[1::2], parts[2::2])}


def options_shown(usage):
    """{heading: options} in what --help prints."""
    found, heading = {}, None
    for line in usage.split("\n"):
        if line.endswith(":"):
            heading = line
        elif line.startswith(" ") and heading:
            option = re.match(r"  (?:-(\w), |    )--([\w-]+)", line)
            if option:
                found.setdefault(heading, set()).update(
                    filter(None, option.groups()))
    return found


def options_written(body):
    """The options that a list of the page describes, without their dashes."""
    words = " ".join(re.findall(r"^\.(?:It )?(Fl .*)$", body, re.MULTILINE))
    return {name.lstrip("-")
            for name in re.findall(r"Fl (-?[A-Za-z][\w-]*)", words)}


def check_command(program, words, page):
    """A group's options may be described at its last command."""
    shown = options_shown(run(program, "help", *words.split())[1])
    if words not in page:
        yield f"the page lacks the command '{words}'"
        return
    group = words.split()[0]
    bodies = "\n".join(body for heading, body in page.items()
                       if heading.split()[0] == group)
    for option in sorted(shown.get("Options:", set())
                         - options_written(bodies)):
        yield f"'{words}' lacks the option '{option}'"
    for option in sorted(options_written(page[words])):
        dashed = f"-{option}" if len(option) == 1 else f"--{option}"
        if run(program, *words.split(), dashed, "1", "--help")[0] != 0:
            yield f"'{words}' has no option '{dashed}'"


def check(program):
    page = sections(PAGE.read_text())
    usage = run(program, "--help")[1]
    commands = re.findall(r"^  ([a-z]+(?: [a-z]+)?) ", usage, re.MULTILINE)
    globals_shown = options_shown(usage)["Global options:"]
    globals_written = options_written(page["GLOBAL OPTIONS"])
    for option in sorted(globals_shown ^ globals_written):
        yield f"the global option '{option}' is only on one side"
    for words in commands:
        yield from check_command(program, words, page)


def main(program):
    wrong = list(check(program))
    for line in wrong:
        print(f"man/anklume.1: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
