"""`netnode baseline update` and `netnode check --baseline`: what they print, write and leave."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulator.analysis import baseline_files

QUICK = ("-j", "1", "-q")
FILE = Path("results/baseline/small.json")


@pytest.fixture
def baseline(netnode, small):
    """The small scenario's baseline, where it is written by default."""
    called = netnode("baseline", "update", small, *QUICK)
    assert (called.code, called.err) == (0, "")
    assert called.out == "results/baseline/small.json: 4 replications, seed 1\n  new\n"
    return FILE


def edit(path, old, new):
    """A copy of *path* in which *old*, which is there, is *new*."""
    text = Path(path).read_text()
    assert old in text
    copy = Path("edited.yaml")
    copy.write_text(text.replace(old, new))
    return copy


def verdicts(called):
    return {one["name"]: one["verdict"] for one in json.loads(called.out)["findings"]}


# -- update ----------------------------------------------------------------------------------


def test_update_keeps_seed_size_and_tolerances_and_tells_what_moved(netnode, small):
    first = ("-n", "3", "--seed", "7", "-t", "load.carried=2Mbps", "--into", "kept")
    assert netnode("baseline", "update", small, *QUICK, *first).code == 0
    again = netnode("baseline", "update", small, *QUICK, "--into", "kept", "-t", "router.outages=5")
    assert again.out == (
        "kept/small.json: 3 replications, seed 7\n"
        "  0 of 94 metrics moved\n"
        "  nothing moved in 6 traces\n"
    )
    document = json.loads(Path("kept/small.json").read_text())
    assert document["tolerances"] == {"load.carried": 2e6, "router.outages": 5.0}
    longer = edit(small, "{mean: 2h}", "{mean: 3h}")
    moved = netnode("baseline", "update", longer, *QUICK, "--into", "kept").out.splitlines()
    assert moved[1].split()[1:] == ["of", "94", "metrics", "moved"]
    assert int(moved[1].split()[0]) == len(moved) - 3
    (line,) = [one for one in moved if one.split()[:2] == ["grizzly", "router.availability"]]
    assert " was 9" in line
    assert moved[-1].startswith("  the numbers moved in ")
    more = netnode("baseline", "update", longer, *QUICK, "--into", "kept", "-n", "2").out
    assert more.startswith("kept/small.json: 2 replications, seed 7\n")


def test_update_replaces_what_it_cannot_read_and_says_so(netnode, small, baseline):
    baseline.write_text("{")
    called = netnode("baseline", "update", small, *QUICK)
    assert called.code == 0
    assert called.err.startswith(
        "the earlier baseline is replaced unread: results/baseline/small.json: damaged: not JSON"
    )
    assert called.out.endswith("  new\n")


def test_update_tells_of_another_machine(netnode, small, baseline):
    baseline.write_text(baseline.read_text().replace('"numpy": "', '"numpy": "0'))
    numpy = json.loads(baseline.read_text())["machine"]["numpy"]
    out = netnode("baseline", "update", small, *QUICK).out
    assert out.endswith(f"  numpy {numpy[1:]}, was {numpy}\n")


def test_two_scenarios_of_one_name_are_refused_before_anything_runs(netnode, small):
    called = netnode("baseline", "update", small, small, *QUICK)
    assert (called.code, called.out) == (2, "")
    assert "two scenarios are named 'small'" in called.err
    assert not Path("results").exists()


def test_a_place_that_cannot_be_written_is_told(netnode, small):
    Path("kept").write_text("")
    called = netnode("baseline", "update", small, *QUICK, "--into", "kept")
    assert called.code == 74
    assert "cannot write kept/small.json: " in called.err


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("router.availabilty=1%", "no metric is named 'router.availabilty'; did you mean 'router"),
        ("load.carried", "'load.carried' is not of the form METRIC=VALUE"),
        ("router.availability=99", "'99' is not between 0 and 1"),
        ("agent.detection_mean=3", "'3' has no unit"),
        ("agent.detection_mean=-3s", "'-3s' must not be negative"),
        ("router.outages=3s", "'3s' is not a plain number"),
        ("load.carried=1h", "unknown unit 'h'"),
    ],
)  # fmt: skip
def test_a_tolerance_of_no_sense_is_refused(netnode, small, given, why):
    called = netnode("baseline", "update", small, *QUICK, "-t", given)
    assert (called.code, called.out) == (2, "")
    assert why in called.err
    assert "'--tolerance'" in called.err


# -- check -----------------------------------------------------------------------------------


def test_the_same_scenario_passes_and_so_does_its_result(netnode, small, baseline):
    called = netnode("check", small, *QUICK, "--baseline", baseline, "--exact")
    assert called.code == 0
    assert "PASS  grizzly: the same bits as in the baseline " in called.out
    assert "nothing moved in 4 traces" in called.out
    assert netnode("run", small, *QUICK, "-o", "done").code == 0
    saved = netnode("check", "done", "--baseline", baseline, "--exact")
    assert (saved.code, saved.out) == (0, called.out)


def test_the_baselines_size_and_seed_are_taken_whatever_the_scenario_says(netnode, small, baseline):
    other = edit(small, "replications: 4", "replications: 9\nseed: 3")
    assert netnode("check", other, *QUICK, "--baseline", baseline, "--exact").code == 0


def test_a_changed_scenario_is_judged_only_if_said_so(netnode, small, baseline):
    """One node in place of two: it has all DHCP servers, not half of them."""
    alone = edit(small, "network: {count: 2}", "network: {count: 1}")
    refused = netnode("check", alone, *QUICK, "--baseline", baseline)
    assert (refused.code, refused.out) == (2, "")
    assert (
        "as it was before a change: variants.grizzly.hosts.network.count is 1, was 2" in refused.err
    )
    changed = ("check", alone, *QUICK, "--baseline", baseline, "--changed", "--json")
    metric = "dhcp.servers_per_node_mean"
    judged = netnode(*changed, "--exact", "-t", f"{metric}=0.5")
    assert judged.code == 1
    found = verdicts(judged)
    name = f"grizzly: {metric} against the baseline"
    assert found[name] == "fail"
    assert found["folsom: the same bits as in the baseline"] == "pass"
    assert found["grizzly: the same bits as in the baseline"] == "not comparable"
    assert verdicts(netnode(*changed, "-t", f"{metric}=2"))[name] == "pass"


def test_another_seed_is_a_sample_of_its_own(netnode, small, baseline):
    called = netnode("check", small, *QUICK, "--baseline", baseline, "--seed", "5", "-n", "7",
                     "--json")  # fmt: skip
    document = json.loads(called.out)
    assert (document["seed"], document["replications"]) == (5, 7)
    assert verdicts(called)["grizzly: the same bits as in the baseline"] == "not comparable"
    (one,) = [f for f in document["findings"]
              if f["name"] == "folsom: router.availability against the baseline"]  # fmt: skip
    assert "(not paired, n = 7 and 4)" in one["found"]


def test_thresholds_are_judged_with_a_baseline_only_if_they_are_named(netnode, small, baseline):
    """They may need more replications than the baseline has."""
    limit = "thresholds: [{metric: router.availability, op: '>=', value: 99.9999%, on: ci_low}]\n"
    strict = Path("strict.yaml")
    strict.write_text(small.read_text() + limit)
    given = ("check", strict, *QUICK, "--baseline", baseline, "--exact", "--json")
    alone = verdicts(netnode(*given))
    assert set(alone.values()) == {"pass"}
    both = verdicts(netnode(*given, "--thresholds", strict))
    assert {name for name, verdict in both.items() if verdict == "fail"} == set(both) - set(alone)
    assert len(both) == len(alone) + 2
    nothing = netnode("check", small, *QUICK, "--baseline", baseline, "--thresholds", small)
    assert (nothing.code, "has no thresholds" in nothing.err) == (4, True)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--exact",), "--exact: give a --baseline, too"),
        (("--changed", "-t", "load.carried=1bps"), "--tolerance, --changed: give a --baseline"),
        (("--baseline", "nowhere.json"), "nowhere.json: No such file or directory"),
        (("--baseline", str(FILE), "-n", "3"), "small.json: of 4 replications, not 3; leave out"),
        (("--baseline", str(FILE), "-n", "3", "--seed", "1"), "small.json: of 4 replications, not"),
        (("--baseline", str(FILE), "-t", "x"), "'x' is not of the form METRIC=VALUE"),
    ],
)
def test_options_of_no_sense_are_refused(netnode, small, baseline, options, why):
    called = netnode("check", small, *QUICK, *options)
    assert (called.code, called.out) == (2, "")
    assert why in called.err


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--seed", "9"), "Error: other: seed 9; in results/baseline/small.json it is 1"),
        (("-n", "3"), "Error: other: replications 3; in results/baseline/small.json it is 4"),
        (("-S", "name=big"), "small.json: a baseline of scenario 'small', not 'big'"),
        (("-S", "horizon=9d"), 'small.json: of another experiment: horizon is "777600.0s", was'),
        (("-S", "segmentation=vlan"), "variants.folsom.segmentation is \"vlan\", was not set"),
    ],
)  # fmt: skip
def test_results_that_cannot_be_paired_are_refused(netnode, small, baseline, options, why):
    assert netnode("run", small, *QUICK, *options, "-o", "other").code == 0
    called = netnode("check", "other", "--baseline", baseline)
    assert (called.code, called.out) == (2, "")
    assert why in called.err


def test_a_partial_result_is_no_match(netnode, small, baseline):
    assert netnode("run", small, *QUICK, "-o", "part").code == 0
    manifest = Path("part/manifest.json")
    manifest.write_text(manifest.read_text().replace('"partial": false', '"partial": true'))
    called = netnode("check", "part", "--baseline", baseline)
    assert (called.code, called.out) == (2, "")
    assert (
        "part: partial, 4 of 4 replications; results/baseline/small.json is of whole" in called.err
    )


def test_another_version_of_baselines_is_refused(netnode, small, baseline, monkeypatch):
    monkeypatch.setattr(baseline_files, "BASELINE_VERSION", 2)
    called = netnode("check", small, *QUICK, "--baseline", baseline)
    assert called.code == 2
    assert "small.json: schema version 1 of baselines; this is 2: make it anew by" in called.err


@pytest.mark.parametrize("form", ["csv", "md", "junit", "github"])
def test_every_format_has_a_line_for_each_finding(netnode, small, baseline, form):
    called = netnode("check", small, *QUICK, "--baseline", baseline, "--format", form)
    assert called.code == 0
    assert "grizzly" in called.out
    assert called.out.replace("\\", "").count("router.availability against the baseline") >= 2
