"""Profile: what a station says of the security profile and the roots that it has."""

from collections.abc import Iterable
from typing import Final

from ..commands import CertificateHash
from ..link import Link
from .ports import Signer

SECURITY_PROFILE: Final = "SecurityProfile"

HIGHEST: Final = 3


async def profile_written(link: Link) -> int | None:
    """Return the profile that a station has noted, None if it does not tell."""
    _, keys, _ = await link.get_configuration([SECURITY_PROFILE])
    for one in keys:
        if one.value is not None and one.value.strip().isdecimal():
            return int(one.value)
    return None


def is_installed(
    signer: Signer, root: str, installed: Iterable[CertificateHash]
) -> bool:
    """Return whether a root certificate is among those that a station lists."""
    return any(names(signer, root, one) for one in installed)


def names(signer: Signer, root: str, listed: CertificateHash) -> bool:
    """Return whether a station means a root certificate by one of its own."""
    try:
        name, key, serial = signer.names(root, listed.algorithm)
    except ValueError:
        return False
    return (
        listed.issuer_name_hash.lower() == name.lower()
        and listed.issuer_key_hash.lower() == key.lower()
        and _plain(listed.serial) == _plain(serial)
    )


def _plain(serial: str) -> str:
    return serial.lower().removeprefix("0x").lstrip("0")
