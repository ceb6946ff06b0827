"""Intervals against brute force on a small grid of integers."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.analysis.intervals import (
    Lives,
    Rows,
    Spans,
    clip,
    complement,
    gaps,
    intersect,
    join,
    union,
)

pairs = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=12).map(
    lambda found: [(float(min(p)), float(max(p))) for p in found]
)
owned = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 30), st.integers(0, 30)), max_size=15
).map(lambda found: [(o, float(min(a, b)), float(max(a, b))) for o, a, b in found])


def spans(found):
    table = np.array(found, dtype=float).reshape(-1, 2)
    return union(table[:, 0], table[:, 1])


def rows(found):
    table = np.array(found, dtype=float).reshape(-1, 3)
    owner = table[:, 0].astype(np.int64)
    return Rows(owner, owner * 10, table[:, 1], table[:, 2]).take(table[:, 2] > table[:, 1])


def covered(found):
    """The unit cells that intervals cover."""
    return {i for a, b in found for i in range(int(a), int(b))}


def cells(one: Spans):
    return covered(zip(one.starts, one.ends, strict=True))


def is_clean(one: Spans):
    return bool(np.all(one.starts < one.ends) and np.all(one.starts[1:] > one.ends[:-1]))


@given(pairs)
def test_union(found):
    assert cells(spans(found)) == covered(found)
    assert is_clean(spans(found))


@given(pairs, pairs)
def test_intersection_and_complement(a, b):
    one, other = spans(a), spans(b)
    assert cells(intersect(one, other)) == covered(a) & covered(b)
    assert cells(complement(one, 0, 30)) == set(range(30)) - covered(a)
    assert cells(clip(one, 5, 20)) == covered(a) & set(range(5, 20))
    assert complement(one, 0, 30).length == 30 - one.length


@given(owned)
def test_rows_merge_by_owner(found):
    merged = rows(found).merged()
    for owner in range(4):
        mine = merged.take(merged.owner == owner)
        assert covered(zip(mine.start, mine.end, strict=True)) == covered(
            (a, b) for o, a, b in found if o == owner
        )
        assert is_clean(Spans(mine.start, mine.end))
    totals = merged.total(4)
    assert totals.sum() == sum(
        len(covered((a, b) for o, a, b in found if o == owner)) for owner in range(4)
    )


@given(owned, st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=4, max_size=4))
def test_gaps_are_life_without_service(found, bounds):
    start = np.array([min(b) for b in bounds], dtype=float)
    end = np.array([max(b) for b in bounds], dtype=float)
    lives = Lives(start, end)
    serving = rows(found)
    inside = Rows(
        serving.owner, serving.node,
        np.maximum(serving.start, start[serving.owner]),
        np.minimum(serving.end, end[serving.owner]),
    )  # fmt: skip
    inside = inside.take(inside.end > inside.start).merged()
    silent = gaps(inside, lives)
    for owner in range(4):
        life = covered([(start[owner], end[owner])])
        served = covered((a, b) for o, a, b in found if o == owner)
        mine = silent.take(silent.owner == owner)
        assert covered(zip(mine.start, mine.end, strict=True)) == life - served
        order = np.argsort(mine.start)
        assert is_clean(Spans(mine.start[order], mine.end[order]))


@settings(max_examples=60)
@given(owned, owned)
def test_join_by_owner(left, right):
    pieces, table = rows(left), rows(right).merged()
    which, parts = join(pieces.owner, pieces.start, pieces.end, table)
    for i, (owner, a, b) in enumerate(zip(pieces.owner, pieces.start, pieces.end, strict=True)):
        mine = which == i
        assert covered(zip(parts.start[mine], parts.end[mine], strict=True)) == covered(
            [(a, b)]
        ) & covered((c, d) for o, c, d in right if o == owner)
