"""The line of heartbeats: worked out in batches, it is what one after the other makes of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.clock import TICK, TICKS_PER_SECOND, Rank
from simulator.distributions import Deterministic, Exponential, Lognormal
from simulator.world import arrivals
from simulator.world.arrivals import Position, Rounds, Scattered
from simulator.world.cluster import priority
from simulator.world.lanes import Lanes, departures
from simulator.world.noise import ConstantDelay, RandomDelay, Stretch
from simulator.world.queueing import Gaps, Services
from simulator.world.spans import joined
from simulator.world.streams import SERVICE, Streams

TICKS = st.integers(0, 2**40)
WORK = st.lists(st.tuples(st.integers(0, 2**24), st.integers(0, 2**24)), min_size=1, max_size=60)
INTERVAL = 4.0


def seconds(ticks):
    return np.array(ticks, dtype=float) / TICKS_PER_SECOND


def line_of(work):
    """Arrivals, in order, and what each costs."""
    gaps, costs = zip(*work, strict=True)
    return np.cumsum(seconds(gaps)), seconds(costs)


@given(TICKS, WORK)
def test_the_recursion_is_the_loop(free, work):
    times, costs = line_of(work)
    free, expected = free / TICKS_PER_SECOND, []
    for time, cost in zip(times, costs, strict=True):
        expected.append((max(time, expected[-1] if expected else free)) + cost)
    assert departures(free, times, costs).tolist() == expected


@given(st.lists(st.tuples(st.integers(1, 4), WORK), min_size=1, max_size=4))
def test_workers_take_many_pieces_as_they_take_each(turns):
    """However many workers there are from one batch to the next."""
    whole, single, begin = Lanes(-math.inf), Lanes(-math.inf), 0.0
    for workers, work in turns:
        times, costs = line_of(work)
        times += begin
        expected = [
            single.assign([cost], time, workers=workers, now=time)[0]
            for time, cost in zip(times.tolist(), costs.tolist(), strict=True)
        ]
        assert whole.assign_each(costs, times, workers=workers).tolist() == expected
        begin = float(times[-1])


@given(st.integers(0, 20000), st.integers(1, 9000))
def test_the_times_of_the_server_are_the_same_in_any_batch(first, count):
    law = Exponential(0.05)
    some = Services(law, Streams(1, 0)).some(first, count)
    alone = Services(law, Streams(1, 0))
    places = {0, count // 2, count - 1}
    assert [some[place] for place in places] == [alone.one(first + place) for place in places]
    u = float(Streams(1, 0).uniform(0, SERVICE, first))
    assert abs(some[0] - law.sample(u)) <= TICK


def noise(delay=None, loss=0.0, *, entity=1, slack=5.0):
    return RandomDelay(
        delay, loss, slack=slack, each=True, streams=Streams(1, 0), entity=entity
    )  # fmt: skip


LAWS = [Exponential(3.0), Lognormal(0.0, 1.2), Deterministic(0.0), Exponential(1e-6)]


@pytest.mark.parametrize("law", LAWS)
@given(st.integers(0, 2000), st.integers(1, 200))
def test_delays_are_the_same_in_any_batch(law, first, count):
    found = noise(law, 0.1).delays(first, count).tolist()
    alone = noise(law, 0.1)
    expected = [alone.arrival(number, 0.0) for number in range(first, first + count)]
    assert [None if math.isnan(delay) else delay for delay in found] == expected


# -- arrivals --------------------------------------------------------------------------------

STRETCHES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 12)), min_size=1, max_size=12
)
"""Whose, seconds after the last one of this agent, and how many; one after the other."""


def fill(source, stretches, noises):
    """Have *source* follow them; all that comes of them, as (time, turn, whose)."""
    free, number, expected = [0.0] * 3, [0] * 3, []
    for who, pause, count in stretches:
        stretch = Stretch(free[who] + pause, number[who], INTERVAL, True, 0, count=count)
        source.follow(who, stretch)
        for i in range(count):
            sent = stretch.first + i * INTERVAL
            time = noises[who].arrival(stretch.index + i, sent)
            if time is not None:
                rank = Rank.EMIT if time == sent else Rank.DELIVER
                expected.append((time, priority(rank, 10 + who), who, sent))
        number[who] += count
        free[who] = stretch.first + count * INTERVAL
    return sorted(expected)


def sources():
    slow, none = ConstantDelay(1.5, 9.0), ConstantDelay(0.0, 9.0)
    yield Rounds, [slow] * 3
    yield Rounds, [none] * 3
    for law in LAWS:
        yield Scattered, [noise(law, 0.2, entity=who) for who in range(3)]


@pytest.mark.parametrize(("make", "noises"), list(sources()))
@given(STRETCHES, st.lists(st.tuples(st.integers(0, 80), st.integers(0, 2)), max_size=5))
def test_arrivals_come_in_the_order_of_simulated_ones(make, noises, stretches, stops):
    """However often they are asked for, and up to which turn of an instant."""
    source = make()
    for who in range(3):
        source.enter(10 + who, noises[who])
    expected = fill(source, stretches, noises)
    for time, who in [*sorted(stops), (math.inf, 0)]:
        end = Position(float(time), priority(Rank.DELIVER, 10 + who))
        ahead = [row for batch in source.copy().upto(end) for row in rows(batch)]
        found = [row for batch in source.upto(end) for row in rows(batch)]
        due = [row for row in expected if row[:2] < (end.time, end.turn)]
        expected = expected[len(due) :]
        assert found == ahead == [(time, who, sent) for time, _, who, sent in due]


@pytest.mark.parametrize(("make", "noises"), list(sources()))
@given(STRETCHES, st.integers(0, 60), st.integers(0, 60))
def test_those_under_way_are_given_once(make, noises, stretches, asked, after):
    source = make()
    for who in range(3):
        source.enter(10 + who, noises[who])
    expected = fill(source, stretches, noises)
    end = Position(float(min(asked, after)), 0)
    first = [row for batch in source.upto(end) for row in rows(batch)]
    gone = [(time, 1) for time in source.under_way(1, float(after))]
    rest = [row for batch in source.upto(Position(math.inf, 0)) for row in rows(batch)]
    assert sorted(gone) == [(t, w) for t, _, w, _ in expected if w == 1 and t > after]
    left = [(t, w, s) for t, _, w, s in expected if w != 1 or t <= after]
    assert first + rest == left


def rows(batch):
    return list(zip(*(column.tolist() for column in batch), strict=True))


def test_long_stretches_come_in_batches(monkeypatch):
    """Of 10,000 heartbeats each, which are no more at a time than fit."""
    monkeypatch.setattr(arrivals, "SIZE", 100)
    for make, kinds in ((Rounds, [ConstantDelay(0.5, 9.0)] * 3), (Scattered, [noise(LAWS[0])] * 3)):
        source = make()
        for who in range(3):
            source.enter(who, kinds[who])
            source.follow(who, Stretch(who / 8, 0, INTERVAL, True, 0, count=10_000))
        sizes = [batch[0].size for batch in source.upto(Position(math.inf, 0))]
        assert sum(sizes) == 30_000
        assert max(sizes) < 200


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 2)), max_size=40), st.data())
def test_gaps_are_those_of_the_union(processed, data):
    """However they are cut into batches."""
    gaps, limit = Gaps(9.0), 9.0
    for _ in range(3):
        gaps.enter()
    processed.sort()
    rest = processed
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        times, who = zip(*rest[:size], strict=True)
        gaps.add(np.array(times, dtype=float), np.array(who))
        rest = rest[size:]
    for who in range(3):
        spans = [(time, time + limit + TICK) for time, whose in processed if whose == who]
        assert gaps.spans(who) == joined(spans)
