"""Comparing scenarios and results: B minus A, paired where the random numbers are the same."""

from __future__ import annotations

import numpy as np
import pytest
from lab import down_share, network_nodes, scenario

from simulator import compare, run
from simulator.analysis import statistics
from simulator.analysis.confidence import welch_interval
from simulator.analysis.statistics import DOUBTFUL
from simulator.errors import InputError
from simulator.experiment import workers

METRIC = "router.availability"


def given(**keys):
    return scenario(
        **{
            "start": "equilibrium",
            "horizon": "20d",
            "failures": {"host": down_share(0.05)},
            "replications": 6,
            **keys,
        }
    )


@pytest.fixture(scope="module")
def one():
    return run(given(), jobs=1)


@pytest.fixture(scope="module")
def two():
    return run(given(hosts=network_nodes(2)), jobs=1)


def test_differences_are_b_minus_a_replication_by_replication(one, two):
    found = compare(one, two)
    a, b = (r.samples["base"].values[METRIC] for r in (one, two))
    difference = found.difference(METRIC, found.pairs[0])
    assert found.paired
    assert difference.mean == pytest.approx(np.mean(b - a))
    assert difference == statistics.difference(b, a, unit="1", high=1.0)
    assert difference.doubtful


def test_a_variant_compared_with_itself_differs_by_nothing(one):
    found = compare(one, one)
    row = found.summary.loc["base", METRIC]
    assert (row["mean"], row["ci_low"], row["ci_high"]) == (0, 0, 0)
    assert row["a"] == row["b"] == one.estimate(METRIC, "base").mean
    assert row["paired"]


def test_pairing_is_the_same_as_within_one_scenario(one, two):
    variants = {"base": {}, "more": {"hosts": {"network": {"count": 2}}}}
    both = run(given(variants=variants), jobs=1)
    within = both.difference(METRIC, "more")
    between = compare(one, two)
    assert between.difference(METRIC, between.pairs[0]) == within


def test_scenarios_are_run_and_results_are_not(one, monkeypatch):
    found = compare(given(), one, jobs=1)
    assert found.a.document() == one.document()
    seeds = compare(given(), given(), jobs=1, seed=5, replications=2)
    assert seeds.a.scenario.seed == seeds.b.scenario.seed == 5
    assert seeds.paired
    monkeypatch.setattr(workers, "simulate", None)
    compare(one, one)


def test_files_and_folders(one, tmp_path):
    folder = one.save(tmp_path / "one", pictures=False)
    found = compare(str(folder), folder / "scenario.resolved.yaml", jobs=1)
    assert found.paired
    assert found.names == (str(folder), str(folder / "scenario.resolved.yaml"))
    assert all(d["mean"] in (0, None) for d in found.document()["differences"]["base"].values())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"seed": 7}, "seed differs (1 and 7)"),
        ({"horizon": "10d"}, "horizon differs (20 d and 10 d)"),
        ({"warm_up": "1d"}, "warm_up differs (0 s and 24 h)"),
        ({"start": "all_up"}, "start differs (equilibrium and all_up)"),
        ({"replications": 5}, "the replications differ (6 and 5)"),
    ],
)
def test_what_keeps_samples_from_being_paired_is_said(one, change, why):
    found = compare(one, given(**change), jobs=1)
    assert found.unpaired_because == [why]
    assert found.difference(METRIC, found.pairs[0]).note == f"not paired; {DOUBTFUL}"
    assert f"not paired, so intervals are wider than they could be: {why}" in str(found)
    assert found.document()["paired"] is False


def test_unpaired_intervals_are_welchs(one):
    other = run(given(seed=7, hosts=network_nodes(3)), replications=9, jobs=1)
    found = compare(one, other)
    difference = found.difference(METRIC, found.pairs[0])
    a, b = (r.samples["base"].values[METRIC] for r in (one, other))
    assert (difference.ci_low, difference.ci_high) == welch_interval(b, a)


def test_variants_are_matched_by_name(one):
    left = run(given(variants={"x": {}, "y": {}}), replications=2, jobs=1)
    right = run(given(variants={"y": {}, "z": {}}), replications=2, jobs=1)
    found = compare(left, right)
    assert [(pair.name, pair.a, pair.b) for pair in found.pairs] == [("y", "y", "y")]
    assert "only lab has x" in str(found)
    with pytest.raises(InputError, match=r"is in the other: L has x, y; R has base"):
        compare(left, one, names=("L", "R"))


def test_the_only_variants_match_whatever_their_names(one):
    other = run(given(variants={"other": {}}), jobs=1)
    found = compare(one, other)
    assert found.pairs[0].name == "other - base"
    assert found.summary.loc[("other - base", METRIC), "mean"] == 0


def test_nothing_in_common_is_told_before_anything_runs(monkeypatch):
    monkeypatch.setattr(workers, "simulate", None)
    with pytest.raises(InputError):
        compare(given(variants={"a": {}, "b": {}}), given())


def test_an_interrupted_run_compares_nothing():
    def interrupt(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(given(), given(), jobs=1, progress=interrupt)
