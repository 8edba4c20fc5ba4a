"""scripts/transfer.sh and the Makefile's targets only forward, whatever is typed."""

import json
import os
import pathlib

import pytest

import lab

# Each would do something, if a shell or make got to see it.
EVIL = [
    "a b",
    "it's",
    'say "hi"',
    "a;touch pwned",
    "$(touch pwned)",
    "`touch pwned`",
    "$(shell touch pwned)",
    "$$HOME",
    "a\\b",
    "*",
    "#x",
    "%",
]

BUILD = pathlib.Path(lab.binary()).parents[1]


def make(daemon, *words, cwd):
    """make, called from another directory as a user would."""
    env = daemon.environment(PWD=str(cwd))
    return lab.run(["make", "--no-print-directory", "-C", lab.ROOT,
                    f"BUILD={os.path.relpath(BUILD, lab.ROOT)}", *words],
                   env=env, cwd=cwd)


def script(daemon, *words, cwd):
    env = daemon.environment(ANKLUME_BINARY=lab.binary())
    return lab.run([lab.ROOT / "scripts" / "transfer.sh", *words], env=env,
                   cwd=cwd)


@pytest.mark.parametrize("name", EVIL)
def test_make_file_copy_takes_values_literally(lab_seven, tmp_path, name):
    (tmp_path / "source").write_bytes(b"x")
    done = make(lab_seven, "file-copy", "SRC=source",
                f"DST=alpha:/root/{name}", cwd=tmp_path)
    assert done.status == 0, done
    assert lab_seven.exec("alpha", "cat", f"/root/{name}").out == "x"
    lab_seven.exec("alpha", "rm", f"/root/{name}")
    assert os.listdir(tmp_path) == ["source"]


@pytest.mark.parametrize("name", EVIL)
def test_make_backup_takes_values_literally(lab_seven, tmp_path, name):
    done = make(lab_seven, "backup", "I=alpha", f"O={name}", cwd=tmp_path)
    assert done.status == 0, done
    assert os.listdir(tmp_path) == [name]
    archive = done.out.strip()
    assert archive.startswith(f"{name}/alpha-")

    if name == "*":
        return  # a pattern, and anklume's to expand
    refused = make(lab_seven, "backup", f"I={name}", cwd=tmp_path)
    assert "is not the name of an instance" in refused.err, refused
    assert os.listdir(tmp_path) == [name]


def test_make_backup_and_restore(lab_seven, gpg_home, tmp_path, monkeypatch):
    monkeypatch.setenv("GNUPGHOME", str(gpg_home))
    made = make(lab_seven, "backup", "I=alpha", "GPG=tests@example.org",
                cwd=tmp_path)
    assert made.status == 0, made
    restored = make(lab_seven, "restore-backup", f"FILE={made.out.strip()}",
                    "NAME=from-make", "PROJECT=home", cwd=tmp_path)
    assert restored.status == 0, restored
    assert lab_seven.exists("from-make", "home")
    lab_seven.incus("delete", "from-make", "--project", "home")


def test_script_does_what_the_page_says(lab_seven, gpg_home, tmp_path,
                                        monkeypatch):
    monkeypatch.setenv("GNUPGHOME", str(gpg_home))
    copied = script(lab_seven, "copy", "alpha:/etc/hosts", "beta:/tmp/it's $x",
                    cwd=tmp_path)
    assert copied.status == 0, copied
    lab_seven.exec("beta", "rm", "/tmp/it's $x")

    made = script(lab_seven, "backup", "--gpg-recipient", "tests@example.org",
                  "--output", "my backups", "alpha", cwd=tmp_path)
    assert made.status == 0, made
    assert made.out.startswith("my backups/alpha-")
    assert made.out.endswith(".tar.gz.gpg\n")

    restored = script(lab_seven, "restore", "--name", "from-script",
                      "--project", "home", made.out.strip(), cwd=tmp_path)
    assert restored.status == 0, restored
    assert lab_seven.exists("from-script", "home")
    lab_seven.incus("delete", "from-script", "--project", "home")


def test_script_passes_the_status_on(lab_seven, tmp_path):
    assert script(lab_seven, cwd=tmp_path).status == 2
    assert script(lab_seven, "frobnicate", cwd=tmp_path).status == 2
    assert script(lab_seven, "backup", "nobody", cwd=tmp_path).status == 6
    assert script(lab_seven, "restore", "nothing.tar.gz",
                  cwd=tmp_path).status == 6


@pytest.fixture(scope="module")
def make_release(tmp_path_factory):
    """make, with a build directory that the tests of this module share."""
    build = tmp_path_factory.mktemp("release") / "build"

    def run(target, **variables):
        return lab.run(["make", "--no-print-directory", "-C", lab.ROOT,
                        f"BUILD={build}", target,
                        *[f"{name}={value}"
                          for name, value in variables.items()]])

    return run


def test_install_and_uninstall(make_release, tmp_path):
    where = {"DESTDIR": tmp_path / "root", "PREFIX": "/usr"}
    installed = make_release("install", **where)
    assert installed.status == 0, installed
    program = tmp_path / "root/usr/bin/anklume"
    assert lab.run([program, "--version"]).out.startswith("anklume ")
    for page in ("man/man1/anklume.1", "zsh/site-functions/_anklume",
                 "bash-completion/completions/anklume",
                 "fish/vendor_completions.d/anklume.fish"):
        assert (tmp_path / "root/usr/share" / page).exists(), page

    assert make_release("uninstall", **where).status == 0
    left = [p for p in (tmp_path / "root").rglob("*") if not p.is_dir()]
    assert left == []


def test_french_for_people_english_for_scripts(make_release, lab_seven,
                                               tmp_path):
    installed = make_release("install", PREFIX=tmp_path / "usr")
    assert installed.status == 0, installed
    program = tmp_path / "usr/bin/anklume"
    env = {"LC_ALL": "C.UTF-8", "LANGUAGE": "fr"}

    def anklume(*words):
        return lab_seven.anklume(*words, env=env, binary_path=program)

    assert anklume("bakup").err.startswith(
        "anklume: commande inconnue 'bakup'\n")
    assert anklume("--json", "bakup").err.startswith(
        "anklume: unknown command 'bakup'\n")

    made = anklume("backup", "create", "home/web", "-o", tmp_path)
    assert made.err == "anklume: rien n\u2019a été chiffré\n"
    manifest = json.loads(pathlib.Path(
        made.out.strip() + ".json").read_text())
    assert manifest["warnings"] == ["nothing was encrypted"]


def test_layers_are_checked(tmp_path):
    """The check that guards the house is not asleep."""
    check = lab.ROOT / "tests" / "check_layers.py"
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "check_layers.py").write_bytes(check.read_bytes())
    for layer in ("base", "stream", "incus", "store", "transfer", "cli"):
        (tmp_path / "src" / layer).mkdir(parents=True)
    (tmp_path / "src" / "incus" / "x.h").write_text("")

    def verdict(text):
        (tmp_path / "src" / "store" / "y.c").write_text(text)
        return lab.run(["/usr/bin/python3",
                        tmp_path / "tests" / "check_layers.py"]).status

    assert verdict("int y;\n") == 0
    assert verdict('#include "incus/x.h"\n') == 1
    assert verdict("#include <curl/curl.h>\n") == 1
    assert verdict("int y(void) { return system(0); }\n") == 1
    assert verdict("void y(void) { puts(\"\"); }\n") == 1
