"""Security: ways to the central system, password, certificates, events (block A, M)."""

import asyncio
from base64 import b64encode
import json
from ssl import SSLContext
from typing import TYPE_CHECKING, Any

from aiohttp import ClientConnectorCertificateError, ClientError, WSServerHandshakeError

from ..certificates import chain_problem, hash_data, new_key, read, signing_request
from ..clock import stamp
from ..tls import client_context
from .values import Json, present

if TYPE_CHECKING:
    from .station import ChargingStation

CSMS_ROOT = "CSMSRootCertificate"
CRITICAL = {
    "AttemptedReplayAttacks",
    "FailedToAuthenticateAtCsms",
    "FirmwareUpdated",
    "InvalidCentralSystemCertificate",
    "InvalidChargingStationCertificate",
    "InvalidCsmsCertificate",
    "InvalidFirmwareSignature",
    "InvalidFirmwareSigningCertificate",
    "InvalidMessages",
    "MemoryExhaustion",
    "ResetOrReboot",
    "SecurityLogWasCleared",
    "SettingSystemTime",
    "StartupOfTheDevice",
    "TamperDetectionActivated",
}
HIGHEST = 3
KEPT_EVENTS = 200
ROOTS = (
    "CSMSRootCertificate",
    "MORootCertificate",
    "ManufacturerRootCertificate",
    "V2GRootCertificate",
)


class Security:
    """The part of a station that proves who it is, and doubts who others are."""

    def __init__(
        self, station: ChargingStation, url: str, password: str | None, profile: int
    ) -> None:
        """Serve one station that left the factory with one way to dial."""
        self._station = station
        self.password = password
        self.networks: dict[int, Json] = {
            1: {"ocppCsmsUrl": url, "securityProfile": profile}
        }
        """The ways to a central system, by slot."""
        self.slot = 1
        self.roots: dict[str, list[str]] = {kind: [] for kind in ROOTS}
        self.key: str | None = None
        self.chain: str | None = None
        """The own certificate and those between it and the root, as PEM."""
        self.requested_key: str | None = None
        self._requests = 0
        self.events: list[Json] = []
        """The security log, oldest first."""
        self.handlers = {
            "CertificateSigned": self._certificate_signed,
            "DeleteCertificate": self._delete,
            "GetInstalledCertificateIds": self._list,
            "InstallCertificate": self._install,
        }
        self._show()

    # The way to the central system

    @property
    def profile(self) -> int:
        """Return the security profile in use."""
        return int(self.networks[self.slot]["securityProfile"])

    def address(self) -> str:
        """Return where to dial."""
        url = str(self.networks[self.slot]["ocppCsmsUrl"]).rstrip("/")
        _, _, rest = url.partition("://")
        rest = rest.removesuffix(f"/{self._station.identity}")
        scheme = "wss" if self.profile >= 2 else "ws"
        return f"{scheme}://{rest}/{self._station.identity}"

    def headers(self) -> dict[str, str]:
        """Return what proves who is dialling, where a password does (profiles 0-2)."""
        if self.password is None or self.profile == HIGHEST:
            return {}
        secret = f"{self._station.identity}:{self.password}".encode()
        return {"Authorization": f"Basic {b64encode(secret).decode()}"}

    async def tls(self) -> SSLContext | None:
        """Return how to dial, made beside the event loop; None without TLS."""
        if self.profile < 2:
            return None
        own = self.profile == HIGHEST
        return await asyncio.to_thread(
            client_context,
            [*self.roots[CSMS_ROOT]],
            chain=self.chain if own else None,
            key=self.key if own else None,
        )

    def turned_away(self, err: ClientError) -> None:
        """Take note of a connection that did not come about, and try the next way."""
        if isinstance(err, ClientConnectorCertificateError):
            self.event("InvalidCsmsCertificate")
        elif isinstance(err, WSServerHandshakeError) and err.status == 401:
            self.event("FailedToAuthenticateAtCsms")
        priority = self._priority
        here = priority.index(self.slot) if self.slot in priority else -1
        self.slot = priority[(here + 1) % len(priority)]

    @property
    def _priority(self) -> list[int]:
        """Return the slots that are tried, in order."""
        listed = self._station.model.members(
            "OCPPCommCtrlr.NetworkConfigurationPriority"
        )
        found = [int(one) for one in listed if int(one) in self.networks]
        return found or [min(self.networks)]

    def arrived(self) -> None:
        """Never go back to a lower profile than the one that worked (A05)."""
        profile = self.profile
        self.networks = {
            slot: one
            for slot, one in self.networks.items()
            if one["securityProfile"] >= profile
        }
        self._show()

    def power_up(self) -> None:
        """Begin with the first way."""
        self.slot = self._priority[0]

    def set_network(self, slot: int, data: Json) -> str:
        """Return the answer to a new way to a central system (B09)."""
        profile = data["securityProfile"]
        if profile < self.profile or profile > HIGHEST:
            return "Rejected"
        if data["ocppTransport"] != "JSON":
            return "Rejected"
        if profile == HIGHEST and self.chain is None:
            return "Rejected"
        if profile >= 2 and not self.roots[CSMS_ROOT]:
            return "Rejected"
        self.networks[slot] = data
        self._show()
        return "Accepted"

    def _show(self) -> None:
        """Have the device model say what is so."""
        model = self._station.model
        told = [
            {"configurationSlot": slot, "connectionData": data}
            for slot, data in self.networks.items()
        ]
        text = json.dumps(told, separators=(",", ":"))
        model.put("InternalCtrlr.NetworkConnectionProfiles", text)
        model.put("SecurityCtrlr.SecurityProfile", str(self.profile))
        model.put("OCPPCommCtrlr.ActiveNetworkProfile", str(self.slot))

    async def password_changed(self) -> None:
        """Dial in again with the new password (A01)."""
        password = self._station.model.text("SecurityCtrlr.BasicAuthPassword")
        self.password = password
        self._station.remember()
        self._station.later(self._station.redial())

    # The own certificate

    async def request_certificate(self) -> None:
        """Send SignCertificate for a new key (A02), silently nothing where names lack."""
        station, model = self._station, self._station.model
        organization = model.text("SecurityCtrlr.OrganizationName")
        if not organization or not model.text("ISO15118Ctrlr.CountryName"):
            return
        key = await asyncio.to_thread(new_key, "ec")
        self.requested_key = key
        self._requests += 1
        station.remember()
        name = model.text("InternalCtrlr.ChargeBoxSerialNumber")
        answer = await station.queue.post(
            "SignCertificate",
            {
                "certificateType": "ChargingStationCertificate",
                "csr": signing_request(key, name, organization),
            },
            asked=True,
        )
        if answer["status"] != "Accepted":
            self._requests, self.requested_key = 0, None
            return
        self._ask_again(key)

    def _ask_again(self, key: str) -> None:
        """Ask once more where no certificate comes (A02.FR.17 to FR.19)."""
        model = self._station.model
        times = model.number("SecurityCtrlr.CertSigningRepeatTimes", 2)
        if self._requests > times:
            return
        wait = max(10, model.number("SecurityCtrlr.CertSigningWaitMinimum", 30))

        async def again() -> None:
            if self.requested_key == key:
                self._station.later(self.request_certificate())

        self._station.timers.after(wait * 2 ** (self._requests - 1), again)

    async def _certificate_signed(self, payload: Json) -> Json:
        """OCPP 2.0.1 A02; what is wrong with it is an event too."""
        station, chain = self._station, payload["certificateChain"]
        problem: str | None = "nothing was requested"
        if self.requested_key is not None:
            roots = self.roots[CSMS_ROOT]
            problem = chain_problem(
                chain, roots, station.clock(), key_pem=self.requested_key
            )
        if problem is not None:
            self.event("InvalidChargingStationCertificate", problem)
            return {"status": "Rejected"}
        self.key, self.requested_key, self.chain = self.requested_key, None, chain
        self._requests = 0
        station.remember()
        if self.profile == HIGHEST:

            async def dial() -> None:
                station.later(station.redial())

            station.afterwards(dial)
        return {"status": "Accepted"}

    # Roots

    async def _install(self, payload: Json) -> Json:
        """OCPP 2.0.1 M05."""
        kind, pem = payload["certificateType"], payload["certificate"]
        if kind not in self.roots:
            return {"status": "Rejected"}
        try:
            certificate = read(pem)
        except ValueError:
            return {"status": "Rejected"}
        if certificate.not_valid_after_utc <= self._station.clock():
            return {"status": "Rejected"}
        most = self._station.model.number("SecurityCtrlr.CertificateEntries", 100)
        if pem not in self.roots[kind]:
            if sum(map(len, self.roots.values())) >= most:
                return {"status": "Failed"}
            self.roots[kind].append(pem)
            self._station.remember()
        self.event("ReconfigurationOfSecurityParameters", f"{kind} installed")
        return {"status": "Accepted"}

    async def _list(self, payload: Json) -> Json:
        """OCPP 2.0.1 M03."""
        wanted = payload.get("certificateType", ROOTS)
        found = [
            {"certificateHashData": hash_data(pem), "certificateType": kind}
            for kind in ROOTS
            if kind in wanted
            for pem in self.roots[kind]
        ]
        if not found:
            return {"status": "NotFound"}
        return {"certificateHashDataChain": found, "status": "Accepted"}

    async def _delete(self, payload: Json) -> Json:
        """OCPP 2.0.1 M04; the root that the connection rests on stays."""
        named = payload["certificateHashData"]
        for kind, pems in self.roots.items():
            for pem in pems:
                if hash_data(pem) != named:
                    continue
                if kind == CSMS_ROOT and self.profile >= 2 and len(pems) == 1:
                    return {"status": "Failed"}
                pems.remove(pem)
                self._station.remember()
                return {"status": "Accepted"}
        return {"status": "NotFound"}

    # Events and memory

    def event(
        self,
        kind: str,
        info: str | None = None,
        *,
        critical: bool | None = None,
        timestamp: str | None = None,
    ) -> None:
        """Log a security event, and tell of it where it is critical (A04)."""
        at = timestamp or stamp(self._station.clock())
        event = present(type=kind, techInfo=info, timestamp=at)
        self.events = [*self.events, event][-KEPT_EVENTS:]
        if (kind in CRITICAL) if critical is None else critical:
            self._station.queue.post("SecurityEventNotification", event, kept=True)

    def trust(self, pems: list[str], kind: str = CSMS_ROOT) -> None:
        """Have root certificates (PEM) from the factory."""
        self.roots[kind] += [pem for pem in pems if pem not in self.roots[kind]]

    def dump(self) -> Json:
        """Return what survives a loss of power."""
        return {
            "password": self.password,
            "networks": [[slot, data] for slot, data in self.networks.items()],
            "slot": self.slot,
            "roots": self.roots,
            "key": self.key,
            "chain": self.chain,
            "requested_key": self.requested_key,
            "events": self.events,
        }

    def load(self, kept: dict[str, Any]) -> None:
        """Take what survived."""
        self.password = kept["password"]
        self.networks = dict(kept["networks"])
        self.slot, self.roots = kept["slot"], kept["roots"]
        self.key, self.chain = kept["key"], kept["chain"]
        self.requested_key, self.events = kept["requested_key"], kept["events"]
        self._show()
