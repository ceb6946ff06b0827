"""The import command: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

CLOUD = Path(__file__).parents[1] / "exports" / "cloud"
ROUTER_0 = "6d4b2cd8-6c82-4641-b7af-a764fccee0c3"


def test_the_whole_folder(netnode):
    called = netnode("import", "openstack", CLOUD)
    assert (called.code, called.err) == (0, "")
    lines = called.out.splitlines()
    assert lines[0].split() == ["AGENT", "HOST", "ZONE", "ALIVE", "ADMIN", "OBJECTS"]
    assert lines[6].split() == ["l3", "net-node-2", "az1", "yes", "down", "2"]
    assert f"router-0   {ROUTER_0}   net-node-3" in lines
    assert called.out.endswith(
        "9 agents\n"
        "6 networks; agents all known of 6, known in part of 0, unknown of 0\n"
        "4 routers; agents all known of 4, known in part of 0, unknown of 0\n"
    )


def test_what_is_unknown_is_said_to_be(netnode):
    files = [CLOUD / f"rest_{name}.json" for name in ("agents", "routers", "router_l3_agents")]
    called = netnode("import", "openstack", *files)
    assert called.code == 0
    assert f"router-0   {ROUTER_0}   unknown\n" in called.out
    assert "unknown of 4" in called.out
    assert "does not say which; say it by --of" in called.err
    called = netnode("import", "openstack", *files, "--of", f"{files[2]}=router-0")
    assert f"router-0   {ROUTER_0}   net-node-3\n" in called.out
    assert "all known of 1, known in part of 0, unknown of 3" in called.out
    assert called.err == ""
    called = netnode("import", "openstack", CLOUD / "sdk_export.json")
    assert f"router-0   {ROUTER_0}   at least net-node-3\n" in called.out
    called = netnode("import", "openstack", CLOUD / "sdk_export.json", "--all-agents")
    assert f"router-0   {ROUTER_0}   net-node-3\n" in called.out


def test_json(netnode):
    files = [CLOUD / "rest_networks.json", CLOUD / "sdk_export.json", CLOUD / "rest_routers.json"]
    document = json.loads(netnode("import", "openstack", *files[:1], files[2], "--json").out)
    assert document["schema_version"] == 1
    assert [len(document[kind]) for kind in ("agents", "networks", "routers")] == [0, 6, 4]
    assert len(document["unknown"]) == 10
    assert document["routers"][0]["agents"] == {"known": "unknown", "ids": None}
    document = json.loads(netnode("import", "openstack", CLOUD, "--json").out)
    found = {router["name"]: router["agents"] for router in document["routers"]}
    assert found["router-0"] == {
        "known": "exactly", "ids": ["29cb54b0-d6c2-42f4-a7f0-f330b7e2e6ed"],
    }  # fmt: skip
    assert list(found["router-3"]["ha_states"].values()) == ["standby"] * 3
    assert document["agents"][0]["objects"] is None
    assert document["agents"][1]["heartbeat_timestamp"] == "2026-11-22T10:08:10.008184+00:00"


def test_every_fault_is_told_and_nothing_printed(netnode, tmp_path):
    (tmp_path / "a.json").write_text('{"routers": [{"id": 1, "name": "x"}]}')
    (tmp_path / "b.csv").write_text('"ID","Name\n')
    called = netnode("import", "openstack", tmp_path)
    assert (called.code, called.out) == (2, "")
    assert called.err.splitlines()[:3] == [
        "Error: the exports have 3 faults",
        f"{tmp_path}/a.json: routers[0].id: a text is wanted, not 1",
        f"{tmp_path}/a.json: routers[0].admin_state_up: it is missing; there are: 'id', 'name'",
    ]
    assert netnode("import", "openstack", tmp_path / "nowhere").code == 2
    assert netnode("import", "openstack").code == 2
    assert netnode("import", "openstack", tmp_path, "--of", "x").code == 2
    assert netnode("import").code == 2
