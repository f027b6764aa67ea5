"""Display messages of OCPP 2.x: shown, replaced, listed, cleared, refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from homeassistant.components.notify.const import ATTR_MESSAGE, DOMAIN as NOTIFY
from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..ha.charger import Charger
from ..ha.charger_v2 import Charger2
from ..ha.conftest import IDENTITY, Charger2Factory
from ..ha.entities import act, entity_id, exists, state
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp import timestamps
from custom_components.ev_charger_hub.ocpp.v201 import reports

HELLO = {"format": "ASCII", "content": "Hello"}
WITH_DISPLAY = {
    "DisplayMessageCtrlr.Available": ("true", True),
    "DisplayMessageCtrlr.SupportedFormats": ("UTF8,URI", True),
    "DisplayMessageCtrlr.SupportedPriorities": ("AlwaysFront,NormalCycle", True),
}


async def show(
    hass: HomeAssistant, charger: Charger2, **fields: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Show a message; return what the charger is sent, and what the action says."""
    response = await act(hass, "set_display_message", **({"message": "Hello"} | fields))
    return charger.calls("SetDisplayMessage")[-1]["message"], response


async def listed(
    hass: HomeAssistant, charger: Charger2, *parts: list[dict[str, Any]], **fields: Any
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """List messages, which come in parts; return what was asked, and what came."""

    def answer(payload: dict[str, Any]) -> dict[str, Any]:
        for number, part in enumerate(parts, 1):
            told = {
                "requestId": payload["requestId"],
                "messageInfo": part,
                "tbc": number < len(parts),
            }
            charger._spawn("NotifyDisplayMessages", told)
        return {"status": "Accepted" if parts else "Unknown"}

    charger.answers["GetDisplayMessages"] = answer
    response = await act(hass, "get_display_messages", **fields)
    asked = charger.calls("GetDisplayMessages")[-1]
    assert isinstance(asked.pop("requestId"), int)
    return asked, response["messages"]


def info(number: int, **fields: Any) -> dict[str, Any]:
    """Return a message as a charger tells of it."""
    return {"id": number, "priority": "InFront", "message": HELLO} | fields


@pytest.mark.conformance("TC_O_01_CSMS")
@pytest.mark.conformance("UC_O01")
async def test_a_message_is_shown(hass: HomeAssistant, charger2: Charger2) -> None:
    sent, response = await show(
        hass, charger2, priority="in_front", show_in="idle", language="en"
    )
    assert sent == {
        "id": response["message_id"],
        "priority": "InFront",
        "state": "Idle",
        "message": HELLO | {"language": "en"},
    }
    assert response["answer"] == "Accepted"
    other, _ = await show(hass, charger2, message="Grüß Gott")
    assert other["id"] != sent["id"]
    assert other["message"] == {"format": "UTF8", "content": "Grüß Gott"}


@pytest.mark.conformance("TC_O_02_CSMS")
@pytest.mark.conformance("UC_O03")
async def test_all_messages_are_listed_in_parts(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    at = "2030-01-01T00:00:00.000Z"
    second = info(8, state="Charging", endDateTime=at, transactionId="tx-1")
    asked, found = await listed(hass, charger2, [info(7)], [second])
    assert asked == {}
    assert [one["message_id"] for one in found] == [7, 8]
    assert found[0]["message"] == "Hello"
    assert (found[1]["show_in"], found[1]["transaction_id"]) == ("charging", "tx-1")
    until = datetime.fromisoformat(found[1]["until"])
    assert abs(until - datetime(2030, 1, 1, tzinfo=UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, marks=pytest.mark.conformance("TC_O_03_CSMS")),
        pytest.param(
            {"message_ids": [99]}, marks=pytest.mark.conformance("TC_O_11_CSMS")
        ),
    ],
)
async def test_that_there_are_no_messages_is_no_error(
    hass: HomeAssistant, charger2: Charger2, fields: dict[str, Any]
) -> None:
    asked, found = await listed(hass, charger2, **fields)
    assert asked == ({"id": [99]} if fields else {})
    assert found == []


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        pytest.param(
            {"message_ids": [7]},
            {"id": [7]},
            marks=[
                pytest.mark.conformance("TC_O_07_CSMS"),
                pytest.mark.conformance("UC_O04"),
            ],
        ),
        pytest.param(
            {"priority": "in_front"},
            {"priority": "InFront"},
            marks=pytest.mark.conformance("TC_O_08_CSMS"),
        ),
        pytest.param(
            {"show_in": "charging"},
            {"state": "Charging"},
            marks=pytest.mark.conformance("TC_O_09_CSMS"),
        ),
    ],
)
async def test_some_messages_are_asked_for(
    hass: HomeAssistant,
    charger2: Charger2,
    fields: dict[str, Any],
    sent: dict[str, Any],
) -> None:
    asked, found = await listed(hass, charger2, [info(7)], **fields)
    assert asked == sent
    assert [one["message_id"] for one in found] == [7]


@pytest.mark.conformance("TC_O_04_CSMS")
@pytest.mark.conformance("UC_O05")
async def test_a_message_is_taken_away(hass: HomeAssistant, charger2: Charger2) -> None:
    _, shown = await show(hass, charger2)
    response = await act(hass, "clear_display_message", message_id=shown["message_id"])
    assert response["answer"] == "Accepted"
    assert charger2.calls("ClearDisplayMessage") == [{"id": shown["message_id"]}]


@pytest.mark.conformance("TC_O_05_CSMS")
async def test_a_message_that_is_not_there_cannot_be_taken_away(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    charger2.answers["ClearDisplayMessage"] = {"status": "Unknown"}
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "clear_display_message", message_id=7)
    assert raised.value.translation_key == "display_unknown"


@pytest.mark.conformance("TC_O_06_CSMS")
@pytest.mark.conformance("UC_O02")
async def test_a_message_is_for_the_session_that_runs(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    with pytest.raises(ServiceValidationError) as raised:
        await show(hass, charger2, session=True)
    assert raised.value.translation_key == "no_session"
    await charger2.begin()
    sent, response = await show(hass, charger2, session=True)
    assert (sent["transactionId"], response["answer"]) == ("tx-1", "Accepted")


@pytest.mark.parametrize(
    ("answer", "error", "fields"),
    [
        pytest.param(
            "UnknownTransaction",
            "display_session",
            {"transaction_id": "tx-0"},
            marks=pytest.mark.conformance("TC_O_10_CSMS"),
        ),
        pytest.param(
            "NotSupportedPriority",
            "display_priority",
            {"priority": "always_front"},
            marks=pytest.mark.conformance("TC_O_17_CSMS"),
        ),
        pytest.param(
            "NotSupportedState",
            "display_state",
            {"show_in": "faulted"},
            marks=pytest.mark.conformance("TC_O_18_CSMS"),
        ),
        pytest.param(
            "NotSupportedMessageFormat",
            "display_format",
            {"format": "html"},
            marks=pytest.mark.conformance("TC_O_19_CSMS"),
        ),
        pytest.param(
            "Rejected", "rejected", {}, marks=pytest.mark.conformance("TC_O_26_CSMS")
        ),
    ],
)
async def test_what_a_charger_does_not_show_is_told(
    hass: HomeAssistant,
    charger2: Charger2,
    answer: str,
    error: str,
    fields: dict[str, Any],
) -> None:
    charger2.answers["SetDisplayMessage"] = {"status": answer}
    with pytest.raises(HomeAssistantError) as raised:
        await show(hass, charger2, **fields)
    assert raised.value.translation_key == error
    assert len(charger2.calls("SetDisplayMessage")) == 1


@pytest.mark.conformance("TC_O_12_CSMS")
@pytest.mark.conformance("UC_O06")
async def test_a_message_is_replaced_by_its_number(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    first, response = await show(hass, charger2)
    second, _ = await show(
        hass, charger2, message="Bye", message_id=response["message_id"]
    )
    assert first["id"] == second["id"]
    assert second["message"]["content"] == "Bye"


@pytest.mark.parametrize(
    ("field", "name", "session"),
    [
        pytest.param(
            "start",
            "startDateTime",
            False,
            marks=pytest.mark.conformance("TC_O_13_CSMS"),
        ),
        pytest.param(
            "until", "endDateTime", False, marks=pytest.mark.conformance("TC_O_14_CSMS")
        ),
        pytest.param(
            "start",
            "startDateTime",
            True,
            marks=pytest.mark.conformance("TC_O_27_CSMS"),
        ),
        pytest.param(
            "until", "endDateTime", True, marks=pytest.mark.conformance("TC_O_28_CSMS")
        ),
    ],
)
async def test_a_message_has_its_time(
    hass: HomeAssistant, charger2: Charger2, field: str, name: str, session: bool
) -> None:
    await charger2.begin()
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=30)
    sent, _ = await show(hass, charger2, session=session, **{field: at.isoformat()})
    assert abs(datetime.fromisoformat(sent[name]) - at) < timedelta(seconds=5)
    assert sent.get("transactionId") == ("tx-1" if session else None)
    assert {"startDateTime", "endDateTime"} & set(sent) == {name}


@pytest.mark.conformance("TC_O_25_CSMS")
async def test_a_message_is_for_one_state(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    sent, response = await show(hass, charger2, show_in="charging")
    assert (sent["state"], response["answer"]) == ("Charging", "Accepted")


@pytest.mark.conformance("TC_O_100_CSMS")
async def test_a_language_that_a_charger_does_not_know_is_told(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.1")
    charger.answers["SetDisplayMessage"] = {"status": "LanguageNotSupported"}
    with pytest.raises(HomeAssistantError) as raised:
        await show(hass, charger, language="nl")
    assert raised.value.translation_key == "display_language"


@pytest.mark.conformance("TC_O_101_CSMS")
async def test_a_message_says_the_same_in_several_languages_in_2_1(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    translations = [{"language": "de", "message": "Hallo"}]
    charger = await charger2_ws(version="2.1")
    sent, _ = await show(hass, charger, language="en", translations=translations)
    assert sent["message"]["language"] == "en"
    assert sent["messageExtra"] == [
        {"format": "ASCII", "content": "Hallo", "language": "de"}
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"translations": [{"language": "de", "message": "Hallo"}]},
        {"show_in": "suspended"},
        {"format": "qrcode"},
    ],
)
async def test_what_2_0_1_cannot_say_is_not_sent(
    hass: HomeAssistant, charger2_ws: Charger2Factory, fields: dict[str, Any]
) -> None:
    charger = await charger2_ws()
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "set_display_message", message="Hello", **fields)
    assert raised.value.translation_key == "not_supported_by_charger"
    assert charger.calls("SetDisplayMessage") == []


async def test_a_text_that_is_too_long_is_not_sent(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws()
    with pytest.raises(ServiceValidationError) as raised:
        await show(hass, charger, message="x" * 513)
    assert raised.value.translation_key == "display_too_long"
    assert charger.calls("SetDisplayMessage") == []


async def test_a_message_that_would_be_over_is_not_sent(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    with pytest.raises(ServiceValidationError) as raised:
        await show(hass, charger2, until="2026-01-01 00:00:00")
    assert raised.value.translation_key == "display_over"


async def test_a_display_goes_by_the_clock_of_its_charger(
    hass: HomeAssistant, hub: OcppHub, charger2: Charger2
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    skew = hub.stations[IDENTITY].station.skew
    skew.observe(now + timedelta(hours=2), now)
    starts, ends = now + timedelta(hours=1), now + timedelta(hours=3)
    sent, _ = await show(
        hass, charger2, start=starts.isoformat(), until=ends.isoformat()
    )
    assert timestamps.parse(sent["startDateTime"]) == starts + timedelta(hours=2)
    assert timestamps.parse(sent["endDateTime"]) == ends + timedelta(hours=2)
    _, found = await listed(hass, charger2, [sent])
    for told, meant in ((found[0]["start"], starts), (found[0]["until"], ends)):
        assert abs(datetime.fromisoformat(told) - meant) < timedelta(seconds=1)


async def test_ocpp_1_6_has_no_display(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "set_display_message", message="Hello")
    assert raised.value.translation_key == "not_supported"
    assert not exists(hass, "notify", "CP01_display")


async def test_a_list_of_messages_that_never_ends_is_cut(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    many = [[info(part * 100 + one) for one in range(100)] for part in range(7)]
    _, found = await listed(hass, charger2, *many)
    assert len(found) == 500
    assert (await act(hass, "get_display_messages"))["complete"] is False
    _, found = await listed(hass, charger2, *many[:5])
    assert len(found) == 500
    assert (await act(hass, "get_display_messages"))["complete"] is True


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_a_charger_with_a_display_can_be_notified(
    hass: HomeAssistant, charger2_ws: Charger2Factory, version: str
) -> None:
    charger = await charger2_ws(version=version, variables=WITH_DISPLAY)
    target = {ATTR_ENTITY_ID: entity_id(hass, NOTIFY, "CP01_display")}
    for text in ("The bin has to go out", "Thanks"):
        await hass.services.async_call(
            NOTIFY, "send_message", {**target, ATTR_MESSAGE: text}, blocking=True
        )
    first, second = (one["message"] for one in charger.calls("SetDisplayMessage"))
    assert first["id"] == second["id"]
    assert second["message"] == {"format": "UTF8", "content": "Thanks"}
    assert second["priority"] == "NormalCycle"


@pytest.mark.parametrize("status", ["Accepted", "Unknown"])
async def test_an_empty_text_takes_the_last_one_away(
    hass: HomeAssistant, charger2_ws: Charger2Factory, status: str
) -> None:
    charger = await charger2_ws(variables=WITH_DISPLAY)
    charger.answers["ClearDisplayMessage"] = {"status": status}
    target = {ATTR_ENTITY_ID: entity_id(hass, NOTIFY, "CP01_display")}
    for text in ("The bin has to go out", ""):
        await hass.services.async_call(
            NOTIFY, "send_message", {**target, ATTR_MESSAGE: text}, blocking=True
        )
    (shown,) = charger.calls("SetDisplayMessage")
    assert charger.calls("ClearDisplayMessage") == [{"id": shown["message"]["id"]}]


async def test_a_display_that_does_not_clear_says_so(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(variables=WITH_DISPLAY)
    charger.answers["ClearDisplayMessage"] = {"status": "Rejected"}
    target = {ATTR_ENTITY_ID: entity_id(hass, NOTIFY, "CP01_display")}
    with pytest.raises(HomeAssistantError) as raised:
        await hass.services.async_call(
            NOTIFY, "send_message", {**target, ATTR_MESSAGE: ""}, blocking=True
        )
    assert raised.value.translation_key == "rejected"


async def test_a_display_is_there_after_a_restart_before_its_charger(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(variables=WITH_DISPLAY)
    await charger.close()
    assert await hass.config_entries.async_reload(hub.entry.entry_id)
    await hass.async_block_till_done()
    assert state(hass, NOTIFY, "CP01_display") == STATE_UNAVAILABLE


async def test_a_charger_without_a_display_has_no_entity_for_it(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    assert not exists(hass, NOTIFY, "CP01_display")


async def test_messages_that_nobody_asked_for_are_answered(charger2: Charger2) -> None:
    told = {"requestId": 4711, "messageInfo": [info(1)], "tbc": True}
    assert await charger2.call("NotifyDisplayMessages", told) == {}


async def test_messages_are_read_as_far_as_they_can_be(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    odd = info(7, priority="NormalCycle", display={"name": "Panel", "evse": {"id": 1}})
    too_far = info(2**40)
    _, found = await listed(hass, charger2, [odd, too_far])
    (only,) = found
    assert (only["message_id"], only["connector"]) == (7, 1)
    assert only["priority"] == "normal_cycle"


@pytest.mark.parametrize("extra", [{"a": 1}, "x", [1, None]])
async def test_translations_that_are_none_are_left_out(
    hass: HomeAssistant, charger2_ws: Charger2Factory, extra: object
) -> None:
    # 2.0.1 does not know them, so that anything may be there.
    charger = await charger2_ws(version="2.0.1")
    _, found = await listed(hass, charger, [info(7, messageExtra=extra)])
    assert (found[0]["message"], found[0]["translations"]) == ("Hello", [])


async def test_a_list_of_which_parts_never_come_is_not_complete(
    hass: HomeAssistant, charger2: Charger2, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "PATIENCE", 0.01)

    def answer(payload: dict[str, Any]) -> dict[str, Any]:
        told = {"messageInfo": [info(1)], "tbc": True}
        charger2._spawn("NotifyDisplayMessages", payload | told)
        return {"status": "Accepted"}

    charger2.answers["GetDisplayMessages"] = answer
    response = await act(hass, "get_display_messages")
    assert [one["message_id"] for one in response["messages"]] == [1]
    assert response["complete"] is False


async def test_messages_that_were_announced_and_never_come_are_an_error(
    hass: HomeAssistant, charger2: Charger2, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "PATIENCE", 0.01)
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "get_display_messages")
    assert raised.value.translation_key == "timed_out"


async def test_a_message_of_the_display_of_one_connector(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    sent, _ = await show(hass, charger2, connector=1, duration="00:10:00")
    assert sent["display"] == {"name": "Display", "evse": {"id": 1}}
    assert "endDateTime" in sent


async def test_what_a_display_can_do_is_listed(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(variables=WITH_DISPLAY)
    charger.answers["GetDisplayMessages"] = {"status": "Unknown"}
    response = await act(hass, "get_display_messages")
    assert response["formats"] == ["utf8", "uri"]
    assert response["priorities"] == ["always_front", "normal_cycle"]
