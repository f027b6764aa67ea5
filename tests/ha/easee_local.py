"""Local OCPP of an Easee charger within Home Assistant: who dials whom."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from .easee import EaseeHome
from .planted import plant
from custom_components.ev_charger_hub.easee.local_progress import (
    Progress,
    Stage,
    Trouble,
)
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from custom_components.ev_charger_hub.easee_local import LocalStatus, status_of
from simulators.easee_cloud import EaseeCloud
from simulators.easee_cloud.dialer import Dialer
from simulators.easee_cloud.seed import CHARGER

HOST: Final = "192.168.1.10"
"""By what chargers of the house reach this machine."""
A_HEARTBEAT: Final = 400
"""Seconds within which a charger speaks that has come back without a word (S40)."""


def house_dialer(cloud: EaseeCloud) -> Dialer:
    """Return what lets the chargers of a cloud dial this machine as `HOST`."""
    dialer = Dialer(cloud.local_ocpp)
    dial = cloud.local_ocpp.dial
    assert dial is not None

    def dial_home(charger: Any, details: Any) -> None:
        plant(details.password)
        dial(charger, replace(details, url=details.url.replace(HOST, "127.0.0.1")))

    cloud.local_ocpp.dial = dial_home
    return dialer


class Mover:
    """One charger of the account that is moved, and time that passes meanwhile."""

    def __init__(self, home: EaseeHome, hub: EaseeHub, serial: str = CHARGER) -> None:
        """Begin with the charger where it is."""
        self.home = home
        self.hub = hub
        self.serial = serial

    @property
    def progress(self) -> Progress | None:
        """Return how far it is."""
        return self.hub.local.progress(self.serial).value

    @property
    def stage(self) -> Stage | None:
        """Return the stage that it is at."""
        return None if self.progress is None else self.progress.stage

    @property
    def trouble(self) -> Trouble | None:
        """Return what keeps it there."""
        return None if self.progress is None else self.progress.trouble

    @property
    def status(self) -> LocalStatus:
        """Return how far it is, in the words of users."""
        return status_of(self.progress)

    def is_troubled_by(self, trouble: Trouble) -> bool:
        """Return whether this keeps it there."""
        return self.trouble is trouble

    async def until(
        self, condition: Callable[[], bool], seconds: int = A_HEARTBEAT
    ) -> int:
        """Let time pass until something is so; return how many seconds that took."""
        for passed in range(seconds):
            if condition():
                return passed
            await self.home.passes(1)
        raise AssertionError(self.progress)

    async def reaches(self, status: LocalStatus, seconds: int = A_HEARTBEAT) -> int:
        """Let time pass until the charger is so far."""
        return await self.until(lambda: self.status is status, seconds)
