"""What the chapters of the story stand on: the workspace, the made region beside it, and how the person is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from rich.console import Console

from cropcredit.adapters.broker import Kind
from cropcredit.bootstrap import App, build
from cropcredit.config import FILE, Settings
from cropcredit.demo.parameters import Region
from cropcredit.model import Account, Role
from cropcredit.ports import Progress

Facts = dict[str, Any]
"""What a chapter found, in plain values: kept in the story's record and told in the summary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAccount:
    """A made person at the desk, with the password that is printed."""

    account: Account
    password: str


def demo_accounts(region: Region) -> tuple[DemoAccount, ...]:
    """Give the people of the made lender: two officers, two approvers, an agronomist."""
    east, west = region.branches
    people = (
        ("li.na", "李娜（合成）", Role.OFFICER, east, "zh"),
        ("wang.qiang", "王强（合成）", Role.OFFICER, west, "zh"),
        ("zhao.min", "赵敏（合成）", Role.APPROVER, east, "zh"),
        ("chen.head", "陈总 Chen (synthetic)", Role.APPROVER, "*", "en"),
        ("sun.agro", "孙农艺师（合成）", Role.AGRONOMIST, "*", "zh"),
    )
    return tuple(
        DemoAccount(
            account=Account(username=name, full_name=full, role=role, branch=branch, language=language),
            password=f"harvest-{number}-{region.harvest_year}",
        )
        for number, (name, full, role, branch, language) in enumerate(people, 1)
    )


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The workspace of the demo and what stands around it."""

    home: Path
    region: Region
    console: Console
    progress: Progress
    broker: Kind | None = None
    """Which broker to use; None: mosquitto where it is installed, else iotcore."""
    facts: dict[str, Facts] = field(default_factory=dict)
    """What the chapters so far found, by chapter."""

    @property
    def made(self) -> Path:
        """Folder of the made region."""
        return self.home / "region"

    @property
    def logs(self) -> Path:
        """Folder of what the processes said."""
        return self.home / "logs"

    @property
    def exists(self) -> bool:
        """Say whether the workspace has been made."""
        return (self.home / FILE).is_file()

    @cached_property
    def app(self) -> App:
        """The workspace, opened as every entry point opens it."""
        return build(Settings.load(self.home))

    def say(self, text: str) -> None:
        """Print one line below the chapter's heading."""
        self.console.print(f"      {text}", highlight=False)


class Record:
    """Which chapters are done and what they found: one JSON file in the workspace, so that a story goes on."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._chapters: dict[str, dict[str, Any]] = json.loads(file.read_text("utf-8")) if file.is_file() else {}

    def done(self, chapter: str) -> bool:
        """Say whether a chapter came to its end."""
        return chapter in self._chapters

    def facts(self) -> dict[str, Facts]:
        """Give what each finished chapter found."""
        return {name: chapter["facts"] for name, chapter in self._chapters.items()}

    def seconds(self) -> Mapping[str, float]:
        """Give how long each finished chapter took."""
        return {name: chapter["seconds"] for name, chapter in self._chapters.items()}

    def close(self, chapter: str, facts: Facts, seconds: float) -> None:
        """Write down that a chapter is finished."""
        self._chapters[chapter] = {"seconds": round(seconds, 2), "facts": facts}
        making = self._file.with_suffix(".making")
        making.write_text(json.dumps(self._chapters, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        making.replace(self._file)
