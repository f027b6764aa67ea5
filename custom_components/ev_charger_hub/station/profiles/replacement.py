"""Which charging profile takes the place of which other one."""

from collections.abc import Iterable
from typing import Literal

from .model import ChargingProfile, Installed, Purpose
from .timeline import seconds

type Dialect = Literal["1.6", "2.0.1", "2.1"]


def overlapping(one: ChargingProfile, other: ChargingProfile) -> bool:
    """Return whether two profiles are valid at the same time; `valid_to` is excluded."""
    return _ends_after_start(one, other) and _ends_after_start(other, one)


def same_place(one: Installed, other: Installed) -> bool:
    """Return whether two profiles compete: purpose, stack level, EVSE, transaction."""
    mine, theirs = one.profile, other.profile
    return (
        one.evse_id == other.evse_id
        and mine.purpose is theirs.purpose
        and mine.stack_level == theirs.stack_level
        and (mine.purpose is not Purpose.TX or _same_transaction(mine, theirs))
    )


def replaces(new: Installed, old: Installed, dialect: Dialect | None = None) -> bool:
    """Return whether a station that accepts `new` forgets `old`.

    The same id replaces everywhere (K01.FR.05), but nobody replaces the external
    constraints by its own profile. OCPP 1.6 replaces by place too (3.13.2), even if
    the new profile is not valid yet; 2.x refuses that instead (K01.FR.06). Without a
    dialect, place counts where validity overlaps, which is right for both.
    """
    mine, theirs = new.profile, old.profile
    if (mine.purpose is Purpose.EXTERNAL) is not (theirs.purpose is Purpose.EXTERNAL):
        return False
    if mine.id == theirs.id:
        return True
    if dialect not in (None, "1.6") or not same_place(new, old):
        return False
    return dialect == "1.6" or overlapping(mine, theirs)


def newest(installed: Iterable[Installed]) -> list[Installed]:
    """Return the profiles that no other one replaced, the newest first.

    Of profiles that were set at the same moment the later one is the newer.
    """
    kept: list[Installed] = []
    latest_last = sorted(installed, key=lambda one: one.set_at)
    for one in reversed(latest_last):
        if not any(replaces(newer, one) for newer in kept):
            kept.append(one)
    return kept


def _ends_after_start(one: ChargingProfile, other: ChargingProfile) -> bool:
    return (
        one.valid_to is None
        or other.valid_from is None
        or seconds(one.valid_to) > seconds(other.valid_from)
    )


def _same_transaction(one: ChargingProfile, other: ChargingProfile) -> bool:
    # A TxProfile of 1.6 may leave it out: it is for whichever transaction runs.
    known = {one.transaction_id, other.transaction_id} - {None}
    return len(known) < 2
