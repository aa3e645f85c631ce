from __future__ import annotations

import pytest

from cropcredit.config import FILE, Settings, data_dir
from cropcredit.errors import MalformedInput, RefusedInput


def test_settings_come_back_from_their_file(tmp_path):
    written = Settings.checked(tmp_path, {"lender": 'Bank "North"', "currency": "KES", "synthetic": True}, where="test")
    written.save()
    assert Settings.load(tmp_path) == written


def test_the_environment_wins_over_the_file(tmp_path, monkeypatch):
    Settings.checked(tmp_path, {"broker_port": 1999}, where="test").save()
    monkeypatch.setenv("CROPCREDIT_BROKER_PORT", "2001")
    assert Settings.load(tmp_path).broker_port == 2001


def test_a_folder_without_settings_is_not_a_workspace(tmp_path):
    with pytest.raises(RefusedInput, match="is not a workspace; make one: cropcredit init --home"):
        Settings.load(tmp_path)


def test_a_workspace_is_never_made_twice(tmp_path):
    Settings.checked(tmp_path, {"lender": "first"}, where="test").save()
    with pytest.raises(RefusedInput, match="is a workspace already; nothing was changed"):
        Settings.checked(tmp_path, {"lender": "second"}, where="test").save()
    assert Settings.load(tmp_path).lender == "first"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('currency = "yuan"', "setting 'currency'"),
        ('time_zone = "Mars/Olympus"', "setting 'time_zone'"),
        ("broker_port = 99999", "setting 'broker_port'"),
        ('colour = "red"', "setting 'colour'"),
        ("lender = ", "is not TOML"),
    ],
)
def test_a_setting_that_is_not_understood_is_refused_by_name(tmp_path, line, words):
    (tmp_path / FILE).write_text(line)
    with pytest.raises(MalformedInput, match=words):
        Settings.load(tmp_path)


def test_a_password_in_the_database_url_is_not_shown(tmp_path):
    settings = Settings.checked(tmp_path, {"database_url": "postgresql+psycopg://u:hush@h/db"}, where="test")
    assert "hush" not in repr(settings)
    assert settings.database.endswith("u:hush@h/db")


def test_the_catalogues_are_found():
    assert (data_dir() / "catalogues").is_dir()


def test_only_a_synthetic_workspace_may_have_a_clock_of_its_own(tmp_path):
    made = Settings.checked(tmp_path, {"synthetic": True, "clock_shift_s": -86_400}, where="here")
    made.save()
    assert Settings.load(tmp_path).clock_shift_s == -86_400
    with pytest.raises(MalformedInput, match="only a synthetic workspace may shift its clock"):
        Settings.checked(tmp_path, {"clock_shift_s": 1}, where="here")
