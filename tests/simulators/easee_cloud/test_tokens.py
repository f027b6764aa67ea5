"""F1 and F2: log-in, refresh tokens that are used once, sessions that end."""

import json

import aiohttp
import pytest

from .plain import PlainClient
from simulators.easee_cloud import EaseeCloud, Fault, SimulatedTime
from simulators.easee_cloud.seed import EMAIL, PASSWORD, PHONE

PROFILE = "/api/accounts/profile"


async def status(client: PlainClient, path: str = PROFILE) -> int:
    return (await client.ask("GET", path))[0]


@pytest.mark.parametrize("name", [EMAIL, EMAIL.upper(), PHONE, "+47 90 00 00 00"])
async def test_login_by_mail_or_phone(client: PlainClient, name: str) -> None:
    assert await client.login(name) == 200
    assert client.tokens["expiresIn"] == 3600
    assert await status(client) == 200


async def test_a_wrong_password_is_a_bad_request(client: PlainClient) -> None:
    code, body, _ = await client.ask(
        "POST", "/api/accounts/login", {"userName": EMAIL, "password": "wrong"}
    )
    assert (code, body["errorCode"], body["errorCodeName"]) == (
        400,
        100,
        "InvalidUserPassword",
    )
    assert body["detail"] == "[Empty in production]"


async def test_an_unverified_mail_has_its_own_code(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    cloud.tokens.accounts[0].email_verified = False
    code, body, _ = await client.ask(
        "POST", "/api/accounts/login", {"userName": EMAIL, "password": PASSWORD}
    )
    assert (code, body["errorCode"]) == (400, 727)


async def test_a_refresh_token_is_good_once(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    await client.login()
    first = client.tokens
    assert await client.refresh() == 200
    assert client.tokens["refreshToken"] != first["refreshToken"]
    assert await client.refresh(first) == 401
    assert cloud.tokens.reused == 1
    assert await client.refresh() == 200


async def test_a_reused_token_can_end_the_session(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    cloud.tokens.reuse_ends_session = True
    await client.login()
    first = client.tokens
    await client.refresh()
    await client.refresh(first)
    assert await status(client) == 401
    assert await client.refresh() == 401


async def test_access_ends_after_an_hour_and_the_session_after_a_day(
    time: SimulatedTime, client: PlainClient
) -> None:
    await client.login()
    time.advance(3599)
    assert await status(client) == 200
    time.advance(1)
    assert await status(client) == 401
    time.advance(86_400)
    code, body, _ = await client.ask(
        "POST", "/api/accounts/refresh_token", client.tokens
    )
    assert (code, body["errorCode"], body["errorCodeName"]) == (
        401,
        105,
        "RefreshTokenExpired",
    )


@pytest.mark.parametrize("refused", [400, 401, 403])
async def test_a_revoked_session_refuses_both_tokens(
    cloud: EaseeCloud, client: PlainClient, refused: int
) -> None:
    cloud.tokens.refused_refresh = refused
    await client.login()
    cloud.tokens.revoke_sessions()
    assert await status(client) == 401
    assert await client.refresh() == refused


async def test_an_access_token_can_be_invalidated_alone(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    await client.login()
    cloud.tokens.revoke_access()
    assert await status(client) == 401
    assert await client.refresh() == 200
    assert await status(client) == 200


async def test_a_lost_rotation_burns_the_token(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    await client.login()
    cloud.faults.add(Fault(pattern="refresh_token", cut=True, after=True))
    with pytest.raises(aiohttp.ClientError):
        await client.refresh()
    assert await client.refresh() == 401


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ({"message": "Unauthorized"}, '{"message":"Unauthorized"}'),
        ("null", "null"),
        (None, ""),
        ("<html></html>", "<html></html>"),
    ],
)
async def test_what_a_wrong_token_is_answered_with(
    cloud: EaseeCloud, client: PlainClient, body: object, sent: str
) -> None:
    cloud.unauthorized = body
    async with client.session.get(
        cloud.url + PROFILE, headers={"Authorization": "Bearer nonsense"}
    ) as response:
        assert (response.status, await response.text()) == (401, sent)


async def test_a_clock_that_is_wrong_shows_in_the_tokens(
    cloud: EaseeCloud, client: PlainClient, time: SimulatedTime
) -> None:
    from base64 import urlsafe_b64decode
    from datetime import timedelta

    cloud.clock.skew = timedelta(hours=-2)
    await client.login()
    claims = json.loads(
        urlsafe_b64decode(client.tokens["accessToken"].split(".")[1] + "==")
    )
    _, _, headers = await client.ask("GET", PROFILE)
    assert headers["Date"] == "Thu, 01 Oct 2026 04:00:00 GMT"
    assert claims["exp"] == int(time().timestamp()) - 7200 + 3600
    assert await status(client) == 200


async def test_an_unknown_path_is_a_problem_of_its_own_kind(
    client: PlainClient,
) -> None:
    await client.login()
    code, body, _ = await client.ask("GET", "/api/nothing")
    assert (code, body["title"], body["status"]) == (404, "Not Found", 404)
    assert body["type"].startswith("https://tools.ietf.org/html/rfc7231")


async def test_another_account_sees_nothing_of_this_one(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    cloud.tokens.account(user_id=2, email="b@example.com", phone="+1", password="b")
    await client.login("b@example.com", "b")
    assert await client.get("/api/chargers") == []
    assert await status(client, "/api/chargers/EH123456/config") == 403
    assert await status(client, "/api/sites/1") == 403
