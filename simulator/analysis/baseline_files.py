"""Baselines on disk: JSON with a line for each metric and trace, and their events beside it.

`NAME.json` is made to be committed and to be read in a diff; a metric has its value in each
replication, or the one of all. `NAME.events.xz` holds the events in
words, compressed; it is rewritten only where they moved.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import math
import os
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from simulator.analysis.baseline import Baseline, model_digest
from simulator.analysis.fingerprint import Fingerprint, fingerprint_of
from simulator.analysis.metrics import METRICS
from simulator.analysis.reading import damaged, read_json
from simulator.analysis.results import Sample
from simulator.errors import InputError, OutputError

BASELINE_VERSION = 1
EVENTS = ".events.xz"
DEPTH = 3
"""How deep a baseline's JSON has a line for each key; what is deeper stands in one line."""


def write_baseline(baseline: Baseline, path: Path, window: float) -> None:
    """Write *baseline* to *path* and its events beside it, each whole or not at all.

    *window* is the scenario's measured time, in seconds.
    """
    events = _events_text(baseline.events)
    document = {
        "schema_version": BASELINE_VERSION,
        "netnode": version("netnode"),
        "scenario": baseline.name,
        "scenario_sha256": model_digest(baseline.model),
        "seed": baseline.seed,
        "replications": baseline.replications,
        "tolerances": baseline.tolerances,
        "machine": baseline.machine,
        "model": baseline.model,
        "metrics": {
            variant: {metric: _metric(baseline, metric, variant, window) for metric in s.values}
            for variant, s in baseline.samples.items()
        },
        "traces": {
            variant: [
                baseline.fingerprints[variant, number].as_dict()
                for number in range(baseline.replications)
            ]
            for variant in baseline.samples
        },
        "events_sha256": _sha256(events),
    }
    place = path.resolve()  # what a link leads to is written, and the link stays
    beside = place.with_suffix(EVENTS)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        _replace(place, (rendered(document) + "\n").encode())
        if not (beside.exists() and _unpacked(beside) == events):
            _replace(beside, lzma.compress(events.encode(), preset=9))
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None


def read_baseline(path: Path) -> Baseline:
    """The baseline in the file *path*; raises InputError that says what is wrong with it."""
    document = read_json(path)
    given = document.get("schema_version")
    if type(given) is not int or given != BASELINE_VERSION:
        raise InputError(
            f"{path}: schema version {given} of baselines; this is "
            f"{BASELINE_VERSION}: make it anew by `netnode baseline update`"
        )
    try:
        found = _baseline(document, path)
    except KeyError as error:
        raise damaged(path, f"{error} is missing") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise damaged(path, f"{error}") from None
    if model_digest(found.model) != document.get("scenario_sha256"):
        raise damaged(path, "'scenario_sha256' is not that of its 'model'")
    return found


def rendered(document: object, depth: int = DEPTH, indent: str = "") -> str:
    """*document* as JSON with sorted keys, and a line for each key and item down to *depth*."""
    if not depth or not isinstance(document, dict | list) or not document:
        return json.dumps(document, sort_keys=True, allow_nan=False)
    inner = indent + " "
    if isinstance(document, list):
        lines = [rendered(one, depth - 1, inner) for one in document]
    else:
        lines = [
            f"{json.dumps(key)}: {rendered(document[key], depth - 1, inner)}"
            for key in sorted(document)
        ]
    opening, closing = "{}" if isinstance(document, dict) else "[]"
    body = ",\n".join(inner + line for line in lines)
    return f"{opening}\n{body}\n{indent}{closing}"


def _metric(baseline: Baseline, metric: str, variant: str, window: float) -> dict[str, Any]:
    values = baseline.samples[variant].values[metric].tolist()
    found = baseline.estimate(metric, variant, window).as_dict()
    if found["mean"] is None:
        return found
    if len(set(values)) == 1:
        return {**found, "value": values[0]}
    return {**found, "values": [None if math.isnan(value) else value for value in values]}


def _baseline(document: Mapping[str, Any], path: Path) -> Baseline:
    count, seed = document["replications"], document["seed"]
    if type(count) is not int or type(seed) is not int or count < 1:
        raise ValueError("'replications' and 'seed' must be whole numbers")
    tolerances = {str(metric): float(value) for metric, value in document["tolerances"].items()}
    for metric in tolerances:
        if metric not in METRICS:
            raise ValueError(f"'tolerances' name '{metric}', which is no metric")
        if not 0 <= tolerances[metric] < math.inf:
            raise ValueError(f"'tolerances': '{metric}' is {tolerances[metric]}")
    samples = {
        str(variant): _sample(variant, rows, count) for variant, rows in document["metrics"].items()
    }
    traces = document["traces"]
    if not samples or list(traces) != list(samples):
        raise ValueError("'traces' and 'metrics' are not of the same variants")
    return Baseline(
        str(document["scenario"]),
        seed,
        count,
        dict(document["model"]),
        samples,
        {key: one for variant in samples for key, one in _prints(variant, traces, count)},
        {str(name): str(value) for name, value in document["machine"].items()},
        _events(path.with_suffix(EVENTS), str(document["events_sha256"]), list(samples)),
        tolerances,
        path,
    )


def _sample(variant: str, rows: Mapping[str, Any], count: int) -> Sample:
    values, reasons = {}, {}
    for metric, row in rows.items():
        what = f"'metrics': '{variant}': '{metric}'"
        given = row.get("values", [row.get("value")] * count)
        if len(given) != count:
            raise ValueError(f"{what} has {len(given)} values, not {count}")
        column = np.array([_value(value, what) for value in given])
        defined = column[~np.isnan(column)]
        values[metric] = column
        if not defined.size:
            reasons[metric] = str(row["reason"])
        elif not math.isclose(row["mean"], float(np.mean(defined)), rel_tol=1e-12):
            raise ValueError(f"{what}: its mean is not that of its values")
    return Sample(values, reasons)


def _value(given: object, what: str) -> float:
    """One value of a metric: a number from 0 on, or nothing."""
    if given is None:
        return math.nan
    if type(given) not in (int, float) or not 0 <= given < math.inf:  # type: ignore[operator]
        raise ValueError(f"{what} has the value {given!r}")
    return float(given)  # type: ignore[arg-type]


def _prints(
    variant: str, traces: Mapping[str, Any], count: int
) -> list[tuple[tuple[str, int], Fingerprint]]:
    if len(traces[variant]) != count:
        raise ValueError(f"'traces': '{variant}' has {len(traces[variant])}, not {count}")
    return [((variant, k), fingerprint_of(one)) for k, one in enumerate(traces[variant])]


def _events_text(events: Mapping[str, list[str]]) -> str:
    return "".join(f"{variant}\t{line}\n" for variant, lines in events.items() for line in lines)


def _events(path: Path, sha256: str, variants: list[str]) -> dict[str, list[str]]:
    """The events in the file *path*, which only help to explain.

    None of them if it is not there, or not the one that was written with the baseline.
    """
    text = _unpacked(path)
    if text is None or _sha256(text) != sha256:
        return {}
    found: dict[str, list[str]] = {variant: [] for variant in variants}
    for row in text.splitlines():
        variant, _, line = row.partition("\t")
        found[variant].append(line)
    return found


def _unpacked(path: Path) -> str | None:
    try:
        return lzma.decompress(path.read_bytes()).decode()
    except (OSError, lzma.LZMAError, ValueError):
        return None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _replace(path: Path, data: bytes) -> None:
    """Write *data* to *path* under another name first, and rename it."""
    number, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
