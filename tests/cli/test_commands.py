"""Every command but run and compare: what it prints, and where."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from simulator.analysis.metrics import METRICS
from simulator.cli import COMMANDS
from simulator.scenario.keys import key_paths, preset_values, release_values
from simulator.scenario.load import load
from simulator.scenario.presets import preset_names
from simulator.scenario.schema import ReleaseName
from simulator.scenario.series import CHANGES, RELEASES, values_of
from simulator.scenario.starter import starter

SCHEMA = Path(__file__).parents[2] / "scenarios" / "scenario.schema.json"
HEAVY = {"numpy", "pandas", "matplotlib", "scipy", "pydantic", "ruamel", "rich", "simpy", "pyarrow"}


def test_help_names_every_command_and_needs_click_alone():
    script = (
        "import sys; from simulator.cli import main; code = main(['--help']);"
        f"print(sorted({HEAVY!r} & set(sys.modules)), code)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    *text, last = found.stdout.splitlines()
    assert last == "[] 0"
    assert all(any(line.startswith(f"  {name} ") for line in text) for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(netnode, name):
    called = netnode(name, "-h")
    assert called.code == 0
    assert called.out.startswith(f"Usage: netnode {name}")
    assert "--verbose" in called.out


def test_version(netnode):
    assert netnode("--version").out.startswith("netnode ")


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("rnu",),
        ("run",),
        ("run", "x.yaml", "--sed", "3"),
        ("run", "x.yaml", "-n", "0"),
        ("run", "x.yaml", "--no-save", "-o", "y"),
        ("run", "missing.yaml"),
        ("run", "."),
        ("agents", "missing", "--at", "1d"),
        ("agents", ".", "--at", "1d"),
        ("compare", "missing.yaml", "missing.yaml"),
        ("presets", "show", "dc-2014"),
        ("releases", "show", "grizly"),
        ("completion", "csh"),
        ("init", "a b"),
        ("init", "good", "--preset", "bad"),
    ],
)
def test_wrong_use_is_exit_code_2_without_traceback(netnode, args):
    called = netnode(*args)
    assert called.code == 2
    assert called.out == ""
    assert "Traceback" not in called.err
    assert not list(Path().iterdir())


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_is_explained(netnode, metric):
    called = netnode("explain", metric)
    assert called.code == 0
    words = " ".join(called.out.split())
    assert METRICS[metric].definition.split(";")[0][:60] in words
    assert f"unit {METRICS[metric].unit}" in words


def test_explain_lists_all_metrics(netnode):
    lines = netnode("explain").out.splitlines()
    assert [line.split() for line in lines] == [[name, m.unit] for name, m in METRICS.items()]


def test_explain_tells_defaults_by_release_and_their_source(netnode):
    out = netnode("explain", "neutron.agent_down_time").out
    assert "grizzly           5s    quantum/db/agents_db.py: 5, down when strictly older" in out
    assert "folsom" not in out
    assert "default   1 s" in netnode("explain", "costs.arping").out
    assert "a whole number, at least 1" in netnode("explain", "hosts.network.count").out
    assert "10 Gbps" in netnode("explain", "hosts.any.nics.data").out


def test_every_key_can_be_explained(netnode):
    paths = key_paths()
    assert {"horizon", "hosts.<name>.kind", "workload.per_tenant.vms", "matrix"} <= set(paths)
    for path in paths:
        called = netnode("explain", path)
        assert called.code == 0, path
        assert called.out.startswith(f"{path}\n")


def test_explain_suggests_the_nearest(netnode):
    called = netnode("explain", "router.availabilty")
    assert called.code == 2
    assert "did you mean 'router.availability'?" in called.err
    assert "did you mean 'neutron.report_interval'?" in netnode("explain", "report_interval").err


def test_presets_list_themselves_and_the_source_of_every_value(netnode):
    assert [line.split()[0] for line in netnode("presets").out.splitlines()] == preset_names()
    for name in preset_names():
        out = netnode("presets", "show", name).out
        assert preset_values(name)
        for value in preset_values(name):
            assert value.source
            assert f"{value.value} " in out
            assert value.source in out


def test_releases_list_themselves_and_their_options(netnode):
    assert [line.split()[0] for line in netnode("releases").out.splitlines()] == list(RELEASES)
    for name, release in RELEASES.items():
        out = netnode("releases", "show", name).out
        assert release.tag in out
        values = release_values(release)
        assert {*release.options, *release.rules} <= {value.path for value in values}
        assert all(value.path in out and value.source in out for value in values)


def test_the_schema_knows_every_release():
    assert list(get_args(ReleaseName)) == list(RELEASES)


def test_releases_differ_by_what_was_changed_between_them(netnode):
    """Havana's last point release and Icehouse: the L3 agent's restart, and a new option."""
    head, *rows = netnode("releases", "diff", "havana", "icehouse").out.splitlines()
    assert head.split() == ["havana", "icehouse"]
    assert [row.split()[:3] for row in rows] == [
        ["l3_restart_wipes", "true", "false"],
        ["rpc_workers", "-", "0"],
    ]
    assert "bug 1175695" in rows[0]
    back = netnode("releases", "diff", "icehouse", "havana").out.splitlines()
    assert back[1].split()[:3] == ["l3_restart_wipes", "false", "true"]
    assert "do not differ" in netnode("releases", "diff", "rocky", "rocky").err
    called = netnode("releases", "diff", "havanna", "icehouse")
    assert called.code == 2
    assert "did you mean 'havana'" in called.err


def test_several_values_are_printed_in_their_order(netnode):
    """From 8 up to 32, not sorted as text."""
    found = netnode("releases", "diff", "rocky", "stein").out.splitlines()
    (row,) = [row for row in found if row.startswith("l3_workers")]
    assert re.split(r" {3,}", row)[1:3] == ["[8, 8]", "[8, 32]"]
    triggers = "[port, subnet, interface]"
    assert triggers in netnode("releases", "show", "mitaka").out
    assert f"mitaka    {triggers}" in netnode("explain", "behaviour.network_triggers").out
    assert "l3_workers                  unbounded " in netnode("releases", "show", "havana").out


def test_a_behaviour_is_explained_with_its_values_by_release(netnode):
    out = netnode("explain", "behaviour.port_binding").out
    assert "always or asked or once or revival" in out
    assert [line.split()[:2] for line in out.splitlines()[-4:]] == [
        ["grizzly", "always"], ["havana-2013.2.0", "asked"], ["juno", "once"],
        ["mitaka", "revival"],
    ]  # fmt: skip
    assert (
        "did you mean 'behaviour.port_binding'?" in netnode("explain", "behaviour.port_bindng").err
    )
    assert netnode("explain", "behaviour.unknown_lists").code == 2


def test_every_change_between_releases_has_a_reason():
    for series in CHANGES:
        assert all(change.why for change in series.changes.values()), series.name
    values = {name: values_of(release) for name, release in RELEASES.items()}
    for before, after in itertools.pairwise(CHANGES):
        for name in after.changes:
            assert values[before.name].get(name) != values[after.name].get(name), name


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(netnode, shell):
    called = netnode("completion", shell)
    assert called.code == 0
    assert "_NETNODE_COMPLETE" in called.out


def test_completion_completes(start):
    import os

    told = {"COMP_WORDS": "netnode ru", "COMP_CWORD": "1", "_NETNODE_COMPLETE": "bash_complete"}
    process = start(env={**os.environ, **told})
    out, _ = process.communicate()
    assert out.split() == ["plain,run"]
    assert process.returncode == 0


# -- validate --------------------------------------------------------------------------------


def test_validate_prints_every_problem_of_every_file(netnode, small):
    bad = small.with_name("bad.yaml")
    bad.write_text("version: 1\nhorizon: 1m\nsede: 3\n")
    called = netnode("validate", small, bad, "missing.yaml", ".")
    assert called.code == 2
    lines = called.out.splitlines()
    assert any(line.startswith(f"{small}: valid (2 variants, about ") for line in lines)
    assert f"{bad}:2:10: quantity horizon: 'm' is ambiguous" in called.out
    assert f"{bad}:3:1: extra_forbidden sede: unknown key 'sede'; did you mean 'seed'?" in lines
    assert "missing.yaml:1:1: unreadable (file): No such file or directory" in lines
    assert ".:1:1: unreadable (file): . is a folder; give a scenario file (.yaml)" in lines
    assert called.err.splitlines()[-1].endswith("in 3 of 4 files")


def test_validate_as_json(netnode, small):
    bad = small.with_name("bad.yaml")
    bad.write_text("version: 1\nhorizon: 1m\n")
    called = netnode("validate", "--json", small, bad)
    document = json.loads(called.out)
    good, wrong = document["files"]
    assert called.code == 2
    assert good["valid"]
    assert good["variants"] == ["folsom", "grizzly"]
    assert all(problem["warning"] for problem in good["problems"])
    assert not wrong["valid"]
    assert {"line": 2, "column": 10, "code": "quantity", "path": "horizon", "warning": False} in [
        {key: value for key, value in problem.items() if key != "message"}
        for problem in wrong["problems"]
    ]


def test_a_warning_is_no_error(netnode, small):
    called = netnode("validate", small)
    assert called.code == 0
    assert "NN101" in called.out
    assert called.err == ""


# -- schema and init -------------------------------------------------------------------------


def schema(netnode):
    return Draft7Validator(json.loads(netnode("schema").out))


def test_the_schema_is_draft_7_and_the_one_that_is_shipped(netnode):
    out = netnode("schema").out
    Draft7Validator.check_schema(json.loads(out))
    assert "prefixItems" not in out
    assert SCHEMA.read_text() == out, "run: netnode schema > scenarios/scenario.schema.json"


def test_the_schema_takes_what_loads(netnode, small):
    data = YAML(typ="safe").load(small.read_text())
    checker = schema(netnode)
    more = [
        {},
        {"horizon": "1.5y"},
        {"broker": {"loss": "1%", "delay": "50ms"}},
        {"failures": {"host": None}},
        {"failures": {"host": "none"}},
        {"costs": {"rebuild_per_router": 0, "rebuild_per_network": "release"}},
        {"hosts": {"network": {"forwarding": {"rate": "unlimited"}}}},
        {"variants": {"a": None, "b": {"hosts": {"network": None}}}},
        {"workload": {"traffic": {"per_router": {"lognormal": {"mean": "1Gbps", "sigma": 1}}}}},
    ]
    assert [change for change in more if not checker.is_valid({**data, **change})] == []
    del data["variants"]
    assert checker.is_valid({**data, "release": "folsom", "matrix": {"hosts.a.count": [1, 2]}})


@pytest.mark.parametrize(
    "change",
    [
        {"horizon": "1m"},
        {"horizon": 5},
        {"horizn": "1y"},
        {"hosts": {"network": {"kind": "router"}}},
        {"hosts": {"bad name": {"count": 1}}},
        {"workload": {"tenants": -1}},
        {"broker": {"loss": 99.95}},
        {"variants": {"a b": None}},
        {"variants": []},
        {"matrix": {"release": ["folsom"]}},
        {"rates": "dc-2014"},
        {"failures": {"host": {"time_to_failure": "1m"}}},
        {"failures": {"host": {"time_to_failure": {"weibul": {"shape": 1}}}}},
        {"version": 2},
        {"costs": {"boot": "-1s"}},
        {"actions": [{"op": "agent_stop"}]},
    ],
)
def test_the_schema_refuses(netnode, small, change):
    data = YAML(typ="safe").load(small.read_text())
    assert not schema(netnode).is_valid({**data, **change})


def test_init_writes_a_scenario_that_validates_and_runs(netnode, tmp_path):
    called = netnode("init", "mine")
    assert (called.code, called.out) == (0, "")
    text = (tmp_path / "mine.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=scenario.schema.json\n")
    loaded = load("mine.yaml")
    assert loaded.scenario is not None
    assert not any(not problem.warning for problem in loaded.problems)
    assert schema(netnode).is_valid(YAML(typ="safe").load(text))
    run = netnode("run", "mine.yaml", "-n", "1", "-j", "1", "--no-save", "-S", "horizon=10d")
    assert run.code == 0


def test_init_never_overwrites(netnode, tmp_path):
    (tmp_path / "mine.yaml").write_text("precious")
    called = netnode("init", "mine.yaml")
    assert called.code == 2
    assert (tmp_path / "mine.yaml").read_text() == "precious"
    assert netnode("init", "absent/mine").code == 74


@pytest.mark.parametrize("preset", preset_names())
def test_init_knows_every_preset(preset, tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(starter("x", preset))
    loaded = load(path)
    assert loaded.scenario is not None
    assert loaded.scenario.variants["grizzly"].rates == preset


# -- agents ----------------------------------------------------------------------------------


def test_agents_prints_the_list_of_that_instant(netnode, folder):
    called = netnode("agents", folder, "--at", "1d")
    assert called.code == 0
    lines = called.out.splitlines()
    assert lines[1].split("|")[1:3] == [f" {'ID':<36} ", f" {'Agent Type':<18} "]
    assert len(lines) == 4 + 2 * 3
    rows = json.loads(netnode("agents", folder, "--at", "1d", "--json").out)
    assert [row["ID"] for row in rows] == sorted(row["ID"] for row in rows)
    assert {row["Host"] for row in rows} == {"network-1", "network-2"}


def test_agents_beyond_the_horizon_or_without_a_table(netnode, folder):
    late = netnode("agents", folder, "--at", "21d")
    assert late.code == 2
    assert "not within the run, which lasts 20 d" in late.err
    none = netnode("agents", folder, "--at", "1d", "--variant", "folsom")
    assert none.code == 4
    assert "folsom has no agents table" in none.err
    assert netnode("agents", folder, "--at", "1d", "--variant", "essex").code == 4
    assert netnode("agents", folder, "--at", "1m").code == 2
    assert netnode("agents", folder.parent / "small.yaml", "--at", "1d").code == 2
    assert f"did you mean {folder}?" in netnode("agents", folder.parent, "--at", "1d").err
