"""Recordings of quantum 2013.1.5 itself, replayed into the server's rules, step by step."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from simulator.neutron.errors import ApiError
from simulator.neutron.records import FANOUT, Decision, Notice
from simulator.neutron.server import Server

FOLDER = Path(__file__).parent / "grizzly"
EXACT = sorted(path for path in FOLDER.glob("g[0-9]*.json"))
STATISTICAL = sorted(FOLDER.glob("gs*.json"))
METHODS = {
    "network_create_end",
    "network_delete_end",
    "routers_updated",
    "router_added_to_agent",
    "router_removed_from_agent",
    "router_deleted",
    "agent_updated",
}


class First:
    """Draws that are never used: the recorded choice replaces them."""

    def index(self, size):
        return 0


class Replay:
    """One recording: adopts recorded choices, counts what it checks."""

    def __init__(self, trace):
        timeline = trace["timeline"]
        self.agents = timeline["agents"]
        self.steps = trace["steps"]
        self.recorded = []
        self.seen = []
        self.server = Server(
            agent_down_time=micro(timeline["config"]["agent_down_time"]),
            draws=lambda target: First(),
            on_decision=self.decide,
        )

    def decide(self, decision: Decision):
        assert self.recorded, f"decision not recorded: {decision}"
        expected = self.recorded.pop(0)
        assert sorted(decision.candidates) == expected["candidates"]
        assert set(expected["chosen"]) <= set(expected["candidates"])
        assert len(expected["chosen"]) == 1
        return expected["chosen"]

    def report(self, now, name, *, start):
        spec = self.agents[name]
        self.server.report_state(
            now, name, spec["type"], spec.get("host", name),
            configurations=spec.get("configurations", {}), start=start,
        )  # fmt: skip

    def do(self, step, now):
        server, op = self.server, step["op"]
        if op == "agent_start":
            self.report(now, step["agent"], start=True)
            assert sorted(server.sync(now, step["agent"])) == sorted(step["result"]["synced"])
        elif op == "report":
            self.report(now, step["agent"], start=False)
        elif op == "sync":
            assert sorted(server.sync(now, step["agent"])) == sorted(step["result"]["synced"])
        elif op == "create_net":
            notices = server.create_network(now, step["network"])
            return notices + server.create_subnet(now, step["network"], "subnet")
        elif op == "create_network":
            return server.create_network(now, step["network"])
        elif op == "create_port":
            return server.create_port(now, step["network"])
        elif op == "create_router":
            return server.create_router(now, step["router"])
        elif op == "update_router":
            return server.update_router(now, step["router"])
        elif op == "update_agent":
            return server.update_agent(now, step["agent"], step["admin_state_up"])
        elif op in ("add_network_to_agent", "remove_network_from_agent"):
            return getattr(server, op)(now, step["network"], step["agent"])
        elif op in ("add_router_to_agent", "remove_router_from_agent"):
            return getattr(server, op)(now, step["router"], step["agent"])
        else:
            assert op == "observe", f"unknown operation {op}"
        return []

    def check(self, step, now):
        self.recorded = list(step.get("decisions", []))
        try:
            notices, error = self.do(step, now) or [], None
        except ApiError as refused:
            notices, error = [], refused.name
        assert error == step.get("error", {}).get("type")
        assert not self.recorded, "a recorded decision was not made"
        assert sent(notices) == Counter(
            tuple(n) for n in step.get("notifications", []) if n[2] in METHODS
        )
        self.check_state(step["state"], now)

    def check_state(self, state, now):
        server = self.server
        assert set(server.agents) == set(state["agents"])
        for name, expected in state["agents"].items():
            row = server.agents[name]
            assert server.is_alive(now, row) == expected["alive"]
            assert row.admin_state_up == expected["admin_state_up"]
        if "networks" in state:
            assert {n: sorted(r.agents) for n, r in server.networks.items()} == {
                n: sorted(agents) for n, agents in state["networks"].items()
            }
            assert {n: sorted(r.agents) for n, r in server.routers.items()} == {
                n: sorted(agents) for n, agents in state["routers"].items()
            }


def micro(seconds) -> int:
    return int(Fraction(str(seconds)) * 1_000_000)


def sent(notices: list[Notice]) -> Counter:
    assert all(notice.agent != FANOUT for notice in notices)
    return Counter((n.agent_type, n.agent, n.method) for n in notices if n.method in METHODS)


@pytest.mark.parametrize("path", EXACT, ids=lambda path: path.stem)
def test_every_step_of_the_recording_holds(path):
    trace = json.loads(path.read_text())
    assert trace["neutron"].startswith("quantum-2013.1.5")
    replay = Replay(trace)
    for step in replay.steps:
        replay.check(step, micro(step["t"]))
    assert len(replay.steps) >= 10


@pytest.mark.parametrize("path", STATISTICAL, ids=lambda path: path.stem)
def test_shares_are_as_uniform_as_the_recorded_ones(path):
    """Chi-square of our choices and of the recorded ones against uniform, each at 1e-4."""
    trace = json.loads(path.read_text())
    step = trace["steps"][-1]
    recorded = list(step["result"]["distribution"].values())
    assert stats.chisquare(recorded).pvalue > 1e-4

    class Draws:
        rng = np.random.default_rng(1)

        def index(self, size):
            return int(self.rng.integers(size))

    draws = Draws()
    server = Server(agent_down_time=75.0, draws=lambda target: draws)
    kind = "dhcp" if step["op"] == "bulk_networks" else "l3"
    for name in trace["timeline"]["agents"]:
        server.report_state(0.0, name, kind, name)
    for i in range(step["count"]):
        if kind == "dhcp":
            server.create_network(1.0, i)
            server.create_port(1.0, i)
        else:
            server.create_router(1.0, i)
            server.update_router(1.0, i)
    counts = [len(agent.hosted) for agent in server.agents.values()]
    assert sum(counts) == step["count"]
    assert stats.chisquare(counts).pvalue > 1e-4
