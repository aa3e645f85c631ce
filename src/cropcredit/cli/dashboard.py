"""``dashboard``: serve the officers' desk on this machine."""

from __future__ import annotations

import os
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from cropcredit.cli.common import HERE, Home, open_app, out
from cropcredit.errors import RefusedInput

app = typer.Typer()

OPTIONS = {
    "server.showEmailPrompt": "false",
    "server.fileWatcherType": "none",
    "server.maxUploadSize": "5",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",  # a traceback may hold a farmer's data: it goes to the log
    "theme.base": "light",
    "theme.primaryColor": "#1f6f4a",
    "theme.backgroundColor": "#ffffff",
    "theme.secondaryBackgroundColor": "#f3f6f3",
    "theme.textColor": "#22302a",
    "theme.borderColor": "#d9e0db",
    "theme.baseRadius": "0.4rem",
    "theme.font": "'Source Sans', 'Noto Sans CJK SC', 'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', sans-serif",
    "theme.baseFontSize": "15",
    "theme.metricValueFontSize": "1.3rem",
    "theme.headingFontSizes": '["1.75rem", "1.4rem", "1.15rem"]',
    "theme.sidebar.backgroundColor": "#f3f6f3",
}
"""Streamlit's options: quiet, local, in the desk's own colours."""


def entry_script() -> Path:
    """Find the desk's first page: beside the installed package, or in the source tree."""
    spec = find_spec("dashboards")
    folder = Path(spec.origin).parent if spec and spec.origin else Path(__file__).parents[3] / "dashboards"
    script = folder / "app.py"
    if not script.is_file():
        raise RefusedInput("the desk's pages are not installed", where=str(script), cure="install the cropcredit wheel")
    return script


def command(address: str, port: int, *, no_browser: bool) -> list[str]:
    """Build the command line that serves the desk; Streamlit opens a browser only where there is a screen."""
    options = OPTIONS | {"server.address": address, "server.port": str(port), "browser.serverAddress": address}
    options |= {"server.headless": "true"} if no_browser else {}
    flags = [f"--{name}={value}" for name, value in options.items()]
    python = [sys.executable, "-P"]  # without the current folder: a stray timeit.py there must not be imported
    return [*python, "-m", "streamlit", "run", str(entry_script()), *flags]


@app.command()
def dashboard(
    *,
    home: Home = HERE,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to serve on.")] = 8501,
    address: Annotated[str, typer.Option(help="Address to listen on; the default is this machine only.")] = "127.0.0.1",
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
) -> None:
    """Serve the officers' desk; Ctrl-C ends it."""
    open_app(home)  # a folder that is no workspace is refused here, in one line
    _refuse_taken(address, port)
    line = command(address, port, no_browser=no_browser)
    out.print(f"The desk: http://{address}:{port}   (Ctrl-C ends it)", markup=False)
    places = filter(None, (str(entry_script().parents[1]), os.environ.get("PYTHONPATH", "")))
    environment = os.environ | {"CROPCREDIT_HOME": str(home.absolute()), "PYTHONPATH": os.pathsep.join(places)}
    os.execve(line[0], line, environment)  # noqa: S606 - the desk takes this process over, so signals reach it


def _refuse_taken(address: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            cure = "choose another with --port, or end what runs there"
            raise RefusedInput(f"port {port} cannot be used: {error.strerror}", where=address, cure=cure) from None
