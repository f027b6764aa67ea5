"""Programs that run beside a test: Home Assistant, virtual chargers, a virtual cloud."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
import json
import os
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
def running(
    *module: str, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python module until the end of the block, with a few more variables."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=ROOT,
            env=os.environ | (environment or {}),
            stdout=output,
            stderr=output,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


def ask(
    url: str, body: dict[str, Any] | None = None, *, token: str | None = None
) -> bytes:
    """Return what a server answers; with a body it is a POST of JSON."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    with urlopen(Request(url, data, headers), timeout=PATIENCE) as response:
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
def home_assistant(
    folder: Path, *prepared: str, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
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
    command = ("homeassistant", "--config", str(config), "--skip-pip")
    with running(*command, log=log, environment=environment) as process:
        wait_until_served(url, process, log)
        yield url


class Simulator:
    """A simulator in another process, moved by its control interface."""

    def __init__(self, url: str) -> None:
        """Talk to the control interface."""
        self._url = url

    def state(self) -> dict[str, Any]:
        """Return what the simulator knows of itself."""
        state: dict[str, Any] = json.loads(ask(f"{self._url}/state"))
        return state

    def do(self, act: str, **body: Any) -> None:
        """Have something happen."""
        ask(f"{self._url}/{act}", body)


class Station(Simulator):
    """A virtual charging station."""

    def wait_until(
        self, reached: Callable[[dict[str, Any]], bool], of: str = "connectors"
    ) -> None:
        """Wait until the first connector, or EVSE, is as it should be."""
        wait_until(lambda: self.state()[of][0], reached)


class Cloud(Simulator):
    """A virtual Easee cloud."""

    def __init__(self, url: str, control_url: str) -> None:
        """Let clients talk to one address, and talk to the other one."""
        super().__init__(control_url)
        self.environment = {
            "EV_CHARGER_HUB_EASEE_API": url,
            "EV_CHARGER_HUB_EASEE_STREAM": f"{url}/hubs/chargers",
        }

    def transcript(self) -> list[str]:
        """Return what went over the wires, without tokens."""
        return ask(f"{self._url}/transcript").decode().splitlines()

    def wait_until(
        self, reached: Callable[[dict[str, Any]], bool], serial: str
    ) -> None:
        """Wait until a charger is as it should be."""
        wait_until(lambda: self.state()["chargers"][serial], reached)


def wait_until(
    look: Callable[[], dict[str, Any]], reached: Callable[[dict[str, Any]], bool]
) -> None:
    """Look again and again until something is as it should be."""
    deadline = time.monotonic() + PATIENCE
    while not reached(seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(seen)
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


@contextmanager
def easee_cloud(folder: Path, *more: str) -> Iterator[Cloud]:
    """Run an Easee cloud; `more` is for its command line."""
    log = folder / "easee_cloud.log"
    port, control_port = free_port(), free_port()
    control_url = f"http://127.0.0.1:{control_port}"
    ports = ("--port", str(port), "--control-port", str(control_port))
    with running("simulators.easee_cloud", *ports, *more, log=log) as process:
        wait_until_served(f"{control_url}/state", process, log)
        yield Cloud(f"http://127.0.0.1:{port}", control_url)
