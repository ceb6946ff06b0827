"""Where a result came from: versions, seed, commit, machine."""

from __future__ import annotations

import datetime
import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from simulator.analysis.results import SCHEMA_VERSION, ResultSet

LIBRARIES = (
    "simpy", "numpy", "pandas", "scipy", "pyarrow", "pydantic", "ruamel.yaml", "matplotlib",
)  # fmt: skip


def manifest(result: ResultSet, resolved: str, table: Path) -> dict[str, Any]:
    """Where a result came from, and how its scenario and its *table* can be told from others."""
    scenario = result.scenario
    return {
        "schema_version": SCHEMA_VERSION,
        "netnode": version("netnode"),
        "scenario": scenario.name,
        "scenario_sha256": hashlib.sha256(resolved.encode()).hexdigest(),
        "seed": scenario.seed,
        "replications": len(result.replications),
        "replication_numbers": compressed(result.replications),
        "replications_sha256": sha256_of(table),
        "partial": result.partial,
        "stopped": result.stopped,
        "trace_replication": result.trace_replication,
        "written": _now(),
        "commit": _commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "command": sys.argv[1:] if sys.argv[:1] else [],
    }


def sha256_of(path: Path) -> str:
    """The SHA-256 of the file *path*."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def compressed(numbers: Sequence[int]) -> str:
    """`0-199`, or `0-12,14` where some are missing."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(f"{a}-{b}" if a != b else str(a) for a, b in parts)


def _now() -> str:
    """The time of writing; SOURCE_DATE_EPOCH makes it repeatable."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    zone = datetime.UTC
    moment = (
        datetime.datetime.fromtimestamp(int(epoch), zone) if epoch else datetime.datetime.now(zone)
    )
    return moment.isoformat(timespec="seconds")


def _commit() -> str | None:
    """The commit of the source this ran from, with + where it was changed; None outside git."""
    here = Path(__file__).resolve().parent
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=40", "--exclude=*"],
            cwd=here, capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None
