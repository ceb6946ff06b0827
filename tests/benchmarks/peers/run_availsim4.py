"""Ten components under AvailSim4, in its own environment: python run_availsim4.py YEARS SEED

Each component fails after exponential times of mean 1000 h and is repaired in 1 h. Prints as JSON
the CPU seconds of the simulation alone (reading the input is not counted), failures and repairs,
and the availability of a component.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import time
import types
from pathlib import Path

try:
    import tkinter  # noqa: F401
except ImportError:  # its reader imports a name from there, and does not use it
    sys.modules["tkinter"] = types.SimpleNamespace(NO=0)

import pandas as pd
from availsim4core.src.context.context import Context
from availsim4core.src.context.phase.phase_manager import PhaseManager
from availsim4core.src.context.system.component_tree.component_factory import ComponentFactory
from availsim4core.src.reader.xlsx.simulation_reader import SimulationReader
from availsim4core.src.reader.xlsx.system_template_reader import SystemTemplateReader

COMPONENTS, MTTF, MTTR, YEAR = 10, 1000.0, 1.0, 8760.0  # h

SYSTEM = {
    "ARCHITECTURE": [
        {
            "COMPONENT_NAME": "ROOT", "COMPONENT_TYPE": "COMPOUND", "COMPONENT_NUMBER": 1,
            "CHILDREN_NAME": "NODE", "CHILDREN_LOGIC": "AND", "IN_MRU": "", "TRIGGER_MRU": "",
        },
        {
            "COMPONENT_NAME": "NODE", "COMPONENT_TYPE": "BASIC", "COMPONENT_NUMBER": COMPONENTS,
            "CHILDREN_NAME": "", "CHILDREN_LOGIC": "", "IN_MRU": "", "TRIGGER_MRU": "",
        },
    ],
    "FAILURE_MODES": [
        {
            "FAILURE_MODE_NAME": "CRASH", "FAILURE_LAW": "EXP", "FAILURE_PARAMETERS": MTTF,
            "REPAIR_LAW": "EXP", "REPAIR_PARAMETERS": MTTR, "TYPE_OF_FAILURE": "DETECTABLE",
            "HELD_BEFORE_REPAIR": "NEVER_HELD", "INSPECTION_NAME": "NONE", "PHASE_NAME": "NONE",
            "NEXT_PHASE_IF_FAILURE": "NONE", "PHASE_CHANGE_TRIGGER": "NEVER",
            "HELD_AFTER_REPAIR": "NEVER_HELD",
        },
    ],
    "FAILURE_MODE_ASSIGNMENTS": [{"COMPONENT_NAME": "NODE", "FAILURE_MODE_NAME": "CRASH"}],
    "MRU": [], "INSPECTIONS": [], "PHASES": [], "ROOT_CAUSE_ANALYSIS": [], "PHASE_JUMP": [],
}  # fmt: skip


def book(folder: Path, name: str, sheets: dict[str, list]) -> Path:
    """A workbook, which is the only input that AvailSim4 takes."""
    path = folder / f"{name}.xlsx"
    with pd.ExcelWriter(path) as writer:
        for sheet, rows in sheets.items():
            pd.DataFrame(rows).to_excel(writer, sheet_name=sheet, index=False)
    return path


def main(years: int, seed: int) -> None:
    """Simulate *years* runs of one year."""
    logging.disable(logging.CRITICAL)
    plan = {
        "SIMULATION_TYPE": "MONTE_CARLO", "MIN_NUMBER_OF_SIMULATION": years,
        "MAX_NUMBER_OF_SIMULATION": years, "SIMULATION_DURATION": YEAR, "SEED": seed,
        "DIAGNOSTICS": "SUMMARY", "CONVERGENCE_MARGIN": 0, "MAX_EXECUTION_TIME": 0,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        system = SystemTemplateReader().read(book(Path(folder), "system", SYSTEM))
        simulation = SimulationReader().read(book(Path(folder), "plan", {"SIMULATION": [plan]}))
    root = ComponentFactory(system).build()
    phases = PhaseManager(system.phase_set, system.phase_jump_trigger_set)
    context = Context(root, phases, None)
    begin = time.process_time()
    results = simulation.run(context)
    seconds = time.process_time() - begin
    print(json.dumps({"seconds": seconds, **summary(results, years)}))


def summary(results, years: int) -> dict[str, float]:
    """What was simulated, from its statistics of means over the runs."""
    ran, cycles = (
        sum(mean.mean for entry, mean in table.items() if _of_a_node(entry, status))
        for table, status in (
            (results.duration_statistics, "RUNNING"),
            (results.occurrence_statistics, "UNDER_REPAIR"),
        )
    )
    return {"cycles": cycles * years, "availability": ran / COMPONENTS / YEAR}


def _of_a_node(entry, status: str) -> bool:
    named = getattr(entry, "component", None)
    return named is not None and named.name == "NODE" and str(entry.status) == status


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
