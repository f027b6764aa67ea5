"""Token desk: what Home Assistant does when somebody presents a token."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
import hmac
from secrets import token_hex
from typing import Final
from uuid import UUID

from homeassistant.components.tag import async_scan_tag
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.storage import Store

from .const import DOMAIN
from .models import HubStation
from .station.authorization import key_of
from .station.clock import Clock, utc_now
from .station.events import StationEvent, TokenPresented
from .station.tokens import TokenStore
from .token_issues import async_create_question, async_delete_question

LEARN_SECONDS: Final = 60.0
"""How long the user has to swipe a token that is to be learnt."""

RECENT: Final = timedelta(seconds=60)
"""So long whoever presented a token may still stand at the charger."""

MAX_QUESTIONS: Final = 10
"""A stranger has many cards, the user little patience."""

MAX_STRANGERS: Final = 64
"""Home Assistant remembers every tag for ever, and strangers may have many."""

_REMEMBERED: Final = 32


@dataclass(kw_only=True, slots=True, frozen=True)
class Presentation:
    """A token that was presented: where, and when."""

    id_token: str = field(repr=False)
    entry_id: str
    hub_station: HubStation = field(repr=False)
    at: datetime
    evse_id: int | None = None


@dataclass(kw_only=True, slots=True, eq=False)
class _Learner:
    """Somebody who waits for the next token, at one charger or at any."""

    identity: str | None
    found: asyncio.Future[Presentation]


class TokenDesk:
    """Tells of presented tokens: as tags, as questions, and to who learns one."""

    def __init__(
        self, hass: HomeAssistant, store: TokenStore, clock: Clock = utc_now
    ) -> None:
        """Know of no token that was presented."""
        self._hass = hass
        self._store = store
        self._clock = clock
        self._salt = b""
        self._recent: dict[str, Presentation] = {}
        self._learners: list[_Learner] = []
        self._strangers: set[str] = set()
        self.questions: dict[str, Presentation] = {}
        """The tokens that the user is asked about, by the reference of the question."""
        store.subscribe(self._settle)

    async def async_load(self) -> None:
        """Let what stands for a token be told by nobody but this Home Assistant.

        Cards have short numbers, which could be found by trying all of them.
        """
        store = Store[dict[str, str]](self._hass, 1, f"{DOMAIN}.tags", private=True)
        if (kept := await store.async_load()) is None:
            kept = {"salt": token_hex(16)}
            await store.async_save(kept)
        self._salt = bytes.fromhex(kept["salt"])

    def tag_id(self, id_token: str) -> str:
        """Return the id of the Home Assistant tag that stands for a token.

        Tag ids are in logs, events and the state machine; a token is as good as a key.
        """
        return str(UUID(bytes=self._digest(id_token)[:16], version=4))

    def reference(self, id_token: str) -> str:
        """Return what stands for a token where it may be read by others."""
        return self._digest(id_token)[16:24].hex()

    def _digest(self, id_token: str) -> bytes:
        return hmac.digest(self._salt, key_of(id_token).encode(), "sha256")

    @callback
    def follow(self, entry_id: str, hub_station: HubStation) -> CALLBACK_TYPE:
        """Listen to the reader of a charger; return what ends that."""
        return hub_station.station.on_event(
            partial(self._handle, entry_id, hub_station)
        )

    def recent(self, id_token: str) -> Presentation | None:
        """Return where a token was presented within the last minute."""
        found = self._recent.get(key_of(id_token))
        if found is None or self._clock() - found.at > RECENT:
            return None
        return found

    async def async_learn(self, identity: str | None) -> str | None:
        """Return the next token presented at a charger (None: any), or None."""
        found = self._hass.loop.create_future()
        learner = _Learner(identity=identity, found=found)
        self._learners.append(learner)
        try:
            async with asyncio.timeout(LEARN_SECONDS):
                presentation: Presentation = await learner.found
        except TimeoutError:
            return None
        finally:
            self._learners.remove(learner)
        return presentation.id_token

    @callback
    def forget(self, entry_id: str) -> None:
        """Ask nothing any more about tokens presented at a server."""
        for reference, question in tuple(self.questions.items()):
            if question.entry_id == entry_id:
                self._drop(reference)

    @callback
    def _handle(
        self, entry_id: str, hub_station: HubStation, event: StationEvent
    ) -> None:
        """Tell of a token that was presented."""
        if not isinstance(event, TokenPresented):
            return
        presentation = Presentation(
            id_token=event.id_token,
            entry_id=entry_id,
            hub_station=hub_station,
            at=self._clock(),
            evse_id=event.evse_id,
        )
        self._remember(presentation)
        self._scan(presentation)
        if not self._teach(presentation) and event.asked:
            self._ask(presentation)

    def _remember(self, presentation: Presentation) -> None:
        """Remember the newest presentations."""
        key = key_of(presentation.id_token)
        self._recent.pop(key, None)
        self._recent[key] = presentation
        if len(self._recent) > _REMEMBERED:
            del self._recent[next(iter(self._recent))]

    def _scan(self, presentation: Presentation) -> None:
        """Tell Home Assistant that a tag was scanned at the charger's device."""
        tag_id = self.tag_id(presentation.id_token)
        if self._store.find(presentation.id_token) is None:
            if len(self._strangers | {tag_id}) > MAX_STRANGERS:
                return
            self._strangers.add(tag_id)
        self._hass.async_create_task(
            async_scan_tag(self._hass, tag_id, presentation.hub_station.device_id),
            "ev_charger_hub tag",
        )

    def _teach(self, presentation: Presentation) -> bool:
        """Return whether somebody waited for a token to learn it."""
        identity = presentation.hub_station.station.identity
        taught = False
        for learner in self._learners:
            if learner.identity in {None, identity} and not learner.found.done():
                learner.found.set_result(presentation)
                taught = True
        return taught

    def _ask(self, presentation: Presentation) -> None:
        """Ask the user about a token; the oldest question gives way."""
        reference = self.reference(presentation.id_token)
        self.questions.pop(reference, None)
        self.questions[reference] = presentation
        if len(self.questions) > MAX_QUESTIONS:
            self._drop(next(iter(self.questions)))
        async_create_question(
            self._hass,
            reference,
            charger=presentation.hub_station.station.settings.name,
            id_token=presentation.id_token,
        )

    @callback
    def _settle(self) -> None:
        """Ask nothing any more about tokens that are known now."""
        for reference, question in tuple(self.questions.items()):
            if self._store.find(question.id_token) is not None:
                self._drop(reference)

    def _drop(self, reference: str) -> None:
        """Withdraw a question."""
        del self.questions[reference]
        async_delete_question(self._hass, reference)
