"""Files and folders that commands are given, and options that several of them share."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from simulator.cli.output import FORMATS, note
from simulator.errors import InputError, ScenarioError

if TYPE_CHECKING:
    from simulator.analysis.results import ResultSet
    from simulator.scenario.schema import Scenario

MANIFEST = "manifest.json"
F = TypeVar("F", bound=Callable[..., Any])


def run_options(command: F) -> F:
    """The options of commands that simulate."""
    for option in (
        click.option("-q", "--quiet", is_flag=True, help="No progress, no notes."),
        click.option("-j", "--jobs", type=click.IntRange(min=0), default=0, metavar="JOBS",
                     help="Processes; 0 for one a core. Results do not depend on it."),
        click.option("--seed", type=click.IntRange(0, 2**64 - 1), metavar="SEED",
                     help="Seed, instead of the scenario's."),
        click.option("-n", "--replications", type=click.IntRange(min=1), metavar="N",
                     help="Replications, instead of the scenario's."),
    ):  # fmt: skip
        command = option(command)
    return command


def tolerance_option(command: F) -> F:
    """The option of commands that know baselines."""
    return click.option(
        "-t", "--tolerance", "tolerances", multiple=True, metavar="METRIC=VALUE",
        help="A loss that is no alarm, in the metric's unit, as in router.availability=0.01%; "
        "what is named is judged. Repeatable.",
    )(command)  # fmt: skip


def output_options(command: F) -> F:
    """The options of commands that print estimates."""
    for option in (
        click.option("--all", "everything", is_flag=True,
                     help="Show metrics that are undefined or never happened, too."),
        click.option("--json", "as_json", is_flag=True, help="The same as --format json."),
        click.option("--format", "form", type=click.Choice(FORMATS), default="table",
                     show_default=True, help="How to print the result."),
    ):  # fmt: skip
        command = option(command)
    return command


def set_option(command: F) -> F:
    """Values to set in a scenario."""
    return click.option("-S", "--set", "overrides", multiple=True, metavar="PATH=VALUE",
                        help="Set a value, as in -S hosts.network.count=3; a mapping is merged "
                        "with the scenario's, null takes away. Repeatable.")(command)  # fmt: skip


def undecided_option(command: F) -> F:
    """What becomes of undecided findings."""
    return click.option("--undecided", type=click.Choice(["pass", "fail"]),
                        help="Count undecided thresholds as kept or as broken, instead of exit "
                        "code 3.")(command)  # fmt: skip


def read_scenario(path: Path, overrides: Sequence[str] = (), *, quiet: bool = False) -> Scenario:
    """The scenario at *path*; warnings go to standard error. Raises ScenarioError."""
    refuse_folder(path)
    from simulator.scenario.load import load

    loaded = load(path, overrides)
    if loaded.scenario is None:
        raise ScenarioError(list(loaded.problems))
    for problem in loaded.problems if not quiet else ():
        note(str(problem))
    return loaded.scenario


def read_result(path: Path) -> ResultSet:
    """The result in the folder *path*."""
    try:
        path.stat()
        found = path.is_dir() and os.listdir(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    if found is False:
        raise InputError(f"{path} is a file; give a result folder, as `netnode run` writes it")
    if MANIFEST not in found:
        depths = (f"*/{MANIFEST}", f"*/*/{MANIFEST}")
        inside = sorted(found.parent for depth in depths for found in path.glob(depth))
        hint = f"; did you mean {inside[-1]}?" if inside else ""
        raise InputError(f"{path} is not a result folder: it has no {MANIFEST}{hint}")
    from simulator.analysis.reading import load_result

    return load_result(path)


def refuse_folder(path: Path) -> None:
    """Raise InputError if *path* is a folder where a scenario file is wanted."""
    if not os.path.isdir(path):
        return
    if os.path.exists(path / MANIFEST):
        within = path / "scenario.resolved.yaml"
        raise InputError(f"{path} is a result folder; its scenario is {within}")
    raise InputError(f"{path} is a folder; give a scenario file (.yaml)")


def read_tolerances(given: Sequence[str]) -> dict[str, float]:
    """The tolerances of `METRIC=VALUE` each, in the metric's unit. Raises BadParameter."""
    from simulator.metric_units import METRIC_UNITS, NUMBER
    from simulator.scenario.explain import nearest

    found = {}
    for text in given:
        metric, equals, value = text.partition("=")
        if not equals:
            raise _refused(f"'{text}' is not of the form METRIC=VALUE")
        if metric not in METRIC_UNITS:
            raise _refused(f"no metric is named '{metric}'{nearest(metric, METRIC_UNITS)}")
        unit = METRIC_UNITS[metric]
        try:
            number = unit.read(_plain(value) if unit is NUMBER else value)
        except ValueError as error:
            raise _refused(f"{metric}: {error} (it is {unit.words})") from None
        if number < 0:
            raise _refused(f"{metric}: '{value}' must not be negative")
        found[metric] = number
    return found


def _plain(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def _refused(why: str) -> click.BadParameter:
    return click.BadParameter(why, param_hint="'--tolerance'")
