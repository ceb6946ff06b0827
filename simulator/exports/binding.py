"""Who is bound to whom, as far as lists tell.

A list of the agents of one object is all of them. A list of the objects of one agent says of each
that this agent has it, but not that no other has; only when all agents are known and each one's
list is there, an object's agents are all those whose lists name it. What no list names is unknown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from simulator.exports.cloud import Binding


@dataclass(frozen=True)
class Listing:
    """The *members* of *subject*: agents of an object, or (*of_agent*) objects of an agent.

    *whole*: all of them. *rank*: lower ones are preferred.
    """

    file: str
    subject: str
    of_agent: bool
    members: Mapping[str, str | None]  # and their HA states
    whole: bool
    rank: int


@dataclass
class Bindings:
    """What is known of one kind of object, networks or routers; *agents*: all who may host it.

    *closed*: no agent is missing from *agents*.
    """

    kind: str
    agents: frozenset[str]
    closed: bool
    listings: Iterable[Listing]
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._of_object: dict[str, list[Listing]] = defaultdict(list)
        self._of_agent: dict[str, list[Listing]] = defaultdict(list)
        self._naming: dict[str, dict[str, None]] = defaultdict(dict)
        for listing in sorted(self.listings, key=lambda listing: listing.rank):
            own = self._of_agent if listing.of_agent else self._of_object
            own[listing.subject].append(listing)
            for member in listing.members:
                target, agent = (
                    (member, listing.subject) if listing.of_agent else (listing.subject, member)
                )
                self._naming[target][agent] = None
        listed = {a for a, found in self._of_agent.items() if any(one.whole for one in found)}
        self._closed = self.closed and bool(self.agents) and self.agents <= listed

    def objects(self) -> list[str]:
        """The objects of which some list tells."""
        return sorted({*self._naming, *self._of_object})

    def of_object(self, target: str) -> Binding | None:
        """The agents of *target*; None if nothing is known."""
        own = self._of_object.get(target, [])
        agents = [a for a in sorted(self._naming.get(target, ())) if self._holds(target, a, own)]
        told = any(one.whole and set(one.members) == set(agents) for one in own)
        exact = told or (self._closed and bool(agents))
        if not agents and not exact:
            return None
        return Binding(tuple(agents), exact, self._ha_states(target, agents, own))

    def of_agent(self, agent: str, bindings: Mapping[str, Binding | None]) -> Binding | None:
        """The objects of *agent*, given those *bindings* of all objects."""
        has = tuple(target for target, one in bindings.items() if one and agent in one.members)
        exact = any(one.whole and set(one.members) == set(has) for one in self._of_agent[agent])
        return Binding(has, exact) if has or exact else None

    def _holds(self, target: str, agent: str, own: list[Listing]) -> bool:
        """Whether *agent* has *target*, by the preferred list that says yes or no."""
        votes = [(one, agent in one.members) for one in own]
        votes += [(one, target in one.members) for one in self._of_agent.get(agent, ())]
        votes = sorted(
            ((one, yes) for one, yes in votes if yes or one.whole), key=lambda vote: vote[0].rank
        )
        first, says = votes[0]
        other = next((one for one, yes in votes if yes != says), None)
        if other:
            has, not_has = (first, other) if says else (other, first)
            self.warnings.append(
                f"{not_has.file}: agent {agent} does not have {self.kind} {target}, but it does in "
                f"{has.file}; {first.file} is preferred"
            )
        return says

    def _ha_states(self, target: str, agents: list[str], own: list[Listing]) -> Mapping[str, str]:
        states: dict[str, str] = {}
        tellers: dict[str, str] = {}
        for listing in own:
            for agent, state in listing.members.items():
                if state is None or agent not in agents:
                    continue
                if states.setdefault(agent, state) != state:
                    self.warnings.append(
                        f"{listing.file}: ha_state of {self.kind} {target} on agent {agent} is "
                        f"{state!r}, but {states[agent]!r} in {tellers[agent]}, which is preferred"
                    )
                tellers.setdefault(agent, listing.file)
        return states
