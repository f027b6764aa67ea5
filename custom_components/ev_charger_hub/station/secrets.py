"""Secrets: what may be shown of id tokens, serial numbers and identities."""

MASK = "***"


def shortened(token: str) -> str:
    """Return the end of an id token or serial number: at most 4 characters."""
    shown = 4 if len(token) >= 8 else 2 if len(token) >= 4 else 0
    return MASK + token[len(token) - shown :]
