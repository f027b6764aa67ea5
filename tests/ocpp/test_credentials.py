"""Passwords of chargers: made, hashed, checked, throttled."""

from base64 import b64encode
from datetime import timedelta

from hypothesis import given, strategies as st
import pytest

from .central import Clock
from custom_components.ev_charger_hub.ocpp import credentials, throttle
from custom_components.ev_charger_hub.ocpp.credentials import (
    Verifier,
    hash_password,
    parse_basic,
    verify_password,
)
from custom_components.ev_charger_hub.ocpp.throttle import Buckets, Lockout
from custom_components.ev_charger_hub.station.secrets import ALPHABET, generate_password


def test_generated_password_is_fit_for_a_charger() -> None:
    passwords = {generate_password() for _ in range(50)}
    assert len(passwords) == 50
    for password in passwords:
        # 1.6 wants 16 to 20 bytes, and nobody should have to tell 0 from O.
        assert 16 <= len(password.encode()) <= 20
        assert set(password) <= set(ALPHABET)
    assert not set(ALPHABET) & set("0O1lI")


def test_hash_is_salted_and_does_not_show_the_password() -> None:
    first, second = hash_password("secret"), hash_password("secret")
    assert first != second
    assert "secret" not in first
    assert verify_password(b"secret", first)
    assert verify_password(b"secret", second)
    assert not verify_password(b"Secret", first)


@pytest.mark.conformance("SEC_03")
@pytest.mark.parametrize("length", [16, 18, 20])
def test_hex_and_bytes_are_the_same_key(length: int) -> None:
    key = bytes(range(250 - length, 250))
    from_hex = hash_password(key.hex())
    assert verify_password(key, from_hex)
    assert verify_password(key.hex().upper().encode(), from_hex)
    text = "Kx7mPq2nRt9wYz4bCd6e"[:length]
    from_text = hash_password(text)
    assert verify_password(text.encode().hex().encode(), from_text)
    assert verify_password(text.encode(), from_text)


def test_short_hex_is_a_password_like_any_other() -> None:
    assert not verify_password(b"\xab\xcd", hash_password("abcd"))


def test_long_text_that_is_no_hex_is_taken_as_it_is() -> None:
    text = "this password has 36 characters, zz!"
    assert len(text) == 36
    assert verify_password(text.encode(), hash_password(text))


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "scrypt$1",
        "bcrypt$16384$8$1$c2FsdA==$ZGlnZXN0",
        "scrypt$x$8$1$c2FsdA==$ZGlnZXN0",
        "scrypt$16384$8$1$c2FsdA==$",
        "scrypt$16384$8$1$c2FsdA==$!",
        "scrypt$16384$8$1$*$ZGlnZXN0",
        "scrypt$1073741824$8$1$c2FsdA==$ZGlnZXN0",
        "scrypt$3$8$1$c2FsdA==$ZGlnZXN0",
    ],
)
def test_broken_hash_lets_nobody_in(broken: str) -> None:
    assert not verify_password(b"secret", broken)


@given(
    st.text(st.characters(exclude_characters=":", exclude_categories=["Cs"])),
    st.binary(),
)
def test_basic_header_is_read_back(user: str, password: bytes) -> None:
    encoded = b64encode(user.encode() + b":" + password).decode()
    assert parse_basic(f"Basic {encoded}") == (user, password)
    assert parse_basic(f"basic  {encoded} ") == (user, password)


@given(st.text())
def test_no_header_breaks_the_reader(header: str) -> None:
    parse_basic(header)
    parse_basic(f"Basic {header}")


async def test_right_password_is_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[bytes] = []

    def verify(password: bytes, password_hash: str) -> bool:
        checked.append(password)
        return password == b"right"

    monkeypatch.setattr(credentials, "verify_password", verify)
    verifier = Verifier()
    for _ in range(3):
        assert await verifier.verify(b"right", "hash")
        assert not await verifier.verify(b"wrong", "hash")
    assert checked.count(b"right") == 1
    assert checked.count(b"wrong") == 3
    # A new password has a new hash.
    await verifier.verify(b"right", "other hash")
    assert checked.count(b"right") == 2


async def test_memory_of_right_passwords_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checked: list[str] = []

    def verify(password: bytes, password_hash: str) -> bool:
        checked.append(password_hash)
        return True

    monkeypatch.setattr(credentials, "verify_password", verify)
    monkeypatch.setattr(credentials, "_REMEMBERED", 2)
    verifier = Verifier()
    for password_hash in ("a", "b", "a", "c", "a", "b"):
        await verifier.verify(b"x", password_hash)
    assert checked == ["a", "b", "c", "b"]


def test_bucket_gives_its_burst_and_then_one_by_one() -> None:
    clock = Clock()
    buckets = Buckets(clock, burst=2, refill=timedelta(seconds=10))
    assert [buckets.take("a") for _ in range(3)] == [True, True, False]
    assert buckets.empty("a")
    assert not buckets.empty("b")
    clock.advance(seconds=10)
    assert [buckets.take("a") for _ in range(2)] == [True, False]
    clock.advance(hours=1)
    assert [buckets.take("a") for _ in range(3)] == [True, True, False]
    clock.advance(days=-1)
    assert not buckets.take("a")
    clock.advance(seconds=10)
    assert buckets.take("a")


def test_buckets_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "_REMEMBERED", 2)
    buckets = Buckets(Clock(), burst=1, refill=timedelta(seconds=10))
    assert [buckets.take(key) for key in ("a", "b", "c")] == [True] * 3
    assert [buckets.take(key) for key in ("c", "b", "a")] == [False, False, True]


def test_back_off_doubles_up_to_its_limit_and_is_forgotten() -> None:
    clock = Clock()
    lockout = Lockout(clock, free=2, longest=timedelta(seconds=10))
    waits = []
    for _ in range(8):
        lockout.failed(("a",))
        waits.append(lockout.wait(("a",)).total_seconds())
    assert waits == [0, 0, 1, 2, 4, 8, 10, 10]
    assert not lockout.wait(("b",))
    clock.advance(seconds=4)
    assert lockout.wait(("a",)) == timedelta(seconds=6)
    clock.advance(hours=2)
    lockout.failed(("a",))
    assert not lockout.wait(("a",))


def test_clock_that_steps_back_locks_nobody_out_for_long() -> None:
    clock = Clock()
    lockout = Lockout(clock, free=0)
    lockout.failed(("a",))
    clock.advance(days=-1)
    assert lockout.wait(("a",)) == timedelta(minutes=5)


def test_success_forgets_failures() -> None:
    lockout = Lockout(Clock(), free=0)
    lockout.failed(("a",))
    assert lockout.wait(("a",))
    lockout.succeeded(("a",))
    lockout.succeeded(("b",))
    assert not lockout.wait(("a",))


def test_lockout_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "_REMEMBERED", 2)
    lockout = Lockout(Clock(), free=0)
    for key in ("a", "b", "c"):
        lockout.failed((key,))
    assert not lockout.wait(("a",))
    assert lockout.wait(("c",))
