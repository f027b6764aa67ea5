"""Local details: how a charger dials somebody besides the cloud (easee_cloud.md 3.6).

The address of a configuration is a base to which the charger adds its identity. The cloud
shows it with that, so that what it shows must not be stored again as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit

from .json_values import Json, text

type Version = str | int

UNTOLD: Final = ""
"""A password that there is, and that the cloud does not show."""


class Mode(StrEnum):
    """By which ways a charger is reached."""

    DUAL = "DualProtocol"
    OFF = "OcppOff"


@dataclass(kw_only=True, slots=True, frozen=True)
class Fingerprint:
    """What tells one configuration from another, and holds no secret."""

    mode: str
    address: str = field(repr=False)
    """With the identity."""
    certificate: str | None = None
    domain: str | None = None
    password: str | None = field(default=None, repr=False)

    def matches(self, other: Fingerprint | None) -> bool:
        """Return whether both stand for the same, as far as passwords are shown.

        What is off was stored without its password by who does not know that.
        """
        if other is None:
            return False
        passwords = {self.password, other.password}
        if UNTOLD in passwords and (None not in passwords or self.mode == Mode.OFF):
            other = replace(other, password=self.password)
        return self == other

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "mode": self.mode,
            "address": self.address,
            "certificate": self.certificate,
            "domain": self.domain,
            "password": self.password,
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Self:
        """Return what `as_dict` made JSON of; raises KeyError."""
        return cls(**{name: kept[name] for name in cls.__dataclass_fields__})


@dataclass(kw_only=True, slots=True, frozen=True)
class Details:
    """How a charger is to be connected; `url` is the base, without the identity."""

    mode: str = Mode.DUAL
    url: str = field(repr=False)
    identity: str = field(repr=False)
    password: str | None = field(default=None, repr=False)
    """None for no authentication, UNTOLD for one that is not shown."""
    ca_certificate: str | None = field(default=None, repr=False)
    """The PEM of whom to trust, for wss."""
    ca_domain: str | None = None

    @property
    def active(self) -> bool:
        """Return whether the charger dials; what is not known counts as if it did."""
        return self.mode != Mode.OFF

    @property
    def fingerprint(self) -> Fingerprint:
        """Return what tells this configuration from others."""
        return Fingerprint(
            mode=self.mode,
            address=f"{_plain(self.url)}/{self.identity}",
            certificate=_digest("".join((self.ca_certificate or "").split()) or None),
            domain=(self.ca_domain or "").lower() or None,
            password=_digest(self.password),
        )

    def body(self, serial: str) -> dict[str, Any]:
        """Return what is sent to have a charger dial so."""
        body: dict[str, Any] = {
            "connectivityMode": self.mode,
            "websocketConnectionArgs": {
                "url": self.url.rstrip("/"),
                "caCertificate": self.ca_certificate,
                "caCertificateDomain": self.ca_domain,
            },
        }
        if self.identity != serial:
            body["chargePointId"] = self.identity
        if self.password:
            body["basicAuthPassword"] = self.password
        return body

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON, secrets included."""
        return {
            "mode": self.mode,
            "url": self.url,
            "identity": self.identity,
            "password": self.password,
            "ca_certificate": self.ca_certificate,
            "ca_domain": self.ca_domain,
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Self:
        """Return what `as_dict` made JSON of; raises KeyError."""
        return cls(**{name: kept[name] for name in cls.__dataclass_fields__})


@dataclass(kw_only=True, slots=True, frozen=True)
class Stored:
    """What the cloud has stored for a charger, by which version it is applied."""

    details: Details
    version: Version | None


def stored_of(serial: str, body: Json) -> Stored:
    """Return what the cloud says that it has stored."""
    match body.get("websocketConnectionArgs"):
        case dict(arguments):
            pass
        case _:
            arguments = {}
    authentication = body.get("basicAuth")
    said = text(body.get("chargePointId"))
    password = None
    if isinstance(authentication, dict):
        said = said or text(authentication.get("username"))
        password = _password(authentication.get("password"))
    url, identity = base_of(text(arguments.get("url")) or "", said, serial)
    details = Details(
        mode=text(body.get("connectivityMode")) or "",
        url=url,
        identity=identity,
        password=password,
        ca_certificate=text(arguments.get("caCertificate")),
        ca_domain=text(arguments.get("caCertificateDomain")),
    )
    return Stored(details=details, version=version_of(body))


def version_of(body: Json) -> Version | None:
    """Return the version of a configuration, None if there is none in an answer."""
    match body.get("version"):
        case bool():
            return None
        case str(version) | int(version) if version != "":
            return version
    return None


def base_of(url: str, said: str | None, serial: str) -> tuple[str, str]:
    """Return an address without the identity at its end, and the identity.

    `said` is what the cloud calls the identity, if it says so.
    """
    url = url.rstrip("/")
    for identity in (said, serial):
        for end in () if identity is None else (identity, quote(identity, safe="")):
            if url.lower().endswith(f"/{end.lower()}"):
                return url[: -len(end) - 1], identity or serial
    if said is None and urlsplit(url).path.strip("/"):
        # Whatever it is, it was added.
        base, _, identity = url.rpartition("/")
        return base, identity
    return url, said or serial


def _password(shown: object) -> str:
    """Return a password, UNTOLD if stars or nothing stand for it."""
    return shown if isinstance(shown, str) and shown.strip("*") else UNTOLD


def _plain(url: str) -> str:
    """Return an address in the one way of all those in which it can be written."""
    scheme, rest = url[: (end := url.find("://"))].lower(), url[end + 3 :]
    host, slash, path = rest.partition("/")
    host = host.lower().removesuffix(":443" if scheme == "wss" else ":80")
    return f"{scheme}://{host}{slash}{path}".rstrip("/")


def _digest(secret: str | None) -> str | None:
    return sha256(secret.encode()).hexdigest() if secret else secret
