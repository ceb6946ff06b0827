"""Every shipped scenario runs, and shows in few replications what its header says."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from simulator.analysis.report import text
from simulator.experiment.runner import run
from simulator.scenario.load import load

FOLDER = Path(__file__).parents[2] / "scenarios"
FILES = sorted(FOLDER.glob("*.yaml"))


@cache
def results(name, replications=6, *overrides):
    loaded = load(FOLDER / f"{name}.yaml", overrides)
    assert loaded.scenario is not None, loaded.problems
    return run(loaded.scenario, replications=replications, jobs=1, objects="none")


def mean(result, metric, variant):
    return result.estimate(metric, variant).mean


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_valid_and_carries_the_modeline(path):
    loaded = load(path)
    errors = [problem for problem in loaded.problems if not problem.warning]
    assert errors == []
    first, second, *_ = path.read_text().splitlines()
    assert first == "# yaml-language-server: $schema=./scenario.schema.json"
    assert second == "# $schema: ./scenario.schema.json"
    assert "# Shows:" in path.read_text()
    assert "# Numbers:" in path.read_text()


def test_all_six_systems_are_there():
    names = {path.stem for path in FILES}
    assert names >= {
        "nova-network-multi-host", "folsom-one-node", "folsom-dhcp-agents", "folsom-l3-split",
        "grizzly", "grizzly-by-hand", "folsom-vs-grizzly", "folsom-vs-grizzly-isp",
    }  # fmt: skip


def test_folsom_vs_grizzly():
    """All of its 200 replications: the README quotes them."""
    found = results("folsom-vs-grizzly", 200)
    down = found.difference("router.all_down_time", "grizzly")
    assert down.ci_high < 0
    blast = found.difference("router.blast_radius_mean", "grizzly")
    assert blast.ci_high < -0.5
    carried = found.difference("load.carried", "grizzly")
    assert carried.ci_low > 5e8
    available = found.difference("router.availability", "grizzly")
    assert available.ci_low < 0 < available.ci_high


QUOTED = (
    "82 min/y [32, 131]", "79 min/y [52, 106]", "-3 min/y [-41, +35]", "82 min [33, 131]",
    "at most 1.5 %", "-82 min [-131, -33]", "33.28 % [33.09, 33.48]", "-66.72 pp [-66.91, -66.52]",
    "3.429 Gbps", "4.145 Gbps", "+715.7 Mbps [+709.6, +721.8]", "83 min/y [34, 133]",
    "118 min/y [79, 157]", "+35 min/y [-9, +79]",
)  # fmt: skip


def test_the_readme_quotes_what_the_run_prints():
    shown = text(results("folsom-vs-grizzly", 200), everything=True)
    assert [number for number in QUOTED if number not in shown] == []


def test_the_readmes_scenario_is_valid(tmp_path):
    readme = (FOLDER.parent / "README.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    path = tmp_path / "readme.yaml"
    path.write_text(example)
    assert load(path).problems == ()


def test_own_rebuild_costs_make_a_grizzly_restart_dearer():
    """13 s a router of arping and plugging against 1.1 s."""
    found = results("folsom-vs-grizzly", 10, "costs.rebuild_per_router=release")
    cost = found.difference("router.downtime_configuring", "grizzly")
    assert cost.ci_low > 0


def test_folsom_vs_grizzly_isp():
    found = results("folsom-vs-grizzly-isp", 20)
    assert mean(found, "router.all_down_time", "grizzly") > 3600
    assert mean(found, "router.all_down_time_by_nodes", "grizzly") == 0
    assert mean(found, "router.all_down_time_by_nodes", "folsom") > 0
    reachable = found.difference("tenant.availability", "grizzly-two-isps")
    assert reachable.ci_low > 0


def test_nova_network_multi_host():
    found = results("nova-network-multi-host", 10)
    assert mean(found, "load.carried", "multi-host") > mean(found, "load.carried", "folsom")
    assert found.estimate("router.availability", "multi-host").mean is None
    assert 0.999 < mean(found, "vm.north_south_availability", "multi-host") < 1


def test_folsom_one_node():
    """Half an hour in thirty days, and some seconds to start, rewire and set up again."""
    found = results("folsom-one-node", 2)
    down = mean(found, "router.all_down_time", "base")
    assert 1800 < down < 1810
    assert mean(found, "load.carried", "base") < 1e9


def test_folsom_dhcp_agents():
    found = results("folsom-dhcp-agents", 10)
    assert mean(found, "network.availability", "one") < mean(found, "network.availability", "two")
    assert mean(found, "router.availability", "one") == mean(found, "router.availability", "two")


def test_folsom_l3_split():
    """A = 0.8: split, each router has A; in conflict 2 A (1 - A) = 0.32."""
    found = results("folsom-l3-split", 20)
    split = found.estimate("router.availability", "split")
    conflict = found.estimate("router.availability", "conflict")
    assert split.ci_low - 0.01 < 0.8 < split.ci_high + 0.01
    assert conflict.ci_low - 0.01 < 0.32 < conflict.ci_high + 0.01
    assert mean(found, "router.conflicted_time", "split") == 0


def test_grizzly():
    found = results("grizzly", 10)
    blasts = [mean(found, "router.blast_radius_mean", f"count={n}") for n in (1, 2, 3, 4)]
    assert blasts == sorted(blasts, reverse=True)
    servers = [mean(found, "dhcp.servers_per_node_mean", f"count={n}") for n in (1, 2, 3, 4)]
    assert servers == pytest.approx([40, 20, 40 / 3, 10], rel=0.01)
    assert 2.8 < mean(found, "agent.detection_mean", "count=3") < 3.2


def test_grizzly_by_hand():
    """A second DHCP agent never hurts a network, and helps in some replication."""
    found = results("grizzly-by-hand", 15)
    one, two = (
        found.samples[name].values["network.availability"]
        for name in ("as-scheduled", "two-dhcp-agents")
    )
    assert (two >= one - 1e-12).all()
    assert (two > one).any()
    reachable = found.difference("tenant.availability", "two-isps")
    assert reachable.ci_low > 0
