"""The same bits, whoever computes them; partial results; limits."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from lab import down_share, network_nodes, scenario

from simulator.errors import InputError
from simulator.experiment import runner
from simulator.experiment.runner import run
from simulator.scenario.load import resolved_yaml


def small():
    """Two variants in which much happens."""
    return scenario(
        start="equilibrium",
        horizon="10d",
        hosts=network_nodes(),
        failures={"host": down_share(0.02), "agent": down_share(0.01, "50h")},
        workload={"tenants": 4, "changes": {"vms": {"arrivals": "2/d"}}},
        variants={"one": {}, "two": {"hosts": {"network": {"count": 2}}}},
    )


def table(result):
    return {
        (variant, metric): values.tobytes()
        for variant, sample in result.samples.items()
        for metric, values in sample.values.items()
    }


@pytest.fixture(scope="module")
def serial():
    return run(small(), replications=12, jobs=1)


@pytest.mark.parametrize(("jobs", "method"), [(2, "fork"), (5, "fork"), (2, "spawn")])
def test_workers_do_not_change_a_bit(serial, jobs, method):
    other = run(small(), replications=12, jobs=jobs, start_method=method)
    assert table(other) == table(serial)
    assert other.objects.equals(serial.objects)
    assert other.events.equals(serial.events)


@pytest.mark.no_cover
def test_a_second_run_is_the_same_and_another_seed_is_not(serial):
    assert table(run(small(), replications=12, jobs=1)) == table(serial)
    assert table(run(small(), replications=12, seed=7, jobs=1)) != table(serial)


def test_a_replication_does_not_depend_on_how_many_there_are(serial):
    few = run(small(), replications=3, jobs=1)
    for variant, sample in few.samples.items():
        for metric, values in sample.values.items():
            assert np.array_equal(
                values, serial.samples[variant].values[metric][:3], equal_nan=True
            )


HASHED = """
import sys, hashlib
sys.path[:0] = sys.argv[1:]
from test_runner import small, table
from simulator import run
found = table(run(small(), replications=3, jobs=1))
print(hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest())
"""


@pytest.mark.no_cover
def test_the_hash_seed_does_not_change_a_bit():
    here = os.path.dirname(__file__)
    found = {
        subprocess.run(
            [sys.executable, "-c", HASHED, here, os.path.dirname(here)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("0", "1", "12345")
    }  # fmt: skip
    assert len(found) == 1


def test_progress_is_told_and_the_trace_kept():
    seen = []
    result = run(
        small(), replications=4, jobs=1, trace_replication=2,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert set(result.events["variant"]) == {"one", "two"}
    assert result.trace_replication == 2


def test_an_interrupt_keeps_what_finished():
    def interrupt(done, total):
        if done == 3:
            raise KeyboardInterrupt

    result = run(small(), replications=9, jobs=1, progress=interrupt)
    assert result.partial
    assert result.replications == [0, 1, 2]
    assert result.estimate("router.availability", "one").n == 3


def test_too_many_objects_are_kept_as_quantiles(monkeypatch, tmp_path):
    """12 x 2 x 8 rows exceed a limit of 100: 101 levels for each kind, variant, replication."""
    monkeypatch.setattr("simulator.experiment.runner.ROW_LIMIT", 100)
    few = run(small(), replications=12, jobs=1)
    every = run(small(), replications=12, jobs=1, objects="all")
    assert len(few.objects) == 12 * 2 * 2 * 101
    assert "object" in every.objects
    mine = few.objects.query("variant == 'two' and replication == 3 and kind == 'router'")
    rows = every.objects.query("variant == 'two' and replication == 3 and kind == 'router'")
    assert mine["downtime_s"].max() == rows["downtime_s"].max()
    assert mine.loc[mine["quantile"] == 0.5, "downtime_s"].item() == rows["downtime_s"].median()
    few.save(tmp_path / "kept")


@pytest.mark.parametrize(
    "wrong",
    [
        {"objects": "x"}, {"replications": True}, {"replications": "3"}, {"replications": 2.0},
        {"replications": 0}, {"seed": "x"}, {"seed": -1}, {"jobs": 1.5}, {"jobs": -1},
        {"trace_replication": "0"},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(InputError):
        run(small(), **{"replications": 2, "jobs": 1, **wrong})


def test_a_path_will_do(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(resolved_yaml(small()))
    assert table(run(path, replications=2, jobs=1)) == table(run(small(), replications=2, jobs=1))
    with pytest.raises(InputError, match="not int"):
        run(3)


def test_more_than_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr(os, "sysconf", lambda name: 100)
    with pytest.raises(InputError, match=r"networks and routers in each of 2 jobs need about"):
        run(small(), replications=2, jobs=2)


def test_arrivals_decide_how_objects_are_kept(monkeypatch):
    """8 objects at the start and 2 a second for 100 s, in 10 replications."""
    given = scenario(horizon="100s", workload={"changes": {"networks": {"arrivals": "2/s"}}})
    few = scenario(horizon="100s")
    monkeypatch.setattr("simulator.experiment.runner.ROW_LIMIT", 500)
    assert runner._kept("auto", few.model_copy(update={"replications": 10})) == "rows"
    assert runner._kept("auto", given.model_copy(update={"replications": 10})) == "quantiles"
