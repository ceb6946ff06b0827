"""A scenario that runs in no time, and the command called within the test's own process."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from simulator.cli import main

SCENARIO = """\
version: 1
name: small
horizon: 20d
replications: 4
failures:
  host.network:
    time_to_failure: {exponential: {mean: 60h}}
    time_to_repair: {exponential: {mean: 2h}}
hosts:
  controller: {kind: controller, count: 1}
  network: {kind: network, count: 1}
workload: {tenants: 3}
baseline: folsom
variants:
  folsom: {release: folsom}
  grizzly: {release: grizzly, hosts: {network: {count: 2}}}
"""


ENTRY = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever started the tests ignores
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
from simulator.__main__ import main
sys.exit(main())
"""


@dataclass
class Called:
    """What a call of the command left."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def plain_surroundings(tmp_path, monkeypatch):
    """Each test in a folder of its own, without settings of the machine's."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("NETNODE_")]:
        monkeypatch.delenv(name)
    for name in ("CI", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def netnode(capsys):
    """Call the command here; one job, so that nothing is forked from a test."""

    def call(*args):
        code = main([str(arg) for arg in args])
        captured = capsys.readouterr()
        return Called(code, captured.out, captured.err)

    return call


@pytest.fixture
def start(tmp_path):
    """Start the command as a process of its own."""
    processes = []

    def begin(*args, **options):
        process = subprocess.Popen(
            [sys.executable, "-c", ENTRY, *map(str, args)],
            cwd=tmp_path,
            text=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )
        processes.append(process)
        return process

    yield begin
    for process in processes:
        with process:
            process.kill()


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SCENARIO)
    return path


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A result folder of the small scenario, 4 replications."""
    from simulator import load_scenario, run

    place = tmp_path_factory.mktemp("results")
    (place / "small.yaml").write_text(SCENARIO)
    result = run(load_scenario(place / "small.yaml"), jobs=1)
    return result.save(place / "done", pictures=False)
