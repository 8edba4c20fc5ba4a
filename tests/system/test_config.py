"""The configuration files: what they may say, which one counts, and that it is
what the commands do."""

import json

import pytest

from backups import asks_for_no_work
from test_command_line import refused

MANY = "".join(f"gpg = key-{i}\n" for i in range(65))


@pytest.fixture
def configured(lab_seven, tmp_path):
    """Run with what is given as the user's file."""
    def run(text, *words, **env):
        folder = tmp_path / "config" / "anklume"
        folder.mkdir(parents=True, exist_ok=True)
        mode = "wb" if isinstance(text, bytes) else "w"
        with open(folder / "anklume.conf", mode) as file:
            file.write(text)
        return lab_seven.anklume(*words, env={
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
            "ANKLUME_CONFIG": "", **env})
    return run


def show(configured, text, **env):
    done = configured(text, "--json", "config", "show", **env)
    assert (done.status, done.err) == (0, ""), done
    return {f"{one['section']}.{one['key']}": one
            for one in json.loads(done.out)["keys"]}


def test_nothing_is_set(configured):
    keys = show(configured, "")
    assert len(keys) == 22
    assert keys["backup.output"]["value"] == "backups"
    assert keys["backup.gpg"]["value"] == []
    assert keys["backup.jobs"]["value"] is None
    assert all(one["origin"] == [] for one in keys.values())


def test_values_and_where_they_stand(configured, tmp_path):
    keys = show(configured, "# mine\n[backup]\noutput=/srv/x ; the NAS\n"
                "gpg = ann\n\ngpg: joe\n[trust]\n"
                f"signers = {'AB' * 20}\n")
    file = f"{tmp_path}/config/anklume/anklume.conf"
    assert keys["backup.output"]["value"] == "/srv/x"
    assert keys["backup.output"]["origin"] == [file + ":3"]
    assert keys["backup.gpg"]["value"] == ["ann", "joe"]
    assert keys["backup.gpg"]["origin"] == [file + ":4", file + ":6"]
    assert keys["trust.signers"]["value"] == ["AB" * 20]


def test_what_is_shown_can_be_read(configured, tmp_path):
    text = f"[backup]\noutput = /srv/x\ngpg = ann\ngpg = joe\njobs = 2\n"
    for words in ([], ["--origin"]):
        shown = configured(text, "config", "show", *words)
        again = configured(shown.out, "config", "show")
        assert again.out == configured(text, "config", "show").out
        assert "gpg = joe" in again.out


@pytest.mark.parametrize("text, line, says", [
    ("[backup]\n\nouput = /srv\n", 3, "there is no key 'ouput' in [backup]"),
    ("[trust]\noutput = /srv\n", 2, "there is no key 'output' in [trust]"),
    ("[x]\na = b\n", 2, "there is no key 'a' in [x]"),
    ("output = /srv\n", 1, "'output' stands before any section"),
    ("[backup]\njobs = 1\njobs = 2\n", 3, "it stands in line 2 already"),
    ("[backup]\n" + MANY, 66, "at most 64 times"),
    ("[backup]\njobs\n", 2, "neither [section] nor key = value"),
    ("[backup\n", 1, "neither [section] nor key = value"),
    ("[backup]\ngpg =\n", 2, "it has no value"),
    ("[backup]\ngpg = " + "x" * 200 + "\n", 2, "the line is too long"),
    ("[backup]\ngpg = a\0b\n", 2, "this is no text"),
    ("[backup]\noutput = srv\n", 2, "'srv' is no absolute path"),
    ("[backup]\ncompression = lzma\n", 2, "unknown compression 'lzma'"),
    ("[backup]\nconsistency = yes\n", 2, "unknown consistency 'yes'"),
    ("[backup]\nvolumes = all\n", 2, "neither 'attached' nor 'none'"),
    ("[backup]\nkeep-last = -1\n", 2, "no number from 0 to 9999"),
    ("[backup]\nkeep-within = 5\n", 2, "'5' is no length of time"),
    ("[backup]\nmax-age = soon\n", 2, "'soon' is no length of time"),
    ("[backup]\nshrink-warning = 100%\n", 2, "from 1% to 99%"),
    ("[backup]\nshrink-warning = 50\n", 2, "from 1% to 99%"),
    ("[backup]\njobs = 0\n", 2, "no number from 1 to 64"),
    ("[backup]\nbwlimit = 10\n", 2, "bytes per second: 500K, 10M, 1G"),
    ("[backup]\nbwlimit = 0M\n", 2, "bytes per second"),
    ("[backup]\nbwlimit = M\n", 2, "bytes per second"),
    ("[trust]\nsigners = ABCD\n", 2, "'ABCD' is not a whole fingerprint"),
])
def test_what_it_may_not_say(configured, tmp_path, text, line, says):
    done = configured(text, "config", "show")
    refused(done, says,
            f"{tmp_path}/config/anklume/anklume.conf:{line}: ")
    assert configured(text, "backup", "list").status == 2
    assert configured(text, "portal", "check").status == 0


def test_bytes_that_a_terminal_would_act_on(configured):
    done = configured(b"[backup]\n\x1b[31m = 1\n", "config", "show")
    refused(done, "\\x1b[31m")


def test_too_large(configured):
    done = configured("#" * 300000, "config", "show")
    assert done.status == 5 and "larger than" in done.err, done


def test_the_users_file_goes_before_the_systems(configured, policy, tmp_path):
    """Key by key; a list as a whole."""
    system = policy("[backup]", "jobs = 2", "output = /srv/a", "gpg = ann",
                    "gpg = joe", name="anklume.conf")
    done = configured("[backup]\noutput = /srv/b\ngpg = eve\n", "config",
                      "show", "--origin")
    assert done.status == 0, done
    own = f"{tmp_path}/config/anklume/anklume.conf"
    assert [line for line in done.out.splitlines()
            if line and line[0] not in "#["] == [
        f"output = /srv/b ; {own}:2", f"gpg = eve ; {own}:3",
        f"jobs = 2 ; {system}:2"]


def test_a_named_file_is_the_only_one(configured, tmp_path):
    (tmp_path / "named").write_text("[backup]\njobs = 3\n")
    keys = show(configured, "[backup]\noutput = /srv\n",
                ANKLUME_CONFIG=str(tmp_path / "named"))
    assert keys["backup.jobs"]["value"] == "3"
    assert keys["backup.output"]["value"] == "backups"
    done = configured("", "config", "show", ANKLUME_CONFIG="/nonexistent/x")
    assert done.status == 6 and "'/nonexistent/x'" in done.err, done


def test_create_does_what_it_says(daemon, key_ring, tmp_path):
    """And an option goes before it."""
    file, nas = tmp_path / "conf", tmp_path / "nas"
    file.write_text(f"[backup]\noutput = {nas}\ncompression = zstd:1\n"
                    "gpg = good@example.org\ngpg = second@example.org\n")
    env = {"ANKLUME_CONFIG": str(file), **key_ring.env}

    with asks_for_no_work(daemon):
        done = daemon.anklume("backup", "create", "home/web", env=env)
    assert done.status == 10 and str(nas) in done.err, done

    nas.mkdir()
    done = daemon.anklume("--json", "backup", "create", "home/web", env=env)
    made = json.loads(done.out)
    assert made["path"].startswith(f"{nas}/web-"), made
    assert made["path"].endswith(".tar.zst.gpg")
    assert len(made["manifest"]["recipients"]) == 2

    listed = daemon.anklume("--json", "backup", "list", env=env)
    assert [one["path"] for one in json.loads(listed.out)["backups"]] == [
        made["path"]]

    done = daemon.anklume(
        "--json", "backup", "create", "home/web", "--no-gpg", "-o",
        tmp_path / "else", "--compression", "none", env=env)
    made = json.loads(done.out)
    assert made["path"].startswith(f"{tmp_path}/else/web-")
    assert made["path"].endswith(".tar") and made["manifest"][
        "recipients"] == []

    done = daemon.anklume("backup", "create", "home/web", "--no-gpg", "--gpg",
                          "good@example.org", env=env)
    refused(done, "--gpg and --no-gpg exclude each other")
