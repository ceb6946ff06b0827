"""Table and fingerprints of a result are the same files, byte for byte, whoever computed them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.no_cover

HERE = Path(__file__).parent
SAVE = """
import sys
sys.path[:0] = sys.argv[1:3]
from test_runner import small
from simulator import run
if __name__ == "__main__":
    folder, jobs, method = sys.argv[3:]
    result = run(small(), replications=6, jobs=int(jobs), start_method=method or None)
    result.save(folder, pictures=False)
"""
"""A program of its own, so that the hash seed of all its processes can be set."""


def files(folder, jobs, method, hash_seed):
    """The bytes of both, computed by *jobs* processes."""
    program = folder / "save.py"  # a file, which spawned processes can import
    program.write_text(SAVE)
    result = folder / "result"
    subprocess.run(
        [sys.executable, program, HERE, HERE.parent, result, str(jobs), method],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)}, check=True,
    )  # fmt: skip
    names = ("replications.parquet", "fingerprints.json")
    return [(result / name).read_bytes() for name in names]


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    return files(tmp_path_factory.mktemp("serial"), 1, "", 0)


@pytest.mark.parametrize(
    ("jobs", "method", "hash_seed"),
    [
        (5, "fork", 1),
        (2, "spawn", 2),
        pytest.param(1, "", 3, marks=pytest.mark.slow),
        pytest.param(2, "fork", 4, marks=pytest.mark.slow),
        pytest.param(5, "spawn", 5, marks=pytest.mark.slow),
    ],
)
def test_workers_and_hash_seeds_do_not_change_the_files(tmp_path, serial, jobs, method, hash_seed):
    assert files(tmp_path, jobs, method, hash_seed) == serial
