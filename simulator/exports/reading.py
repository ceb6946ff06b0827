"""Reading a folder of exports, or single files, into a `Cloud`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simulator.errors import InputError
from simulator.exports.assembly import Claim, assemble
from simulator.exports.cloud import Cloud
from simulator.exports.commands import Request, answers, is_record, read_record
from simulator.exports.documents import Document, read_document
from simulator.exports.faults import ExportError, Fault
from simulator.exports.lists import MAKES_NO_SENSE, UNUSED, Found, lists_of


@dataclass
class _Pile:
    """What has been read so far."""

    found: dict[Path, list[Found]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_cloud(
    paths: Iterable[Path], *, of: Mapping[Path, str] | None = None, all_agents: bool = False
) -> Cloud:
    """The cloud that the exports at *paths* tell of: files, or folders of them.

    *of*: for a file that does not say whose agents (or objects) it lists, the id or name of the
    object (or agent). *all_agents*: no agent is missing from the exports. Raises ExportError with
    every fault of all files, InputError where there is nothing to read.
    """
    pile = _Pile()
    for path in paths:
        for file, asked in _files(path):
            if file not in pile.found:
                _take(pile, file, asked)
    claims = _claims(pile, _of_files(pile, of or {}))
    whole = all_agents or any(
        claim.request.of is None and claim.request.whole and claim.found.whole
        for claim in claims
        if claim.request
    )
    known = [one for found in pile.found.values() for one in found]
    if not known and not pile.faults:
        raise InputError(f"there are no exports in {', '.join(map(str, paths))}")
    cloud = assemble(known, claims, pile.faults, warnings=pile.warnings, all_agents=whole)
    if pile.faults:
        raise ExportError(pile.faults)
    return cloud


def _files(path: Path) -> list[tuple[Path, bool]]:
    """The files of *path*, in order, and whether each was asked for by name."""
    try:
        if not path.is_dir():
            return [(path, True)]
        return [
            (file, False)
            for file in sorted(path.iterdir())
            if file.is_file() and not file.name.startswith(".")
        ]
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def _take(pile: _Pile, file: Path, asked: bool) -> None:
    document = read_document(file)
    if isinstance(document, Fault):
        pile.faults.append(document)
        return
    if document.form == "text" and is_record(document.value):
        pile.requests += read_record(file, document.value)
        return
    found = lists_of(document)
    pile.faults += [fault for one in found for fault in one.faults]
    if found:
        pile.found[file] = found
    elif asked:
        pile.faults.append(Fault(str(file), "", f"not an export: {MAKES_NO_SENSE}"))
    elif _is_blank(document):
        pile.warnings.append(f"{file}: left out, it is empty")
    else:
        pile.warnings.append(f"{file}: left out, {MAKES_NO_SENSE}")


def _of_files(pile: _Pile, of: Mapping[Path, str]) -> dict[Path, str]:
    """*of* by the path under which each file was read; one that is at fault says so itself."""
    read = {file.resolve(): file for file in pile.found}
    faulty = {Path(fault.file).resolve() for fault in pile.faults}
    for file in of:
        if file.resolve() not in read.keys() | faulty:
            raise InputError(f"{file}: it is not among the exports that were read")
    meant = {file.resolve(): subject for file, subject in of.items()}
    return {read[file]: subject for file, subject in meant.items() if file in read}


def _is_blank(document: Document) -> bool:
    return document.form == "text" and not document.value.strip()


def _claims(pile: _Pile, of: Mapping[Path, str]) -> list[Claim]:
    """Whose agents or objects each list holds, as records and the caller say."""
    claims = []
    for file, lists in pile.found.items():
        requests = [request for request in pile.requests if answers(request, file)]
        if file in of:
            claims += [Claim(found, None, of[file]) for found in lists if _is_usable(found)]
        elif len(requests) > 1 and any(one != requests[0] for one in requests):
            pile.warnings.append(f"{file}: {requests[0].told_by} has several requests for it")
        elif requests:
            claims += _by_request(pile, requests[0], lists)
        elif any(found.per_object for found in lists):
            pile.warnings.append(
                f"{file}: the agents of one router or network, but it does not say which; "
                f"say it by --of {file}=ID"
            )
    return claims


def _is_usable(found: Found) -> bool:
    return found.kind not in (*UNUSED, "subnets")


def _by_request(pile: _Pile, request: Request, lists: Sequence[Found]) -> list[Claim]:
    """The list that answers *request*; another kind of list does not."""
    fitting = [found for found in lists if found.kind in (request.holds, None)]
    if not fitting:
        kinds = ", ".join(str(found.kind) for found in lists)
        why = f"{request.told_by} says that it lists {request.holds}, but it holds {kinds}"
        pile.faults.append(Fault(lists[0].file, "", why))
    subject = request.of[1] if request.of else ""
    return [Claim(found, request, subject) for found in fitting]
