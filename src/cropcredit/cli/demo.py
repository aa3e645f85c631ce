"""demo: the whole line on a made region, then the desk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cropcredit.cli.common import err, out, progress, show_json
from cropcredit.cli.dashboard import dashboard
from cropcredit.usecases.progress import quiet

app = typer.Typer()


@app.command()
def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Print the summary and end, without opening the desk.")] = False,
    home: Annotated[
        Path, typer.Option("--home", metavar="DIR", help="Folder of the demo; it is made, and used again later.")
    ] = Path("demo-workspace"),
    broker: Annotated[
        Literal["auto", "mosquitto", "iotcore"], typer.Option(help="auto: Debian's mosquitto, else the iotcore wheel.")
    ] = "auto",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the desk.")] = 8501,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what each chapter found as JSON, and end as with --once.")
    ] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
) -> None:
    """Make a synthetic region, run the whole line on it with a real broker and simulated devices, open the desk.

    A second run goes on where the first one stopped; a finished one opens at once.
    """
    from cropcredit.demo.story import tell  # noqa: PLC0415 - brings the generator and its geopandas: slow to import
    from cropcredit.demo.summary import show_sign_ins, summarise  # noqa: PLC0415 - as above

    bars = progress if err.is_terminal else quiet
    stage, record = tell(home, console=err, progress=bars, broker=None if broker == "auto" else broker)
    if as_json:
        show_json({"home": stage.home, "synthetic": True, "seconds": record.seconds(), "chapters": stage.facts})
        return
    summarise(stage, record, out)
    show_sign_ins(stage, out)
    if not once:
        dashboard(home=home, port=port, address="127.0.0.1", no_browser=no_browser)
