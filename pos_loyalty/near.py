"""The word that somebody probably meant: the one that a few slips of the hand turn into what was written."""

from __future__ import annotations

from collections.abc import Iterable

LETTERS_A_SLIP = 3
"""One slip for so many letters of a word, at least one."""
WORD_MAX = 32


def nearest(written: str, words: Iterable[str]) -> str | None:
    """The word with the fewest slips, the first of equals; None when nothing is near."""
    if len(written) > WORD_MAX:
        return None
    best: str | None = None
    fewest = 2 * WORD_MAX
    for word in words:
        count = slips(written.lower(), word)
        if count < fewest and count <= max(max(len(written), len(word)) > 2, len(word[::LETTERS_A_SLIP]) - 1):
            best, fewest = word, count
    return best


def slips(one: str, other: str) -> int:
    """Letters to put in, to leave out, to change, or to exchange with the next one, to turn one word into the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        now = [i]
        for j, wanted in enumerate(other, start=1):
            count = min(row[j] + 1, now[j - 1] + 1, row[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                count = min(count, before[j - 2] + 1)
            now.append(count)
        before, row = row, now
    return row[-1]
