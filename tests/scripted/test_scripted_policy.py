"""Guests that change their links while the policy is asked."""

import pytest

from scripted_sftp import READLINK, directory, link, regular


@pytest.fixture
def policy(anklume):
    """The runs have a policy of their own."""
    path = anklume.home / "state" / "policy"
    anklume.environment["ANKLUME_POLICY"] = str(path)

    def write(*lines):
        path.write_text("".join(f"{line}\n" for line in lines))

    return write


@pytest.fixture
def guest(daemon):
    """One with a link that turns to /etc once it has been read."""
    def make(name):
        made = daemon.guests[name]
        made.files.update({
            "/srv": directory(), "/srv/good": directory(), "/etc": directory(),
            "/srv/good/a": regular(b"good"), "/etc/a": regular(b"secret"),
            "/srv/way": link("/srv/good")})

        def turn(answer, request):
            made.files["/srv/way"] = link("/etc")
            return answer

        made.on(READLINK, turn)
        return made

    return make


def test_what_was_judged_is_what_is_read(daemon, anklume, policy, guest):
    guest("web")
    policy("allow @any @any from-path=/srv/good")
    result = anklume("portal", "copy", "web:/srv/way/a", "db:/root/new")
    assert result.status == 0, result
    assert daemon.guests["db"].files["/root/new"].data == b"good"
    result = anklume("portal", "copy", "web:/srv/way/a", "db:/root/new")
    assert result.status == 4, result


def test_a_target_that_turns_elsewhere_is_refused(anklume, policy, guest):
    made = guest("db")
    before = dict(made.files)
    policy("allow @any @any path=/srv/good")
    result = anklume("portal", "copy", "web:/root/file", "db:/srv/way/a")
    assert result.status == 4, result
    assert "led elsewhere when the policy was asked" in result.err
    del before["/srv/way"], made.files["/srv/way"]
    assert made.files == before
