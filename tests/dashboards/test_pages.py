from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cropcredit.bootstrap import build
from cropcredit.config import Settings
from cropcredit.model import Decision, Outcome, Role, Step
from tests.builders import LENDER, PASSWORD

APP = Path(__file__).parents[2] / "dashboards" / "app.py"


@pytest.fixture
def visit(workspace: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CROPCREDIT_HOME", str(workspace))

    def open_desk(username: str = "", language: str = "zh", application: str = "") -> AppTest:
        page = AppTest.from_file(str(APP), default_timeout=120)
        page.session_state["language"] = language
        page.run()
        if username:
            sign_in(page, username)
        if application:
            page.button(key=f"open_{application}").click().run()
        assert not page.exception, page.exception
        return page

    return open_desk


def sign_in(page: AppTest, username: str, password: str = PASSWORD) -> None:
    page.text_input(key="sign_in_name").input(username)
    page.text_input(key="sign_in_password").input(password)
    page.button(key="enter").click().run()


def said(page: AppTest) -> str:
    parts = (page.title, page.markdown, page.caption, page.info, page.warning, page.error, page.success)
    return "\n".join(element.value for kind in parts for element in kind)


def test_the_door_names_the_lender_and_not_what_was_wrong(visit) -> None:
    page = visit()
    assert LENDER in said(page)
    told = set()
    for username, password in (("li.na", "wrong-password"), ("nobody", PASSWORD)):
        sign_in(page, username, password)
        told.add(page.error[0].value)
    assert len(told) == 1
    assert "王建国" not in said(page)


def test_every_screen_says_that_the_data_are_made_up(visit) -> None:
    for page in (visit(), visit("li.na"), visit("li.na", application="A1")):
        assert "合成数据" in said(page)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("username", ["li.na", "zhao", "chen", "root.admin"])
def test_every_role_reads_queue_and_case_in_both_languages(visit, username: str, language: str) -> None:
    page = visit(username, language)
    assert "王建国" in said(page)
    page = show_all(page)
    page.button(key="open_A1").click().run()
    assert not page.exception
    assert ("决定额度的是：压力情景" if language == "zh" else "What limits the loan: Stress") in said(page)
    assert "?]" not in said(page), "a sentence lacks a fact"


def show_all(page: AppTest) -> AppTest:
    return page.segmented_control(key="queue_view").set_value("all").run()


def test_officers_see_their_branch_alone(visit) -> None:
    assert "远方客户" not in said(show_all(visit("li.na")))
    assert "远方客户" in said(show_all(visit("chen")))


def test_the_case_of_another_branch_stays_closed_though_its_address_is_known(visit) -> None:
    page = visit("li.na", application="A1")
    page.query_params["application"] = "A3"
    page.run()
    assert "没有此案件" in page.error[0].value
    assert "远方客户" not in said(page)


def test_the_queue_says_which_evidence_is_missing(visit) -> None:
    assert "授权书" in said(show_all(visit("li.na")))


def test_without_consent_nothing_that_was_seen_or_measured_is_shown(visit) -> None:
    page = show_all(visit("li.na", "en"))
    page.button(key="open_A2").click().run()
    assert not page.exception
    assert "has not consented to satellite" in said(page)
    assert "has not consented to sensor" in said(page)
    assert "Expected yield" not in said(page), "a yield seen from space is an observation too"
    assert "seasons between" not in said(page)


def test_sizing_without_consent_is_refused_in_words_not_as_a_failure(visit) -> None:
    page = show_all(visit("li.na", "en"))
    page.button(key="open_A2").click().run()
    page.button(key="size").click().run()
    assert not page.exception
    assert "Evidence is missing" in page.error[0].value
    assert "no consent of party P2" in said(page)


def decided(workspace: Path) -> list[Decision]:
    return build(Settings.load(workspace)).facts.find(Decision, application_id="A1")


def test_one_person_recommends_and_a_different_person_approves(visit, workspace: Path) -> None:
    officer = visit("li.na", application="A1")
    officer.button(key="recommend_send").click().run()
    assert "意见已提交" in said(officer)
    approver = visit("zhao", application="A1")
    assert "李娜 的意见" in said(approver)
    approver.button(key="approve_send").click().run()
    assert "已批准" in said(approver)
    first, second = decided(workspace)
    assert (first.step, first.by, first.outcome) == (Step.RECOMMEND, "li.na", Outcome.ACCEPT)
    assert (second.step, second.by, second.amount) == (Step.APPROVE, "zhao", first.amount)


def test_to_decline_takes_a_reason_and_a_note(visit, workspace: Path) -> None:
    page = visit("li.na", "en", application="A1")
    page.segmented_control(key="outcome").set_value(Outcome.DECLINE).run()
    page.button(key="recommend_send").click().run()
    assert "at least one reason" in said(page)
    page.multiselect(key="reasons_decline").set_value(["not_viable"])
    page.button(key="recommend_send").click().run()
    assert "write a note" in said(page)
    assert decided(workspace) == []
    page.multiselect(key="reasons_decline").set_value(["not_viable"])
    page.text_area(key="note").input("seen with the family on 1 April")
    page.button(key="recommend_send").click().run()
    assert [(d.outcome, d.reasons, d.amount.minor) for d in decided(workspace)] == [
        (Outcome.DECLINE, ("not_viable",), 0)
    ]


def test_who_looked_at_an_old_page_cannot_decide_on_it(visit, workspace: Path) -> None:
    early, late = visit("li.na", "en", application="A1"), visit("li.na", "en", application="A1")
    early.button(key="recommend_send").click().run()
    late.button(key="recommend_send").click().run()
    assert len(decided(workspace)) == 1
    assert not late.exception


def test_the_second_person_can_return_the_case_with_a_note(visit, workspace: Path) -> None:
    visit("li.na", application="A1").button(key="recommend_send").click().run()
    page = visit("zhao", "en", application="A1")
    page.button(key="return_send").click().run()
    assert "write a note" in said(page)
    page.text_area(key="note").input("please visit the field")
    page.button(key="return_send").click().run()
    assert decided(workspace)[-1].step is Step.RETURN


@pytest.mark.parametrize("username", ["chen", "root.admin"])
def test_agronomists_and_administrators_read_and_decide_nothing(visit, username: str) -> None:
    page = show_all(visit(username, "en"))
    page.button(key="open_A1").click().run()
    assert "reads this case; it decides nothing" in said(page)
    keys = {button.key for button in page.button}
    assert not keys & {"size", "recommend_send", "approve_send", "return_send"}


def test_the_language_switch_shows_the_language_of_who_signed_in(visit, workspace: Path) -> None:
    app = build(Settings.load(workspace))
    app.add_account("mary", PASSWORD, role=Role.APPROVER, full_name="Mary", branch="*", language="en")
    page = visit(language="")
    assert page.segmented_control(key="language_switch").value == "zh"
    sign_in(page, "mary")
    assert page.title[0].value == "Queue"
    assert page.segmented_control(key="language_switch").value == "en"
    page.segmented_control(key="language_switch").set_value("zh").run()
    assert page.title[0].value == "待办案件"
    assert page.segmented_control(key="language_switch").value == "zh"


def test_signing_out_forgets_the_person(visit) -> None:
    page = visit("li.na")
    page.button(key="sign_out").click().run()
    assert "王建国" not in said(page)
    assert len(page.text_input) == 2
