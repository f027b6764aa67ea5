"""A charger of OCPP 2.x with a password, certificates and ways to dial (blocks A, M)."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, override

from aiohttp import ClientWebSocketResponse
from cryptography import x509

from homeassistant.core import HomeAssistant

from ..ocpp.certificates import (
    Key,
    client_context,
    ec_key,
    private_pem,
    signing_request,
)
from .charger import ACCEPTED, Charger, Payload
from .charger_v2 import Charger2, name_of
from .conftest import set_up
from .planted import plant
from .secured import IDENTITY, PASSWORD, REJECTED, STAMP, Securing, hash_data
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.credentials import hash_password

ROOT = "CSMSRootCertificate"
OWN = "ChargingStationCertificate"
ACTIVE = "OCPPCommCtrlr.ActiveNetworkProfile"
BASIC = "SecurityCtrlr.BasicAuthPassword"
PRIORITY = "OCPPCommCtrlr.NetworkConfigurationPriority"


@dataclass(kw_only=True, slots=True)
class SecuredCharger2(Securing, Charger2):
    """A charger that takes what it is told of its security, and comes back with it."""

    folder: Path
    networks: dict[int, Payload] = field(default_factory=dict)
    """Its ways to dial, by slot."""
    slot: int = 1
    reset_works: bool = True
    roots: dict[str, list[str]] = field(default_factory=dict)
    key: Key = field(default_factory=ec_key)
    chain: str = ""
    redials: int = 0
    order: list[str] = field(default_factory=list)
    """What came, in its order: actions, and answers to certificate requests."""
    asked: str = ""
    """The id of the newest certificate request."""
    promised: list[str] = field(default_factory=list)
    """What it was told of its certificate requests."""

    def __post_init__(self) -> None:
        """Know the messages about security."""
        self.variables |= {
            ACTIVE: (str(self.slot), True),
            BASIC: ("", False),
            PRIORITY: (str(self.slot), False),
        }
        self.answers |= {
            "CertificateSigned": self._certificate_signed,
            "DeleteCertificate": self._delete,
            "GetInstalledCertificateIds": self._installed,
            "GetReport": {"status": "NotSupported"},
            "InstallCertificate": self._install,
            "Reset": self._reset,
            "SetNetworkProfile": self._set_network,
            "SetVariables": self._set_variables,
            "TriggerMessage": self._trigger,
        }

    @property
    def profile(self) -> int:
        """Return the security profile that it dials with."""
        profile: int = self.networks[self.slot]["securityProfile"]
        return profile

    @property
    def priority(self) -> list[int]:
        """Return the order in which it tries its ways."""
        return [int(one) for one in self.variables[PRIORITY][0].split(",")]

    async def dial(self, profile: int | None = None) -> Self:
        """Dial by the way in use, and boot."""
        used = self.profile if profile is None else profile
        _, _, place = self.networks[self.slot]["ocppCsmsUrl"].partition("://")
        self.url = f"{'wss' if used >= 2 else 'ws'}://{place}"
        password, self.tls = self.password, None
        if used >= 2:
            root = "\n".join(self.roots.get(ROOT, [])) or None
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
        self.variables[ACTIVE] = (str(self.slot), True)
        await self.boot()
        return self

    async def redial(self, profile: int | None = None) -> Self:
        """Hang up and dial in again."""
        await self.hang_up()
        return await self.dial(profile)

    async def ask_for_certificate(
        self, kind: str | None = OWN, **more: object
    ) -> Payload:
        """Make a new key and ask for a certificate."""
        self.key = ec_key()
        payload = {"csr": signing_request(self.key, self.identity), **more}
        if kind is not None:
            payload["certificateType"] = kind
        asking = asyncio.create_task(self.call("SignCertificate", payload))
        await asyncio.sleep(0)
        self.asked = next(reversed(self._pending))
        answer = await asking
        self.promised.append(answer["status"])
        return answer

    async def security_event(self, kind: str, info: str = "") -> Payload:
        """Tell of a security event."""
        event = {"type": kind, "timestamp": STAMP}
        return await self.call(
            "SecurityEventNotification", event | ({"techInfo": info} if info else {})
        )

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
        self.order.append(payload.get("requestedMessage", action))
        # Not super(): a class with slots is made twice.
        return Charger._answer(self, ws, message_id, action, payload)

    def _certificate_signed(self, payload: Payload) -> Payload:
        chain = payload["certificateChain"]
        leaf = x509.load_pem_x509_certificates(chain.encode())[0]
        if leaf.public_key() != self.key.public_key():
            return dict(REJECTED)
        self.chain = chain
        return dict(ACCEPTED)

    def _set_variables(self, payload: Payload) -> Payload:
        for one in payload["setVariableData"]:
            if name_of(one) == BASIC:
                self.password = one["attributeValue"]
                plant(self.password)
        done = [self._set_variable(one) for one in payload["setVariableData"]]
        return {"setVariableResult": done}

    def _set_network(self, payload: Payload) -> Payload:
        slot, way = payload["configurationSlot"], payload["connectionData"]
        if slot == self.slot or way["securityProfile"] < self.profile:
            return dict(REJECTED)
        self.networks[slot] = way
        return dict(ACCEPTED)

    def _installed(self, payload: Payload) -> Payload:
        found = [
            {"certificateType": use, "certificateHashData": hash_data(one)}
            for use, roots in self.roots.items()
            for one in roots
            if use in payload.get("certificateType", [use])
        ]
        if not found:
            return {"status": "NotFound"}
        return {**ACCEPTED, "certificateHashDataChain": found}

    def _trigger(self, payload: Payload) -> Payload:
        kinds = {
            "SignChargingStationCertificate": OWN,
            "SignCombinedCertificate": None,
            "SignV2GCertificate": "V2GCertificate",
        }
        if (wanted := payload["requestedMessage"]) not in kinds:
            return self._default(payload, "TriggerMessage")
        self._later(self.ask_for_certificate(kinds[wanted]))
        return dict(ACCEPTED)

    def _reset(self, payload: Payload) -> Payload:
        if self.reset_works:
            self._later(self._restart())
        return dict(ACCEPTED)

    async def _restart(self) -> None:
        # The answer goes out first.
        await self.call("Heartbeat")
        self.slot = self.priority[0]
        await self.redial()
        self.redials += 1


@asynccontextmanager
async def secured_charger2(
    hass: HomeAssistant,
    hub: OcppHub,
    folder: Path,
    *,
    version: str = "2.0.1",
    password: str | None = PASSWORD,
) -> AsyncGenerator[SecuredCharger2]:
    """Yield an approved charger that is connected without encryption."""
    url = f"ws://127.0.0.1:{hub.port}"
    profile = 0 if password is None else 1
    charger = SecuredCharger2(
        folder=folder,
        identity=IDENTITY,
        password=password,
        url=url,
        version=version,
        networks={1: {"ocppCsmsUrl": url, "securityProfile": profile}},
    )
    hashed = password and await hass.async_add_executor_job(hash_password, password)
    hub.approve(IDENTITY, "Garage", hashed)
    await hass.async_block_till_done()
    await charger.dial()
    await charger.connector_status("Available")
    await set_up(hub, charger)
    await hass.async_block_till_done()
    yield charger
    await charger.close()
