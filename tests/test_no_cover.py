"""What a test marked no_cover computes and starts is not traced: that costs four times as much."""

from __future__ import annotations

import os

import pytest
from coverage import Coverage


@pytest.mark.no_cover
def test_nothing_is_traced_here_nor_in_what_is_started():
    assert Coverage.current() is None
    assert "COVERAGE_PROCESS_CONFIG" not in os.environ
