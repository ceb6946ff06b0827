"""What is answered, and what is refused and why."""

from __future__ import annotations

from dataclasses import dataclass, field


class RefusedError(Exception):
    """A metric has no exact answer here; the message says why."""


@dataclass(frozen=True)
class Answer:
    """The expected value of a metric over the scenario's window, and where it comes from.

    *method* names the formula, *source* who proved it, *assumptions* what it takes for granted
    beyond what the scenario says. An answer that is not *exact* neglects something, which its
    assumptions name; runs are not judged by it.
    """

    value: float
    method: str
    source: str
    assumptions: tuple[str, ...] = ()
    exact: bool = True


@dataclass
class Answers:
    """All answers of one variant: every metric is in *found* or in *refused*.

    *parts* are facts that are no metrics: availabilities of components, and k of n nodes.
    """

    variant: str
    parts: dict[str, Answer] = field(default_factory=dict)
    found: dict[str, Answer] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


RENEWAL = "alternating renewal process: MTTF / (MTTF + MTTR)"
RENEWAL_SOURCE = "Barlow and Proschan, Statistical Theory of Reliability, 1975, ch. 7"
PRODUCT = "product of independent components"
REWARD_SOURCE = "Ross, Stochastic Processes, 2nd ed., th. 3.6.1"
CHAIN_SOURCE = "Trivedi, Probability and Statistics with Reliability, 2nd ed., ch. 8"
FREQUENCY_SOURCE = "Barlow and Proschan, 1975, ch. 7: rates of failure of a series system"
