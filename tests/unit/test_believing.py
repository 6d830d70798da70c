"""When a card that a camera sees is believed: laws over sequences of frames, with the time of each given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.believing import ABSENT_MS, MUTE_MS, NO_VOTES, VOTE_MS, step, still


def played(frames):
    """The (time, card) pairs that are believed. A frame is (time, what is seen): a text of letters, lower case when signed."""
    votes, told = NO_VOTES, []
    for at_ms, seen in frames:
        if seen == "still":
            votes = still(votes, at_ms)
            continue
        votes, card = step(votes, {each.upper(): each.islower() for each in seen}, at_ms)
        if card is not None:
            told.append((at_ms, card))
    return told


@pytest.mark.parametrize(
    ("frames", "believed"),
    [
        ([(0, "A")], []),
        ([(0, "A"), (66, "A")], [(66, "A")]),
        ([(0, "A"), (VOTE_MS, "A")], [(VOTE_MS, "A")]),
        ([(0, "A"), (VOTE_MS + 1, "A")], []),
        ([(0, "A"), (VOTE_MS + 1, "A"), (VOTE_MS + 2, "A")], [(VOTE_MS + 2, "A")]),
        ([(0, "A"), (66, ""), (132, "A")], [(132, "A")]),
        ([(0, "A"), (66, "B"), (132, "A")], []),
        ([(0, "A"), (66, "B"), (132, "B")], [(132, "B")]),
        ([(0, "a")], [(0, "A")]),
        ([(0, "A"), (66, "b")], [(66, "B")]),
        ([(0, "AB"), (66, "AB")], []),
        ([(0, "ab")], []),
        ([(0, "A"), (66, "AB"), (132, "A")], []),
        ([(0, "A"), (66, "A"), (132, "A"), (198, "A")], [(66, "A")]),
    ],
)
def test_short_stories(frames, believed):
    assert played(frames) == believed


def test_a_card_that_lies_there_is_told_once():
    assert played([(at, "A") for at in range(0, 60_000, 66)]) == [(66, "A")]


def test_it_is_told_again_after_it_was_away_long_enough_and_not_before():
    first = [(0, "A"), (66, "A")]
    seen_again_ms = 66 + MUTE_MS
    assert played([*first, (seen_again_ms - 1, "A"), (seen_again_ms + 60, "A")]) == [(66, "A")]
    later = [(seen_again_ms, "A"), (seen_again_ms + 66, "A")]
    assert played([*first, *later]) == [(66, "A"), (seen_again_ms + 66, "A")]


def test_absence_counts_from_when_it_was_seen_last():
    here = [(at, "A") for at in range(0, 10_000, 100)]
    last = 9_900
    assert len(played([*here, (last + ABSENT_MS - 1, "A"), (last + ABSENT_MS + 10, "A")])) == 1
    assert len(played([*here, (last + ABSENT_MS, "A"), (last + ABSENT_MS + 10, "A")])) == 2


def test_a_card_that_lies_still_is_not_absent_while_nothing_is_looked_at():
    asleep = [(at, "still") for at in range(250, 20_000, 250)]
    assert played([(0, "A"), (66, "A"), *asleep, (20_000, "A"), (20_066, "A")]) == [(66, "A")]


def test_another_card_is_told_while_the_first_is_mute():
    assert played([(0, "A"), (66, "A"), (500, "B"), (566, "B")]) == [(66, "A"), (566, "B")]


STORIES = st.lists(st.tuples(st.integers(0, 900), st.sampled_from(["", "A", "B", "AB", "a", "still"])), max_size=60)


@given(STORIES)
def test_what_is_believed_was_alone_in_two_frames_of_one_second_with_nothing_else_between(story):
    at_ms, frames = 0, []
    for pause, seen in story:
        at_ms += pause + 1
        frames.append((at_ms, seen))
    told = played(frames)
    for at, card in told:
        until = [(when, seen) for when, seen in frames if when <= at and seen not in ("", "still")]
        assert until[-1][1].upper() == card
        if until[-1][1].isupper():
            assert until[-2][1].upper() == card and at - until[-2][0] <= VOTE_MS
    by_card = {}
    for at, card in told:
        assert at - by_card.get(card, -MUTE_MS) >= MUTE_MS
        by_card[card] = at
