"""VRRP by hand: replicas of one router, what happens to them, who carries its addresses.

Advertisements every 2 s; patience 3 * 2 + 206/256 = 6.8046875 s; skew 0.8046875 s. The first
master advertises at even seconds less the phase of 0.5 s: at 1.5, 3.5, 5.5, and so on.
"""

from __future__ import annotations

import math

import pytest

from simulator.world.exits import WayOut
from simulator.world.vrrp import SKEW, Change, Election, Timing, What

PATIENCE = 6.8046875
LOW, HIGH, TOP = 1, 2, 3


def say(
    *changes, ranks=(TOP, LOW), promote=0.0, arp=60.0, repeats=False, horizon=10_000.0, ways=()
):
    """(time, replica, +1 carries, -1 no longer), of replicas that all joined at 0 unless said."""
    there = {replica for time, replica, _ in changes if time == 0}
    joined = [Change(0.0, i, What.JOINED) for i in range(len(ranks)) if i not in there]
    rest = [Change(float(time), replica, what) for time, replica, what in changes]
    election = Election(ranks, Timing(2.0, promote, arp, repeats), 0.5, ways)
    said = election.run([*joined, *rest], horizon)
    return [(s.time, s.replica, 1 if s.carries else -1) for s in said if s.carries is not None]


def test_the_numbers():
    assert SKEW == 206 / 256
    assert Timing(2.0, 0.0, 60.0, False).patience == PATIENCE


def test_at_zero_the_highest_address_is_master():
    assert say(ranks=(LOW, TOP, HIGH)) == [(0.0, 1, 1)]


def test_at_zero_one_that_is_not_heard_is_passed_over():
    """It will be master for itself after 6.8 s."""
    assert say((0, 0, What.BORN)) == [(0.0, 1, 1), (PATIENCE, 0, 1)]


def test_nobody_is_master_where_nobody_is():
    assert say((0, 0, What.BORN), (0, 0, What.GONE), ranks=(TOP,)) == []


@pytest.mark.parametrize(("crash", "last"), [(100, 99.5), (101.5, 99.5), (101.75, 101.5)])
def test_a_crash_promotes_6_8_s_after_the_last_advertisement(crash, last):
    """One due at the very instant of the crash is not sent."""
    assert say((crash, 0, What.GONE))[1:] == [(last + PATIENCE, 1, 1)]


def test_addresses_and_routes_take_promote_more():
    assert say((100, 0, What.GONE), promote=2.0)[1:] == [(99.5 + PATIENCE + 2, 1, 1)]


def test_of_several_backups_the_highest_address_wins():
    assert say((100, 0, What.GONE), ranks=(TOP, LOW, HIGH))[1:] == [(99.5 + PATIENCE, 2, 1)]


def test_the_new_master_advertises_from_its_promotion_on():
    """Promoted at 106.3046875, it advertises every 2 s: the last before 111 is at 110.3."""
    second = 99.5 + PATIENCE
    said = say((100, 0, What.GONE), (111, 2, What.GONE), ranks=(TOP, LOW, HIGH))
    assert said[1:] == [(second, 2, 1), (second + 4 + PATIENCE, 1, 1)]


def test_who_resigns_is_followed_after_the_skew():
    assert say((100, 0, What.RESIGNED))[1:] == [(100 + SKEW, 1, 1)]


def test_nobody_follows_where_no_backup_is_connected():
    """It is isolated at 98, and master for itself 6.8 s after 97.5: nobody told it anything."""
    said = say((98, 1, What.CUT), (100, 0, What.RESIGNED))
    assert said[1:] == [(97.5 + PATIENCE, 1, 1)]


def test_a_backup_that_resigns_changes_nothing():
    assert say((100, 1, What.RESIGNED)) == [(0.0, 0, 1)]


def test_a_returning_master_stays_backup():
    assert len(say((100, 0, What.GONE), (200, 0, What.JOINED))) == 2


def test_a_new_router_has_its_first_master_after_6_8_s():
    said = say((0, 0, What.GONE), (0, 1, What.GONE), (50, 0, What.JOINED), (51, 1, What.JOINED))
    assert said == [(50 + PATIENCE, 0, 1)]


def test_a_cut_that_is_shorter_than_the_patience_promotes_nobody():
    """Cut at 100, the last heard is 99.5; linked at 104.5, the next comes at 105.5 < 106.3."""
    assert len(say((100, 1, What.CUT), (104.5, 1, What.LINKED))) == 1


def test_a_link_that_is_back_too_late_for_the_next_advertisement():
    """Linked at 105.6, the next comes at 107.5, but patience ends at 106.3; it then gives up."""
    said = say((100, 1, What.CUT), (105.6, 1, What.LINKED))
    end = 99.5 + PATIENCE
    assert said[1:3] == [(end, 1, 1), (107.5, 1, -1)]


def test_an_isolated_master_goes_on_and_the_lower_gives_up_on_return():
    """Cut at 100; backup 1 is master from 106.3. Linked at 200: the higher advertises at 201.5."""
    said = say((100, 0, What.CUT), (200, 0, What.LINKED), repeats=True)
    assert said[1:3] == [(99.5 + PATIENCE, 1, 1), (201.5, 1, -1)]


def returning(at, heard, **more):
    """0 is the first master; 1, the higher, joins at 50 and is master from 106.3 on. 0 comes back
    unheard *at*, is master for itself 6.8 s later, and *heard* from then on.
    """
    return say(
        (0, 1, What.BORN), (0, 1, What.GONE), (50, 1, What.JOINED), (100, 0, What.GONE),
        (at, 0, What.BORN), (heard, 0, What.LINKED), ranks=(LOW, TOP), **more,
    )[2:]  # fmt: skip


def test_the_higher_stays_whoever_was_first():
    """The backup has the higher address here: on return the first master gives up."""
    said = say(
        (0, 1, What.BORN), (0, 1, What.GONE), (50, 1, What.JOINED), (100, 0, What.CUT),
        (200, 0, What.LINKED), ranks=(LOW, TOP),
    )  # fmt: skip
    new = 99.5 + PATIENCE  # and every 2 s: 106.3, ..., 200.3
    assert said == [(0.0, 0, 1), (new, 1, 1), (new + 94, 0, -1)]


def test_outside_still_sends_to_the_loser_until_arp_times_out():
    """Replica 0 announced itself long ago, 1 at 106.3, which gives up at 201.5: 60 s of nothing."""
    said = say((100, 0, What.CUT), (200, 0, What.LINKED))
    assert said[2:] == [(201.5, 1, -1), (201.5, 0, -1), (261.5, 0, 1)]


TWO = 99.5 + PATIENCE
"""When replica 1 of `returning` is master: 106.3; it advertises every 2 s from then on."""


def test_a_repeat_after_60_s_ends_that_sooner():
    """Master at 126.8, heard at 140, 0 gives up at 140.3; 1 repeats its announcement at 166.3."""
    assert returning(at=120, heard=140) == [
        (120 + PATIENCE, 0, 1), (TWO + 34, 0, -1), (TWO + 34, 1, -1), (TWO + 60, 1, 1),
    ]  # fmt: skip


def test_juno_repeats_every_10_s():
    """1 announces itself at 136.3, 0 at 136.8 (it, too, repeats): 1 is found again at 146.3."""
    assert returning(at=120, heard=140, repeats=True) == [
        (120 + PATIENCE, 0, 1), (TWO + 34, 0, -1), (TWO + 34, 1, -1), (TWO + 40, 1, 1),
    ]  # fmt: skip


def test_in_juno_the_winner_may_have_repeated_last():
    """0 announces itself at 135.8, 1 at 136.3."""
    said = returning(at=129, heard=140, repeats=True)
    assert said == [(129 + PATIENCE, 0, 1), (TWO + 34, 0, -1)]


def test_a_loser_that_never_announced_itself_misleads_nobody():
    """Promoted at 126.8, it would carry the addresses at 128.8; it gives up at 128.3."""
    assert returning(at=120, heard=127, promote=2.0) == []


def test_a_winner_that_goes_meanwhile_is_found_no_more():
    said = say((100, 0, What.CUT), (200, 0, What.LINKED), (210, 0, What.RESIGNED))
    assert said[4:] == [(210 + SKEW, 1, 1)]


def test_everybody_is_master_when_nobody_hears():
    cut = [(100, i, What.CUT) for i in range(3)]
    mend = [(200, i, What.LINKED) for i in range(3)]
    said = say(*cut, *mend, ranks=(TOP, HIGH, LOW), arp=0.0)
    two = 99.5 + PATIENCE
    assert said[1:] == [(two, 1, 1), (two, 2, 1), (two + 94, 2, -1), (201.5, 1, -1)]


def test_one_that_resigns_beside_another_master_promotes_nobody():
    """0 and 1 are masters from 106.3 to 201.5; 1 resigns at 200.5: the other answers at once."""
    said = say(
        (100, 0, What.CUT), (200, 0, What.LINKED), (200.25, 1, What.RESIGNED),
        ranks=(TOP, HIGH, LOW),
    )  # fmt: skip
    assert said[1:] == [(99.5 + PATIENCE, 1, 1)]


def out(phase, *bad):
    """The way out of a replica whose checks are at *phase*, 5 s later, and so on."""
    return WayOut([(float(begin), float(end)) for begin, end in bad], 5.0, phase)


def test_a_master_without_a_way_out_resigns_and_is_a_backup_again_two_checks_later():
    """Checks at 101 and 106 fail, those at 111 and 116 succeed untried; last heard at 298.8."""
    said = say((300, 1, What.GONE), ways=(out(1.0, (100, 9_999)), None), horizon=306)
    assert said[1:] == [
        (106.0, 0, -1), (106 + SKEW, 1, 1), (106 + SKEW + 192 + PATIENCE, 0, 1),
    ]  # fmt: skip


def test_a_backup_without_a_way_out_finds_out_as_master():
    """Master at 106.3; its checks at 108 and 113 fail. It is alone, and tries again: a backup at
    123, master at 129.8, FAULT at 138, and so on every 25 s."""
    said = say((100, 0, What.GONE), ways=(None, out(3.0, (50, 9_999))), horizon=150)
    assert said[1:] == [
        (99.5 + PATIENCE, 1, 1), (113.0, 1, -1), (123 + PATIENCE, 1, 1), (138.0, 1, -1),
    ]  # fmt: skip


def test_addresses_that_are_not_up_yet_are_not_checked():
    """Master at 106.3, with the address from 108.3 on: the checks at 113 and 118 fail."""
    said = say((100, 0, What.GONE), ways=(None, out(3.0, (50, 9_999))), promote=2.0, horizon=120)
    assert said[1:] == [(99.5 + PATIENCE + 2, 1, 1), (118.0, 1, -1)]


def test_without_any_way_out_replicas_go_round():
    """0 is FAULT at 106, a backup from 116 on; 1 is master at 106.8, has the address from 108.8
    on, and is FAULT at 118, as 0 hears. Its checks at 121 and 126 fail. 1 is a backup from 128 on,
    too late to hear that, and waits with patience."""
    ways = out(1.0, (100, 9_999)), out(3.0, (100, 9_999))
    assert say(ways=ways, promote=2.0, horizon=137)[1:] == [
        (106.0, 0, -1), (108 + SKEW, 1, 1), (118.0, 1, -1), (120 + SKEW, 0, 1), (126.0, 0, -1),
        (130 + PATIENCE, 1, 1),
    ]  # fmt: skip


def test_at_zero_one_that_has_a_way_out_is_master():
    assert say(ways=(out(1.0, (0, 500)), None)) == [(0.0, 1, 1)]


def test_a_replica_made_anew_is_not_fault():
    """0 is FAULT at 106, goes at 107, and comes back at 108: a backup that hears 1 at 108.8."""
    said = say(
        (107, 0, What.GONE), (108, 0, What.JOINED), (109, 1, What.RESIGNED),
        ways=(out(1.0, (100, 107)), None),
    )  # fmt: skip
    assert said[1:] == [(106.0, 0, -1), (106 + SKEW, 1, 1), (109 + SKEW, 0, 1)]


def test_states_are_told_only_if_they_were_taken_up():
    """A detour for ARP's sake is no change of state: the server is told nothing of it."""
    changes = [
        Change(0.0, 0, What.JOINED), Change(0.0, 1, What.JOINED), Change(100.0, 0, What.CUT),
        Change(200.0, 0, What.LINKED),
    ]  # fmt: skip
    said = Election((TOP, LOW), Timing(2.0, 0.0, 60.0, False), 0.5).run(changes, 1000.0)
    assert [(s.time, s.replica, s.active) for s in said if s.active is not None] == [
        (0.0, 0, True), (99.5 + PATIENCE, 1, True), (201.5, 1, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "since", "found"),
    [
        ([(100, 104)], 0, None),  # one failed check, at 101
        ([(100, 107)], 0, 106),
        ([(100, 102), (104, 107)], 0, 106),
        ([(100, 102), (109, 112)], 0, None),  # a good check at 106 in between
        ([(100, 102), (109, 112), (114, 117)], 0, 116),
        ([(102, 104)], 0, None),  # between two checks
        ([(0, 6)], 0, None),  # the check at 6 is good
        ([(0, 8)], 0, 6),
        ([(100, 120)], 101, 106),
        ([(100, 120)], 102, 111),  # the one at 101 was not its own
        ([(100, 107), (120, 127)], 107, 126),
    ],
)  # fmt: skip
def test_two_failed_checks_in_a_row(bad, since, found):
    """Checks at 1, 6, 11, ..., 101, 106, and so on, that fail from *since* on."""
    assert out(1.0, *bad).fault(float(since)) == (math.inf if found is None else found)


@pytest.mark.parametrize(("time", "gone"), [(99, False), (100, True), (103, True), (104, False)])
def test_a_way_out_is_gone_from_its_loss_to_its_return(time, gone):
    assert out(1.0, (50, 60), (100, 104)).is_gone(time) == gone
