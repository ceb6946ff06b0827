"""The conformance command: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

FOLDERS = [Path(__file__).parents[1] / "conformance" / name for name in ("grizzly", "neutron")]


def recorded(name):
    return json.loads((FOLDERS[1] / f"{name}.json").read_text())


def test_the_command_counts_what_it_checked(netnode):
    called = netnode("conformance", *FOLDERS)
    assert called.code == 0
    assert called.out.endswith("42 traces, 655 steps, 227 decisions, 13,241 assertions: "
                               "0 violations\n")  # fmt: skip


def test_the_command_names_file_step_and_time_of_a_violation(netnode, tmp_path):
    data = recorded("06_l3_failover_boundary")
    data["steps"][10]["state"]["routers"]["r1"] = ["l3-2"]
    (tmp_path / "a.json").write_text(json.dumps(data))
    called = netnode("conformance", tmp_path)
    assert called.code == 1
    line = called.out.splitlines()[0]
    assert line == (
        f"{tmp_path / 'a.json'}: step 10, 150 s: agents of r1: expected ['l3-2'], found ['l3-1']"
    )
    document = json.loads(netnode("conformance", tmp_path, "--json").out)
    assert document["violations"][0]["step"] == 10
    assert document["traces"] == 1


def test_an_unreadable_recording_wins(netnode, tmp_path):
    data = recorded("06_l3_failover_boundary")
    data["steps"][10]["state"]["routers"]["r1"] = ["l3-2"]
    (tmp_path / "a.json").write_text(json.dumps(data))
    (tmp_path / "b.json").write_text("{")
    called = netnode("conformance", tmp_path)
    assert called.code == 2
    assert "b.json: not JSON" in called.out
    assert "step 10" in called.out
    assert netnode("conformance", tmp_path / "nowhere").code == 2


def test_an_option_that_looks_misspelt_is_told_and_changes_nothing_else(netnode, tmp_path):
    data = recorded("05_least_routers")
    data["timeline"]["config"] |= {"agent_down_tme": 75, "api_workers": 2, "l3_ha": False}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(data))
    called = netnode("conformance", path)
    told = (
        f"{path}: timeline.config: option 'agent_down_tme' is not known and not used; "
        "did you mean 'agent_down_time'?"
    )
    assert called.code == 0
    assert called.err.splitlines() == [told]
    assert called.out.startswith("1 traces, ")
    in_json = netnode("conformance", path, "--json")
    assert json.loads(in_json.out)["notes"] == [told]
    assert in_json.err.splitlines() == [told]
    assert netnode("conformance", *FOLDERS).err == ""
