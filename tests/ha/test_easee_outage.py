"""Two hours of bad weather between Home Assistant and the Easee cloud (issue 6)."""

from datetime import timedelta

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_PASSWORD, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .easee import EaseeHome
from .easee_weather import (
    ERRORS,
    HOUR,
    LOGIN,
    LONG,
    MINUTE,
    NEGOTIATE,
    OUTAGES,
    SILENCE,
    STATUS,
    a_minute_later,
    gap_after,
    live_on,
    orders,
    reauths,
    set_limit,
    sins,
    wrong,
)
from .entities import state
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from custom_components.ev_charger_hub.easee_issues import BLOCKED
from simulators.easee_cloud import Charger, Fault, Vehicle
from simulators.easee_cloud.seed import CHARGER, PASSWORD


@pytest.fixture
async def charger(
    hass: HomeAssistant, easee_hub: EaseeHub, easee_home: EaseeHome
) -> Charger:
    """Return a charger that charges a car."""
    charger = easee_home.cloud.chargers[CHARGER]
    charger.plug_in(Vehicle())
    await easee_home.passes(80)
    assert wrong(hass, easee_home.cloud) == {}
    return charger


@pytest.mark.conformance("EASEE_S29")
@pytest.mark.parametrize("password", [True, False])
@pytest.mark.parametrize("kind", OUTAGES)
async def test_two_hours_without_the_cloud(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    charger: Charger,
    kind: str,
    password: bool,
) -> None:
    """Whatever it answers, and whether or not a password is stored."""
    home = easee_home
    if not password:
        entry = home.hubs[0].entry
        data = {key: entry.data[key] for key in entry.data if key != CONF_PASSWORD}
        hass.config_entries.async_update_entry(entry, data=data)
        assert await home.restart(entry, 5) is not None
        await home.passes(MINUTE)
    home.cloud.outage(*OUTAGES[kind])
    await home.passes(SILENCE - 5 * MINUTE)
    assert state(hass, "sensor", STATUS) == "charging"
    live_on(home.cloud)
    await home.passes(10 * MINUTE)
    assert state(hass, "sensor", STATUS) == STATE_UNAVAILABLE
    await home.passes(LONG - SILENCE - 5 * MINUTE)
    assert state(hass, "sensor", STATUS) == STATE_UNAVAILABLE
    assert not reauths(hass)

    home.cloud.recover()
    if kind == "429":
        # It did not say for how long: a minute has to pass first.
        await home.passes(MINUTE)

    assert await a_minute_later(home) == {}
    assert sins(home) == []
    assert len(home.cloud.journal.find("POST", LOGIN)) == 1


@pytest.mark.parametrize("kind", OUTAGES)
async def test_commands_fail_and_are_not_carried_out_by_surprise(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger, kind: str
) -> None:
    """Neither while the cloud is away nor when it comes back; then they work."""
    home = easee_home
    home.cloud.outage(*OUTAGES[kind])
    await home.passes(5)
    assert await set_limit(home) in ERRORS
    # Two hours later nobody expects it any more.
    await home.passes(HOUR)
    home.cloud.recover()
    before = orders(home.cloud)
    await home.passes(2 * MINUTE)

    assert orders(home.cloud) == before
    assert charger[48] == 32
    assert state(hass, "number", f"{CHARGER}_1_current_limit") == "32.0"
    assert await set_limit(home) is None
    await home.passes(30)
    assert charger[48] == 9
    assert sins(home) == []


@pytest.mark.conformance("EASEE_A10")
@pytest.mark.parametrize("wait", [None, 20, 600, 1800])
async def test_a_storm_of_429_is_waited_out(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger, wait: int | None
) -> None:
    """As long as the cloud says, and a minute if it does not."""
    home = easee_home
    headers = {} if wait is None else {"Retry-After": str(wait)}
    home.cloud.faults.add(Fault(pattern="", times=None, status=429, headers=headers))
    home.cloud.hub.drop()
    await home.passes(10 * MINUTE)
    assert await set_limit(home) == "easee_rate_limited"
    live_on(home.cloud)
    await home.passes(LONG - 10 * MINUTE)

    home.cloud.recover()
    await home.passes(wait or MINUTE)

    assert await a_minute_later(home) == {}
    assert sins(home) == []
    # The stream has a limit of its own, and waits longer.
    gap = gap_after(home.cloud.journal, 429, "^/(api|state)/")
    assert gap is not None
    assert gap >= timedelta(seconds=wait or MINUTE)


@pytest.mark.parametrize("wait", [None, 600])
async def test_429_of_the_stream_alone_leaves_the_rest(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger, wait: int | None
) -> None:
    """Everything is asked for meanwhile, and commands work."""
    home = easee_home
    headers = {} if wait is None else {"Retry-After": str(wait)}
    home.cloud.faults.add(
        Fault(pattern=NEGOTIATE, times=None, status=429, headers=headers)
    )
    home.cloud.hub.drop()
    await home.passes(30 * MINUTE)
    live_on(home.cloud)
    assert await a_minute_later(home) == {}
    await home.passes(LONG - 30 * MINUTE)
    assert await a_minute_later(home) == {}
    assert await set_limit(home) is None
    gap = gap_after(home.cloud.journal, 429, NEGOTIATE)
    assert gap is not None
    assert gap >= timedelta(seconds=wait or 300)

    home.cloud.recover()
    await home.passes(wait or 300)
    assert home.cloud.hub.connections
    assert await a_minute_later(home) == {}
    assert sins(home) == []


@pytest.mark.conformance("EASEE_A11")
async def test_a_blocked_address_is_silent_for_an_hour(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    """Also after the entry is loaded again."""
    home = easee_home
    home.cloud.limits.block(1.5 * HOUR)
    home.cloud.hub.drop()
    await home.passes(10 * MINUTE)
    assert await set_limit(home) == "easee_address_blocked"
    await home.passes(10 * MINUTE)
    live_on(home.cloud)
    entry = home.hubs[0].entry
    assert await home.restart(entry, 5) is not None
    await home.passes(LONG - 19 * MINUTE)

    # Twice it heard that it is blocked, an hour each.
    assert await a_minute_later(home) == {}
    assert sins(home) == []
    gap = gap_after(home.cloud.journal, 403)
    assert gap is not None
    assert gap >= timedelta(hours=1)


@pytest.mark.conformance("EASEE_A11")
@pytest.mark.parametrize("stream", [True, False])
async def test_a_limit_that_was_lost_while_the_address_was_blocked_comes_back(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger, stream: bool
) -> None:
    """Not before the block ends, and then at once; the user was told meanwhile."""
    home = easee_home
    assert await set_limit(home) is None
    await home.passes(10 * MINUTE)
    assert charger[48] == 9
    home.cloud.limits.block()
    if not stream:
        home.cloud.hub.drop()
    charger.unplug()
    await home.passes(MINUTE)
    charger.plug_in(Vehicle())
    await home.passes(2 * MINUTE)
    assert charger[48] == 32
    issues = [one for _, one in ir.async_get(hass).issues if one.startswith(BLOCKED)]
    assert len(issues) == 1
    await home.passes(HOUR - 3 * MINUTE)

    await home.passes(3 * MINUTE)

    assert charger[48] == 9
    gap = gap_after(home.cloud.journal, 403)
    assert gap is not None
    assert gap >= timedelta(hours=1)
    assert not [one for _, one in ir.async_get(hass).issues if one.startswith(BLOCKED)]


async def test_a_limit_that_was_lost_while_nobody_was_let_in_comes_back(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    """Soon after the end, although it was refused many times (403); the stream lives."""
    home = easee_home
    assert await set_limit(home) is None
    await home.passes(10 * MINUTE)
    body = {"message": "Forbidden"}
    home.cloud.faults.add(Fault(pattern="^/", status=403, body=body, times=None))
    charger.unplug()
    await home.passes(MINUTE)
    charger.plug_in(Vehicle())
    await home.passes(LONG)
    assert charger[48] == 32
    assert not reauths(hass)

    home.cloud.faults.clear()
    await home.passes(3 * MINUTE)

    assert charger[48] == 9
    assert sins(home) == []


async def test_a_limit_that_is_refused_while_all_else_is_told_is_tried_less_and_less(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    """Then it is this account that may not control this charger (403)."""
    home = easee_home
    assert await set_limit(home) is None
    await home.passes(10 * MINUTE)
    body = {"message": "Forbidden"}
    command = Fault(pattern="/commands/", status=403, body=body, times=None)
    home.cloud.faults.add(command)
    charger.unplug()
    await home.passes(MINUTE)
    before = orders(home.cloud)
    charger.plug_in(Vehicle())
    await home.passes(LONG)
    assert 0 < orders(home.cloud) - before < 10
    assert sins(home) == []


# Sessions


@pytest.mark.parametrize("outage", [True, False])
@pytest.mark.parametrize("whole", [True, False])
async def test_revoked_sessions_need_nobody(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    charger: Charger,
    outage: bool,
    whole: bool,
) -> None:
    """The password is used once, and only if the session is over."""
    home, tokens = easee_home, easee_home.cloud.tokens
    if outage:
        home.cloud.outage()
    await home.passes(HOUR)
    if whole:
        tokens.revoke_sessions()
    else:
        tokens.revoke_access()
    home.cloud.hub.drop()
    live_on(home.cloud)
    await home.passes(HOUR)
    home.cloud.recover()

    assert await a_minute_later(home) == {}
    assert sins(home) == []
    assert len(home.cloud.journal.find("POST", LOGIN)) == (2 if whole else 1)


async def test_sessions_that_are_revoked_again_and_again_do_not_use_up_the_password(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    """Twice in half an hour, whatever happens."""
    home = easee_home
    for _ in range(24):
        home.cloud.tokens.revoke_sessions()
        home.cloud.hub.drop()
        await home.passes(5 * MINUTE)
    await home.passes(HOUR // 2)

    assert await a_minute_later(home) == {}
    assert sins(home) == []


async def test_another_password_is_asked_for_once(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    """However long that takes, and whatever the weather is meanwhile."""
    home = easee_home
    home.cloud.tokens.accounts[0].password = "another horse"
    home.cloud.tokens.revoke_sessions()
    home.cloud.outage()
    await home.passes(HOUR)
    assert not reauths(hass)
    home.cloud.recover()
    for _ in range(4):
        await home.passes(HOUR // 2)
        assert sins(home, asked=1) == []
    home.cloud.tokens.accounts[0].password = PASSWORD
    await home.passes(HOUR // 2)
    assert await a_minute_later(home) == {}
    assert sins(home) == []


async def test_loading_again_in_an_outage_uses_up_nothing(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    """What was tried lately is remembered."""
    home = easee_home
    entry = home.hubs[0].entry
    home.cloud.tokens.revoke_sessions()
    home.cloud.faults.add(Fault(pattern=LOGIN, status=503, times=None))
    for _ in range(24):
        assert await home.restart(entry, 20) is not None
        await home.passes(4 * MINUTE)
    live_on(home.cloud)
    assert sins(home) == []
    home.cloud.recover()
    # The cloud seemed to work, so that logging in has its full pause.
    await home.passes(HOUR // 2)
    assert await a_minute_later(home) == {}
    assert sins(home) == []


async def test_a_new_account_comes_up_soon_after_an_outage(
    hass: HomeAssistant, easee_home: EaseeHome, easee_entry: MockConfigEntry
) -> None:
    """Home Assistant tries again and again, and the password is spared for the end."""
    home = easee_home
    home.cloud.outage()
    for _ in range(25):
        assert await home.set_up_slowly(easee_entry, 20) is None
        await home.time.pass_time(80)
        await hass.config_entries.async_unload(easee_entry.entry_id)
    home.cloud.recover()
    # Whoever comes first may only find out that the cloud is well again.
    if await home.set_up_slowly(easee_entry, 20) is None:
        await hass.config_entries.async_unload(easee_entry.entry_id)
        assert await home.set_up_slowly(easee_entry, 20) is not None
    assert easee_entry.state is ConfigEntryState.LOADED
    assert await a_minute_later(home) == {}
    assert sins(home) == []
