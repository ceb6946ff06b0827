"""Cohorts of VMs against VMs followed one by one, each by its own renewals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lab import CONTROLLER, FREE, run_one

from simulator.analysis.cohorts import REMEMBERED
from simulator.analysis.measured import Measured
from simulator.trace import Kind, Sort

LEASE = 1000.0
T1, T2 = LEASE / 2, LEASE * 7 / 8
HORIZON = 9000.0


class OneVm:
    """A VM that asks its own server from T1 on, any from T2 on, and loses its address at LEASE."""

    def __init__(self, up, regain, rng):
        """*up* has of each server the times in which it serves, (start, end) in order."""
        self.up, self.regain, self.rng = up, regain, rng
        self.union = []
        for start, end in sorted(span for server in up for span in server):
            if self.union and start <= self.union[-1][1]:
                self.union[-1] = (self.union[-1][0], max(end, self.union[-1][1]))
            else:
                self.union.append((start, end))

    def serving(self, time):
        return [s for s, spans in enumerate(self.up) if any(a <= time < b for a, b in spans)]

    def one_of(self, time):
        serving = self.serving(time)
        return serving[0] if len(serving) == 1 else int(self.rng.choice(serving))

    def answer(self, server, time):
        """The first instant from *time* on at which *server* serves."""
        return min((max(a, time) for a, b in self.up[server] if b > time), default=np.inf)

    def again(self, time):
        """When a VM without an address at *time* has one again."""
        starts = (max(a, time) for a, b in self.union if b - max(a, time) >= self.regain)
        return min(starts, default=np.inf) + self.regain

    def without(self, own, last, end):
        """Times (start, end) without an address until *end*; *own* is None for none at *last*."""
        found = []
        while last < end:
            mine = self.answer(own, last + T1) if own is not None else np.inf
            others = min(self.answer(s, last + T2) for s in range(len(self.up)))
            if own is not None and min(mine, others) < last + LEASE:
                last = min(mine, others)
                if mine >= others:
                    own = self.one_of(last)
                continue
            loses = last if own is None else last + LEASE
            last = self.again(loses)
            found.append((min(loses, end), min(last, end)))
            if last < end:
                own = self.one_of(last)
        return found


def length(spans):
    return sum(end - start for start, end in spans)


def system(outages, *, regain=0, vms=1, horizon=HORIZON):
    """A network with one DHCP server for each list of *outages*, (begin, seconds) each."""
    hosts = {"network": {"kind": "network", "count": 1}} | {
        f"dhcp{i}": {"kind": "network", "count": 1, "agents": ["dhcp", "l2"]}
        for i in range(1, len(outages))
    }
    names = ["network-1", *(f"dhcp{i}-1" for i in range(1, len(outages)))]
    return run_one(
        release="folsom",
        horizon=f"{horizon}s",
        neutron={"dhcp_lease_duration": f"{LEASE}s"},
        costs={**FREE, "address_regain": f"{regain}s"},
        hosts={"controller": CONTROLLER, **hosts},
        workload={"tenants": 1, "per_tenant": {"vms": vms}},
        failures={
            f"{name}/data": {"outages": [{"at": f"{a}s", "for": f"{d}s"} for a, d in mine]}
            for name, mine in zip(names, outages, strict=True)
        },
    )


def served(measured):
    """When each server of the one network serves."""
    rows = measured.history.dhcp_servers.joined()
    return [
        list(zip(rows.start[rows.node == n].tolist(), rows.end[rows.node == n].tolist(),
                 strict=True))
        for n in np.unique(rows.node)
    ]  # fmt: skip


def random_outages(rng, servers):
    """Outages of up to a lease for each server, in 4500 s, less than phases are remembered."""
    found = []
    for _ in range(servers):
        time, mine = 2000 + int(rng.integers(800)), []
        while time < 2000 + (REMEMBERED - 1) * T1:
            mine.append((time, int(rng.integers(50, 1000 * servers))))
            time += mine[-1][1] + int(rng.integers(30, 800))
        found.append(mine)
    return found


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(12))
def test_cohorts_are_vms_one_by_one(seed):
    """One to three servers that fail at random and often; 30 times 100 VMs with even phases."""
    rng = np.random.default_rng(seed)
    servers = 1 + seed % 3
    regain = int(rng.integers(200))
    measured = system(random_outages(rng, servers), regain=regain)
    up = served(measured)
    assert len(up) == servers
    vm = OneVm(up, regain, rng)
    means = []
    for batch in range(30):
        ages = (np.arange(100) + (batch + 0.5) / 30) / 100 * T1
        found = [vm.without((i + batch) % servers, -a, HORIZON) for i, a in enumerate(ages)]
        means.append(np.mean([length(spans) for spans in found]))
    error = np.std(means, ddof=1) / np.sqrt(len(means))
    assert np.mean(means) > 0
    assert error < 0.05 * np.mean(means) + 0.5
    assert measured.leases.without_address() == pytest.approx(np.mean(means), abs=4 * error + 0.01)


def with_changes(measured, changes):
    """*measured*, and VMs that come to its network or go: (time, by)."""
    trace = measured.trace
    network = int(np.flatnonzero(trace.objects.sort == Sort.NETWORK)[0])
    times, by = np.array(changes, dtype=float).T
    more = {
        "time": times,
        "kind": np.full(by.size, Kind.VMS),
        "subject": np.full(by.size, -1),
        "object": np.full(by.size, network),
        "value": by,
    }
    whole = {name: np.append(getattr(trace, name), column) for name, column in more.items()}
    order = np.argsort(whole["time"], kind="stable")
    columns = {
        name: column[order].astype(getattr(trace, name).dtype) for name, column in whole.items()
    }
    return Measured(replace(trace, **columns), measured.context)


def clipped(spans, until):
    return sum(max(min(end, until) - start, 0.0) for start, end in spans)


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(4))
def test_vms_that_come_and_go_are_vms_one_by_one(seed):
    """VMs come and a random one goes, 60 times; the mean of 400 times is that of the cohorts."""
    rng = np.random.default_rng(100 + seed)
    servers, regain = 1 + seed % 2, 100
    plain = system(random_outages(rng, servers), regain=regain, vms=3)
    times = np.sort(rng.integers(1500, 8000, 60)).astype(float)
    changes, total = [], 3
    for time in times:
        by = 2 if total < 3 or rng.random() < 0.4 else -1
        total += by
        changes.append((time, by))
    measured = with_changes(plain, changes)
    vm = OneVm(served(measured), regain, rng)
    sums = []
    for _ in range(400):
        living = [vm.without(rng.integers(servers), -rng.random() * T1, HORIZON) for _ in range(3)]
        gone = 0.0
        for time, by in changes:
            for _ in range(max(by, 0)):
                own = vm.one_of(time) if vm.serving(time) else None
                living.append(vm.without(own, time, HORIZON))
            if by < 0:
                gone += clipped(living.pop(rng.integers(len(living))), time)
        sums.append(gone + sum(length(spans) for spans in living))
    error = np.std(sums) / np.sqrt(len(sums))
    assert measured.leases.without_address() == pytest.approx(np.mean(sums), abs=4 * error)
    assert error < 0.05 * np.mean(sums)


def test_a_change_of_nothing_changes_nothing():
    """The parts for VMs that come and go, on two servers, with one event that moves nobody."""
    rng = np.random.default_rng(7)
    measured = system(random_outages(rng, 2), regain=50, vms=10)
    plain = measured.leases.without_address()
    assert plain > 0
    idle = with_changes(measured, [(float(t), 0) for t in range(0, 9000, 70)])
    assert idle.leases.without_address() == pytest.approx(plain, rel=1e-12)


def test_forgotten_phases_make_no_difference_on_average():
    """A second outage of 0.8 leases after 11 to 12 renewals: 0.3^2 / 2 / 0.5 leases on average.

    The VMs here keep their phases for ever, 8/10 of them at one instant after the first outage;
    any one second outage meets them better or worse than even, all together even.
    """
    mean = []
    ages = (np.arange(200) + 0.5) / 200 * T1
    for offset in (np.arange(50) + 0.5) / 50 * T1:
        back = 1000 + 0.4 * LEASE
        second = back + (REMEMBERED + 1) * T1 + offset
        up = [[(0.0, 1000.0), (back, second), (second + 0.8 * LEASE, np.inf)]]
        vm = OneVm(up, 0.0, None)
        mean.append(np.mean([length(vm.without(0, 1000 - age, second + 2000)) for age in ages]))
    assert np.ptp(mean) > 0.1 * LEASE
    assert np.mean(mean) == pytest.approx(0.3**2 / 2 / 0.5 * LEASE, rel=0.01)


def test_long_after_an_outage_the_next_finds_renewals_evenly_spread():
    """As above, by cohorts: 200 s without loss, then 800 s of which each VM loses 90 on average."""
    later = 1000 + 200 + REMEMBERED * T1 + 1
    measured = system([[(1000, 200), (later, 800)]], horizon=later + 5000)
    assert measured.leases.without_address() == pytest.approx(0.3**2 / 2 / 0.5 * LEASE, rel=1e-12)
