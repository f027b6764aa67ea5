"""Energy: the register of a charger, from all that tells how much it has delivered.

The charger tells its lifetime energy about once an hour, and exactly at the start and
the end of a session; in between, its session energy tells how far it has got
(easee_cloud.md 2.4, Q10).
"""

from collections.abc import Callable
from datetime import datetime

from ..station.channel import Channel
from ..station.link import LinkKind
from ..station.model import Number, Place
from ..station.shared_register import KEY, possible, reach


class Register:
    """The energy register of a place in whole Wh, which never falls.

    One wrong value would stay for ever in the energy dashboard: what no charger could
    have delivered in the time since is not believed, unless it is told twice. What the
    charger tells us itself as well is shared; `moment` makes times of the cloud ours.
    """

    def __init__(
        self, place: Place, moment: Callable[[datetime], datetime] = lambda at: at
    ) -> None:
        """Go on from what the place has."""
        self._place = place
        self._moment = moment
        self._doubtful: tuple[int, datetime] | None = None

    def lifetime(self, energy: int, at: datetime) -> None:
        """Take the lifetime energy in Wh; 0 is what some chargers say at a start."""
        if energy <= 0:
            return
        if (shared := self._place.register) is not None:
            shared.tell(LinkKind.EASEE, energy, self._moment(at))
            return
        channel = self._channel()
        if _possible(energy, at, channel.value, channel.at) or self._proven(energy, at):
            self._doubtful = None
            reach(self._place, energy, at)
        else:
            self._doubtful = energy, at

    def meter(self, energy: int, at: datetime) -> None:
        """Take what the meter showed in Wh, or must have shown, at some moment."""
        if (shared := self._place.register) is not None:
            shared.reach(LinkKind.EASEE, energy, self._moment(at))
            return
        channel = self._channel()
        if energy > 0 and _possible(energy, at, channel.value, channel.at):
            reach(self._place, energy, at)

    def _channel(self) -> Channel[Number | None]:
        return self._place.measurements.get(KEY) or Channel(None)

    def _proven(self, energy: int, at: datetime) -> bool:
        """Return whether a reading goes on where a doubtful one was."""
        if self._doubtful is None:
            return False
        known, since = self._doubtful
        return at > since and energy >= known and _possible(energy, at, known, since)


def _possible(
    energy: int, at: datetime, known: Number | None, since: datetime | None
) -> bool:
    """Return whether so much can have been delivered since something was known."""
    if known is None or since is None:
        return True
    return possible(energy, at, known, since)
