"""Requests of an account: what the cloud answers, and what we make of it."""

import asyncio
from datetime import datetime, timedelta
from typing import override

from aiohttp import ClientSession
import pytest

from .account import ACCOUNTS, LOGIN, after, asked
from custom_components.ev_charger_hub.easee.api import EaseeApi
from custom_components.ev_charger_hub.easee.auth import Authenticator
from custom_components.ev_charger_hub.easee.budget import Budget
from custom_components.ev_charger_hub.easee.errors import (
    AddressBlocked,
    EaseeError,
    Forbidden,
    NotFound,
    RateLimited,
    Refused,
    Unavailable,
)
from custom_components.ev_charger_hub.easee.requests import Lane, Quota, Reply
from simulators.easee_cloud import EaseeCloud, Fault, SimulatedTime
from simulators.easee_cloud.answers import BLOCKED, HTML
from simulators.easee_cloud.seed import CHARGER

CHARGERS = "/api/chargers"
LIMIT = f"/api/chargers/{CHARGER}/commands/set_dynamic_charger_current"
BLOCKED_FOR_A_DAY = (
    "Too many requests from third party system detected. Your IP is temporary blocked "
    "for 24 hours from the last request received."
)


async def limit(api: EaseeApi, amps: int = 10) -> Reply:
    """Send a command."""
    return await api.request(
        "POST", LIMIT, lane=Lane.COMMAND, json={"amps": amps, "minutes": 0}
    )


async def test_a_request_has_a_token_and_a_reply(
    api: EaseeApi, cloud: EaseeCloud
) -> None:
    reply = await api.request("GET", CHARGERS)
    assert [one["id"] for one in reply.body] == [CHARGER, "EH654321"]
    sent = await limit(api)
    assert sent.status == 202
    assert sent.body["commandId"] == 48
    # .NET ticks do not fit into a double.
    assert isinstance(sent.body["ticks"], int)
    assert sent.body["ticks"] > 2**53
    assert api.requests_made == {Lane.READ: 1, Lane.COMMAND: 1}
    assert api.answers == {200: 1, 202: 1}


async def test_a_query_and_a_bare_number_reach_the_cloud(
    api: EaseeApi, cloud: EaseeCloud
) -> None:
    path = f"/state/{CHARGER}/observations"
    reply = await api.request("GET", path, params={"ids": "109,120"})
    assert {one["id"] for one in reply.body["observations"]} == {109, 120}
    await api.request(
        "PUT", f"/api/chargers/{CHARGER}/access", lane=Lane.COMMAND, json=3
    )
    assert cloud.chargers[CHARGER].access == 3


@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (None, None),
        ("null", None),
        ("  ", None),
        ("12.5", 12.5),
        ("Healthy", "Healthy"),
        ("{broken", "{broken"),
        ([], []),
        ({"wasAccepted": False}, {"wasAccepted": False}),
    ],
)
async def test_bodies_of_good_answers(
    api: EaseeApi, cloud: EaseeCloud, sent: str, read: object, status: int
) -> None:
    cloud.faults.add(Fault(pattern=CHARGERS, status=status, body=sent))
    assert await api.request("GET", CHARGERS) == Reply(status=status, body=read)


async def test_raw_bodies_stay_as_they_are(api: EaseeApi, cloud: EaseeCloud) -> None:
    cloud.faults.add(Fault(pattern=CHARGERS, status=200, body="null"))
    reply = await api.request("GET", CHARGERS, raw=True)
    assert reply.body == b"null"
    cloud.faults.add(
        Fault(pattern=CHARGERS, status=404, body={"title": "No such thing"})
    )
    with pytest.raises(NotFound) as raised:
        await api.request("GET", CHARGERS, raw=True)
    assert raised.value.title == "No such thing"


@pytest.mark.parametrize("body", [{"message": "Unauthorized"}, "null", None, HTML])
async def test_401_is_a_renewal_and_a_replay_whatever_its_body(
    api: EaseeApi, budget: Budget, cloud: EaseeCloud, body: object
) -> None:
    cloud.unauthorized = body
    await api.request("GET", CHARGERS)
    cloud.tokens.revoke_access()
    assert (await limit(api)).status == 202
    assert asked(cloud, LIMIT) == [401, 202]
    assert asked(cloud) == [200, 200]
    assert len({one.bearer for one in cloud.journal.find(None, LIMIT)}) == 2
    assert budget.taken.total() == len(asked(cloud, ""))


async def test_401_for_a_new_token_is_about_the_user(
    api: EaseeApi, cloud: EaseeCloud
) -> None:
    cloud.faults.add(Fault(pattern="/firmware/", times=2, status=401))
    with pytest.raises(Forbidden):
        await api.request("GET", f"/firmware/{CHARGER}/latest")
    assert asked(cloud, "/firmware/") == [401, 401]
    assert asked(cloud) == [200, 200]


@pytest.mark.parametrize(
    ("status", "body", "error", "title"),
    [
        (400, {"errorCode": 5, "title": "Not now", "detail": "x"}, Refused, "Not now"),
        (
            400,
            {"errors": {"amps": ["Too low.", "No."]}, "title": "Several"},
            Refused,
            "amps: Too low. No.",
        ),
        (400, {"errors": {"amps": "Too low."}}, Refused, "amps: Too low."),
        (400, "null", Refused, ""),
        (400, [1], Refused, ""),
        (403, {"message": "Forbidden"}, Forbidden, "Forbidden"),
        (403, {}, Forbidden, ""),
        (403, HTML, Forbidden, ""),
        (404, {"title": "Not Found"}, NotFound, "Not Found"),
        (404, None, NotFound, ""),
        (405, None, Refused, ""),
        (409, {"title": "Outdated"}, Refused, "Outdated"),
        (422, "Plain words", Refused, "Plain words"),
        (408, None, Unavailable, ""),
        (500, {"title": "Oops"}, Unavailable, "Oops"),
        (502, HTML, Unavailable, ""),
        (503, "null", Unavailable, ""),
        (504, None, Unavailable, ""),
        (302, None, Unavailable, ""),
        (200, HTML, Unavailable, ""),
    ],
)
async def test_errors_have_a_meaning_and_the_words_of_the_cloud(
    api: EaseeApi,
    cloud: EaseeCloud,
    status: int,
    body: object,
    error: type[EaseeError],
    title: str,
) -> None:
    cloud.faults.add(Fault(pattern=LIMIT, status=status, body=body))
    with pytest.raises(error) as raised:
        await limit(api)
    assert raised.value.title == title
    assert asked(cloud, LIMIT) == [status]


async def test_words_of_the_cloud_have_an_end(api: EaseeApi, cloud: EaseeCloud) -> None:
    cloud.faults.add(Fault(pattern=LIMIT, status=400, body="x" * 5000))
    with pytest.raises(Refused) as raised:
        await limit(api)
    assert len(raised.value.title) == 200


@pytest.mark.conformance("EASEE_A10")
async def test_429_stops_everything_for_as_long_as_it_says(
    api: EaseeApi, budget: Budget, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    await api.request("GET", CHARGERS)
    cloud.faults.add(
        Fault(pattern=CHARGERS, status=429, headers={"Retry-After": "120"})
    )
    until = time() + timedelta(seconds=120)
    with pytest.raises(RateLimited) as raised:
        await api.request("GET", CHARGERS)
    assert raised.value.until == until
    cloud.journal.clear()
    while time() < until:
        started_at = time()
        for request in (limit(api), api.request("GET", CHARGERS)):
            with pytest.raises(RateLimited) as raised:
                await request
            assert raised.value.until == until
        assert time() == started_at
        time.advance(10)
    assert asked(cloud, "") == []
    assert (await limit(api)).status == 202


@pytest.mark.conformance("EASEE_A10")
async def test_429_stops_the_renewal_of_tokens_too(
    api: EaseeApi, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    await api.request("GET", CHARGERS)
    time.advance(3600 - 100)
    cloud.faults.add(
        Fault(pattern=CHARGERS, status=429, headers={"Retry-After": "120"})
    )
    with pytest.raises(RateLimited):
        await api.request("GET", CHARGERS)
    cloud.journal.clear()
    time.advance(119)
    with pytest.raises(RateLimited):
        await limit(api)
    assert asked(cloud, "") == []
    time.advance(1)
    assert (await limit(api)).status == 202


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (None, 60),
        ("0", 60),
        ("soon", 60),
        ("-5", 60),
        ("17", 17),
        ("99999999999999999999", 86400),
        # The cloud's own clock counts, however wrong it is.
        ("Thu, 01 Oct 2026 04:05:00 GMT", 300),
        ("Thu, 01 Oct 2026 03:00:00 GMT", 60),
    ],
)
async def test_what_retry_after_says(
    api: EaseeApi,
    budget: Budget,
    cloud: EaseeCloud,
    time: SimulatedTime,
    said: str | None,
    seconds: int,
) -> None:
    cloud.clock.skew = timedelta(hours=-2)
    headers = {} if said is None else {"Retry-After": said}
    cloud.faults.add(Fault(pattern=CHARGERS, status=429, headers=headers))
    with pytest.raises(RateLimited):
        await api.request("GET", CHARGERS)
    assert budget.held_until == time() + timedelta(seconds=seconds)
    assert budget.blocked_until is None


async def test_the_address_of_the_limiter_is_a_429(
    api: EaseeApi, cloud: EaseeCloud
) -> None:
    where = {"Location": "https://ratelimiter.example.com/limited"}
    cloud.faults.add(Fault(pattern=CHARGERS, status=307, headers=where))
    with pytest.raises(RateLimited):
        await api.request("GET", CHARGERS)


async def test_a_redirection_takes_no_secret_elsewhere(
    api: EaseeApi, cloud: EaseeCloud
) -> None:
    where = {"Location": f"{cloud.url}/health"}
    cloud.faults.add(Fault(pattern=LIMIT, status=307, headers=where))
    with pytest.raises(Unavailable):
        await limit(api)
    assert asked(cloud, "/health") == []


@pytest.mark.conformance("EASEE_A11")
@pytest.mark.parametrize("lane", [Lane.READ, Lane.COMMAND])
async def test_a_blocked_address_is_left_alone_for_an_hour(
    api: EaseeApi,
    budget: Budget,
    cloud: EaseeCloud,
    time: SimulatedTime,
    lane: Lane,
) -> None:
    await api.request("GET", CHARGERS)
    cloud.limits.block()
    until = time() + timedelta(hours=1)
    with pytest.raises(AddressBlocked) as raised:
        await (limit(api) if lane is Lane.COMMAND else api.request("GET", CHARGERS))
    assert raised.value.until == until
    assert raised.value.title == BLOCKED
    told: list[datetime | None] = [budget.blocked_until]
    budget.subscribe(lambda: told.append(budget.blocked_until))
    cloud.journal.clear()
    while time() < until:
        for request in (limit(api), api.request("GET", CHARGERS)):
            with pytest.raises(AddressBlocked):
                await request
        time.advance(60)
    assert asked(cloud, "") == []
    assert (await api.request("GET", CHARGERS)).status == 200
    assert told == [until, None]
    # The token had ended meanwhile; nobody was logged out by the block.
    assert asked(cloud, LOGIN) == []


@pytest.mark.conformance("EASEE_A11")
@pytest.mark.parametrize(
    ("status", "body", "hours"),
    [
        (403, {"message": BLOCKED}, 1),
        (403, f"<html>{BLOCKED}</html>", 1),
        (429, BLOCKED_FOR_A_DAY, 24),
        (403, {"title": BLOCKED_FOR_A_DAY}, 24),
    ],
)
async def test_a_block_is_told_in_several_ways(
    api: EaseeApi,
    budget: Budget,
    cloud: EaseeCloud,
    time: SimulatedTime,
    status: int,
    body: object,
    hours: int,
) -> None:
    cloud.faults.add(Fault(pattern=CHARGERS, status=status, body=body))
    with pytest.raises(AddressBlocked):
        await api.request("GET", CHARGERS)
    assert budget.blocked_until == time() + timedelta(hours=hours)


@pytest.mark.conformance("EASEE_A12")
@pytest.mark.parametrize(("times", "good"), [(1, True), (2, True), (3, False)])
async def test_a_read_is_tried_three_times(
    api: EaseeApi, cloud: EaseeCloud, time: SimulatedTime, times: int, good: bool
) -> None:
    await api.request("GET", CHARGERS)
    cloud.journal.clear()
    cloud.faults.add(Fault(pattern=CHARGERS, times=times, status=502, body=HTML))
    reading = asyncio.create_task(api.request("GET", CHARGERS))
    result = await after(time, 10, reading)
    assert isinstance(result, Reply if good else Unavailable)
    assert asked(cloud, CHARGERS) == [*[502] * times, *[200] * good]
    first, *later = [one.at for one in cloud.journal]
    for number, at in enumerate(later, 1):
        assert 0.5 * number <= (at - first).total_seconds() <= 1.5 * number
        first = at


@pytest.mark.conformance("EASEE_A12")
async def test_tries_are_not_all_at_the_same_moment(
    api: EaseeApi, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    await api.request("GET", CHARGERS)
    cloud.faults.add(Fault(pattern=CHARGERS, times=10, status=502, body=HTML))
    reading = [asyncio.create_task(api.request("GET", CHARGERS)) for _ in range(10)]
    await time.pass_time(2)
    await asyncio.gather(*reading)
    again = [one.at for one in cloud.journal.find(None, CHARGERS)[11:]]
    assert len(set(again)) == 10


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("status", [502, None])
async def test_a_command_is_never_repeated(
    api: EaseeApi,
    cloud: EaseeCloud,
    time: SimulatedTime,
    method: str,
    status: int | None,
) -> None:
    path = f"/api/chargers/{CHARGER}/access"
    await api.request("GET", CHARGERS)
    cloud.faults.add(
        Fault(pattern=path, times=None, status=status, body=HTML, cut=status is None)
    )
    with pytest.raises(Unavailable):
        await api.request(method, path, lane=Lane.COMMAND, json=3)
    await time.pass_time(60)
    assert asked(cloud, path) == [status]


async def test_connections_that_are_cut_count_in_the_budget(
    api: EaseeApi, budget: Budget, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    await api.request("GET", CHARGERS)
    cloud.outage(None)
    reading = asyncio.create_task(api.request("GET", CHARGERS))
    assert isinstance(await after(time, 10, reading), Unavailable)
    assert asked(cloud, CHARGERS) == [200, *[None] * 3]
    assert budget.taken.total() == len(asked(cloud, ""))


async def test_an_answer_has_half_a_minute(
    api: EaseeApi, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    await api.request("GET", CHARGERS)
    cloud.faults.add(Fault(pattern=LIMIT, delay=29))
    sending = asyncio.create_task(limit(api))
    assert isinstance(await after(time, 29, sending), Reply)
    cloud.faults.add(Fault(pattern=LIMIT, delay=60))
    sending = asyncio.create_task(limit(api))
    assert isinstance(await after(time, 30, sending), Unavailable)
    assert api.answers == {200: 1, 202: 1, 0: 1}


async def test_nobody_there_is_unavailable(
    api: EaseeApi, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    await api.request("GET", CHARGERS)
    await cloud.stop()
    with pytest.raises(Unavailable):
        await limit(api)


async def test_requests_never_exceed_the_budget_in_a_storm(
    api: EaseeApi, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    storm = [asyncio.create_task(api.request("GET", CHARGERS)) for _ in range(200)]
    await time.pass_time(61)
    commands = await asyncio.gather(
        *(limit(api) for _ in range(50)), return_exceptions=True
    )
    replies = await asyncio.gather(*storm, return_exceptions=True)
    # One was the login.
    assert sum(isinstance(one, Reply) for one in replies) == 71
    assert sum(isinstance(one, Reply) for one in commands) == 13
    assert {type(one) for one in (*replies, *commands)} == {Reply, RateLimited}
    time.advance(3600 - 61)
    assert (await api.request("GET", CHARGERS)).status == 200
    assert cloud.journal.busiest(300, None, "") <= 90


async def test_a_quota_stands_on_top_of_the_budget(
    api: EaseeApi, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    cloud.limits.strict()
    quota = Quota(key="sites", count=10, seconds=3600)
    for _ in range(10):
        await api.request("GET", "/api/sites/1", quota=quota)
    with pytest.raises(RateLimited) as raised:
        await api.request("GET", "/api/sites/1", quota=quota)
    assert raised.value.until == time() + timedelta(hours=1)
    assert cloud.limits.offences == 0
    assert (await api.request("GET", CHARGERS)).status == 200


async def test_what_nobody_is_let_in_for_costs_no_quota(
    api: EaseeApi, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    quota = Quota(key="sites", count=1, seconds=3600)
    cloud.faults.add(Fault(pattern=LOGIN, status=500))
    reading = asyncio.create_task(api.request("GET", "/api/sites/1", quota=quota))
    assert isinstance(await after(time, 10, reading), Unavailable)
    time.advance(300)
    assert (await api.request("GET", "/api/sites/1", quota=quota)).status == 200
    assert len(asked(cloud, ACCOUNTS)) == 2


class Ticket(Authenticator):
    """Another way to be let in."""

    def __init__(self, cloud: EaseeCloud) -> None:
        """Get tickets at the door."""
        self._cloud = cloud
        self.sold = 0
        self._token = "paper"

    @override
    async def token(self) -> str:
        return self._token

    @override
    async def renew(self, stale: str) -> str:
        if stale == self._token:
            self.sold += 1
            tokens = self._cloud.tokens
            account = tokens.accounts[0]
            self._token = tokens.login(account.email, account.password)["accessToken"]
        return self._token

    @override
    def age(self) -> datetime | None:
        return None

    @override
    def forget(self) -> None:
        self._token = "paper"


@pytest.mark.conformance("EASEE_S31")
async def test_another_way_to_authenticate_can_be_put_in_place(
    session: ClientSession, budget: Budget, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    ticket = Ticket(cloud)
    api = EaseeApi(session, ticket, budget, time, url=cloud.url)
    replies = await asyncio.gather(*(api.request("GET", CHARGERS) for _ in range(5)))
    assert {reply.status for reply in replies} == {200}
    assert ticket.sold == 1
    assert asked(cloud) == []
