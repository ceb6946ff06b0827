"""All routers at once: none serves, the first time that none does, how many one failure stops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

from simulator.exact.answer import CHAIN_SOURCE, Answer, RefusedError
from simulator.exact.case import Case, Places
from simulator.exact.chains import Chain, binomial
from simulator.exact.homes import Group
from simulator.exact.routers import method, serving, told
from simulator.trace import Floats

SUBSETS = 12
"""Up to so many nodes all sets of them are gone through."""


def none_serves(places: Places, *, uplinks: bool, tenant: Sequence[int] | None = None) -> Floats:
    """The probability that no router serves, of all or of a *tenant*'s, one number a group.

    States of nodes and uplinks do not depend on where routers are, so routers may be taken to be
    placed anew at every instant: given which nodes pass traffic, each is on one that does not with
    the share of those nodes, independently.
    """
    counts = [group.count for group in places.groups] if tenant is None else tenant
    parts = []
    gateways = sorted({group.gateway for group in places.groups})
    for ups in product((True, False), repeat=len(gateways)):
        state = dict(zip(gateways, ups, strict=True))
        chance = np.ones(places.grid.times.shape)
        for gateway, up in state.items():
            row = places.uplink(gateway) if uplinks else np.ones(chance.shape)
            chance = chance * (row if up else 1 - row)
        if np.any(chance > 0):
            pairs = zip(places.groups, counts, strict=True)
            pairs = zip(places.groups, counts, strict=True)
            left = [n if state[group.gateway] else 0 for group, n in pairs]
            parts.append(chance * _none(places, left))
    return np.asarray(np.sum(parts, axis=0))


def _none(places: Places, counts: Sequence[int]) -> Floats:
    """No node passes traffic of any of *counts* routers of each group, uplinks apart."""
    groups = [(group, n) for group, n in zip(places.groups, counts, strict=True) if n]
    if not groups:
        return np.ones(places.grid.times.shape)
    if not places.homes.single:
        return _none_of_many(places, groups)
    up = places.linked(groups[0][0].gateway, first=True)
    if len(groups) == 1 and len(groups[0][0].choices) == up.shape[0]:
        return _none_at_random(up, groups[0][1])
    return _none_by_sets(up, groups)


def _none_of_many(places: Places, groups: Sequence[tuple[Group, int]]) -> Floats:
    """Routers that all their nodes set up: those of one group serve together."""
    used = [set(choice) for group, _ in groups for choice in group.choices]
    if sum(map(len, used)) > len(set().union(*used)):
        raise RefusedError("routers of several external networks share nodes, and conflict there")
    places.homes.same_at_once()
    down = [1 - serving(places, group, uplink=False) for group, _ in groups]
    return np.asarray(np.prod(down, axis=0))


def _none_at_random(up: Floats, count: int) -> Floats:
    """Each of *count* routers is on any node: the mean of (nodes down / nodes)^count."""
    nodes = up.shape[0]
    shares = (np.arange(nodes + 1) / nodes) ** count
    return np.array([binomial((1 - column).tolist()) @ shares for column in up.T])


def _none_by_sets(up: Floats, groups: Sequence[tuple[Group, int]]) -> Floats:
    """Over every set of nodes that pass traffic: the chance that all routers are elsewhere."""
    used = sorted({i for group, _ in groups for choice in group.choices for i in choice})
    if len(used) > SUBSETS:
        return _none_fixed(up, groups)
    total = np.zeros(up.shape[1])
    for ups in product((True, False), repeat=len(used)):
        chance = np.ones(up.shape[1])
        for i, is_up in zip(used, ups, strict=True):
            chance = chance * (up[i] if is_up else 1 - up[i])
        alive = {i for i, is_up in zip(used, ups, strict=True) if is_up}
        total += chance * np.prod([_elsewhere(group, alive) ** n for group, n in groups])
    return total


def _elsewhere(group: Group, alive: set[int]) -> float:
    return sum(chance for choice, chance in group.choices.items() if not alive & set(choice))


def _none_fixed(up: Floats, groups: Sequence[tuple[Group, int]]) -> Floats:
    """Routers whose places are certain."""
    if any(len(group.choices) > 1 for group, _ in groups):
        raise RefusedError(f"more than {SUBSETS} nodes that some routers may be on, and others not")
    used = sorted({i for group, _ in groups for choice in group.choices for i in choice})
    return np.asarray(np.prod(1 - up[used], axis=0))


def all_down_time(*, uplinks: bool) -> Callable[[Case], Answer]:
    """Seconds in which no router serves."""

    def time(case: Case) -> Answer:
        places = case.routers
        share = places.grid.mean(none_serves(places, uplinks=uplinks))
        how, source = method(places)
        return Answer(
            share * case.window, f"window x P(no router serves); {how}", source, told(places)
        )

    return time


def all_down_probability(*, uplinks: bool) -> Callable[[Case], Answer]:
    """The chance of any time without a router: a birth and death chain, stopped at all down."""

    def chance(case: Case) -> Answer:
        places = case.routers
        nodes, rates = _alike(case, places, uplinks=uplinks)
        if not case.plan.equilibrium or case.context.begin:
            raise RefusedError("first times are answered from an equilibrium at time zero only")
        occupied = _occupied(places, nodes)
        value = sum(p * _all_down_by(k, rates, case.context.end) for k, p in occupied.items())
        how = f"Markov chain of {nodes + 1} states, stopped when all nodes with routers are down"
        return Answer(value, how, CHAIN_SOURCE, told(places))

    return chance


def _alike(case: Case, places: Places, *, uplinks: bool) -> tuple[int, tuple[float, float]]:
    """How many nodes routers may be on, and at what rates each fails and recovers, all alike."""
    homes, law = places.homes, case.failing.law
    nodes = len(homes.nodes)
    reasons = [
        (not homes.single, "routers are on several nodes"),
        (len(places.groups) > 1 and any(len(g.choices) > 1 for g in places.groups),
         "some routers may be on other nodes than others"),
        (uplinks and any(case.uplink(g.gateway).falls is not case.uplink(-1).falls
                         for g in places.groups), "uplinks fail, too"),
        (any(s.serves.up.bends for s in homes.firsts), "agents fail, or need time to set up"),
        (any(law(int(column[node.place])) for node in homes.nodes
             for column in (case.plan.nodes.data_nic, case.plan.nodes.external_nic)),
         "NICs fail, too"),
    ]  # fmt: skip
    for holds, reason in reasons:
        if holds:
            raise RefusedError(f"a first time is answered where only hosts fail: {reason}")
    rates = {case.failing.rates(node.host) for node in homes.nodes}
    if len(rates) > 1:
        raise RefusedError("a first time is answered for nodes that fail alike")
    return nodes, rates.pop()


def _occupied(places: Places, nodes: int) -> dict[int, float]:
    """The law of how many nodes have any router."""
    if all(len(group.choices) == 1 for group in places.groups):
        return {len({choice for group in places.groups for choice in group.choices}): 1.0}
    law = np.zeros(nodes + 1)
    law[0] = 1.0
    for _ in range(places.homes.count):
        stay = law * np.arange(nodes + 1) / nodes
        law = stay + np.append(0.0, (law * (nodes - np.arange(nodes + 1)) / nodes)[:-1])
        if law[-1] > 1 - 1e-16:
            break
    return {k: float(p) for k, p in enumerate(law) if p > 0}


def _all_down_by(nodes: int, rates: tuple[float, float], time: float) -> float:
    """The chance that *nodes* were all down at once by *time*, from equilibrium."""
    fail, repair = rates
    if not fail:
        return 0.0

    def steps(down: int) -> list[tuple[int, float]]:
        more = [(down + 1, (nodes - down) * fail)] if down < nodes else []
        return more + ([(down - 1, down * repair)] if down else [])

    chain = Chain(range(nodes + 1), steps)
    first = binomial([fail / (fail + repair)] * nodes)
    return chain.absorbed(first, chain.where(lambda down: down == nodes), time)


def blast(*, mean: bool) -> Callable[[Case], Answer]:
    """The share of routers that one onset stops, where each stops one of the occupied nodes."""

    def share(case: Case) -> Answer:
        places = case.routers
        nodes, rates = _alike(case, places, uplinks=True)
        if not rates[0]:
            raise RefusedError("nothing that stops a router fails")
        if case.context.begin or not case.plan.equilibrium:
            raise RefusedError("onsets are counted from an equilibrium at time zero only")
        even = len({group.count for group in places.groups}) == 1
        certain = all(len(group.choices) == 1 for group in places.groups)
        if not mean and not (certain and even):
            raise RefusedError("a quantile of random shares is no mean of a process")
        occupied = _occupied(places, nodes)
        seen = {k: p * (1 - _quiet(rates, case.context.end) ** k) for k, p in occupied.items()}
        value = sum(p / k for k, p in seen.items()) / sum(seen.values())
        how = "1 / nodes that have routers: each is as likely as any other to fail"
        return Answer(value, how, "exchangeable nodes", told(places))

    return share


def _quiet(rates: tuple[float, float], time: float) -> float:
    """The chance that a node does not go down within *time*, from equilibrium."""
    fail, repair = rates

    def steps(state: str) -> list[tuple[str, float]]:
        return {"down": [("up", repair)], "up": [("hit", fail)], "hit": []}[state]

    chain = Chain(["up", "down", "hit"], steps)
    first = chain.vector({"up": repair / (fail + repair), "down": fail / (fail + repair)})
    return 1 - chain.absorbed(first, chain.where(lambda state: state == "hit"), time)
