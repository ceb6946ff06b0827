"""Writing result folders: under another name, and renamed when whole.

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
from simulator.analysis.findings import checked_of
from simulator.analysis.manifest import manifest
from simulator.analysis.results import ResultSet
from simulator.errors import InputError, OutputError
from simulator.scenario.load import resolved_yaml


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
    _write_json(work / "summary.json", result.document())
    if result.fingerprints:
        _write_json(work / "fingerprints.json", _fingerprints(result))
    if result.findings:
        checked = checked_of(result, result.findings)
        _write_json(work / "checks.json", checked.document())
    table = work / "replications.parquet"
    result.frame.to_parquet(table, index=False)
    _write_json(work / "manifest.json", manifest(result, resolved, table))
    if result.objects_rows:
        result.objects.to_parquet(work / "objects.parquet", index=False)
    if result.traces:
        result.events.to_parquet(work / "trace.parquet", index=False)


def _fingerprints(result: ResultSet) -> dict[str, Any]:
    """What traces depend on, and the fingerprint of each by variant and replication."""
    traces: dict[str, dict[str, Any]] = {variant: {} for variant in result.variants}
    for variant, found in traces.items():
        for number in result.replications:
            found[str(number)] = result.fingerprints[variant, number].as_dict()
    return {"machine": result.machine, "traces": traces}


def _draw(result: ResultSet, work: Path) -> None:
    figures = {
        "overview": result.plot(),
        "outages": result.plot_outage_lengths(),
        "downtime": result.plot_outages(),
    }
    for name, figure in figures.items():
        figure.savefig(work / f"{name}.png", dpi=120, metadata={"Software": None})


def check_target(folder: Path) -> None:
    """Raise InputError if *folder* cannot become a result, OutputError if it cannot be written."""
    try:
        _refuse(folder)
        place = folder.absolute().parent
        while not place.exists():
            place = place.parent
        Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=place)).rmdir()
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror or error}") from None


def _refuse(folder: Path) -> None:
    """Raise InputError for what cannot step aside, or holds what is not ours."""
    if not folder.exists() and not folder.is_symlink():
        return
    if folder.resolve() in (Path.cwd(), *Path.cwd().parents):
        raise InputError(f"{folder} is the folder this runs in; give a new one in it")
    if folder.is_symlink():
        raise InputError(f"{folder} is a link; give the folder itself")
    if not folder.is_dir():
        raise InputError(f"{folder} is a file, not a folder for results")
    if folder.is_mount():
        raise InputError(f"{folder} is a mount point; give a new folder in it")
    if any(folder.iterdir()) and not (folder / "manifest.json").exists():
        raise InputError(f"{folder} is not empty and holds no result; choose another folder")


def _replace(work: Path, folder: Path) -> None:
    """Give *work* its final name; an earlier result there steps aside until that is done."""
    if not folder.exists():
        os.replace(work, folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    try:
        os.replace(folder, old)
        try:
            os.replace(work, folder)
        except OSError:
            os.replace(old, folder)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
