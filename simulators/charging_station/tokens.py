"""Tokens: the list that the central system keeps here, and what the station learnt."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from .connector import Connector
from .misbehaviour import Misbehaviour

if TYPE_CHECKING:
    from .v16 import ChargingStation16

type Info = dict[str, Any]
"""What is known of a token (OCPP 1.6 7.28 IdTagInfo)."""

UNSUPPORTED = -1


class Tokens:
    """The part of a station that knows who may charge; tokens know no case."""

    def __init__(self, station: ChargingStation16) -> None:
        """Serve one station that knows nobody."""
        self._station = station
        self.version = 0
        self.listed: dict[str, Info] = {}
        """The local authorization list."""
        self.cache: dict[str, Info] = {}
        """What the central system said of those who came, as far as it is not listed."""
        self.handlers = {
            "ClearCache": self._clear_cache,
            "GetLocalListVersion": self._list_version,
            "SendLocalList": self._send_list,
        }

    # Who may charge

    async def accepts(self, id_tag: str) -> bool:
        """Return whether a token may charge, asking whom there is to ask."""
        station = self._station
        known = self.known(id_tag)
        if station.listened_to:
            if station.flag("LocalPreAuthorize") and self._good(known):
                return True
            answer = await station.call("Authorize", {"idTag": id_tag})
            info: Info = answer["idTagInfo"]
            self.learn(id_tag, info)
            return self._good(info)
        if station.flag("LocalAuthorizeOffline") and known is not None:
            return self._good(known)
        return station.flag("AllowOfflineTxForUnknownId")

    def known(self, id_tag: str) -> Info | None:
        """Return what the station knows by itself of a token; the list comes first."""
        station = self._station
        tag = id_tag.upper()
        if station.flag("LocalAuthListEnabled") and tag in self.listed:
            return self.listed[tag]
        if station.flag("AuthorizationCacheEnabled"):
            return self.cache.get(tag)
        return None

    def parent(self, id_tag: str) -> str | None:
        """Return the group that a token belongs to, if any is known."""
        info = self.listed.get(id_tag.upper()) or self.cache.get(id_tag.upper())
        return info.get("parentIdTag") if info else None

    def related(self, one: str, other: str) -> bool:
        """Return whether two tokens are the same, or of the same group."""
        if one.upper() == other.upper():
            return True
        group = self.parent(one)
        return group is not None and group == self.parent(other)

    def learn(self, id_tag: str, info: Info) -> None:
        """Remember what the central system said of a token (OCPP 1.6 3.5.1)."""
        if self._station.flag("AuthorizationCacheEnabled"):
            self.cache[id_tag.upper()] = info
            self._station.remember()

    def _good(self, info: Info | None) -> bool:
        """Return whether a token is accepted and has not expired."""
        if info is None or info["status"] != "Accepted":
            return False
        until = info.get("expiryDate")
        return until is None or datetime.fromisoformat(until) > self._station.clock()

    # What people do

    async def swipe(self, id_tag: str, connector: Connector) -> bool:
        """Present a token; return whether it started, or ended, something."""
        station = self._station
        if (transaction := connector.transaction) is not None:
            if transaction.id_tag != id_tag and self.parent(transaction.id_tag):
                await self.accepts(id_tag)  # Only the answer tells its group.
            if not self.related(transaction.id_tag, id_tag):
                return False
            await station.sessions.stop(connector, "Local", id_tag=id_tag)
            return True
        if connector.blocked or not await self.accepts(id_tag):
            return False
        if not station.reservations.admit(connector, id_tag):
            return False
        await self.authorize(connector, id_tag)
        return True

    async def remote(self, connector: Connector, id_tag: str) -> None:
        """Let a token charge that the central system named."""
        asked = self._station.flag("AuthorizeRemoteTxRequests")
        if not asked or await self.accepts(id_tag):
            await self.authorize(connector, id_tag)

    async def authorize(self, connector: Connector, id_tag: str) -> None:
        """Let a token charge: now if a vehicle is there, else when one comes."""
        connector.authorized = id_tag
        if connector.vehicle is not None:
            await self._station.sessions.start(connector, id_tag)
        else:
            await self._station.set_status(connector, "Preparing")

    # What the central system asks for

    async def _clear_cache(self, payload: dict[str, Any]) -> dict[str, Any]:
        """OCPP 1.6 5.4; the list stays."""
        if not self._station.flag("AuthorizationCacheEnabled"):
            return {"status": "Rejected"}
        self.cache.clear()
        return {"status": "Accepted"}

    @property
    def _supported(self) -> bool:
        station = self._station
        denied = Misbehaviour.LIST_NOT_SUPPORTED in station.misbehaviours
        return station.flag("LocalAuthListEnabled") and not denied

    async def _list_version(self, payload: dict[str, Any]) -> dict[str, Any]:
        """OCPP 1.6 5.10."""
        return {"listVersion": self.version if self._supported else UNSUPPORTED}

    async def _send_list(self, payload: dict[str, Any]) -> dict[str, Any]:
        """OCPP 1.6 5.15."""
        station = self._station
        if not self._supported:
            return {"status": "NotSupported"}
        version = payload["listVersion"]
        differential = payload["updateType"] == "Differential"
        mismatch = Misbehaviour.LIST_VERSION_MISMATCH in station.misbehaviours
        if differential and (mismatch or version <= self.version):
            return {"status": "VersionMismatch"}
        entries = self._merged(payload.get("localAuthorizationList", []), differential)
        if entries is None or version <= 0:
            return {"status": "Failed"}
        if Misbehaviour.LIST_FAILS in station.misbehaviours:
            return {"status": "Failed"}
        self.version, self.listed = version, entries
        for tag in entries:
            self.cache.pop(tag, None)
        return {"status": "Accepted"}

    def _merged(
        self, lines: list[dict[str, Any]], differential: bool
    ) -> dict[str, Info] | None:
        """Return the list after an update; None if that is not possible."""
        if len(lines) > self._station.number("SendLocalListMaxLength"):
            return None
        entries = dict(self.listed) if differential else {}
        for line in lines:
            tag = line["idTag"].upper()
            if (info := line.get("idTagInfo")) is not None:
                entries[tag] = info
            elif differential:
                entries.pop(tag, None)
            else:
                return None
        if len(entries) > self._station.number("LocalAuthListMaxLength"):
            return None
        return entries

    # Memory

    def rebooted(self) -> None:
        """Forget what this station forgets at a reboot."""
        if Misbehaviour.FORGET_LIST_ON_REBOOT in self._station.misbehaviours:
            self.version, self.listed = 0, {}

    def dump(self) -> dict[str, Any]:
        """Return what survives a loss of power."""
        return {"version": self.version, "listed": self.listed, "cache": self.cache}

    def load(self, kept: dict[str, Any]) -> None:
        """Take what survived."""
        self.version, self.listed = kept["version"], kept["listed"]
        self.cache = kept["cache"]
