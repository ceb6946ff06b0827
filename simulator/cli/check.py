"""`netnode check`: does a result keep its thresholds, and what its baseline had?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.against import baseline_options, read_against
from simulator.cli.inputs import (
    read_result,
    read_scenario,
    run_options,
    set_option,
    undecided_option,
)
from simulator.cli.output import CHECK_FORMATS, emit_checked
from simulator.cli.progress import progress
from simulator.errors import MissingError, OutputError

if TYPE_CHECKING:
    from simulator.analysis.findings import Checked
    from simulator.analysis.results import ResultSet
    from simulator.analysis.verdicts import Finding, Undecided
    from simulator.scenario.schema import Scenario

RUNNING = {
    "overrides": "--set",
    "replications": "--replications",
    "seed": "--seed",
    "jobs": "--jobs",
}
COMMAND_LINE = click.core.ParameterSource.COMMANDLINE


@click.command(short_help="Check a scenario or a result: its thresholds, or against a baseline.")
@click.argument("target", metavar="RESULT|SCENARIO", type=click.Path(path_type=Path))
@set_option
@click.option("--thresholds", type=click.Path(path_type=Path), metavar="FILE",
              help="Take the thresholds of this scenario file.")  # fmt: skip
@baseline_options
@undecided_option
@run_options
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE",
              help="Write JUnit XML to this file, too.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--format", "form", type=click.Choice(CHECK_FORMATS), default="table",
              show_default=True, help="How to print what was found.")  # fmt: skip
@click.pass_context
def command(
    ctx: click.Context,
    *,
    target: Path,
    overrides: tuple[str, ...],
    thresholds: Path | None,
    baseline: Path | None,
    tolerances: tuple[str, ...],
    exact: bool,
    changed: bool,
    undecided: Undecided | None,
    replications: int | None,
    seed: int | None,
    jobs: int,
    quiet: bool,
    junit: Path | None,
    as_json: bool,
    form: str,
) -> int:
    """Check whether a result folder, or a scenario file, which is run, keeps its thresholds.

    With --baseline, whether it lost anything since `netnode baseline update` wrote that file: run
    with its seed as often, or with another --seed as a sample of its own. The scenario's thresholds
    are not judged then, for they may need more replications; those of --thresholds are.

    Each is a pass, a fail, or undecided: some of the interval keeps the limit. Exit code 0 if all
    pass, 1 if one fails, 4 if the result lacks what is asked for, 3 if one is undecided.

    \b
    netnode check scenario.yaml -n 100 --junit netnode.xml
    netnode check results/grizzly --thresholds limits.yaml --undecided fail
    netnode check scenario.yaml --baseline results/baseline/scenario.json -t load.carried=50Mbps
    """
    given = [
        option for name, option in RUNNING.items()
        if ctx.get_parameter_source(name) == COMMAND_LINE
    ]  # fmt: skip
    saved = os.path.isdir(target)
    if given and saved:
        raise click.UsageError(f"{', '.join(given)}: {target} is a result, so nothing is run")
    against = read_against(baseline, tolerances, exact=exact, changed=changed)
    saved_result = read_result(target) if saved else None
    scenario = (
        saved_result.scenario if saved_result else read_scenario(target, overrides, quiet=quiet)
    )
    limits = read_scenario(thresholds, quiet=quiet) if thresholds else scenario
    if thresholds or not against:
        _refuse_nothing(limits)
    if saved_result and against:
        against.refuse_other_result(saved_result)
    elif against:
        replications, seed = against.size(scenario, replications, seed)
        scenario = scenario.model_copy(update={"until": None})  # as often as the baseline was run
    result = saved_result or _run(scenario, replications, seed, jobs, quiet=quiet)
    from simulator.analysis.findings import checked_of
    from simulator.analysis.thresholds import judge

    findings: list[Finding] = []
    if thresholds or not against:
        findings += judge(result, limits.thresholds, limits.threshold_places)
    findings += against.findings(result) if against else []
    checked = checked_of(result, findings, undecided or "undecided")
    if junit:
        _write_junit(checked, junit)
    emit_checked(checked, "json" if as_json else form)
    return checked.exit_code


def _refuse_nothing(limits: Scenario) -> None:
    """Raise MissingError if there are no thresholds."""
    if not limits.thresholds:
        raise MissingError(
            f"{limits.source} has no thresholds, and to check nothing is no pass; see `netnode "
            "explain thresholds`"
        )


def _run(
    scenario: Scenario, replications: int | None, seed: int | None, jobs: int, *, quiet: bool
) -> ResultSet:
    """A whole run, or none."""
    from simulator.experiment.runner import run

    with progress(scenario.name, quiet=quiet) as tell:
        result = run(
            scenario,
            replications=replications,
            seed=seed,
            jobs=jobs,
            trace_replication=0,
            objects="none",
            progress=tell,
        )
    if result.partial:
        raise KeyboardInterrupt
    return result


def _write_junit(checked: Checked, path: Path) -> None:
    from simulator.analysis.junit import junit

    try:
        path.write_text(junit(checked), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None
