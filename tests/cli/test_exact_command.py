"""`netnode exact` and `netnode run --check-exact`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from simulator.analysis.metrics import METRICS

SPLIT = Path(__file__).parents[2] / "scenarios" / "folsom-l3-split.yaml"
FEW = ("-S", "horizon=60d", "-n", "40", "--no-save", "-q", "-j", "1")


def test_every_metric_stands_in_one_of_two_tables(netnode):
    done = netnode("exact", SPLIT, "--format", "json")
    assert done.code == 0
    found = json.loads(done.out)["variants"]
    assert set(found) == {"split", "conflict"}
    for variant in found.values():
        assert set(variant["answers"]) | set(variant["not_answered"]) == set(METRICS)
    assert found["conflict"]["answers"]["router.availability"]["value"] == pytest.approx(
        0.32, abs=1e-6
    )


@pytest.mark.parametrize("form", ["table", "md"])
def test_tables_name_methods_sources_and_reasons(netnode, form):
    done = netnode("exact", SPLIT, "--variant", "conflict", "--format", form)
    assert "0.3200001333" in done.out
    assert "Not answered" in done.out
    assert "Barlow and Proschan" in done.out
    assert "split" not in done.out
    assert all(metric in done.out for metric in METRICS)


def test_csv_is_one_table(netnode):
    done = netnode("exact", SPLIT, "--format", "csv")
    lines = list(csv.DictReader(io.StringIO(done.out)))
    assert {line["table"] for line in lines} >= {"Exact answers", "Not answered"}
    assert len({tuple(line) for line in lines}) == 1


def test_a_variant_that_is_not_there(netnode):
    done = netnode("exact", SPLIT, "--variant", "splt")
    assert done.code == 2
    assert "it has: split, conflict" in done.err


def test_a_run_beside_its_exact_values(netnode):
    done = netnode("run", SPLIT, *FEW, "--check-exact")
    assert done.code == 0
    assert "Simulated beside exact" in done.out
    assert "a right model fails one comparison in 15,787 at |z| > 4" in done.out


def test_a_bound_of_nothing_fails(netnode):
    done = netnode("run", SPLIT, *FEW, "--check-exact=0.001", "--json")
    assert done.code == 1
    assert json.loads(done.out)["scenario"] == "folsom-l3-split"
    assert "fail: split: router.availability is exact within 0.001 standard errors" in done.err


@pytest.mark.parametrize("form", ["table", "md"])
def test_means_corrected_by_a_control_variate(netnode, form):
    done = netnode("run", SPLIT, *FEW, "--control-variate", "--format", form)
    assert done.code == 0
    _, table = done.out.split("Corrected by the exact mean of node.availability", 1)
    assert "router.availability" in table
    assert "conflict - split" in table
    assert "so many times smaller" in table


def test_a_document_has_corrected_means_inside(netnode):
    document = json.loads(netnode("run", SPLIT, *FEW, "--control-variate", "--json").out)
    assert document["differences"]["conflict - split"]["router.availability"]["pairing_factor"] > 0
    found = {(one["variant"], one.get("minus"), one["metric"]): one
             for one in document["control_variate"]}  # fmt: skip
    assert found["split", None, "router.availability"]["mean"] == pytest.approx(0.8, abs=1e-4)
    assert found["split", None, "router.availability"]["factor"] > 1000
    assert ("conflict", "split", "router.downtime_host") in found
    assert "control_variate" not in json.loads(netnode("run", SPLIT, *FEW, "--json").out)


def test_csv_stays_one_table_with_a_control_variate(netnode):
    done = netnode("run", SPLIT, *FEW, "--control-variate", "--format", "csv")
    assert len({len(line) for line in csv.reader(io.StringIO(done.out))}) == 1
    assert "router.availability, split, " in done.err


def test_with_few_replications_nothing_is_corrected(netnode):
    done = netnode("run", SPLIT, *FEW, "-n", "10", "--control-variate")
    assert "nothing is corrected: too few replications saw anything" in done.out


def test_a_run_says_what_pairing_gains(netnode):
    assert "common random numbers: variances of differences are" in netnode("run", SPLIT, *FEW).out
    few = netnode("run", SPLIT, *FEW, "-n", "19").out
    assert "common random numbers" not in few


def test_without_an_exact_answer_there_is_no_pass(netnode, monkeypatch):
    from simulator.exact import check

    monkeypatch.setattr(check, "comparisons", lambda *args: [])
    done = netnode("run", SPLIT, *FEW, "-n", "2", "--check-exact")
    assert "no metric here has an exact answer" in done.out
    assert done.code == 4


@pytest.mark.parametrize(("more", "code"), [((), 3), (("--undecided=pass",), 0)])
def test_where_nothing_could_be_judged_there_is_no_pass(netnode, monkeypatch, more, code):
    """Of all that is exact only what two replications cannot decide is left."""
    from simulator.exact import check

    kept = check.comparisons
    undecided = lambda *args: [c for c in kept(*args) if c.verdict == "undecided"]  # noqa: E731
    monkeypatch.setattr(check, "comparisons", undecided)
    done = netnode("run", SPLIT, *FEW, "-n", "2", "--check-exact", *more)
    assert "nothing could be judged" in done.out
    assert done.code == code


@pytest.mark.parametrize(("bound", "told"), [
    ("nan", "no number of standard errors"), ("inf", "not in the range 0<x<=7"),
    ("7.1", "not in the range 0<x<=7"), ("0", "not in the range 0<x<=7"),
])  # fmt: skip
def test_a_bound_can_be_reckoned_with(netnode, bound, told):
    done = netnode("run", SPLIT, *FEW, f"--check-exact={bound}")
    assert done.code == 2
    assert told in done.err


def test_the_highest_bound_is_one():
    from simulator.cli import exactness
    from simulator.exact import check

    assert (exactness.BOUND, exactness.HIGHEST) == (check.BOUND, check.HIGHEST)


def test_the_first_look_is_after_as_many_replications_as_were_asked_for(netnode):
    until = ("--until", "router.availability=5%", "--most", "80", "-S", "replications=1000")
    done = netnode("run", SPLIT, *FEW, "-n", "40", *until)
    assert done.code == 0
    assert "target reached after 40 of at most 80" in done.out
