"""`netnode baseline`: write down what scenarios give today, for `netnode check --baseline`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.inputs import read_scenario, read_tolerances, tolerance_option
from simulator.cli.output import emit, note, rows
from simulator.cli.progress import progress
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.analysis.baseline import Baseline
    from simulator.scenario.schema import Scenario

FOLDER = Path("results/baseline")


@dataclass(frozen=True)
class Wanted:
    """How a baseline is to be made, where the command line says so."""

    replications: int | None
    seed: int | None
    jobs: int
    quiet: bool
    tolerances: dict[str, float]


@click.group(short_help="Write down what scenarios give today, to check later runs against.")
def command() -> None:
    """Baselines: what a scenario's metrics and traces were when somebody agreed to them.

    Commit them; `netnode check SCENARIO --baseline FILE` finds what was lost since.
    """


@command.command("update")
@click.argument("scenarios", nargs=-1, required=True, type=click.Path(path_type=Path),
                metavar="SCENARIO...")  # fmt: skip
@click.option("-n", "--replications", type=click.IntRange(min=1), metavar="N",
              help="Replications; else the earlier baseline's, or the scenario's.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), metavar="SEED",
              help="Seed; else the earlier baseline's, or the scenario's.")  # fmt: skip
@click.option("-j", "--jobs", type=click.IntRange(min=0), default=0, metavar="JOBS",
              help="Processes; 0 for one a core. Baselines do not depend on it.")  # fmt: skip
@click.option("--into", type=click.Path(path_type=Path), default=FOLDER, show_default=True,
              metavar="DIR", help="Folder to write, a file a scenario.")  # fmt: skip
@tolerance_option
@click.option("-q", "--quiet", is_flag=True, help="No progress, no notes.")
def update(
    *,
    scenarios: tuple[Path, ...],
    replications: int | None,
    seed: int | None,
    jobs: int,
    into: Path,
    tolerances: tuple[str, ...],
    quiet: bool,
) -> None:
    """Run each SCENARIO and write its baseline; print what moved since the earlier one.

    Tolerances of the earlier baseline stay, and so do its seed and number of replications.

    \b
    netnode baseline update scenarios/folsom-vs-grizzly.yaml -n 20
    git diff results/baseline
    """
    wanted = Wanted(replications, seed, jobs, quiet, read_tolerances(tolerances))
    loaded = [read_scenario(path, quiet=quiet) for path in scenarios]
    names = [scenario.name for scenario in loaded]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two scenarios are named '{name}', and would have one baseline")
    for scenario in loaded:
        _update(scenario, into / f"{scenario.name}.json", wanted)


def _update(scenario: Scenario, path: Path, wanted: Wanted) -> None:
    from simulator.analysis.baseline import baseline_of
    from simulator.analysis.baseline_files import write_baseline
    from simulator.experiment.runner import run

    before = _earlier(path)
    count, seed = wanted.replications, wanted.seed
    if before:
        count = before.replications if count is None else count
        seed = before.seed if seed is None else seed
    scenario = scenario.model_copy(update={"until": None})  # checks run as often as this does
    with progress(scenario.name, quiet=wanted.quiet) as tell:
        result = run(scenario, replications=count, seed=seed, jobs=wanted.jobs,
                     objects="none", progress=tell)  # fmt: skip
    if result.partial:
        raise KeyboardInterrupt
    kept = before.tolerances if before else {}
    after = baseline_of(result, {**kept, **wanted.tolerances})
    write_baseline(after, path, scenario.window)
    emit(f"{path}: {after.replications} replications, seed {after.seed}\n")
    for line in _changed(before, after, scenario.window) if before else ["new"]:
        emit(f"  {line}\n")


def _earlier(path: Path) -> Baseline | None:
    """The baseline that is there; None, and said, if it is of no use."""
    from simulator.analysis.baseline_files import read_baseline

    if not path.exists():
        return None
    try:
        return read_baseline(path)
    except InputError as error:
        note(f"the earlier baseline is replaced unread: {error}")
        return None


def _changed(before: Baseline, after: Baseline, window: float) -> Iterator[str]:
    """What moved from *before* to *after*, in lines."""
    from simulator.analysis.baseline import changes, moved
    from simulator.analysis.machine import differences
    from simulator.analysis.notation import cells

    table = []
    for change in changes(before, after, window):
        known = [one for one in (change.before, change.after) if one]
        values = [cell.value for cell in cells(change.metric, known)]
        was = f"was {values[0]}" if change.before else "was not there"
        table.append((change.variant, change.metric, values[-1], was))
    every = sum(len(sample.values) for sample in after.samples.values())
    yield f"{len(table)} of {every} metrics moved"
    yield from (f"  {line}" for line in _lines(table))
    traces = moved(before.fingerprints, after.fingerprints)
    if traces and before.seed == after.seed:
        yield ", ".join(f"{what} in {len(keys)} traces" for what, keys in sorted(traces.items()))
    yield from differences(before.machine, after.machine)


def _lines(table: Sequence[tuple[str, ...]]) -> list[str]:
    return rows(table).splitlines() if table else []
