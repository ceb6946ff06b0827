"""Baselines: what is read is what was written, and what is not of this scenario is refused."""

from __future__ import annotations

import dataclasses
import json
import lzma
import math

import numpy as np
import pytest
from lab import down_share, network_nodes, scenario

from simulator.analysis import baseline_files
from simulator.analysis.baseline import (
    KEPT_EVENTS,
    baseline_of,
    changes,
    first_events,
    model_digest,
    moved,
    refuse_other,
)
from simulator.analysis.baseline_files import read_baseline, rendered, write_baseline
from simulator.analysis.fingerprint import Moved
from simulator.analysis.metrics import METRICS
from simulator.errors import InputError, OutputError
from simulator.experiment.runner import run


def given(**keys):
    return scenario(
        **{
            "name": "small",
            "start": "equilibrium",
            "horizon": "5d",
            "failures": {"host": down_share(0.05)},
            "variants": {"f": {"release": "folsom"}, "g": {"hosts": network_nodes(2)}},
            **keys,
        }
    )


@pytest.fixture(scope="module")
def result():
    return run(given(), replications=4, jobs=1, objects="none")


@pytest.fixture
def path(result, tmp_path):
    file = tmp_path / "small.json"
    write_baseline(baseline_of(result, {"load.carried": 2.5}), file, result.scenario.window)
    return file


def test_what_is_read_back_is_what_was_written(result, path):
    before, back = baseline_of(result, {"load.carried": 2.5}), read_baseline(path)
    assert (back.name, back.seed, back.replications) == ("small", 1, 4)
    assert back.model == json.loads(json.dumps(before.model))
    assert (back.fingerprints, back.machine) == (before.fingerprints, before.machine)
    assert (back.events, back.tolerances, back.path) == (before.events, {"load.carried": 2.5}, path)
    for variant, sample in before.samples.items():
        assert back.samples[variant].reasons == sample.reasons
        for metric in METRICS:
            mine, theirs = sample.values[metric], back.samples[variant].values[metric]
            assert mine.tobytes() == theirs.tobytes() or np.array_equal(
                mine, theirs, equal_nan=True
            )


def test_it_keeps_the_first_events_of_replication_0(result):
    kept = first_events(result)
    assert list(kept) == ["f", "g"]
    for variant, lines in kept.items():
        assert len(lines) == min(KEPT_EVENTS // 2, result.fingerprints[variant, 0].events)
        assert lines[0].startswith("0.0\t")
    other = run(given(), replications=2, jobs=1, objects="none", trace_replication=1)
    assert first_events(other) == {}


def test_a_metric_and_a_trace_are_a_line_each_so_that_a_diff_reads_well(result, path):
    lines = path.read_text().splitlines()
    document = json.loads(path.read_text())
    (line,) = [one for one in lines if '"router.availability": ' in one and '"values"' in one][:1]
    assert '"unit": "1"' in line
    assert '"mean": 0.9' in line
    traces = [one for one in lines if '"slices": ' in one]
    assert len(traces) == 8
    count = sum(len(rows) for rows in document["metrics"].values())
    assert count == 2 * len(METRICS)
    assert len(lines) < count + len(traces) + 60
    assert list(document) == sorted(document)
    assert list(document["metrics"]["f"]) == sorted(METRICS)
    assert document["scenario_sha256"] == model_digest(document["model"])


def test_one_line_each_down_to_the_depth():
    assert rendered({"b": {"d": {"e": 1}, "c": []}, "a": 2}, 2) == (
        '{\n "a": 2,\n "b": {\n  "c": [],\n  "d": {"e": 1}\n }\n}'
    )
    assert rendered([[1, 2], {}], 1) == "[\n [1, 2],\n {}\n]"
    with pytest.raises(ValueError, match="not JSON compliant"):
        rendered({"a": float("nan")})


def test_writing_it_again_changes_no_byte(result, path):
    files = [path, path.with_suffix(".events.xz")]
    before = [(file.read_bytes(), file.stat().st_ino) for file in files]
    write_baseline(baseline_of(result, {"load.carried": 2.5}), path, result.scenario.window)
    assert [file.read_bytes() for file in files] == [data for data, _ in before]
    assert files[1].stat().st_ino == before[1][1]  # not even rewritten: it is binary
    assert sorted(one.name for one in path.parent.iterdir()) == ["small.events.xz", "small.json"]


def test_a_failed_write_leaves_the_old_one_as_it_was(result, path, monkeypatch):
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(baseline_files.os, "replace", full)
    with pytest.raises(OutputError, match=r"cannot write .*small\.json: No space left"):
        write_baseline(baseline_of(result), path, result.scenario.window)
    assert path.read_bytes() == before
    assert sorted(one.name for one in path.parent.iterdir()) == ["small.events.xz", "small.json"]


# -- damaged ---------------------------------------------------------------------------------


def edited(**keys):
    return lambda document: {**document, **keys}


def without(key):
    return lambda document: {name: value for name, value in document.items() if name != key}


def in_metric(**keys):
    def edit(document):
        document["metrics"]["g"]["router.availability"].update(keys)
        return document

    return edit


def in_trace(edit):
    def apply(document):
        document["traces"]["g"] = edit(document["traces"]["g"])
        return document

    return apply


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (edited(schema_version=2), r"schema version 2 of baselines; this is 1: make it anew"),
        (without("schema_version"), "schema version None of baselines"),
        (without("machine"), "damaged: 'machine' is missing"),
        (without("events_sha256"), "damaged: 'events_sha256' is missing"),
        (edited(seed="1"), "damaged: 'replications' and 'seed' must be whole numbers"),
        (edited(replications=0), "damaged: 'replications' and 'seed' must be whole numbers"),
        (edited(replications=5), "damaged: .* has 4 values, not 5"),
        (edited(metrics=[]), "damaged: "),
        (edited(metrics={}), "damaged: 'traces' and 'metrics' are not of the same variants"),
        (edited(traces={"g": []}), "damaged: 'traces' and 'metrics' are not of the same variants"),
        (edited(tolerances={"router.up": 1}), "damaged: 'tolerances' name 'router.up', which"),
        (edited(tolerances={"load.carried": "x"}), "damaged: could not convert"),
        (edited(model={"horizon": "9d"}), "damaged: 'scenario_sha256' is not that of its 'model'"),
        (in_metric(mean=0.5), "damaged: .*'router.availability': its mean is not that of"),
        (in_metric(values=[1, 2]), "damaged: .*'router.availability' has 2 values, not 4"),
        (in_metric(values=["x"] * 4), "damaged: .*'router.availability' has the value 'x'"),
        (in_trace(lambda traces: traces[:3]), "damaged: 'traces': 'g' has 3, not 4"),
        (in_trace(lambda traces: [{}] * 4), "damaged: not a fingerprint"),
        (in_trace(lambda traces: [1] * 4), "damaged: "),
    ],
)  # fmt: skip
def test_what_is_damaged_is_named_with_its_file(path, edit, why):
    path.write_text(json.dumps(edit(json.loads(path.read_text()))))
    with pytest.raises(InputError, match=rf"small\.json: {why}") as caught:
        read_baseline(path)
    assert len(str(caught.value).splitlines()) == 1


def test_what_is_no_json_has_line_and_column(path):
    path.write_text(path.read_text()[:500])
    with pytest.raises(InputError, match=r"small\.json: damaged: not JSON: .* line \d+ column \d+"):
        read_baseline(path)


@pytest.mark.parametrize(
    "data", [b"", b"not xz", lzma.compress(b"g\t0.0\tfail\tn\t\t0.0\n"), lzma.compress(b"\xff")]
)
def test_events_that_were_not_written_with_it_explain_nothing(path, data):
    beside = path.with_suffix(".events.xz")
    beside.write_bytes(data)
    assert read_baseline(path).events == {}
    beside.unlink()
    assert read_baseline(path).events == {}


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_a_tolerance_is_a_number_from_zero_on(path, value):
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "tolerances": {"router.availability": value}}))
    with pytest.raises(InputError, match=r"small\.json: damaged: 'tolerances'"):
        read_baseline(path)


# -- another scenario ------------------------------------------------------------------------


def test_what_only_says_how_often_it_is_run_makes_no_other_scenario(result):
    same = given(seed=9, replications=77, description="other words", baseline="g")
    assert refuse_other(same, baseline_of(result), changed=False) == []
    # A key that says what is the default anyway changes nothing either.
    told = given(segmentation="gre", warm_up="0s")
    assert refuse_other(told, baseline_of(result), changed=False) == []


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"name": "other"}, "a baseline of scenario 'small', not 'other'"),
        ({"horizon": "6d"}, r'of another experiment: horizon is "518400\.0s", was "432000\.0s"'),
        ({"start": "all_up"}, 'of another experiment: start is "all_up", was not set'),
    ],
)
def test_another_scenario_or_experiment_is_refused_even_if_changed(result, keys, why):
    for changed in (False, True):
        with pytest.raises(InputError, match=f"the baseline: {why}"):
            refuse_other(given(**keys), baseline_of(result), changed=changed)


def test_a_change_is_told_by_its_path_unless_it_is_meant(result):
    other = given(variants={"f": {"release": "folsom"}, "g": {"hosts": network_nodes(3)}})
    said = "variants.g.hosts.network.count is 3, was 2"
    with pytest.raises(InputError, match=f"as it was before a change: {said}; to judge"):
        refuse_other(other, baseline_of(result), changed=False)
    assert refuse_other(other, baseline_of(result), changed=True) == [said]
    renamed = given(variants={"f": {"release": "folsom"}, "h": {"hosts": network_nodes(2)}})
    found = refuse_other(renamed, baseline_of(result), changed=True)
    assert [one.split()[0] for one in found] == ["variants.g", "variants.h"]
    many = given(variants={"f": {"release": "folsom"}, "g": {"release": "havana"}},
                 failures={}, workload={"tenants": 9}, segmentation="vlan")  # fmt: skip
    with pytest.raises(InputError, match=r", and [3-9] more; to judge"):
        refuse_other(many, baseline_of(result), changed=False)


# -- what moved ------------------------------------------------------------------------------


def test_changes_are_the_metrics_whose_values_moved(result):
    before = baseline_of(result)
    assert list(changes(before, before, result.scenario.window)) == []
    sample = result.samples["g"]
    values = {**sample.values, "load.carried": np.full(4, 7.0)}
    samples = {**result.samples, "g": dataclasses.replace(sample, values=values)}
    after = dataclasses.replace(before, samples=samples)
    (change,) = changes(before, after, result.scenario.window)
    assert (change.variant, change.metric) == ("g", "load.carried")
    assert (change.before.mean, change.after.mean) == (None, 7.0)
    (new,) = changes(
        dataclasses.replace(before, samples={"f": result.samples["f"]}),
        dataclasses.replace(before, samples={**result.samples, "g": dataclasses.replace(
            sample, values={"load.carried": np.full(4, 7.0)})}),
        result.scenario.window,
    )  # fmt: skip
    assert (new.before, new.after.mean) == (None, 7.0)


def test_moved_tells_traces_apart_by_what_moved(result):
    before = result.fingerprints
    order = dataclasses.replace(before["g", 1], ordered="0" * 16)
    numbers = dataclasses.replace(before["g", 2], events=7)
    after = {**before, ("g", 1): order, ("g", 2): numbers, ("new", 0): numbers}
    found = moved(before, after)
    assert found[Moved.ORDER] == [("g", 1)]
    assert found[Moved.NUMBERS] == [("g", 2)]
    assert len(found[Moved.NOTHING]) == 6
    assert Moved.TABLES not in found
