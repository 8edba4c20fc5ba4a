"""No place for this host's own state: no reason to go without a backup."""

import pytest


@pytest.mark.parametrize("words", [["web"], ["w*"]])
def test_nowhere_to_keep_a_lock(anklume, words):
    (anklume.home / "state" / "anklume").write_text("in the way")
    done = anklume("backup", "create", *words, "-o", "out")
    assert done.status == 0, done
    assert "not locked against other runs: " in done.err
    assert "but not in this host's record: " in done.err
    assert len(list((anklume.home / "out").rglob("web-*.tar.gz"))) == 1
