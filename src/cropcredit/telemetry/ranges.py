"""Sets of whole numbers as ascending, disjoint, inclusive ranges: what a device may forget, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Range = tuple[int, int]


def runs(numbers: Iterable[int]) -> list[Range]:
    """Write numbers, in any order and repeated or not, as ranges.

    Examples
    --------
    >>> runs([5, 1, 2, 9, 2])
    [(1, 2), (5, 5), (9, 9)]
    """
    ascending = sorted(set(numbers))
    if ascending and ascending[-1] - ascending[0] == len(ascending) - 1:
        return [(ascending[0], ascending[-1])]
    return merged((number, number) for number in ascending)


def merged(ranges: Iterable[Range]) -> list[Range]:
    """Join overlapping and touching ranges.

    Examples
    --------
    >>> merged([(5, 5), (1, 3), (4, 4), (9, 12)])
    [(1, 5), (9, 12)]
    """
    joined: list[Range] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def holds(ranges: Sequence[Range], number: int) -> bool:
    """Say whether one of the ranges holds the number.

    Examples
    --------
    >>> holds([(1, 3), (7, 9)], 7), holds([(1, 3), (7, 9)], 5)
    (True, False)
    """
    return any(first <= number <= last for first, last in ranges)


def between(ranges: Sequence[Range], *, start: int, end: int) -> list[Range]:
    """Give what the ranges (ascending, disjoint) leave open from ``start`` to ``end``, both included.

    Examples
    --------
    >>> between([(2, 3), (7, 9)], start=1, end=11)
    [(1, 1), (4, 6), (10, 11)]
    """
    gaps: list[Range] = []
    reached = start
    for first, last in ranges:
        if first > reached:
            gaps.append((reached, min(first - 1, end)))
        reached = max(reached, last + 1)
    if reached <= end:
        gaps.append((reached, end))
    return [(first, last) for first, last in gaps if first <= last]


def contiguous(ranges: Sequence[Range], *, start: int = 1) -> int:
    """Give the last number up to which every number from ``start`` is held; ``start - 1`` if not even the first is.

    Examples
    --------
    >>> contiguous([(1, 3), (7, 9)]), contiguous([(2, 3)])
    (3, 0)
    """
    for first, last in ranges:
        if first <= start <= last:
            return last
    return start - 1
