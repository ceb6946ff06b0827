"""`netnode run`: simulate a scenario, print what it found, and write it to a folder."""

from __future__ import annotations

import datetime
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator import interrupts
from simulator.cli import exactness
from simulator.cli.exactness import BOUND, HIGHEST
from simulator.cli.inputs import (
    output_options,
    read_scenario,
    run_options,
    set_option,
    undecided_option,
)
from simulator.cli.output import emit, emit_checked, emit_source, note
from simulator.cli.progress import progress
from simulator.errors import OutputError, PartialRunError

if TYPE_CHECKING:
    from simulator.analysis.results import ResultSet
    from simulator.analysis.verdicts import Undecided
    from simulator.exact.twins import Corrected
    from simulator.experiment.runner import Objects

INTERRUPTED = 130


@dataclass(frozen=True)
class Output:
    """How to print a result, and where to write it (None: nowhere)."""

    form: str
    everything: bool
    folder: Path | None
    corrected: bool


@click.command(short_help="Simulate a scenario; print and keep what it found.")
@click.argument("scenario", type=click.Path(path_type=Path))
@set_option
@run_options
@click.option("--until", multiple=True, metavar="METRIC=HALFWIDTH|decided",
              help="Go on until half the interval of METRIC is so narrow, as in "
              "router.availability=0.02%, or every threshold is decided. Repeatable.")  # fmt: skip
@click.option("--most", type=click.IntRange(min=1), metavar="N",
              help="Replications at most, with --until.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR",
              help="Folder to write, instead of results/SCENARIO/TIME.")  # fmt: skip
@click.option("--no-save", is_flag=True, help="Print only; write nothing.")
@click.option("--trace-replication", type=click.IntRange(min=0), default=0, show_default=True,
              metavar="K", help="Keep every event of this replication.")  # fmt: skip
@click.option("--objects", type=click.Choice(["auto", "all", "none"]), default="auto",
              show_default=True, help="Keep every router and network (auto: up to 10^7 rows, "
              "quantiles of each replication beyond).")  # fmt: skip
@click.option("--check-exact", is_flag=False, flag_value=BOUND, metavar="[BOUND]",
              type=click.FloatRange(min=0, max=HIGHEST, min_open=True),
              help="Print exact values beside simulated ones; exit code 1 where they are more than "
              f"BOUND ({BOUND:g}) standard errors apart.")  # fmt: skip
@click.option("--control-variate", is_flag=True, help="Print means corrected by the exact "
              "availability of the nodes, and by how much that cuts their variance.")  # fmt: skip
@undecided_option
@output_options
def command(
    *,
    scenario: Path,
    overrides: tuple[str, ...],
    replications: int | None,
    seed: int | None,
    until: tuple[str, ...],
    most: int | None,
    jobs: int,
    quiet: bool,
    output: Path | None,
    no_save: bool,
    trace_replication: int,
    objects: Objects,
    check_exact: float | None,
    control_variate: bool,
    undecided: Undecided | None,
    everything: bool,
    as_json: bool,
    form: str,
) -> int:
    """Simulate SCENARIO; print means with 95 % intervals, and write all results to a folder.

    \b
    netnode run scenario.yaml -n 100
    netnode run scenario.yaml -S hosts.network.count=4 -o results/four-nodes
    netnode run scenario.yaml --json | jq .differences
    netnode run scenario.yaml --until router.availability=0.02% --most 5000

    Thresholds of the scenario are checked then, as by `netnode check`, whose exit codes these are.
    Ctrl-C ends the run early and keeps the replications that have finished.
    """
    if no_save and output:
        raise click.UsageError("--no-save and --output exclude each other")
    if check_exact is not None and math.isnan(check_exact):
        raise click.UsageError("--check-exact: nan is no number of standard errors")
    wanted = targets(until, most)
    if wanted and replications is not None:  # the first look is then
        wanted.append(f"replications={replications}")
    loaded = read_scenario(scenario, (*overrides, *wanted), quiet=quiet)
    from simulator.analysis.folder import check_target
    from simulator.experiment.runner import run

    folder = None if no_save else output or _default_folder(loaded.name)
    if folder:
        check_target(folder)
    shown = Output("json" if as_json else form, everything, folder, control_variate)
    try:
        with progress(loaded.name, quiet=quiet) as tell:
            result = run(
                loaded,
                replications=replications,
                seed=seed,
                jobs=jobs,
                trace_replication=trace_replication,
                objects=objects,
                progress=tell,
            )
    except PartialRunError as error:
        with interrupts.seen(held=True):
            _deliver(error.result, shown, quiet=quiet)  # type: ignore[arg-type]
        raise
    with interrupts.seen(held=True):
        if result.partial:
            done, planned = len(result.replications), result.scenario.looks[-1]
            note(f"interrupted: {done} of {planned} replications had finished")
        corrected = _deliver(result, shown, quiet=quiet)
        code = _check(result, shown.form, undecided or "undecided", quiet=quiet)
    if control_variate and result.replications:
        exactness.print_corrected(result, corrected, shown.form)
    if check_exact is not None and not result.partial:
        from simulator.analysis.verdicts import worst

        found = exactness.judge(result, check_exact, shown.form, undecided or "undecided")
        code = worst((code, found))
    return INTERRUPTED if result.partial else code


def targets(until: tuple[str, ...], most: int | None) -> list[str]:
    """The options as values to set in a scenario."""
    wanted, decided = [one for one in until if one != "decided"], "decided" in until
    keys = ("metric", "half_width")
    halves = [dict(zip(keys, one.split("=", 1), strict=False)) for one in wanted]
    found = [f"until.targets={json.dumps(halves)}"] if halves else []
    found += ["until.decided=true"] if decided else []
    return found + ([f"until.most={most}"] if most is not None else [])


def _default_folder(name: str) -> Path:
    """A folder of the time, which does not exist yet."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    first = Path("results") / name / now
    number, folder = 1, first
    while os.path.exists(folder):
        number += 1
        folder = first.with_name(f"{now}-{number}")
    return folder


def _deliver(result: ResultSet, output: Output, *, quiet: bool) -> list[Corrected]:
    """Print and save *result*, each even if the other cannot be done; its corrected means."""
    if not result.replications:
        note("nothing had finished, so nothing is kept")
        return []
    unprinted: OSError | OutputError | None = None
    corrected, more = [], {}
    if output.corrected:
        from simulator.exact.twins import control_variate

        corrected = control_variate(result)
        more = exactness.document(corrected)
    try:
        emit_source(result, output.form, everything=output.everything, more=more)
    except (OSError, OutputError) as error:
        unprinted = error
    if output.folder:
        result.save(output.folder)
        if not quiet:
            note(f"written to {output.folder}{' (partial)' if result.partial else ''}")
    if unprinted is not None:
        raise unprinted
    return corrected


def _check(result: ResultSet, form: str, undecided: Undecided, *, quiet: bool) -> int:
    """Print what became of the thresholds, if there are any; return the exit code."""
    from simulator.analysis.findings import checked_of
    from simulator.analysis.thresholds import judge

    scenario = result.scenario
    if not scenario.thresholds or not result.replications:
        return 0
    findings = judge(result, scenario.thresholds, scenario.threshold_places)
    checked = checked_of(result, findings, undecided)
    if form in ("table", "md"):
        emit("\n")
        emit_checked(checked, form)
    elif not quiet:  # JSON has them inside, and CSV no room
        note(checked.title)
    return checked.exit_code
