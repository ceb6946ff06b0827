"""Others that simulate ten components which fail and are repaired, and who may run here.

Programs from PyPI live in environments of their own, made once in a cache folder; what cannot be
had is named by `missing` and left out.
"""

from __future__ import annotations

import functools
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

import simpy
import systems
from systems import STEADY

FOLDER = Path(__file__).parent / "peers"
PACKAGES = {"AvailSim4": "availsim4==2.2.1", "RePyability": "repyability==0.15"}
SCRIPTS = {"AvailSim4": "run_availsim4.py", "RePyability": "run_repyability.py"}
YEARS = {
    "netnode": 200, "netnode with two agents a node": 100, "netnode with 1,000 routers": 40,
    "bare SimPy": 1000, "AvailSim4": 50, "RePyability": 10_000, "C": 50_000,
}  # fmt: skip
"""How many years each simulates in a round."""

Run = Callable[[int, int], dict[str, float]]
"""So many years with that seed: CPU `seconds`, `cycles` of failure and repair, `availability`."""


def netnode(system: systems.System, years: int, seed: int) -> dict[str, float]:
    """*system* under netnode, and the availability of its hosts."""
    cycles, up, begin = 0, 0.0, time.process_time()
    for year in range(years):
        trace = system.trace(seed * years + year)
        up += systems.node_availability(trace)
        cycles += systems.cycles(trace)
    seconds = time.process_time() - begin
    return {"seconds": seconds, "cycles": cycles, "availability": up / years}


def simpy_loop(years: int, seed: int) -> dict[str, float]:
    """Ten bare processes of two states, the least that SimPy can do."""
    draw, hour = random.Random(seed).expovariate, 3600.0
    down, cycles = 0.0, 0

    def component(env):
        nonlocal down, cycles
        while True:
            yield env.timeout(draw(1 / (1000 * hour)))
            failed = env.now
            yield env.timeout(draw(1 / hour))
            down += env.now - failed
            cycles += 1

    begin = time.process_time()
    for _ in range(years):
        env = simpy.Environment()
        for _ in range(10):
            env.process(component(env))
        env.run(until=systems.YEAR)
    seconds = time.process_time() - begin
    available = 1 - down / (10 * years * systems.YEAR)
    return {"seconds": seconds, "cycles": cycles, "availability": available}


def check(name: str, found: dict[str, float], years: int) -> None:
    """Raise AssertionError if the availability is not that of the ten components.

    A component is down for some 8.75 exponential hours a year.
    """
    error = math.sqrt(2 * 8.75 / (10 * years)) / 8760
    if abs(found["availability"] - STEADY) > 5 * error:
        raise AssertionError(f"{name} has an availability of {found['availability']:.6f}")


# -- programs of their own -------------------------------------------------------------------


def programs() -> dict[str, Run]:
    """Those that can run here."""
    return {name: run for name, run in _found().items() if not isinstance(run, str)}


def missing() -> dict[str, str]:
    """Why the others cannot."""
    return {name: why for name, why in _found().items() if isinstance(why, str)}


@functools.cache
def _found() -> dict[str, Run | str]:
    found: dict[str, Run | str] = {}
    for name in (*PACKAGES, "C"):
        try:
            command = _from_pypi(name) if name in PACKAGES else _compiled()
            found[name] = functools.partial(_run, command)
        except (OSError, subprocess.CalledProcessError):
            found[name] = "it could not be installed" if name in PACKAGES else "no C compiler"
    return found


def _run(command: list[str], years: int, seed: int) -> dict[str, float]:
    """Run a peer in a process of its own."""
    done = subprocess.run(
        [*command, str(years), str(seed)], capture_output=True, check=False, env=_plain()
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace").strip().splitlines()[-1])
    return json.loads(done.stdout.splitlines()[-1])


def _plain() -> dict[str, str]:
    """This process's variables without those that lead to its own packages."""
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}


def _from_pypi(name: str) -> list[str]:
    """The command that runs *name*, installed if need be."""
    folder = _cache() / PACKAGES[name].replace("==", "-")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = folder / "ready"
    if not ready.exists():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
        subprocess.run([*install, PACKAGES[name]], capture_output=True, check=True, env=_plain())
        ready.touch()
    return [str(python), str(FOLDER / SCRIPTS[name])]


def _compiled() -> list[str]:
    """The command that runs the program in C."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise FileNotFoundError
    program = _cache() / "two_state"
    source = FOLDER / "two_state.c"
    _cache().mkdir(parents=True, exist_ok=True)
    command = [compiler, "-O2", str(source), "-lm", "-o", str(program)]
    subprocess.run(command, capture_output=True, check=True)
    return [str(program)]


def _cache() -> Path:
    """Where programs of others are kept."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    base = Path(home) if os.access(Path(home).parent, os.W_OK) else Path(tempfile.gettempdir())
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return base / "netnode-benchmarks" / version
