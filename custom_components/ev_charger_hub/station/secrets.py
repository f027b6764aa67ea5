"""Secrets: new passwords, and what may be shown of id tokens, identities and keys."""

from secrets import choice

MASK = "***"

ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Letters and digits that nobody mistakes for another."""

PASSWORD_LENGTH = 20

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


def generate_password() -> str:
    """Return a new random password of 20 characters, 16 to 20 bytes as OCPP 1.6J asks."""
    return "".join(choice(ALPHABET) for _ in range(PASSWORD_LENGTH))


def names_secret(key: str) -> bool:
    """Return whether a configuration key holds a password, judging by its name."""
    plain = "".join(one for one in key.lower() if one.isalpha())
    return plain.endswith(_ENDS) or any(word in plain for word in _WORDS)


def shortened(token: str) -> str:
    """Return the end of an id token or serial number: at most 4 characters."""
    shown = 4 if len(token) >= 8 else 2 if len(token) >= 4 else 0
    return MASK + token[len(token) - shown :]
