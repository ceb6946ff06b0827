"""Tables of what a run kept besides its metrics: objects and events, with names for numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.objects import ObjectRows
from simulator.errors import InputError
from simulator.trace import Kind, Trace

if TYPE_CHECKING:
    import pandas as pd


def objects_frame(rows: Mapping[tuple[str, int], ObjectRows]) -> pd.DataFrame:
    """One row an object, variant and replication."""
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
            "value": trace.value.astype(np.float64),
        }
    )


def read_table(path: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    """The table in the file *path*, which must have *columns*, each of a kind of NumPy's.

    The kinds are i (whole numbers), f (numbers) and O (text). Raises InputError.
    """
    import pandas as pd

    try:
        if not path.is_file():
            raise ValueError("not a file")
        frame = pd.read_parquet(path)
        for name, kind in columns.items():
            if name not in frame:
                raise ValueError(f"it lacks the column '{name}'")
            if not _is_of(frame[name], kind):
                raise ValueError(f"its column '{name}' holds what does not belong there")
        if frame.empty:
            raise ValueError("it has no rows")
    except (OSError, ValueError, LookupError, NotImplementedError) as error:
        why = " ".join(str(error).split())
        raise InputError(f"{path}: damaged: {why}") from None
    return frame


def _is_of(column: pd.Series[Any], kind: str) -> bool:
    from pandas.api import types

    if kind == "O":
        return not (types.is_numeric_dtype(column) or column.isna().any())
    return types.is_integer_dtype(column) if kind == "i" else types.is_float_dtype(column)
