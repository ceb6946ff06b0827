"""Recordings of real Neutron and Quantum, replayed; what is wrong in one must be found."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from simulator.conformance.recording import BULK_LIMIT, RecordingError, read_recording
from simulator.conformance.replay import Replay
from simulator.neutron.rules import GRIZZLY, NEUTRON_29
from simulator.neutron.server import Server

FOLDERS = [Path(__file__).parent / name for name in ("grizzly", "neutron")]
RECORDINGS = sorted(path for folder in FOLDERS for path in folder.glob("*.json"))
EXACT = [path for path in RECORDINGS if not path.stem.strip("g").startswith("s")]


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_every_step_of_the_recording_holds(path):
    recording = read_recording(path)
    report = Replay(recording).run()
    assert report.violations == []
    assert report.steps == len(recording.steps)
    assert report.decisions == sum(len(step.decisions) for step in recording.steps)
    assert report.assertions >= 5 * report.steps


def test_there_are_as_many_as_were_recorded():
    assert len(RECORDINGS) == 42
    assert len(EXACT) == 35


# -- what is wrong is found ----------------------------------------------------------------


def replayed(tmp_path, data):
    path = tmp_path / "trace.json"
    path.write_text(json.dumps(data))
    return Replay(read_recording(path)).run()


def recorded(name):
    (path,) = [path for path in RECORDINGS if path.stem == name]
    return json.loads(path.read_text())


def first(data, **wanted):
    return next(s for s in data["steps"] if all(s.get(k) == v for k, v in wanted.items()))


def flip_alive(data):
    agents = data["steps"][6]["state"]["agents"]
    agents["l3-1"]["alive"] = not agents["l3-1"]["alive"]


def forget_a_decision(data):
    del first(data, op="create_router")["decisions"][0]


def invent_a_decision(data):
    step = first(data, op="observe")
    step["decisions"] = [{"kind": "l3", "router": "r-75", "candidates": [], "chosen": []}]
    step["state"]["routers"] = {"r-75": ["l3-1"]}


def hide_a_candidate(data):
    first(data, op="create_router")["decisions"][0]["candidates"] = []


def lose_a_notice(data):
    step = first(data, op="create_router")
    step["notifications"] = [n for n in step["notifications"] if n[2] != "routers_updated"]


def move_a_binding(data):
    first(data, op="create_router")["state"]["routers"]["r-75"] = []


def miscount_a_load(data):
    data["steps"][2]["state"]["agents"]["dhcp-1"]["load"] += 1


def report_an_error(data):
    data["steps"][8]["error"] = {"type": "InvalidL3Agent", "status": 404}


def change_the_answer(data):
    data["steps"][0]["result"]["status"] = "revived"


@pytest.mark.parametrize(
    "spoil",
    [flip_alive, forget_a_decision, invent_a_decision, hide_a_candidate, lose_a_notice,
     move_a_binding, miscount_a_load, report_an_error, change_the_answer],
)  # fmt: skip
def test_a_spoilt_recording_is_a_violation(tmp_path, spoil):
    data = recorded("01_alive_boundary")
    assert replayed(tmp_path, data).violations == []
    spoil(data)
    violations = replayed(tmp_path, data).violations
    assert violations
    assert all(violation.file.endswith("trace.json") for violation in violations)


def test_a_choice_that_the_policy_forbids_is_a_violation(tmp_path):
    data = recorded("05_least_routers")
    step = next(s for s in data["steps"] if len(set(_loads(s))) > 1)
    decision = step["decisions"][0]
    most = max(decision["routers_on"], key=decision["routers_on"].get)
    decision["chosen"] = [most]
    found = replayed(tmp_path, data).violations
    assert any("chosen" in violation.what for violation in found)


def _loads(step):
    return [v for d in step.get("decisions", []) for v in d.get("routers_on", {}).values()]


def test_an_unlikely_spread_is_a_violation(tmp_path):
    data = recorded("s2_chance_l3_1000")
    data["steps"][-1]["result"]["distribution"] = {
        "l3-1": 300, "l3-2": 175, "l3-3": 175, "l3-4": 175, "l3-5": 175,
    }  # fmt: skip
    assert [v.what for v in replayed(tmp_path, data).violations] == ["likely if uniform"]


def test_a_step_that_is_missing_is_seen_in_what_follows(tmp_path):
    data = recorded("s2_chance_l3_1000")
    del data["steps"][4]
    found = [violation.what for violation in replayed(tmp_path, data).violations]
    assert "agents beyond those that could be chosen" in found


def test_nobody_to_choose_from_binds_nothing(tmp_path):
    data = recorded("s2_chance_l3_1000")
    data["steps"] = data["steps"][5:]
    data["steps"][0]["result"]["distribution"] = {}
    data["steps"][0]["state"]["agents"] = {}
    assert replayed(tmp_path, data).violations == []


def test_a_gateway_on_no_network_is_refused(tmp_path):
    data = recorded("01_alive_boundary")
    first(data, op="create_router")["gateway"] = "nowhere"
    found = replayed(tmp_path, data).violations
    assert (found[0].what, found[0].found) == ("error", "NetworkNotFound")


def test_a_choice_of_one_agent_twice_is_a_violation(tmp_path):
    data = recorded("10_dhcp_two_per_network")
    data["timeline"]["config"]["network_scheduler_driver"] = "ChanceScheduler"
    decision = next(
        d for s in data["steps"] for d in s.get("decisions", ()) if len(d["chosen"]) == 2
    )
    decision["chosen"] = [decision["chosen"][0]] * 2
    assert any("chosen" in v.what for v in replayed(tmp_path, data).violations)


def test_how_many_were_needed_is_compared(tmp_path):
    data = recorded("10_dhcp_two_per_network")
    decision = next(d for s in data["steps"] for d in s.get("decisions", ()) if "needed" in d)
    decision["needed"] = 7
    (found,) = replayed(tmp_path, data).violations
    assert found.what.endswith("needed")
    assert found.expected == "7"


def test_a_pass_that_should_not_have_been_skipped(tmp_path):
    data = recorded("03_hosted_not_rescheduled_without_failover")
    step = next(s for s in data["steps"] if "skipped" in (s.get("result") or {}))
    del step["result"]["skipped"]
    assert [v.what for v in replayed(tmp_path, data).violations] == ["skipped"]


@pytest.mark.parametrize(
    "sets", [{"dhcp-1+dhcp-2": 500}, {"dhcp-8+dhcp-9": 500}, {"dhcp-1+dhcp-2": 499}]
)
def test_sets_must_fit_the_distribution(tmp_path, sets):
    data = recorded("s4_chance_two_per_network_500")
    step = next(s for s in data["steps"] if "sets" in (s.get("result") or {}))
    step["result"]["sets"] = sets
    assert "sets as distributed" in [v.what for v in replayed(tmp_path, data).violations]


def test_an_agent_that_took_nothing_may_be_listed_or_not(tmp_path):
    data = recorded("s4_chance_two_per_network_500")
    data["steps"] = [s for s in data["steps"] if "sets" not in (s.get("result") or {})]
    bulk = next(s for s in recorded("s4_chance_two_per_network_500")["steps"]
                if "sets" in (s.get("result") or {}))  # fmt: skip
    bulk["count"] = 2
    bulk["result"] = {
        "sets": {"dhcp-1+dhcp-2": 2},
        "distribution": {"dhcp-1": 2, "dhcp-2": 2, "dhcp-3": 0},
    }
    data["steps"].append(bulk)
    found = [v.what for v in replayed(tmp_path, data).violations]
    assert "sets as distributed" not in found


def test_grizzly_does_not_read_options_that_came_later(tmp_path):
    data = recorded("g3_dead_host")
    data["timeline"]["config"] |= {"dhcp_agents_per_network": 2, "enable_new_agents": False}
    assert replayed(tmp_path, data).violations == []


# -- what cannot be read -------------------------------------------------------------------


def _at(data, step, **changes):
    data["steps"][step].update(changes)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: _at(d, 3, t="soon"), "step 3: t: input should be a valid number"),
        (lambda d: _at(d, 3, t=-1), "step 3: time goes backwards, from 0 s to -1 s"),
        (lambda d: _at(d, 3, op="reboot"), "step 3: unknown operation 'reboot'; known: "),
        (lambda d: d["steps"][3].pop("op"), "step 3: op: field required"),
        (lambda d: d["steps"][3].pop("state"), "step 3: state: field required"),
        (lambda d: d["steps"][0].pop("agent"), "step 0: agent_start needs 'agent'"),
        (lambda d: _at(d, 0, agent=7), "step 0: agent: a str is wanted, not 7"),
        (lambda d: _at(d, 0, agent="l3-9"), "step 0: unknown agent 'l3-9'"),
        (lambda d: d["steps"][2]["decisions"][0].pop("chosen"),
         "step 2: decisions.0.chosen: field required"),
        (lambda d: d["steps"][2]["decisions"][0].update(network="nowhere"),
         "step 2: a decision for an unknown object, 'nowhere'"),
        (lambda d: d["steps"][2]["decisions"][0].update(chosen=["dhcp-9"]),
         "step 2: unknown agent 'dhcp-9'"),
        (lambda d: d.update(neutron="28.0.0"), "unknown version '28.0.0'; nearest: 29.0.0"),
        (lambda d: d["timeline"]["config"].update(agent_down_time="long"),
         "agent_down_time: a float is wanted, not 'long'"),
        (lambda d: d["timeline"]["config"].update(network_scheduler_driver="Best"),
         "unknown network_scheduler_driver 'Best'"),
        (lambda d: d.pop("steps"), "steps: field required"),
        (lambda d: d.update(steps=[]), "steps: list should have at least 1 item"),
        (lambda d: _at(d, 3, i=2), "step 2: i: more than 2, of the step before, is wanted"),
        (lambda d: _at(d, 8, network="ext"), "step 8: 'ext' exists already"),
        (lambda d: _at(d, 3, t=1e300), "step 3: 1e+300 s is too late"),
        (lambda d: _at(d, 2, az_hints=[{"a": 1}]), "step 2: az_hints: a list of names is wanted"),
        (lambda d: _at(d, 2, op="bulk_networks", count=True),
         "step 2: count: a int is wanted, not True"),
        (lambda d: _at(d, 2, op="bulk_networks", count=-5),
         "step 2: count: a whole number from 0 to 1,000,000 is wanted, not -5"),
        (lambda d: _at(d, 2, op="bulk_routers", count=1_000_001),
         "step 2: count: a whole number from 0 to 1,000,000 is wanted, not 1000001"),
        (lambda d: _at(d, 5, op="update_router", body={"external_gateway_info": "x"}),
         "step 5: body.external_gateway_info: a mapping is wanted, not 'x'"),
        (lambda d: _at(d, 5, op="update_router", body={"admin_state_up": "x"}),
         "step 5: body.admin_state_up: a bool is wanted, not 'x'"),
        (lambda d: d["timeline"]["config"].update(agent_down_time=10**400),
         "agent_down_time: inf makes no sense"),
        (lambda d: d["timeline"]["config"].update(network_scheduler_driver="LeastRoutersScheduler"),
         "unknown network_scheduler_driver 'LeastRoutersScheduler'; known: ChanceS"),
        (lambda d: d["timeline"]["config"].update(dhcp_load_type="cats"),
         "unknown dhcp_load_type 'cats'; known: networks, subnets, ports"),
        (lambda d: d["timeline"]["config"].update(agent_down_time=-1),
         "agent_down_time: -1.0 makes no sense"),
        (lambda d: d["timeline"]["config"].update(agent_down_time=float("nan")),
         "agent_down_time: nan makes no sense"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_where(tmp_path, spoil, message):
    data = recorded("01_alive_boundary")
    spoil(data)
    with pytest.raises(RecordingError) as error:
        replayed(tmp_path, data)
    assert message in str(error.value)
    assert str(error.value).startswith(str(tmp_path / "trace.json"))


@pytest.mark.parametrize("count", [0, BULK_LIMIT])
def test_a_count_at_the_limits_can_be_read(tmp_path, count):
    data = recorded("s5_least_routers_100")
    data["steps"][-1]["count"] = count
    path = tmp_path / "trace.json"
    path.write_text(json.dumps(data))
    assert read_recording(path).steps[-1].arguments == {"count": count}


def test_what_is_no_file(tmp_path):
    path = tmp_path / "trace.json"
    os.mkfifo(path)
    with pytest.raises(RecordingError, match="not a file"):
        read_recording(path)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "\x00\xff", "[" * 200_000, '{"steps": [], "steps": []}']
)
def test_what_is_no_recording_at_all(tmp_path, text):
    path = tmp_path / "trace.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RecordingError):
        read_recording(path)


# -- our own choices -----------------------------------------------------------------------


class Draws:
    """Random choices of a test."""

    def __init__(self, seed):
        self._rng = np.random.default_rng(seed)

    def index(self, size):
        return int(self._rng.integers(size))


@pytest.mark.parametrize("rules", [GRIZZLY, NEUTRON_29], ids=["grizzly", "29.0.0"])
@pytest.mark.parametrize("kind", ["dhcp", "l3"])
def test_chance_is_uniform(rules, kind):
    """1,000 objects over five agents: chi-square against equal shares, at 1e-4."""
    draws = Draws(1)
    chance = {"network_scheduler_driver": "ChanceScheduler",
              "router_scheduler_driver": "ChanceScheduler"}  # fmt: skip
    server = Server(replace(rules, **chance), draws=lambda target: draws)
    for i in range(5):
        server.report_state(0.0, f"a{i}", kind, f"a{i}")
    for i in range(1000):
        if kind == "dhcp":
            server.create_network(1.0, i)
            server.create_port(1.0, i)
        else:
            server.create_router(1.0, i)
            server.update_router(1.0, i)
    counts = [len(agent.hosted) for agent in server.agents.values()]
    assert sum(counts) == 1000
    assert stats.chisquare(counts).pvalue > 1e-4
