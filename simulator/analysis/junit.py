"""Findings as JUnit XML, which CI services show beside the results of tests.

A test suite is a variant of the scenario, a test case a finding. What Jenkins' schema (junit-10)
does not know is left out, for it is the strictest of the consumers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from simulator.analysis.findings import Checked
from simulator.analysis.verdicts import Finding, Verdict

OUTCOMES: Mapping[Verdict, str] = {
    Verdict.FAIL: "failure",
    Verdict.MISSING: "error",
    Verdict.UNDECIDED: "skipped",
    Verdict.NOT_COMPARABLE: "skipped",
}
"""What a test case holds that has not passed."""
COUNTS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def junit(checked: Checked) -> str:
    """The findings as one document."""
    root = Element("testsuites", name=f"netnode {_plain(checked.scenario)}")
    variants = dict.fromkeys(finding.variant for finding in checked.findings)
    for variant in variants:
        mine = [finding for finding in checked.findings if finding.variant == variant]
        root.append(_suite(checked, variant, mine))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(checked: Checked, variant: str, findings: Sequence[Finding]) -> Element:
    """The findings of one *variant*, or with an empty name those of the whole."""
    name = _plain(".".join(filter(None, (checked.scenario, variant))))
    outcomes = [OUTCOMES.get(checked.counts_as(finding), "") for finding in findings]
    counts = {count: str(outcomes.count(outcome)) for count, outcome in COUNTS.items()}
    suite = Element("testsuite", {"name": name, "tests": str(len(findings)), "time": "0", **counts})
    properties = SubElement(suite, "properties")
    for key, value in checked.origin().items():
        SubElement(properties, "property", name=key, value=_plain(str(value)))
    seen: Counter[str] = Counter()
    for finding, outcome in zip(findings, outcomes, strict=True):
        seen[finding.name] += 1
        again = f" ({seen[finding.name]})" if seen[finding.name] > 1 else ""
        suite.append(_case(finding, finding.name + again, f"netnode.{name}", outcome))
    return suite


def _case(finding: Finding, name: str, classname: str, outcome: str) -> Element:
    case = Element("testcase", name=_plain(name), classname=classname, time="0")
    asked = f"{finding.place}: {finding.name}" if finding.place else finding.name
    words = _plain(f"{asked}: {finding.verdict}: {finding.found}")
    if outcome:
        told = SubElement(case, outcome, type=finding.verdict, message=_plain(finding.found))
        told.text = words
    else:
        SubElement(case, "system-out").text = words
    return case


def _plain(words: str) -> str:
    """*words* with what XML cannot hold, control characters above all, written out."""
    return "".join(sign if _holds(ord(sign)) else _escaped(sign) for sign in words)


def _holds(code: int) -> bool:
    """Whether XML 1.0 has the character, and none discourages it."""
    return (
        code in (0x9, 0xA)
        or 0x20 <= code < 0x7F
        or 0xA0 <= code < 0xD800
        or 0xE000 <= code < 0xFFFE
        or (code > 0xFFFF and code & 0xFFFE != 0xFFFE)
    )


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape", "surrogatepass").decode("ascii")
