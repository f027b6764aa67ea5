"""A charger with a password, certificates and security profiles (OCPP 1.6 Security)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.ocsp import OCSPRequestBuilder

from ..ocpp.certificates import (
    Key,
    client_context,
    ec_key,
    private_pem,
    signing_request,
)
from .charger import ACCEPTED, PATIENCE, Charger, Payload
from .planted import plant

REJECTED = {"status": "Rejected"}
ROOT = "CentralSystemRootCertificate"
STAMP = "2026-11-20T10:00:00Z"


@dataclass(kw_only=True, slots=True)
class SecuredCharger(Charger):
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

    async def hang_up(self) -> None:
        """Close the socket only."""
        if self._ws is not None:
            await self._ws.close()
        if self._reader is not None:
            await self._reader
        if self._session is not None:
            await self._session.close()

    async def ask_for_certificate(self, *names: str) -> Payload:
        """Make a new key and ask for a certificate."""
        self.key = ec_key()
        csr = signing_request(self.key, *(names or (self.identity,)))
        return await self.call("SignCertificate", {"csr": csr})

    async def security_event(self, kind: str, info: str = "") -> None:
        """Tell of a security event."""
        event = {"type": kind, "timestamp": STAMP}
        if info:
            event["techInfo"] = info
        await self.call("SecurityEventNotification", event)

    async def until(self, seen: Callable[[], bool]) -> None:
        """Wait until something is to be seen, while frames go back and forth."""
        async with asyncio.timeout(PATIENCE):
            while not seen():
                await asyncio.sleep(0)

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

    def _install(self, payload: Payload) -> Payload:
        use = self.roots.setdefault(payload["certificateType"], [])
        use.append(payload["certificate"])
        return dict(ACCEPTED)

    def _installed(self, payload: Payload) -> Payload:
        roots = self.roots.get(payload["certificateType"], [])
        if not roots:
            return {"status": "NotFound"}
        return {**ACCEPTED, "certificateHashData": [hash_data(one) for one in roots]}

    def _delete(self, payload: Payload) -> Payload:
        for roots in self.roots.values():
            for root in roots:
                if hash_data(root) == payload["certificateHashData"]:
                    roots.remove(root)
                    return dict(ACCEPTED)
        return {"status": "NotFound"}

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

    def _later(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


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
