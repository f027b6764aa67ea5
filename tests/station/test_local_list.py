"""Local lists: what is sent when, and that the station ends with what it should hold."""

from dataclasses import replace
from datetime import UTC, datetime
from unittest.mock import AsyncMock

from hypothesis import given, settings, strategies as st
import pytest

from .list_charger import BAD, FAULTS, GOOD, ListCharger, said
from custom_components.ev_charger_hub.ocpp.errors import CallInterrupted
from custom_components.ev_charger_hub.station.authorization import Verdict
from custom_components.ev_charger_hub.station.enums import AuthorizationStatus
from custom_components.ev_charger_hub.station.errors import JournalError, NotConnected
from custom_components.ev_charger_hub.station.list_ledger import MAX_VERSION
from custom_components.ev_charger_hub.station.local_list import (
    AFTER_ARRIVAL,
    ATTEMPTS,
    FACT,
    RETRY,
    SOON,
    SyncEnd,
)
from custom_components.ev_charger_hub.station.model import StationInfo
from custom_components.ev_charger_hub.station.settings import LocalListMode

MORNING = datetime(2027, 1, 1, 6, tzinfo=UTC)
FIVE = {f"CARD{number}": GOOD for number in range(5)}


@pytest.fixture
async def charger() -> ListCharger:
    """Return a charger whose configuration is known, with an empty list."""
    charger = ListCharger()
    await charger.learn()
    return charger


async def test_the_first_list_is_a_full_one_in_as_many_messages_as_it_takes(
    charger: ListCharger,
) -> None:
    charger.tokens = dict(FIVE)
    done = await charger.local_list.sync()
    assert charger.updates == [("Full", 1, 4), ("Differential", 2, 1)]
    assert charger.content == said(FIVE)
    assert (done.end, done.version, done.full) == (SyncEnd.SENT, 2, True)
    assert charger.station.list_size.value == 5


async def test_a_change_is_a_difference(charger: ListCharger) -> None:
    charger.tokens = dict(FIVE)
    await charger.local_list.sync()
    charger.calls.clear()
    del charger.tokens["CARD0"]
    charger.tokens |= {
        "CARD1": BAD,
        "NEW": replace(GOOD, expires=MORNING, group="FAMILY"),
    }
    assert (await charger.local_list.sync()).end is SyncEnd.SENT
    assert charger.calls == [
        ("GetLocalListVersion", {}),
        (
            "SendLocalList",
            {
                "listVersion": 3,
                "updateType": "Differential",
                "localAuthorizationList": [
                    {"idTag": "CARD0"},
                    {
                        "idTag": "NEW",
                        "idTagInfo": {
                            "status": "Accepted",
                            "expiryDate": "2027-01-01T06:00:00.000Z",
                            "parentIdTag": "FAMILY",
                        },
                    },
                    {"idTag": "CARD1", "idTagInfo": {"status": "Blocked"}},
                ],
            },
        ),
    ]
    assert charger.content == said(charger.tokens)


async def test_what_is_there_is_not_sent_again(charger: ListCharger) -> None:
    charger.tokens = dict(FIVE)
    await charger.local_list.sync()
    await charger.restart_hub()
    charger.calls.clear()
    charger.tokens = dict(reversed(FIVE.items()))
    assert (await charger.local_list.sync()).end is SyncEnd.IN_SYNC
    assert charger.calls == [("GetLocalListVersion", {})]


async def test_who_was_cleared_stays_away_until_the_user_wants_otherwise(
    charger: ListCharger,
) -> None:
    charger.tokens = dict(FIVE)
    await charger.local_list.sync()
    done = await charger.local_list.withhold("card3")
    assert done is not None
    assert done.end is SyncEnd.SENT
    rest = {token: verdict for token, verdict in FIVE.items() if token != "CARD3"}
    assert charger.content == said(rest)
    await charger.restart_hub()
    assert (await charger.local_list.sync()).end is SyncEnd.IN_SYNC
    await charger.local_list.send(full=True)
    assert charger.content == said(FIVE)


async def test_who_was_cleared_comes_back_once_added_anew(charger: ListCharger) -> None:
    charger.tokens = dict(FIVE)
    await charger.local_list.sync()
    await charger.local_list.withhold("CARD3")
    good = charger.tokens.pop("CARD3")
    charger.local_list.changed()
    await charger.settle()
    charger.tokens["CARD3"] = good
    await charger.local_list.sync()
    assert charger.content == said(FIVE)


async def test_who_is_not_on_a_list_needs_not_leave_it(charger: ListCharger) -> None:
    charger.tokens = dict(FIVE)
    assert await charger.local_list.withhold("STRANGER") is None
    # Nothing was brought there yet: then nothing has to be taken away.
    assert await charger.local_list.withhold("CARD1") is None
    assert charger.updates == []
    await charger.local_list.sync()
    assert set(charger.content) == set(FIVE) - {"CARD1"}


async def test_a_lost_list_is_brought_again(charger: ListCharger) -> None:
    charger.tokens = dict(FIVE)
    await charger.local_list.sync()
    charger.forget()
    await charger.local_list.sync()
    assert charger.updates[2:] == [("Full", 3, 4), ("Differential", 4, 1)]
    assert charger.content == said(FIVE)


async def test_the_list_of_somebody_else_is_replaced_above_its_version(
    charger: ListCharger,
) -> None:
    charger.version, charger.list = 70, {"OTHER": {"status": "Accepted"}}
    charger.tokens = {"CARD": GOOD}
    await charger.local_list.sync()
    assert charger.updates == [("Full", 71, 1)]
    assert charger.content == said({"CARD": GOOD})


async def test_versions_begin_anew_at_the_end_of_all_numbers(
    charger: ListCharger,
) -> None:
    charger.version = MAX_VERSION
    charger.tokens = {"CARD": GOOD}
    await charger.local_list.sync()
    assert charger.updates == [("Full", 1, 1)]


async def test_who_never_had_tokens_touches_no_list(charger: ListCharger) -> None:
    charger.version, charger.list = 70, {"OTHER": {"status": "Accepted"}}
    assert (await charger.local_list.sync()).end is SyncEnd.IDLE
    assert charger.calls == []


async def test_the_last_token_is_taken_off(charger: ListCharger) -> None:
    charger.tokens = {"CARD": GOOD}
    await charger.local_list.sync()
    charger.tokens.clear()
    await charger.local_list.sync()
    assert charger.list == {}
    assert charger.station.list_size.value == 0
    charger.calls.clear()
    assert (await charger.local_list.sync()).end is SyncEnd.IN_SYNC
    # Some stations call an empty list version 0, whatever they were told.
    charger.forget()
    assert (await charger.local_list.sync()).end is SyncEnd.IN_SYNC
    assert charger.sent("SendLocalList") == []


@pytest.mark.parametrize("word", ["VersionMismatch", "Failed", "NotSupported"])
async def test_a_refused_difference_becomes_a_full_list(
    charger: ListCharger, word: str
) -> None:
    charger.tokens = {"CARD": GOOD}
    await charger.local_list.sync()
    charger.tokens |= {"NEW": GOOD}
    charger.faults = [word]
    assert (await charger.local_list.sync()).end is SyncEnd.SENT
    assert charger.updates[1:] == [("Differential", 2, 1), ("Full", 3, 2)]
    assert charger.content == said(charger.tokens)


async def test_a_list_that_fails_twice_waits_for_a_change(
    charger: ListCharger,
) -> None:
    charger.tokens = {"CARD": GOOD}
    charger.faults = ["Failed", "Failed"]
    assert (await charger.local_list.sync()).end is SyncEnd.REFUSED
    assert charger.updates == [("Full", 1, 1), ("Full", 2, 1)]
    charger.reconnect()
    await charger.time.advance(AFTER_ARRIVAL)
    assert len(charger.updates) == 2
    charger.tokens |= {"NEW": GOOD}
    charger.local_list.changed()
    await charger.time.advance(SOON)
    assert charger.content == said(charger.tokens)
    assert charger.station.findings["local_list"] == "ok: 2 tokens"


async def test_a_list_that_arrived_in_part_is_completed(charger: ListCharger) -> None:
    charger.tokens = dict(FIVE)
    charger.faults = ["", "gone"]
    with pytest.raises(NotConnected):
        await charger.local_list.sync()
    assert charger.updates == [("Full", 1, 4), ("Differential", 2, 1)]
    await charger.restart_hub()
    await charger.local_list.sync()
    assert charger.updates == [("Differential", 3, 1)]
    assert charger.content == said(FIVE)


@pytest.mark.parametrize("fault", ["lost", "answer lost", "hung up"])
async def test_an_answer_that_never_came_does_not_mislead(
    charger: ListCharger, fault: str
) -> None:
    charger.tokens = {"CARD": GOOD}
    await charger.local_list.sync()
    charger.tokens["CARD"] = BAD
    charger.faults = [fault]
    assert (await charger.local_list.sync()).end is SyncEnd.UNANSWERED
    charger.tokens["CARD"] = GOOD
    await charger.restart_hub()
    await charger.local_list.sync()
    assert charger.content == said({"CARD": GOOD})


async def test_a_station_without_a_list_is_asked_once_per_firmware(
    charger: ListCharger,
) -> None:
    charger.tokens = {"CARD": GOOD}
    charger.version = -1
    assert (await charger.local_list.sync()).end is SyncEnd.NOT_SUPPORTED
    await charger.restart_hub()
    charger.calls.clear()
    assert (await charger.local_list.sync()).end is SyncEnd.NOT_SUPPORTED
    assert charger.calls == []
    charger.version = 0
    charger.station.info.set(StationInfo(vendor="V", model="M", firmware="2.0"))
    await charger.local_list.sync()
    assert charger.content == said(charger.tokens)


async def test_a_list_that_is_only_switched_off_is_sent_once_it_is_on(
    charger: ListCharger,
) -> None:
    charger.tokens = {"CARD": GOOD}
    charger.keys["LocalAuthListEnabled"] = ("false", False)
    await charger.learn()
    charger.version = -1
    assert (await charger.local_list.send(full=False)).end is SyncEnd.NOT_SUPPORTED
    charger.keys["LocalAuthListEnabled"] = ("true", False)
    await charger.learn()
    charger.version = 0
    assert (await charger.local_list.sync()).end is SyncEnd.SENT


async def test_a_list_that_cannot_be_sent_is_remembered_too(
    charger: ListCharger,
) -> None:
    charger.tokens = {"CARD": GOOD}
    charger.faults = ["NotSupported"]
    assert (await charger.local_list.sync()).end is SyncEnd.NOT_SUPPORTED
    charger.calls.clear()
    assert (await charger.local_list.sync()).end is SyncEnd.NOT_SUPPORTED
    assert charger.calls == []


async def test_a_station_that_lists_its_features_without_lists_is_not_asked(
    charger: ListCharger,
) -> None:
    charger.tokens = {"CARD": GOOD}
    del charger.keys["LocalAuthListEnabled"]
    charger.link.configuration.forget()
    await charger.learn()
    assert (await charger.local_list.sync()).end is SyncEnd.NOT_SUPPORTED
    assert charger.calls == []


async def test_a_list_that_is_not_used_is_not_sent(charger: ListCharger) -> None:
    charger.tokens = {"CARD": GOOD}
    charger.keys["LocalAuthListEnabled"] = ("false", False)
    await charger.learn()
    assert (await charger.local_list.sync()).end is SyncEnd.DISABLED
    assert charger.calls == []
    # But the user may say so.
    assert (await charger.local_list.send(full=True)).end is SyncEnd.SENT
    assert charger.content == said(charger.tokens)


@pytest.mark.parametrize("wish", [{"quiet": True}, {"local_list": LocalListMode.OFF}])
async def test_who_wants_nothing_sent_gets_nothing_sent(
    charger: ListCharger, wish: dict[str, object]
) -> None:
    charger.tokens = {"CARD": GOOD}
    charger.station.settings = replace(charger.station.settings, **wish)  # type: ignore[arg-type]
    charger.reconnect()
    charger.local_list.changed()
    await charger.time.advance(AFTER_ARRIVAL)
    assert (await charger.local_list.sync()).end is SyncEnd.LEFT_ALONE
    assert charger.calls == []


async def test_changes_are_gathered(charger: ListCharger) -> None:
    for number in range(3):
        charger.tokens[f"CARD{number}"] = GOOD
        charger.local_list.changed()
        await charger.time.advance(SOON / 3 - 0.1)
    assert charger.calls == []
    await charger.time.advance(1)
    assert charger.updates == [("Full", 1, 3)]


async def test_a_station_that_comes_back_is_asked_for_its_version(
    charger: ListCharger,
) -> None:
    charger.tokens = {"CARD": GOOD}
    await charger.local_list.sync()
    charger.forget()
    charger.reconnect()
    await charger.time.advance(AFTER_ARRIVAL)
    assert charger.content == said(charger.tokens)
    charger.calls.clear()
    charger.local_list.changed()
    await charger.time.advance(SOON)
    assert charger.calls == []


async def test_an_absent_station_gets_changes_when_it_is_back(
    charger: ListCharger,
) -> None:
    charger.online = False
    charger.station.local.set(False)
    charger.tokens = {"CARD": GOOD}
    charger.local_list.changed()
    await charger.time.advance(SOON)
    charger.online = True
    charger.station.local.set(True)
    await charger.time.advance(AFTER_ARRIVAL)
    assert charger.content == said(charger.tokens)


async def test_a_list_without_an_answer_is_tried_again(charger: ListCharger) -> None:
    charger.tokens = {"CARD": GOOD}
    charger.faults = ["lost", "answer lost"]
    charger.local_list.changed()
    await charger.time.advance(SOON)
    assert charger.station.findings["local_list"] == "unanswered"
    await charger.time.advance(2 * RETRY)
    assert charger.updates == [("Full", 1, 1), ("Full", 2, 1), ("Full", 3, 1)]
    assert charger.station.findings["local_list"] == "ok: 1 tokens"


async def test_a_station_that_hangs_up_on_its_list_is_left_alone_in_the_end(
    charger: ListCharger,
) -> None:
    charger.tokens = {"CARD": GOOD}
    charger.answers["SendLocalList"] = CallInterrupted("it hung up")
    for _ in range(ATTEMPTS + 3):
        charger.reconnect()
        await charger.time.advance(AFTER_ARRIVAL)
    assert len(charger.updates) == ATTEMPTS
    assert charger.station.findings["local_list"] == "refused: it hung up"
    await charger.time.advance(9 * RETRY)
    assert len(charger.updates) == ATTEMPTS
    # Another list may be another matter.
    del charger.answers["SendLocalList"]
    charger.tokens |= {"NEW": GOOD}
    charger.local_list.changed()
    await charger.time.advance(SOON)
    assert charger.content == said(charger.tokens)


async def test_a_version_that_nobody_tells_stops_it(charger: ListCharger) -> None:
    charger.tokens = {"CARD": GOOD}
    charger.answers["GetLocalListVersion"] = {"status": "Rejected"}
    assert (await charger.local_list.sync()).end is SyncEnd.REFUSED
    assert charger.updates == []


async def test_a_small_list_holds_those_who_may_charge(charger: ListCharger) -> None:
    charger.keys["LocalAuthListMaxLength"] = ("2", True)
    await charger.learn()
    charger.tokens = {"LOST": BAD, "CARD1": GOOD, "CARD2": GOOD}
    done = await charger.local_list.sync()
    assert charger.content == said({"CARD1": GOOD, "CARD2": GOOD})
    assert (done.entries, done.left_out) == (2, 1)
    assert done.finding == "partial: 2 of 3"


async def test_tokens_that_fit_into_no_message_are_left_out(
    charger: ListCharger,
) -> None:
    busy = Verdict(status=AuthorizationStatus.CONCURRENT_TX)
    charger.tokens = {"X" * 21: GOOD, "CARD": busy, "card": BAD, "": GOOD}
    done = await charger.local_list.sync()
    assert charger.content == said({"CARD": GOOD})
    # Nobody can show them there, so that nothing is missing.
    assert done.left_out == 0


async def test_another_spelling_is_a_full_list(charger: ListCharger) -> None:
    # A station that minds the case would keep the old one as well.
    charger.tokens = {"card": GOOD}
    await charger.local_list.sync()
    charger.tokens = {"CARD": BAD}
    await charger.local_list.sync()
    assert charger.updates == [("Full", 1, 1), ("Full", 2, 1)]
    assert charger.content == said({"CARD": BAD})


async def test_a_list_that_cannot_be_recorded_is_not_sent(
    charger: ListCharger,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    charger.tokens = {"CARD": GOOD}
    with monkeypatch.context() as broken:
        broken.setattr(charger.journal, "store", AsyncMock(side_effect=JournalError))
        charger.local_list.changed()
        await charger.time.advance(SOON)
    assert "local list not recorded" in caplog.text
    assert "Traceback" not in caplog.text
    assert charger.updates == []
    charger.reconnect()
    await charger.time.advance(AFTER_ARRIVAL)
    assert charger.content == said(charger.tokens)


async def test_a_damaged_record_is_as_good_as_none(charger: ListCharger) -> None:
    charger.tokens = {"CARD": GOOD}
    await charger.local_list.sync()
    kept = await charger.journal.load("CP1", FACT)
    assert kept is not None
    for damage in ({"hash": "x"}, {"entries": {"CARD": ["unheard of", None, None]}}):
        charger.journal.store_soon("CP1", FACT, kept | damage)
        await charger.restart_hub()
        charger.calls.clear()
        await charger.local_list.sync()
        assert charger.updates[0][0] == "Full"


TOKENS = st.dictionaries(
    st.sampled_from([f"CARD{number}" for number in range(9)] + ["card1", "card2"]),
    st.builds(
        Verdict,
        status=st.sampled_from(
            [AuthorizationStatus.ACCEPTED, AuthorizationStatus.BLOCKED]
        ),
        expires=st.sampled_from([None, MORNING]),
        group=st.sampled_from([None, "FAMILY"]),
    ),
).filter(lambda tokens: len({token.upper() for token in tokens}) == len(tokens))

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("tokens"), TOKENS),
        st.tuples(st.just("faults"), st.lists(st.sampled_from(("", *FAULTS)))),
        st.tuples(
            st.sampled_from(["sync", "wait", "restart", "forget", "reconnect", "full"]),
            st.none(),
        ),
    ),
    max_size=25,
)


async def _step(charger: ListCharger, action: str, value: object) -> None:
    match action, value:
        case "tokens", dict(tokens):
            charger.tokens = tokens
            charger.local_list.changed()
        case "faults", list(faults):
            charger.faults = faults
        case "wait", _:
            await charger.time.advance(AFTER_ARRIVAL)
        case "restart", _:
            await charger.restart_hub()
        case "forget", _:
            charger.forget()
        case "reconnect", _:
            charger.reconnect()
        case "sync", _:
            await charger.local_list.sync()
        case "full", _:
            await charger.local_list.send(full=True)


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
async def test_whatever_happens_the_station_ends_with_what_it_should_hold(
    steps: list[tuple[str, object]],
) -> None:
    charger = ListCharger()
    await charger.learn()
    charger.tokens = {"CARD0": GOOD}
    for action, value in steps:
        try:
            await _step(charger, action, value)
        except NotConnected:
            continue
    charger.faults = []
    charger.reconnect()
    await charger.time.advance(AFTER_ARRIVAL)
    if charger.content != said(charger.tokens):
        # It was refused before: not tried again until the station boots.
        await charger.local_list.sync()
    assert charger.content == said(charger.tokens)
    assert all(version > 0 for _, version, _ in charger.updates)
    charger.local_list.close()
