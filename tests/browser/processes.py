"""Programs that run beside a test: Home Assistant and a virtual charging station."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import json
from pathlib import Path
import socket
import subprocess
import sys
import time
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[2]
USER = "dev"
PASSWORD = "dev"
PATIENCE = 120.0
"""How long a program may take to answer, in s."""


LOG = "home-assistant.log"


def complaints(folder: Path) -> list[str]:
    """Return what Home Assistant logged as an error of the integration."""
    lines = (folder / LOG).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if " ERROR " in line and "ev_charger_hub" in line]


def free_port() -> int:
    """Return a port of the loopback interface that is free now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def running(*module: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python module until the end of the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *module], cwd=ROOT, stdout=output, stderr=output
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


def ask(url: str, body: dict[str, Any] | None = None) -> bytes:
    """Return what a server answers; with a body it is a POST of JSON."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(url, data, headers), timeout=30) as response:
        content: bytes = response.read()
        return content


def wait_until_served(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a program answers."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            ask(url)
        except URLError, ConnectionError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"nothing answers at {url}:\n{log.read_text()}")


@contextmanager
def home_assistant(folder: Path, *prepared: str) -> Iterator[str]:
    """Run a fresh Home Assistant with one user, and yield its address.

    `prepared` is what else `scripts.lib.prepare_config` is to do.
    """
    config = folder / "config"
    log = folder / LOG
    port = free_port()
    login = ("--user", USER, "--password", PASSWORD)
    prepare = ("-m", "scripts.lib.prepare_config", config, "--port", str(port), *login)
    subprocess.run([sys.executable, *prepare, *prepared], cwd=ROOT, check=True)
    url = f"http://127.0.0.1:{port}"
    with running(
        "homeassistant", "--config", str(config), "--skip-pip", log=log
    ) as process:
        wait_until_served(url, process, log)
        yield url


class Station:
    """A virtual charging station in another process, moved by its control interface."""

    def __init__(self, url: str) -> None:
        """Talk to the control interface."""
        self._url = url

    def state(self) -> dict[str, Any]:
        """Return what the station knows of itself."""
        state: dict[str, Any] = json.loads(ask(f"{self._url}/state"))
        return state

    def do(self, act: str, **body: Any) -> None:
        """Move the station."""
        ask(f"{self._url}/{act}", body)

    def wait_until(
        self, reached: Callable[[dict[str, Any]], bool], of: str = "connectors"
    ) -> None:
        """Wait until the first connector, or EVSE, is as it should be."""
        deadline = time.monotonic() + PATIENCE
        while not reached(connector := self.state()[of][0]):
            if time.monotonic() > deadline:
                raise AssertionError(connector)
            time.sleep(0.2)


@contextmanager
def charging_station(
    folder: Path, ocpp_port: int, identity: str, *more: str
) -> Iterator[Station]:
    """Run a charging station that dials in at a port; `more` is for its command line."""
    log = folder / f"{identity}.log"
    control_port = free_port()
    url = f"http://127.0.0.1:{control_port}"
    with running(
        "simulators.charging_station",
        *("--url", f"ws://127.0.0.1:{ocpp_port}/ocpp", "--identity", identity),
        *("--control-port", str(control_port)),
        *more,
        log=log,
    ) as process:
        wait_until_served(f"{url}/state", process, log)
        yield Station(url)
