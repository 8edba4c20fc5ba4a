"""A figure: what is measured on which daemon, and how good it has to be."""

import dataclasses
import typing

from sides import ratio

# Our process needs no more, whatever it does.
PEAK_MIB = 32

# Goals that are reached with more; all others with less.
MORE = ("faster",)


@dataclasses.dataclass
class Figure:
    """`measure(lab, runs)` gives the sides of take_turns() and a dictionary of
    what else is known: "note" is printed, "ratios" are compared with goals,
    everything is kept. `goals` is by ratio, each a number, or one for each
    daemon that has one."""

    name: str
    measure: typing.Callable
    goals: dict = dataclasses.field(default_factory=dict)
    daemons: tuple = ("6", "7")

    def row(self, lab, runs):
        """Measured now, and judged."""
        sides, more = self.measure(lab, runs)
        ratios = {**ratios_of(sides), **more.pop("ratios", {})}
        goals = self.goals_on(lab.version)
        return {
            "figure": self.name, "incus": lab.version, "sides": sides,
            "ratios": ratios, "goals": goals,
            "missed": [key for key, goal in goals.items()
                       if not reached(key, ratios[key], goal)],
            **more}

    def goals_on(self, version):
        chosen = {key: goal.get(version) if isinstance(goal, dict) else goal
                  for key, goal in {"peak_mib": PEAK_MIB,
                                    **self.goals}.items()}
        return {key: goal for key, goal in chosen.items() if goal is not None}


def reached(key, value, goal):
    return value >= goal if key in MORE else value <= goal


def cpu_of(side):
    """On both ends of the socket."""
    return side["cpu_s"] + side["daemon_cpu_s"]


def ratios_of(sides):
    """What can be said of any figure that has these sides."""
    found = {"peak_mib": max(side["peak_kib"] for name, side in sides.items()
                             if name not in ("pipeline", "limit", "disk"))
             / 1024}
    if "pipeline" in sides:
        found["faster"] = ratio(sides, "pipeline", "anklume")
        found["cpu"] = cpu_of(sides["anklume"]) / cpu_of(sides["pipeline"])
    if "limit" in sides and "anklume" in sides:
        found["of_limit"] = ratio(sides, "anklume", "limit")
    return found
