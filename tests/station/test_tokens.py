"""Id tokens: the store, and who may charge."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.ev_charger_hub.station.authorization import Verdict
from custom_components.ev_charger_hub.station.enums import AuthorizationStatus
from custom_components.ev_charger_hub.station.model import ChargingStation
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.tokens import (
    IdToken,
    TokenAuthorizer,
    TokenKind,
    TokenStatus,
    TokenStore,
    UnknownTokens,
    is_placeholder,
)
from custom_components.ev_charger_hub.station.transaction import (
    Transaction,
    TransactionState,
)

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
OWN = "HA0123456789"
ACCEPTED = AuthorizationStatus.ACCEPTED
BLOCKED = AuthorizationStatus.BLOCKED
CONCURRENT = AuthorizationStatus.CONCURRENT_TX
EXPIRED = AuthorizationStatus.EXPIRED
INVALID = AuthorizationStatus.INVALID

ANNA = IdToken(token="04Ab12cd", name="Anna")


class World:
    """A store, two stations, and what a server decides."""

    def __init__(self) -> None:
        """Start with nobody known, and strangers refused."""
        self.now = NOW
        self.policy = UnknownTokens.REFUSE
        self.free: set[str] = set()
        self.store = TokenStore()
        self.stations = [self._station("CP1"), self._station("CP2")]
        self.authorizer = TokenAuthorizer(
            self.store,
            clock=lambda: self.now,
            is_free=self.free.__contains__,
            own_token=OWN,
            policy=lambda: self.policy,
            stations=self.stations,
        )

    @staticmethod
    def _station(identity: str) -> ChargingStation:
        station = ChargingStation(identity, StationSettings(name=identity))
        station.local.set(True)
        return station

    def status(
        self, id_token: str, evse_id: int | None = None, identity: str = "CP1"
    ) -> AuthorizationStatus:
        """Return what station `identity` is told."""
        return self.authorizer.authorize(identity, id_token, evse_id).status

    def charge(
        self, number: int, evse_id: int, id_token: str, minutes_ago: int = 5
    ) -> Transaction:
        """Let a session run at a station since some minutes."""
        station = self.stations[number]
        begun = self.now - timedelta(minutes=minutes_ago)
        session = Transaction(
            key=1,
            identity=station.identity,
            transaction_id="1",
            evse_id=evse_id,
            id_token=id_token,
            started_at=begun,
            received_at=begun,
        )
        station.evse(evse_id).session.set(session)
        return session


@pytest.fixture
def world() -> World:
    """Return a world without tokens."""
    return World()


@pytest.mark.parametrize("id_token", ["04Ab12cd", "04AB12CD", "04ab12cd"])
def test_spelling_does_not_matter(world: World, id_token: str) -> None:
    world.store.replace("server", [ANNA])
    assert world.status(id_token) is ACCEPTED
    assert world.store.find(id_token) is ANNA


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        (UnknownTokens.ACCEPT, ACCEPTED),
        (UnknownTokens.REFUSE, INVALID),
        (UnknownTokens.ASK, INVALID),
    ],
)
def test_strangers_are_treated_as_the_user_wants(
    world: World, policy: UnknownTokens, status: AuthorizationStatus
) -> None:
    world.policy = policy
    assert world.status("STRANGER") is status
    asked = world.authorizer.bearer("CP1", "STRANGER").asked
    assert asked is (policy is UnknownTokens.ASK)


@pytest.mark.parametrize("policy", UnknownTokens)
def test_a_blocked_token_is_blocked_whatever_becomes_of_strangers(
    world: World, policy: UnknownTokens
) -> None:
    world.policy = policy
    blocked = IdToken(token="LOST", name="Lost card", status=TokenStatus.BLOCKED)
    world.store.replace("server", [blocked])
    assert world.status("lost") is BLOCKED
    assert not world.authorizer.bearer("CP1", "LOST").asked


def test_a_token_is_good_until_it_expires(world: World) -> None:
    guest = IdToken(token="GUEST", name="Guest", expires=NOW + timedelta(hours=1))
    world.store.replace("server", [guest])
    assert world.authorizer.authorize("CP1", "GUEST") == Verdict(
        status=ACCEPTED, expires=guest.expires
    )
    world.now += timedelta(hours=1)
    assert world.authorizer.authorize("CP1", "GUEST") == Verdict(
        status=EXPIRED, expires=guest.expires
    )


def test_a_token_is_good_at_its_own_chargers_only(world: World) -> None:
    here = IdToken(token="HERE", name="Here", chargers=frozenset({"CP1"}))
    world.store.replace("server", [here])
    assert world.status("HERE", identity="CP1") is ACCEPTED
    assert world.status("HERE", identity="CP2") is INVALID


def test_a_group_is_told(world: World) -> None:
    world.store.replace("server", [IdToken(token="A", name="A", group="FAMILY")])
    assert world.authorizer.authorize("CP1", "A").group == "FAMILY"


@pytest.mark.parametrize("policy", UnknownTokens)
def test_our_own_token_is_always_accepted(world: World, policy: UnknownTokens) -> None:
    world.policy = policy
    assert world.status(OWN) is ACCEPTED
    assert world.status(OWN.lower(), 1) is ACCEPTED
    assert world.authorizer.bearer("CP1", OWN).nobody


# One session at a time


def exclusive(world: World) -> None:
    """Let a token be good for one session at a time."""
    token = IdToken(token="ONE", name="One", exclusive=True)
    world.store.replace("server", [token])


def test_a_token_in_use_elsewhere_is_refused(world: World) -> None:
    exclusive(world)
    world.charge(1, 1, "one")
    assert world.status("ONE") is CONCURRENT
    assert world.status("ONE", 1) is CONCURRENT


def test_a_token_may_be_shown_where_it_charges_to_stop(world: World) -> None:
    exclusive(world)
    world.charge(0, 1, "ONE")
    assert world.status("ONE") is ACCEPTED


def test_a_second_session_at_another_connector_is_refused(world: World) -> None:
    exclusive(world)
    world.charge(0, 1, "ONE")
    assert world.status("ONE", 2) is CONCURRENT


def test_a_start_that_is_told_again_stays_accepted(world: World) -> None:
    exclusive(world)
    world.charge(0, 1, "ONE")
    assert world.status("ONE", 1) is ACCEPTED
    # Somebody tried it elsewhere meanwhile, and was refused.
    world.charge(1, 1, "ONE", minutes_ago=1)
    assert world.status("ONE", 1) is ACCEPTED
    assert world.status("ONE") is ACCEPTED
    assert world.status("ONE", 1, identity="CP2") is CONCURRENT


def test_an_ended_session_keeps_nobody_out(world: World) -> None:
    exclusive(world)
    world.charge(1, 1, "ONE").state = TransactionState.CLOSED
    assert world.status("ONE", 1) is ACCEPTED


def test_a_session_at_a_charger_that_is_away_keeps_nobody_out(world: World) -> None:
    exclusive(world)
    world.charge(1, 1, "ONE")
    world.stations[1].local.set(False)
    assert world.status("ONE", 1) is ACCEPTED


def test_other_tokens_may_charge_more_than_once(world: World) -> None:
    world.store.replace("server", [ANNA])
    world.charge(1, 1, ANNA.token)
    assert world.status(ANNA.token, 1) is ACCEPTED


# Free charging, and stations that need no token


@pytest.mark.parametrize("id_token", ["STRANGER", "FreeCharging", "", "LOST"])
def test_everybody_may_charge_where_charging_is_free(
    world: World, id_token: str
) -> None:
    blocked = IdToken(token="LOST", name="Lost card", status=TokenStatus.BLOCKED)
    world.store.replace("server", [blocked])
    world.policy = UnknownTokens.ASK
    world.free.add("CP1")
    assert world.status(id_token, 1) is ACCEPTED
    assert not world.authorizer.bearer("CP1", id_token).asked


@pytest.mark.parametrize(
    "id_token", ["FreeCharging", "rfidtagfreecharging", "", " ", "00000000"]
)
def test_a_placeholder_is_nobody_to_ask_about(world: World, id_token: str) -> None:
    world.policy = UnknownTokens.ASK
    assert is_placeholder(id_token)
    assert world.status(id_token, 1) is INVALID
    bearer = world.authorizer.bearer("CP1", id_token)
    assert bearer.nobody
    assert not bearer.asked


def test_a_placeholder_of_ones_own_needs_free_charging(world: World) -> None:
    word = IdToken(token="ELECTRIC", name="Nobody", kind=TokenKind.PLACEHOLDER)
    world.store.replace("server", [word])
    world.policy = UnknownTokens.ACCEPT
    assert world.status("ELECTRIC", 1) is INVALID
    assert world.authorizer.bearer("CP1", "ELECTRIC").nobody
    world.free.add("CP1")
    assert world.status("ELECTRIC", 1) is ACCEPTED


# The store


def test_the_store_is_the_union_of_its_owners(world: World) -> None:
    told: list[None] = []
    unsubscribe = world.store.subscribe(lambda: told.append(None))
    world.store.replace("one", [ANNA])
    world.store.replace("two", [IdToken(token="B", name="Ben")])
    assert len(world.store) == 2
    world.store.replace("two", [IdToken(token="B", name="Ben")])
    assert len(told) == 2
    world.store.replace("one", [])
    assert len(told) == 3
    assert world.status(ANNA.token) is INVALID
    unsubscribe()
    world.store.replace("two", [])
    assert len(told) == 3


def test_of_one_token_of_two_owners_the_blocked_one_counts(world: World) -> None:
    other = IdToken(token=ANNA.token.upper(), name="Ann", status=TokenStatus.BLOCKED)
    world.store.replace("one", [ANNA])
    world.store.replace("two", [other])
    assert world.status(ANNA.token) is BLOCKED
    world.store.replace("two", [])
    assert world.status(ANNA.token) is ACCEPTED


def test_of_one_token_of_two_owners_the_first_counts(world: World) -> None:
    world.store.replace("two", [IdToken(token=ANNA.token.upper(), name="Ann")])
    world.store.replace("one", [ANNA])
    assert world.store.name_of(ANNA.token) == ANNA.name


def test_the_list_of_a_station_has_its_tokens_whatever_the_time(world: World) -> None:
    past = NOW - timedelta(days=1)
    world.store.replace(
        "server",
        [
            IdToken(token="guest", name="Guest", expires=past, group="G"),
            IdToken(token="Lost", name="Lost", status=TokenStatus.BLOCKED),
            IdToken(token="HERE", name="Here", chargers=frozenset({"CP1"})),
            IdToken(token="THERE", name="There", chargers=frozenset({"CP2"})),
            IdToken(token="WORD", name="Word", kind=TokenKind.PLACEHOLDER),
        ],
    )
    assert world.store.entries("CP1") == {
        "guest": Verdict(status=ACCEPTED, expires=past, group="G"),
        "HERE": Verdict(status=ACCEPTED),
        "Lost": Verdict(status=BLOCKED),
    }


def test_nothing_that_is_printed_shows_a_token() -> None:
    token = IdToken(token="04AB12CD99", name="Anna", group="04FAMILY")
    assert "04" not in repr(token)
    assert "04" not in repr(token.listed)
