"""OCPP 2.x: who may charge, by what, and who may end it (block C)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from ..ha.cards import CARD, STRANGER, keep, strangers
from ..ha.charger_v2 import Charger2
from ..ha.entities import act, flush
from .answers import sessions
from custom_components.ev_charger_hub.station.tokens import TokenStatus, UnknownTokens

OTHER = "04112233445566"
MASTER = "04AABBCCDDEEFF"
FAMILY = "FAMILY"
MASTER_GROUP = "MASTERS"

ACCEPTED = {"status": "Accepted"}


@pytest.fixture(autouse=True)
def known_card(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger2: Charger2
) -> None:
    """Let no unknown card charge, at a charger that begins where the test does."""
    strangers(hass, init_integration, UnknownTokens.REFUSE)
    charger2.received.clear()


def token(text: str = CARD, kind: str = "ISO14443") -> dict[str, Any]:
    """Return an IdToken."""
    return {"idToken": text, "type": kind}


async def authorized(charger: Charger2, text: str = CARD) -> dict[str, Any]:
    """Present a card and return what the charger is told of it, language aside."""
    answer = await charger.call("Authorize", {"idToken": token(text)})
    return told(answer)


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what an answer says of a card, language aside."""
    info: dict[str, Any] = dict(answer["idTokenInfo"])
    info.pop("language1", None)
    return info


def group(name: str) -> dict[str, str]:
    """Return a group as it goes to a charger."""
    return {"idToken": name, "type": "Central"}


@pytest.mark.conformance("TC_C_02_CSMS")
async def test_an_unknown_card_is_refused(charger2: Charger2) -> None:
    assert await authorized(charger2, STRANGER) == {"status": "Invalid"}


@pytest.mark.conformance("TC_C_06_CSMS")
async def test_a_blocked_card_is_refused(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger2: Charger2
) -> None:
    keep(hass, init_integration, status=TokenStatus.BLOCKED)
    assert await authorized(charger2) == {"status": "Blocked"}


@pytest.mark.conformance("TC_C_07_CSMS")
async def test_a_card_whose_time_is_over_is_refused(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger2: Charger2
) -> None:
    over = datetime(2026, 1, 1, tzinfo=UTC)
    keep(hass, init_integration, expires=over)
    assert await authorized(charger2) == {
        "status": "Expired",
        "cacheExpiryDateTime": "2026-01-01T00:00:00.000Z",
    }


async def test_how_long_a_card_is_good_is_told(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger2: Charger2
) -> None:
    until = dt_util.utcnow().replace(microsecond=0) + timedelta(days=30)
    keep(hass, init_integration, expires=until)
    answer = await charger2.call("Authorize", {"idToken": token()})
    assert answer["idTokenInfo"] == {
        "status": "Accepted",
        "cacheExpiryDateTime": until.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "language1": "en",
    }


@pytest.mark.conformance("TC_C_08_CSMS")
async def test_a_card_that_the_charger_let_in_itself_is_confirmed(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger2: Charger2
) -> None:
    keep(hass, init_integration)
    answer = await charger2.begin(token=CARD, trigger="Authorized")
    assert told(answer) == ACCEPTED
    (session,) = await sessions(hass)
    assert (session["id_token"], session["token_name"]) == (CARD, "Anna")


@pytest.mark.conformance("TC_C_20_CSMS")
@pytest.mark.peer("B-22")
@pytest.mark.parametrize(
    ("status", "word"), [(None, "Invalid"), (TokenStatus.BLOCKED, "Blocked")]
)
async def test_a_card_that_is_good_only_in_the_cache_is_refused(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger2: Charger2,
    status: TokenStatus | None,
    word: str,
) -> None:
    if status is not None:
        keep(hass, init_integration, status=status)
    answer = await charger2.begin(token=CARD, trigger="Authorized")
    assert told(answer) == {"status": word}
    end = await charger2.event(
        "Ended", number=1, energy=1010, info={"stoppedReason": "DeAuthorized"}
    )
    assert end == {}
    (session,) = await sessions(hass)
    assert (session["stop_reason"], session["energy"]) == ("de_authorized", 10)


@pytest.mark.conformance("TC_C_37_CSMS")
async def test_the_cache_is_cleared(hass: HomeAssistant, charger2: Charger2) -> None:
    answer = await act(hass, "clear_cache")
    assert charger2.calls("ClearCache") == [{}]
    assert answer["status"] == "accepted"


@pytest.mark.conformance("TC_C_38_CSMS")
async def test_a_cache_that_is_not_cleared_is_told(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    charger2.answers["ClearCache"] = {"status": "Rejected"}
    with pytest.raises(HomeAssistantError) as err:
        await act(hass, "clear_cache")
    assert err.value.translation_key == "rejected"


async def _begun_and_ended_by_another(
    hass: HomeAssistant, charger: Charger2, first: str, second: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Begin with a card, end with another; return what is said of each."""
    begun = told(await charger.begin(token=first, trigger="Authorized"))
    ended = told(
        await charger.event(
            "Ended",
            number=1,
            energy=2000,
            trigger="StopAuthorized",
            idToken=token(second),
            info={"stoppedReason": "Local"},
        )
    )
    (session,) = await sessions(hass)
    assert (session["state"], session["id_token"]) == ("closed", first)
    return begun, ended


@pytest.mark.conformance("TC_C_39_CSMS")
async def test_cards_of_a_group_stand_in_for_each_other(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger2: Charger2
) -> None:
    keep(hass, init_integration, group=FAMILY)
    keep(hass, init_integration, OTHER, name="Ben", group=FAMILY)
    both = {**ACCEPTED, "groupIdToken": group(FAMILY)}
    assert await authorized(charger2) == both
    assert await authorized(charger2, OTHER) == both
    answers = await _begun_and_ended_by_another(hass, charger2, CARD, OTHER)
    assert answers == (both, both)


@pytest.fixture
def listing(charger2: Charger2) -> Charger2:
    """Return a charger that keeps a local list, and takes what it is sent."""
    charger2.variables |= {
        "LocalAuthListCtrlr.Available": ("true", True),
        "LocalAuthListCtrlr.Enabled": ("true", False),
        "LocalAuthListCtrlr.Entries": ("0", True),
    }
    return charger2


@pytest.mark.conformance("TC_C_40_CSMS")
async def test_cards_of_a_group_on_the_local_list(
    hass: HomeAssistant, init_integration: MockConfigEntry, listing: Charger2
) -> None:
    keep(hass, init_integration, group=FAMILY)
    keep(hass, init_integration, OTHER, name="Ben", group=FAMILY)
    both = {**ACCEPTED, "groupIdToken": group(FAMILY)}
    # Who is on the list is not asked about: nothing but the session is told.
    answers = await _begun_and_ended_by_another(hass, listing, CARD, OTHER)
    assert answers == (both, both)


@pytest.mark.conformance("TC_C_43_CSMS")
async def test_a_card_of_a_group_that_is_not_on_the_list_is_asked_about(
    hass: HomeAssistant, init_integration: MockConfigEntry, listing: Charger2
) -> None:
    keep(hass, init_integration, group=FAMILY)
    keep(hass, init_integration, OTHER, name="Ben", group=FAMILY)
    both = {**ACCEPTED, "groupIdToken": group(FAMILY)}
    assert told(await listing.begin(token=CARD, trigger="Authorized")) == both
    assert await authorized(listing, OTHER) == both
    end = await listing.event(
        "Ended", number=1, energy=2000, trigger="StopAuthorized", idToken=token(OTHER)
    )
    assert told(end) == both


@pytest.mark.parametrize(
    "chosen",
    [
        pytest.param((1, 2), marks=pytest.mark.conformance("TC_C_47_CSMS"), id="all"),
        pytest.param((2,), marks=pytest.mark.conformance("TC_C_48_CSMS"), id="chosen"),
        pytest.param(
            (2, 1), marks=pytest.mark.conformance("TC_C_49_CSMS"), id="without_display"
        ),
    ],
)
async def test_a_master_pass_ends_sessions(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger2: Charger2,
    chosen: tuple[int, ...],
) -> None:
    keep(hass, init_integration)
    keep(hass, init_integration, OTHER, name="Ben")
    keep(hass, init_integration, MASTER, name="Caretaker", group=MASTER_GROUP)
    charger2.variables["AuthCtrlr.MasterPassGroupId"] = (MASTER_GROUP, False)
    await charger2.begin("tx-1", 1, token=CARD)
    await charger2.begin("tx-2", 2, token=OTHER)

    master = {**ACCEPTED, "groupIdToken": group(MASTER_GROUP)}
    assert await authorized(charger2, MASTER) == master
    for evse_id in chosen:
        end = await charger2.event(
            "Ended",
            f"tx-{evse_id}",
            1,
            energy=1500,
            trigger="StopAuthorized",
            idToken=token(MASTER),
            info={"stoppedReason": "MasterPass"},
        )
        assert told(end) == master
    await hass.async_block_till_done()
    for session in await sessions(hass):
        ended = session["connector"] in chosen
        assert session["state"] == ("closed" if ended else "open")
        assert session["stop_reason"] == ("master_pass" if ended else None)


CONTRACT = "DE-ABC-C12345678-9"
HASHES = [
    {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": "aa",
        "issuerKeyHash": "bb",
        "serialNumber": "01",
        "responderURL": "http://ocsp.invalid",
    }
]


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (
            TokenStatus.ACCEPTED,
            {"idTokenInfo": ACCEPTED, "certificateStatus": "Accepted"},
        ),
        (
            TokenStatus.BLOCKED,
            {
                "idTokenInfo": {"status": "Blocked"},
                "certificateStatus": "ContractCancelled",
            },
        ),
        (
            None,
            {
                "idTokenInfo": {"status": "Invalid"},
                "certificateStatus": "CertChainError",
            },
        ),
    ],
)
@pytest.mark.parametrize(
    "proof", [{"iso15118CertificateHashData": HASHES}, {"certificate": "-----PEM-----"}]
)
async def test_a_contract_is_good_if_the_user_knows_it(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger2: Charger2,
    status: TokenStatus | None,
    answer: dict[str, Any],
    proof: dict[str, Any],
) -> None:
    if status is not None:
        keep(hass, init_integration, CONTRACT, name="Car", status=status)
    given = await charger2.call(
        "Authorize", {"idToken": token(CONTRACT, "eMAID"), **proof}
    )
    assert {**given, "idTokenInfo": told(given)} == answer


@pytest.mark.parametrize(
    ("text", "kind", "word"),
    [
        ("", "NoAuthorization", "Accepted"),
        (CARD, "Central", "Accepted"),
        (CARD, "ISO14443", "Accepted"),
        (CARD, "ISO15693", "Accepted"),
        (CARD, "KeyCode", "Accepted"),
        (CARD, "Local", "Accepted"),
        (CARD, "MacAddress", "Accepted"),
        (CARD, "eMAID", "Accepted"),
        (STRANGER, "KeyCode", "Invalid"),
        (STRANGER, "MacAddress", "Invalid"),
        (STRANGER, "Imaginary", "Invalid"),
    ],
)
async def test_every_type_of_token_is_understood(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger2: Charger2,
    text: str,
    kind: str,
    word: str,
) -> None:
    keep(hass, init_integration)
    answer = await charger2.call("Authorize", {"idToken": token(text, kind)})
    assert answer["idTokenInfo"]["status"] == word
    begun = await charger2.begin(token=None, idToken=token(text, kind))
    assert begun["idTokenInfo"]["status"] == word


async def test_a_token_is_called_as_the_charger_called_it_also_after_a_restart(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger2: Charger2,
) -> None:
    keep(hass, init_integration)
    await charger2.call("Authorize", {"idToken": token(CARD, "KeyCode")})
    await act(hass, "start_charging", id_token=CARD)
    start = await charger2.expect("RequestStartTransaction")
    assert start["idToken"] == token(CARD, "KeyCode")

    await charger2.close()
    assert await hass.config_entries.async_reload(init_integration.entry_id)
    await hass.async_block_till_done()
    charger2.url = f"ws://127.0.0.1:{init_integration.runtime_data.port}/ocpp"
    await charger2.connect()
    await charger2.boot()
    await flush(hass)
    charger2.received.clear()
    await act(hass, "start_charging", id_token=CARD)
    start = await charger2.expect("RequestStartTransaction")
    assert start["idToken"] == token(CARD, "KeyCode")
