"""The report's files: equal bytes, a page that stands alone, pictures that show the numbers they are drawn from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import sync_playwright

from cropcredit.adapters.yield_pages import plots, write_report
from cropcredit.adapters.yield_pages.page import page
from cropcredit.errors import StoreUnavailable
from cropcredit.usecases.yield_report_words import at_fullest
from tests.unit.usecases.report_world import facts


class Links(HTMLParser):
    """Notes what a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.found += [f"{tag} {value}" for name, value in attrs if name in {"src", "href", "srcset"}]


def marks(svg, kind: str):
    return [mark for mark in svg.iter() if (mark.get("class") or "").split()[:1] == [kind]]


def trial():
    found = at_fullest(facts())
    assert found is not None
    return found


def test_three_files_and_the_same_bytes_again(tmp_path):
    files = write_report(facts(), tmp_path / "reports")
    first = [file.read_bytes() for file in files]
    again = [file.read_bytes() for file in write_report(facts(), tmp_path / "reports")]

    assert [file.name for file in files] == ["winter_wheat.md", "winter_wheat.html", "winter_wheat.json"]
    assert first == again
    assert json.loads(first[2]) == json.loads(json.dumps(facts()))


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way", "utf-8")

    with pytest.raises(StoreUnavailable, match=r"winter_wheat\.md cannot be written"):
        write_report(facts(), tmp_path / "file")


def test_the_page_fetches_nothing_and_words_of_the_data_cannot_become_markup():
    text = page(facts())
    links = Links()
    links.feed(text)

    assert links.found == []
    assert "url(" not in text
    assert "<ten>" not in text
    assert "50 | is &lt;ten&gt; times 5" in text


def test_the_page_says_what_the_text_says():
    told = facts()
    text = re.sub(r"<[^>]+>", "", page(told))

    for said in (
        told["summary"]["zh"],
        told["summary"]["en"],
        told["trials"][3]["decision"],
        "Not run: too few regions.",
    ):
        assert said in text
    assert "mixed model (3)" in text
    assert "times_ten (1), zero_yield (1)" in text


def test_without_an_index_the_page_shows_the_baseline_alone():
    told = facts(index=False)
    text = page(told)

    assert "nRMSE of the average" in text
    assert "skill," not in text
    assert len(marks(plots.errors(told["trials"][0]), "bar")) == 3 + 1  # three years and the key


def test_no_suspects_is_said():
    told = facts()
    told["data"] |= {"left_out": [], "left_out_by_rule": {}}

    assert "No label was left out." in page(told)


def test_a_point_of_the_scatter_lies_where_its_yields_say():
    svg = plots.scatter(facts()["yields"]["years"], trial())
    axes = plots.Axes(width=330, height=330, x=(2, 8), y=(2, 8))

    points = [(float(p.get("cx")), float(p.get("cy"))) for p in marks(svg, "point")][:6]

    expected = [axes.at(x, y) for x, y in [(4, 4.5), (4, 4.5), (6, 5.5), (6, 5.5), (2, 3), (8, 7)]]
    np.testing.assert_allclose(points, expected, atol=0.01)
    assert sum(p.get("class") == "point worst" for p in marks(svg, "point")) == 2 + 1  # and the key


def test_bars_are_as_long_as_the_errors_they_show():
    bars = marks(plots.errors(trial()), "bar")[:6]
    heights = [float(bar.get("height")) for bar in bars]

    assert [bar.get("class") for bar in bars] == ["bar baseline"] * 3 + ["bar shown"] * 3
    assert heights[2] == pytest.approx(2 * heights[5], abs=0.02)  # 2003: average 40 %, model 20 %
    assert max(heights) == heights[2]


def test_coverage_hangs_below_the_promise_only_where_it_fell_short():
    dots = marks(plots.coverage(trial()), "dot")

    assert [dot.get("class") for dot in dots] == ["dot held", "dot held", "dot short"]
    assert float(dots[2].get("cy")) > float(dots[0].get("cy"))


def test_one_panel_per_scheme_that_was_run_with_its_horizons():
    panels = list(plots.horizons(facts()["trials"]))

    assert len(panels) == 2
    assert all(len(marks(panel, "dot")) == 2 * 3 for panel in panels)
    at = {
        mark.get("class"): float(mark.get("y") or mark.get("cy"))
        for mark in marks(panels[0], "value") + marks(panels[0], "dot")
    }
    assert at["value baseline"] < at["dot baseline"]  # the greater error is written above its point
    assert at["value shown"] > at["dot shown"]
    assert [t.text for t in panels[0].iter("text") if t.text in {"3/6", "4/6", "6/6"}] == ["3/6", "4/6", "6/6"]


@pytest.mark.parametrize("highest", [0.0, 0.7, 9.99, 10.0, 28.3, 1000.0])
def test_ticks_are_few_round_and_reach_the_top(highest):
    ticks = plots._ticks(highest)

    assert ticks[0] == 0
    assert len(ticks) > 1
    assert ticks[-1] >= highest
    assert len(ticks) <= 7
    assert len({round(b - a, 12) for a, b in pairwise(ticks)}) <= 1


def test_ticks_start_a_little_below_the_lowest():
    assert plots._ticks(11.2, 5.3) == [4, 6, 8, 10, 12]


def test_many_years_are_named_every_other_one():
    years = [{"year": year} for year in range(2000, 2013)]

    assert [name for _, name in plots._year_names(years)] == ["2000", "2002", "2004", "2006", "2008", "2010", "2012"]
    assert len(plots._year_names(years[:12])) == 12


@pytest.mark.debian
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_opens_in_a_browser_without_a_request_or_an_overflow(
    tmp_path: Path, debian_tool: Callable[[str], Path], width: int
):
    file = write_report(facts(), tmp_path)[1]
    asked: list[str] = []
    complaints: list[str] = []
    with sync_playwright() as play:
        opened = play.chromium.launch(
            executable_path=str(debian_tool("chromium")), args=["--no-sandbox", "--disable-gpu"]
        )
        tab = opened.new_page(viewport={"width": width, "height": 900})
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: complaints.append(message.text))
        tab.goto(file.as_uri())
        overflow = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        heights = tab.evaluate("[...document.querySelectorAll('svg')].map(s => s.getBoundingClientRect().height)")
        opened.close()

    assert asked == [file.as_uri()]
    assert complaints == []
    assert overflow <= 0
    assert len(heights) == 2 + 2 * 3
    assert min(heights) > 60
