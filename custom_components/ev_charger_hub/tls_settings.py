"""TLS settings: how the user wants an OCPP server to be encrypted."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .const import CONF_ACCEPT_PLAIN, CONF_CERTIFICATE, CONF_CERTIFICATE_KEY, CONF_TLS


class TlsMode(StrEnum):
    """Where the certificate of a server comes from; values are translation keys."""

    NONE = "none"
    OWN_AUTHORITY = "own_authority"
    FILES = "files"


@dataclass(kw_only=True, slots=True, frozen=True)
class TlsSettings:
    """How a server is encrypted; `plain` lets chargers in without TLS too."""

    mode: TlsMode
    plain: bool
    certificate: str = ""
    key: str = ""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> TlsSettings:
        """Return what the data of an entry say.

        Entries made before there was a choice have files, or no encryption; with files
        they take nobody without TLS.
        """
        files = CONF_CERTIFICATE in data
        mode = TlsMode(data.get(CONF_TLS, TlsMode.FILES if files else TlsMode.NONE))
        return cls(
            mode=mode,
            plain=data.get(CONF_ACCEPT_PLAIN, mode is not TlsMode.FILES),
            certificate=data.get(CONF_CERTIFICATE, ""),
            key=data.get(CONF_CERTIFICATE_KEY, ""),
        )

    @property
    def scheme(self) -> str:
        """Return how the URL begins that works in any charger.

        With an authority of our own a charger has to be told of it first.
        """
        foreign = self.mode is TlsMode.OWN_AUTHORITY and self.plain
        return "ws" if foreign or self.mode is TlsMode.NONE else "wss"
