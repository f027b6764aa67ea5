"""A Home Assistant in another process that can be killed, and its API."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
import json
import os
from pathlib import Path
import signal
import sqlite3
import subprocess
import sys
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientError, ClientSession

from tests.browser.processes import LOG, PASSWORD, PATIENCE, ROOT, USER, free_port

DOMAIN = "ev_charger_hub"
PAUSE = 0.1
"""Between two looks at another process, in s."""


async def until[T](look: Callable[[], Awaitable[T | None]]) -> T:
    """Look again and again until there is something to see."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await look()):
            await asyncio.sleep(PAUSE)
        return found


class Server:
    """One Home Assistant over several processes, with one approved charger."""

    def __init__(
        self,
        folder: Path,
        charger: str,
        *,
        fallback: int | None = None,
        secured: str | None = None,
        easee: Mapping[str, str] | None = None,
        name: str = "Demo charger",
    ) -> None:
        """Prepare its configuration; it does not run yet.

        `fallback` is in A; `secured` is the password of the charger at a server that
        encrypts as well. `easee` are the variables by which a virtual Easee cloud is
        found: there is no OCPP server then. `name` is what the charger is called.
        """
        self._folder = folder
        self._environment = os.environ | (easee or {})
        self._name = name
        self._charger = charger
        self._config = folder / "config"
        self._url = f"http://127.0.0.1:{(port := free_port())}"
        self.ocpp_port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._http: ClientSession | None = None
        self._token = ""
        login = ("--user", USER, "--password", PASSWORD)
        ocpp: tuple[str, ...] = ()
        if easee is None:
            ocpp = ("--ocpp-port", str(self.ocpp_port), "--charger", charger)
        more: tuple[str, ...] = ()
        if fallback is not None:
            more = ("--fallback", str(fallback))
        if secured is not None:
            more += ("--charger-password", secured, "--own-authority")
        prepare: tuple[str | Path, ...] = (
            self._config,
            "--port",
            str(port),
            *login,
            *ocpp,
            *more,
        )
        subprocess.run(
            [sys.executable, "-m", "scripts.lib.prepare_config", *prepare],
            cwd=ROOT,
            check=True,
        )

    @property
    def log(self) -> str:
        """Return what every process logged."""
        return (self._folder / LOG).read_text(encoding="utf-8")

    async def __aenter__(self) -> Self:
        """Open the client of the API."""
        self._http = ClientSession()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End what still runs."""
        self.kill()
        if self._http is not None:
            await self._http.close()

    async def start(self) -> None:
        """Start, and wait until it runs and lets the user in, or is killed meanwhile."""
        self._spawn()
        for look in (self._log_in, self._runs):
            await until(partial(self._killed_or, look))

    async def _killed_or(self, look: Callable[[], Awaitable[bool]]) -> bool:
        """Return whether something is so, or there is nothing to look at any more."""
        try:
            return self._process is None or await look()
        except ClientError:
            if self._process is not None:
                raise
            return True

    def _spawn(self) -> None:
        """Start a process."""
        command = ("homeassistant", "--config", str(self._config), "--skip-pip")
        with (self._folder / LOG).open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env=self._environment,
                stdout=output,
                stderr=output,
            )

    def freeze(self) -> None:
        """Stop it from reading what comes in."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)

    def kill(self) -> None:
        """End it without a warning."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def entity(self, key: str, platform: str = "sensor") -> str | None:
        """Return the state of an entity of the charger, None if it has none."""
        found: list[dict[str, Any]] = await self._api("GET", "states")
        states = {one["entity_id"]: one["state"] for one in found}
        slug = self._name.lower().replace(" ", "_")
        return states.get(f"{platform}.{slug}_{key}")

    async def sessions(self) -> list[dict[str, Any]]:
        """Return the session records, newest first."""
        answer = await self.act("get_sessions")
        sessions: list[dict[str, Any]] = answer["sessions"]
        return sessions

    async def act(self, action: str, **data: Any) -> dict[str, Any]:
        """Do an action with the charger and return its response."""
        template = f"{{{{ device_id('{self._name}') }}}}"
        device = await self._api("POST", "template", {"template": template})
        path = f"services/{DOMAIN}/{action}?return_response"
        answer = await self._api("POST", path, {"device_id": device, **data})
        response: dict[str, Any] = answer["service_response"]
        return response

    async def add_entry(self, *forms: dict[str, Any]) -> None:
        """Fill in the forms of a new entry, and wait until it outlives a kill."""
        path = "config/config_entries/flow"
        answer = await self._api("POST", path, {"handler": DOMAIN})
        for form in forms:
            answer = await self._api("POST", f"{path}/{answer['flow_id']}", form)
        entry: dict[str, Any] = answer["result"]
        stored = self._config / ".storage" / "core.config_entries"

        async def kept() -> bool:
            # It is replaced as a whole, and not there before the first time.
            return stored.exists() and entry["entry_id"] in stored.read_text(
                encoding="utf-8"
            )

        # Home Assistant takes a second to write it down.
        await until(kept)

    async def asked(self) -> list[str]:
        """Return why the user is asked for something, once for each form."""
        assert self._http is not None
        async with self._http.ws_connect(f"{self._url}/api/websocket") as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": self._token})
            await socket.receive_json()
            await socket.send_json({"id": 1, "type": "config_entries/flow/progress"})
            flows = (await socket.receive_json())["result"]
        return [one["context"]["source"] for one in flows if one["handler"] == DOMAIN]

    def kept(self, fact: str) -> Any:
        """Return a fact of the charger that a restart would bring back."""
        path = self._config / DOMAIN / "journal.db"
        journal = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            row = journal.execute(
                "SELECT value FROM facts WHERE identity = ? AND name = ?",
                (self._charger, fact),
            ).fetchone()
        finally:
            journal.close()
        return None if row is None else json.loads(row[0])

    async def download(self, link: str) -> bytes:
        """Return the file that a link leads to for whoever has it."""
        assert self._http is not None
        async with self._http.get(
            f"{self._url}{link}", raise_for_status=True
        ) as response:
            return await response.read()

    def kept_status(self) -> str | None:
        """Return the status that a restart would bring back."""
        kept = self.kept("snapshot")
        if kept is None or "1" not in (evses := kept["evses"]):
            return None
        status: str | None = evses["1"]["status"]
        return status

    async def _log_in(self) -> bool:
        """Get a token; return whether that worked."""
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(self.log)
        assert self._http is not None
        client = {"client_id": f"{self._url}/"}
        flow = {
            **client,
            "handler": ["homeassistant", None],
            "redirect_uri": f"{self._url}/",
        }
        who = {**client, "username": USER, "password": PASSWORD}
        path = f"{self._url}/auth"
        try:
            async with self._http.post(f"{path}/login_flow", json=flow) as response:
                if response.status != 200:
                    return False
                flow_id = (await response.json())["flow_id"]
            async with self._http.post(
                f"{path}/login_flow/{flow_id}", json=who
            ) as response:
                code = (await response.json())["result"]
            form = {**client, "grant_type": "authorization_code", "code": code}
            async with self._http.post(f"{path}/token", data=form) as response:
                self._token = (await response.json())["access_token"]
        except ClientError:
            return False
        return True

    async def _runs(self) -> bool:
        """Return whether the start has come to its end."""
        config = await self._api("GET", "config")
        return bool(config["state"] == "RUNNING")

    async def _api(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer of the REST API."""
        assert self._http is not None
        async with self._http.request(
            method,
            f"{self._url}/api/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self._token}"},
            raise_for_status=True,
        ) as response:
            if response.content_type == "application/json":
                return await response.json()
            return await response.text()
