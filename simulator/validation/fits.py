"""Fits of the Failure Trace Archive: equal means give equal availability, and other outages.

Times between failures and to repair of single nodes, h, as OpenDC ships them from Javadi et al.,
The Failure Trace Archive, JPDC 2013: the exponential mean, and the shape of the Weibull fit, which
is given the same mean here.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.validation.rows import Effort, Outcome, Row, compared, nodes, samples, scene

GROUP = "failure traces"
SOURCE = "Failure Trace Archive, Javadi et al. 2013"
ROUNDED = 0.005
"""The means were published to 0.01 h. A moves by at most ROUNDED / (MTTF + MTTR) through that,
which matters for PL05: its means give 0.76275, and 0.7628 was published."""
CYCLES = 150
"""Failures in a replication, about."""
FITS = {
    "LANL05": (1779.99, 0.48, 5.92, "0.99669"),
    "G5K06": (32.41, 0.48, 7.41, "0.8139"),
    "Microsoft99": (67.01, 0.55, 16.49, "0.8025"),
    "LDNS04": (141.06, 0.51, 8.61, "0.9425"),
    "PL05": (159.49, 0.33, 49.61, "0.7628"),
    "Websites02": (11.85, 0.46, 1.18, "0.9094"),
}


def fits(effort: Effort) -> Iterator[Row]:
    """Each fit with both laws, and how much more outages vary by the second."""
    for name, (up, shape, down, published) in FITS.items():
        counts = []
        laws = {"exponential": {"mean": f"{up}h"}, "weibull": {"shape": shape, "mean": f"{up}h"}}
        for family, ttf in laws.items():
            given = scene(
                name.lower(), release="folsom", horizon=f"{CYCLES * (up + down)}h",
                replications=effort.of(60), hosts=nodes(1),
                failures={"host.network": {
                    "time_to_failure": {family: ttf},
                    "time_to_repair": {"exponential": {"mean": f"{down}h"}},
                }},
            )  # fmt: skip
            values, outages = samples(given, effort.jobs, "router.availability", "router.outages")
            counts.append(outages)
            yield compared(GROUP, f"{name}, {family} up times", values, given,
                           "router.availability", published=published, source=SOURCE,
                           slack=ROUNDED / (up + down))  # fmt: skip
        yield _spread(name, *counts)


def _spread(name: str, exponential: np.ndarray, weibull: np.ndarray) -> Row:
    """More variance in the number of outages where hazards fall: an F test at 1 %."""
    from scipy.stats import f

    ratio = float(weibull.var(ddof=1) / exponential.var(ddof=1))
    p = float(f.sf(ratio, weibull.size - 1, exponential.size - 1))
    return Row(
        GROUP, f"{name}, variance of outages, Weibull over exponential", "more than 1",
        "shapes below 1 come in bursts", f"{ratio:.2f}", f"F test p = {p:.2g}",
        Outcome.PASS if p < 0.01 else Outcome.FAIL,
    )  # fmt: skip


MAKERS = (fits,)
