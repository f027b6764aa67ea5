"""Security: profiles 0 to 3, the password, the own certificate and events."""

import asyncio
from base64 import b64encode
import binascii
from collections.abc import Iterable
from ssl import SSLContext
from typing import TYPE_CHECKING, Any

from aiohttp import ClientConnectorCertificateError, WSServerHandshakeError

from .certificates import KeyKind, chain_problem, new_key, read, signing_request
from .clock import stamp
from .misbehaviour import Misbehaviour
from .store import CENTRAL_SYSTEM, MANUFACTURER, CertificateStore
from .tls import client_context

if TYPE_CHECKING:
    from .v16 import ChargingStation16

HIGHEST = 3
KEY_LENGTHS = range(16, 41)
KEPT_EVENTS = 200


class Security:
    """The part of a station that proves who it is, and doubts who others are."""

    def __init__(self, station: ChargingStation16, profile: int) -> None:
        """Serve one station that left the factory on a security profile."""
        self._station = station
        self.profile = profile
        """The profile in use; the configuration key counts from the next start on."""
        self.previous: int | None = None
        """The profile before this one, until a connection proved this one right."""
        self.store = CertificateStore(station)
        self.key_kind: KeyKind = station.vendor.key_kind
        self.key: str | None = None
        self.chain: str | None = None
        """The own certificate and those between it and the root, as PEM."""
        self.requested_key: str | None = None
        """The key of the request that no certificate came for yet."""
        self.events: list[dict[str, Any]] = []
        """The security log, oldest first."""
        self.handlers = {
            "CertificateSigned": self._certificate_signed,
            **self.store.handlers,
        }

    # The way to the central system

    def address(self, url: str) -> str:
        """Return where to dial with the profile in use."""
        _, _, rest = url.partition("://")
        return f"{'wss' if self.profile >= 2 else 'ws'}://{rest}"

    def headers(self) -> dict[str, str]:
        """Return what proves who is dialling, where a password does (profiles 0-2)."""
        station = self._station
        if station.password is None or self.profile == HIGHEST:
            return {}
        secret = b64encode(station.identity.encode() + b":" + self._secret).decode()
        return {"Authorization": f"Basic {secret}"}

    @property
    def _secret(self) -> bytes:
        """Return the password as it goes over the wire (hex stands for bytes)."""
        station = self._station
        text = station.password or ""
        if Misbehaviour.KEY_AS_TEXT in station.misbehaviours or len(text) < 32:
            return text.encode()
        try:
            return binascii.unhexlify(text)
        except ValueError:
            return text.encode()

    async def tls(self) -> SSLContext | None:
        """Return how to dial, made beside the event loop; None without TLS."""
        if self.profile < 2:
            return None
        own = self.profile == HIGHEST
        return await asyncio.to_thread(
            client_context,
            list(self.store.central_system),
            chain=self.chain if own else None,
            key=self.key if own else None,
            ciphers=self._station.vendor.ciphers,
            careless=Misbehaviour.TRUST_ANYONE in self._station.misbehaviours,
        )

    def turned_away(self, err: Exception) -> None:
        """Take note of a connection that did not come about."""
        if isinstance(err, ClientConnectorCertificateError):
            self.event("InvalidCentralSystemCertificate")
        elif isinstance(err, WSServerHandshakeError) and err.status in (401, 403):
            self.event("FailedToAuthenticateAtCentralSystem")
        if (
            Misbehaviour.FALL_BACK_PROFILE in self._station.misbehaviours
            and self.previous is not None
        ):
            self._settle(self.previous)
            self.previous = None
        self._station.remember()

    def arrived(self) -> None:
        """Take note that the profile in use works."""
        self.previous = None

    def power_up(self) -> None:
        """Begin to use the profile that is configured."""
        key = self._station.keys.get("SecurityProfile")
        if key is None or (wanted := int(key.value or 0)) == self.profile:
            return
        if Misbehaviour.FORGET_SECURITY_PROFILE in self._station.misbehaviours:
            key.value = str(self.profile)
            return
        self.previous, self.profile = self.profile, wanted

    def _settle(self, profile: int) -> None:
        self.profile = profile
        self._station.keys["SecurityProfile"].value = str(profile)

    # What is configured

    def change(self, name: str, value: str) -> str | None:
        """Return the answer to a change of a security key; None for other keys."""
        match name:
            case "AuthorizationKey":
                return self._change_password(value)
            case "SecurityProfile":
                return self._change_profile(value)
            case _:
                return None

    def _change_password(self, value: str) -> str:
        """Security A.1: 16 bytes at least; used from the next connection on."""
        station = self._station
        if (
            len(value) not in KEY_LENGTHS
            or Misbehaviour.REJECT_AUTHORIZATION_KEY in station.misbehaviours
        ):
            return "Rejected"
        if Misbehaviour.IGNORE_AUTHORIZATION_KEY not in station.misbehaviours:
            station.password = value
            self.event("ReconfigurationOfSecurityParameters", "AuthorizationKey")
            station.later(station.redial())
        return "Accepted"

    def _change_profile(self, value: str) -> str:
        """Security A.1: never lower, and only where nothing is missing for it."""
        station = self._station
        key = station.keys["SecurityProfile"]
        if not value.isdecimal() or not int(key.value or 0) <= int(value) <= HIGHEST:
            return "Rejected"
        if self._lacks(int(value)):
            return "Rejected"
        if value != key.value:
            key.value = value
            self.event("ReconfigurationOfSecurityParameters", "SecurityProfile")
            if Misbehaviour.SWITCH_AT_ONCE in station.misbehaviours:
                self.power_up()
                station.later(station.redial())
        return "Accepted"

    def _lacks(self, profile: int) -> bool:
        """Return whether something is missing that a profile needs."""
        if profile in (1, 2) and self._station.password is None:
            return True
        if profile >= 2 and not self.store.central_system:
            return Misbehaviour.TRUST_ANYONE not in self._station.misbehaviours
        return profile == HIGHEST and self.chain is None

    # The own certificate

    async def request_certificate(self) -> None:
        """Send SignCertificate for a new key (Security 5.16)."""
        station = self._station
        moods = station.misbehaviours
        if Misbehaviour.NEVER_SIGN in moods:
            return
        self.requested_key = key = await asyncio.to_thread(new_key, self.key_kind)
        station.remember()
        name = station.common_name
        if Misbehaviour.WRONG_COMMON_NAME in moods:
            name = f"{name}-2"
        organization = station.keys["CpoName"].value
        csr = signing_request(key, name, organization)
        if Misbehaviour.BROKEN_REQUEST in moods:
            csr = csr.replace("\n", "\n\n", 2)[:200]
        await station.call("SignCertificate", {"csr": csr})

    async def _certificate_signed(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Security 5.2; what is wrong with it is an event too (TC_077)."""
        chain = payload["certificateChain"]
        moods = self._station.misbehaviours
        if (problem := self._objection(chain)) is not None:
            self.event("InvalidChargePointCertificate", problem)
            return {"status": "Rejected"}
        if Misbehaviour.IGNORE_SIGNED not in moods:
            self.key, self.requested_key = self.requested_key, None
            self.chain = chain
            if self.profile == HIGHEST:
                self._station.later(self._station.redial())
        return {"status": "Accepted"}

    def _objection(self, chain: str) -> str | None:
        """Return why a certificate is not taken, or None."""
        station = self._station
        if Misbehaviour.REJECT_CERTIFICATE in station.misbehaviours:
            return "no"
        if self.requested_key is None:
            return "nothing was requested"
        if len(chain) > int(station.keys["CertificateSignedMaxChainSize"].value or 0):
            return "too long"
        roots, now = self.store.central_system, station.clock()
        return chain_problem(chain, roots, now, key_pem=self.requested_key)

    # Events and memory

    def event(self, kind: str, info: str | None = None) -> None:
        """Log a security event, and tell of it as soon as possible (Security 5.15)."""
        station = self._station
        if not station.vendor.security:
            return
        event = {"type": kind, "timestamp": stamp(station.clock())}
        if info is not None:
            event["techInfo"] = info
        self.events = [*self.events, event][-KEPT_EVENTS:]
        station.outbox.post("SecurityEventNotification", event)

    def trust(self, roots: Iterable[str], manufacturer: Iterable[str] = ()) -> None:
        """Have root certificates (PEM) from the factory."""
        for kind, pems in ((CENTRAL_SYSTEM, roots), (MANUFACTURER, manufacturer)):
            held = self.store.roots[kind]
            held += [pem for pem in pems if pem not in held]

    def dump(self) -> dict[str, Any]:
        """Return what survives a loss of power."""
        return {
            "password": self._station.password,
            "profile": self.profile,
            "previous": self.previous,
            "roots": self.store.roots,
            "key": self.key,
            "chain": self.chain,
            "requested_key": self.requested_key,
            "events": self.events,
        }

    def load(self, kept: dict[str, Any]) -> None:
        """Take what survived."""
        self._station.password = kept["password"]
        self.profile = kept["profile"]
        self.previous = kept["previous"]
        self.store.roots = kept["roots"]
        self.key, self.chain = kept["key"], kept["chain"]
        self.requested_key = kept["requested_key"]
        self.events = kept["events"]

    def state(self) -> dict[str, Any]:
        """Return what the control interface shows; no secrets."""
        own = read(self.chain) if self.chain is not None else None
        return {
            "profile": self.profile,
            "password": self._station.password is not None,
            "roots": {kind: len(pems) for kind, pems in self.store.roots.items()},
            "certificate": own and f"{own.serial_number:x}",
            "certificate_until": own and own.not_valid_after_utc.isoformat(),
            "requested": self.requested_key is not None,
            "events": [event["type"] for event in self.events],
        }
