"""A charger with a local authorization list, and what may go wrong with it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast, override

from custom_components.ev_charger_hub.ocpp.errors import (
    CallInterrupted,
    CallNotSent,
    CallTimeout,
)
from custom_components.ev_charger_hub.station.authorization import Verdict
from custom_components.ev_charger_hub.station.enums import AuthorizationStatus
from custom_components.ev_charger_hub.station.local_list import LocalList
from tests.ocpp.v16.outbound import Charger

GOOD = Verdict(status=AuthorizationStatus.ACCEPTED)
BAD = Verdict(status=AuthorizationStatus.BLOCKED)

FAULTS = ("Failed", "VersionMismatch", "lost", "answer lost", "hung up", "gone")
"""What may become of a SendLocalList, beside going well."""


class ListCharger(Charger):
    """Keeps its list as OCPP 1.6 5.15 says: by version, full or by differences."""

    def __init__(self, **settings: Any) -> None:
        """Start with an empty list, and nobody to bring there."""
        self.tokens: dict[str, Verdict] = {}
        """Who may charge, as Home Assistant knows it."""
        self.version = 0
        self.list: dict[str, dict[str, str]] = {}
        self.faults: list[str] = []
        """What becomes of the next messages; good ones are empty."""
        super().__init__(**settings)
        self.keys |= {
            "LocalAuthListEnabled": ("true", False),
            "LocalAuthListMaxLength": ("1000", True),
            "SendLocalListMaxLength": ("4", True),
        }
        self.handlers |= {
            "GetLocalListVersion": self._get_local_list_version,
            "SendLocalList": self._send_local_list,
        }
        self.station.local.set(True)

    @override
    def connect_hub(self) -> None:
        super().connect_hub()
        self.local_list = LocalList(
            self.station,
            cast(Any, self.journal),
            lambda: self.tokens,
            spawn=self._spawn,
            call_later=self.time.call_later,
        )

    @override
    async def restart_hub(self) -> None:
        """Forget what only memory holds, as after a restart of Home Assistant."""
        self.local_list.close()
        await super().restart_hub()
        await self.local_list.load()
        await self.learn()

    def forget(self) -> None:
        """Lose the list, as after a factory reset."""
        self.version, self.list = 0, {}

    def reconnect(self) -> None:
        """Go away and come again."""
        self.station.local.set(False)
        self.station.local.set(True)

    @property
    def content(self) -> dict[str, tuple[str, datetime | None, str | None]]:
        """Return what the list says of each token."""
        return {
            token: (
                info["status"],
                datetime.fromisoformat(info["expiryDate"])
                if "expiryDate" in info
                else None,
                info.get("parentIdTag"),
            )
            for token, info in self.list.items()
        }

    @property
    def updates(self) -> list[tuple[str, int, int]]:
        """Return kind, version and number of entries of every message so far."""
        return [
            (
                one["updateType"],
                one["listVersion"],
                len(one.get("localAuthorizationList", ())),
            )
            for one in self.sent("SendLocalList")
        ]

    def _get_local_list_version(self, payload: dict[str, Any]) -> dict[str, Any]:
        return {"listVersion": self.version}

    def _send_local_list(self, payload: dict[str, Any]) -> dict[str, Any]:
        match self.faults.pop(0) if self.faults else "":
            case "Failed" | "VersionMismatch" | "NotSupported" as word:
                return {"status": word}
            case "lost":
                raise CallTimeout
            case "answer lost":
                self._take(payload)
                raise CallTimeout
            case "hung up":
                self._take(payload)
                raise CallInterrupted
            case "gone":
                raise CallNotSent
        return {"status": self._take(payload)}

    def _take(self, payload: dict[str, Any]) -> str:
        entries = payload.get("localAuthorizationList", [])
        full = payload["updateType"] == "Full"
        if payload["listVersion"] <= 0 or len(entries) > 4:
            return "Failed"
        if not full and payload["listVersion"] <= self.version:
            return "VersionMismatch"
        after = {} if full else dict(self.list)
        for entry in entries:
            if (info := entry.get("idTagInfo")) is not None:
                after[entry["idTag"]] = info
            elif full:
                return "Failed"
            else:
                after.pop(entry["idTag"], None)
        if len(after) > int(self.keys["LocalAuthListMaxLength"][0] or 0):
            return "Failed"
        self.version, self.list = payload["listVersion"], after
        return "Accepted"


def said(
    tokens: Mapping[str, Verdict],
) -> dict[str, tuple[str, datetime | None, str | None]]:
    """Return what a list should say of tokens."""
    return {
        token: (verdict.status.capitalize(), verdict.expires, verdict.group)
        for token, verdict in tokens.items()
    }
