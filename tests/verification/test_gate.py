"""The project's own gate, tried out: regressions that it must find, and alarms it must not raise.

Each regression is seeded on purpose, into the model as it runs or into a copy of its source. Each
is caught by its bits, and by the metric that is named with it, where it makes one worse.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from scipy import stats

from simulator.analysis.baseline import Baseline, baseline_of
from simulator.analysis.baseline_files import read_baseline
from simulator.analysis.regression import FAMILY, JUDGED, regressions
from simulator.analysis.service import History
from simulator.analysis.verdicts import Verdict
from simulator.cli import main
from simulator.experiment.runner import run
from simulator.neutron.schedulers import SCHEDULERS
from simulator.scenario.load import load_scenario
from simulator.world.failures import RenewalProcess
from simulator.world.heartbeats import Heart
from simulator.world.plan import Plan

pytestmark = pytest.mark.no_cover

ROOT = Path(__file__).parents[2]
SCENARIO = Path(__file__).with_name("gate.yaml")
COMMITTED = sorted((ROOT / "results" / "baseline").glob("*.json"))
QUICK = ("-j", "1", "-q")


# -- what it must find -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def baseline(tmp_path_factory):
    folder = tmp_path_factory.mktemp("baseline")
    assert main(["baseline", "update", str(SCENARIO), *QUICK, "--into", str(folder)]) == 0
    return folder / "gate.json"


@pytest.fixture
def check(baseline, capsys):
    """Run the gate here, where the model is patched: its exit code, and what failed."""

    def call(*options):
        given = [str(SCENARIO), *QUICK, "--baseline", str(baseline), "--json", *options]
        capsys.readouterr()
        code = main(["check", *given])
        findings = json.loads(capsys.readouterr().out)["findings"]
        return code, {f["name"]: f["found"] for f in findings if f["verdict"] == "fail"}

    return call


def unfair(choice, draws):
    """Twice the chance for the first candidate."""
    pool, chosen = list(choice.candidates), []
    while pool and len(chosen) < choice.count:
        place = draws.index(len(pool) + 1)
        chosen.append(pool.pop(place % len(pool)))
    return chosen


def slow(self, delay, arm=RenewalProcess._arm):
    """Repairs take 10 % longer."""
    arm(self, delay * 1.1 if self._failed else delay)


def late(self, name, seconds=Plan.seconds):
    """A silent agent is noticed one heartbeat later."""
    more = seconds(self, "report_interval") if name == "agent_down_time" else 0.0
    return seconds(self, name) + more


def external_forgotten(self, node, path=History.path, **options):
    """The way out needs no external NIC."""
    return path(self, node, **{**options, "external": False})


def silent(self, first, publish=Heart._publish):
    """The first heartbeat of a process is lost."""
    if not first:
        return publish(self, first)
    self._count += 1
    return None


REGRESSIONS = {
    "a scheduler that is not uniform": (SCHEDULERS, "ChanceScheduler", unfair, "load.imbalance"),
    "repair 10 % longer": (RenewalProcess, "_arm", slow, "router.availability"),
    "detection one interval late": (Plan, "seconds", late, "agent.detection_mean"),
    "one NIC ignored": (History, "path", external_forgotten, None),
    "a heartbeat lost": (Heart, "_publish", silent, "agent.false_down_time"),
}


@pytest.mark.parametrize("name", REGRESSIONS)
def test_a_seeded_regression_is_caught(check, monkeypatch, name):
    """By its bits always, and by the metric it makes worse; an ignored NIC makes all better."""
    home, what, instead, worse = REGRESSIONS[name]
    (monkeypatch.setitem if isinstance(home, dict) else monkeypatch.setattr)(home, what, instead)
    code, failed = check("--exact")
    assert code == 1
    assert "metrics moved: " in failed["grizzly: the same bits as in the baseline"]
    of_metrics = {one: found for one, found in failed.items() if "same bits" not in one}
    if worse:
        assert of_metrics[f"grizzly: {worse} against the baseline"].startswith("worse: ")
    else:
        assert of_metrics == {}


def test_a_regression_of_the_trace_is_named_by_its_first_event(check, monkeypatch):
    monkeypatch.setattr(RenewalProcess, "_arm", slow)
    _, failed = check("--exact")
    said = failed["grizzly: the same bits as in the baseline"]
    assert said.startswith("the numbers moved in 10 of 10 traces; first in replication 0: at ")
    assert " s repair network-" in said.split(", was ")[0]
    assert " s repair network-" in said.split(", was ")[1]


def test_without_any_regression_nothing_fails(check):
    assert check("--exact") == (0, {})


# -- the gate on the project itself ----------------------------------------------------------


def gate(source, scenario, *options):
    """Run the check of a shipped scenario as a process, by the code in *source*."""
    file = ROOT / "results" / "baseline" / f"{Path(scenario).stem}.json"
    command = [sys.executable, "-m", "simulator", "check", scenario, "--baseline", file]
    return subprocess.run(
        [*command, *QUICK, *options],
        cwd=source, env={**os.environ, "PYTHONPATH": str(source)}, text=True, capture_output=True,
        check=False,
    )  # fmt: skip


@pytest.fixture
def copy(tmp_path):
    """A copy of the source, to seed a regression into, as a merge might bring it."""
    shutil.copytree(ROOT / "simulator", tmp_path / "simulator",
                    ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
    return tmp_path


def seeded(folder, name, old, new):
    """Replace *old*, which stands there once, by *new* in the file *name* of *folder*."""
    path = folder / name
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_there_are_baselines_of_shipped_scenarios():
    assert len(COMMITTED) >= 3
    for path in COMMITTED:
        assert path.stat().st_size + path.with_suffix(".events.xz").stat().st_size < 150_000


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_the_project_passes_its_own_gate(path):
    """On another machine, bits that differ are no failure, and metrics differ by next to nothing.

    After a change that is meant to move them: `netnode baseline update scenarios/NAME.yaml`.
    """
    done = gate(ROOT, ROOT / "scenarios" / f"{path.stem}.yaml", "--exact")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout


FVG = ROOT / "scenarios" / "folsom-vs-grizzly.yaml"


def test_a_default_that_someone_changed_stops_at_the_gate(copy):
    """Grizzly's agents are found silent after 9 s in place of 5 s: 4 s late."""
    default = '"agent_down_time": {}.0,'
    seeded(copy, "simulator/scenario/releases.py", default.format(5), default.format(9))
    done = gate(copy, FVG)
    assert done.returncode == 1
    (line,) = [one for one in done.stdout.splitlines() if one.startswith("FAIL")]
    assert "grizzly: agent.detection_mean against the baseline" in line
    assert "worse: 7.0" in line
    assert ", was 3.0" in line


def test_a_scenario_that_someone_changed_stops_at_the_gate(tmp_path):
    """Two nodes in place of three: refused as another scenario, and judged if that is meant."""
    shutil.copy(FVG, tmp_path)
    seeded(tmp_path, FVG.name, "network: {count: 3}", "network: {count: 2}")
    refused = gate(ROOT, tmp_path / FVG.name)
    assert refused.returncode == 2
    assert "variants.grizzly.hosts.network.count is 2, was 3" in refused.stderr
    judged = gate(ROOT, tmp_path / FVG.name, "--changed")
    assert judged.returncode == 1
    (line,) = [one for one in judged.stdout.splitlines() if one.startswith("FAIL")]
    assert "grizzly: router.blast_radius_mean against the baseline" in line
    assert "worse: 49.7" in line


# -- what it must not raise ------------------------------------------------------------------

BOUND = 0.999
"""Confidence: so seldom would a gate that keeps its rate raise more alarms than are allowed."""


def most_alarms(checks):
    """How many of so many checks may fail, each with a chance of FAMILY at most."""
    return stats.binom.ppf(BOUND, checks, FAMILY)


@cache
def fresh(path, replications, seed):
    return run(load_scenario(path), replications=replications, seed=seed, jobs=1, objects="none")


def alarms(baseline: Baseline, results, **options):
    """How many *results* fail against *baseline*."""
    found = [regressions(one, baseline, **options) for one in results]
    return sum(any(f.verdict == Verdict.FAIL for f in findings) for findings in found)


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "checks", [30, pytest.param(200, marks=pytest.mark.slow)], ids=["short", "long"]
)
def test_fresh_seeds_raise_no_more_alarms_than_nominal(checks):
    """Against the committed baseline, and with no tolerance at all in pairs of fresh runs.

    Chance of failing by chance: 1e-3 each. One baseline that is off by chance is held against all
    runs, so the first count says what its users meet; the pairs say what the method keeps.
    """
    baseline = read_baseline(ROOT / "results" / "baseline" / "folsom-vs-grizzly.json")
    results = [fresh(FVG, baseline.replications, 10_000 + k) for k in range(checks)]
    assert alarms(baseline, results) <= most_alarms(checks)
    nothing = dict.fromkeys(JUDGED, 0.0)
    pairs = zip(results[::2], results[1::2], strict=True)
    found = [alarms(baseline_of(one), [other], tolerances=nothing) for one, other in pairs]
    assert sum(found) <= most_alarms(checks // 2)


def test_the_bound_tells_a_gate_that_cries_wolf():
    """One that raises an alarm in 6 checks would be found, of 200, with a chance of 98 %."""
    assert stats.binom.cdf(most_alarms(200), 200, 1 / 6) < 0.02
