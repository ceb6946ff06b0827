"""The largest node through time against counting second by second, whatever the chunk."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.analysis import largest as module
from simulator.analysis.intervals import Rows, union
from simulator.analysis.largest import largest

NODES = 3
spans = st.tuples(st.integers(0, 20), st.integers(1, 10)).map(lambda s: (s[0], s[0] + s[1]))
loads = st.lists(
    st.tuples(st.integers(0, NODES - 1), spans, st.integers(1, 9)), min_size=1, max_size=12
)
outages = st.lists(st.lists(spans, max_size=3), min_size=NODES, max_size=NODES)


def covered(pairs):
    table = np.array(pairs, dtype=float).reshape(-1, 2)
    return union(table[:, 0], table[:, 1])


@pytest.mark.parametrize("cells", [1, 7, 10_000])
@given(loads, outages)
def test_each_second_agrees_with_counting(cells, rows, failed):
    node = np.array([n for n, _, _ in rows])
    start = np.array([a for _, (a, _), _ in rows], dtype=float)
    end = np.array([b for _, (_, b), _ in rows], dtype=float)
    weight = np.array([w for _, _, w in rows], dtype=float)
    table = Rows(node, node, start, end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CELLS", cells)
        found = largest(table, weight, NODES, node, [covered(pairs) for pairs in failed])
    times = np.concatenate([[start.min()], start.min() + np.cumsum(found.length)])
    assert times[-1] == end.max()
    for i, time in enumerate(times[:-1]):
        held = [weight[(node == n) & (start <= time) & (time < end)].sum() for n in range(NODES)]
        assert (found.value[i], found.total[i]) == (max(held), sum(held))
        assert found.up[i] == sum(all(not a <= time < b for a, b in pairs) for pairs in failed)


def test_what_rounding_leaves_of_nothing_is_nothing():
    """0.1 + 0.2 - 0.1 - 0.2 is not 0; from 3 to 4 s nothing is held."""
    node = np.array([0, 0, 0])
    table = Rows(node, node, np.array([0.0, 1, 4]), np.array([2.0, 3, 5]))
    found = largest(table, np.array([0.1, 0.2, 1.0]), 1, node)
    assert found.value.tolist() == [pytest.approx(x) for x in (0.1, 0.3, 0.2, 0, 1)]
    assert found.value[3] == 0.0
