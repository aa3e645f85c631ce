"""The built wheel, in an environment without the repository, runs the demo and serves the desk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.integration.conftest import free_port


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, install it alone into a new environment that borrows only our libraries; give its ``bin``."""
    room = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", room, ROOT]
    subprocess.run([str(part) for part in build], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(room / "venv")], check=True)
    python = room / "venv" / "bin" / "python"
    (wheel,) = room.glob("cropcredit-*.whl")
    install = [*pip, "--python", python, "install", "--no-deps", "--no-index", wheel]
    subprocess.run([str(part) for part in install], check=True)
    # A folder named in a .pth file is searched, but its own .pth files (the editable checkout's) are not read.
    purelib = subprocess.check_output(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"], text=True
    ).strip()
    (Path(purelib) / "libraries.pth").write_text(sysconfig.get_paths()["purelib"])
    return room / "venv" / "bin"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, installed: Path) -> tuple[dict[str, str], Path]:
    """Give a bare environment and an empty folder, as a newcomer has them."""
    home = tmp_path_factory.mktemp("newcomer")
    path = os.pathsep.join([str(installed), "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"])
    return {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8"}, home


@pytest.fixture(scope="module")
def demo(installed: Path, plain: tuple[dict[str, str], Path]) -> subprocess.CompletedProcess[str]:
    """Run the demo once, from the wheel."""
    environment, folder = plain
    command = [str(installed / "cropcredit"), "demo", "--once"]
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=900
    )


def test_the_wheel_is_what_runs(installed, plain):
    where = [str(installed / "python"), "-c", "import cropcredit; print(cropcredit.__file__)"]
    assert str(installed.parent) in subprocess.check_output(where, env=plain[0], cwd=plain[1], text=True)


def test_the_demo_runs_from_the_wheel_and_says_what_it_did(demo):
    assert demo.returncode == 0, demo.stdout[-3000:] + demo.stderr[-3000:]
    assert "synthetic" in demo.stdout.lower()


@pytest.mark.usefixtures("demo")
def test_a_second_run_of_the_demo_takes_seconds_and_says_the_same(installed, plain):
    command = [str(installed / "cropcredit"), "demo", "--once", "--json"]
    again = subprocess.run(command, env=plain[0], cwd=plain[1], capture_output=True, text=True, check=True, timeout=240)
    assert json.loads(again.stdout)


@pytest.fixture
def desk(installed: Path, plain: tuple[dict[str, str], Path]) -> Iterator[str]:
    """Serve the desk from the wheel; give its address."""
    environment, folder = plain
    port = free_port()
    command = [
        str(installed / "cropcredit"),
        "dashboard",
        "--home",
        "demo-workspace",
        "--port",
        str(port),
        "--no-browser",
    ]
    server = subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(20)


@pytest.mark.usefixtures("demo")
def test_the_desk_is_served_from_the_wheel(desk):
    deadline = time.monotonic() + 240
    while True:
        try:
            with urllib.request.urlopen(f"{desk}/_stcore/health", timeout=5) as answer:
                assert answer.read() == b"ok"
                return
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < deadline, "the desk did not come up within four minutes"
            time.sleep(0.2)
