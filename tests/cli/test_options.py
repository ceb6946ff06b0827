"""Options: from the environment, and where they have nothing to act on."""

from __future__ import annotations

import json

import click
import pytest

from simulator.cli import COMMANDS
from simulator.cli import netnode as group
from simulator.cli.run import command as run_command

QUICK = ("-j", "1", "-q")


def options():
    context = click.Context(group)
    for name in COMMANDS:
        command = group.get_command(context, name)
        for option in command.params:
            if isinstance(option, click.Option) and option.name != "verbose":
                yield name, option


def test_every_option_is_set_by_its_long_name():
    found = [(name, option) for name, option in options()]
    assert len(found) > 20
    for name, option in found:
        long = next(word for word in option.opts if word.startswith("--"))
        variable = f"NETNODE_{name}_{long[2:]}".upper().replace("-", "_")
        assert option.envvar == variable
        context = click.Context(group.get_command(click.Context(group), name))
        assert option.resolve_envvar_value(context) is None


def test_the_environment_chooses_form_and_values(netnode, small, monkeypatch):
    monkeypatch.setenv("NETNODE_RUN_JSON", "1")
    monkeypatch.setenv("NETNODE_RUN_SET", "horizon=5d name=other")
    monkeypatch.setenv("NETNODE_RUN_NO_SAVE", "1")
    assert json.loads(netnode("run", small, *QUICK).out)["scenario"] == "other"
    monkeypatch.delenv("NETNODE_RUN_JSON")
    monkeypatch.setenv("NETNODE_RUN_FORMAT", "csv")
    assert netnode("run", small, *QUICK).out.startswith("variant,minus,metric")
    monkeypatch.delenv("NETNODE_RUN_FORMAT")
    few = netnode("run", small, *QUICK).out
    monkeypatch.setenv("NETNODE_RUN_ALL", "1")
    assert len(netnode("run", small, *QUICK).out.splitlines()) > len(few.splitlines())
    monkeypatch.setenv("NETNODE_VALIDATE_JSON", "1")
    assert json.loads(netnode("validate", small).out)["files"][0]["valid"]
    assert run_command.name


@pytest.mark.parametrize("option", [("-n", "3"), ("--seed", "3"), ("-j", "2")])
def test_options_of_a_run_need_one(netnode, folder, small, option):
    called = netnode("compare", folder, folder, *option)
    assert (called.code, called.out) == (2, "")
    assert "both are results, so nothing is run" in called.err
    if option[0] != "-j":
        err = netnode("compare", folder, small, "-j", "1", *option).err
        assert f"for the scenario only; {folder} stays as it was run" in err
    assert netnode("compare", folder, folder).code == 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("explain router.avail", "router.availability"),
        ("explain hosts.", "hosts.<name>.kind"),
        ("presets show dc", "dc-2013"),
        ("releases show f", "folsom"),
    ],
)
def test_completion_knows_the_values(start, words, expected):
    import os

    count = str(len(words.split()))
    told = {"COMP_WORDS": f"netnode {words}", "COMP_CWORD": count,
            "_NETNODE_COMPLETE": "bash_complete"}  # fmt: skip
    out, _ = start("", env={**os.environ, **told}).communicate()
    assert f"plain,{expected}" in out.splitlines()


def test_a_narrow_terminal_shows_whole_names(netnode, small, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    out = netnode("run", small, "--no-save", *QUICK).out
    assert "…" not in out.split("\n\n", 1)[1].rsplit("\n\n", 1)[0]
