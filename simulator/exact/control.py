"""The control plane: how late a failure is seen, what looks down without one, what moves."""

from __future__ import annotations

from simulator.clock import TICK
from simulator.distributions import Deterministic
from simulator.exact.answer import Answer, RefusedError
from simulator.exact.case import Case
from simulator.exact.components import Law
from simulator.exact.laws import least, phase_mean, rate
from simulator.scenario.components import CONTROL
from simulator.world.plan import AgentPlan, Renewal

EDGES = "failures within agent_down_time of the window's end are too few to count"


def detection_mean(case: Case) -> Answer:
    """agent_down_time less the age of the last heartbeat: D - E[X mod R], and a tick."""
    reporting = _reporting(case)
    _calm(case)
    limit = case.plan.seconds("agent_down_time")
    failing = [law for agent in reporting for law in _laws(case, agent)]
    if not failing:
        raise RefusedError("no agent that reports fails, nor its host")
    phases = {_phase(case, agent) for agent in reporting if _laws(case, agent)}
    if len(phases) > 1:
        raise RefusedError("agents fail at several rates: how often each counts is random")
    back = 0.0 if any(_is_agent(case, law) for law in failing) else case.plan.cost("boot")
    back += case.plan.cost("agent_start")
    if min(_shortest(law) for law in failing) + back <= limit:
        raise RefusedError(
            "some failures end before agents look down, and those seen are no fair sample: "
            "answered where every repair takes longer than agent_down_time"
        )
    value = limit - phases.pop() + TICK
    return Answer(
        value,
        "agent_down_time - E[up time mod report_interval]",
        "the last heartbeat's age is that of a lattice renewal process",
        (EDGES,),
    )


def _reporting(case: Case) -> list[AgentPlan]:
    found = [agent for agent in case.plan.agents if agent.reports]
    if not found:
        raise RefusedError("no agent reports: this release has no agents table")
    return found


def _laws(case: Case, agent: AgentPlan) -> list[Renewal]:
    """How *agent* is silenced: by its process or its host."""
    found = []
    for part in (agent.component, agent.host):
        law: Law = case.failing.law(part)
        if law is not None:
            if not isinstance(law, Renewal):
                raise RefusedError("scripted outages come at fixed phases of heartbeats")
            found.append(law)
    return found


def _is_agent(case: Case, law: Renewal) -> bool:
    return case.plan.components.kinds[law.component] != "host"


def _shortest(law: Renewal) -> float:
    return least(law.time_to_repair)


def _phase(case: Case, agent: AgentPlan) -> float:
    """The mean age of an agent's last heartbeat when it fails, s."""
    rates = [rate(law.time_to_failure) for law in _laws(case, agent)]
    if any(one is None for one in rates):
        raise RefusedError("up times are not exponential: the phase of a failure depends on them")
    if not case.plan.equilibrium:
        raise RefusedError("answered for `start: equilibrium`")
    total = sum(one for one in rates if one is not None)
    return phase_mean(1 / total, case.plan.seconds("report_interval"))


def _calm(case: Case) -> None:
    """Raise RefusedError unless every heartbeat arrives at once, and agents start with one."""
    plan, limit = case.plan, case.plan.seconds("agent_down_time")
    if plan.loss or plan.service:
        raise RefusedError("heartbeats are lost or queue")
    if plan.delay:
        word = "are delayed"
        if isinstance(plan.delay, Deterministic):
            word = "are all late, also the first after a restart"
        raise RefusedError(f"heartbeats {word}")
    if plan.seconds("report_interval") >= limit:
        raise RefusedError("report_interval is not below agent_down_time: agents flap")
    starves = plan.release.habits.dhcp_first_sync != "beside"
    starves &= any(agent.type == "dhcp" for agent in plan.agents)
    if starves and any(plan.cost(name) for name in ("rpc_call", "spawn_dnsmasq")):
        raise RefusedError("a DHCP agent's first sync holds back its heartbeats")
    shares = not plan.option("rpc_state_report_workers")
    if shares and plan.cost("answer_per_router") and plan.release.has_scheduler:
        raise RefusedError("heartbeats may queue behind syncs (costs.answer_per_router)")
    _reached(case)


def _reached(case: Case) -> None:
    """Raise RefusedError if anything between agents and server can fail."""
    names = case.plan.components.names
    hosts = {names[host] for host in case.plan.controllers}
    wanted = hosts | {f"{host}/{part}" for host in hosts for part in CONTROL}
    for number, name in enumerate(names):
        if case.failing.law(number) and (name in wanted or name.endswith("/management")):
            raise RefusedError(f"{name} can fail, and makes agents look dead that are not")


def no_false_down(case: Case) -> Answer:
    """None where every heartbeat arrives in time."""
    _reporting(case)
    _calm(case)
    return Answer(0.0, "every heartbeat arrives before the limit", "the liveness rule")


def no_moves(case: Case) -> Answer:
    """None where every object stays on its one node."""
    for places in (case.routers, case.networks):
        if not places.homes.single:
            raise RefusedError("of several nodes that serve an object any may be back first")
    return Answer(0.0, "every object stays on its one node", "the bindings")
