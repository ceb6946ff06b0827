"""The one file that needs nothing: what it says where set-up cannot be done."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def dev(tmp_path, monkeypatch):
    """A fresh copy of dev.py as a module, in a project folder of its own."""
    for name in ("dev.py", "pyproject.toml", *(path.name for path in ROOT.glob("*.lock"))):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    spec = importlib.util.spec_from_file_location("dev", tmp_path / "dev.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.chdir(tmp_path)
    return module


def last_line(capsys):
    return capsys.readouterr().err.splitlines()[-1]


def test_a_python_too_old_is_told_so(dev, monkeypatch, capsys):
    monkeypatch.setattr(dev.sys, "version_info", (3, 10, 12))
    assert dev.main(["run"]) == 2
    assert last_line(capsys) == "dev.py: needs Python 3.11 or newer, and this is 3.10"


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_without_venv_or_ensurepip_is_told_how_to_mend_it(
    dev, monkeypatch, capsys, missing
):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None if n == missing else find(n))
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert dev.main(["run"]) == 2
    assert "apt install python3-venv" in last_line(capsys)


def test_without_a_network_there_is_one_line(dev, monkeypatch, capsys):
    """Both installers end as they do where no index can be reached."""
    monkeypatch.setattr(dev, "make_environment", lambda folder, with_pip: None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    output = "WARNING: Retrying\nERROR: Max retries exceeded with url"
    monkeypatch.setattr(dev, "attempt", lambda command: (command[-1] == "--version", output))
    assert dev.main(["test"]) == 2
    assert last_line(capsys).startswith("dev.py: cannot reach the package index; ")


def test_an_unknown_command_is_a_usage_error(dev, capsys):
    assert dev.main(["fly"]) == 2
    assert "usage: python3 dev.py run|test|verify|bench|lock" in last_line(capsys)


def test_the_lock_files_hold_hashes_and_no_addresses():
    for path in ROOT.glob("*.lock"):
        text = path.read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
        assert "index" not in text.lower()
