"""Kept: what has to be remembered of a station's security before it is acted upon."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from ..errors import NotConnected
from ..journal import Journal
from ..settings import StationSettings

FACT: Final = "security"


class Step(StrEnum):
    """The steps on the way to a security profile, in their order."""

    PASSWORD = "password"  # noqa: S105
    """The station is given a password (AuthorizationKey)."""
    ROOT = "root"
    """The station is given the root certificate by which it knows this server."""
    CERTIFICATE = "certificate"
    """The station asks for a certificate of its own, and gets it."""
    PROFILE = "profile"
    """The station is told the profile (SecurityProfile)."""
    RESTART = "restart"
    """The station is restarted, which makes it use the profile."""
    ARRIVAL = "arrival"
    """The station has to come back with the profile."""
    DONE = "done"


class Failure(StrEnum):
    """Why a station stays with the profile that it has; values are translation keys."""

    CERTIFICATE_REFUSED = "certificate_refused"
    FELL_BACK = "fell_back"
    GAVE_UP = "gave_up"
    NO_SLOT = "no_slot"
    """There is no place for another way to dial (2.x)."""
    NOT_OFFERED = "not_offered"
    PASSWORD_REFUSED = "password_refused"  # noqa: S105
    PROFILE_REFUSED = "profile_refused"
    REQUEST_REFUSED = "request_refused"
    ROOT_REFUSED = "root_refused"


@dataclass(kw_only=True, slots=True, frozen=True)
class Upgrade:
    """The way to a higher profile: `leg` is the next profile, `target` the last.

    `tries` counts the steps that were begun on this leg, also those begun again.
    `url` is where the station is to dial instead, with the profile that it has; `slot`
    is where it keeps that way, or the one to the next profile (2.x); `landings` counts
    the restarts after which it came the old way.
    """

    target: int
    leg: int
    step: Step
    tries: int = 0
    failure: Failure | None = None
    url: str | None = field(default=None, repr=False)
    slot: int | None = None
    landings: int = 0

    @property
    def active(self) -> bool:
        """Return whether there is still something to be done."""
        return self.failure is None and self.step is not Step.DONE

    @property
    def is_told(self) -> bool:
        """Return whether the station may come with the next profile at any time."""
        return self.active and self.step in {Step.PROFILE, Step.RESTART, Step.ARRIVAL}

    def awaits(self, profile: int) -> bool:
        """Return whether a station seen with a profile has come further, even late."""
        raised = self.url is None and profile >= self.leg
        return raised and self.step is not Step.DONE


@dataclass(kw_only=True, slots=True, frozen=True)
class ClientCertificate:
    """The certificate that we gave a station last; `serial` in hex."""

    serial: str
    issued: datetime
    expires: datetime


@dataclass(kw_only=True, slots=True, frozen=True)
class Amendment:
    """A setting that we changed, which Home Assistant may not have on disk yet.

    `before` is what it was, and what it was made meanwhile.
    """

    before: tuple[str | int | None, ...] = field(repr=False)
    after: str | int | None = field(repr=False)
    at: datetime


@dataclass(kw_only=True, slots=True, frozen=True)
class Sight:
    """A profile above the floor that the station was never below since.

    `left` is whether the user does not want the station to be held to it.
    """

    profile: int
    since: datetime
    left: bool = False


@dataclass(kw_only=True, slots=True, frozen=True)
class Kept:
    """What is remembered.

    `hashes` are those of passwords that the station was told and may have taken,
    newest last, `basis` is that of the password which they are to replace;
    `amendments` go by the field of StationSettings.
    """

    hashes: tuple[str, ...] = field(default=(), repr=False)
    basis: str | None = field(default=None, repr=False)
    amendments: Mapping[str, Amendment] = field(default_factory=dict)
    upgrade: Upgrade | None = None
    certificate: ClientCertificate | None = None
    sight: Sight | None = None

    def dump(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "hashes": list(self.hashes),
            "basis": self.basis,
            "amendments": {
                name: [list(one.before), one.after, one.at.isoformat()]
                for name, one in self.amendments.items()
            },
            "upgrade": self.upgrade and _dump_upgrade(self.upgrade),
            "certificate": self.certificate and _dump_certificate(self.certificate),
            "sight": self.sight and _dump_sight(self.sight),
        }

    @classmethod
    def restore(cls, kept: dict[str, Any]) -> Kept:
        """Return what `dump` wrote."""
        upgrade, certificate = kept["upgrade"], kept["certificate"]
        sight = kept["sight"]
        return cls(
            hashes=tuple(kept["hashes"]),
            basis=kept["basis"],
            amendments={
                name: Amendment(
                    before=tuple(before), after=after, at=datetime.fromisoformat(at)
                )
                for name, (before, after, at) in kept["amendments"].items()
            },
            upgrade=upgrade and _restore_upgrade(upgrade),
            certificate=certificate and _restore_certificate(certificate),
            sight=sight and _restore_sight(sight),
        )

    def amend(self, settings: StationSettings, at: datetime, **changes: Any) -> Kept:
        """Return this with changes to be made of settings."""
        amendments = dict(self.amendments)
        for name, after in changes.items():
            if (present := getattr(settings, name)) != after:
                known = amendments.get(name)
                earlier = () if known is None else known.before
                amendments[name] = Amendment(
                    before=(*earlier, present), after=after, at=at
                )
        return replace(self, amendments=amendments)

    def amended(self, settings: StationSettings) -> dict[str, Any]:
        """Return what settings that came from disk lack of our amendments."""
        return {
            name: one.after
            for name, one in self.amendments.items()
            if getattr(settings, name) in one.before
        }

    def renewed(self, at: datetime, names: Iterable[str]) -> Kept:
        """Return this with amendments that were made once more."""
        again = {name: replace(self.amendments[name], at=at) for name in names}
        return replace(self, amendments={**self.amendments, **again})

    def since(self, start: datetime) -> Kept:
        """Return this without older amendments."""
        amendments = {
            name: one for name, one in self.amendments.items() if one.at > start
        }
        return replace(self, amendments=amendments)

    def standing(self, settings: StationSettings) -> Kept:
        """Return this without what the user has overruled since.

        A password of the user's takes the place of all that the station was told.
        """
        amendments = {
            name: one
            for name, one in self.amendments.items()
            if getattr(settings, name) == one.after
        }
        hashes = self.hashes if settings.password_hash == self.basis else ()
        return replace(self, amendments=amendments, hashes=hashes)


class Keeper:
    """The one place where what is kept changes: on disk first, then in memory."""

    def __init__(self, identity: str, journal: Journal) -> None:
        """Keep nothing yet."""
        self.kept = Kept()
        self._identity = identity
        self._journal = journal
        self._lock = asyncio.Lock()
        self._closed = False

    def close(self) -> None:
        """Write nothing more: the station may be forgotten from now on."""
        self._closed = True

    async def load(self) -> None:
        """Read what was kept; raises JournalError."""
        if (kept := await self._journal.load(self._identity, FACT)) is not None:
            self.kept = Kept.restore(kept)

    async def change(self, change: Callable[[Kept], Kept]) -> None:
        """Replace what is kept, for good; raises JournalError, and NotConnected at the end."""
        async with self._lock:
            if self._closed:
                raise NotConnected
            changed = change(self.kept)
            if changed != self.kept:
                await self._journal.store(self._identity, FACT, changed.dump())
                self.kept = changed


def _dump_upgrade(upgrade: Upgrade) -> dict[str, Any]:
    return {
        "target": upgrade.target,
        "leg": upgrade.leg,
        "step": upgrade.step,
        "tries": upgrade.tries,
        "failure": upgrade.failure,
        "url": upgrade.url,
        "slot": upgrade.slot,
        "landings": upgrade.landings,
    }


def _restore_upgrade(kept: dict[str, Any]) -> Upgrade:
    failure = kept["failure"]
    return Upgrade(
        target=kept["target"],
        leg=kept["leg"],
        step=Step(kept["step"]),
        tries=kept["tries"],
        failure=failure and Failure(failure),
        url=kept.get("url"),
        slot=kept.get("slot"),
        landings=kept.get("landings", 0),
    )


def _dump_certificate(certificate: ClientCertificate) -> list[str]:
    times = certificate.issued, certificate.expires
    return [certificate.serial, *(one.isoformat() for one in times)]


def _restore_certificate(kept: list[str]) -> ClientCertificate:
    serial, issued, expires = kept
    return ClientCertificate(
        serial=serial,
        issued=datetime.fromisoformat(issued),
        expires=datetime.fromisoformat(expires),
    )


def _dump_sight(sight: Sight) -> list[Any]:
    return [sight.profile, sight.since.isoformat(), sight.left]


def _restore_sight(kept: list[Any]) -> Sight:
    profile, since, left = kept
    return Sight(profile=profile, since=datetime.fromisoformat(since), left=left)
