"""VRRP among the replicas of one router: who is master, and who carries its addresses.

Cited (keepalived as Neutron sets it up, neutron/agent/linux/keepalived.py; RFC 3768): every
replica starts as backup with priority 50 and takes over from nobody (nopreempt); a backup that
hears no advertisement for 3 intervals + (256 - 50) / 256 s becomes master; a master that stops in
good order sends priority 0, after which backups wait (256 - 50) / 256 s only; of two masters the
one with the lower address gives up when it hears the other. A master repeats its gratuitous ARPs
once after 60 s (Kilo and later) or every 10 s. A master whose checks fail (`exits`) is FAULT: it
sends priority 0 (vrrp_state_leave_master, keepalived/vrrp/vrrp.c; early 1.2 did not) and takes no
part until they succeed.

Assumed: a new master advertises at once and then every interval; of backups whose patience ends
together the highest address wins, and the others hear it at once; addresses and routes are up
*promote* after a replica became master, and its first gratuitous ARP leaves then. Where two were
masters, those outside send to whoever announced itself last; if that one gave up, nobody is
reached until the other's next announcement, or until they ask anew (*arp_timeout*).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

from simulator.world.exits import WayOut

SKEW = (256 - 50) / 256
"""Seconds by which a backup of priority 50 waits longer than three advertisements."""
ONCE_AFTER = 60.0
REFRESH = 10.0
INFINITY = math.inf


class What(IntEnum):
    """What happens to a replica."""

    BORN = 0  # it starts as backup, and no advertisement passes yet
    JOINED = 1  # it starts as backup, and advertisements pass
    LINKED = 2  # advertisements pass from now on
    CUT = 3  # they pass no longer
    GONE = 4  # it ends without a word
    RESIGNED = 5  # it ends in good order


class Change(NamedTuple):
    """Something that happens to a replica at *time*, s."""

    time: float
    replica: int
    what: int


class Said(NamedTuple):
    """What came of it: *carries*, from now on the replica carries the router's addresses (or no
    longer); *active*, it tells its agent that it is master (or backup). None: as before.
    """

    time: float
    replica: int
    carries: bool | None
    active: bool | None


class Timing(NamedTuple):
    """Seconds between advertisements, to set addresses up, and until outsiders ask anew.

    *repeats*: a master announces itself again and again, not only once.
    """

    advert: float
    promote: float
    arp_timeout: float
    repeats: bool

    @property
    def patience(self) -> float:
        """How long a backup waits for an advertisement, s."""
        return 3 * self.advert + SKEW


class Replica:
    """One replica: whether it is there, is heard, is master, and since when."""

    __slots__ = (
        "announced", "carries", "carries_at", "deadline", "fault", "learned", "linked",
        "linked_since", "master", "number", "present", "rank", "since", "turns_at", "way_out",
    )  # fmt: skip

    def __init__(self, number: int, rank: int, way_out: WayOut | None) -> None:
        self.number, self.rank, self.way_out = number, rank, way_out
        self.present = self.linked = self.fault = self.master = self.carries = False
        self.linked_since = self.deadline = self.since = 0.0
        self.carries_at = INFINITY  # when a master will carry the addresses (again)
        self.announced = INFINITY  # the first gratuitous ARP of this mastership
        self.learned = -INFINITY  # when those outside found it by asking
        self.turns_at = INFINITY  # when its checks make a master FAULT, or mend one that is

    @property
    def takes_part(self) -> bool:
        """Whether it is there and its way out is, as far as it knows."""
        return self.present and not self.fault

    @property
    def is_heard(self) -> bool:
        """Whether it advertises and that passes."""
        return self.master and self.linked

    @property
    def is_lost(self) -> bool:
        """Whether it had no way out when the run began."""
        return self.way_out is not None and self.way_out.is_gone(0.0)

    def starts(self) -> None:
        """It has the router's addresses from its announcement on, and so checks its way out."""
        since = max(self.announced, 0.0)
        self.turns_at = self.way_out.fault(since) if self.way_out else INFINITY


class Step(NamedTuple):
    """What a replica does by itself at *time*; at one instant the least *act*, then *order*, is
    first. *other* is the master that one gives up to.
    """

    time: float
    act: int
    order: int
    one: Replica
    other: Replica


GIVE_UP, CARRY, PROMOTE, FAULT, MEND = range(5)


def _sooner(known: Step | None, new: Step) -> Step:
    return new if known is None or new[:3] < known[:3] else known


class Election:
    """The replicas of one router through time. *said* is what came of it, in order."""

    def __init__(
        self,
        ranks: Sequence[int],
        timing: Timing,
        phase: float,
        ways_out: Sequence[WayOut | None] = (),
    ) -> None:
        """*ranks*: the replicas' addresses; the first master advertised *phase* before time 0.

        *ways_out*: what each replica checks; none does if there are none.
        """
        checks = ways_out or [None] * len(ranks)
        self.replicas = [
            Replica(number, rank, way)
            for number, (rank, way) in enumerate(zip(ranks, checks, strict=True))
        ]
        self.said: list[Said] = []
        self._timing = timing
        self._patience = timing.patience
        self._phase = phase
        self._due = INFINITY
        self._next: Step | None = None

    def run(self, changes: Sequence[Change], horizon: float) -> list[Said]:
        """What *changes*, in order of time, lead to before *horizon*."""
        count = 0
        while count < len(changes) and changes[count].time <= 0:
            self._apply(*changes[count])
            count += 1
        self._begin()
        for change in changes[count:]:
            while self._due < change.time:
                self._fire()
            self._apply(*change)
        while self._due < horizon:
            self._fire()
        return self.said

    def _begin(self) -> None:
        """At time zero the highest address that is heard is master, as if for a long time.

        One that has a way out, if there is any.
        """
        able = [one for one in self.replicas if one.takes_part]
        able = [one for one in able if one.linked] or able
        able = [one for one in able if not one.is_lost] or able
        if able:
            first = max(able, key=lambda one: one.rank)
            first.master = first.carries = True
            first.since = -self._phase
            first.announced = first.since - ONCE_AFTER
            first.starts()
            for one in able if first.linked else ():
                one.linked_since, one.deadline = first.since, first.since + self._patience
            self.said.append(Said(0.0, first.number, True, True))
        self._plan()

    # -- what happens to replicas ----------------------------------------------------------

    def _apply(self, time: float, number: int, what: int) -> None:
        one = self.replicas[number]
        calm = self._due == INFINITY
        if what in (What.BORN, What.JOINED):
            one.present, one.linked = True, what == What.JOINED
            one.linked_since, one.deadline = time, time + self._patience
            if calm and one.linked and any(other.is_heard for other in self.replicas):
                return  # its patience outlasts the time to the next advertisement
        elif what in (What.GONE, What.RESIGNED):
            was_master = one.master
            self._end(one, time, resigns=what == What.RESIGNED)
            one.present = one.linked = one.fault = False
            if calm and not was_master:
                return
        elif what == What.LINKED:
            one.linked, one.linked_since = True, time
        elif what == What.CUT:
            self._cut(one, time)
        self._plan()

    def _stand_down(self, one: Replica, time: float) -> None:
        """Say that *one*, which goes on, is master no longer, if it ever said that it was."""
        if one.master and one.announced < time:
            self.said.append(Said(time, one.number, False if one.carries else None, False))

    def _end(self, one: Replica, time: float, *, resigns: bool) -> None:
        """*one* is master no longer, if it was."""
        if one.is_heard:
            if resigns:
                self._resign(one, time)
            else:
                self._heard_until(one, time)
        one.master = one.carries = False
        one.turns_at = INFINITY

    def _resign(self, one: Replica, time: float) -> None:
        """Priority 0: another master answers at once, or backups wait the skew only."""
        others = [other for other in self.replicas if other.is_heard and other is not one]
        for other in others:
            other.since = time
        for listener in self._listeners(one):
            listener.deadline = time + (self._patience if others else SKEW)

    def _cut(self, one: Replica, time: float) -> None:
        if one.is_heard:
            self._heard_until(one, time)
        elif one.linked:
            for other in self.replicas:
                if other.is_heard:
                    self._hear(one, other, time)
        one.linked = False

    def _listeners(self, master: Replica) -> Iterable[Replica]:
        """The backups that hear *master*."""
        return [
            one
            for one in self.replicas
            if one is not master and one.linked and one.takes_part and not one.master
        ]

    def _heard_until(self, master: Replica, time: float) -> None:
        """*master*'s advertisements pass up to *time*: backups wait from the last one on."""
        for listener in self._listeners(master):
            self._hear(listener, master, time)

    def _hear(self, one: Replica, master: Replica, time: float) -> None:
        advert = self._timing.advert
        steps = math.ceil((time - master.since) / advert) - 1
        last = master.since + steps * advert
        if steps >= 0 and last >= max(one.linked_since, master.linked_since):
            one.deadline = max(one.deadline, last + self._patience)

    # -- what follows by itself ------------------------------------------------------------

    def _plan(self) -> None:
        """Find what happens next if nothing changes: when, what and to whom."""
        masters = [one for one in self.replicas if one.master and one.linked]
        next_: Step | None = None
        for one in self.replicas:
            if not one.present:
                continue
            if one.turns_at < INFINITY:
                act = MEND if one.fault else FAULT
                next_ = _sooner(next_, Step(one.turns_at, act, -one.rank, one, one))
            if one.fault:
                continue
            if one.master:
                if not one.carries:
                    next_ = _sooner(next_, Step(one.carries_at, CARRY, -one.rank, one, one))
                if one.linked and len(masters) > 1:
                    for other in masters:
                        if other.rank > one.rank:
                            heard = self._next_advert(other, one, one.since)
                            next_ = _sooner(next_, Step(heard, GIVE_UP, -one.rank, one, other))
            elif not (one.linked and masters and self._is_kept(one, masters)):
                next_ = _sooner(next_, Step(one.deadline, PROMOTE, -one.rank, one, one))
        self._next = next_
        self._due = INFINITY if next_ is None else next_.time

    def _is_kept(self, one: Replica, masters: list[Replica]) -> bool:
        """Whether backup *one* will hear an advertisement before its patience ends."""
        return any(self._next_advert(other, one, -INFINITY) <= one.deadline for other in masters)

    def _next_advert(self, master: Replica, one: Replica, since: float) -> float:
        """The first advertisement of *master* that passes to *one* after *since*."""
        begin = max(one.linked_since, master.linked_since, since)
        if begin <= master.since:
            return master.since
        advert = self._timing.advert
        return master.since + math.ceil((begin - master.since) / advert) * advert

    def _fire(self) -> None:
        """Do what is due: give up, carry the addresses, become master or FAULT, or be mended."""
        assert self._next is not None
        time, act, _, one, other = self._next
        if act == GIVE_UP:
            self._give_up(one, other, time)
        elif act == CARRY:
            one.carries = True
            regained = time > one.announced
            one.learned = time if regained else -INFINITY
            self.said.append(Said(time, one.number, True, None if regained else True))
        elif act == PROMOTE:
            one.master, one.since = True, time
            one.carries_at = one.announced = time + self._timing.promote
            one.starts()
        elif act == FAULT:
            self._fail(one, time)
        else:
            one.fault, one.turns_at, one.deadline = False, INFINITY, time + self._patience
        self._plan()

    def _fail(self, one: Replica, time: float) -> None:
        """A second check of master *one* failed; the next ones succeed, as it has no address."""
        assert one.way_out is not None
        self._stand_down(one, time)
        self._end(one, time, resigns=True)
        one.fault, one.turns_at = True, time + 2 * one.way_out.interval

    # -- two masters -----------------------------------------------------------------------

    def _give_up(self, loser: Replica, winner: Replica, time: float) -> None:
        """*loser* hears *winner*; who sends to it from outside must learn of *winner*."""
        self._heard_until(loser, time)
        self._stand_down(loser, time)
        stale = self._claimed(loser, time) > self._claimed(winner, time)
        loser.master = loser.carries = False
        loser.turns_at = INFINITY
        loser.deadline = time + self._patience
        if not stale or winner.announced >= time:
            return  # the winner announced itself last, or is about to
        back = min(self._next_claim(winner, time), time + self._timing.arp_timeout)
        if back > time:
            if winner.carries:
                self.said.append(Said(time, winner.number, False, None))
            winner.carries, winner.carries_at = False, back

    def _claimed(self, one: Replica, time: float) -> float:
        """When those outside last learned that *one* has the addresses, before *time*."""
        if one.announced >= time:
            return -INFINITY
        last = one.announced
        if self._timing.repeats:
            last += (math.ceil((time - one.announced) / REFRESH) - 1) * REFRESH
        elif last + ONCE_AFTER < time:
            last += ONCE_AFTER
        return max(last, one.learned)

    def _next_claim(self, one: Replica, time: float) -> float:
        """When *one* announces itself again, at *time* or later; infinity for never."""
        if self._timing.repeats:
            return one.announced + math.ceil((time - one.announced) / REFRESH) * REFRESH
        return one.announced + ONCE_AFTER if one.announced + ONCE_AFTER >= time else INFINITY
