"""Elections with every advertisement simulated, against those that only compute them."""

from __future__ import annotations

import random

import pytest

from simulator.world.vrrp import SKEW, Change, Election, Timing, What

ADVERT, PHASE, HORIZON = 2.0, 0.5, 300.0
PATIENCE = 3 * ADVERT + SKEW


class Explicit:
    """Replicas as plain dictionaries; each advertisement is an event, each backup has a timer."""

    def __init__(self, ranks):
        self.all = [
            {"rank": rank, "there": False, "linked": False, "fault": False, "master": False,
             "next": None, "deadline": 0.0}
            for rank in ranks
        ]  # fmt: skip
        self.masters = []  # (time, replica, 1 or -1)

    def run(self, changes):
        now = [change for change in changes if change.time == 0]
        for change in now:
            self.apply(change)
        able = [r for r in self.all if r["there"] and not r["fault"]]
        able = [r for r in able if r["linked"]] or able
        if able:
            first = max(able, key=lambda r: r["rank"])
            self.promote(first, 0.0)
            first["next"] = ADVERT - PHASE
            for one in able if first["linked"] else ():
                one["deadline"] = PATIENCE - PHASE
        rest = changes[len(now) :]
        while True:
            due = [r["next"] for r in self.all if r["master"]]
            due += [r["deadline"] for r in self.all if self.waits(r)]
            time = min([*due, *(change.time for change in rest[:1]), HORIZON])
            if time >= HORIZON:
                return self.masters
            if rest and rest[0].time == time:
                self.apply(rest.pop(0))
            else:
                self.step(time)

    def waits(self, one):
        return one["there"] and not one["fault"] and not one["master"]

    def step(self, time):
        """First what is on its way, the highest first; then the patience of one backup."""
        senders = [r for r in self.all if r["master"] and r["next"] == time]
        if senders:
            sender = max(senders, key=lambda r: r["rank"])
            sender["next"] += ADVERT
            self.send(sender, time)
            return
        out = [r for r in self.all if self.waits(r) and r["deadline"] == time]
        one = max(out, key=lambda r: r["rank"])
        self.promote(one, time)
        one["next"] = time

    def promote(self, one, time):
        one["master"] = True
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
            one.update(there=True, linked=what == What.JOINED, deadline=time + PATIENCE)
        elif what in (What.GONE, What.RESIGNED):
            if what == What.RESIGNED:
                self.resign(one, time)
            one.update(there=False, linked=False, master=False)
        elif what in (What.CUT, What.LINKED):
            one["linked"] = what == What.LINKED
        elif what == What.FAULT:
            self.resign(one, time)
            if one["master"]:
                self.masters.append((time, number, -1))
            one.update(fault=True, master=False)
        else:
            one.update(fault=False, deadline=time + PATIENCE)


def random_changes(rng, replicas):
    """What happens to each replica, in order of time; never two things at one instant."""
    there, linked, fault = [True] * replicas, [True] * replicas, [False] * replicas
    changes = [Change(0.0, i, What.JOINED) for i in range(replicas)]
    time = 0.0
    while (time := time + rng.choice([0.3, 1.7, 5.1, 8.9, 20.3]) * rng.random()) < HORIZON:
        i = rng.randrange(replicas)
        time = round(time * 2**20) / 2**20
        if rng.random() < 0.2:
            fault[i] = not fault[i]
            changes.append(Change(time, i, What.FAULT if fault[i] else What.MENDED))
        elif not there[i]:
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


@pytest.mark.parametrize("seed", range(300))
def test_computed_advertisements_elect_as_simulated_ones(seed):
    rng = random.Random(seed)
    replicas = rng.randint(1, 4)
    ranks = rng.sample(range(100), replicas)
    changes = random_changes(rng, replicas)
    said = Election(ranks, Timing(ADVERT, 0.0, 0.0, False), PHASE).run(changes, HORIZON)
    found = [(s.time, s.replica, 1 if s.active else -1) for s in said if s.active is not None]
    # One that gives up at the very instant of its promotion never carried anything.
    expected = without_instants(Explicit(ranks).run(changes))
    assert sorted(without_instants(found)) == sorted(expected)


def without_instants(masters):
    """*masters* without promotions that the same instant took back."""
    gone = {(time, replica) for time, replica, sign in masters if sign < 0}
    back = {(time, replica) for time, replica, sign in masters if sign > 0} & gone
    return [one for one in masters if one[:2] not in back]
