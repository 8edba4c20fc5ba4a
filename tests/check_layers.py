#!/usr/bin/env python3
"""Calls go one way: main -> cli -> transfer -> incus | store -> stream -> base.

Reads the #include lines of src/ and fails on one that goes back, on a library
that is named outside of its place, and on a banned function."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
SRC = ROOT / "src"

# What each layer may include besides itself.
MAY_USE = {
    "base": set(),
    "stream": {"base"},
    "incus": {"base", "stream"},
    "store": {"base", "stream"},
    "transfer": {"base", "stream", "incus", "store"},
    "cli": {"base", "stream", "transfer"},
    "main": {"base", "cli"},
}

# Third-party header -> the files that may name it.
LIBRARIES = {
    r"curl/": {"incus/http.c", "incus/http_download.c",
              "incus/http_exchange.c", "incus/http_exchange.h"},
    r"jansson\.h": {"base/json.h"},
    r"yaml\.h": {"base/yaml.c"},
    r"ini\.h": {"base/ini.c"},
    r"gpgme\.h": {"stream/openpgp.c", "stream/openpgp_keys.c",
                 "stream/openpgp_keys.h", "stream/openpgp_look.c",
                 "stream/openpgp_loop.h", "stream/openpgp_sign.c",
                 "stream/openpgp_verify.c"},
    r"zlib\.h": {"stream/gzip_zlib.c"},
    r"isa-l/": {"stream/gzip_isal.c"},
    r"zstd\.h": {"stream/zstd.c"},
    r"openssl/": {"stream/digest.c"},
}

BANNED = re.compile(
    r"\b(sscanf|atoi|atol|strtok|strtok_r|strcpy|strcat|sprintf|vsprintf|"
    r"system|popen|alloca|gets)\s*\(")

# Only cli/ prints.
PRINTS = re.compile(r"\b(printf|puts|putchar|fprintf|perror)\s*\(")


def layer_of(path):
    relative = path.relative_to(SRC)
    return relative.parts[0] if len(relative.parts) > 1 else "main"


def check_include(path, line, kind, name):
    relative = str(path.relative_to(SRC))
    layer = layer_of(path)
    if kind == "<":
        for pattern, places in LIBRARIES.items():
            if re.match(pattern, name) and relative not in places:
                yield f"names <{name}>, which belongs to {sorted(places)}"
        return
    if name == "config.h":
        return
    target = name.split("/")[0]
    if target != layer and target not in MAY_USE[layer]:
        yield f"{layer} must not include {name}"
    if not (SRC / name).exists():
        yield f"{name} is not written from src/"


def check_file(path):
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        problems = []
        if found:
            problems += check_include(path, line, *found.groups())
        code = re.sub(r'"(\\.|[^"\\])*"', '""', line)
        code = re.sub(r"/\*.*?\*/|^\s*\*.*|/\*.*", "", code)
        if BANNED.search(code):
            problems.append("calls a banned function")
        if layer_of(path) not in ("cli",) and PRINTS.search(code):
            problems.append("prints, which only cli/ does")
        for problem in problems:
            yield f"{path.relative_to(ROOT)}:{number}: {problem}"


def main():
    problems = []
    for path in sorted(SRC.rglob("*.[ch]")):
        problems += check_file(path)
        if path.read_text(encoding="utf-8").count("\n") > 700:
            problems.append(f"{path.relative_to(ROOT)}: over 700 lines")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
