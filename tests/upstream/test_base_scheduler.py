"""The tests of neutron/tests/unit/scheduler/test_base_scheduler.py, master, under their names."""

from __future__ import annotations

import pytest

from simulator.neutron.schedulers import vacant_index


def test_get_vacant_binding_index_no_agents():
    assert vacant_index(0, []) == -1


@pytest.mark.parametrize(
    ("limit", "used", "expected"),
    [(1, [], 1), (1, [1], -1), (3, [1, 3], 2), (3, [2, 3], 1), (2, [2, 3], -1), (1, [2, 3], -1)],
)
def test_get_vacant_binding_index_several_agents(limit, used, expected):
    assert vacant_index(limit, used) == expected


@pytest.mark.parametrize(
    ("used", "expected"), [([1, 2, 3, 5, 7], 4), ([1, 2, 3, 4, 5], 6), ([2, 3, 4, 5, 6], 1)]
)
def test_get_vacant_binding_index_force_scheduling(used, expected):
    assert vacant_index(3, used, force=True) == expected
