"""For all tests: signals act as they do for a person at a terminal, and lanes
that can run side by side."""

import signal

import pytest

# A shell starts what goes to the background with SIGINT ignored, and that is
# inherited: interruptions would not be heard; nohup(1) does so with SIGHUP.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

LANES = ("6", "7", "scripted", "both")


def pytest_addoption(parser):
    parser.addoption(
        "--lane", choices=LANES, help="only the tests that need one daemon of "
        "the lab, a scripted one, or both of the lab; lanes with different "
        "daemons do not disturb each other")


def lane_of(item):
    """What the test works with; those that need no daemon go with the newer."""
    if "scripted" in item.path.parts:
        return "scripted"
    # Every test has the lab: what counts is who asks for it by name, itself or
    # by a fixture of its own file.
    info = item._fixtureinfo
    own = [fixtures[-1].argnames for fixtures in info.name2fixturedefs.values()
           if fixtures[-1].baseid == item.parent.nodeid]
    if any("lab" in names for names in (info.argnames, *own)):
        return "both"
    callspec = getattr(item, "callspec", None)
    daemon = callspec.params.get("daemon", "7") if callspec else "7"
    # It would reach into the other lane, whose daemon may be down just then.
    if daemon != "7" and "lab_seven" in item.fixturenames:
        raise pytest.UsageError(f"{item.nodeid} wants both daemons")
    return daemon


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    lane = config.getoption("--lane")
    if lane is None:
        return
    left_out = [item for item in items if lane_of(item) != lane]
    items[:] = [item for item in items if lane_of(item) == lane]
    config.hook.pytest_deselected(items=left_out)
