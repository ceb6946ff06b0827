"""The record of what was asked for: which request or command left which file.

Bodies of REST answers and tables of the client do not say whose agents they list. A text file does,
in which each request stands with its file:

    GET /v2.0/routers/6d4b2cd8-…/l3-agents -> exports/rest_router_l3_agents.json
    $ openstack network agent list --router 6d4b2cd8-… -f json
        -> exports/cli_agent_list_router.json
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

LEFT = re.compile(r"^(?P<asked>.*?)\s*(?:->|(?<=\s)>)\s*(?P<file>\S+)\s*$")
HOSTING: Mapping[tuple[str, str], tuple[str, str]] = {
    ("agents", "l3-routers"): ("routers", "agent"),
    ("agents", "dhcp-networks"): ("networks", "agent"),
    ("routers", "l3-agents"): ("agents", "router"),
    ("networks", "dhcp-agents"): ("agents", "network"),
}
"""Lists under an object of the REST API: what they hold, and what it is of."""
LISTS: Mapping[tuple[str, ...], tuple[str, Mapping[str, str]]] = {
    ("network", "agent", "list"): ("agents", {"--router": "router", "--network": "network"}),
    ("router", "list"): ("routers", {"--agent": "agent"}),
    ("network", "list"): ("networks", {"--agent": "agent"}),
}
"""The client's lists: what they hold, and the options that say whose."""
SWITCHES = ("--long", "--noindent", "--fit-width", "--print-empty")
LAYOUT = ("-f", "--format", "--quote", "--max-width", "--sort-column", "--os-cloud")
"""Options that choose no rows: without and with a value. Any other may be a filter."""


@dataclass(frozen=True)
class Request:
    """What a file answers: it lists *holds* (agents, networks, routers) of one object, or all.

    *of*: the kind of that object, and its id or name. *whole*: no filter was set, as far as known.
    *by_id*: it can only be an id.
    """

    file: str
    holds: str
    of: tuple[str, str] | None
    whole: bool
    told_by: str
    by_id: bool = False


def is_record(content: str) -> bool:
    """Whether *content* is such a record."""
    return bool(re.search(r"^(GET \S+ -> \S|\$ openstack \S)", content, re.MULTILINE))


def read_record(file: Path, content: str) -> list[Request]:
    """The requests of a record that list agents, or objects of an agent."""
    found = []
    asked = ""
    for line in content.splitlines():
        match = LEFT.match(line)
        asked = (match["asked"] if match else line).strip() or asked
        if match:
            request = _request(asked, match["file"], str(file))
            found += [request] if request else []
            asked = ""
    return found


def _request(asked: str, file: str, told_by: str) -> Request | None:
    if asked.startswith("GET "):
        return _of_rest(asked[4:].strip(), file, told_by)
    if asked.startswith("$ openstack "):
        try:
            words = shlex.split(asked)[2:]
        except ValueError:
            return None
        return _of_client(words, file, told_by)
    return None


def _of_rest(address: str, file: str, told_by: str) -> Request | None:
    path, _, query = address.partition("?")
    parts = path.rstrip("/").partition("/v2.0/")[2].removesuffix(".json").split("/")
    if parts == ["agents"]:
        return Request(file, "agents", None, not query, told_by)
    if len(parts) != 3 or (parts[0], parts[2]) not in HOSTING:
        return None
    holds, of = HOSTING[parts[0], parts[2]]
    return Request(file, holds, (of, parts[1]), not query, told_by, by_id=True)


def _of_client(words: list[str], file: str, told_by: str) -> Request | None:
    command = next((known for known in LISTS if tuple(words[: len(known)]) == known), None)
    if command is None:
        return None
    holds, subjects = LISTS[command]
    of, whole = None, True
    left = [part for word in words[len(command) :] for part in _split(word)]
    while left:
        option = left.pop(0)
        if option in subjects and left:
            whole = whole and of is None
            of = (subjects[option], left.pop(0))
        elif option in LAYOUT and left:
            left.pop(0)
        elif option not in SWITCHES:
            whole = False
    return Request(file, holds, of, whole, told_by)


def _split(word: str) -> list[str]:
    """`--option=value` as two words."""
    return word.split("=", 1) if word.startswith("--") and "=" in word else [word]


def answers(request: Request, file: Path) -> bool:
    """Whether *file* may be the one that *request* left: same name, same folder as the record."""
    same = PurePosixPath(request.file).name == file.name
    return same and Path(request.told_by).parent == file.parent
