"""Authorization: tokens, the cache and the local list (blocks C and D)."""

from datetime import datetime
import json
from typing import TYPE_CHECKING, Any

from ..rpc import TROUBLE
from .uplink import CallError
from .values import IdToken, Json

if TYPE_CHECKING:
    from .station import ChargingStation


class Authorization:
    """The part of a station that decides who may charge."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station that knows nobody."""
        self._station = station
        self.cache: dict[str, Json] = {}
        self.entries: dict[str, Json] = {}
        """The local list: what is known of a token."""
        self.version = 0
        self.handlers = {
            "ClearCache": self._clear_cache,
            "GetLocalListVersion": self._get_version,
            "SendLocalList": self._send_list,
        }

    # Who may charge

    async def validate(self, token: IdToken) -> Json:
        """Return what is known of a token, asking the central system where needed."""
        station, model = self._station, self._station.model
        if token.type in ("Central", "NoAuthorization"):
            return {"status": "Accepted"}
        if not model.flag("AuthCtrlr.Enabled", otherwise=True):
            return {"status": "Accepted"}
        known = self._known(token)
        pre = model.flag("AuthCtrlr.LocalPreAuthorize")
        if station.connected and known is not None and pre:
            if known["status"] == "Accepted":
                return known
        if model.flag("AuthCtrlr.DisableRemoteAuthorization"):
            return known or {"status": "Unknown"}
        if not station.listened_to:
            return self._offline(known)
        try:
            answer = await station.queue.post("Authorize", {"idToken": token.wire()})
        except TROUBLE:
            return {"status": "Unknown"}
        info: Json = answer["idTokenInfo"]
        self.keep(token, info)
        if (tariff := answer.get("tariff")) is not None:
            station.tariffs.offered[token.id_token] = tariff
        return info

    def _offline(self, known: Json | None) -> Json:
        """C10, C15: the list and the cache, else the choice for the unknown."""
        model = self._station.model
        if known is not None and model.flag("AuthCtrlr.LocalAuthorizeOffline"):
            return known
        if known is None and model.flag("AuthCtrlr.OfflineTxForUnknownIdEnabled"):
            return {"status": "Accepted"}
        return {"status": "Unknown"}

    def _known(self, token: IdToken) -> Json | None:
        """Return what list and then cache say, if they say something that counts."""
        for enabled, kept in (
            ("LocalAuthListCtrlr.Enabled", self.entries),
            ("AuthCacheCtrlr.Enabled", self.cache),
        ):
            info = kept.get(_key(token.wire()))
            if info is not None and self._station.model.flag(enabled):
                return info if self._fresh(info) else {"status": "Expired"}
        return None

    def _fresh(self, info: Json) -> bool:
        if (until := info.get("cacheExpiryDateTime")) is None:
            return True
        return datetime.fromisoformat(until) > self._station.clock()

    def keep(self, token: IdToken, info: Json) -> None:
        """Remember what the central system said of a token (C12)."""
        local = token.type in ("Central", "NoAuthorization")
        if self._station.model.flag("AuthCacheCtrlr.Enabled") and not local:
            self.cache[_key(token.wire())] = info
            self._station.remember()

    def known(self, token: IdToken) -> Json | None:
        """Return what list or cache hold of a token."""
        key = _key(token.wire())
        return self.entries.get(key) or self.cache.get(key)

    def forget(self, token: IdToken) -> None:
        """Forget a token in the cache; the list is the central system's."""
        self.cache.pop(_key(token.wire()), None)
        self._station.remember()

    def forget_list(self) -> None:
        """Have no list any more."""
        self.entries.clear()
        self.version = 0

    # What the central system asks for

    async def _clear_cache(self, payload: Json) -> Json:
        """OCPP 2.0.1 C11."""
        if not self._station.model.flag("AuthCacheCtrlr.Enabled"):
            return {"status": "Rejected"}
        self.cache.clear()
        self._station.remember()
        return {"status": "Accepted"}

    async def _get_version(self, payload: Json) -> Json:
        """OCPP 2.0.1 D02."""
        return {"versionNumber": self.version}

    async def _send_list(self, payload: Json) -> Json:
        """OCPP 2.0.1 D01."""
        entries = payload.get("localAuthorizationList", [])
        self._check_size(entries)
        number, full = payload["versionNumber"], payload["updateType"] == "Full"
        if not self._station.model.flag("LocalAuthListCtrlr.Enabled") or number <= 0:
            return {"status": "Failed"}
        if not full and number <= self.version:
            return {"status": "VersionMismatch"}
        tokens = [_key(one["idToken"]) for one in entries]
        if len({*tokens}) != len(tokens):
            return {"status": "Failed"}
        if full and any("idTokenInfo" not in one for one in entries):
            return {"status": "Failed"}
        self._update(entries, full=full)
        self.version = number
        self._station.remember()
        return {"status": "Accepted"}

    def _check_size(self, entries: list[Json]) -> None:
        model = self._station.model
        length = len(json.dumps(entries, separators=(",", ":")).encode())
        if len(entries) > model.number("LocalAuthListCtrlr.ItemsPerMessage", 250):
            raise CallError("OccurrenceConstraintViolation", "too many items")
        if length > model.number("LocalAuthListCtrlr.BytesPerMessage", 4096):
            raise CallError("FormatViolation", "too many bytes")

    def _update(self, entries: list[Json], *, full: bool) -> None:
        if full:
            self.entries.clear()
        for entry in entries:
            key = _key(entry["idToken"])
            if "idTokenInfo" in entry:
                self.entries[key] = entry["idTokenInfo"]
            else:
                self.entries.pop(key, None)
        self._station.model.put("LocalAuthListCtrlr.Entries", str(len(self.entries)))

    # Memory

    def dump(self) -> Json:
        """Return what survives a loss of power."""
        return {"cache": self.cache, "entries": self.entries, "version": self.version}

    def load(self, kept: dict[str, Any]) -> None:
        """Take what survived."""
        self.cache, self.version = kept["cache"], kept["version"]
        self.entries = kept["entries"]
        self._station.model.put("LocalAuthListCtrlr.Entries", str(len(self.entries)))


def _key(token: Json) -> str:
    """Return what a token is kept under; tokens are the same in upper and lower case."""
    return f"{token['type']} {token['idToken'].upper()}"
