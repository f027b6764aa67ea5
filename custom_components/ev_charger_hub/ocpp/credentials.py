"""Credentials: passwords of chargers, hashed and checked (OCPP 1.6J 6.2)."""

import asyncio
from base64 import b64decode, b64encode
import binascii
from collections import OrderedDict
import hashlib
import hmac
import secrets

_COST, _BLOCK, _LANES = 2**14, 8, 1
_MAX_COST = 2**17
_SALT_BYTES = _DIGEST_BYTES = 16
_HEX_LENGTHS = range(32, 41, 2)
_CONCURRENT = 2
_REMEMBERED = 1000


def authorization_key(password: str) -> str:
    """Return a password as an OCPP 1.6 station is told it: in hex (1.6J 6.2)."""
    return password.encode().hex()


def hash_password(password: str) -> str:
    """Return the salted scrypt hash of a password as text; blocking."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = _scrypt(_canonical(password.encode()), salt, _COST, _BLOCK, _LANES)
    return "$".join(
        ("scrypt", str(_COST), str(_BLOCK), str(_LANES), _text(salt), _text(digest))
    )


def verify_password(password: bytes, password_hash: str) -> bool:
    """Return whether a password is the hashed one, in constant time; blocking."""
    try:
        name, cost, block, lanes, salt, wanted = password_hash.split("$")
        numbers = int(cost), int(block), int(lanes)
        expected = b64decode(wanted, validate=True)
        if name != "scrypt" or numbers[0] > _MAX_COST or not expected:
            return False
        found = _scrypt(_canonical(password), b64decode(salt), *numbers)
    except ValueError, binascii.Error:
        return False
    return hmac.compare_digest(found, expected)


class Verifier:
    """Checks passwords off the event loop, a few at a time.

    What was right once is remembered under an HMAC with a key of this process, so
    that the reconnect of a whole car park costs no scrypt.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()
        self._slots = asyncio.Semaphore(_CONCURRENT)

    def knows(self, password: bytes, password_hash: str) -> bool:
        """Return whether a password was found to be the hashed one before."""
        return self._tag(password, password_hash) in self._right

    def _tag(self, password: bytes, password_hash: str) -> bytes:
        return hmac.digest(
            self._key, password_hash.encode() + b"\0" + password, "sha256"
        )

    async def verify(self, password: bytes, password_hash: str) -> bool:
        """Return whether a password is the hashed one."""
        tag = self._tag(password, password_hash)
        if tag in self._right:
            self._right.move_to_end(tag)
            return True
        async with self._slots:
            right = await asyncio.to_thread(verify_password, password, password_hash)
        if right:
            self._right[tag] = None
            if len(self._right) > _REMEMBERED:
                self._right.popitem(last=False)
        return right


def parse_basic(header: str) -> tuple[str, bytes] | None:
    """Return user and password of a Basic Authorization header, None if it is none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, separator, password = b64decode(encoded.strip(), validate=True).partition(
            b":"
        )
        return (user.decode(), password) if separator else None
    except ValueError:
        return None


def _canonical(password: bytes) -> bytes:
    # OCPP 1.6 knows the AuthorizationKey as hex digits; stations send either those or
    # the bytes they stand for, and users type either (TC_085_CSMS).
    if len(password) in _HEX_LENGTHS:
        try:
            return binascii.unhexlify(password)
        except binascii.Error:
            pass
    return password


def _scrypt(password: bytes, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    return hashlib.scrypt(
        password,
        salt=salt,
        n=cost,
        r=block,
        p=lanes,
        maxmem=256 * cost * block,
        dklen=_DIGEST_BYTES,
    )


def _text(data: bytes) -> str:
    return b64encode(data).decode()
