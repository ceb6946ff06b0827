"""The benchmark table: python3 dev.py bench [--quick] [NAMES...]

Without names every row is measured and docs/benchmarks.md written anew. With names, of rows or of
the first words of rows (`elided`, `peers`), or with --quick, which takes fewer and shorter rounds,
the table is printed instead. `--list` prints the names.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]

from measuring import CORES, FULL, QUICK, Effort, on  # noqa: E402
from rivals import PACKAGES  # noqa: E402
from rows import ROWS, Found, Row  # noqa: E402

PAGE = HERE.parents[1] / "docs" / "benchmarks.md"
WORDS = {True: "yes", False: "**no**", None: "–"}


def main(arguments: list[str]) -> int:
    """Measure what *arguments* ask for; 1 if a row failed."""
    options = {one for one in arguments if one.startswith("-")}
    names = [one for one in arguments if not one.startswith("-")]
    if options & {"-h", "--help"}:
        print(__doc__.strip())
        return 0
    if "--list" in options:
        print(*(row.name for row in ROWS), sep="\n")
        return 0
    chosen = [row for row in ROWS if row.is_chosen(names)]
    unknown = [name for name in names if not any(row.is_chosen([name]) for row in ROWS)]
    if unknown or options - {"--quick"}:
        wrong = ", ".join([*unknown, *sorted(options - {"--quick"})])
        print(f"bench: no such row or option: {wrong} (see --list)", file=sys.stderr)
        return 2
    effort = QUICK if "--quick" in options else FULL
    with on({max(CORES)} if CORES else set()):
        found = [(row, measure(row, effort, place)) for row, place in _placed(chosen)]
    page = written(found, effort)
    if names or effort is QUICK:
        print(page)
    else:
        PAGE.write_text(page, encoding="utf-8")
        print(f"written: docs/{PAGE.name}", file=sys.stderr)
    return int(any(one.measured.startswith("failed:") for _, one in found))


def _placed(chosen: list[Row]) -> list[tuple[Row, str]]:
    return [(row, f"{i}/{len(chosen)}") for i, row in enumerate(chosen, 1)]


def measure(row: Row, effort: Effort, place: str = "") -> Found:
    """What *row* finds; a row that fails says why, and the next goes on."""
    print(f"[{place}] {row.name} …", file=sys.stderr, flush=True)
    begin = time.perf_counter()
    try:
        found = row.measure(effort)
    except Exception as error:
        found = Found(f"failed: {type(error).__name__}: {error}".splitlines()[0], None)
    took = time.perf_counter() - begin
    print(f"    {found.measured}  [{took:.0f} s]", file=sys.stderr, flush=True)
    return found


def written(found: list[tuple[Row, Found]], effort: Effort) -> str:
    """The page: the table, the machine, and how each row was measured."""
    lines = ["| row | work | to reach | measured | met |", "|---|---|---|---|---|"]
    for row, one in found:
        cells = (f"`{row.name}`", row.work, row.target, one.measured, WORDS[one.met])
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    how = [f"- `{row.name}`: {row.how}" for row, _ in found]
    return "\n".join([*HEAD, *lines, "", *machine(effort), "", "## How", "", *how, ""])


HEAD = """# Benchmarks

Made by `python3 dev.py bench`, and not to be edited. CPU time on one core, unless it says wall;
medians, with the least and the most of the rounds in brackets. Ratios are taken round by round,
those compared one after the other in each round.

""".splitlines()


def machine(effort: Effort) -> list[str]:
    """What measured, and when."""
    packages = ("numpy", "scipy", "simpy", "pandas", "pyarrow", "pydantic", "click")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    rounds = f"{effort.rounds} rounds" + (" (quick)" if effort.is_quick else "")
    return [
        f"{date.today()}, {processor()}, {os.cpu_count()} cores, load {load} at the end, {rounds}.",
        f"{platform.system()}, Python {platform.python_version()}, {versions};",
        f"peers: {', '.join(package.replace('==', ' ') for package in PACKAGES.values())}.",
    ]


def processor() -> str:
    """The model of the CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
