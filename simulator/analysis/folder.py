"""Result folders: written under another name and renamed when whole, and read back.

So a killed run never leaves half a result under a final name.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulator import interrupts
from simulator.analysis.manifest import manifest
from simulator.analysis.results import SCHEMA_VERSION, ResultSet, Sample
from simulator.errors import InputError, OutputError
from simulator.scenario.load import load_scenario, resolved_yaml


def write_result(result: ResultSet, folder: Path, *, pictures: bool) -> None:
    """Write everything of *result* to *folder*, which must not exist, or hold an earlier result.

    An interrupt waits until the folder is in place; its pictures may then be missing.
    """
    check_target(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror}") from None
    try:
        with interrupts.seen(held=True) as interrupt:
            _write_tables(result, work)
            if pictures and not interrupt:
                _draw(result, work)
            work.chmod(0o755)
            _replace(work, folder)
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write_tables(result: ResultSet, work: Path) -> None:
    resolved = resolved_yaml(result.scenario)
    (work / "scenario.resolved.yaml").write_text(resolved, encoding="utf-8")
    _write_json(work / "manifest.json", manifest(result, resolved))
    _write_json(work / "summary.json", result.document())
    result.frame.to_parquet(work / "replications.parquet", index=False)
    if result.objects_rows:
        result.objects.to_parquet(work / "objects.parquet", index=False)
    if result.traces:
        result.events.to_parquet(work / "trace.parquet", index=False)


def _draw(result: ResultSet, work: Path) -> None:
    for name, figure in (("overview", result.plot()), ("downtime", result.plot_outages())):
        figure.savefig(work / f"{name}.png", dpi=120, metadata={"Software": None})


def check_target(folder: Path) -> None:
    """Raise InputError if *folder* holds what is no result, OutputError if it cannot be written."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, not a folder for results")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "manifest.json").exists():
        raise InputError(f"{folder} is not empty and holds no result; choose another folder")
    place = folder.absolute().parent
    while not place.exists():
        place = place.parent
    try:
        Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=place)).rmdir()
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror}: {place}") from None


def _replace(work: Path, folder: Path) -> None:
    """Give *work* its final name; an earlier result there steps aside until that is done."""
    old = None
    if folder.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
        os.replace(folder, old)
    os.replace(work, folder)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def load_result(folder: str | Path) -> ResultSet:
    """Read a result folder back; raises InputError if it is none, or damaged."""
    import pandas as pd

    folder = Path(folder)
    for name in ("manifest.json", "scenario.resolved.yaml", "replications.parquet", "summary.json"):
        if not (folder / name).exists():
            raise InputError(f"{folder}: not a result folder: {name} is missing")
    try:
        head = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if head.get("schema_version") != SCHEMA_VERSION:
            found = head.get("schema_version")
            raise InputError(f"{folder}: schema version {found}; this is {SCHEMA_VERSION}")
        scenario = load_scenario(folder / "scenario.resolved.yaml")
        frame = pd.read_parquet(folder / "replications.parquet")
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        partial, traced = bool(head["partial"]), head["trace_replication"]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder}: damaged: {error}") from None
    samples = {}
    for variant in scenario.variants:
        mine = frame[frame["variant"] == variant]
        wide = mine.pivot(index="replication", columns="metric", values="value")
        reasons = {
            metric: found["reason"]
            for metric, found in summary["variants"][variant].items()
            if found.get("reason")
        }
        order = list(dict.fromkeys(mine["metric"]))
        samples[variant] = Sample({m: wide[m].to_numpy() for m in order}, reasons)
    replications = sorted(frame["replication"].unique().tolist())
    return ResultSet(
        scenario, replications, samples,
        partial=partial, trace_replication=traced, folder=folder,
    )  # fmt: skip
