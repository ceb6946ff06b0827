"""The workflow file and the documented snippets: valid YAML, whose commands exist."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import Path

import click
import pytest
from ruamel.yaml import YAML

from simulator.cli import COMMANDS
from simulator.cli import netnode as group
from simulator.cli.output import CHECK_FORMATS
from simulator.errors import ScenarioError
from simulator.scenario.load import load_scenario

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "netnode.yml"
DOCUMENT = (ROOT / "docs" / "ci.md").read_text()
README = (ROOT / "README.md").read_text()
IN_CI = README[README.index("\n## In CI\n") : README.index("\n## What is modelled\n")]
YAML_BLOCK = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
SPAN = re.compile(r"`(netnode [^`\n]+)`|^    (netnode .+)$", re.MULTILINE)


def snippets():
    return [YAML(typ="safe").load(text) for text in YAML_BLOCK.findall(DOCUMENT)]


def gitlab():
    (found,) = [snippet["netnode"] for snippet in snippets() if "netnode" in snippet]
    return found


def steps():
    return YAML(typ="safe").load(WORKFLOW.read_text())["jobs"]["check"]["steps"]


def commands():
    """Every command line of the two files, with where it stands."""
    for step in steps():
        yield from (("workflow", line) for line in step.get("run", "").splitlines())
    yield from (("gitlab", line) for line in gitlab()["script"])
    for where, text in (("docs", DOCUMENT), ("readme", IN_CI)):
        yield from ((where, span or line) for span, line in SPAN.findall(text))


def test_there_are_commands_of_each_place():
    found = [(where, line.split()[0]) for where, line in commands()]
    assert set(found) == {
        ("workflow", "pip"), ("workflow", "netnode"), ("gitlab", "pip"), ("gitlab", "netnode"),
        ("docs", "netnode"), ("readme", "netnode"),
    }  # fmt: skip


@pytest.mark.parametrize(("where", "line"), list(commands()))
def test_every_command_exists_and_takes_its_options(where, line):
    program, *words = shlex.split(line)
    if program == "pip":
        assert words[0] == "install"
        for option, file in itertools.pairwise(words):
            assert option != "-r" or (ROOT / file).is_file()
        return
    assert program == "netnode"
    name, *rest = words
    assert name in COMMANDS
    if not rest:
        return
    parent = click.Context(group, **group.context_settings)
    command = group.get_command(parent, name)
    context = command.make_context(name, rest, parent)  # raises for an unknown option or value
    target = context.params.get("target")
    if target is not None:
        assert load_scenario(ROOT / target, context.params["overrides"]).thresholds


def test_the_packages_are_installed_as_by_dev_py():
    text = (ROOT / "dev.py").read_text()
    lines = [line for _, line in commands() if line.startswith("pip install")]
    for option in {word for line in lines for word in line.split() if word.startswith("--")}:
        assert f'"{option}"' in text
    assert len(lines) == 4
    assert lines[:2] == lines[2:]


def test_the_workflow_keeps_the_report_that_the_check_writes():
    (check,) = [step["run"] for step in steps() if step.get("run", "").startswith("netnode")]
    (upload,) = [step for step in steps() if "upload-artifact" in step.get("uses", "")]
    assert "--format github" in check
    assert f"--junit {upload['with']['path']}" in check
    assert upload["if"] == "always()"
    assert gitlab()["artifacts"]["when"] == "always"
    assert f"--junit {gitlab()['artifacts']['reports']['junit']}" in gitlab()["script"][-1]


def test_the_workflow_is_one():
    document = YAML(typ="safe").load(WORKFLOW.read_text())
    assert set(document) == {"name", "on", "permissions", "jobs"}
    assert all(("uses" in step) != ("run" in step) for step in steps())
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", s["uses"]) for s in steps() if "uses" in s)


def test_the_documents_thresholds_load_and_its_lists_are_whole(tmp_path):
    (given,) = [snippet for snippet in snippets() if "thresholds" in snippet]
    scenario = load_scenario(ROOT / "scenarios" / "folsom-vs-grizzly.yaml")
    path = tmp_path / "s.yaml"
    text = (ROOT / "scenarios" / "folsom-vs-grizzly.yaml").read_text()
    head, _, _ = text.partition("\nthresholds:")
    with path.open("w") as file:
        file.write(head + "\n")
        YAML(typ="safe").dump(given, file)
    assert set(load_scenario(path).thresholds) <= set(scenario.thresholds)
    with pytest.raises(ScenarioError):
        load_scenario(path, ["thresholds=[{metric: x}]"])
    for form in CHECK_FORMATS:
        assert f"`{form}`" in DOCUMENT


def test_the_readme_shows_the_thresholds_of_the_scenario():
    (text,) = YAML_BLOCK.findall(IN_CI)
    lines = (ROOT / "scenarios" / "folsom-vs-grizzly.yaml").read_text().splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith("thresholds:"))
    shipped = [line for line in lines[begin + 1 :] if not line.strip().startswith("#")]
    assert text.splitlines()[1:] == shipped
    assert "](docs/ci.md)" in IN_CI
