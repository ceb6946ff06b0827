"""Tables of what a run kept besides its metrics: objects and events, with names for numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.objects import ObjectRows
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
            "value": trace.value,
        }
    )
