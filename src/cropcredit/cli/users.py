"""``users``: the people who sign in at the desk."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cropcredit.cli.common import HERE, Home, Json, open_app, out, show_json, show_table
from cropcredit.errors import MalformedInput
from cropcredit.model import Role

app = typer.Typer(name="users", help="The people who sign in at the desk.", no_args_is_help=True)


@app.command()
def add(
    username: Annotated[str, typer.Argument(help="Name to sign in with: a-z, 0-9, dot, dash, underscore.")],
    *,
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    full_name: Annotated[str, typer.Option("--name", help="Full name, as shown beside decisions.")],
    branch: Annotated[str, typer.Option(help="Branch whose cases the person sees; * sees all.")],
    language: Annotated[str, typer.Option(help="Language of the desk at first: zh or en.")] = "zh",
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    home: Home = HERE,
) -> None:
    """Add an account; the password is asked for, and never taken from the command line."""
    if language not in ("zh", "en"):
        raise MalformedInput(f"no texts in language {language!r}", where="--language", cure="zh or en")
    desk = open_app(home)
    password = (
        sys.stdin.readline().rstrip("\r\n")
        if password_stdin
        else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    account = desk.add_account(username, password, full_name=full_name, role=role, branch=branch, language=language)
    out.print(f"added {account.username}: {account.role} of branch {account.branch}", markup=False)


@app.command("list")
def list_(*, as_json: Json = False, home: Home = HERE) -> None:
    """List the accounts."""
    accounts = open_app(home).list_accounts()
    if as_json:
        show_json(accounts)
        return
    rows = [(a.username, a.full_name, a.role, a.branch, a.language, "yes" if a.active else "no") for a in accounts]
    show_table("Accounts", ("username", "name", "role", "branch", "language", "active"), rows)
