"""What a killed run leaves in a daemon, and how a test takes it away."""

import datetime

from backups import backups_in, wait_for, wait_idle


def exports_left(daemon, name, project="default"):
    """The exports of an instance, once no more of them are being made."""
    wait_idle(daemon, 60)
    return backups_in(daemon, name, project)


def expires_within_two_days(export):
    """The daemon takes it away by itself; year 1 would mean never."""
    when = datetime.datetime.fromisoformat(export["expires_at"][:19] + "Z")
    now = datetime.datetime.now(datetime.timezone.utc)
    return now < when < now + datetime.timedelta(days=2)


def forget_exports(daemon, name, project="default"):
    """Do not wait until they expire."""
    for export in exports_left(daemon, name, project):
        daemon.query(f"/1.0/instances/{name}/backups/{export['name']}"
                     f"?project={project}", method="DELETE")
    wait_for(lambda: not backups_in(daemon, name, project), "no exports", 60)
