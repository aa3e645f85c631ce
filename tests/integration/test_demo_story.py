"""The story of the demo on a small region: every chapter for real, with a broker, ingest and devices as processes."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from cropcredit.config import Settings
from cropcredit.demo import telemetry_chapter
from cropcredit.demo.parameters import Region, load_region
from cropcredit.demo.processes import environment, python, running, wait_for
from cropcredit.demo.stage import Record, Stage
from cropcredit.demo.story import CHAPTERS, tell
from cropcredit.demo.summary import show_sign_ins, summarise
from cropcredit.errors import RefusedInput, StoreUnavailable
from cropcredit.model import Loan, Offer
from cropcredit.usecases.progress import quiet


def silent() -> Console:
    return Console(file=io.StringIO(), width=160)


@pytest.fixture(scope="module")
def region() -> Region:
    """The region with fewer looks from above, rarer readings and fewer applications; everything else as it is."""
    made = load_region()
    return replace(
        made,
        sky=replace(made.sky, every_days=30, dense=(date(2026, 4, 20), date(2026, 8, 20)), dense_days=15),
        sensors=replace(made.sensors, every_hours=72),
        people=replace(made.people, applications=14),
        history=replace(made.history, first_harvest_year=2019),
    )


@pytest.fixture(scope="module")
def told(region, tmp_path_factory) -> tuple[Stage, Record]:
    return tell(tmp_path_factory.mktemp("demo") / "story", console=silent(), progress=quiet, region=region)


def test_every_chapter_is_played_and_written_down(told):
    stage, record = told
    assert all(record.done(chapter.key) for chapter in CHAPTERS)
    assert list(Record(stage.home / "demo.json").facts()) == [chapter.key for chapter in CHAPTERS]


def test_every_message_of_the_devices_is_in_the_store(told):
    facts = told[0].facts["devices"]
    assert facts["messages"] == facts["acknowledged"] > 2000
    assert (facts["missing"], facts["refused"]) == (0, 0)
    assert facts["stored"]["readings"] == facts["messages"]


def test_what_is_doubtful_is_repaired_reported_or_outside(told):
    facts = told[0].facts
    assert [row["id"] for row in facts["register"]["repaired"]] == ["f-doubt-crossing"]
    assert {s["right"] for s in facts["books"]["shared_ground"]} == {"f-doubt-overlap"}
    assert facts["scenes"]["outside"] == ["f-doubt-outside"]


def test_the_family_that_nobody_asked_is_not_looked_at(told):
    refused = told[0].facts["loans"]["refused"]
    assert len(refused) == 1
    assert "no consent" in next(iter(refused.values()))


def test_two_people_made_one_loan_and_its_offer_replays_byte_for_byte(told):
    stage = told[0]
    loans = stage.app.facts.find(Loan)
    assert [loan.application_id for loan in loans] == [stage.facts["decisions"]["hero"]]
    assert "may not approve" in stage.facts["decisions"]["alone"]
    assert stage.facts["replay"]["same"]
    assert all(offer.synthetic for offer in stage.app.facts.find(Offer))


def test_estimates_are_near_the_truth_that_nobody_read(told):
    for crop, check in told[0].facts["truth"].items():
        assert check["rmse_t_ha"] < 0.4 * check["true_mean_t_ha"], crop
        assert check["covered_90"] > 0.75, crop


def test_of_twenty_stores_one_misses_grain_and_one_heats(told):
    stock = told[0].app.take_stock()
    assert len(stock) == 20
    assert [one.lot.id for one in stock if one.quantity.missing_share > 0.1] == ["lot-p-003"]
    assert [one.lot.id for one in stock if any(alarm.code == "heating" for alarm in one.alarms)] == ["lot-p-008"]
    assert all(one.quantity.inspected_kg and one.quantity.standard_kg < one.quantity.inspected_kg for one in stock)


def test_a_second_run_plays_nothing_again(told, region):
    stage = told[0]
    before = (stage.home / "demo.json").stat().st_mtime_ns
    console = silent()
    again, _ = tell(stage.home, console=console, progress=quiet, region=region)
    assert (stage.home / "demo.json").stat().st_mtime_ns == before
    assert again.facts == stage.facts
    assert not console.file.getvalue()  # type: ignore[attr-defined] # it is a StringIO


def test_the_summary_tells_one_farmers_way_and_the_demo_passwords(told):
    stage, record = told
    console = silent()
    summarise(stage, record, console)
    show_sign_ins(stage, console)
    text = console.file.getvalue()  # type: ignore[attr-defined] # it is a StringIO
    for words in (
        "synthetic",
        "One farmer's way",
        "Limit CNY",
        "the same bytes",
        "known truth",
        "chen.head",
        "harvest-4",
    ):
        assert words in text


def test_the_workspaces_day_is_the_storys_present(told, region):
    now = told[0].app.clock.now()
    assert abs((now - region.today).total_seconds()) < 3600


def test_a_workspace_of_a_real_lender_is_left_alone(tmp_path, region):
    Settings.checked(tmp_path / "bank", {}, where="test").save()
    with pytest.raises(RefusedInput, match="is a workspace of its own"):
        tell(tmp_path / "bank", console=silent(), progress=quiet, region=region)


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path, region):
    (tmp_path / "letters.txt").write_text("dear farmer")
    with pytest.raises(RefusedInput, match="is not empty"):
        tell(tmp_path, console=silent(), progress=quiet, region=region)


def test_a_failing_fleet_ends_the_chapter_and_every_process(told, monkeypatch):
    stage = told[0]
    started: list[subprocess.Popen[bytes]] = []

    class Watched(subprocess.Popen):  # type: ignore[type-arg] # only watched
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    readings = stage.made / "readings.csv"
    text = readings.read_text(encoding="utf-8")
    readings.write_text("device,time,quantity,channel,value\nnobody,2026-05-01,soil.moisture,d20,1\n", encoding="utf-8")
    try:
        with pytest.raises(StoreUnavailable, match="firmware_sim"):
            telemetry_chapter.devices(stage)
    finally:
        readings.write_text(text, encoding="utf-8")
    assert len(started) == 3
    assert all(process.poll() is not None for process in started)


def test_a_background_process_is_ended_when_its_companion_fails(tmp_path):
    endless = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(ZeroDivisionError), running(endless, env={}, log=tmp_path / "log") as process:
        _ = 1 / 0
    assert process.returncode == -signal.SIGTERM


def test_a_process_that_does_not_come_up_is_told_with_its_last_words(tmp_path):
    dying = [sys.executable, "-c", "print('no key', flush=True); raise SystemExit(3)"]
    log = tmp_path / "log"
    refused = pytest.raises(StoreUnavailable, match="does not come up: no key")
    with running(dying, env={}, log=log) as process, refused:
        wait_for(process, log, "ready")


def test_programs_of_the_line_are_found_from_any_folder(tmp_path):
    done = subprocess.run(
        python("firmware_sim", "--help"),
        env=environment("firmware_sim"),
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0


def hears_ctrl_c() -> None:
    """Undo what a shell does to programs it starts in the background: they ignore Ctrl-C, and so would the demo."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_ends_the_demo_and_leaves_it_to_be_continued(tmp_path: Path):
    command = python("cropcredit", "demo", "--once", "--home", str(tmp_path / "demo"))
    process = subprocess.Popen(
        command,
        env=environment("cropcredit"),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hears_ctrl_c,  # noqa: PLW1509 - no threads run here
    )
    assert process.stderr is not None
    assert "1/11" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode not in (0, None)
    assert not (tmp_path / "demo" / "region").exists()
