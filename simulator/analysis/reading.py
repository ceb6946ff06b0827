"""Reading result folders back: what is damaged is named, never taken for a result."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from simulator.analysis.fingerprint import Fingerprint, fingerprint_of
from simulator.analysis.manifest import compressed, sha256_of
from simulator.analysis.metrics import METRICS
from simulator.analysis.results import SCHEMA_VERSION, ResultSet, Sample
from simulator.analysis.tables import read_table
from simulator.errors import InputError, ScenarioError
from simulator.scenario.load import load_scenario
from simulator.scenario.schema import Scenario

if TYPE_CHECKING:
    import pandas as pd

MANIFEST, SCENARIO, TABLE, SUMMARY = (
    "manifest.json", "scenario.resolved.yaml", "replications.parquet", "summary.json",
)  # fmt: skip
FINGERPRINTS = "fingerprints.json"
Summary: TypeAlias = Mapping[str, Mapping[str, Mapping[str, Any]]]
COLUMNS = {"variant": "O", "replication": "i", "metric": "O", "value": "f"}


def load_result(folder: str | Path) -> ResultSet:
    """Read a result folder back; raises InputError if it is none, or damaged."""
    folder = Path(folder)
    for name in (MANIFEST, SCENARIO, TABLE, SUMMARY):
        try:
            (folder / name).stat()
        except FileNotFoundError:
            raise InputError(f"{folder}: not a result folder: {name} is missing") from None
        except OSError as error:
            raise InputError(f"{folder / name}: {error.strerror}") from None
    head = _manifest(folder / MANIFEST)
    scenario = _scenario(folder / SCENARIO, head)
    frame = read_table(folder / TABLE, COLUMNS)
    summary = _summary(folder / SUMMARY, scenario)
    reasons = _reasons(summary)
    replications = sorted(frame["replication"].unique().tolist())
    if compressed(replications) != head["replication_numbers"]:
        told = f"the manifest's replications {head['replication_numbers']}"
        raise damaged(folder / TABLE, f"does not hold {told}")
    samples = {
        variant: _sample(folder / TABLE, frame, variant, replications, found)
        for variant, found in reasons.items()
    }
    if len(frame) != sum(len(s.values) for s in samples.values()) * len(replications):
        raise damaged(folder / TABLE, "holds rows of no variant of the scenario")
    wanted = [(variant, number) for variant in samples for number in replications]
    fingerprints, machine = _fingerprints(folder / FINGERPRINTS, wanted)
    _compare(folder, samples, summary)
    if head.get("replications_sha256", told := sha256_of(folder / TABLE)) != told:
        why = "not the table that was written: its SHA-256 is not the manifest's"
        raise damaged(folder / TABLE, why)
    return ResultSet(
        scenario, replications, samples,
        partial=head["partial"], trace_replication=head["trace_replication"], folder=folder,
        stopped=head.get("stopped"),
        fingerprints=fingerprints, machine=machine,
    )  # fmt: skip


def damaged(path: Path, why: str) -> InputError:
    """The error that says so."""
    return InputError(f"{path}: damaged: {why}")


def _manifest(path: Path) -> Mapping[str, Any]:
    head = read_json(path)
    version = head.get("schema_version")
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise InputError(f"{path}: schema version {version}; this is {SCHEMA_VERSION}")
    wanted = {"partial": bool, "replication_numbers": str, "scenario_sha256": str}
    for key, kind in wanted.items():
        if not isinstance(head.get(key), kind):
            raise damaged(path, f"'{key}' is missing or odd")
    if type(head.get("stopped")) not in (str, type(None)):
        raise damaged(path, "'stopped' is odd")
    if type(head.get("trace_replication", "")) not in (int, type(None)):
        raise damaged(path, "'trace_replication' is missing or odd")
    return head


def _scenario(path: Path, head: Mapping[str, Any]) -> Scenario:
    try:
        scenario = load_scenario(path)
        text = path.read_text(encoding="utf-8")
    except ScenarioError as error:
        raise damaged(path, f"not a scenario: {str(error).splitlines()[0]}") from None
    if hashlib.sha256(text.encode()).hexdigest() != head["scenario_sha256"]:
        raise damaged(path, "not the scenario that was run: its SHA-256 is not the manifest's")
    return scenario


def _summary(path: Path, scenario: Scenario) -> Summary:
    """The estimates by variant and metric."""
    given = read_json(path).get("variants")
    if not isinstance(given, dict) or list(given) != list(scenario.variants):
        raise damaged(path, "its variants are not those of the scenario")
    for variant, metrics in given.items():
        if not isinstance(metrics, dict) or not metrics or not set(metrics) <= set(METRICS):
            raise damaged(path, f"odd metrics of variant '{variant}'")
        if not all(isinstance(estimate, dict) for estimate in metrics.values()):
            raise damaged(path, f"odd estimates of variant '{variant}'")
    return given


def _reasons(summary: Summary) -> dict[str, dict[str, str]]:
    """By variant and metric why it is undefined; empty where it is not."""
    return {
        variant: {metric: str(found.get("reason") or "") for metric, found in metrics.items()}
        for variant, metrics in summary.items()
    }


def _compare(folder: Path, samples: Mapping[str, Sample], summary: Summary) -> None:
    """Raise if the table's means are not the summary's: one of the two has been changed."""
    for variant, sample in samples.items():
        for metric, values in sample.values.items():
            defined = values[~np.isnan(values)]
            mean = float(np.mean(defined)) if defined.size else None
            told = summary[variant][metric]
            if told.get("n") == defined.size and _equal(told.get("mean"), mean):
                continue
            why = f"the mean of {metric} of variant '{variant}' is {mean}, and in {SUMMARY} it is"
            raise damaged(folder / TABLE, f"{why} {told.get('mean')}")


def _equal(told: object, mean: float | None) -> bool:
    """Whether two means are the same but for the order in which processors add."""
    if mean is None or told is None:
        return mean is told
    return type(told) in (int, float) and math.isclose(told, mean, rel_tol=1e-9)  # type: ignore[arg-type]


def _sample(
    path: Path, frame: pd.DataFrame, variant: str, replications: list[int], reasons: dict[str, str]
) -> Sample:
    """One variant's rows as columns; every metric in every replication, once."""
    mine = frame[frame["variant"] == variant]
    found = set(mine["metric"])
    for metric in reasons:
        if metric not in found:
            raise damaged(path, f"variant '{variant}' lacks {metric}, which the summary has")
    if found - set(reasons):
        raise damaged(
            path, f"variant '{variant}' has {min(found - set(reasons))}, unlike the summary"
        )
    if mine.duplicated(["replication", "metric"]).any():
        raise damaged(path, f"holds a row of variant '{variant}' twice")
    if len(mine) != len(reasons) * len(replications):
        raise damaged(path, f"lacks rows of variant '{variant}'")
    wide = mine.pivot(index="replication", columns="metric", values="value")
    values = {metric: wide[metric].to_numpy() for metric in reasons}
    return Sample(values, {metric: reason for metric, reason in reasons.items() if reason})


def _fingerprints(
    path: Path, wanted: list[tuple[str, int]]
) -> tuple[dict[tuple[str, int], Fingerprint], dict[str, str]]:
    """The fingerprint of each variant and replication *wanted*, and the machine they are of.

    Nothing where there is no such file: results had none in the beginning.
    """
    if not path.exists():
        return {}, {}
    given = read_json(path)
    try:
        machine = {str(name): str(value) for name, value in given["machine"].items()}
        rows = {
            (variant, int(number)): fingerprint_of(one)
            for variant, found in given["traces"].items()
            for number, one in found.items()
        }
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise damaged(path, f"odd fingerprints: {error}") from None
    if set(rows) != set(wanted):
        raise damaged(path, "its traces are not those of the replications")
    return rows, machine


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in the file *path*; raises InputError that names it."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"not JSON: {error}") from None
    if not isinstance(found, dict):
        raise damaged(path, "not a JSON object")
    return found
