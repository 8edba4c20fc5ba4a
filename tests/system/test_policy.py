"""The policy: what it denies is neither read nor made, and it says which rule."""

import os

import pytest

from places import state_of

FILE = "/etc/anklume/policy"
ALL = "allow @any @any"


@pytest.fixture
def denied(daemon, here, there, tmp_path):
    """Run a copy that the policy denies: nothing changes at any end."""
    ends = (here.files, there.files, tmp_path)

    def run(*words, says="denied by policy: ", **more):
        before = [state_of(end) for end in ends]
        result = daemon.anklume("portal", "copy", *words, **more)
        assert (result.status, result.out) == (4, ""), result
        assert result.err.startswith(f"anklume: {says}"), result
        assert [state_of(end) for end in ends] == before
        return result

    return run


@pytest.fixture
def allowed(daemon):
    def run(*words, **more):
        result = daemon.anklume("portal", "copy", *words, **more)
        assert (result.status, result.err) == (0, ""), result
        return result

    return run


@pytest.fixture
def trust(daemon):
    """Set the trust level of a project, for one test."""
    changed = []

    def set_level(project, level):
        changed.append(project)
        daemon.incus("project", "set", project, f"user.anklume.trust={level}")

    yield set_level
    for project in changed:
        daemon.incus("project", "unset", project, "user.anklume.trust")


def test_without_a_policy_all_is_allowed(allowed, here, there):
    allowed(here.write("a", b"1"), there.at("a"))
    assert there.read("a") == b"1"


@pytest.mark.parametrize("lines", [[], ["# nothing yet"], ["audit required"]])
def test_default_is_deny(denied, policy, here, there, tmp_path, lines):
    policy(*lines)
    a = here.write("a", b"1")
    (tmp_path / "a").write_bytes(b"1")
    for target in (there.at("a"), here.at("b"), tmp_path / "b", "-"):
        assert f"(no rule of '{FILE}' allows it)" in denied(a, target).err
    denied(tmp_path / "a", here.at("b"))
    denied("-", here.at("b"), stdin=b"1")


def test_message_names_ends_rule_and_what_to_type(denied, policy, here, there):
    policy("# not these", "deny work/* home/* # never")
    a = here.write("a", b"1")
    result = denied(a, there.at("b"))
    assert result.err == (
        f"anklume: denied by policy: '{a}' to '{there.at('b')}' (line 2 of "
        f"'{FILE}': deny work/* home/* # never)\n"
        f"  anklume portal check {a} {there.at('b')}\n")


def test_first_match_decides(allowed, denied, policy, here, there):
    a = here.write("a", b"1")
    policy("allow work/* home/*", "deny @any @any")
    allowed(a, there.at("a"))
    assert "(line 2 of " in denied(a, here.at("b")).err
    policy("deny @any @any", "allow work/* home/*")
    assert "(line 1 of " in denied(a, there.at("a")).err


def test_project_found_by_name_is_what_counts(allowed, denied, policy, here,
                                              there):
    """However the instance is spelled."""
    here.write("a", b"1")
    short = f"{here.box.name}:{here.path}/a"
    policy("allow work/* home/*")
    allowed(short, there.at("a"))
    policy("deny work/* @any", "allow @any @any")
    denied(short, there.at("a"))


def test_path_says_where_it_may_land(allowed, denied, policy, here, there):
    a = here.write("a", b"1")
    for name in ("inbox", "inbox2"):
        (there.files / name).mkdir()
    policy(f"allow @any @any path={there.path}/inbox/")
    for target in ("inbox", "inbox/", "inbox/b", "inbox2/../inbox/c"):
        allowed(a, there.at(target))
    for target in ("", "x", "inbox2", "inbox2/", "inbox/..", "inbox/../x"):
        denied(a, there.at(target))
    assert sorted(os.listdir(there.files / "inbox")) == ["a", "b", "c"]


def test_path_with_spaces(allowed, denied, policy, here, there):
    a = here.write("a", b"1")
    (there.files / 'in "box"').mkdir()
    policy(f'allow @any @any path="{there.path}/in \\"box\\""')
    allowed(a, there.at('in "box"/b'))
    denied(a, there.at("in"))


@pytest.mark.parametrize("link", ["/etc", "../out", "chain"])
def test_link_leads_out_of_path(denied, policy, here, there, link):
    """A directory in the inbox that is a link is where it leads."""
    a = here.write("a", b"1")
    for name in ("inbox", "out"):
        (there.files / name).mkdir()
    (there.files / "inbox/chain").symlink_to(f"{there.path}/inbox/../out")
    (there.files / "inbox/way").symlink_to(link)
    policy(f"allow @any @any path={there.path}/inbox")
    for target in ("inbox/way/anklume-x", "inbox/way", "inbox/way/"):
        result = denied(a, there.at(target))
        assert f"{there.path}/inbox/way" not in result.err.split("\n")[0]
    assert not (there.box.inner("/etc") / "anklume-x").exists()


@pytest.mark.parametrize("there_already", [True, False])
def test_link_to_a_file_leads_out_of_path(denied, policy, here, there,
                                          there_already):
    a = here.write("a", b"1")
    (there.files / "inbox").mkdir()
    (there.files / "inbox/a").symlink_to("../secret")
    if there_already:
        there.write("secret", b"old")
    policy(f"allow @any @any path={there.path}/inbox")
    denied(a, there.at("inbox/a"))
    denied(a, there.at("inbox"))


def test_link_leads_into_path(allowed, policy, here, there):
    a = here.write("a", b"1")
    (there.files / "inbox").mkdir()
    (there.files / "way").symlink_to("inbox")
    policy(f"allow @any @any path={there.path}/inbox")
    allowed(a, there.at("way"))
    assert there.read("inbox/a") == b"1"


def test_from_path(allowed, denied, policy, here, there):
    for name in ("out", "out2"):
        (here.files / name).mkdir()
        here.write(f"{name}/a", b"1")
    policy(f"allow @any @any from-path={here.path}/out/")
    allowed(here.at("out/a"), there.at("a"))
    allowed(here.at("out2/../out/a"), there.at("a"))
    for source in ("out2/a", "out/../out2/a"):
        denied(here.at(source), there.at("b"))


@pytest.mark.parametrize("link", ["/etc/passwd", "../secret"])
def test_link_in_from_path_leads_out(denied, policy, here, there, link):
    (here.files / "out").mkdir()
    here.write("secret", b"1")
    (here.files / "out/a").symlink_to(link)
    (here.files / "out/dir").symlink_to(here.path)
    policy(f"allow @any @any from-path={here.path}/out")
    denied(here.at("out/a"), there.at("a"))
    denied(here.at("out/dir/secret"), there.at("a"))


def test_link_keeps_its_name_in_a_directory(allowed, policy, here, there):
    """What was judged is read, under the name that was typed."""
    here.write("a", b"1")
    (here.files / "link").symlink_to("a")
    policy(ALL)
    allowed(here.at("link"), there.at())
    assert there.read("link") == b"1"


def test_local_paths_are_resolved(allowed, denied, policy, here, tmp_path):
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "in/way").symlink_to("../out")
    (tmp_path / "out/a").write_bytes(b"1")
    a = here.write("a", b"1")
    policy(f"allow @any @local path={tmp_path}/in",
           f"allow @local @any from-path={tmp_path}/out")
    allowed(a, "in/a", cwd=tmp_path)
    allowed(a, tmp_path / "in/../in/")
    allowed(tmp_path / "in/way/a", here.at("b"))
    denied(a, tmp_path / "in/way/b")
    denied(a, "in/../b", cwd=tmp_path)
    denied(a, "-")
    denied(tmp_path / "in/a", here.at("c"))


def test_create_dirs_makes_nothing_when_denied(allowed, denied, policy, here,
                                               there, tmp_path):
    a = here.write("a", b"1")
    policy(f"allow @any @any path={there.path}/inbox",
           f"allow @any @local path={tmp_path}/in")
    denied("-p", a, there.at("new/deep/"))
    denied("-p", a, there.at("inbox/../new/a"))
    denied("-p", a, tmp_path / "new/deep/a")
    denied("-p", a, tmp_path / "in/../new/")
    allowed("-p", a, there.at("inbox/deep/"))
    allowed("-p", a, tmp_path / "in/deep/a")
    assert there.read("inbox/deep/a") == b"1"


def test_dry_run_is_denied_too(denied, policy, here, there):
    policy("deny @any @any")
    denied("-n", here.write("a", b"1"), there.at("a"))


def test_missing_source_is_denied_first(denied, policy, here, there):
    """The policy does not tell what is there."""
    policy("deny @any @any")
    denied(here.at("nosuch"), there.at("a"))


def test_same_project(allowed, denied, policy, make_place, here, there):
    policy("allow @same-project @same-project")
    other = make_place("work", "bt")
    a = here.write("a", b"1")
    allowed(a, here.at("b"))
    allowed(a, other.at("b"))
    denied(a, there.at("b"))
    denied("-", here.at("c"), stdin=b"1")


def test_one_of_several_is_denied(daemon, policy, here, there):
    """It counts as failed; the others arrive."""
    (there.files / "inbox").mkdir()
    for name in ("a", "b", "c"):
        here.write(name, b"1")
    policy(f"deny @any @any from-path={here.path}/b", ALL)
    result = daemon.anklume(
        "--json", "portal", "copy", *map(here.at, "abc"), there.at("inbox"))
    assert (result.status, result.json()["failed"]) == (3, 1), result
    assert "denied by policy: " in result.json()["notes"][0]
    assert "1 of 3 files were not copied" in result.err
    assert sorted(os.listdir(there.files / "inbox")) == ["a", "c"]


def test_trust_of_a_project(allowed, denied, policy, trust, here, there):
    a, b = here.write("a", b"1"), there.write("b", b"1")
    policy("deny @trust:low @trust:high", ALL)
    allowed(a, there.at("a"))
    trust("work", "low")
    trust("home", "high")
    denied(a, there.at("c"))
    allowed(b, here.at("b"))
    allowed(a, here.at("c"))


def test_trust_is_never_the_instance_s(daemon, allowed, policy, make_box,
                                       there):
    box = make_box()
    daemon.incus("config", "set", box.name, "user.anklume.trust=low")
    box.write("/root/a", b"1")
    policy("deny @trust:low @any", ALL)
    allowed(box.place("/root/a"), there.at("a"))


def test_trust_line_before_the_project_s_key(denied, policy, trust, here,
                                             there):
    trust("work", "high")
    policy("trust low work/*", "deny @trust:low @any", ALL)
    denied(here.write("a", b"1"), there.at("a"))


def test_second_policy_must_allow_too(allowed, denied, policy, here, there,
                                      tmp_path_factory):
    a = here.write("a", b"1")
    own = tmp_path_factory.mktemp("own") / "mine"
    env = {"ANKLUME_POLICY": str(own)}
    own.write_text("deny work/* home/*\nallow @any @any\n")
    denied(a, there.at("a"), env=env)
    allowed(a, here.at("b"), env=env)
    policy("deny @same-project @same-project", ALL)
    denied(a, here.at("c"), env=env)
    assert str(own) in denied(a, there.at("a"), env=env).err
    allowed(a, there.at("a"))
    allowed(a, there.at("a"), env={"ANKLUME_POLICY": ""})
    own.write_text("allow @any @any\n")
    allowed(a, there.at("a"), env=env)


def test_second_policy_is_missing(denied, policy, here, there, tmp_path):
    policy(ALL)
    env = {"ANKLUME_POLICY": str(tmp_path / "nosuch")}
    denied(here.write("a", b"1"), there.at("a"), env=env,
           says=f"there is no policy '{tmp_path}/nosuch'")


def test_mistake_denies_and_names_the_line(denied, policy, here, there):
    policy("allow @any @any", "", "deny web @any")
    result = denied(here.write("a", b"1"), there.at("a"),
                    says=f"everything is denied: '{FILE}', line 3: 'web' is ")
    assert "'web/*' is a whole project" in result.err


def make_unreadable(path, how):
    path.unlink()
    if how == "link":
        path.symlink_to("nosuch")
    elif how == "fifo":
        os.mkfifo(path)
    elif how == "directory":
        path.mkdir()
    elif how == "huge":
        path.write_text("# long\n" * 200_000)


@pytest.mark.parametrize("how, says", [
    ("link", "cannot be read: No such file"),
    ("fifo", "is not a regular file"),
    ("directory", "is not a regular file"),
    ("huge", "is larger than 1048576 bytes")])
def test_unreadable_policy_denies(denied, policy, here, there, how, says):
    path = policy(ALL)
    make_unreadable(path, how)
    result = denied(here.write("a", b"1"), there.at("a"), says="the policy '")
    assert says in result.err
    if how == "directory":
        path.rmdir()


def test_policy_that_others_can_write_denies(denied, policy, here, there):
    path = policy(ALL)
    a = here.write("a", b"1")
    for wrong, fix in ((lambda: path.chmod(0o664), "chmod go-w"),
                       (lambda: path.chmod(0o646), "chmod go-w"),
                       (lambda: os.chown(path, 1000, 0), "chown root:root")):
        path.chmod(0o644)
        wrong()
        result = denied(a, there.at("a"),
                        says="the policy is not to be trusted: ")
        assert result.err.endswith(f"\n  {fix} {FILE}\n")


@pytest.mark.parametrize("present", [True, False])
def test_directory_that_others_can_write_denies(denied, policy, here, there,
                                                present):
    """Who can write there can take the policy away."""
    path = policy(ALL)
    if not present:
        path.unlink()
    path.parent.chmod(0o777)
    try:
        denied(here.write("a", b"1"), there.at("a"),
               says="the policy is not to be trusted: ")
    finally:
        path.parent.chmod(0o755)


def test_user_who_may_not_read_the_policy(daemon, policy, here, tmp_path):
    """A policy of root's alone binds those who cannot see it."""
    policy(ALL, mode=0o600)
    tmp_path.chmod(0o777)
    child = daemon.spawn(
        "copy", here.write("a", b"1"), tmp_path / "a", user=65534, group=0,
        extra_groups=[])
    _, err = child.communicate(timeout=60)
    assert child.returncode == 4, err
    assert b"cannot be read: Permission denied" in err
    assert os.listdir(tmp_path) == []


def check(daemon, *words, **more):
    return daemon.anklume("portal", "check", *words, **more)


def test_check_says_which_rule_allows(daemon, policy, here, there):
    """Nothing needs to be there, and nothing is made."""
    policy("# a", "allow  work/*\thome/* # why")
    result = check(daemon, here.at("./a"), there.at("x/../b"))
    assert (result.status, result.err) == (0, "")
    assert result.out == (
        f"allowed: '{here.at('a')}' to '{there.at('b')}'\n"
        f"  line 2 of '{FILE}': allow  work/*\\thome/* # why\n")
    assert state_of(here.files) == state_of(there.files) == {}


def test_check_says_which_rule_denies(daemon, policy, here, there):
    policy("deny work/* @any")
    result = check(daemon, here.at("a"), there.at())
    assert (result.status, result.out) == (4, "")
    assert "(line 1 of " in result.err and "deny work/* @any" in result.err


def test_check_names_the_file_in_a_directory(daemon, policy, here, there):
    policy(ALL)
    out = check(daemon, here.at("a"), there.at()).out
    assert f"to '{there.at('a')}'" in out


def test_check_agrees_with_copy(daemon, policy, here, there):
    here.write("a", b"1")
    (there.files / "inbox").mkdir()
    (there.files / "inbox/way").symlink_to("..")
    policy(f"allow @any @any path={there.path}/inbox")
    for target in ("inbox", "inbox/", "inbox/way", "inbox/way/a", "b", ""):
        words = here.at("a"), there.at(target)
        asked = check(daemon, *words).status
        assert asked == daemon.anklume("portal", "copy", *words).status
        assert asked in (0, 4)


def test_check_without_a_policy(daemon, here, there):
    result = check(daemon, here.at("a"), there.at("b"))
    assert result.status == 0
    assert "there is no policy: everything is allowed" in result.out
    result = check(daemon)
    assert (result.status, result.err) == (0, "")
    assert result.out == f"there is no '{FILE}': everything is allowed\n"


def test_check_of_the_syntax(daemon, policy):
    policy("# a", ALL, "deny @any @any")
    result = check(daemon)
    assert (result.status, result.err) == (0, "")
    assert result.out == f"'{FILE}' is well-formed; rules: 2\n"
    policy(ALL, "allow")
    result = check(daemon)
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith(f"anklume: '{FILE}', line 2: 'allow' wants")


def test_check_of_a_syntax_needs_no_daemon(daemon, policy):
    policy(ALL)
    result = check(daemon, env={"INCUS_SOCKET": "/nosuch"})
    assert (result.status, result.err) == (0, "")


def test_check_with_a_mistake_in_the_policy(daemon, policy, here, there):
    policy("allow")
    result = check(daemon, here.at("a"), there.at("b"))
    assert result.status == 4
    assert f"everything is denied: '{FILE}', line 1: " in result.err


def test_check_wants_both_or_none(daemon, here):
    result = check(daemon, here.at("a"))
    assert (result.status, result.out) == (2, "")
    assert check(daemon, "a", "b", "c").status == 2


def test_check_finds_instances_as_copy_does(daemon, policy, here):
    policy(ALL)
    assert check(daemon, "nosuch:/a", here.at("a")).status == 6
    assert check(daemon, "./a", "./b").status == 2


def test_check_in_json(daemon, policy, here, there, tmp_path_factory):
    own = tmp_path_factory.mktemp("own") / "mine"
    own.write_text("allow work/* home/*\naudit required\n")
    env = {"ANKLUME_POLICY": str(own)}
    path = policy("# a", ALL)
    words = "--json", here.at("a"), there.at("b")
    answer = check(daemon, *words, env=env).json()
    assert answer == {
        "schema": 1, "command": "portal check", "status": 0, "allowed": True,
        "from": here.at("a"), "to": there.at("b"), "rules": [
            {"file": FILE, "allows": True, "line": 2, "rule": ALL},
            {"file": str(own), "allows": True, "line": 1,
             "rule": "allow work/* home/*"}]}
    assert check(daemon, "--json", env=env).json()["policies"] == [
        {"file": FILE, "rules": 1, "audit_required": False},
        {"file": str(own), "rules": 1, "audit_required": True}]

    path.write_text("")
    result = check(daemon, *words, env=env)
    answer = result.json()
    assert (result.status, answer["status"]) == (4, 4)
    assert not answer["allowed"]
    assert answer["rules"] == [
        {"file": FILE, "allows": False, "line": None, "rule": None}]


# Trees.

def grow(top):
    (top / "tree" / "inbox" / "secret").mkdir(parents=True)
    (top / "tree" / "inbox" / "secret" / "key").write_bytes(b"key")
    (top / "tree" / "inbox" / "letter").write_bytes(b"letter")


def test_a_tree_is_denied_as_a_whole(denied, policy, here, there, tmp_path):
    grow(here.files)
    grow(tmp_path)
    policy("deny @any @any")
    for target in (there.at("copy"), there.at("no/such"), tmp_path / "copy"):
        denied("-r", "-p", here.at("tree"), target)
    denied("-r", "-p", tmp_path / "tree", there.at("copy/"))


def test_a_tree_may_go_where_path_says(denied, allowed, policy, here, there):
    grow(here.files)
    (there.files / "in").mkdir()
    policy(f"allow @any @any path={there.path}/in/")
    denied("-r", here.at("tree"), there.at("copy"))
    denied("-r", here.at("tree"), there.at())
    allowed("-r", here.at("tree"), there.at("in"))
    assert there.read("in/tree/inbox/letter") == b"letter"


@pytest.mark.parametrize("to_us", [False, True], ids=["instance", "local"])
def test_below_a_tree_each_thing_is_judged(
        daemon, policy, here, there, tmp_path, to_us):
    """A deny for a part of it holds inside, on both sides."""
    grow(here.files)
    target, top = ((tmp_path, tmp_path) if to_us
                   else (there.at(), there.files))
    for rule in (f"deny @any @any from-path={here.path}/tree/inbox/secret",
                 f"deny @any @any path={tmp_path if to_us else there.path}"
                 "/tree/inbox/secret"):
        policy(rule, ALL)
        result = daemon.anklume("portal", "copy", "-r", here.at("tree"),
                                target)
        assert result.status == 3, result
        assert "denied by policy: " in result.err
        assert (top / "tree/inbox/letter").read_bytes() == b"letter"
        assert not (top / "tree/inbox/secret").exists()
