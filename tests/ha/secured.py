"""A charger with a password, certificates and security profiles (OCPP 1.6 Security)."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self, override

from aiohttp import ClientSession, ClientWebSocketResponse
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.ocsp import OCSPRequestBuilder
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from ..ocpp.certificates import (
    Key,
    client_context,
    ec_key,
    private_pem,
    signing_request,
)
from .charger import ACCEPTED, PATIENCE, Charger, Payload, Received
from .planted import plant
from custom_components.ev_charger_hub.const import CONF_TLS, DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.credentials import hash_password

IDENTITY = "CP01"
PASSWORD = "Kx7mPq2nRt9wYz4bCd6e"
REJECTED = {"status": "Rejected"}
ROOT = "CentralSystemRootCertificate"
STAMP = "2026-11-20T10:00:00Z"


class Securing:
    """What chargers of all versions do alike that keep certificates of roots."""

    __slots__ = ()

    roots: dict[str, list[str]]
    _session: ClientSession | None
    _ws: ClientWebSocketResponse | None
    _reader: asyncio.Task[None] | None
    _tasks: set[asyncio.Task[Any]]

    async def hang_up(self) -> None:
        """Close the socket only."""
        if self._ws is not None:
            await self._ws.close()
        if self._reader is not None:
            await self._reader
        if self._session is not None:
            await self._session.close()

    async def until(self, seen: Callable[[], bool]) -> None:
        """Wait until something is to be seen, while frames go back and forth."""
        async with asyncio.timeout(PATIENCE):
            while not seen():
                await asyncio.sleep(0)

    def _install(self, payload: Payload) -> Payload:
        use = self.roots.setdefault(payload["certificateType"], [])
        use.append(payload["certificate"])
        return dict(ACCEPTED)

    def _delete(self, payload: Payload) -> Payload:
        for roots in self.roots.values():
            for root in roots:
                if hash_data(root) == payload["certificateHashData"]:
                    roots.remove(root)
                    return dict(ACCEPTED)
        return {"status": "NotFound"}

    def _later(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@dataclass(kw_only=True, slots=True)
class SecuredCharger(Securing, Charger):
    """A charger that takes what it is told of its security, and comes back with it.

    `host` is where it dials, without a scheme: that is a matter of the profile.
    """

    folder: Path
    host: str
    profile: int = 1
    roots: dict[str, list[str]] = field(default_factory=dict)
    key: Key = field(default_factory=ec_key)
    chain: str = ""
    trusts_nobody: bool = True
    """Whether it asks for the server's certificate."""
    redials: int = 0
    order: list[str] = field(default_factory=list)
    """What came, in its order: actions, and answers to certificate requests."""
    asked: str = ""
    """The id of the newest certificate request."""
    promised: list[str] = field(default_factory=list)
    """What it was told of its certificate requests."""
    drops_at: set[str] = field(default_factory=set)
    """Configuration keys at which it hangs up instead of answering."""

    def __post_init__(self) -> None:
        """Know the messages of the security extension."""
        self.configuration["SecurityProfile"] = str(self.profile)
        self.configuration["AuthorizationKey"] = ""
        self.answers |= {
            "CertificateSigned": self.certificate_signed,
            "ChangeConfiguration": self._change,
            "DeleteCertificate": self._delete,
            "ExtendedTriggerMessage": self._extended_trigger,
            "GetInstalledCertificateIds": self._installed,
            "InstallCertificate": self._install,
            "Reset": self._reset,
        }

    async def dial(self, profile: int | None = None) -> Self:
        """Dial in with the profile that it was told, and boot."""
        self.profile = int(self.configuration["SecurityProfile"])
        used = self.profile if profile is None else profile
        scheme = "wss" if used >= 2 else "ws"
        self.url = f"{scheme}://{self.host}/ocpp"
        password, self.tls = self.password, None
        if used >= 2:
            roots = self.roots.get(ROOT, [])
            root = "\n".join(roots) if roots or self.trusts_nobody else None
            own = private_pem(self.key) + self.chain if used == 3 else ""
            self.tls = await asyncio.to_thread(
                lambda: client_context(root=root, certificate=own, folder=self.folder)
            )
        if used in {0, 3}:
            self.password = None
        try:
            await self.connect()
        finally:
            self.password = password
        await self.boot()
        return self

    async def redial(self, profile: int | None = None) -> Self:
        """Hang up and dial in again."""
        await self.hang_up()
        return await self.dial(profile)

    async def ask_for_certificate(self, *names: str) -> Payload:
        """Make a new key and ask for a certificate."""
        self.key = ec_key()
        csr = signing_request(self.key, *(names or (self.identity,)))
        asking = asyncio.create_task(self.call("SignCertificate", {"csr": csr}))
        await asyncio.sleep(0)
        self.asked = next(reversed(self._pending))
        answer = await asking
        self.promised.append(answer["status"])
        return answer

    async def security_event(self, kind: str, info: str = "") -> None:
        """Tell of a security event."""
        event = {"type": kind, "timestamp": STAMP}
        if info:
            event["techInfo"] = info
        await self.call("SecurityEventNotification", event)

    @override
    def _waiting(self, message_id: str) -> asyncio.Future[Payload] | None:
        if message_id == self.asked:
            self.order.append("SignCertificate")
        return Charger._waiting(self, message_id)

    @override
    def _answer(
        self,
        ws: ClientWebSocketResponse,
        message_id: str,
        action: str,
        payload: Payload,
    ) -> Coroutine[Any, Any, None]:
        self.order.append(action)
        if action != "ChangeConfiguration" or payload["key"] not in self.drops_at:
            # Not super(): a class with slots is made twice.
            return Charger._answer(self, ws, message_id, action, payload)
        self.received.append(Received(action=action, payload=payload))
        return self._drop(ws)

    async def _drop(self, ws: ClientWebSocketResponse) -> None:
        await ws.close()

    def certificate_signed(self, payload: Payload) -> Payload:
        """Take a certificate for the newest key."""
        chain = payload["certificateChain"]
        leaf = x509.load_pem_x509_certificates(chain.encode())[0]
        if leaf.public_key() != self.key.public_key():
            return dict(REJECTED)
        self.chain = chain
        return dict(ACCEPTED)

    def _change(self, payload: Payload) -> Payload:
        key, value = payload["key"], payload["value"]
        answer = self._change_configuration(key, value)
        if key == "AuthorizationKey":
            self.password = bytes.fromhex(value).decode()
            plant(self.password)
        return answer

    def _installed(self, payload: Payload) -> Payload:
        roots = self.roots.get(payload["certificateType"], [])
        if not roots:
            return {"status": "NotFound"}
        return {**ACCEPTED, "certificateHashData": [hash_data(one) for one in roots]}

    def _extended_trigger(self, payload: Payload) -> Payload:
        self._later(self.ask_for_certificate())
        return dict(ACCEPTED)

    def _reset(self, payload: Payload) -> Payload:
        self._later(self._restart())
        return dict(ACCEPTED)

    async def _restart(self) -> None:
        # The answer goes out first.
        await self.call("Heartbeat")
        await self.redial()
        self.redials += 1


def hash_data(pem: str) -> Payload:
    """Return how a charger calls a root certificate (CertificateHashDataType)."""
    root = x509.load_pem_x509_certificate(pem.encode())
    named = OCSPRequestBuilder().add_certificate(root, root, SHA256()).build()
    return {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": named.issuer_name_hash.hex(),
        "issuerKeyHash": named.issuer_key_hash.hex(),
        "serialNumber": f"{named.serial_number:X}",
    }


def encrypting_entry() -> MockConfigEntry:
    """Return the entry of a server that encrypts, with an authority of its own."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="OCPP server",
        data={CONF_HOST: "127.0.0.1", CONF_PORT: 0, CONF_TLS: "own_authority"},
        entry_id="01JEVCHARGERHUB00000000000",
    )


@asynccontextmanager
async def secured_charger(
    hass: HomeAssistant, hub: OcppHub, folder: Path, *, password: str | None = PASSWORD
) -> AsyncGenerator[SecuredCharger]:
    """Yield an approved charger that is connected without encryption."""
    charger = SecuredCharger(
        folder=folder,
        host=f"127.0.0.1:{hub.port}",
        identity=IDENTITY,
        password=password,
        profile=0 if password is None else 1,
        url="",
    )
    hashed = password and await hass.async_add_executor_job(hash_password, password)
    hub.approve(IDENTITY, "Garage", hashed)
    await hass.async_block_till_done()
    await charger.dial()
    await charger.status(1, "Available")
    await hass.async_block_till_done()
    yield charger
    await charger.close()


async def act(
    hass: HomeAssistant, entry: MockConfigEntry, name: str, **data: object
) -> Payload:
    """Do an action with the charger and return its response."""
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, IDENTITY), entry.entry_id
    )
    assert device is not None
    response = await hass.services.async_call(
        DOMAIN,
        name,
        {"device_id": device.id, **data},
        blocking=True,
        return_response=True,
    )
    assert response is not None
    return dict(response)


class Waiting(Protocol):
    """What raise_profile needs of a charger."""

    async def until(self, seen: Callable[[], bool]) -> None:
        """Wait until something is to be seen."""


async def raise_profile(
    hass: HomeAssistant, entry: MockConfigEntry, charger: Waiting, profile: int
) -> None:
    """Lead the charger to a profile."""
    await act(hass, entry, "set_security_profile", profile=profile)
    upgrade = entry.runtime_data.stations[IDENTITY].security.upgrade
    await charger.until(lambda: upgrade.value.step == "done")
    await hass.async_block_till_done()
