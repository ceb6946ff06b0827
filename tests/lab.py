"""Small systems for tests: from a few keys to a scenario, a trace, or its metrics."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path

import numpy as np

from simulator.analysis.context import context_of
from simulator.analysis.measured import Measured
from simulator.analysis.metrics import measure
from simulator.scenario.load import load_scenario
from simulator.trace import Kind
from simulator.world.plan import compile_plan
from simulator.world.simulation import simulate

FREE = {
    "boot": "0s", "agent_start": "0s", "rest_call": "0s", "rpc_call": "0s", "rewire": "0s",
    "rebuild_per_router": "0s", "rebuild_per_network": "0s", "address_regain": "0s",
    "answer_per_router": "0s", "reschedule": "0s", "promote": "0s",
}  # fmt: skip
"""Costs of nothing: agents do all their work in no time."""

CONTROLLER = {"kind": "controller", "count": 1}


def network_nodes(count=1, **keys):
    return {"controller": CONTROLLER, "network": {"kind": "network", "count": count, **keys}}


def outage(at, duration):
    return {"outages": [{"at": f"{at}s", "for": f"{duration}s"}]}


def down_share(share, cycle="10h"):
    """Failures that hold *share* of the time: exponential, with a mean cycle of *cycle*."""
    hours = float(cycle.removesuffix("h"))
    return {
        "time_to_failure": {"exponential": {"mean": f"{(1 - share) * hours}h"}},
        "time_to_repair": {"exponential": {"mean": f"{share * hours}h"}},
    }


def scenario(**keys):
    """A valid scenario: Grizzly, one network node, all up at the start, nothing costs time."""
    document = {
        "version": 1,
        "horizon": "1d",
        "start": "all_up",
        "release": "grizzly",
        "hosts": network_nodes(),
        "costs": FREE,
        "workload": {"tenants": 2},
        **keys,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lab.yaml"
        path.write_text(json.dumps(document))
        return load_scenario(path)


def run_one(given=None, *, variant=None, replication=0, **keys):
    """One replication: the trace and its metrics' source."""
    given = given or scenario(**keys)
    variant = variant or given.baseline
    trace = simulate(compile_plan(given, variant), given.seed, replication)
    return Measured(trace, context_of(given, variant))


def metrics(given=None, **keys):
    """Every metric of one replication."""
    return measure(run_one(given, **keys))


def replicate(count, given=None, *, variant=None, **keys):
    """Measured replications, one by one."""
    given = given or scenario(**keys)
    variant = variant or given.baseline
    plan, context = compile_plan(given, variant), context_of(given, variant)
    for replication in range(count):
        yield Measured(simulate(plan, given.seed, replication), context)


def events(trace, *kinds):
    """(time, kind, subject, object) of the events of some kinds, with names."""
    parts, things = [*trace.components.names, ""], [*trace.objects.names, ""]
    return [
        (time, Kind(kind).name, parts[subject], things[thing])
        for time, kind, subject, thing in zip(
            trace.time.tolist(), trace.kind.tolist(), trace.subject.tolist(),
            trace.object.tolist(), strict=True,
        )
        if not kinds or Kind(kind) in kinds
    ]  # fmt: skip


def columns(trace):
    """What makes two traces equal, bit for bit."""
    return [
        getattr(trace, name).tobytes() for name in ("time", "kind", "subject", "object", "value")
    ]


def with_events(measured, *extra):
    """*measured* with more events, each (time, kind, subject, object) by name.

    At one instant they come after those of the run.
    """
    trace = measured.trace
    parts, things = list(trace.components.names), list(trace.objects.names)
    new = [
        (time, kind, parts.index(subject) if subject else -1, things.index(o) if o else -1, 0.0)
        for time, kind, subject, o in extra
    ]
    names = ("time", "kind", "subject", "object", "value")
    columns = {
        name: np.concatenate([getattr(trace, name), np.array(column, dtype=dtype)])
        for name, column, dtype in zip(
            names, zip(*new, strict=True), (float, int, int, int, float), strict=True
        )
    }
    order = np.argsort(columns["time"], kind="stable")
    columns = {name: column[order] for name, column in columns.items()}
    return Measured(dataclasses.replace(trace, **columns), measured.context)
