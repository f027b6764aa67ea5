"""Measurands: the longest list of them that a station accepts, in few tries."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..station.outcome import Outcome, OutcomeStatus

MAX_CHARACTERS = 500
"""A configuration value is no longer (OCPP 1.6 6.6, CiString500)."""

MAX_TRIES = 30

# The measurands of OCPP 1.6 7.31, what is missed most first: lists are cut at the end.
MEASURANDS = (
    "Energy.Active.Import.Register",
    "Power.Active.Import",
    "Current.Import",
    "Voltage",
    "Current.Offered",
    "SoC",
    "Power.Offered",
    "Temperature",
    "Frequency",
    "Power.Factor",
    "Energy.Active.Export.Register",
    "Power.Active.Export",
    "Current.Export",
    "Power.Reactive.Import",
    "Energy.Reactive.Import.Register",
    "Energy.Active.Import.Interval",
    "Power.Reactive.Export",
    "Energy.Reactive.Export.Register",
    "Energy.Active.Export.Interval",
    "Energy.Reactive.Import.Interval",
    "Energy.Reactive.Export.Interval",
    "RPM",
)
_BY_SLUG = {name.lower().replace(".", "_"): name for name in MEASURANDS}

type Write = Callable[[list[str]], Awaitable[Outcome]]


class Ending(StrEnum):
    """How a negotiation ended."""

    ACCEPTED = "accepted"
    REBOOT_REQUIRED = "reboot_required"
    REFUSED = "refused"
    NOT_SUPPORTED = "not_supported"
    UNANSWERED = "unanswered"


@dataclass(kw_only=True, slots=True, frozen=True)
class Negotiated:
    """What a station accepted last, if anything, and after how many tries."""

    ending: Ending
    accepted: list[str]
    tries: int


def wanted(chosen: Sequence[str] | None, current: Iterable[str]) -> list[str]:
    """Return what to ask for: the user's choice, or else all and what there is."""
    names = [*MEASURANDS, *current] if chosen is None else chosen
    # Ours are written with underscores, those of OCPP with dots.
    official = [_BY_SLUG.get(name.lower().replace(".", "_"), name) for name in names]
    return list(dict.fromkeys(official))


def fitted(names: Iterable[str], maximum: int | None) -> list[str]:
    """Return as many names from the front as a station can keep."""
    kept: list[str] = []
    for name in names:
        if maximum is not None and len(kept) >= maximum:
            break
        if len(",".join([*kept, name])) <= MAX_CHARACTERS:
            kept.append(name)
    return kept


def same(one: Iterable[str], other: Iterable[str]) -> bool:
    """Return whether two lists name the same measurands."""
    return {name.lower() for name in one} == {name.lower() for name in other}


async def negotiate(names: list[str], known: Iterable[str], write: Write) -> Negotiated:
    """Write the longest list that a station accepts; `known` ones it accepts anyhow.

    The whole list first; what is left of it is then tried by halves, so that one bad
    name among many costs few tries.
    """
    outcome = await write(names)
    if outcome.ok or outcome.status is not OutcomeStatus.REJECTED:
        accepted = names if outcome.ok else []
        return Negotiated(ending=_ending(outcome), accepted=accepted, tries=1)
    there = {name.lower() for name in known}
    good = [name for name in names if name.lower() in there]
    chunks = _halves([name for name in names if name.lower() not in there])
    tries, last, ending = 1, list[str](), Ending.REFUSED
    while chunks and tries < MAX_TRIES:
        chunk = chunks.pop(0)
        candidate = [name for name in names if name in {*good, *chunk}]
        outcome = await write(candidate)
        tries += 1
        if outcome.ok:
            good = last = candidate
            ending = _ending(outcome)
        elif outcome.status is not OutcomeStatus.REJECTED:
            ending = _ending(outcome)
            break
        elif len(chunk) > 1:
            chunks[:0] = _halves(chunk)
    return Negotiated(ending=ending, accepted=last, tries=tries)


def _halves(names: list[str]) -> list[list[str]]:
    middle = (len(names) + 1) // 2
    return [half for half in (names[:middle], names[middle:]) if half]


def _ending(outcome: Outcome) -> Ending:
    match outcome.status:
        case OutcomeStatus.REBOOT_REQUIRED:
            return Ending.REBOOT_REQUIRED
        case OutcomeStatus.NOT_SUPPORTED:
            return Ending.NOT_SUPPORTED
        case OutcomeStatus.REJECTED:
            return Ending.REFUSED
        case OutcomeStatus.TIMED_OUT | OutcomeStatus.NO_ANSWER:
            return Ending.UNANSWERED
        case _:
            return Ending.ACCEPTED
