"""What makes a binding known: exactly, at least, or not at all; and contradictions."""

from __future__ import annotations

import json

import pytest
from exports.demo import state_of

from simulator.exports.cloud import Binding
from simulator.exports.faults import ExportError
from simulator.exports.reading import read_cloud


def agent(name, kind="L3 agent", **fields):
    return {"id": name, "agent_type": kind, "host": name, "alive": True, "admin_state_up": True,
            **fields}  # fmt: skip


def thing(key, **fields):
    return {"id": key, "name": key, "admin_state_up": True, **fields}


@pytest.fixture
def read(tmp_path):
    def call(files, record="", of=None, **options):
        for name, value in files.items():
            text = value if isinstance(value, str) else json.dumps(value)
            (tmp_path / name).write_text(text)
        if record:
            (tmp_path / "asked.txt").write_text(record)
        of = {tmp_path / name: subject for name, subject in (of or {}).items()}
        return read_cloud([tmp_path], of=of, **options)

    return call


def test_an_empty_list_of_one_object_is_the_only_proof_of_being_unbound(read):
    cloud = read(
        {"r.json": {"routers": [thing("r1"), thing("r2")]}, "a.json": {"agents": []}, "c.json": []},
        "GET /v2.0/routers/r1/l3-agents -> a.json\n"
        "$ openstack network agent list --network n1 -f json\n    -> c.json\n",
    )
    assert cloud.routers["r1"].binding == Binding((), exact=True)
    assert cloud.routers["r2"].binding is None
    assert "n1" not in cloud.networks  # a name the exports do not know, maybe no id
    assert len(cloud.warnings) == 1


@pytest.mark.parametrize(("of", "exact"), [("r1", True), ("a1", False)])
def test_an_empty_list_is_of_whom_the_caller_says(read, of, exact):
    files = {
        "r.json": {"routers": [thing("r1")]},
        "a.json": {"agents": [agent("a1")]},
        "c.json": [],
    }
    cloud = read(files, of={"c.json": of})
    assert cloud.routers["r1"].binding == (Binding((), exact=True) if exact else None)
    assert cloud.agents["a1"].hosted == (None if exact else Binding((), exact=True))


def test_objects_that_no_agent_lists_are_unknown_though_all_agents_are_known(read):
    cloud = read(
        {
            "a.json": {"agents": [agent("a1")]},
            "r.json": {"routers": [thing("r1"), thing("r2")]},
            "l.json": {"routers": [thing("r1")]},
        },
        "GET /v2.0/agents -> a.json\nGET /v2.0/agents/a1/l3-routers -> l.json\n",
    )
    assert cloud.routers["r1"].binding == Binding(("a1",), exact=True)
    assert cloud.routers["r2"].binding is None


@pytest.mark.parametrize(
    "asked",
    ["GET /v2.0/agents?agent_type=L3%20agent -> a.json",
     "$ openstack network agent list --host a1 -f json\n    -> a.json",
     "GET /v2.0/agents -> other.json", ""],
)  # fmt: skip
def test_a_filtered_list_of_agents_is_not_whole(read, asked):
    cloud = read(
        {"a.json": {"agents": [agent("a1")]}, "l.json": {"routers": [thing("r1")]}},
        f"{asked}\nGET /v2.0/agents/a1/l3-routers -> l.json\n",
    )
    assert cloud.routers["r1"].binding == Binding(("a1",), exact=False)


def test_a_page_that_goes_on_is_not_whole(read):
    page = {"agents": [agent("a1")], "agents_links": [{"rel": "next", "href": "x"}]}
    cloud = read({"a.json": page}, "GET /v2.0/routers/r1/l3-agents -> a.json\n")
    assert cloud.routers["r1"].binding == Binding(("a1",), exact=False)
    page["agents_links"] = [{"rel": "previous", "href": "x"}]
    cloud = read({"a.json": page})
    assert cloud.routers["r1"].binding == Binding(("a1",), exact=True)


def test_ports_are_no_proof_of_a_binding(read):
    port = {"id": "p", "network_id": "n", "device_owner": "network:dhcp", "device_id": "dhcp-n",
            "binding:host_id": "a1", "mac_address": "fa:16:3e:00:00:00"}  # fmt: skip
    cloud = read(
        {
            "p.json": {"ports": [port]},
            "n.json": {"networks": [thing("n")]},
            "a.json": {"agents": [agent("a1", "DHCP agent")]},
        }
    )
    assert cloud.networks["n"].binding is None


def test_files_that_contradict_each_other_are_told_and_rest_is_preferred(read, tmp_path):
    row = {"ID": "a1", "Agent Type": "L3 agent", "Host": "a1", "Alive": ":-)", "State": "DOWN"}
    cloud = read({"a_cli.json": [row], "b_rest.json": {"agents": [agent("a1")]}})
    assert cloud.agents["a1"].admin_state_up is True
    assert cloud.warnings == (
        f"{tmp_path}/a_cli.json: [0]: admin_state_up of agent a1 is False, but True in "
        f"{tmp_path}/b_rest.json: agents[0], which is preferred",
    )


def test_heartbeats_and_counts_may_differ(read):
    first, second = (
        agent("a1", heartbeat_timestamp=f"2026-11-22 10:20:{second}", configurations={"n": second})
        for second in (10, 40)
    )
    assert read({"a.json": {"agents": [first]}, "b.json": {"agents": [second]}}).warnings == ()


def test_lists_of_bindings_that_contradict_each_other(read, tmp_path):
    cloud = read(
        {
            "agents.json": {"agents": [agent("a1"), agent("a2")]},
            "of_r1.json": {"agents": [agent("a1")]},
            "of_a2.json": {"routers": [thing("r1")]},
        },
        "GET /v2.0/routers/r1/l3-agents -> of_r1.json\n"
        "GET /v2.0/agents/a2/l3-routers -> of_a2.json\n",
    )
    assert cloud.routers["r1"].binding == Binding(("a1",), exact=True)
    assert cloud.warnings == (
        f"{tmp_path}/of_r1.json: agent a2 does not have router r1, but it does in "
        f"{tmp_path}/of_a2.json; {tmp_path}/of_r1.json is preferred",
    )


def test_a_list_of_the_rest_api_outweighs_one_of_the_client(read):
    row = {"ID": "a1", "Agent Type": "L3 agent", "Host": "a1", "Alive": True, "State": True}
    cloud = read(
        {
            "agents.json": {"agents": [agent("a1"), agent("a2")]},
            "of_r1.json": [row],
            "of_a2.json": {"routers": [thing("r1")]},
        },
        "$ openstack network agent list --router r1 -f json\n  -> of_r1.json\n"
        "GET /v2.0/agents/a2/l3-routers -> of_a2.json\n",
    )
    assert cloud.routers["r1"].binding == Binding(("a1", "a2"), exact=False)
    assert len(cloud.warnings) == 1


def test_ha_states_that_contradict_each_other(read):
    files = {f"{n}.json": {"agents": [agent("a1", ha_state=n)]} for n in ("active", "standby")}
    routers = {"r.json": {"routers": [thing("r1")]}}
    cloud = read({**files, **routers}, of=dict.fromkeys(files, "r1"))
    assert cloud.routers["r1"].binding.ha_states == {"a1": "active"}
    assert "ha_state of router r1 on agent a1 is 'standby', but 'active'" in cloud.warnings[0]


def test_a_router_by_its_name_in_the_record(read):
    files = {
        "r.json": {"routers": [thing("id-1", name="edge"), thing("id-2", name="edge2")]},
        "a.json": {"agents": [agent("a1")]},
    }
    record = "$ openstack network agent list --long --router=edge -f json\n -> a.json\n"
    assert read(files, record).routers["id-1"].binding == Binding(("a1",), exact=True)
    files["r.json"]["routers"][1]["name"] = "edge"
    cloud = read(files, record)
    assert cloud.routers["id-1"].binding is None
    assert "may be more than one" in cloud.warnings[0]


def test_a_list_of_agents_of_the_wrong_kind_is_refused(read):
    with pytest.raises(ExportError, match="networks have dhcp agents, but a1 is a 'L3 agent'"):
        read(
            {"n.json": {"networks": [thing("n1")]}, "a.json": {"agents": [agent("a1")]}},
            of={"a.json": "n1"},
        )
    with pytest.raises(ExportError, match="'nobody' is no agent, network or router"):
        read({}, of={"a.json": "nobody"})


def test_agents_that_the_model_does_not_know_may_host_routers(read):
    """OVN lists its gateway chassis as the agents of a router."""
    gateway = agent("g1", "OVN Controller Gateway agent", ha_chassis_priority=2, ha_state=None)
    cloud = read(
        {"a.json": {"agents": [gateway]}, "r.json": {"routers": [thing("r1")]}}, of={"a.json": "r1"}
    )
    assert cloud.routers["r1"].binding == Binding(("g1",), exact=True)
    state = state_of(cloud)
    assert (state.left_out, state.server.routers) == (("r1",), {})


def test_what_older_clients_print(read):
    """Texts where there are truth values and lists now, in JSON too; and the neutron client."""
    cloud = read(
        {
            "agents.json": [
                {"ID": "a1", "Agent Type": "Open vSwitch agent", "Host": "h", "Alive": "XXX",
                 "Availability Zone": None, "State": "UP", "Binary": "x"},
            ],
            "neutron.json": [
                {"id": "a2", "agent_type": "DHCP agent", "host": "h", "alive": "xxx",
                 "admin_state_up": True, "binary": "neutron-dhcp-agent"},
            ],
            "networks.json": [
                {"ID": "n1", "Name": "one", "Status": "ACTIVE", "State": "DOWN",
                 "Subnets": "s1, s2", "Router Type": "External"},
            ],
            "routers.csv": '"ID","Name","Status","State","Project","External gateway info","HA"\n'
            '"r1","","ACTIVE","True","p","{""network_id"": ""n1""}","True"\n'
            "\"r2\",\"x\",\"ACTIVE\",\"False\",\"p\",\"{'network_id': 'n1'}\",\"\"\n"
            '"r3","x","ACTIVE","False","p","None","False"\n',
            "subnets.csv": "ID,Name,Network,Subnet,DHCP\ns1,s1,n1,10.0.0.0/24,False\n",
        }
    )  # fmt: skip
    assert [(a.type, a.alive, a.admin_state_up) for a in cloud.agents.values()] == [
        ("l2", False, True), ("dhcp", False, True),
    ]  # fmt: skip
    network = cloud.networks["n1"]
    assert (network.external, network.admin_state_up) == (True, False)
    assert network.subnets == {"s1": False, "s2": None}
    assert [router.gateway for router in cloud.routers.values()] == ["n1", "n1", None]
    assert [router.ha for router in cloud.routers.values()] == [True, False, False]
    assert "ha" not in cloud.routers["r2"].told
    assert cloud.warnings == ()


def test_a_table_of_one_object(read):
    rows = {"admin_state_up": "UP", "external_gateway_info": "{'network_id': 'n1'}", "ha": "None",
            "id": "r1", "name": "one"}  # fmt: skip
    rule = f"+{'-' * 30}+{'-' * 30}+"
    lines = [f"| {key:<28} | {value:<28} |" for key, value in {"Field": "Value", **rows}.items()]
    table = "\n".join([rule, lines[0], rule, *lines[1:], rule]) + "\n"
    router = read({"r.txt": table}).routers["r1"]
    assert (router.name, router.gateway, router.admin_state_up) == ("one", "n1", True)
    assert router.told == {"id", "name", "gateway", "admin_state_up"}


def test_two_agents_of_one_host_and_distributed_routers_in_the_server(read):
    """Neutron forbids the former; exports from before and after a reinstallation have it."""
    rows = {"a": agent("a1", host="h"), "b": agent("a2", host="h")}
    cloud = read(
        {
            **{f"{name}.json": {"agents": [row]} for name, row in rows.items()},
            "r.json": {"routers": [thing("r1", distributed=True)]},
        },
        "$ openstack network agent list --router r1 --os-cloud x --sort-column ID > b.json\n",
    )
    state = state_of(cloud)
    assert list(state.server.agents) == ["h/l3 a1", "h/l3 a2"]
    assert list(state.server.routers["r1"].agents) == ["h/l3 a2"]
    assert state.server.routers["r1"].distributed
    assert state.partial == ()


def test_hundreds_of_agents(read):
    agents = [
        agent(f"a{n}", hosted_router_ids=[f"r{r}" for r in range(n, 3000, 300)]) for n in range(300)
    ]
    for one in agents:
        one |= {"is_alive": one.pop("alive"), "is_admin_state_up": one.pop("admin_state_up")}
    cloud = read({"sdk.json": {"agents": agents}}, all_agents=True)
    assert len(cloud.routers) == 3000
    assert cloud.routers["r2999"].binding == Binding(("a299",), exact=True)
