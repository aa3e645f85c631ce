"""What one visit knows: the app, the person, the language."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import streamlit as st

from cropcredit.bootstrap import App, build
from cropcredit.config import Settings
from cropcredit.errors import NotPermitted, UnknownName
from cropcredit.model import Account
from dashboards.formats import Formats
from dashboards.words import LANGUAGES, Words

IDLE = timedelta(minutes=30)
"""A desk nobody touched for so long asks for the password again."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a page needs."""

    app: App
    account: Account | None
    words: Words
    formats: Formats

    @property
    def person(self) -> Account:
        """The person who signed in; pages that need one are reached only then."""
        assert self.account is not None
        return self.account

    def crop(self, code: str) -> str:
        """Name a crop in the reader's language; a code that the catalogue lacks is shown as it is."""
        try:
            crop = self.app.catalogues.crop(code)
        except UnknownName:
            return code
        return crop.zh if self.words.language == "zh" else crop.en

    def quantity(self, name: str) -> str:
        """Name a measured quantity in the reader's language; one that the catalogue lacks is shown as it is."""
        quantity = self.app.summarise_sensors.quantities.get(name)
        return name if quantity is None else quantity.zh if self.words.language == "zh" else quantity.en

    def who(self, username: str) -> str:
        """Give a colleague's full name; the username where the account is gone."""
        names = {account.username: account.full_name for account in self.app.list_accounts()}
        return names.get(username, username)


@st.cache_resource(show_spinner=False)
def _app(home: str) -> App:
    return build(Settings.load(Path(home)))


def desk() -> Desk:
    """Open the desk for this run of the script."""
    app = _app(os.environ.get("CROPCREDIT_HOME", "."))
    account = _account(app)
    language = st.session_state.get("language") or (account.language if account else app.settings.language)
    language = language if language in LANGUAGES else "en"
    return Desk(app, account, Words(language), Formats(language, app.settings.time_zone))


def go(place: str, **query: str) -> None:
    """Turn to a page that the entry script has registered; the rest of this run is dropped."""
    st.switch_page(st.session_state["places"][place], query_params=query)


def sign_in(account: Account) -> None:
    """Remember who sits here; the language stays the one chosen on the sign-in page, if one was chosen."""
    st.session_state["username"] = account.username


def sign_out() -> None:
    """Forget the person and everything typed."""
    language = st.session_state.get("language")
    st.session_state.clear()
    st.session_state["language"] = language


def _account(app: App) -> Account | None:
    username = st.session_state.get("username")
    if username is None:
        return None
    now = app.clock.now()
    idle = now - st.session_state.get("seen_at", now)
    st.session_state["seen_at"] = now
    try:
        if idle <= IDLE:
            return app.recognise(username)
    except NotPermitted:
        pass
    sign_out()
    return None
