"""Two ways in any order: in the end what is wanted holds, and never more flows."""

from decimal import Decimal

from hypothesis import example, given, settings, strategies as st

from .house import HARDWARE, ampere
from .two_way_house import NO_ANSWER, TwoWayHouse
from custom_components.ev_charger_hub.station.errors import NotConnected
from custom_components.ev_charger_hub.station.limits import in_ampere
from custom_components.ev_charger_hub.station.link import Limit

STEPS = st.one_of(
    st.tuples(
        st.just("want"),
        st.sampled_from([0, 1]),
        st.sampled_from([None, 6, 8, 10, 13, 16, 25]),
    ),
    st.tuples(
        st.sampled_from(["local", "remote"]),
        st.booleans(),
        st.sampled_from([0, 1, 5, 20, 90]),
    ),
    st.tuples(
        st.sampled_from(["restart", "silent", "deaf"]),
        st.booleans(),
        st.sampled_from([0, 5, 20]),
    ),
    st.tuples(st.just("wait"), st.just(0), st.sampled_from([1, 30, 400])),
)


class Walk:
    """A house in which things go wrong, and what may flow there."""

    def __init__(self, house: TwoWayHouse, *, session: bool) -> None:
        """Look at every change of either limit."""
        self.house = house
        self.session = session
        self.most = HARDWARE
        """What may flow by what is wanted, or was until it was changed."""
        self.worst = Decimal(0)
        house.number.told = self.look

    def look(self) -> None:
        """See whether more flows than may."""
        self.worst = max(self.worst, self.house.flows - self.most)

    @property
    def wanted(self) -> Decimal:
        """Return what may flow by what is wanted."""
        station = self.house.station
        wishes = [station.whole.wanted_limit.value, station.evse(1).wanted_limit.value]
        known = [in_ampere(one, 3) for one in wishes if one is not None]
        return min([HARDWARE, *known])

    async def take(self, step: tuple[str, int, int | None]) -> None:
        """Let something happen."""
        house, (what, which, value) = self.house, step
        match what:
            case "want":
                limit = None if value is None else ampere(value)
                await self.want(which, limit)
            case "local":
                await house.local(up=bool(which), wait=value or 0)
            case "remote":
                await house.remote(up=bool(which), wait=value or 0)
            case "restart":
                await house.restart(set_up=bool(which))
                await house.time.advance(value or 0)
            case "silent":
                house.charger.answer = NO_ANSWER if which else None
            case "deaf":
                house.number.answer = NO_ANSWER if which else None
                house.number.does = not which
            case "wait":
                await house.time.advance(value or 0)
        await house.look()
        self.look()

    async def want(self, evse_id: int, limit: Limit | None) -> None:
        """Wish for a limit; until that is done the one before may hold."""
        before = self.wanted
        asked = HARDWARE if limit is None else limit.value
        self.most = max(self.most, asked, before)
        try:
            outcome = await self.house.want(limit, evse_id)
        except NotConnected:
            return
        if outcome.ok and self.wanted >= self.house.flows:
            self.most = self.wanted

    async def end(self) -> None:
        """Let everything work again, and see what holds in the end."""
        house = self.house
        house.charger.answer = house.number.answer = None
        house.number.does = True
        await house.remote(up=True)
        await house.local(up=False)
        await house.local(up=True)
        await house.limiter.reassert()
        for _ in range(4):
            await house.time.advance(60)
            await house.look()


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(STEPS, max_size=14), session=st.booleans())
@example(
    steps=[
        ("want", 1, 10),
        ("local", 0, 5),
        ("want", 1, 6),
        ("restart", 0, 0),
        ("local", 1, 20),
        ("want", 0, 8),
    ],
    session=False,
)
@example(steps=[("want", 0, 8), ("silent", 1, 0), ("want", 1, 8)], session=True)
async def test_in_the_end_what_is_wanted_holds_and_nothing_is_left_over(
    steps: list[tuple[str, int, int | None]], session: bool
) -> None:
    house = TwoWayHouse()
    await house.limiter.reassert()
    if session:
        await house.begin()
    walk = Walk(house, session=session)
    for step in steps:
        await walk.take(step)
    await walk.end()
    assert house.flows == walk.wanted, house.both
    assert house.number.there == HARDWARE
    assert walk.worst <= 0
    await house.kill()
