"""`until` in a scenario: what is read, and where mistakes are said to be."""

from __future__ import annotations

import pytest

from simulator.scenario.load import load, load_scenario, resolved_yaml

BASE = """\
version: 1
horizon: 1d
replications: 20
hosts:
  controller: {kind: controller, count: 1}
  network: {kind: network, count: 1}
release: mitaka
"""


def read(tmp_path, until, overrides=()):
    path = tmp_path / "s.yaml"
    path.write_text(BASE + until)
    return load(path, overrides)


def test_targets_are_read_in_their_metrics_units_and_written_back(tmp_path):
    text = (
        "until: {targets: [{metric: router.availability, half_width: 0.02%}, "
        "{metric: vm.hours_without_address, half_width: 30min}], most: 100}\n"
    )
    scenario = read(tmp_path, text).scenario
    assert [target.half_width for target in scenario.until.targets] == [0.0002, 0.5]
    assert (scenario.until.most, scenario.until.decided) == (100, False)
    assert scenario.looks == (20, 40, 80, 100)
    again = tmp_path / "again.yaml"
    again.write_text(resolved_yaml(scenario))
    assert load_scenario(again).until == scenario.until


def test_a_scenario_without_a_target_looks_once(tmp_path):
    assert read(tmp_path, "").scenario.looks == (20,)


def test_a_target_can_be_set_from_outside(tmp_path):
    given = ['until.targets=[{"metric": "router.outages", "half_width": 2}]', "until.most=40"]
    scenario = read(tmp_path, "", given).scenario
    assert (scenario.until.targets[0].half_width, scenario.looks) == (2.0, (20, 40))


@pytest.mark.parametrize(
    ("until", "line", "why"),
    [
        ("until: {}", 8, "until: nothing is to be reached: give targets or decided"),
        ("until: {decided: true}", 8, "until.decided: there are no thresholds to be decided"),
        (
            "until:\n  targets: [{metric: router.outages, half_width: 1}]\n  most: 10",
            10,
            "until.most: at most 10 are less than the 20 of the first look",
        ),
        (
            "until:\n  targets:\n  - {metric: router.outages, half_width: 0}",
            10,
            "until.targets[0].half_width: no number of replications makes an interval that narrow",
        ),
        (
            "until:\n  targets:\n  - {metric: router.outage, half_width: 1}",
            10,
            "until.targets[0].metric: 'router.outage' is not allowed; did you",
        ),
        (
            "until:\n  targets:\n  - {metric: router.outage_p95, half_width: 3%}",
            10,
            "until.targets[0].half_width: ",
        ),
        (
            "until:\n  decide: true",
            9,
            "until.decide: unknown key 'decide'; did you mean 'decided'?",
        ),
    ],
)
def test_mistakes_are_said_where_they_are(tmp_path, until, line, why):
    loaded = read(tmp_path, until + "\n")
    problems = [str(problem) for problem in loaded.problems if "warning" not in str(problem)]
    assert loaded.scenario is None
    assert len(problems) == 1
    assert f"s.yaml:{line}:" in problems[0]
    assert why in problems[0]
