"""Several files of one look: which of them count (research D8, D9)."""

from datetime import UTC, datetime, timedelta

import numpy as np

from cropcredit.imagery import acquisitions
from cropcredit.model import Band, Grid, Scene

GRID = Grid("EPSG:32650", (10, 0, 500_000, 0, -10, 4_000_000), (40, 40))
ASIDE = Grid("EPSG:32650", (10, 0, 500_000, 0, -10, 4_001_000), (40, 40))
TAKEN = datetime(2025, 6, 1, 3, tzinfo=UTC)


def scene(
    name, *, baseline="05.10", tile="50SMJ", take="S2A_20250601T030000", seconds=0, out_h=12, grid=GRID, pixels=""
):
    at = TAKEN + timedelta(seconds=seconds)
    out = at + timedelta(hours=out_h)
    return Scene(id=name, known_at=out, product="s2-l2a", tile=tile, acquired_at=at, available_at=out, grid=grid,
                 bands=(Band("red", name),), processing_baseline=baseline, datatake=take,
                 content_hash=pixels or name)  # fmt: skip


def names(scenes):
    """Name the parts of each acquisition, and what was superseded."""
    found, superseded = acquisitions(scenes)
    return [[part.id for part in one.parts] for one in found], [old.id for old in superseded]


def test_the_highest_baseline_counts_however_it_is_written_and_whenever_it_came():
    versions = [
        scene("new", baseline="N0511"),
        scene("late", baseline="05.00", out_h=900),
        scene("old", baseline="04.00"),
    ]
    assert names(versions) == ([["new"]], ["late", "old"])


def test_two_datastrips_of_one_datatake_are_parts_of_one_look():
    halves = [scene("north"), scene("south", seconds=14, out_h=13)]
    assert names(halves) == ([["south", "north"]], [])


def test_a_copy_that_two_archives_hold_counts_once():
    assert names([scene("here", pixels="same"), scene("there", pixels="same", out_h=11)]) == ([["here"]], ["there"])


def test_a_part_on_another_grid_does_not_count():
    assert names([scene("north"), scene("aside", grid=ASIDE, out_h=11)]) == ([["north"]], ["aside"])


def test_two_satellites_on_one_day_are_two_looks_and_two_tiles_are_two_looks():
    apart = [scene("a"), scene("b", take="S2B_20250601T031000", seconds=600), scene("c", tile="50SMK")]
    assert names(apart) == ([["a"], ["b"], ["c"]], [])


def test_without_a_datatake_the_instant_tells_the_look():
    assert names([scene("a", take=""), scene("b", take="", seconds=1)]) == ([["a"], ["b"]], [])


def test_the_order_in_which_scenes_come_changes_nothing():
    scenes = [scene("north"), scene("south", seconds=14), scene("old", baseline="04.00"), scene("c", tile="50SMK")]
    shuffled = [scenes[k] for k in np.random.default_rng(0).permutation(len(scenes))]
    assert names(shuffled) == names(scenes)
