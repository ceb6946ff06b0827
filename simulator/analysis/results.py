"""Results: what a run found, as tables, as estimates, and as a folder on disk.

A folder is written under another name and renamed when it is whole, so a killed run never leaves
half a result under a final name.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.metrics import METRICS
from simulator.analysis.objects import ObjectRows
from simulator.analysis.statistics import Estimate, difference, estimate
from simulator.errors import InputError, MissingError, OutputError
from simulator.scenario.load import load_scenario, resolved_yaml
from simulator.scenario.schema import Scenario
from simulator.trace import Floats, Kind, Trace

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SCHEMA_VERSION = 1
LIBRARIES = (
    "simpy",
    "numpy",
    "pandas",
    "scipy",
    "pyarrow",
    "pydantic",
    "ruamel.yaml",
    "matplotlib",
)


@dataclass
class Sample:
    """One variant's metrics: in *values* a column a metric, a row a replication; NaN: undefined."""

    values: dict[str, Floats]
    reasons: dict[str, str]


@dataclass(repr=False)
class ResultSet:
    """What a run found: estimates, tables, and one trace of each variant.

    *replications* are the numbers of those that finished; *partial* says that some did not.
    """

    scenario: Scenario
    replications: list[int]
    samples: dict[str, Sample]
    partial: bool = False
    trace_replication: int | None = None
    traces: dict[str, Trace] = field(default_factory=dict)
    objects_rows: dict[tuple[str, int], ObjectRows] = field(default_factory=dict)
    folder: Path | None = None

    # -- estimates -------------------------------------------------------------------------

    @property
    def variants(self) -> list[str]:
        """The names of the variants, in the scenario's order."""
        return list(self.samples)

    def high(self, metric: str) -> float | None:
        """The largest value *metric* can have; None for no end."""
        high = METRICS[metric].high
        return self.scenario.window if high == "window" else high  # type: ignore[return-value]

    def estimate(self, metric: str, variant: str) -> Estimate:
        """The mean of *metric* in *variant* and its 95 % interval."""
        sample = self._sample(metric, variant)
        return estimate(
            sample.values[metric],
            unit=METRICS[metric].unit,
            high=self.high(metric),
            reason=sample.reasons.get(metric, ""),
        )

    def difference(self, metric: str, variant: str, baseline: str | None = None) -> Estimate:
        """*variant* minus *baseline* (by default the scenario's), replication by replication."""
        base = self._sample(metric, baseline or self.scenario.baseline)
        sample = self._sample(metric, variant)
        return difference(
            sample.values[metric],
            base.values[metric],
            unit=METRICS[metric].unit,
            high=self.high(metric),
            reason=sample.reasons.get(metric) or base.reasons.get(metric, ""),
        )

    def _sample(self, metric: str, variant: str) -> Sample:
        if variant not in self.samples:
            known = ", ".join(self.samples)
            raise MissingError(f"no variant '{variant}' in this result; it has: {known}")
        sample = self.samples[variant]
        if metric not in sample.values:
            raise MissingError(f"no metric '{metric}' in this result; see `netnode explain`")
        return sample

    def document(self) -> dict[str, Any]:
        """The whole summary as one document, as `--json` prints it."""
        baseline = self.scenario.baseline
        others = [name for name in self.variants if name != baseline]
        return {
            "schema_version": SCHEMA_VERSION,
            "scenario": self.scenario.name,
            "seed": self.scenario.seed,
            "replications": len(self.replications),
            "partial": self.partial,
            "variants": {
                name: {m: self.estimate(m, name).as_dict() for m in self.samples[name].values}
                for name in self.variants
            },
            "differences": {
                f"{name} - {baseline}": {
                    m: self.difference(m, name).as_dict() for m in self.samples[name].values
                }
                for name in others
            },
        }

    # -- tables ----------------------------------------------------------------------------

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row for each variant and metric: mean, ci_low, ci_high, n, unit, reason, note."""
        import pandas as pd

        rows = [
            {"variant": variant, "metric": metric, **vars(self.estimate(metric, variant))}
            for variant in self.variants
            for metric in self.samples[variant].values
        ]
        return pd.DataFrame(rows).set_index(["variant", "metric"])

    @cached_property
    def differences(self) -> pd.DataFrame:
        """As `summary`, of each variant minus the baseline."""
        import pandas as pd

        rows = [
            {"variant": variant, "metric": metric, **vars(self.difference(metric, variant))}
            for variant in self.variants
            for metric in self.samples[variant].values
            if variant != self.scenario.baseline
        ]
        columns = ["variant", "metric", "mean", "ci_low", "ci_high", "n", "unit", "reason", "note"]
        return pd.DataFrame(rows, columns=columns).set_index(["variant", "metric"])

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Tidy rows: variant, replication, metric, entity, value, unit."""
        import pandas as pd

        parts = [
            pd.DataFrame(
                {
                    "variant": variant,
                    "replication": self.replications,
                    "metric": metric,
                    "entity": "all",
                    "value": values,
                    "unit": METRICS[metric].unit,
                }
            )
            for variant, sample in self.samples.items()
            for metric, values in sample.values.items()
        ]
        return pd.concat(parts, ignore_index=True)

    @cached_property
    def objects(self) -> pd.DataFrame:
        """Per-router and per-network life and downtime, s, of every replication."""
        if self.objects_rows:
            return _objects_frame(self.objects_rows)
        return self._read("objects.parquet", "table of objects")

    @cached_property
    def events(self) -> pd.DataFrame:
        """The events of the replication whose trace was kept, of every variant."""
        import pandas as pd

        if self.traces:
            frames = [trace_frame(t).assign(variant=name) for name, t in self.traces.items()]
            return pd.concat(frames, ignore_index=True)
        return self._read("trace.parquet", "trace")

    def _read(self, name: str, what: str) -> pd.DataFrame:
        import pandas as pd

        path = self.folder / name if self.folder else None
        if path is None or not path.exists():
            raise MissingError(f"this result has no {what}")
        try:
            return pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: damaged: {error}") from None

    # -- pictures --------------------------------------------------------------------------

    def plot(self) -> Figure:
        """One picture of the whole: availability, all-down time, blast radius, bandwidth."""
        from simulator.analysis.plots import overview

        return overview(self)

    def plot_outages(self) -> Figure:
        """How the downtime of single routers is distributed."""
        from simulator.analysis.plots import downtime_distribution

        return downtime_distribution(self)

    def _repr_html_(self) -> str:
        from simulator.analysis.report import html

        return html(self)

    def __repr__(self) -> str:
        name, variants = self.scenario.name, ", ".join(self.variants)
        return f"<ResultSet {name}: {len(self.replications)} replications of {variants}>"

    def __str__(self) -> str:
        from simulator.analysis.report import text

        return text(self)

    # -- on disk ---------------------------------------------------------------------------

    def save(self, folder: str | Path, *, pictures: bool = True) -> Path:
        """Write everything to *folder*, which must not exist, or hold an earlier result."""
        folder = Path(folder)
        check_target(folder)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        except OSError as error:
            raise OutputError(f"cannot write {folder}: {error.strerror}") from None
        try:
            self._write(work, pictures=pictures)
            work.chmod(0o755)
            _replace(work, folder)
        except OSError as error:
            raise OutputError(f"cannot write {folder}: {error.strerror or error}") from None
        finally:
            shutil.rmtree(work, ignore_errors=True)
        self.folder = folder
        return folder

    def _write(self, work: Path, *, pictures: bool) -> None:
        resolved = resolved_yaml(self.scenario)
        (work / "scenario.resolved.yaml").write_text(resolved, encoding="utf-8")
        _write_json(work / "manifest.json", manifest(self, resolved))
        _write_json(work / "summary.json", self.document())
        self.frame.to_parquet(work / "replications.parquet", index=False)
        if self.objects_rows:
            self.objects.to_parquet(work / "objects.parquet", index=False)
        if self.traces:
            self.events.to_parquet(work / "trace.parquet", index=False)
        if pictures:
            for name, figure in (("overview", self.plot()), ("downtime", self.plot_outages())):
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


def _objects_frame(rows: Mapping[tuple[str, int], ObjectRows]) -> pd.DataFrame:
    import pandas as pd

    order = {variant: i for i, variant in enumerate(dict.fromkeys(v for v, _ in rows))}
    parts = [
        pd.DataFrame(
            {
                "variant": variant,
                "replication": replication,
                "kind": one.kinds,
                **_naming(one),
                "life_s": one.life,
                "downtime_s": one.downtime,
                **{f"downtime_{cause}_s": values for cause, values in one.causes.items()},
            }
        )
        for (variant, replication), one in sorted(
            rows.items(), key=lambda item: (order[item[0][0]], item[0][1])
        )
    ]
    return pd.concat(parts, ignore_index=True)


def _naming(rows: ObjectRows) -> dict[str, Any]:
    return {"object": rows.names} if rows.quantiles is None else {"quantile": rows.quantiles}


def trace_frame(trace: Trace) -> pd.DataFrame:
    """The events of *trace* with names for numbers."""
    import pandas as pd

    parts = np.array([*trace.components.names, ""], dtype=object)
    things = np.array([*trace.objects.names, ""], dtype=object)
    kinds = np.array([kind.name.lower() for kind in Kind], dtype=object)
    return pd.DataFrame(
        {
            "time_s": trace.time,
            "event": kinds[trace.kind],
            "subject": parts[trace.subject],
            "object": things[trace.object],
            "value": trace.value,
        }
    )


def manifest(result: ResultSet, resolved: str) -> dict[str, Any]:
    """Where a result came from."""
    scenario = result.scenario
    return {
        "schema_version": SCHEMA_VERSION,
        "netnode": version("netnode"),
        "scenario": scenario.name,
        "scenario_sha256": hashlib.sha256(resolved.encode()).hexdigest(),
        "seed": scenario.seed,
        "replications": len(result.replications),
        "replication_numbers": _compressed(result.replications),
        "partial": result.partial,
        "trace_replication": result.trace_replication,
        "written": _now(),
        "commit": _commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "command": sys.argv[1:] if sys.argv[:1] else [],
    }


def _compressed(numbers: Sequence[int]) -> str:
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
