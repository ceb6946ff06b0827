"""`netnode releases`: their options, habits and sources."""

from __future__ import annotations

import click

from simulator.cli.output import emit, rows
from simulator.errors import InputError


@click.group(short_help="List the releases, or show one.", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List the releases that a scenario can name under `release`."""
    if ctx.invoked_subcommand is None:
        from simulator.scenario.releases import RELEASES

        emit(rows([(r.name, r.tag, r.title) for r in RELEASES.values()]))


def _names(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    from simulator.scenario.releases import RELEASES

    return [name for name in RELEASES if name.startswith(begun)]


@command.command("show")
@click.argument("name", shell_complete=_names)
def show(*, name: str) -> None:
    """Show the options of the release NAME with their defaults, its habits, and their sources."""
    from simulator.scenario.explain import nearest
    from simulator.scenario.keys import release_values
    from simulator.scenario.releases import RELEASES

    if name not in RELEASES:
        raise InputError(f"no release is named '{name}'{nearest(name, RELEASES)}")
    release = RELEASES[name]
    emit(f"{release.name}: {release.title}; read at {release.tag}\n\n")
    emit(rows([(value.path, value.value, value.source) for value in release_values(name)]))
