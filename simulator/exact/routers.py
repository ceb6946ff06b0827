"""One router: availability, causes of downtime, outages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from simulator.exact.answer import (
    CHAIN_SOURCE,
    FREQUENCY_SOURCE,
    PRODUCT,
    RENEWAL_SOURCE,
    REWARD_SOURCE,
    Answer,
    RefusedError,
)
from simulator.exact.case import Case, Places
from simulator.exact.components import Course
from simulator.exact.delays import router_cost
from simulator.exact.homes import Group
from simulator.trace import Floats


def method(places: Places) -> tuple[str, str]:
    """What the availability of one object follows from, and its source."""
    methods = list(dict.fromkeys(service.method for service in places.homes.services))
    several = "; several nodes, independent" if not places.homes.single else ""
    source = RENEWAL_SOURCE
    if any("chain" in one for one in methods):
        source = CHAIN_SOURCE
    elif any("reward" in one for one in methods):
        source = REWARD_SOURCE
    return f"{PRODUCT} ({', '.join(methods)}{several})", source


def told(places: Places) -> tuple[str, ...]:
    """What the answers about routers or networks take for granted."""
    found = ["fault clocks run on their own, whatever else fails"]
    if any(len(group.choices) > 1 for group in places.groups):
        found.append("placed at random, each by itself")
    return tuple(found)


def answer(places: Places, value: float) -> Answer:
    """*value*, as the availability of independent components."""
    return Answer(value, *method(places), assumptions=told(places))


def takes_time(case: Case) -> bool:
    """Whether agents need time to set up a router."""
    return bool(case.plan.objects.routers()) and router_cost(case.plan) > 0


# -- one router ----------------------------------------------------------------------------


def serving(places: Places, group: Group, *, outside: bool = True, uplink: bool = True) -> Floats:
    """The probability that a router of *group* serves: north-south, or (not *outside*) inside."""
    gateway = group.gateway if outside else -1
    present, linked = places.present(), places.linked(gateway)
    conflicts = not places.case.context.conflicted_serves
    found = places.mixed(group, lambda choice: _alone(present, linked, choice, conflicts=conflicts))
    return found * places.uplink(gateway) if uplink else found


def _alone(present: Floats, linked: Floats, choice: Sequence[int], *, conflicts: bool) -> Floats:
    """One of the nodes of *choice* has a way out; with *conflicts* no other one is present."""
    if not conflicts:
        return np.asarray(1 - np.prod(1 - linked[list(choice)], axis=0))
    others = [[j for j in choice if j != i] for i in choice]
    parts = [
        linked[i] * np.prod(1 - present[rest], axis=0)
        for i, rest in zip(choice, others, strict=True)
    ]
    return np.asarray(np.sum(parts, axis=0))


def availability(case: Case) -> Answer:
    """Every component that a router needs is up."""
    places = case.routers
    return answer(places, places.over(lambda group: serving(places, group)))


def east_west(case: Case) -> Answer:
    """The same without external NIC and uplink."""
    places = case.routers
    return answer(places, places.over(lambda group: serving(places, group, outside=False)))


def worst(case: Case) -> Answer:
    """Of one router its availability."""
    if case.routers.homes.count > 1:
        raise RefusedError("the least of several random availabilities is no mean of a process")
    return availability(case)


def conflicted(case: Case) -> Answer:
    """At least two of a router's nodes are present."""
    places = case.routers
    if places.homes.single:
        return Answer(0.0, "every router is on one node", "the bindings", told(places))
    present = places.present()

    def several(choice: Sequence[int]) -> Floats:
        rows = present[list(choice)]
        none = np.prod(1 - rows, axis=0)
        return np.asarray(1 - none - _alone(present, present, choice, conflicts=True))

    share = places.over(lambda group: places.mixed(group, several))
    return answer(places, share * case.window * places.homes.count)


# -- causes --------------------------------------------------------------------------------


def downtime(cause: str) -> Callable[[Case], Answer]:
    """The share of a router's life that one cause takes."""

    def share(case: Case) -> Answer:
        places = case.routers
        value = places.over(lambda group: _lost(places, group)[cause])
        return answer(places, max(value, 0.0))

    return share


def _lost(places: Places, group: Group) -> dict[str, Floats]:
    """What each cause takes of a router of *group*: the differences of nested states."""
    passing = places.any_of(places.linked(group.gateway), group)
    host, attached = places.any_of(places.host, group), places.any_of(places.attached, group)
    uplink = places.uplink(group.gateway)
    nothing = np.zeros(passing.shape)
    return {
        "unscheduled": nothing,
        "host": 1 - host,
        "configuring": host - attached,
        "electing": nothing,
        "node_path": attached - passing,
        "uplink": passing * (1 - uplink),
        "conflicted": passing * uplink - serving(places, group),
    }


# -- events --------------------------------------------------------------------------------


def outages(case: Case) -> Answer:
    """Those under way at the begin, and the rate at which routers stop serving."""
    places = case.routers
    if not places.homes.single:
        raise RefusedError("outages of routers that several nodes set up are not counted")
    value = sum(
        group.count * chance * _outages(places, group, choice[0])
        for group in places.groups
        for choice, chance in group.choices.items()
    )
    how = "P(down at the begin) + integral of the rates at which components stop it"
    return Answer(value, how, FREQUENCY_SOURCE, told(places))


def _outages(places: Places, group: Group, node: int) -> float:
    """How many outages a router of *group* on *node* has in the window."""
    course = path(places, group, node)
    if course.falls is None:
        raise RefusedError("scripted outages are counted by running them")
    begin = np.array([places.case.context.begin])
    return 1 - float(course.up.at(begin)[0]) + places.grid.total(course.falls.at(places.grid.times))


def path(places: Places, group: Group, node: int) -> Course:
    """All that a router of *group* on *node* needs."""
    one = places.homes.nodes[node]
    course = places.homes.services[node].serves.times(one.data)
    if group.gateway < 0:
        return course
    return course.times(one.external).times(places.case.uplink(group.gateway))
