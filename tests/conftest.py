"""What a test marked no_cover computes, and starts, is not traced."""

from __future__ import annotations

import pytest
from coverage import Coverage


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item):
    """pytest-cov pauses its latest tracer; a worker of xdist has others below, which go on then."""
    others = []
    while item.get_closest_marker("no_cover") and (tracer := Coverage.current()):
        tracer.stop()
        others.append(tracer)
    try:
        return (yield)
    finally:
        for tracer in reversed(others):
            tracer.start()


@pytest.fixture(autouse=True)
def no_traced_children(request, monkeypatch):
    """Nor are the processes that such a test starts."""
    if request.node.get_closest_marker("no_cover"):
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
