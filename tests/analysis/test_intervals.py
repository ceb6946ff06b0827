"""Intervals against brute force on a small grid of integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.analysis import intervals
from simulator.analysis.intervals import (
    Lives,
    Rows,
    Spans,
    clip,
    complement,
    gaps,
    grouped,
    inside,
    intersect,
    join,
    matched,
    several,
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


placed_rows = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 30), st.integers(1, 9)),
    max_size=15,
)


def with_nodes(found):
    owner, node, start, length = np.array(found, dtype=np.int64).reshape(-1, 4).T
    return Rows(owner, node, start.astype(float), (start + length).astype(float))


def listed(table):
    columns = (table.owner, table.node, table.start, table.end)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def cells_by(table, *keys):
    """The unit cells that rows of the same owner (and node) cover."""
    found = {}
    for owner, node, start, end in listed(table):
        key = tuple({"owner": owner, "node": node}[name] for name in keys)
        found.setdefault(key, set()).update(range(int(start), int(end)))
    return found


@given(pairs)
def test_many_intervals_have_the_union_of_few(found):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "MANY", 3)
        patch.setattr(intervals, "LONGEST", 2)
        assert cells(spans(found)) == covered(found)
        assert is_clean(spans(found))


@given(placed_rows)
def test_rows_are_ordered_and_joined_by_node(found):
    table = with_nodes(found)
    assert listed(table.ordered()) == sorted(listed(table), key=lambda row: (row[0], row[2]))
    joined = table.joined()
    assert [row[::2] for row in listed(joined)] == sorted(row[::2] for row in listed(joined))
    assert cells_by(joined, "owner", "node") == cells_by(table, "owner", "node")
    total = sum(map(len, cells_by(table, "owner", "node").values()))
    assert joined.length.sum() == total
    for _, which in grouped(joined.owner * 10 + joined.node):
        mine = joined.take(which)
        assert is_clean(Spans(mine.start, mine.end))


@given(placed_rows, placed_rows)
def test_rows_without_others(found, other):
    table, others = with_nodes(found), with_nodes(other)
    taken = cells_by(others, "owner")
    one_by_one = Rows(table.owner, np.arange(table.owner.size), table.start, table.end)
    left = cells_by(one_by_one.without(others), "node")
    for i, (owner, _, start, end) in enumerate(listed(table)):
        expected = set(range(int(start), int(end))) - taken.get((owner,), set())
        assert left.get((i,), set()) == expected
    merged = others.merged()
    beyond = listed(one_by_one.beyond(merged))
    held = [
        any(o == owner and a <= start and end <= b for o, _, a, b in listed(merged))
        for owner, _, start, end in listed(table)
    ]
    assert beyond == [row for row, whole in zip(listed(one_by_one), held, strict=True) if not whole]


@given(placed_rows, pairs)
def test_rows_covered_by_the_spans_of_their_key(found, some):
    table = with_nodes(found)
    by_node = [spans(some), spans(some[:3]), spans([(0, 99)])]
    parts = table.covered(table.node, lambda node: by_node[node])
    expected = [
        (owner, node, max(start, a), min(end, b))
        for owner, node, start, end in listed(table)
        for a, b in zip(*(ends.tolist() for ends in by_node[node]), strict=True)
        if max(start, a) < min(end, b)
    ]
    assert listed(parts) == expected


@given(placed_rows, placed_rows)
def test_owners_and_times_are_found(found, other):
    table, others = with_nodes(found).merged(), with_nodes(other)
    assert inside(others.owner, others.start, table).tolist() == [
        any(o == owner and a <= time < b for o, _, a, b in listed(table))
        for owner, _, time, _ in listed(others)
    ]
    which, place = matched(others.owner, others.end, table.owner, table.start)
    assert sorted(zip(which.tolist(), place.tolist(), strict=True)) == [
        (i, j)
        for i, (owner, _, _, time) in enumerate(listed(others))
        for j, (o, _, start, _) in enumerate(listed(table))
        if (o, start) == (owner, time)
    ]
    nodes = [{node for o, node, _, _ in listed(others) if o == owner} for owner in range(4)]
    assert several(others, 4).tolist() == [len(mine) > 1 for mine in nodes]
