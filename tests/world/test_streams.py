"""Random numbers are addressed by who draws, what for and the how-manieth.

Statistical bounds are at ALPHA = 1e-4 each, with fixed seeds: what passes once passes always.
"""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simulator.world import streams
from simulator.world.streams import CRASH, MESSAGE, Streams, stable_hash

ALPHA = 1e-4
AGENT, OTHER = stable_hash("network-1/l3"), stable_hash("network-2/l3")
WORDS = st.integers(0, 2**64 - 1)


@given(WORDS, WORDS, st.integers(0, 500), st.integers(0, 40))
def test_any_slice_equals_the_slice_of_the_whole(entity, purpose, first, count):
    source = Streams(7, 3)
    whole = source.uniforms(entity, purpose, 0, 540)
    part = source.uniforms(entity, purpose, first, count)
    assert part.tolist() == whole[first : first + count].tolist()


@given(st.integers(0, 50), st.integers(1, 50))
def test_a_stream_deals_out_the_same_numbers_one_by_one(first, count):
    source = Streams(7, 3)
    stream = source.stream(AGENT, CRASH, first)
    numbers = [stream.uniform() for _ in range(count)]
    assert numbers == source.uniforms(AGENT, CRASH, first, count).tolist()
    assert stream.drawn == first + count


def test_draws_of_others_in_between_move_nothing():
    source = Streams(7, 3)
    mine, theirs = source.stream(AGENT, CRASH), source.stream(OTHER, MESSAGE)
    mixed = [(mine.uniform(), theirs.uniform())[0] for _ in range(20)]
    alone = Streams(7, 3).stream(AGENT, CRASH)
    assert mixed == [alone.uniform() for _ in range(20)]


def test_an_index_far_out_is_as_near_as_the_first():
    """Heartbeat 2**40, 139,000 years of one each 4 s, without the ones before."""
    source = Streams(1, 0)
    far = source.uniforms(AGENT, CRASH, 2**40 - 2, 4).tolist()
    assert far[2:] == source.uniforms(AGENT, CRASH, 2**40, 2).tolist()


@given(WORDS, WORDS, WORDS, WORDS, st.integers(0, 2**64 - 2))
def test_the_numbers_are_numpys_own_philox(seed, replication, entity, purpose, block):
    """Key (seed, replication), counter (index // 4, 0, entity, purpose).

    numpy's Generator.random is k / 2**53 with the top 53 bits k of a word; ours is in that cell.
    """
    philox = np.random.Philox(
        key=np.array([seed, replication], dtype=np.uint64),
        counter=np.array([block, 0, entity, purpose], dtype=np.uint64),
    )
    expected = np.random.Generator(philox).random(8)
    numbers = Streams(seed, replication).uniforms(entity, purpose, 4 * block, 8)
    assert np.abs(numbers - expected - 2.0**-54).max() <= 2.0**-54
    assert (numbers > 0).all()


DIFFERENT = {
    "one": (1, 0, AGENT, CRASH),
    "another seed": (2, 0, AGENT, CRASH),
    "another replication": (1, 1, AGENT, CRASH),
    "another entity": (1, 0, OTHER, CRASH),
    "another purpose": (1, 0, AGENT, MESSAGE),
    "seed and replication swapped": (0, 1, AGENT, CRASH),
    "entity and purpose swapped": (1, 0, CRASH, AGENT),
}


def draws(name: str, count: int = 20_000, first: int = 0) -> np.ndarray:
    seed, replication, entity, purpose = DIFFERENT[name]
    return Streams(seed, replication).uniforms(entity, purpose, first, count)


@pytest.mark.parametrize("name", DIFFERENT)
def test_each_stream_looks_uniform_and_without_memory(name):
    """Kolmogorov-Smirnov; and lag-1 correlation times sqrt(n) within 3.89, two-sided ALPHA."""
    numbers = draws(name)
    assert stats.kstest(numbers, "uniform").pvalue > ALPHA
    lagged = np.corrcoef(numbers[:-1], numbers[1:])[0, 1]
    assert abs(lagged) * math.sqrt(len(numbers)) < 3.89


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations(DIFFERENT, 2)))
def test_streams_differ_and_are_uncorrelated(a, b):
    first, second = draws(a), draws(b)
    assert not np.isin(first, second).any()
    assert abs(np.corrcoef(first, second)[0, 1]) * math.sqrt(len(first)) < 3.89


def test_the_first_draws_of_many_entities_look_uniform_too():
    """What a fleet of agents draws at once: one number each, by name."""
    source = Streams(1, 0)
    names = [f"network-{i}/{kind}" for i in range(2000) for kind in ("l3", "dhcp", "l2")]
    numbers = [source.uniforms(stable_hash(name), CRASH, 0, 1)[0] for name in names]
    assert stats.kstest(numbers, "uniform").pvalue > ALPHA


def test_index_is_fair():
    """Chi-square of 6000 throws of a die, 5 degrees of freedom."""
    stream = Streams(1, 0).stream(AGENT, CRASH)
    counts = np.bincount([stream.index(6) for _ in range(6000)], minlength=6)
    assert len(counts) == 6
    assert stats.chisquare(counts).pvalue > ALPHA


class Words:
    """Stands in for the generator, and makes one word only."""

    def __init__(self, word: int) -> None:
        self.word, self.state = word, None

    def random_raw(self, count: int) -> np.ndarray:
        return np.full(count, self.word, dtype=np.uint64)


@pytest.mark.parametrize("word", [0, 2**63, 2**64 - 1])
def test_no_uniform_is_zero_or_one(word, monkeypatch):
    """log1p(-1) would raise in the middle of a run, were it ever one."""
    source = Streams(1, 0)
    monkeypatch.setattr(source, "_generator", Words(word))
    number = source.uniforms(AGENT, CRASH, 0, 1)[0]
    assert 0 < number < 1


def test_stable_hash_is_blake2b():
    """`printf network-1/l3 | b2sum -l 64` of GNU coreutils says c16a20e5ad1d5efb."""
    assert stable_hash("network-1/l3") == int.from_bytes(
        bytes.fromhex("c16a20e5ad1d5efb"), "little"
    )


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_stable_hash_does_not_depend_on_the_interpreters_hash_seed(seed):
    code = "from simulator.world.streams import stable_hash as h; print(h('network-1/l3'), h('ä'))"
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == [str(AGENT), str(stable_hash("ä"))]


def test_purposes_are_all_different():
    hashes = [value for name, value in vars(streams).items() if name.isupper() and name[0] != "_"]
    assert CRASH in hashes
    assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize("seed", [0, 2**64 - 1])
def test_every_seed_that_a_scenario_may_have_works(seed):
    assert 0 < Streams(seed, 0).uniforms(AGENT, CRASH, 0, 1)[0] < 1
