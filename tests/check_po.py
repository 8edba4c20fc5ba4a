#!/usr/bin/env python3
"""Every text of src/ is translated, with equal formats, and po/POTFILES is whole.

usage: check_po.py XGETTEXT-OPTION..., the options of po/meson.build"""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PO = ROOT / "po"
SKIPPED = 77  # meson's word for it


def run(*words, text=""):
    done = subprocess.run(words, input=text, capture_output=True, text=True,
                          cwd=ROOT, check=False)
    return done.returncode, done.stdout, done.stderr


def lines_of(path):
    return [line for line in path.read_text().split("\n")
            if line and not line.startswith("#")]


def extract(options):
    """The template of all texts, whatever POTFILES says."""
    sources = sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("src/**/*.c"))
    status, template, err = run("xgettext", *options, "-o", "-", *sources)
    if status != 0 or err:
        sys.exit(err)
    return template


def check_potfiles(template):
    with_texts = set(re.findall(r"src/\S+", "\n".join(
        line for line in template.split("\n") if line.startswith("#: "))))
    listed = set(lines_of(PO / "POTFILES"))
    return ([f"po/POTFILES lacks {name}" for name in sorted(with_texts - listed)]
            + [f"po/POTFILES has {name}, which has no text"
               for name in sorted(listed - with_texts)])


def check_language(name, template):
    """msgmerge gives each translation the format flags of its text."""
    catalogue = f"po/{name}.po"
    _, merged, _ = run("msgmerge", "-q", "--no-fuzzy-matching", catalogue, "-",
                       text=template)
    wrong = []
    status, _, err = run("msgfmt", "--check", "-o", "/dev/null", "-",
                         text=merged)
    if status != 0:
        wrong.append(f"{catalogue}: {err}")
    for what in ("untranslated", "only-fuzzy", "only-obsolete"):
        _, found, _ = run("msgattrib", f"--{what}", "--no-wrap", "-",
                          text=merged)
        # The first entry is the header.
        wrong += [f"{catalogue}: {what}: {line}"
                  for line in re.findall(r'^(?:#~ )?msgid (".+")$', found,
                                         re.MULTILINE)]
    return wrong


def main(options):
    if shutil.which("xgettext") is None or shutil.which("msgmerge") is None:
        print("gettext is not installed")
        return SKIPPED
    template = extract(options)
    wrong = check_potfiles(template)
    for name in lines_of(PO / "LINGUAS"):
        wrong += check_language(name, template)
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
