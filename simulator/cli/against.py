"""The baseline that `netnode check` is given: its options, and what of a run must fit it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from simulator.cli.inputs import read_tolerances, tolerance_option
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.analysis.baseline import Baseline
    from simulator.analysis.results import ResultSet
    from simulator.analysis.verdicts import Finding
    from simulator.scenario.schema import Scenario

F = TypeVar("F", bound=Callable[..., Any])


def baseline_options(command: F) -> F:
    """The options of a check against a baseline."""
    for option in (
        click.option("--changed", is_flag=True,
                     help="The scenario was changed since, on purpose: judge its metrics."),
        click.option("--exact", is_flag=True,
                     help="What moved fails, for the better too: the same bits."),
        tolerance_option,
        click.option("--baseline", type=click.Path(path_type=Path), metavar="FILE",
                     help="Find what was lost since this baseline was written."),
    ):  # fmt: skip
        command = option(command)
    return command


@dataclass(frozen=True)
class Against:
    """A baseline, and how it is to be held against a result."""

    baseline: Baseline
    tolerances: dict[str, float]
    exact: bool
    changed: bool

    def size(
        self, scenario: Scenario, replications: int | None, seed: int | None
    ) -> tuple[int, int]:
        """How often *scenario* is to be run, and with which seed, where options say so or not.

        The baseline's own, so that replications are paired; another seed is a run of its own.
        """
        self._refuse_other(scenario)
        count, own = self.baseline.replications, self.baseline.seed
        if replications not in (None, count) and seed in (None, own):
            raise InputError(
                f"{self.baseline.path}: of {count} replications, not {replications}; leave out "
                "--replications to pair them, or give another --seed to compare two samples"
            )
        return replications or count, own if seed is None else seed

    def refuse_other_result(self, result: ResultSet) -> None:
        """Raise InputError for a result that cannot be paired with the baseline."""
        self._refuse_other(result.scenario)
        where, own = f"{result.folder}", self.baseline
        if result.partial:
            raise InputError(
                f"{where}: partial, {len(result.replications)} of {own.replications} replications; "
                f"{own.path} is of whole runs"
            )
        for what, mine, theirs in (
            ("seed", result.scenario.seed, own.seed),
            ("replications", len(result.replications), own.replications),
        ):
            if mine != theirs:
                raise InputError(f"{where}: {what} {mine}; in {own.path} it is {theirs}")

    def findings(self, result: ResultSet) -> list[Finding]:
        """What *result* lost."""
        from simulator.analysis.regression import regressions

        return regressions(
            result,
            self.baseline,
            self.tolerances,
            exact=self.exact,
            changed=self._refuse_other(result.scenario),
        )

    def _refuse_other(self, scenario: Scenario) -> list[str]:
        from simulator.analysis.baseline import refuse_other

        return refuse_other(scenario, self.baseline, changed=self.changed)


def read_against(
    file: Path | None, tolerances: tuple[str, ...], *, exact: bool, changed: bool
) -> Against | None:
    """The baseline that is given, if one is; its other options go with it."""
    if file is None:
        given = {"--tolerance": tolerances, "--exact": exact, "--changed": changed}
        alone = [name for name, value in given.items() if value]
        if alone:
            raise click.UsageError(f"{', '.join(alone)}: give a --baseline, too")
        return None
    from simulator.analysis.baseline_files import read_baseline

    return Against(read_baseline(file), read_tolerances(tolerances), exact, changed)
