"""The session of an account: tokens are used once, and passwords only in need."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from aiohttp import ClientSession
import pytest

from .account import LOGIN, REFRESH, MemoryStore, asked
from custom_components.ev_charger_hub.easee.api import EaseeApi
from custom_components.ev_charger_hub.easee.auth import PasswordAuthenticator, login
from custom_components.ev_charger_hub.easee.budget import Budget
from custom_components.ev_charger_hub.easee.errors import (
    AddressBlocked,
    EaseeError,
    EmailNotVerified,
    Forbidden,
    InvalidCredentials,
    LoginPaused,
    RateLimited,
    SessionEnded,
    Unavailable,
)
from custom_components.ev_charger_hub.easee.timing import pause
from simulators.easee_cloud import EaseeCloud, Fault, SimulatedTime
from simulators.easee_cloud.answers import HTML
from simulators.easee_cloud.seed import CHARGER, EMAIL, EQUALIZER, PASSWORD, SECOND

PROFILE = "/api/accounts/profile"
HOUR = 3600


@dataclass
class House:
    """What starts the client of the account, again and again."""

    session: ClientSession
    store: MemoryStore
    time: SimulatedTime
    cloud: EaseeCloud

    def start(
        self, *, user: str = EMAIL, password: str | None = PASSWORD
    ) -> PasswordAuthenticator:
        """Return the session of a Home Assistant that was started now."""
        return PasswordAuthenticator(
            self.session,
            self.store,
            Budget(self.time),
            self.time,
            user=user,
            password=password,
            url=self.cloud.url,
        )


@pytest.fixture
def house(
    session: ClientSession, store: MemoryStore, time: SimulatedTime, cloud: EaseeCloud
) -> House:
    """Return what starts clients."""
    return House(session, store, time, cloud)


async def valid(cloud: EaseeCloud, token: str) -> bool:
    """Return whether the cloud takes a token."""
    return cloud.tokens.whose(token) is not None


async def test_the_first_token_comes_by_password_and_is_used_until_it_ends(
    authenticator: PasswordAuthenticator,
    cloud: EaseeCloud,
    time: SimulatedTime,
) -> None:
    assert authenticator.age() is None
    token = await authenticator.token()
    assert await valid(cloud, token)
    assert authenticator.age() == time()
    time.advance(HOUR - 61)
    assert await authenticator.token() == token
    assert asked(cloud) == [200]
    assert cloud.journal.find(None, LOGIN)[0].body == {
        "userName": EMAIL,
        "password": PASSWORD,
    }


async def test_a_token_is_renewed_a_minute_before_its_end(
    authenticator: PasswordAuthenticator, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    first = await authenticator.token()
    time.advance(HOUR - 60)
    second = await authenticator.token()
    assert second != first
    assert asked(cloud, REFRESH) == [200]
    assert asked(cloud, LOGIN) == [200]


@pytest.mark.conformance("EASEE_S26")
async def test_fifty_calls_at_the_end_of_a_token_are_one_refresh(
    authenticator: PasswordAuthenticator,
    api: EaseeApi,
    cloud: EaseeCloud,
    time: SimulatedTime,
) -> None:
    await authenticator.token()
    time.advance(HOUR)
    replies = await asyncio.gather(*(api.request("GET", PROFILE) for _ in range(50)))
    assert {reply.status for reply in replies} == {200}
    assert asked(cloud, REFRESH) == [200]
    assert asked(cloud, LOGIN) == [200]
    assert cloud.tokens.reused == 0


@pytest.mark.conformance("EASEE_S26")
async def test_fifty_calls_that_are_refused_are_one_refresh(
    api: EaseeApi, cloud: EaseeCloud
) -> None:
    await api.request("GET", PROFILE)
    cloud.tokens.revoke_access()
    # Together more than reads may take at once: what was refused is asked again.
    replies = await asyncio.gather(*(api.request("GET", PROFILE) for _ in range(30)))
    assert {reply.status for reply in replies} == {200}
    assert asked(cloud, REFRESH) == [200]
    assert cloud.tokens.reused == 0


async def test_a_token_that_was_replaced_meanwhile_is_not_renewed_again(
    authenticator: PasswordAuthenticator, cloud: EaseeCloud
) -> None:
    first = await authenticator.token()
    second = await authenticator.renew(first)
    assert second != first
    assert await authenticator.renew(first) == second
    assert asked(cloud, REFRESH) == [200]


@pytest.mark.conformance("EASEE_A15")
async def test_two_chargers_and_an_equalizer_share_one_refresh(
    api: EaseeApi, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    paths = [f"/state/{one}/observations" for one in (CHARGER, SECOND, EQUALIZER)]
    await asyncio.gather(*(api.request("GET", path) for path in paths))
    assert asked(cloud) == [200]
    time.advance(HOUR)
    await asyncio.gather(*(api.request("GET", path) for path in paths))
    assert asked(cloud, REFRESH) == [200]


async def test_nobody_gets_a_token_before_it_is_stored(
    authenticator: PasswordAuthenticator, cloud: EaseeCloud, store: MemoryStore
) -> None:
    store.gate = asyncio.Event()
    waiting = asyncio.create_task(authenticator.token())
    await cloud.until(lambda: store.saving)
    assert asked(cloud) == [200]
    assert not waiting.done()
    store.gate.set()
    token = await waiting
    assert store.stored is not None
    assert store.stored["access"] == token


async def test_a_restart_goes_on_with_the_stored_session(
    house: House, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    token = await house.start().token()
    time.advance(60)
    restarted = house.start()
    assert await asyncio.gather(*(restarted.token() for _ in range(5))) == [token] * 5
    assert asked(cloud) == [200]
    assert house.store.loads == 2


@pytest.mark.conformance("EASEE_S24")
@pytest.mark.parametrize("refused", [400, 401, 403])
async def test_stored_tokens_may_die_at_any_time(
    house: House, cloud: EaseeCloud, time: SimulatedTime, refused: int
) -> None:
    cloud.tokens.refused_refresh = refused
    await house.start().token()
    cloud.tokens.revoke_sessions()
    time.advance(HOUR)
    assert await valid(cloud, await house.start().token())
    assert asked(cloud, REFRESH) == [refused]
    assert asked(cloud, LOGIN) == [200, 200]


@pytest.mark.conformance("EASEE_S25")
async def test_one_call_is_refused_refreshes_in_vain_logs_in_and_succeeds(
    api: EaseeApi, cloud: EaseeCloud
) -> None:
    await api.request("GET", PROFILE)
    cloud.tokens.revoke_sessions()
    cloud.journal.clear()
    assert (await api.request("GET", PROFILE)).status == 200
    assert [(one.path, one.status) for one in cloud.journal] == [
        (PROFILE, 401),
        ("/api/accounts/refresh_token", 401),
        ("/api/accounts/login", 200),
        (PROFILE, 200),
    ]


@pytest.mark.conformance("EASEE_S27")
async def test_a_session_that_was_idle_for_a_day_is_begun_anew(
    house: House, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    await house.start().token()
    time.advance(25 * HOUR)
    assert await valid(cloud, await house.start().token())
    assert asked(cloud) == [200, 401, 200]


@pytest.mark.conformance("EASEE_S28")
async def test_without_a_password_the_end_of_the_session_is_told_and_nothing_is_sent(
    house: House, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    await house.start().token()
    cloud.tokens.revoke_sessions()
    time.advance(HOUR)
    client = house.start(password=None)
    ends = await asyncio.gather(
        *(client.token() for _ in range(10)), return_exceptions=True
    )
    assert {type(end) for end in ends} == {SessionEnded}
    assert asked(cloud, REFRESH) == [401]
    time.advance(24 * HOUR)
    for again in (client, house.start(password=None)):
        with pytest.raises(SessionEnded):
            await again.token()
    assert asked(cloud, REFRESH) == [401]
    assert asked(cloud, LOGIN) == [200]


async def test_without_a_password_the_session_lasts_as_long_as_it_is_used(
    house: House, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    await house.start().token()
    client = house.start(password=None)
    for _ in range(72):
        time.advance(HOUR)
        assert await valid(cloud, await client.token())
    assert asked(cloud, REFRESH) == [200] * 72
    assert asked(cloud, LOGIN) == [200]


@pytest.mark.conformance("EASEE_S25")
async def test_a_rotation_that_a_kill_lost_is_recovered_by_password(
    house: House, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    await house.start().token()
    time.advance(HOUR)
    torn = MemoryStore(house.store.stored)
    torn.gate = asyncio.Event()
    waiting = asyncio.create_task(replace(house, store=torn).start().token())
    await cloud.until(lambda: torn.saving)
    # Power is lost here: the cloud has new tokens, we have the old ones.
    assert asked(cloud, REFRESH) == [200]
    assert await valid(cloud, await house.start().token())
    assert asked(cloud, REFRESH) == [200, 401]
    assert asked(cloud, LOGIN) == [200, 200]
    torn.gate.set()
    await waiting


@pytest.mark.conformance("EASEE_S25")
async def test_a_rotation_whose_answer_is_lost_is_recovered_by_password(
    authenticator: PasswordAuthenticator, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    await authenticator.token()
    time.advance(HOUR)
    cloud.faults.add(Fault(pattern=REFRESH, cut=True, after=True))
    with pytest.raises(Unavailable):
        await authenticator.token()
    time.advance(300)
    assert await valid(cloud, await authenticator.token())
    assert asked(cloud, REFRESH) == [None, 401]
    assert asked(cloud, LOGIN) == [200, 200]


async def test_who_gives_up_waiting_loses_no_rotation(
    authenticator: PasswordAuthenticator,
    cloud: EaseeCloud,
    store: MemoryStore,
    time: SimulatedTime,
) -> None:
    await authenticator.token()
    time.advance(HOUR)
    cloud.faults.add(Fault(pattern=REFRESH, delay=10))
    waiting = asyncio.create_task(authenticator.token())
    await cloud.until(lambda: bool(asked(cloud, REFRESH)))
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    time.advance(10)
    await authenticator.close()
    assert store.stored is not None
    assert await authenticator.token() == store.stored["access"]
    assert asked(cloud, REFRESH) == [200]


async def test_a_store_that_is_full_costs_nobody_the_session(
    authenticator: PasswordAuthenticator,
    cloud: EaseeCloud,
    store: MemoryStore,
    logged: list[str],
) -> None:
    store.error = OSError(28, "No space left on device")
    assert await valid(cloud, await authenticator.token())
    assert await valid(cloud, await authenticator.token())
    assert asked(cloud) == [200]
    assert [line for line in logged if "cannot be stored" in line]


@pytest.mark.parametrize("skew", [-5, -2, 2, 5])
async def test_the_clock_of_the_cloud_may_be_wrong(
    api: EaseeApi, cloud: EaseeCloud, time: SimulatedTime, skew: int
) -> None:
    cloud.clock.skew = timedelta(hours=skew)
    for _ in range(40):
        assert (await api.request("GET", PROFILE)).status == 200
        time.advance(360)
    # Four hours are three renewals; nothing is ever refused.
    assert asked(cloud, REFRESH) == [200] * 3
    assert asked(cloud, PROFILE) == [200] * 40
    assert cloud.tokens.reused == 0


@pytest.mark.parametrize("hours", [-30, -2, 2, 30])
async def test_the_clock_of_the_cloud_may_jump(
    api: EaseeApi, cloud: EaseeCloud, time: SimulatedTime, hours: int
) -> None:
    await api.request("GET", PROFILE)
    cloud.clock.skew = timedelta(hours=hours)
    for _ in range(20):
        assert (await api.request("GET", PROFILE)).status == 200
        time.advance(360)


@pytest.mark.parametrize("hours", [-30, -2, 2, 30])
async def test_our_own_clock_may_be_set(
    house: House, cloud: EaseeCloud, time: SimulatedTime, hours: int
) -> None:
    client = house.start()
    await client.token()
    time.now += timedelta(hours=hours)
    cloud.clock.skew = -timedelta(hours=hours)
    assert await valid(cloud, await client.token())
    assert await valid(cloud, await house.start().token())
    assert asked(cloud, LOGIN) == [200]


@pytest.mark.conformance("EASEE_S30")
async def test_a_dead_account_is_tried_twice_within_half_an_hour(
    api: EaseeApi, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    await api.request("GET", PROFILE)
    cloud.tokens.revoke_sessions()
    cloud.tokens.accounts[0].password = "changed"
    cloud.journal.clear()
    seen: list[type[EaseeError]] = []
    for _ in range(4 * 60):
        with pytest.raises(EaseeError) as raised:
            await api.request("GET", PROFILE)
        seen.append(raised.type)
        time.advance(60)
    assert seen[:2] == [InvalidCredentials, LoginPaused]
    assert seen.count(InvalidCredentials) == 8
    assert set(seen) == {InvalidCredentials, LoginPaused}
    assert cloud.journal.busiest(1800, "POST", "^/api/accounts/") == 2
    assert asked(cloud) == [401, *[400] * 8]


@pytest.mark.conformance("EASEE_S30")
async def test_the_password_is_used_twice_within_half_an_hour_even_if_it_helps(
    api: EaseeApi, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    seen: list[bool] = []
    for _ in range(60):
        cloud.tokens.revoke_sessions()
        try:
            await api.request("GET", PROFILE)
        except LoginPaused:
            seen.append(False)
        else:
            seen.append(True)
        time.advance(60)
    assert seen == ([True] * 2 + [False] * 28) * 2
    assert cloud.journal.busiest(1800, "POST", LOGIN) == 2


async def test_a_cloud_that_takes_no_token_is_not_asked_for_ever_more(
    api: EaseeApi, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    cloud.faults.add(
        Fault(pattern=PROFILE, times=None, status=401, body={"message": "No"})
    )
    seen: list[type[EaseeError]] = []
    for _ in range(30):
        with pytest.raises((Forbidden, LoginPaused)) as raised:
            await api.request("GET", PROFILE)
        seen.append(raised.type)
        time.advance(60)
    assert seen == [Forbidden] * 5 + [LoginPaused] * 25
    assert asked(cloud, REFRESH) == [200] * 5
    assert (await api.request("GET", "/api/chargers")).status == 200


async def test_an_unverified_mail_has_its_own_error(
    authenticator: PasswordAuthenticator, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    cloud.tokens.accounts[0].email_verified = False
    with pytest.raises(EmailNotVerified):
        await authenticator.token()
    time.advance(1799)
    with pytest.raises(LoginPaused) as raised:
        await authenticator.token()
    assert raised.value.until == time() + timedelta(seconds=1)
    cloud.tokens.accounts[0].email_verified = True
    time.advance(1)
    assert await valid(cloud, await authenticator.token())


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, None])
async def test_an_outage_is_no_reason_for_the_password(
    house: House, cloud: EaseeCloud, time: SimulatedTime, status: int | None
) -> None:
    await house.start().token()
    time.advance(HOUR)
    client = house.start()
    fault = cloud.faults.add(
        Fault(pattern=REFRESH, times=None, status=status, cut=status is None)
    )
    for _ in range(120):
        with pytest.raises((Unavailable, RateLimited, LoginPaused)):
            await client.token()
        time.advance(60)
    assert asked(cloud, LOGIN) == [200]
    assert asked(cloud, REFRESH) == [status] * 24
    cloud.faults.waiting.remove(fault)
    assert await valid(cloud, await client.token())
    assert asked(cloud, LOGIN) == [200]
    assert cloud.tokens.reused == 0


async def test_a_pause_is_as_long_as_the_cloud_wants(
    house: House, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    client = house.start()
    headers = {"Retry-After": "900"}
    cloud.faults.add(Fault(pattern=LOGIN, status=503, headers=headers))
    with pytest.raises(Unavailable):
        await client.token()
    time.advance(899)
    with pytest.raises(LoginPaused):
        await client.token()
    time.advance(1)
    cloud.faults.add(Fault(pattern=LOGIN, status=429, headers=headers))
    with pytest.raises(RateLimited):
        await client.token()
    time.advance(899)
    with pytest.raises(LoginPaused):
        await client.token()
    time.advance(1)
    assert await valid(cloud, await client.token())
    assert asked(cloud) == [503, 429, 200]


async def test_a_pause_is_no_longer_if_the_clock_is_set_back(
    house: House, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    client = house.start()
    cloud.faults.add(Fault(pattern=LOGIN, status=503))
    with pytest.raises(Unavailable):
        await client.token()
    time.now -= timedelta(hours=5)
    for wait in (299, 1):
        with pytest.raises(LoginPaused):
            await client.token()
        time.advance(wait)
    assert await valid(cloud, await client.token())


@pytest.mark.parametrize("status", [503, None])
async def test_a_pause_ends_soon_after_an_outage_of_everything(
    house: House, cloud: EaseeCloud, time: SimulatedTime, status: int | None
) -> None:
    await house.start().token()
    time.advance(HOUR)
    client = house.start()
    cloud.outage(status)
    for _ in range(200):
        with pytest.raises((Unavailable, LoginPaused)):
            await client.token()
        time.advance(5)
    cloud.recover()
    time.advance(10)
    assert await valid(cloud, await client.token())
    # Authentication was asked every five minutes only, and health between.
    assert asked(cloud) == [200, *[status] * 4, 200]
    assert cloud.journal.busiest(15, "GET", "/health") == 1


async def test_a_pause_lasts_if_only_authentication_is_out_of_order(
    house: House, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    client = house.start()
    cloud.faults.add(Fault(pattern=LOGIN, status=500))
    for error in (Unavailable, *[LoginPaused] * 14):
        with pytest.raises(error):
            await client.token()
        time.advance(20)
    assert asked(cloud) == [500]
    time.advance(20)
    assert await valid(cloud, await client.token())


async def test_a_blocked_address_is_no_end_of_a_session(
    house: House, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    await house.start().token()
    time.advance(HOUR)
    client = house.start()
    cloud.limits.block()
    with pytest.raises(AddressBlocked):
        await client.token()
    time.advance(HOUR - 1)
    with pytest.raises((AddressBlocked, LoginPaused)):
        await client.token()
    time.advance(1)
    assert await valid(cloud, await client.token())
    assert asked(cloud, REFRESH) == [403, 200]
    assert asked(cloud, LOGIN) == [200]


@pytest.mark.parametrize("body", ["<html></html>", None, "null", {}, [], 7])
async def test_an_answer_without_tokens_is_none(
    house: House, cloud: EaseeCloud, body: object
) -> None:
    cloud.faults.add(Fault(pattern=LOGIN, status=200, body=body))
    with pytest.raises(Unavailable):
        await house.start().token()


async def test_somebody_who_logged_in_elsewhere_is_not_kept_waiting(
    house: House, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    client = house.start(password="old")
    with pytest.raises(InvalidCredentials):
        await client.token()
    pair = await login(house.session, time, EMAIL, PASSWORD, cloud.url)
    await house.store.save(pair)
    with pytest.raises(LoginPaused):
        await client.token()
    client.forget()
    assert client.age() is None
    assert await client.token() == pair.access


@pytest.mark.parametrize(
    ("user", "password", "error"),
    [
        (EMAIL, "wrong", InvalidCredentials),
        ("nobody@example.com", PASSWORD, InvalidCredentials),
    ],
)
async def test_a_login_says_what_is_wrong(
    house: House,
    cloud: EaseeCloud,
    time: SimulatedTime,
    user: str,
    password: str,
    error: type[EaseeError],
) -> None:
    with pytest.raises(error) as raised:
        await login(house.session, time, user, password, cloud.url)
    assert raised.value.title == "Username or password is invalid"
    # Who mistypes may try again at once.
    await login(house.session, time, EMAIL, PASSWORD, cloud.url)


async def test_a_login_during_an_outage_is_unavailable(
    house: House, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    cloud.outage()
    with pytest.raises(Unavailable):
        await login(house.session, time, EMAIL, PASSWORD, cloud.url)
    cloud.recover()
    cloud.limits.block()
    with pytest.raises(AddressBlocked):
        await login(house.session, time, EMAIL, PASSWORD, cloud.url)


@pytest.mark.conformance("EASEE_S29")
@pytest.mark.parametrize("password", [PASSWORD, None])
@pytest.mark.parametrize(
    ("status", "body"), [(403, {"message": "Forbidden"}), (401, None), (200, HTML)]
)
async def test_a_cloud_that_refuses_everybody_ends_no_session(
    house: House,
    cloud: EaseeCloud,
    time: SimulatedTime,
    password: str | None,
    status: int,
    body: Any,
) -> None:
    """As on a day in September 2024: nobody was meant, and all came back."""
    await house.start().token()
    time.advance(HOUR)
    client = house.start(password=password)
    cloud.outage(status, body)
    for _ in range(240):
        with pytest.raises((Unavailable, LoginPaused)):
            await client.token()
        time.advance(30)
    cloud.recover()
    time.advance(10)
    assert await valid(cloud, await client.token())
    assert asked(cloud, LOGIN) == [200]
    assert cloud.tokens.reused == 0


async def test_a_refusal_without_a_code_ends_a_session_if_the_cloud_works(
    house: House, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    await house.start().token()
    time.advance(HOUR)
    client = house.start()
    cloud.faults.add(Fault(pattern=REFRESH, status=403, body={"message": "Forbidden"}))
    assert await valid(cloud, await client.token())
    assert asked(cloud, LOGIN) == [200, 200]


async def test_a_pause_ends_soon_after_a_storm_of_429(
    house: House, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    await house.start().token()
    time.advance(HOUR)
    client = house.start()
    cloud.outage(429, {"message": "Too many requests"})
    for _ in range(200):
        with pytest.raises((RateLimited, LoginPaused)):
            await client.token()
        time.advance(10)
    assert cloud.journal.busiest(60, None, "") == 1
    cloud.recover()
    time.advance(60)
    assert await valid(cloud, await client.token())


async def test_what_an_outage_holds_up_until_it_is_over_makes_no_new_pause(
    house: House, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    """Who asks when it ends fails after it has ended, and soon asks again."""
    await house.start().token()
    time.advance(HOUR)
    client = house.start()

    async def patient() -> str:
        while True:
            try:
                return await client.token()
            except Unavailable, LoginPaused:
                await pause(time, 5)

    cloud.faults.add(Fault(times=None, delay=45))
    token = asyncio.create_task(patient())
    while len(cloud.journal.find("POST", REFRESH)) < 3:
        await time.pass_time(1)
    cloud.recover()
    await time.pass_time(60)
    assert token.done()
    assert await valid(cloud, token.result())
    assert cloud.journal.busiest(HOUR // 2, "POST", LOGIN) <= 2


async def test_the_second_login_is_for_a_cloud_that_works(
    house: House, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    client = house.start()
    cloud.outage()
    for _ in range(240):
        with pytest.raises((Unavailable, LoginPaused)):
            await client.token()
        time.advance(30)
    # Nobody knows whether health tells the truth, so there is one now and then.
    assert cloud.journal.busiest(HOUR // 2, "POST", LOGIN) == 1
    assert len(asked(cloud, LOGIN)) == 4
    cloud.recover()
    time.advance(15)
    assert await valid(cloud, await client.token())
