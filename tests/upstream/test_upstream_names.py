"""Every upstream test of the list has a test here or a reason why not."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest
from ruamel.yaml import YAML

HERE = Path(__file__).parent
NAMES: dict[str, list[str]] = YAML(typ="safe").load(HERE / "names.yaml")
LEFT_OUT: dict[str, list[dict]] = YAML(typ="safe").load(HERE / "left_out.yaml")


def written(file: str) -> list[str]:
    """The tests of a file, without test_; those of a class with its upstream name before them.

    Upstream's X is TestX here, for pytest finds no other.
    """
    body = ast.parse((HERE / f"{file}.py").read_text()).body
    found = [("", node) for node in body]
    for node in body:
        if isinstance(node, ast.ClassDef):
            found += [(f"{node.name.removeprefix('Test')}::", inner) for inner in node.body]
    return [
        prefix + node.name.removeprefix("test_")
        for prefix, node in found
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def left_out(file: str) -> list[str]:
    return [name for entry in LEFT_OUT.get(file, []) for name in entry["names"]]


@pytest.mark.parametrize("file", NAMES)
def test_every_name_is_written_or_left_out_once(file):
    assert Counter(written(file) + left_out(file)) == Counter(dict.fromkeys(NAMES[file], 1))
    assert written(file)


def test_every_file_of_tests_has_its_list():
    files = {path.stem for path in HERE.glob("test_*.py")} - {Path(__file__).stem}
    assert files == set(NAMES)
    assert set(LEFT_OUT) <= files


def test_every_reason_says_something():
    reasons = [entry["reason"] for entries in LEFT_OUT.values() for entry in entries]
    assert all(len(reason.split()) >= 4 and reason.endswith(".") for reason in reasons)
    assert all(entry["names"] for entries in LEFT_OUT.values() for entry in entries)


def test_the_list_is_as_long_as_upstreams():
    assert {file: len(names) for file, names in NAMES.items()} == {
        "test_grizzly_agent_scheduler": 33,
        "test_agentschedulers_db": 78,
        "test_dhcp_agent_scheduler": 42,
        "test_l3_agent_scheduler": 93,
        "test_base_scheduler": 3,
        "test_agents_db": 11,
    }
