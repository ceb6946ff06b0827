"""Ten components under RePyability, in its own environment: python run_repyability.py YEARS SEED

Each component fails after exponential times of mean 1000 h and is repaired in 1 h. Prints as JSON
the CPU seconds of the simulation alone, failures and repairs, and the availability of a component.
"""

from __future__ import annotations

import json
import sys
import time

import surpyval
from repyability import RepairableRBD

COMPONENTS, MTTF, MTTR, YEAR = 10, 1000.0, 1.0, 8760.0  # h


def main(years: int, seed: int) -> None:
    """Simulate *years* runs of one year, by its engine in Python (numba is optional there)."""
    exponential = surpyval.Exponential.from_params
    names = [f"node-{i}" for i in range(COMPONENTS)]
    law = {"reliability": exponential([1 / MTTF]), "repairability": exponential([1 / MTTR])}
    edges = [edge for name in names for edge in (("s", name), (name, "t"))]
    diagram = RepairableRBD(edges, dict.fromkeys(names, law))
    begin = time.process_time()
    found = diagram.availability(
        YEAR, mc_samples=years, seed=seed, engine="python", control_variate=False, curve_points=1
    )
    seconds = time.process_time() - begin
    up = sum(found.node_uptime.values()) / (COMPONENTS * years * YEAR)
    # It counts failures of the whole only; a component's follow from its up time.
    cycles = sum(found.node_uptime.values()) / MTTF
    print(json.dumps({"seconds": seconds, "cycles": cycles, "availability": up}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
