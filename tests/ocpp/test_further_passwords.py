"""New passwords of chargers at the handshake: valid beside the one of the settings."""

from http import HTTPStatus

import pytest

from .central import HASH, PASSWORD, Central, basic
from custom_components.ev_charger_hub.ocpp.credentials import hash_password

NEW = "Zx8nQr3pSu7vXa5bDe9f"
NEWER = "Qp6mTk2wVy4hJc8dRf3g"
NEW_HASH, NEWER_HASH = hash_password(NEW), hash_password(NEWER)


def proof(central: Central) -> str | None:
    """Return which password the connected charger proved to know."""
    connection = central.system.sessions["CP01"].connection
    assert connection is not None
    return connection.proof


@pytest.mark.parametrize(
    ("password", "known"),
    [(PASSWORD, HASH), (NEW, NEW_HASH), (NEWER, NEWER_HASH)],
    ids=["old", "new", "newer"],
)
async def test_any_password_that_the_charger_was_told_is_right(
    central: Central, password: str, known: str
) -> None:
    central.registrar.approve("CP01", password_hash=HASH)
    central.registrar.further["CP01"] = (NEW_HASH, NEWER_HASH)
    await central.connect(headers=basic("CP01", password))
    assert proof(central) == known
    await central.system.refresh("CP01")
    assert proof(central) == known


async def test_password_of_another_charger_is_wrong(central: Central) -> None:
    central.registrar.approve("CP01", password_hash=HASH)
    central.registrar.further["CP02"] = (NEW_HASH,)
    response = await central.attempt(headers=basic("CP01", NEW))
    assert response.status == HTTPStatus.UNAUTHORIZED


async def test_password_is_taken_note_of_before_it_is_asked_for(
    central: Central,
) -> None:
    central.registrar.approve("CP01")
    central.registrar.further["CP01"] = (NEW_HASH,)
    await central.connect(headers=basic("CP01", NEW))
    assert proof(central) == NEW_HASH


@pytest.mark.parametrize(
    "headers", [{}, basic("CP01", "wrong"), {"Authorization": "Basic ?"}]
)
async def test_nothing_is_asked_for_before_the_new_password_was_used(
    central: Central, headers: dict[str, str]
) -> None:
    central.registrar.approve("CP01")
    central.registrar.further["CP01"] = (NEW_HASH,)
    await central.connect(headers=headers)
    assert proof(central) is None


async def test_old_password_ends_with_the_doubt(central: Central) -> None:
    central.registrar.approve("CP01", password_hash=HASH)
    central.registrar.further["CP01"] = (NEW_HASH,)
    charger = await central.connect(headers=basic("CP01", PASSWORD))
    central.registrar.approve("CP01", password_hash=NEW_HASH)
    central.registrar.further["CP01"] = ()
    await central.system.refresh("CP01")
    assert await charger.closed() == 1008
    response = await central.attempt(headers=basic("CP01", PASSWORD))
    assert response.status == HTTPStatus.UNAUTHORIZED
    await central.connect(headers=basic("CP01", NEW))
