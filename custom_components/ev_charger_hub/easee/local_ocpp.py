"""Local OCPP: the requests that have a charger dial in the house (easee_cloud.md 3.6)."""

from typing import Final
from urllib.parse import quote

from .errors import NotFound, Unavailable
from .json_values import an_object
from .local_details import Details, Stored, Version, stored_of, version_of
from .requests import Lane, Requests

PATH: Final = "/local-ocpp/v1"


class LocalOcpp:
    """The connection details of the chargers of an account.

    Stored is not applied, and applied is not connected.
    """

    def __init__(self, requests: Requests) -> None:
        """Ask by `requests`."""
        self._requests = requests

    async def read(self, serial: str) -> Stored | None:
        """Return what is stored for a charger, None for nothing; raises EaseeError."""
        try:
            reply = await self._requests.request("GET", _details(serial))
        except NotFound:
            return None
        return None if reply.body is None else stored_of(serial, an_object(reply.body))

    async def store(self, serial: str, details: Details) -> Version:
        """Store how a charger is to dial, and return the version; raises EaseeError.

        Nothing comes of it before that version is applied.
        """
        reply = await self._requests.request(
            "POST", _details(serial), lane=Lane.COMMAND, json=details.body(serial)
        )
        if (version := version_of(an_object(reply.body))) is None:
            raise Unavailable("the answer has no version")
        return version

    async def apply(self, serial: str, version: Version) -> None:
        """Have a charger dial as it is stored; raises EaseeError.

        It is refused if another version has been stored meanwhile.
        """
        await self._requests.request(
            "POST",
            f"{PATH}/connections/chargers/{quote(serial, safe='')}",
            lane=Lane.COMMAND,
            json={"version": version},
        )


def _details(serial: str) -> str:
    return f"{PATH}/connection-details/{quote(serial, safe='')}"
