"""Elections with every advertisement and check simulated, against those that only compute them."""

from __future__ import annotations

import random

import pytest

from simulator.world.exits import WayOut
from simulator.world.vrrp import SKEW, Change, Election, Timing, What

ADVERT, PHASE, HORIZON = 2.0, 0.5, 300.0
PATIENCE = 3 * ADVERT + SKEW
INTERVAL = 5.0


class Explicit:
    """Replicas as plain dictionaries; each advertisement and each check is an event, each backup
    has a timer. *outs*: the phase of each replica's checks, and when it has no way out.
    """

    def __init__(self, ranks, outs):
        self.all = [
            {"rank": rank, "there": False, "linked": False, "fault": False, "master": False,
             "next": None, "deadline": 0.0, "address": None, "check": phase, "bad": bad, "run": 0}
            for rank, (phase, bad) in zip(ranks, outs, strict=True)
        ]  # fmt: skip
        self.masters = []  # (time, replica, 1 or -1)

    def run(self, changes):
        now = [change for change in changes if change.time == 0]
        for change in now:
            self.apply(change)
        able = [r for r in self.all if r["there"] and not r["fault"]]
        able = [r for r in able if r["linked"]] or able
        able = [r for r in able if not self.is_out(r, 0.0)] or able
        if able:
            first = max(able, key=lambda r: r["rank"])
            self.promote(first, 0.0)
            first["address"] = 0.0
            first["next"] = ADVERT - PHASE
            for one in able if first["linked"] else ():
                one["deadline"] = PATIENCE - PHASE
        rest = changes[len(now) :]
        while True:
            due = [r["next"] for r in self.all if r["master"]]
            due += [r["deadline"] for r in self.all if self.waits(r)]
            due += [r["check"] for r in self.all]
            time = min([*due, *(change.time for change in rest[:1]), HORIZON])
            if time >= HORIZON:
                return self.masters
            if rest and rest[0].time == time:
                self.apply(rest.pop(0))
            else:
                self.step(time)

    def waits(self, one):
        return one["there"] and not one["fault"] and not one["master"]

    def is_out(self, one, time):
        return any(begin <= time < end for begin, end in one["bad"])

    def check(self, one, time):
        """*run*: how many checks in a row said other than what it is."""
        one["check"] += INTERVAL
        address = one["master"] and one["address"] <= time
        failed = address and self.is_out(one, time)
        one["run"] = one["run"] + 1 if failed != one["fault"] else 0
        if one["run"] < 2:
            return
        one["run"] = 0
        if failed:
            self.fail(one, time)
        else:
            one.update(fault=False, deadline=time + PATIENCE)

    def fail(self, one, time):
        self.resign(one, time)
        self.masters.append((time, self.all.index(one), -1))
        one.update(fault=True, master=False)

    def step(self, time):
        """First what is on its way, the highest first; then the patience of one backup; checks."""
        senders = [r for r in self.all if r["master"] and r["next"] == time]
        if senders:
            sender = max(senders, key=lambda r: r["rank"])
            sender["next"] += ADVERT
            self.send(sender, time)
            return
        out = [r for r in self.all if self.waits(r) and r["deadline"] == time]
        if not out:
            self.check(next(r for r in self.all if r["check"] == time), time)
            return
        one = max(out, key=lambda r: r["rank"])
        self.promote(one, time)
        one["next"] = time

    def promote(self, one, time):
        one["master"], one["address"], one["run"] = True, time, 0
        self.masters.append((time, self.all.index(one), 1))

    def send(self, sender, time):
        if not sender["linked"]:
            return
        for one in self.all:
            if one is sender or not one["there"] or not one["linked"] or one["fault"]:
                continue
            if not one["master"]:
                one["deadline"] = time + PATIENCE
            elif one["rank"] < sender["rank"]:
                one["master"], one["deadline"] = False, time + PATIENCE
                self.masters.append((time, self.all.index(one), -1))

    def resign(self, one, time):
        if not (one["master"] and one["linked"]):
            return
        others = [r for r in self.all if r["master"] and r["linked"] and r is not one]
        for listener in self.all:
            if listener is not one and self.waits(listener) and listener["linked"]:
                listener["deadline"] = time + (PATIENCE if others else SKEW)
        for other in others:
            other["next"] = time

    def apply(self, change):
        time, number, what = change
        one = self.all[number]
        if what in (What.BORN, What.JOINED):
            one.update(there=True, linked=what == What.JOINED, deadline=time + PATIENCE, run=0)
        elif what in (What.GONE, What.RESIGNED):
            if what == What.RESIGNED:
                self.resign(one, time)
            one.update(there=False, linked=False, master=False, fault=False, run=0)
        else:
            one["linked"] = what == What.LINKED


def random_changes(rng, replicas):
    """What happens to each replica, in order of time; never two things at one instant."""
    there, linked = [True] * replicas, [True] * replicas
    changes = [Change(0.0, i, What.JOINED) for i in range(replicas)]
    time = 0.0
    while (time := time + rng.choice([0.3, 1.7, 5.1, 8.9, 20.3]) * rng.random()) < HORIZON:
        i = rng.randrange(replicas)
        time = round(time * 2**20) / 2**20
        if not there[i]:
            linked[i] = rng.random() < 0.5
            changes.append(Change(time, i, What.JOINED if linked[i] else What.BORN))
            there[i] = True
        elif rng.random() < 0.4:
            changes.append(Change(time, i, rng.choice([What.GONE, What.RESIGNED])))
            there[i] = False
        else:
            linked[i] = not linked[i]
            changes.append(Change(time, i, What.LINKED if linked[i] else What.CUT))
    return changes


def random_outs(rng, replicas):
    """The phase of each replica's checks, and when it has no way out; often all have none."""
    common = random_spans(rng) if rng.random() < 0.5 else []
    return [(grid(rng.random() * INTERVAL), common or random_spans(rng)) for _ in range(replicas)]


def random_spans(rng):
    spans, time = [], rng.choice([0.0, grid(rng.random() * 100)])
    while time < HORIZON and rng.random() < 0.8:
        end = time + grid(rng.random() * rng.choice([3.0, 15.0, 200.0]))
        spans.append((time, end))
        time = end + grid(0.1 + rng.random() * rng.choice([3.0, 100.0]))
    return spans


def grid(time):
    return round(time * 2**20) / 2**20


@pytest.mark.parametrize("seed", range(400))
def test_computed_advertisements_and_checks_elect_as_simulated_ones(seed):
    rng = random.Random(seed)
    replicas = rng.randint(1, 4)
    ranks = rng.sample(range(100), replicas)
    changes = random_changes(rng, replicas)
    outs = random_outs(rng, replicas) if seed % 4 else [(0.0, [])] * replicas
    ways = [WayOut(bad, INTERVAL, phase) if bad else None for phase, bad in outs]
    election = Election(ranks, Timing(ADVERT, 0.0, 0.0, False), PHASE, ways)
    said = election.run(changes, HORIZON)
    found = [(s.time, s.replica, 1 if s.active else -1) for s in said if s.active is not None]
    # One that gives up at the very instant of its promotion never carried anything.
    expected = without_instants(Explicit(ranks, outs).run(changes))
    assert sorted(without_instants(found)) == sorted(expected)


def without_instants(masters):
    """*masters* without promotions that the same instant took back."""
    gone = {(time, replica) for time, replica, sign in masters if sign < 0}
    back = {(time, replica) for time, replica, sign in masters if sign > 0} & gone
    return [one for one in masters if one[:2] not in back]
