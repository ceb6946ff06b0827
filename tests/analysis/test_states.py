"""States and moves, read in arrays, against reading them event by event."""

from __future__ import annotations

import dataclasses
from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from lab import run_one

from simulator.analysis.intervals import Rows, union
from simulator.analysis.measured import at_level
from simulator.analysis.onsets import moves
from simulator.analysis.states import alternating, failed
from simulator.trace import Kind

PARTS, HORIZON = 3, 20.0
happened = st.lists(
    st.tuples(st.integers(0, 19), st.booleans(), st.integers(0, PARTS - 1)), max_size=30
).map(lambda found: sorted(found, key=lambda event: event[0]))


def trace_of(events, on, off):
    """A trace of nothing but *events*, each (time, whether it is *on*, subject)."""
    time, is_on, subject = np.array(events, dtype=np.int64).reshape(-1, 3).T
    return dataclasses.replace(
        EMPTY,
        horizon=HORIZON,
        time=time.astype(float),
        kind=np.where(is_on == 1, on, off).astype(np.int64),
        subject=subject,
        object=np.full(time.size, -1),
        value=np.zeros(time.size),
    )


EMPTY = run_one(horizon="1h").trace


def listed(found):
    return {
        key: list(zip(*(e.tolist() for e in spans), strict=True)) for key, spans in found.items()
    }


def united(pairs):
    found = {}
    for key, mine in pairs.items():
        spans = union(*np.array(mine, dtype=float).reshape(-1, 2).T)
        if spans.starts.size:
            found[key] = spans
    return listed(found)


@given(happened)
def test_on_from_the_first_event_to_the_next_other_one(events):
    since, pairs = {}, defaultdict(list)
    for time, on, part in events:
        if on:
            since.setdefault(part, time)
        elif part in since:
            pairs[part].append((since.pop(part), time))
    for part, time in since.items():
        pairs[part].append((time, HORIZON))
    found = alternating(trace_of(events, Kind.STOPPED, Kind.STARTED), Kind.STOPPED, Kind.STARTED)
    assert listed(found) == united(pairs)


@given(happened)
def test_failed_while_any_cause_holds(events):
    """What is repaired had failed: a repair without a cause is left out."""
    causes, since, pairs, real = defaultdict(int), {}, defaultdict(list), []
    for time, fails, part in events:
        if not fails and not causes[part]:
            continue
        real.append((time, fails, part))
        causes[part] += 1 if fails else -1
        if fails:
            since.setdefault(part, time)
        elif not causes[part]:
            pairs[part].append((since.pop(part), time))
    for part, time in since.items():
        pairs[part].append((time, HORIZON))
    assert listed(failed(trace_of(real, Kind.FAIL, Kind.REPAIR))) == united(pairs)


served = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 12), st.integers(1, 4)),
    max_size=14,
)


def rows(found):
    owner, node, start, length = np.array(found, dtype=np.int64).reshape(-1, 4).T
    return Rows(owner, node, start.astype(float), (start + length).astype(float))


@given(served, served)
def test_an_outage_moves_an_owner_if_no_node_before_it_serves_after_it(down, serving):
    outages, table = rows(down), rows(serving)
    expected = []
    for owner, start, end in zip(outages.owner, outages.start, outages.end, strict=True):
        mine = table.owner == owner
        old = set(table.node[mine & (table.end == start)].tolist())
        new = set(table.node[mine & (table.start == end)].tolist())
        if old and new and not old & new:
            expected.append(end - start)
    assert moves(outages, table).tolist() == expected


@given(
    st.lists(st.floats(0, 1e9), min_size=1, max_size=40),
    st.sampled_from([0.0, 0.05, 0.5, 0.95, 1.0]),
)
def test_quantiles_are_those_of_numpy(values, level):
    assert at_level(np.array(values), level) == np.quantile(values, level)
