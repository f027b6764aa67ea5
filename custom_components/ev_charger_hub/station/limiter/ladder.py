"""The ladder: which rungs are climbed at a place, in which order."""

from dataclasses import dataclass
from decimal import Decimal

from ..link import Limit
from ..profiles.model import Kind, Purpose
from .rungs import Layer, Rung, Site

TX_DURATION = 300
"""Seconds after which the limit of a session ends unless it is renewed (dead-man)."""

OVERLAY_DURATION = 86400
"""The same for a persisted limit, which must not be written often."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Step:
    """A rung, and the fall-back profile that has to be in place `under` it.

    Without a rung there is nothing to send but the fall-back until a session starts.
    """

    rung: Rung | None
    under: Rung | None = None

    @property
    def purpose(self) -> Purpose:
        """Return the purpose that the step depends on."""
        if self.rung is not None:
            return self.rung.purpose
        return self.under.purpose if self.under is not None else Purpose.TX_DEFAULT


def fallback(site: Site) -> Limit | None:
    """Return the limit that is to hold when nobody renews the wanted one."""
    current = site.settings.fallback_current
    return None if current is None else Limit(value=Decimal(current))


def ladder(site: Site, limit: Limit) -> list[Step]:
    """Return the steps in their order; those that are known not to work come last."""
    steps = _safe(site, limit) if fallback(site) else _plain(site, limit)
    return sorted(steps, key=lambda step: site.learnt.useless(step.purpose))


def _plain(site: Site, limit: Limit) -> list[Step]:
    steps: list[Step] = []
    if site.evse_id:
        if site.transaction_id is not None:
            steps.append(Step(rung=site.rung(Purpose.TX, limit)))
        steps.append(Step(rung=site.rung(Purpose.TX_DEFAULT, limit)))
    if site.single or not site.evse_id:
        steps.append(Step(rung=site.rung(Purpose.STATION_MAX, limit)))
    return steps


def _safe(site: Site, limit: Limit) -> list[Step]:
    if not site.evse_id:
        return [_over(site, Purpose.STATION_MAX, limit)]
    steps: list[Step] = []
    useless = site.learnt.useless(Purpose.TX_DEFAULT)
    if not (site.learnt.tx_default_caps or useless or _endless(site)):
        under = site.rung(Purpose.TX_DEFAULT, limit, layer=Layer.UNDER)
        if site.transaction_id is not None:
            rung = site.rung(Purpose.TX, limit, duration=TX_DURATION)
            steps.append(Step(rung=rung, under=under))
        elif not site.learnt.useless(Purpose.TX):
            steps.append(Step(rung=None, under=under))
    elif site.transaction_id is not None:
        steps.append(Step(rung=site.rung(Purpose.TX, limit)))
    steps.append(_over(site, Purpose.TX_DEFAULT, limit))
    if site.single:
        steps.append(Step(rung=site.rung(Purpose.STATION_MAX, limit)))
    return steps


def _endless(site: Site) -> bool:
    # What cannot end by itself is no dead-man.
    return site.learnt.durations is False or site.learnt.kind is Kind.RELATIVE


def _over(site: Site, purpose: Purpose, limit: Limit) -> Step:
    if site.level < 1 or _endless(site):
        return Step(rung=site.rung(purpose, limit))
    return Step(
        rung=site.rung(purpose, limit, layer=Layer.OVER, duration=OVERLAY_DURATION),
        under=site.rung(purpose, limit, layer=Layer.UNDER),
    )
