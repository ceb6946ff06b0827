"""Findings by hand, for tests of the forms in which they are told."""

from __future__ import annotations

from simulator.analysis.findings import Checked
from simulator.analysis.verdicts import Finding, Verdict

NUMBERS = {"value": 6.0, "ci_low": 5.0, "ci_high": 7.0, "limit": 4.0, "n": 30}


def finding(verdict=Verdict.FAIL, number=1, *, variant="a", **keys):
    given = {
        "name": f"{variant}: router.outages < {number}",
        "found": "6.0 [5.0, 7.0], limit 4, 30 replications",
        "variant": variant,
        "metric": "router.outages",
        "place": f"scenarios/s.yaml:{number}",
        "numbers": NUMBERS,
        **keys,
    }
    return Finding(verdict=verdict, **given)


def checked(*findings, undecided="undecided", name="small"):
    return Checked(tuple(findings), name, "0" * 64, 7, 30, undecided)


def one_of_each():
    return [finding(verdict, number) for number, verdict in enumerate(Verdict, start=1)]
