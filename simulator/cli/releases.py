"""`netnode releases`: their options, habits and sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from simulator.cli.output import emit, note, rows
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.scenario.releases import Release


@click.group(short_help="List, show or compare the releases.", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List the releases that a scenario can name, and the tag that each was read at."""
    if ctx.invoked_subcommand is None:
        from simulator.scenario.series import RELEASES

        emit(rows([(r.name, r.tag, r.title) for r in RELEASES.values()]))


def _names(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    from simulator.scenario.series import RELEASES

    return [name for name in RELEASES if name.startswith(begun)]


@command.command("show")
@click.argument("name", shell_complete=_names)
def show(*, name: str) -> None:
    """Show the options of the release NAME with their defaults, its rules, and their sources."""
    from simulator.scenario.keys import release_values

    release = _release(name)
    emit(f"{release.name}: {release.title}; read at {release.tag}\n\n")
    emit(rows([(value.path, value.value, value.source) for value in release_values(release)]))


@command.command("diff")
@click.argument("before", metavar="A", shell_complete=_names)
@click.argument("after", metavar="B", shell_complete=_names)
def diff(*, before: str, after: str) -> None:
    """Show what differs between the releases A and B, and why it was changed."""
    from simulator.scenario.keys import release_differences

    found = release_differences(_release(before), _release(after))
    if found:
        emit(rows([("", before, after, ""), *found]))
    else:
        note(f"{before} and {after} do not differ in anything that is known here")


def _release(name: str) -> Release:
    from simulator.scenario.explain import nearest
    from simulator.scenario.series import RELEASES

    if name not in RELEASES:
        raise InputError(f"no release is named '{name}'{nearest(name, RELEASES)}")
    return RELEASES[name]
