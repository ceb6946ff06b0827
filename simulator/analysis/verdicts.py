"""What a check found: a `Finding` for each thing that was asked, and the code it leaves.

Thresholds and baselines are checked elsewhere; reports print findings, whoever made them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class Verdict(StrEnum):
    """What became of one thing that was asked.

    UNDECIDED: the interval straddles the limit, so more replications are needed. MISSING: the
    result does not hold what was asked. NOT_COMPARABLE: two machines draw different numbers, so
    equal bits cannot be asked for; no failure.
    """

    PASS = "pass"
    FAIL = "fail"
    UNDECIDED = "undecided"
    MISSING = "missing"
    NOT_COMPARABLE = "not comparable"


Undecided = Literal["undecided", "pass", "fail"]
"""What an undecided finding counts as: exit code 3, 0 or 1."""

EXIT_CODES = {Verdict.FAIL: 1, Verdict.MISSING: 4, Verdict.UNDECIDED: 3}
"""By verdict, the worst first; the others leave 0."""


@dataclass(frozen=True)
class Finding:
    """One thing that was asked, and what was found.

    *name* says what was asked, the same in every run (`grizzly: router.availability >= 99.95%`);
    *found* says in words what was found: value, interval, limit, replications. *variant* and
    *metric* are empty where the whole result is meant; *place* is `file:line` of who asked.
    *numbers* are those of *found* in full, by name, in the metric's unit.
    """

    name: str
    verdict: Verdict
    found: str
    variant: str = ""
    metric: str = ""
    place: str = ""
    numbers: Mapping[str, float | None] = field(default_factory=dict, hash=False)

    def as_dict(self) -> dict[str, object]:
        """For JSON: everything, without what is empty."""
        found = {key: getattr(self, key) for key in ("name", "verdict", "found")}
        more = {key: getattr(self, key) for key in ("variant", "metric", "place", "numbers")}
        return {**found, **{key: value for key, value in more.items() if value}}


def exit_code(findings: Sequence[Finding], undecided: Undecided = "undecided") -> int:
    """The code that a command leaves: that of the worst finding.

    0 if nothing failed, 1 if something did, 4 if something is missing, 3 if something is
    undecided; *undecided* makes 0 or 1 of the last.
    """
    found = {finding.verdict for finding in findings}
    if undecided != "undecided" and Verdict.UNDECIDED in found:
        found = (found - {Verdict.UNDECIDED}) | {Verdict(undecided)}
    return worst({EXIT_CODES.get(verdict, 0) for verdict in found})


def worst(codes: Collection[int]) -> int:
    """The worst of some exit codes."""
    return next((code for code in EXIT_CODES.values() if code in codes), 0)
