"""Ctrl-C, SIGTERM and SIGHUP: what had finished is kept, and no process is left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulator.analysis import folder
from simulator.analysis.reading import load_result
from simulator.experiment import runner, workers

LONG = ("-n", "40", "-S", "horizon=1y")
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def begun(process):
    """Wait until some replications are done, which the process tells."""
    for line in process.stderr:
        if "replications" in line:
            return
    raise AssertionError("ended before it told anything")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.no_cover)])
def test_an_interrupt_keeps_the_replications_that_finished(start, small, jobs, number):
    process = start("run", small, *LONG, "-j", jobs, "-o", "out", start_new_session=True)
    begun(process)
    os.killpg(process.pid, number)  # as a terminal does: to parent and workers alike
    out, err = process.communicate(timeout=180)
    assert process.returncode == 130
    assert "Traceback" not in err
    done = int(re.search(r"interrupted: (\d+) of 40 replications had finished", err)[1])
    assert out.startswith(f"small: PARTIAL, {done} of 40 replications")
    kept = load_result(small.with_name("out"))
    assert kept.partial
    assert len(kept.replications) == done >= 4
    assert [path.name for path in small.parent.iterdir() if path.name.startswith(".out")] == []


@linux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_the_command(start, small, number):
    process = start("run", small, *LONG, "-j", "2", "-o", "out")
    begun(process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) == 2
    os.kill(process.pid, number)
    process.wait(30)
    deadline = time.monotonic() + 10
    while any(alive(child) for child in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [child for child in children if alive(child)]
    if number == signal.SIGTERM:
        assert process.returncode == 130
        assert load_result(small.with_name("out")).partial


def alive(pid):
    """Whether the process runs; one that ended and was not fetched does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.no_cover
def test_what_is_told_as_done_is_kept(start, small):
    """No finished replication waits in a worker for others of its chunk."""
    process = start("run", small, "-n", "1000", "-S", "horizon=60d", "-j", "2", "-o", "out")
    begun(process)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=180)
    assert process.returncode == 130
    assert int(re.search(r"interrupted: (\d+) of 1000", err)[1]) >= 100


def test_a_result_is_saved_whole_however_often_one_interrupts(netnode, small, monkeypatch):
    write = folder._write_tables

    def interrupted(result, work):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            signal.raise_signal(number)
        write(result, work)

    monkeypatch.setattr(folder, "_write_tables", interrupted)
    before = {n: signal.signal(n, signal.default_int_handler)
              for n in (signal.SIGINT, signal.SIGTERM)}  # fmt: skip
    try:
        called = netnode("run", small, "-j", "1", "-q", "-o", "out")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert called.code == 130
    assert called.out.startswith("small: 4 replications")
    kept = load_result("out")
    assert not kept.partial
    assert not list(Path("out").glob("*.png"))  # they can be drawn again
    assert "Traceback" not in called.err
    assert [path.name for path in Path().iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("wait", [0.02, 0.03, 0.05, 0.08, 0.12, 0.2])
def test_an_interrupt_while_python_loads_is_no_traceback(tmp_path, wait):
    """From the first line of netnode's own on; before that it is Python that starts."""
    script = (
        "import signal, os, threading;"
        "signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from simulator.__main__ import main;"
        f"threading.Timer({wait}, os.kill, (os.getpid(), signal.SIGINT)).start();"
        "import sys; sys.argv[1:] = ['validate', *['x.yaml'] * 20000]; sys.exit(main())"
    )
    found = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True,
                           text=True, timeout=180)  # fmt: skip
    assert found.returncode == 130
    assert "Traceback" not in found.stderr


@linux
def test_a_killed_worker_keeps_what_finished(start, small):
    process = start("run", small, *LONG, "-j", "2", "-o", "out")
    begun(process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    out, err = process.communicate(timeout=180)
    assert process.returncode == 70
    assert out.startswith("small: PARTIAL, ")
    last = err.splitlines()[-1]
    assert re.fullmatch(r"Error: a worker process died \(.*\): \d+ of 40 replications .*", last)
    assert "Traceback" not in err
    assert load_result(small.with_name("out")).partial


def test_an_interrupt_before_anything_finished_keeps_nothing(netnode, small, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(workers.Worker, "replicate", interrupt)
    called = netnode("run", small, "-j", "1", "-o", "out")
    assert (called.code, called.out) == (130, "")
    assert "interrupted: 0 of 4 replications had finished" in called.err
    assert not Path("out").exists()


def test_an_interrupt_that_a_simulation_swallowed_still_counts(small, monkeypatch):
    """SimPy can drop an exception; the replication in which it did is not to be trusted."""
    replicate = workers.Worker.replicate

    def swallow(self, replication):
        if replication == 2:
            try:
                signal.raise_signal(signal.SIGINT)
                time.sleep(1)
            except KeyboardInterrupt:
                pass
        return replicate(self, replication)

    monkeypatch.setattr(workers.Worker, "replicate", swallow)
    from simulator import load_scenario

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = runner.run(load_scenario(small), jobs=1)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert result.partial
    assert result.replications == [0, 1]


@linux
def test_a_run_that_was_told_to_outlive_its_terminal_does(tmp_path, small):
    """As `nohup` tells it; otherwise a hang-up would end it."""
    ignoring = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", sys.executable, "-m", "simulator"]
    process = subprocess.Popen(
        [*ignoring, "run", small, "-n", "8", "-j", "2", "-o", "out"],
        cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    begun(process)
    os.killpg(process.pid, signal.SIGHUP)
    out, _ = process.communicate(timeout=180)
    assert process.returncode == 0
    assert out.startswith("small: 8 replications")
