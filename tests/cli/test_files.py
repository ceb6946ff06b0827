"""Files and folders that are given: damaged, unreadable, or no place to write to."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

from simulator.analysis import folder as writing
from simulator.experiment import runner

QUICK = ("-j", "1", "-q")
linux = pytest.mark.skipif(sys.platform != "linux", reason="uses /dev")


def never(*_, **__):
    raise AssertionError("simulated although it could not have been written")


def linked():
    Path("real").mkdir()
    Path("link").symlink_to("real")
    return "link"


def mounted(monkeypatch):
    Path("mounted").mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda self: True)
    return "mounted"


@pytest.mark.parametrize(
    "case",
    [
        (lambda m: ".", 2, ". is the folder this runs in"),
        (lambda m: "..", 2, ".. is the folder this runs in"),
        (lambda m: linked(), 2, "link is a link"),
        (mounted, 2, "mounted is a mount point; give a new folder in it"),
        (lambda m: "x" * 300, 74, "File name too long"),
        (lambda m: "x" * 300 + "/y", 74, "File name too long"),
    ],
)
def test_what_cannot_become_a_result_is_told_before_the_run(netnode, small, monkeypatch, case):
    target, code, why = case
    monkeypatch.setattr(runner, "run", never)
    called = netnode("run", small, "-o", target(monkeypatch))
    assert (called.code, called.out) == (code, "")
    assert why in called.err
    assert not [path for path in Path().iterdir() if path.name.startswith(".")]


def test_where_the_renaming_fails_all_is_as_before(netnode, small, folder, monkeypatch):
    shutil.copytree(folder, "out")
    before = Path("out/manifest.json").read_bytes()
    replace = os.replace

    def fail(source, target):
        if Path(target).name == "out" and "old" not in Path(source).name:
            raise OSError(16, "Device or resource busy")
        replace(source, target)

    monkeypatch.setattr(writing.os, "replace", fail)
    called = netnode("run", small, "-n", "1", "-o", "out", *QUICK)
    assert called.code == 74
    assert "cannot write out: Device or resource busy" in called.err
    assert Path("out/manifest.json").read_bytes() == before
    assert sorted(path.name for path in Path().iterdir()) == ["out", "small.yaml"]


# -- damaged results -------------------------------------------------------------------------


def rows(change):
    def damage(path):
        change(pd.read_parquet(path)).to_parquet(path, index=False)

    return damage


def text(words):
    return lambda path: path.write_text(words)


def key(name, value):
    def damage(path):
        path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))

    return damage


def directory(path):
    path.unlink()
    path.mkdir()


TABLE, SUMMARY, PRINTS = "replications.parquet", "summary.json", "fingerprints.json"


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("manifest.json", text("[1]")),
        ("manifest.json", text("null")),
        ("manifest.json", text("[" * 100_000)),
        ("manifest.json", text('{"schema_version": 1}')),
        ("manifest.json", key("partial", "no")),
        ("manifest.json", key("trace_replication", "0")),
        ("manifest.json", key("replication_numbers", 4)),
        ("manifest.json", directory),
        (PRINTS, text("{}")),
        (PRINTS, text('{"machine": {}, "traces": {"folsom": {"0": {"events": 1}}}}')),
        (PRINTS, directory),
        (SUMMARY, text("[]")),
        (SUMMARY, text('{"variants": {}}')),
        (SUMMARY, text('{"variants": {"folsom": 1, "grizzly": {}}}')),
        (
            SUMMARY,
            text('{"variants": {"folsom": {"downtime": {}}, "grizzly": {"load.carried": 3}}}'),
        ),
        (SUMMARY, directory),
        (TABLE, directory),
        (TABLE, text("PAR1")),
        (TABLE, rows(lambda frame: frame.drop(columns="value"))),
        (TABLE, rows(lambda frame: frame.astype({"value": str}))),
        (TABLE, rows(lambda frame: pd.concat([frame, frame.tail(1)]))),
        (TABLE, rows(lambda frame: frame.head(0))),
        (TABLE, rows(lambda frame: frame.iloc[1:])),
        (TABLE, rows(lambda frame: frame[frame["metric"] != "router.availability"])),
        (TABLE, rows(lambda frame: frame[frame["variant"] != "grizzly"])),
        (TABLE, rows(lambda frame: frame[frame["replication"] != 3])),
        (TABLE, rows(lambda frame: pd.concat([frame, frame.tail(1).assign(variant="x")]))),
        ("scenario.resolved.yaml", text("version: 1\nhorizon: 1m\n")),
        ("scenario.resolved.yaml", text("\0")),
        ("scenario.resolved.yaml", lambda path: path.write_text(path.read_text() + "# more\n")),
        ("scenario.resolved.yaml", directory),
    ],
)
def test_a_damaged_result_is_one_line_that_names_the_file(netnode, folder, name, damage):
    shutil.copytree(folder, "hurt")
    damage(Path("hurt") / name)
    called = netnode("compare", "hurt", folder)
    assert (called.code, called.out) == (2, "")
    (line,) = called.err.splitlines()
    assert line.startswith(f"Error: hurt/{name}: ")
    assert "nothing was run" not in line


@pytest.mark.parametrize(
    "damage",
    [directory, text("PAR1"), rows(lambda f: f.drop(columns="time_s")), rows(lambda f: f.head(0))],
)
def test_a_damaged_trace_is_one_line_too(netnode, folder, damage):
    shutil.copytree(folder, "hurt")
    damage(Path("hurt/trace.parquet"))
    called = netnode("agents", "hurt", "--at", "1d")
    assert (called.code, called.out) == (2, "")
    (line,) = called.err.splitlines()
    assert line.startswith("Error: hurt/trace.parquet: damaged: ")


# -- what cannot be read ---------------------------------------------------------------------


@pytest.mark.parametrize("command", ["run", "compare", "agents", "validate"])
def test_too_long_a_path_is_bad_input(netnode, command):
    path = "x" * 300 + ".yaml"
    args = {"compare": (path, path), "agents": (path, "--at", "1d")}.get(command, (path,))
    called = netnode(command, *args)
    assert called.code == 2
    assert "File name too long" in called.out + called.err


def test_a_folder_that_may_not_be_read(netnode, small, folder, monkeypatch):
    stat = Path.stat

    def refuse(self, **options):
        if "closed" in self.parts:
            raise PermissionError(13, "Permission denied")
        return stat(self, **options)

    monkeypatch.setattr(Path, "stat", refuse)
    assert netnode("agents", "closed/result", "--at", "1d").code == 2
    assert netnode("compare", folder, "closed/result").code == 2
    monkeypatch.setattr(runner, "run", never)
    called = netnode("run", small, "-o", "closed/out")
    assert called.code == 74
    assert "cannot write closed/out: Permission denied" in called.err


@pytest.mark.parametrize("command", ["run", "compare"])
@pytest.mark.parametrize(
    ("content", "why"),
    [(b"\xff\xfe\x00", "not a text file in UTF-8"), (None, "No such file or directory")],
)
def test_what_is_no_text_is_told_as_a_place_in_a_file(netnode, command, content, why):
    if content:
        Path("bad.yaml").write_bytes(content)
    called = netnode(command, *["bad.yaml"] * (2 if command == "compare" else 1))
    assert called.code == 2
    assert called.err.splitlines()[0] == f"bad.yaml:1:1: unreadable (file): {why}"


def test_a_line_break_in_a_name_is_not_printed_as_one(netnode):
    called = netnode("validate", "a\nb.yaml")
    assert called.out == "a\\nb.yaml:1:1: unreadable (file): No such file or directory\n"


@linux
@pytest.mark.parametrize(
    "args", [("run", "missing.yaml"), ("run",), ("agents", "missing", "--at", "1d")]
)
def test_where_nothing_can_be_told_the_code_still_is(start, args):
    with open("/dev/full", "w") as full:
        process = start(*args, stderr=full)
        process.communicate()
    assert process.returncode == 2


def closed(*args):
    """The exit code with standard output closed."""
    command = [sys.executable, "-m", "simulator", *map(str, args)]
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(1)
        os.execv(sys.executable, command)
    os.close(read), os.close(write)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@linux
def test_a_closed_output_matters_only_where_something_is_printed():
    assert closed("init", "mine") == 0
    assert Path("mine.yaml").exists()
    assert closed("presets") == 74
    assert closed("--help") == 74
