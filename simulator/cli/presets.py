"""`netnode presets`: sets of failure rates, and where their values come from."""

from __future__ import annotations

import click

from simulator.cli.output import emit, rows


@click.group(short_help="List the sets of failure rates, or show one.", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List the sets of failure rates that a scenario can name under `rates`."""
    if ctx.invoked_subcommand is None:
        from simulator.scenario.presets import preset, preset_names

        emit(rows([(name, preset(name).title) for name in preset_names()]))


def _names(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    from simulator.scenario.presets import preset_names

    return [name for name in preset_names() if name.startswith(begun)]


@command.command("show")
@click.argument("name", shell_complete=_names)
def show(*, name: str) -> None:
    """Show every value of the preset NAME and its source."""
    from simulator.scenario.keys import preset_values
    from simulator.scenario.presets import preset

    emit(f"{name}: {preset(name).title}\n\n")
    emit(rows([(value.path, value.value, value.source) for value in preset_values(name)]))
