"""What a report is about: the estimates of a result or of a comparison, in the order of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from simulator import units
from simulator.analysis.comparison import Comparison
from simulator.analysis.results import ResultSet
from simulator.analysis.statistics import SOUND, Estimate

Source = ResultSet | Comparison
MEANS = "Mean [95 % interval]"


@dataclass(frozen=True)
class Section:
    """Estimates by metric, in the order of *columns*; *signed* if they are differences."""

    title: str
    columns: tuple[str, ...]
    rows: Mapping[str, list[Estimate]]
    signed: bool = False


@dataclass(frozen=True)
class Entry:
    """One estimate, of a variant or (with *minus*) of its difference to another."""

    variant: str
    minus: str
    metric: str
    estimate: Estimate


def title_of(source: Source) -> str:
    """What *source* is, in a line, or in two for a comparison."""
    if isinstance(source, Comparison):
        return "\n".join(
            f"{letter} = {name} ({title_of(result)})"
            for letter, name, result in zip("AB", source.names, (source.a, source.b), strict=True)
        )
    scenario = source.scenario
    window = units.format_duration(scenario.window)
    title = f"{scenario.name}: {_replications(source)} of {window}, seed {scenario.seed}"
    return f"{title}; {source.stopped}" if source.stopped else title


def notes_of(source: Source) -> list[str]:
    """What a reader of *source* must know besides its numbers."""
    if not isinstance(source, Comparison):
        return _looked(source) + _gained(source)
    notes = list(source.unmatched())
    if not source.paired:
        why = "; ".join(source.unpaired_because)
        notes.append(f"not paired, so intervals are wider than they could be: {why}")
    return notes


def sections_of(source: Source) -> list[Section]:
    """The variants, and then what they differ by."""
    if isinstance(source, Comparison):
        return _comparison_sections(source)
    names, baseline = source.variants, source.scenario.baseline
    metrics = list(source.samples[names[0]].values)
    values = {m: [source.estimate(m, name) for name in names] for m in metrics}
    sections = [Section(MEANS, tuple(names), values)]
    others = tuple(name for name in names if name != baseline)
    if others:
        differences = {m: [source.difference(m, name) for name in others] for m in metrics}
        title = f"Difference to {baseline}, paired [95 % interval]"
        sections.append(Section(title, others, differences, signed=True))
    return sections


def entries_of(source: Source) -> Iterator[Entry]:
    """Everything that *source* holds."""
    if isinstance(source, Comparison):
        for pair in source.pairs:
            a, b = f"A: {pair.a}", f"B: {pair.b}"
            for metric in source.metrics:
                yield Entry(a, "", metric, source.a.estimate(metric, pair.a))
                yield Entry(b, "", metric, source.b.estimate(metric, pair.b))
                yield Entry(b, a, metric, source.difference(metric, pair))
        return
    for name, sample in source.samples.items():
        for metric in sample.values:
            yield Entry(name, "", metric, source.estimate(metric, name))
    baseline = source.scenario.baseline
    for name, sample in source.samples.items():
        for metric in sample.values if name != baseline else ():
            yield Entry(name, baseline, metric, source.difference(metric, name))


def _comparison_sections(found: Comparison) -> list[Section]:
    values, differences = {}, {}
    for metric in found.metrics:
        values[metric] = [
            estimate
            for pair in found.pairs
            for estimate in (found.a.estimate(metric, pair.a), found.b.estimate(metric, pair.b))
        ]
        differences[metric] = [found.difference(metric, pair) for pair in found.pairs]
    heads = tuple(head for pair in found.pairs for head in (f"A: {pair.a}", f"B: {pair.b}"))
    title = f"B - A, {'paired' if found.paired else 'not paired'} [95 % interval]"
    names = tuple(pair.name for pair in found.pairs)
    return [Section(MEANS, heads, values), Section(title, names, differences, signed=True)]


def _looked(result: ResultSet) -> list[str]:
    """What looking often costs."""
    looks = len(result.scenario.looks)
    if looks == 1:
        return []
    each = f"{100 * result.confidence:.4g} %"
    return [f"intervals hold 95 % in spite of up to {looks} looks, for each is one of {each}"]


def _gained(result: ResultSet) -> list[str]:
    """What common random numbers gain, where there are enough replications to see it."""
    others = [name for name in result.variants if name != result.scenario.baseline]
    metrics = list(result.samples[result.variants[0]].values)
    found = [result.pairing_factor(metric, name) for metric in metrics for name in others]
    factors = sorted(factor for factor in found if factor is not None)
    if not factors or len(result.replications) < SOUND:
        return []
    low, middle, high = factors[0], factors[len(factors) // 2], factors[-1]
    return [
        f"common random numbers: variances of differences are {_times(low)} to {_times(high)} "
        f"times smaller than between independent runs, {_times(middle)} in the median"
    ]


def _times(factor: float) -> str:
    return f"{factor:.2g}" if factor < 1000 else "over 1,000"


def _replications(result: ResultSet) -> str:
    done, planned = len(result.replications), result.scenario.looks[-1]
    if result.partial:
        return f"PARTIAL, {done} of {planned} replications"
    return f"{done} replication{'s' if done != 1 else ''}"
