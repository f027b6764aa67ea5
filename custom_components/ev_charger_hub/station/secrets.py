"""Secrets: what may be shown of id tokens, serial numbers, identities and keys."""

MASK = "***"

_WORDS = (
    "apikey",
    "authorizationkey",
    # What a station knows of central systems, passwords included (libocpp).
    "connectionprofiles",
    "credential",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "wifikey",
)
_ENDS = ("pin", "psk", "puk", "pwd")


def names_secret(key: str) -> bool:
    """Return whether a configuration key holds a password, judging by its name."""
    plain = "".join(one for one in key.lower() if one.isalpha())
    return plain.endswith(_ENDS) or any(word in plain for word in _WORDS)


def shortened(token: str) -> str:
    """Return the end of an id token or serial number: at most 4 characters."""
    shown = 4 if len(token) >= 8 else 2 if len(token) >= 4 else 0
    return MASK + token[len(token) - shown :]
