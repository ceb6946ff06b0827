"""The studies of releases: each shows, in a short run, what its header says."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from lab import events, replicate

from simulator.analysis.report import report_of
from simulator.experiment.runner import run
from simulator.scenario.load import load
from simulator.trace import Kind

pytestmark = pytest.mark.no_cover

FOLDER = Path(__file__).parents[2] / "scenarios"


@cache
def results(name, replications, *overrides):
    loaded = load(FOLDER / f"{name}.yaml", overrides)
    assert loaded.scenario is not None, loaded.problems
    return run(loaded.scenario, replications=replications, jobs=1, objects="none")


def mean(result, metric, variant):
    return result.estimate(metric, variant).mean


@pytest.mark.slow
def test_the_readme_quotes_what_releases_print():
    given = load(FOLDER / "releases.yaml").scenario
    found = run(given, replications=100, objects="none")
    tables = [dict(table.rows) | {f"{label}+": table.rows[i + 1][1] for i, (label, _)
              in enumerate(table.rows[:-1])} for table in report_of(found).tables]  # fmt: skip
    metrics = ("router.availability+", "network.availability+", "router.outage_longest")
    quoted = {}
    for line in (FOLDER.parent / "README.md").read_text().splitlines():
        name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        if name in found.variants and len(cells) == 3:
            quoted[name] = cells
    assert len(quoted) == 7
    for name, cells in quoted.items():
        place = list(found.variants).index(name)
        printed = []
        for metric in metrics:
            row = next(table[metric] for table in tables if metric in table)
            cell = row[place]
            printed.append(f"{cell.value} {cell.interval}".partition(" (")[0])
        assert printed == cells, name


def test_flapping():
    """4/5 flaps by the hundred a week, 4/9 and 30/75 hardly; what they cost is detection."""
    found = results(
        "flapping", 4, "horizon=1d", "failures.network-1={outages: [{at: 5h, for: 1h}]}"
    )
    episodes = [mean(found, "agent.false_down_episodes", v) for v in ("4-5", "4-9", "30-75")]
    assert episodes[0] > 100
    assert max(episodes[1:]) < 10
    detection = [mean(found, "agent.detection_mean", v) for v in ("4-5", "4-9", "30-75")]
    for seen, low, high in zip(detection, (1, 5, 45), (5.5, 9.5, 76), strict=True):
        assert low < seen < high


def test_broker_outage():
    found = results("broker-outage", 8)
    values = {name: sample.values for name, sample in found.samples.items()}
    # The broker alone stops no router: without failover all downtime is the node's.
    assert np.all(values["juno"]["router.conflicted_time"] == 0)
    assert np.all(values["juno"]["failover.moves"] == 0)
    # Juno's loop finds nobody to move to and is dead when the node fails.
    assert np.all(values["juno-failover"]["failover.moves"] == 0)
    # Kilo takes all networks off their agents; none of them is moved when the node dies.
    kilo, mitaka = values["kilo-failover"], values["2026.2-failover"]
    assert np.all(kilo["network.availability"] <= mitaka["network.availability"])
    assert kilo["network.availability"].mean() < mitaka["network.availability"].mean()
    # Since Kilo the dead node's routers are moved within minutes.
    assert mean(found, "router.outage_longest", "2026.2-failover") < 200
    # What the storm moves to a host whose L2 agent is not back stays without a wire until Liberty.
    unwired = {v: mean(found, "router.downtime_node_path", v) for v in found.variants}
    assert unwired["liberty-failover"] > 20 * unwired["mitaka-failover"] > 0
    assert mean(found, "router.outage_longest", "juno-failover") > 3500


@pytest.mark.parametrize("variant", ["kilo-failover", "2026.2-failover"])
def test_the_storm_after_a_broker_outage(variant):
    """Of 40 routers on four nodes, those moved within ten minutes of the broker's return."""
    given = load(FOLDER / "broker-outage.yaml").scenario
    moved, most = [], []
    for measured in replicate(12, given, variant=variant):
        new = [agent for time, _, agent, router in events(measured.trace, Kind.BOUND)
               if 5400 < time < 6000 and "router" in router]  # fmt: skip
        moved.append(len(new))
        most.append(max(map(new.count, new), default=0))
    assert max(moved) >= 20
    assert max(most) > 10  # an equal share of all


def test_agent_restart():
    found = results("agent-restart", 4)
    downtime = [
        1 - mean(found, "router.availability", v) for v in ("grizzly", "havana", "icehouse")
    ]
    assert downtime[0] > 10 * downtime[1] > 0
    assert downtime[2] == 0


def test_legacy_ha_dvr():
    """One of three nodes is dark for an hour of four: 1/3 x 1/4 of a legacy router's time."""
    found = results("legacy-ha-dvr", 6)
    down = {v: 1 - mean(found, "router.availability", v) for v in found.variants}
    assert down["legacy"] == pytest.approx(1 / 12, rel=0.01)
    assert down["dvr"] == pytest.approx(down["legacy"], rel=1e-6)
    longest = {v: mean(found, "router.outage_longest", v) for v in found.variants}
    assert 120 < longest["failover"] < 200
    assert 4.8 + 2 < longest["ha"] < 6.9 + 2 + 0.1
    out = {v: 1 - mean(found, "vm.north_south_availability", v) for v in found.variants}
    assert out["dvr"] == pytest.approx(out["legacy"] / 2, rel=0.01)  # half have a floating IP
    assert out["dvr-ha"] == pytest.approx(out["ha"] / 2, rel=0.01)


@pytest.mark.parametrize("late", ["2026.2"])
def test_releases(late):
    """120 days, three times: what must hold in each run whatever fails."""
    found = results("releases", 3, "horizon=120d")
    available = {v: mean(found, "router.availability", v) for v in found.variants}
    assert available["grizzly"] < available["icehouse"]
    assert available["juno-failover"] >= available["juno"]
    longest = {v: mean(found, "router.outage_longest", v) for v in found.variants}
    assert longest[f"{late}-failover"] is None or longest[f"{late}-failover"] < 600
    networks = {v: mean(found, "network.availability", v) for v in found.variants}
    assert networks["kilo"] >= networks["juno"]
