"""Markov chains against dense algebra and matrix exponentials, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm, null_space

from simulator.exact.chains import Chain, binomial


def pair(fail, repair):
    return Chain(["up", "down"], lambda s: [("down", fail) if s == "up" else ("up", repair)])


def test_two_states_by_hand():
    """1/19 to fail and 1 to be repaired: 0.95 up; from up, 0.95 + 0.05 exp(-20/19 t)."""
    chain = pair(1 / 19, 1.0)
    assert chain.stationary == pytest.approx([0.95, 0.05])
    up = chain.later(np.array([1.0, 0.0]), np.array([0.0, 2.0]))[:, 0]
    assert up == pytest.approx([1.0, 0.95 + 0.05 * np.exp(-40 / 19)])


def test_a_first_passage_by_hand():
    """One component that is up at first has failed by t with 1 - exp(-t / 19)."""
    chain = pair(1 / 19, 1.0)
    chance = chain.absorbed(np.array([1.0, 0.0]), np.array([0.0, 1.0]), 7.0)
    assert chance == pytest.approx(1 - np.exp(-7 / 19))


@given(st.lists(st.floats(1e-3, 10), min_size=12, max_size=12), st.floats(0.01, 50))
def test_any_chain_of_four_states(rates, time):
    """Every state leads to every other, at rates that are drawn."""
    table = iter(rates)
    matrix = {i: {j: next(table) for j in range(4) if j != i} for i in range(4)}
    chain = Chain(range(4), lambda i: matrix[i].items())
    dense = np.array([[matrix[i].get(j, 0.0) for j in range(4)] for i in range(4)])
    dense -= np.diag(dense.sum(axis=1))
    end = null_space(dense.T, rcond=1e-10)[:, 0]
    assert chain.stationary == pytest.approx(end / end.sum(), abs=1e-9)
    first = np.array([0.0, 1.0, 0.0, 0.0])
    expected = first @ expm(dense * time)
    assert chain.later(first, np.array([time]))[0] == pytest.approx(expected, abs=1e-8)


def test_equal_speeds_have_no_basis_of_modes():
    """Two stages of one rate: the eigenvectors coincide, and the exponential itself is taken."""
    steps = {"a": [("b", 1.0)], "b": [("c", 1.0)], "c": []}
    chain = Chain(["a", "b", "c"], steps.__getitem__)
    law = chain.later(np.array([1.0, 0.0, 0.0]), np.array([2.0]))[0]
    assert law == pytest.approx([np.exp(-2), 2 * np.exp(-2), 1 - 3 * np.exp(-2)])


def test_how_many_of_unlike_events():
    """0.5 and 0.2: none 0.4, one 0.5, both 0.1."""
    assert binomial([0.5, 0.2]) == pytest.approx([0.4, 0.5, 0.1])
