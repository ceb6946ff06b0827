"""netnode: a discrete-event simulator of OpenStack network-node clusters.

    from simulator import load_scenario, run, compare

    result = run(load_scenario("scenarios/folsom-vs-grizzly.yaml"), replications=20)
    result.summary, result.differences, result.objects, result.plot()

Names are loaded when they are first used, so that importing this costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.analysis.reading import load_result
    from simulator.analysis.results import ResultSet
    from simulator.errors import (
        InputError,
        MissingError,
        NetnodeError,
        OutputError,
        PartialRunError,
        ScenarioError,
    )
    from simulator.experiment.compare import compare
    from simulator.experiment.runner import run
    from simulator.scenario.load import load_scenario
    from simulator.scenario.schema import Scenario

_HOMES = {
    "compare": "simulator.experiment.compare",
    "InputError": "simulator.errors",
    "MissingError": "simulator.errors",
    "NetnodeError": "simulator.errors",
    "OutputError": "simulator.errors",
    "PartialRunError": "simulator.errors",
    "ResultSet": "simulator.analysis.results",
    "Scenario": "simulator.scenario.schema",
    "ScenarioError": "simulator.errors",
    "load_result": "simulator.analysis.reading",
    "load_scenario": "simulator.scenario.load",
    "run": "simulator.experiment.runner",
}

__all__ = [
    "InputError",
    "MissingError",
    "NetnodeError",
    "OutputError",
    "PartialRunError",
    "ResultSet",
    "Scenario",
    "ScenarioError",
    "compare",
    "load_result",
    "load_scenario",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'simulator' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
