"""Other programs of the line as processes of their own: started, watched, and ended whatever happens."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from cropcredit.errors import StoreUnavailable

READY_S = 60.0
"""How long a process may take to come up on a busy machine."""
END_S = 15.0
"""How long a process may take to stop in an orderly way."""


def free_port() -> int:
    """Find a port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def python(module: str, *options: str) -> list[str]:
    """Build the command line that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *options]


def environment(*packages: str) -> dict[str, str]:
    """Give the environment in which these packages are found: installed, or in the source tree beside ``src``."""
    here = Path(__file__).parents[2]
    places = [str(here if name == "cropcredit" else _home_of(name)) for name in packages]
    return os.environ | {"PYTHONPATH": os.pathsep.join([*places, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)}


@contextmanager
def running(command: Sequence[str], *, env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process in the background while inside; it is ended on the way out, also after an error or Ctrl-C."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        # In a session of its own: Ctrl-C reaches us alone, and we end it after what depends on it.
        process = subprocess.Popen(command, env=env, stdout=output, stderr=output, start_new_session=True)
        try:
            yield process
        finally:
            _end(process)


def wait_for(process: subprocess.Popen[bytes], log: Path, words: str) -> None:
    """Wait until a background process has said these words.

    Raises
    ------
    StoreUnavailable
        If it ends before, or does not say them in time.
    """
    until = time.monotonic() + READY_S
    while words not in (said := log.read_text(encoding="utf-8", errors="replace")):
        if process.poll() is not None or time.monotonic() > until:
            last = (said.strip().splitlines() or ["it said nothing"])[-1]
            raise StoreUnavailable(f"a process of the demo does not come up: {last} (see {log})")
        time.sleep(0.05)


def run(command: Sequence[str], *, env: Mapping[str, str], log: Path, heard: Callable[[str], None]) -> str:
    """Run a process to its end, listening to what it says on stderr line by line; returns its stdout.

    Raises
    ------
    StoreUnavailable
        If it fails, with its last words.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    result = log.with_suffix(".out")
    with result.open("wb") as output, log.open("a", encoding="utf-8") as file:
        process = subprocess.Popen(
            command, env=env, stdout=output, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        assert process.stderr is not None, "it was asked for"
        words = ""
        try:
            for line in process.stderr:
                words = line.strip() or words
                file.write(line)
                heard(line)
            process.wait()
        finally:
            _end(process)
            process.stderr.close()
    if process.returncode:
        raise StoreUnavailable(f"{' '.join(command[1:4])} ended with {process.returncode}: {words} (see {log})")
    return result.read_text(encoding="utf-8")


def _end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _home_of(package: str) -> Path:
    spec = find_spec(package)
    return Path(spec.origin).parents[1] if spec and spec.origin else Path(__file__).parents[3]
