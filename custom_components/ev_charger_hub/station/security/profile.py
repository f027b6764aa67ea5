"""Profile: what a station says of the security profile and the roots that it has."""

from collections.abc import Callable
from typing import Final

from ..commands import CertificateHash
from ..link import Link

SECURITY_PROFILE: Final = "SecurityProfile"

ENCRYPTED: Final = 2
"""The lowest profile over which nobody can read along."""

HIGHEST: Final = 3


async def profile_written(link: Link) -> int | None:
    """Return the profile that a station has noted, None if it does not tell."""
    _, keys, _ = await link.get_configuration([SECURITY_PROFILE])
    for one in keys:
        if one.value is not None and one.value.strip().isdecimal():
            return int(one.value)
    return None


def same_root(
    names: Callable[[str, str], tuple[str, str, str]],
    root: str,
    listed: CertificateHash,
) -> bool:
    """Return whether a station means a root certificate (PEM) by one that it lists.

    `names` is what `Signer.names` says.
    """
    try:
        name, key, serial = names(root, listed.algorithm)
    except ValueError:
        return False
    return (
        listed.issuer_name_hash.lower() == name.lower()
        and listed.issuer_key_hash.lower() == key.lower()
        and _plain(listed.serial) == _plain(serial)
    )


def _plain(serial: str) -> str:
    return serial.lower().removeprefix("0x").lstrip("0")
