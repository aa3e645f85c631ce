"""The devices page: for those who keep devices running, in both languages."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cropcredit.bootstrap import App, build
from cropcredit.config import Settings
from cropcredit.model import Device, Role
from cropcredit.usecases.decoding import Message
from cropcredit.usecases.device_tables import installation
from tests.builders import PASSWORD
from tests.dashboards.test_pages import APP, said, sign_in

SOUND = (
    b'{"v":1,"boot":1,"seq":1,"clk":"none","up":1,'
    b'"m":[{"q":"soil.moisture","v":23,"c":"d30"},{"q":"air.temperature","v":21,"c":"a"}]}'
)


@pytest.fixture
def app(workspace: Path) -> App:
    """The desk's workspace with one probe, one message refused and one of a device that nobody registered."""
    (workspace / "broker").mkdir(exist_ok=True)
    (workspace / "broker" / "broker.json").write_text('{"acl": true}')
    app = build(Settings.load(workspace))
    now = app.clock.now()
    app.add_account("sun", PASSWORD, full_name="Sun", role=Role.AGRONOMIST, branch="*", language="en")
    app.add_devices([Device(id="probe", known_at=now, model="m")])
    since = now - timedelta(days=1)
    field = app.import_fields.fields.read()[0].id
    app.place_devices(
        [installation(device_id="probe", channel="*", from_at=since, field_id=field, depth_cm=30.0, known_at=now)]
    )
    app.ingest_messages(
        [
            Message("farm/v1/probe/up", SOUND),
            Message("farm/v1/probe/up", b"{"),
            Message("farm/v1/later/up", SOUND),
        ]
    )
    return app


@pytest.fixture
def visit(app: App, workspace: Path, monkeypatch: pytest.MonkeyPatch):
    assert app.settings.home == workspace
    monkeypatch.setenv("CROPCREDIT_HOME", str(workspace))

    def open_page(language: str, **query: str) -> AppTest:
        page = AppTest.from_string("from dashboards.screens import devices\ndevices.show()", default_timeout=120)
        page.session_state["language"], page.session_state["username"] = language, "sun"
        page.query_params.update(query)
        page.run()
        assert not page.exception, page.exception
        return page

    return open_page


@pytest.mark.parametrize(("language", "words"), [("en", "heard in time"), ("zh", "按时上报")])
def test_the_round_shows_the_probe_and_counts_what_was_refused(visit, language, words):
    page = visit(language)
    assert words in said(page)
    assert "probe" in said(page)
    assert [metric.value for metric in page.metric] == ["0", "0", "0", "1", "1", "0", "2"]


@pytest.mark.parametrize(
    ("language", "life", "heard", "latest"),
    [
        ("en", "heard, but refused", "Refused: 1, the last 0 min ago", "Refused messages: the latest 1 of 1"),
        ("zh", "有消息但被拒收", "拒收 1 条，最近一条在0 分钟前", "拒收消息：共 1 条中最近的 1 条"),
    ],
)
def test_a_device_whose_messages_are_all_refused_is_not_called_never_heard(visit, app, language, life, heard, latest):
    app.add_devices([Device(id="mute", known_at=app.clock.now())])
    app.ingest_messages([Message("farm/v1/mute/up", b"{")])
    told = said(visit(language))
    assert life in told
    assert heard in told
    assert latest in said(visit(language, device="mute"))


@pytest.mark.parametrize(
    ("language", "asked", "stands"),
    [("en", "Contradictions: 1. Is its key cloned?", "Contradictions: 1"), ("zh", "密钥是否被复制", "自相矛盾：1 处")],
)
def test_a_device_that_contradicts_itself_comes_first_and_shows_both_contents(visit, app, language, asked, stands):
    app.add_devices([Device(id="a-first", known_at=app.clock.now())])
    app.ingest_messages([Message("farm/v1/probe/up", SOUND.replace(b'"v":23', b'"v":5'))])
    page = visit(language)
    assert asked in said(page)
    assert page.metric[5].value == "1"
    assert next(button.key for button in page.button if str(button.key).startswith("look_")) == "look_probe"
    opened = visit(language, device="probe")
    assert stands in said(opened)
    (row,) = [table.value.iloc[0] for table in opened.table if "23 %" in str(table.value.iloc[0].to_list())
              and "5 %" in str(table.value.iloc[0].to_list())]  # fmt: skip
    assert "1, 1" in row.to_list()


def test_a_registered_device_s_messages_are_taken_after_one_click(visit, app):
    page = visit("en")
    page.segmented_control(key="devices_view").set_value("quarantine").run()
    assert "unregistered device" in said(page)
    app.add_devices([Device(id="later", known_at=app.clock.now())])
    page.button(key="replay_unknown").click().run()
    assert not page.exception
    assert "Now readings: 1; still refused: 0" in said(page)
    assert app.show_quarantine().by_reason == {"json": 1}


@pytest.mark.parametrize(("language", "words"), [("en", "no clock"), ("zh", "没有时钟")])
def test_a_device_opens_into_its_check_its_grade_and_its_refused_messages(visit, language, words):
    page = visit(language, device="probe")
    told = said(page)
    assert words in told
    assert "d30" in told
    assert "23 %" in told, "a value without its unit cannot be checked"
    names = [str(name) for table in page.table for name in table.value.iloc[:, 0]]
    assert len(names) == 2, names
    assert [name for name in names if "30" in name] == [max(names, key=len)], "the air is not 30 cm deep"
    assert any("json" in one.value or "JSON" in one.value for one in page.caption)


def test_an_unknown_device_in_the_address_is_said_so(visit):
    assert "Not registered" in said(visit("en", device="nobody"))


def test_an_officer_is_not_offered_the_devices(app, monkeypatch):
    monkeypatch.setenv("CROPCREDIT_HOME", str(app.settings.home))
    page = AppTest.from_file(str(APP), default_timeout=120)
    page.run()
    sign_in(page, "li.na")
    assert "devices" not in page.session_state["places"]
