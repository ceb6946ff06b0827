"""Every shipped scenario runs, and shows in few replications what its header says."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from simulator.analysis.findings import checked_of, text
from simulator.analysis.notation import cells
from simulator.analysis.report import report_of
from simulator.exact.twins import control_variate
from simulator.experiment.runner import run
from simulator.scenario.load import load

pytestmark = pytest.mark.no_cover

FOLDER = Path(__file__).parents[2] / "scenarios"
README = (FOLDER.parent / "README.md").read_text()
WORDS = " ".join(README.split())
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


def shown(result, metric, *, second=False):
    """What the tool prints of *metric*: a cell for each variant, then for each difference."""
    found = []
    for table in report_of(result, everything=True).tables:
        labels = [label for label, _ in table.rows]
        _, row = table.rows[labels.index(metric) + second]
        found += [" ".join(filter(None, (cell.value, cell.interval))) for cell in row]
    return found


def test_the_readmes_table_is_what_the_run_prints():
    found = results("folsom-vs-grizzly", 200)
    folsom, _, difference = shown(found, "router.all_down_time")
    bound = shown(found, "router.all_down_probability")[1].removeprefix("0 (").removesuffix(")")
    offered = shown(found, "load.offered")[0].partition(" [")[0]
    rows = {
        "downtime of a router": shown(found, "router.availability", second=True),
        "all routers down at once, in a year": [
            folsom, f"never seen (in {bound} of years)", difference
        ],
        "routers stopped by one failure": shown(found, "router.blast_radius_mean"),
        f"load carried of {offered}": shown(found, "load.carried"),
        "downtime of a VM's way out": shown(found, "vm.north_south_availability", second=True),
    }  # fmt: skip
    expected = [f"| {' | '.join([label, *cells])} |" for label, cells in rows.items()]
    plain = README.replace("**", "").splitlines()
    first = plain.index("| | one Folsom node | three Grizzly nodes | difference, paired |")
    assert plain[first + 2 : first + 2 + len(expected)] == expected


def checked(result):
    """What `netnode check` prints, and the code it leaves."""
    found = checked_of(result, result.findings)
    return text(found), found.exit_code


def test_the_readme_shows_what_the_check_prints():
    printed, code = checked(results("folsom-vs-grizzly", 200))
    assert code == 0
    assert f"```\n{printed}```" in README
    setting = "neutron.agent_down_time=150s"
    assert f"`netnode check scenarios/legacy-ha-dvr.yaml -S {setting}`" in README
    printed, code = checked(results("legacy-ha-dvr", 60, setting))
    assert code == 1
    assert f"```\n{printed}```" in README
    assert checked(results("legacy-ha-dvr", 60))[1] == 0


@pytest.mark.slow
def test_the_readme_quotes_what_own_rebuild_costs_print():
    plain = results("folsom-vs-grizzly", 200)
    dear = results("folsom-vs-grizzly", 200, "costs.rebuild_per_router=release")
    before, after = (
        [cell.partition(" [")[0] for cell in shown(found, "router.outage_median")]
        for found in (plain, dear)
    )
    assert (
        f"grow from {before[0]} to {after[0]} in Folsom and from {before[1]} to {after[1]} in "
        "Grizzly"
    ) in WORDS


@pytest.mark.slow
def test_the_readme_quotes_what_a_control_variate_corrects():
    lines = []
    for one in control_variate(results("flapping", 100)):
        if not one.minus:
            both = map(str, cells(one.metric, [one.plain, one.estimate]))
            lines.append((one.metric, one.variant, *both, f"{one.factor:.2g} x"))
    quoted = [line for line in lines if f"| {' | '.join(line)} |" in README]
    assert len(quoted) == 2


@pytest.mark.slow
def test_the_readme_quotes_what_failing_isps_print():
    found = results("folsom-vs-grizzly-isp", 200)
    uplink = shown(found, "router.downtime_uplink")
    reachable = [cell.partition(" (")[0] for cell in shown(found, "tenant.availability")]
    assert f"costs a router {uplink[0]}, cuts everybody" in WORDS
    assert f"keeps tenants reachable {reachable[2]} of the time" in WORDS


def test_the_readmes_scenario_is_valid(tmp_path):
    example, *_ = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
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
