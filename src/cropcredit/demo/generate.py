"""Make the whole region into one folder: same seed and platform, same bytes, in well under a minute.

::

    fields.geojson                         the register, EPSG:4326, with its three doubtful entries
    scenes/S2_<tile>_<date>/               B04, B08 at 10 m, SCL at 20 m, scene.json
    parties|consents|tenures|plantings|applications|prices|costs|weather.csv
    world_prices.csv                       monthly, made to move like world prices
    yields.csv, index.csv, calendar.csv    past yields and past index per township, when crops are sown and harvested
    devices.csv, installations.csv, readings.csv
    lots.csv, inspections.csv, movements.csv   the wheat in the households' stores
    truth/plantings.csv                    what really happened; nothing in the line opens it
    MANIFEST.json                          SHA-256 of every file above
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import geopandas
import shapely

from cropcredit.demo import market, sensors, stocks, tables
from cropcredit.demo.ground import lay_ground
from cropcredit.demo.history import look_back
from cropcredit.demo.land import Plots, Village, doubtful, lay_out
from cropcredit.demo.parameters import Region
from cropcredit.demo.people import DOUBTFUL, People, settle
from cropcredit.demo.scenes import write_scene
from cropcredit.demo.season import Season, Truth, run_season, truths
from cropcredit.demo.sky import overpasses, take
from cropcredit.demo.weather import Weather, simulate

MANIFEST = "MANIFEST.json"
WRITERS = 2
KEPT_SHARE = 0.6
"""Share of a household's wheat that goes into its own store."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """The region in memory."""

    region: Region
    weather: Weather
    villages: list[Village]
    plots: Plots
    season: Season
    truth: list[Truth]
    people: People
    stations: list[sensors.Station]


def imagine(region: Region) -> World:
    """Make the region in memory: land, weather, growth, people, devices."""
    weather = simulate(region)
    villages, plots = lay_out(region)
    season = run_season(region, plots, weather, year=region.harvest_year, dice=region.dice("season"))
    people = settle(region, plots, season, weather)
    owners = {field: party for field, party in people.owners().items() if field not in DOUBTFUL}
    return World(
        region=region,
        weather=weather,
        villages=villages,
        plots=plots,
        season=season,
        truth=truths(season, weather),
        people=people,
        stations=sensors.place(region, plots, owners, {application.party_id for application in people.applications}),
    )


def generate(
    region: Region, folder: Path, *, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> Path:
    """Write the region into ``folder``; a finished one is left as it is.

    Parameters
    ----------
    region : Region
        Parameters.
    folder : Path
        Written whole under another name first, then renamed.
    progress : callable
        Told (scenes written, scenes in all).
    """
    if (folder / MANIFEST).is_file():
        return folder
    making = folder.with_name(folder.name + ".making")
    shutil.rmtree(making, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    making.mkdir(parents=True)
    world = imagine(region)
    _write_fields(world, making)
    _write_tables(world, making)
    _write_devices(world, making)
    _write_truth(world, making)
    _write_scenes(world, making, progress)
    _write_manifest(region, making)
    making.rename(folder)
    return folder


def _write_fields(world: World, folder: Path) -> None:
    region, plots, rows = world.region, world.plots, world.plots.registered
    doubts = doubtful(plots, region)
    units = [region.township[t].code for t in plots.township[rows]]
    crops = ["cotton" if cotton else "winter_wheat" for cotton in plots.cotton[rows]]
    frame = geopandas.GeoDataFrame(
        {
            "id": [*plots.field_id[rows].tolist(), *doubts],
            "collection": f"demo register ({region.label})",
            "admin_unit": [*units, *["xinglin"] * len(doubts)],
            "crop:code": [*crops, *["winter_wheat"] * len(doubts)],
            "determination:datetime": f"{region.harvest_year - 1}-09-15T04:00:00Z",
            "determination:method": "driven",
        },
        geometry=[*plots.boundary[rows], *doubts.values()],
        crs=region.tile.crs,
    ).to_crs("EPSG:4326")
    frame.geometry = shapely.set_precision(frame.geometry.array, 1e-7, mode="pointwise")
    frame.to_file(folder / "fields.geojson", driver="GeoJSON", COORDINATE_PRECISION=7, RFC7946="NO")


def _write_tables(world: World, folder: Path) -> None:
    region = world.region
    yields, index = look_back(region, world.weather)
    made = [
        *tables.people_tables(world.people),
        *tables.market_tables(market.farm_gate(region), market.cost_sheets(region)),
        tables.world_table(market.world(region)),
        tables.weather_table(region, world.weather),
        tables.yield_table(region, yields),
        tables.index_table(region, index),
        tables.calendar_table(region),
    ]
    for table in made:
        tables.write(folder, table)


def _write_devices(world: World, folder: Path) -> None:
    region, stations = world.region, world.stations
    filled = stocks.fill(region, _loaded(world))
    for table in (*sensors.device_tables(region, world.plots, stations), *stocks.tables(region, filled)):
        tables.write(folder, table)
    values = sensors.read(region, world.plots, world.season, world.weather, stations, filled)
    rows = [(v.device_id, v.observed_at, v.quantity, v.channel, v.value) for v in values]
    rows.sort(key=lambda row: (row[1], row[0]))
    columns = ("device", "time", "quantity", "channel", "value")
    tables.write(folder, tables.Table(name="readings", columns=columns, rows=rows))


def _loaded(world: World) -> dict[str, tuple[date, float]]:
    """Give when each store was loaded, and with how many kilograms of its owner's wheat."""
    truth = {truth.plot: truth for truth in world.truth if truth.crop == "winter_wheat"}
    dry = timedelta(days=stocks.LOADED_DAYS)
    return {
        station.store_id: (
            truth[station.plot].harvest_on + dry,
            1000 * KEPT_SHARE * truth[station.plot].yield_t_ha * float(world.plots.area_ha[station.plot]),
        )
        for station in world.stations
        if station.store_id
    }


def _write_truth(world: World, folder: Path) -> None:
    (folder / "truth").mkdir()
    plots = world.plots
    rows = [
        (
            f"pl-{str(plots.field_id[t.plot])[2:]}-{t.crop}", plots.field_id[t.plot], t.crop, round(t.yield_t_ha, 4),
            t.sown_on, t.start_on, t.peak_on, round(t.peak_ndvi, 4), t.harvest_on, round(t.stress, 4),
        )
        for t in world.truth
        if t.plot < len(plots.boundary) and plots.field_id[t.plot]
    ]  # fmt: skip
    columns = (
        "planting_id", "field_id", "crop", "yield_t_ha", "sown_on", "start_on", "peak_on", "peak_ndvi", "harvest_on",
        "stress",
    )  # fmt: skip
    tables.write(folder / "truth", tables.Table(name="plantings", columns=columns, rows=sorted(rows)))


def _write_scenes(world: World, folder: Path, progress: Callable[[int, int], None]) -> None:
    region, days = world.region, overpasses(world.region)
    ground = lay_ground(region, world.villages, world.plots)

    def one(day: date) -> None:
        write_scene(region, folder / "scenes", take(region, ground, world.season, day))

    with ThreadPoolExecutor(WRITERS) as pool:
        for done, _ in enumerate(pool.map(one, days), 1):
            progress(done, len(days))


def _write_manifest(region: Region, folder: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    hashes = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    about = {"seed": region.seed, "label": region.label, "today": region.today.isoformat(), "files": hashes}
    (folder / MANIFEST).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
