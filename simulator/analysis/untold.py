"""When agents did not know that routers are theirs, since the broker had lost what told them.

A notice is lost in a queue that dies, on its way there, or for want of a queue. An agent whose
management NIC is down then would have heard of nothing anyway: until that is back, its node is to
blame.
"""

from __future__ import annotations

import numpy as np

from simulator.analysis.intervals import NOTHING, Rows, Spans, put_off
from simulator.analysis.service import History


def untold(history: History, bound: Rows) -> Rows:
    """The parts of *bound* in which their agents had not been told, and would have been."""
    pair = bound.node * len(history.trace.objects.names) + bound.owner
    here = np.isin(pair, list(history.untold))
    return bound.take(here).covered(pair[here], lambda one: _sound(history, one))


def _sound(history: History, pair: int) -> Spans:
    """When one agent had not been told of one object, from when its NIC was up."""
    trace, (starts, ends) = history.trace, history.untold[pair]
    host = int(trace.nodes.host[pair // len(trace.objects.names)])
    nic = history.management[trace.components.names[host]]
    starts = put_off(starts, history.failed.get(nic, NOTHING))
    return Spans(starts[starts < ends], ends[starts < ends])
