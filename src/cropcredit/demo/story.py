"""The whole line on the made region, chapter by chapter; a story that was interrupted goes on where it stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from cropcredit.adapters.broker import Kind
from cropcredit.config import FILE, Settings
from cropcredit.demo import chapters, loans_chapter, telemetry_chapter
from cropcredit.demo.parameters import Region, load_region
from cropcredit.demo.stage import Facts, Record, Stage
from cropcredit.errors import RefusedInput
from cropcredit.ports import Progress

RECORD = "demo.json"


@dataclass(frozen=True, slots=True)
class Chapter:
    """One step of the story."""

    key: str
    title: str
    play: Callable[[Stage], Facts]


CHAPTERS = (
    Chapter("region", "A region is made: land, weather, crops, satellite scenes, sensors, people", chapters.region),
    Chapter("workspace", "A lender's workspace, with its policy and people", chapters.workspace),
    Chapter("register", "Field boundaries come in; what is doubtful is repaired or named", chapters.register),
    Chapter("books", "Parties, consents, tenures, plantings, applications, prices, costs, weather", chapters.books),
    Chapter("devices", "Farm devices send a season of readings through a real broker", telemetry_chapter.devices),
    Chapter("scenes", "Satellite scenes become an index per field and date", chapters.scenes),
    Chapter("yields", "Yields are learned from years past, judged on years left out, estimated", chapters.yields),
    Chapter("loans", "Every application is sized", loans_chapter.loans),
    Chapter("decisions", "An officer recommends, a second person approves, a loan is booked", loans_chapter.decisions),
    Chapter("replay", "The booked offer is computed again, byte for byte", loans_chapter.replay),
    Chapter("truth", "The estimates are held against the known truth", loans_chapter.truth),
)


def tell(
    home: Path, *, console: Console, progress: Progress, region: Region | None = None, broker: Kind | None = None
) -> tuple[Stage, Record]:
    """Play every chapter that is not finished yet.

    Parameters
    ----------
    home : Path
        The demo's own folder; a workspace of somebody else's is refused.
    console : Console
        Where the story is told.
    progress : Progress
        Bars for long work.
    region : Region, optional
        Another region than the one that came with the package.
    broker : {"mosquitto", "iotcore"}, optional
        Which broker to use; the first of these that is installed, if not said.

    Raises
    ------
    RefusedInput
        If ``home`` holds something other than a demo.
    """
    _refuse_others(home)
    home.mkdir(parents=True, exist_ok=True)
    record = Record(home / RECORD)
    stage = Stage(
        home=home.absolute(),
        region=region or load_region(),
        console=console,
        progress=progress,
        broker=broker,
        facts=record.facts(),
    )
    for number, chapter in enumerate(CHAPTERS, 1):
        if record.done(chapter.key):
            continue
        console.print(f"[bold green]{number:2d}/{len(CHAPTERS)}[/]  {chapter.title} …", highlight=False)
        began = time.monotonic()
        facts = chapter.play(stage)
        stage.facts[chapter.key] = facts
        seconds = time.monotonic() - began
        record.close(chapter.key, facts, seconds)
        stage.say(f"{seconds:.1f} s")
    return stage, record


def _refuse_others(home: Path) -> None:
    """Keep away from folders that are not ours: a real workspace, or anything else with something in it."""
    ours = (home / RECORD).is_file() or (home / "region.making").is_dir()
    if (home / FILE).is_file() and not Settings.load(home).synthetic:
        raise RefusedInput("is a workspace of its own", where=str(home), cure="give the demo another --home")
    if home.is_dir() and any(home.iterdir()) and not ours and not (home / FILE).is_file():
        raise RefusedInput("is not empty", where=str(home), cure="give the demo an empty or new --home")
