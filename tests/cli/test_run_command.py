"""`netnode run` and `compare`: streams, exit codes, folders, interrupts."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.analysis import folder
from simulator.analysis.reading import load_result
from simulator.experiment import runner, workers

QUICK = ("-j", "1", "-q")
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc, or uses /dev/full")


def test_run_prints_the_table_and_writes_the_folder(netnode, small):
    called = netnode("run", small, "-j", "1")
    assert called.code == 0
    assert called.out.startswith("small: 4 replications of 20 d, seed 1\n\nMean [95 % interval]\n")
    assert "Difference to folsom, paired [95 % interval]" in called.out
    *_, last = called.err.splitlines()
    folder = Path(last.removeprefix("written to "))
    assert re.fullmatch(r"results/small/\d{8}T\d{6}Z", str(folder))
    assert {path.name for path in folder.iterdir()} == {
        "manifest.json", "scenario.resolved.yaml", "summary.json", "replications.parquet",
        "fingerprints.json", "objects.parquet", "trace.parquet",
        "overview.png", "outages.png", "downtime.png",
    }  # fmt: skip
    assert "NN101" in called.err
    assert "small: 4 of 4 replications (100 %)" in called.err


def test_two_runs_in_one_second_have_two_folders(netnode, small, monkeypatch):
    monkeypatch.setattr(folder, "_write_tables", lambda result, work: None)
    monkeypatch.setattr(folder, "_draw", lambda result, work: None)
    for _ in range(3):
        assert netnode("run", small, "-n", "1", *QUICK).code == 0
    assert len(list(Path("results/small").iterdir())) == 3


def test_json_is_one_document_and_the_same_as_the_result(netnode, small):
    called = netnode("run", small, "--json", "-o", "out", *QUICK)
    assert called.err == ""
    document = json.loads(called.out)
    assert list(document)[:4] == ["schema_version", "scenario", "seed", "replications"]
    assert document == load_result("out").document()
    assert document["variants"]["folsom"]["control.availability"]["mean"] is None
    assert list(document["differences"]) == ["grizzly - folsom"]
    assert called.out == netnode("run", small, "--format", "json", "--no-save", *QUICK).out


def test_formats(netnode, small):
    rows = list(csv.DictReader(io.StringIO(netnode("run", small, "--format", "csv", *QUICK).out)))
    assert {row["variant"] for row in rows} == {"folsom", "grizzly"}
    assert {row["minus"] for row in rows} == {"", "folsom"}
    out = netnode("run", small, "--format", "md", "--no-save", *QUICK).out
    assert "|  | folsom | grizzly |\n| --- | --- | --- |\n| `router.availability` |" in out


def test_options_come_from_the_environment_and_flags_win(netnode, small, monkeypatch):
    monkeypatch.setenv("NETNODE_RUN_REPLICATIONS", "2")
    monkeypatch.setenv("NETNODE_RUN_SEED", "5")
    document = json.loads(netnode("run", small, "--json", "--seed", "6", "--no-save", *QUICK).out)
    assert (document["replications"], document["seed"]) == (2, 6)


def test_overrides_reach_the_scenario(netnode, small):
    called = netnode("run", small, "-S", "horizon=5d", "-S", "name=other", "--no-save", *QUICK)
    assert called.out.startswith("other: 4 replications of 5 d")
    wrong = netnode("run", small, "-S", "horizn=5d", *QUICK)
    assert wrong.code == 2
    assert "did you mean 'horizon'?" in wrong.err
    assert not Path("results").exists()


def test_every_problem_is_told_and_nothing_written(netnode, small):
    small.write_text("version: 1\nhorizon: 1m\nsede: 3\n")
    called = netnode("run", small)
    assert (called.code, called.out) == (2, "")
    assert called.err.count(f"{small}:") >= 2
    assert re.search(r"^Error: the scenario has \d problems; nothing was run$", called.err, re.M)
    assert [path.name for path in Path().iterdir()] == ["small.yaml"]


def never(*_, **__):
    raise AssertionError("simulated although it could not have been written")


@pytest.mark.parametrize(
    ("target", "code"), [("small.yaml", 2), ("full", 2), ("small.yaml/below", 74)]
)
def test_where_nothing_can_be_written_nothing_is_simulated(
    netnode, small, target, code, monkeypatch
):
    Path("full").mkdir()
    Path("full/precious.txt").write_text("mine")
    monkeypatch.setattr(runner, "run", never)
    called = netnode("run", small, "-o", target)
    assert called.code == code
    assert called.out == ""


def test_a_full_disk_after_the_run_still_prints(netnode, small, monkeypatch):
    def full(self, work):
        (work / "half").write_text("half a file")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(folder, "_write_tables", full)
    called = netnode("run", small, "-o", "out", *QUICK)
    assert called.code == 74
    assert "router.availability" in called.out
    assert "cannot write out: No space left on device" in called.err
    assert [path.name for path in Path().iterdir()] == ["small.yaml"]


def test_an_internal_error_is_one_line(netnode, small, monkeypatch):
    def fail(*_, **__):
        raise ValueError("boom\nand more")

    monkeypatch.setattr(runner, "run", fail)
    called = netnode("run", small, "-q")
    assert called.code == 70
    assert called.err.startswith("Error: internal error: ValueError: boom; ")
    assert "report" in called.err
    assert "Traceback" not in called.err
    assert "Traceback" in netnode("run", small, "-v").err
    assert "Traceback" in netnode("-v", "run", small).err
    monkeypatch.setenv("NETNODE_TRACEBACK", "1")
    assert "Traceback" in netnode("run", small).err


def test_out_of_memory_says_what_helps(netnode, small, monkeypatch):
    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr(runner, "run", fail)
    called = netnode("run", small, "-q")
    assert called.code == 70
    assert "out of memory; fewer jobs" in called.err


def test_the_trace_of_a_chosen_replication_is_kept(netnode, small):
    assert netnode("run", small, "-o", "out", "--trace-replication", "2", *QUICK).code == 0
    assert load_result("out").trace_replication == 2
    assert netnode("run", small, "--trace-replication", "4", *QUICK).code == 2


def test_progress_is_a_line_for_each_tenth(netnode, small):
    err = netnode("run", small, "-n", "20", "-j", "1", "--no-save").err
    lines = [line for line in err.splitlines() if "replications" in line]
    assert len(lines) == 10
    assert re.fullmatch(r"small: 2 of 20 replications \(10 %\), about .+ left", lines[0])
    assert lines[-1] == "small: 20 of 20 replications (100 %)"


# -- compare ---------------------------------------------------------------------------------


def test_compare_a_result_with_a_scenario(netnode, folder, small):
    called = netnode("compare", folder, small, *QUICK)
    assert called.code == 0
    assert f"A = {folder} (small: 4 replications of 20 d, seed 1)" in called.out
    assert "B - A, paired [95 % interval]" in called.out
    document = json.loads(netnode("compare", folder, small, "--json", *QUICK).out)
    assert document["paired"] is True
    assert document["differences"]["grizzly"]["router.availability"]["mean"] == 0
    unpaired = netnode("compare", folder, small, "--seed", "9", *QUICK)
    assert "not paired, so intervals are wider than they could be: seed differs" in unpaired.out


def test_compare_needs_something_in_common(netnode, small, monkeypatch):
    other = small.with_name("other.yaml")
    other.write_text(small.read_text().replace("  folsom:", "  f:").replace("  grizzly:", "  g:")
                     .replace("baseline: folsom", "baseline: f"))  # fmt: skip
    monkeypatch.setattr(runner, "run", never)
    called = netnode("compare", small, other, *QUICK)
    assert called.code == 2
    assert f"{small} has folsom, grizzly; {other} has f, g" in called.err


# -- pipes, signals and terminals ------------------------------------------------------------


def test_a_closed_pipe_ends_quietly_and_saves_all_the_same(start, small):
    read, write = os.pipe()
    os.close(read)
    process = start("run", small, "-o", "out", *QUICK, stdout=write)
    os.close(write)
    _, err = process.communicate()
    assert (process.returncode, err) == (74, "")
    assert load_result(small.with_name("out")).replications == [0, 1, 2, 3]


@pytest.mark.parametrize("args", [("--help",), ("explain",)])
def test_a_closed_pipe_ends_any_command_quietly(start, args):
    read, write = os.pipe()
    os.close(read)
    process = start(*args, stdout=write)
    os.close(write)
    _, err = process.communicate()
    assert process.returncode == 74
    assert err in ("", "keys of scenarios are explained too: netnode explain "
                       "neutron.agent_down_time\n")  # fmt: skip


@linux
def test_a_full_device_is_told(start):
    with open("/dev/full", "w") as full:
        process = start("presets", stdout=full)
        _, err = process.communicate()
    assert process.returncode == 74
    assert err == "Error: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_replication_that_fails_loses_only_itself(netnode, small, monkeypatch, jobs):
    replicate = workers.Worker.replicate

    def fail(self, replication):
        if replication == 2:
            raise ZeroDivisionError("seeded")
        return replicate(self, replication)

    monkeypatch.setattr(workers.Worker, "replicate", fail)
    called = netnode("run", small, "-j", jobs, "-o", "out")
    assert called.code == 70
    assert "Error: a replication failed: ZeroDivisionError: seeded; " in called.err
    assert load_result(small.with_name("out")).replications[:2] == [0, 1]


def on_a_terminal(*args, **env):
    """What the command writes to a terminal of 120 columns."""
    import pty  # not on every system

    pid, terminal = pty.fork()
    if not pid:
        os.environ.update(TERM="xterm", COLUMNS="120", **env)
        os.execv(sys.executable, [sys.executable, "-m", "simulator", *map(str, args)])
    written = b""
    while True:
        try:
            written += (some := os.read(terminal, 65536))
        except OSError:  # how Linux says that the other side is gone
            break
        if not some:
            break
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), written.decode()


@linux
@pytest.mark.filterwarnings("ignore:.*forkpty:DeprecationWarning")
def test_a_terminal_shows_a_bar_and_colours(small):
    code, written = on_a_terminal("run", small, "--no-save", "-j", "1")
    assert code == 0
    assert "4/4" in written
    assert "\x1b[36mrouter.availability" in written
    code, written = on_a_terminal("run", small, "--no-save", "-j", "1", NO_COLOR="1", CI="true")
    assert code == 0
    assert "4/4" not in written
    assert "\x1b[36m" not in written


def test_a_pipe_gets_no_colours_unless_forced(small):
    command = [sys.executable, "-m", "simulator", "run", str(small), "--no-save", *QUICK]
    forced = {**os.environ, "FORCE_COLOR": "1", "TERM": "xterm"}
    assert b"\x1b[" not in subprocess.run(command, capture_output=True, check=True).stdout
    coloured = subprocess.run(command, capture_output=True, check=True, env=forced).stdout
    assert b"\x1b[" in coloured


def test_a_run_goes_on_until_a_target_is_reached(netnode, small):
    until = ["--until", "router.availability=20%", "--until", "decided"]
    limit = 'thresholds=[{"metric": "router.availability", "op": ">", "value": 0}]'
    args = ["run", small, "-n", 20, "--most", 80, "--no-save", *QUICK, *until, "-S", limit]
    called = netnode(*args, "--json")
    assert called.code == 0
    assert json.loads(called.out)["stopped"] == "target reached after 20 of at most 80"
    title = netnode(*args).out.splitlines()[0]
    assert title.endswith("seed 1; target reached after 20 of at most 80")


def test_a_target_that_cannot_be_read_is_refused(netnode, small):
    called = netnode("run", small, "--until", "router.availability", "--no-save")
    assert called.code == 2
    assert "until.targets[0].half_width: 'half_width' is missing" in called.err
    called = netnode("run", small, "--most", 40, "--no-save")
    assert called.code == 2
    assert "until: nothing is to be reached" in called.err
