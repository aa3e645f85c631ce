"""The calendars that come with the package, and what a broken calendar is told."""

from __future__ import annotations

import numpy as np
import pytest

from cropcredit.adapters.catalogues import TomlCatalogues, load_seasons
from cropcredit.agronomy.crop_calendar import SeasonWindow, calendar_gap
from cropcredit.config import data_dir
from cropcredit.errors import MalformedInput, UnknownName

CATALOGUES = TomlCatalogues(data_dir() / "catalogues")
PLACES = {
    "north China plain": (116.5, 37.0),
    "Punjab": (75.8, 30.9),
    "Castile": (-4.7, 41.6),
    "Beauce": (1.6, 48.1),
    "Flevoland": (5.6, 52.5),
    "Trans Nzoia": (35.0, 1.0),
    "Mato Grosso": (-55.6, -11.8),
    "Segou": (-6.3, 13.4),
    "Faisalabad": (73.1, 31.4),
    "Iowa": (-93.6, 42.0),
}
GROWN = [
    ("north China plain", "winter_wheat", "2024-10-11", "2025-06-11"),
    ("north China plain", "maize", "2025-06-16", "2025-09-30"),
    ("north China plain", "cotton", "2025-04-26", "2025-10-20"),
    ("Punjab", "rice", "2025-06-20", "2025-10-10"),
    ("Punjab", "winter_wheat", "2024-11-10", "2025-04-15"),
    ("Castile", "barley", "2024-11-05", "2025-06-25"),
    ("Beauce", "rapeseed", "2024-08-28", "2025-07-10"),
    ("Flevoland", "potato", "2025-04-10", "2025-09-20"),
    ("Trans Nzoia", "maize", "2025-03-25", "2025-11-10"),
    ("Trans Nzoia", "maize", "2025-10-15", "2026-02-20"),
    ("Mato Grosso", "soybean", "2025-10-05", "2026-02-05"),
    ("Mato Grosso", "maize", "2026-02-10", "2026-06-30"),
    ("Segou", "millet", "2025-06-20", "2025-10-15"),
    ("Faisalabad", "cotton", "2025-05-01", "2025-11-01"),
    ("Iowa", "soybean", "2025-05-10", "2025-10-05"),
]
NOT_GROWN = [
    ("north China plain", "winter_wheat", "2025-06-16", "2025-09-30"),
    ("north China plain", "maize", "2024-10-11", "2025-06-11"),
    ("Punjab", "winter_wheat", "2025-06-20", "2025-10-10"),
    ("Beauce", "maize", "2024-10-20", "2025-07-15"),
    ("Segou", "cotton", "2025-01-10", "2025-05-10"),
    ("Iowa", "soybean", "2024-10-01", "2025-04-01"),
]


def gap(place: str, crop: str, sown: str, cut: str) -> float:
    windows = [SeasonWindow.of_season(season) for season in CATALOGUES.seasons(crop) if season.holds(*PLACES[place])]
    return float(calendar_gap(np.array([sown], "M8[D]"), np.array([cut], "M8[D]"), windows)[0])


@pytest.mark.parametrize(("place", "crop", "sown", "cut"), GROWN)
def test_what_is_grown_is_in_the_calendar(place, crop, sown, cut):
    assert gap(place, crop, sown, cut) == 0


@pytest.mark.parametrize(("place", "crop", "sown", "cut"), NOT_GROWN)
def test_what_is_not_grown_is_outside_of_it(place, crop, sown, cut):
    assert gap(place, crop, sown, cut) >= 30


def test_every_open_crop_has_a_season_somewhere_and_every_season_a_source():
    for crop in CATALOGUES.crops():
        seasons = CATALOGUES.seasons(crop.code)
        assert bool(seasons) == (crop.system == "open"), crop.code
        assert all(len(season.source) > 20 and season.boxes for season in seasons)


def test_peak_windows_are_shares_of_the_season():
    for crop in CATALOGUES.crops():
        first, last = crop.peak_share
        assert 0 <= first < last <= 1
        assert 0 <= crop.film_share < 1


ROW = '{ region = "XX", crop = "maize", name = "main", sowing = [4, 5], harvest = [8, 9], source = "s" }'


def calendar(folder, row: str):
    file = folder / "calendars.toml"
    file.write_text(
        f'region = [{{ code = "XX", name = "x", boxes = [[0.0, 0.0, 1.0, 1.0]] }}]\n'
        f'season = [{row}]\n[sources]\ns = "Book"',
        encoding="utf-8",
    )
    return file


def test_a_calendar_is_read_with_its_places_and_its_source(tmp_path):
    (season,) = load_seasons(calendar(tmp_path, ROW), ("maize",))

    assert (season.source, season.sure, season.sowing) == ("Book", True, (4, 5))
    assert season.holds(0.5, 0.5)
    assert not season.holds(1.5, 0.5)


@pytest.mark.parametrize(
    ("old", "new", "error", "says"),
    [
        pytest.param('"XX"', '"YY"', MalformedInput, "season 1: names 'YY', which the file lacks", id="region"),
        pytest.param('"s"', '"t"', MalformedInput, "names 't', which the file lacks", id="source"),
        pytest.param('"maize"', '"maze"', UnknownName, "unknown crop 'maze'", id="crop"),
        pytest.param("[4, 5]", "[4, 13]", MalformedInput, "month outside of 1-12", id="month"),
        pytest.param("[4, 5]", "[4]", MalformedInput, "is not a season", id="one month"),
        pytest.param(', source = "s"', "", MalformedInput, "names 'source', which the file lacks", id="no source"),
    ],
)
def test_a_broken_row_is_named(tmp_path, old, new, error, says):
    with pytest.raises(error, match=says):
        load_seasons(calendar(tmp_path, ROW.replace(old, new)), ("maize",))
