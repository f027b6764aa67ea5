"""What a 2.x station gets wrong: the misbehaviours of OCPP 1.6 that exist there, too."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from datetime import timedelta
import json
from typing import TYPE_CHECKING
from uuid import uuid4

from ..misbehaviour import Misbehaviour
from ..profiles import REFUSED
from .profiles import TX, Stored
from .uplink import CallError
from .values import Json

if TYPE_CHECKING:
    from .queue import Message
    from .station import ChargingStation

SLOW = timedelta(seconds=90)
"""How long after it was set a profile counts at a slow station."""

ACCEPTED: Json = {"status": "Accepted"}
REJECTED: Json = {"status": "Rejected"}
GARBAGE = ("", "{}", "[2]", "[9,'x']", '[2,"x",7,{}]', '[3,"nobody asked",{}]')
EVERY = 5
"""One of so many samples is 0, and one of so many updates is lost."""

ANSWERS: dict[Misbehaviour, tuple[str, Json]] = {
    Misbehaviour.LIST_FAILS: ("SendLocalList", {"status": "Failed"}),
    Misbehaviour.NEVER_REBOOT: ("Reset", ACCEPTED),
    Misbehaviour.REJECT_CERTIFICATE: ("CertificateSigned", REJECTED),
    Misbehaviour.REJECT_LOG: ("GetLog", REJECTED),
    Misbehaviour.REJECT_RESERVATION: ("ReserveNow", REJECTED),
    Misbehaviour.REJECT_ROOT: ("InstallCertificate", REJECTED),
}
"""What is answered without anything being done."""

MISSING = {Misbehaviour.NO_COMPOSITE: "GetCompositeSchedule"}
"""What is not supported."""

SUPPORTED = frozenset(
    {
        *ANSWERS,
        *MISSING,
        *REFUSED,
        Misbehaviour.DROP_ON_RESET,
        Misbehaviour.DROP_TX_PROFILE,
        Misbehaviour.DUPLICATE_MESSAGES,
        Misbehaviour.FORGET_LIST_ON_REBOOT,
        Misbehaviour.FORGET_PROFILES_ON_REBOOT,
        Misbehaviour.FORGET_RESERVATIONS_ON_REBOOT,
        Misbehaviour.GARBAGE_FRAMES,
        Misbehaviour.IGNORE_LIMIT,
        Misbehaviour.IGNORE_TX_PROFILE,
        Misbehaviour.LIST_VERSION_MISMATCH,
        Misbehaviour.LOSE_EVENTS,
        Misbehaviour.LOSE_STOP,
        Misbehaviour.MUTE_CONFIGURATION,
        Misbehaviour.NEVER_SIGN,
        Misbehaviour.NULL_PAYLOAD,
        Misbehaviour.RETRY_WITH_NEW_ID,
        Misbehaviour.SLOW_LIMIT,
        Misbehaviour.STRING_NUMBERS,
        Misbehaviour.TX_DEFAULT_CAPS,
        Misbehaviour.ZERO_ENDS_TRANSACTION,
        Misbehaviour.ZERO_REGISTER,
    }
)
"""The misbehaviours that a 2.x station knows."""


class Mute(Exception):
    """A request is never answered."""


class Moods:
    """The misbehaviours of one station, and what comes of them."""

    def __init__(
        self, station: ChargingStation, misbehaviours: Iterable[Misbehaviour]
    ) -> None:
        """Be in these moods; raises ValueError for those that only 1.6 knows."""
        self._station = station
        self.on: set[Misbehaviour] = set()
        self._samples = self._updates = 0
        for one in misbehaviours:
            self.switch(one, on=True)

    def __contains__(self, one: Misbehaviour) -> bool:
        """Return whether the station is in a mood."""
        return one in self.on

    def switch(self, one: Misbehaviour, *, on: bool) -> None:
        """Switch a misbehaviour on or off."""
        if one not in SUPPORTED:
            raise ValueError(f"{one} is for OCPP 1.6")
        if on:
            self.on.add(one)
        else:
            self.on.discard(one)

    # Requests of the central system

    def answer(self, action: str, payload: Json) -> Json | None:
        """Return an answer that was not thought about; raises CallError or Mute."""
        for mood, (named, answer) in ANSWERS.items():
            if mood in self.on and named == action:
                return dict(answer)
        for mood, named in MISSING.items():
            if mood in self.on and named == action:
                raise CallError("NotSupported")
        match action:
            case "GetVariables" | "GetBaseReport" | "GetReport" if (
                Misbehaviour.MUTE_CONFIGURATION in self.on
            ):
                raise Mute
            case "Reset" if Misbehaviour.DROP_ON_RESET in self.on:
                self._station.later(self._station.reboot("RemoteReset"))
                raise Mute
            case "SendLocalList" if payload["updateType"] == "Differential":
                if Misbehaviour.LIST_VERSION_MISMATCH in self.on:
                    return {"status": "VersionMismatch"}
            case "SetChargingProfile":
                return self._profile(payload)
            case "TriggerMessage" if Misbehaviour.NEVER_SIGN in self.on:
                if payload["requestedMessage"].startswith("Sign"):
                    return dict(ACCEPTED)
        return None

    def _profile(self, payload: Json) -> Json | None:
        """Return what is said to a profile that nobody looked at."""
        profile = payload["chargingProfile"]
        told = Stored(
            evse_id=payload["evseId"], profile=profile, set_at=self._station.clock()
        )
        as_16 = told.installed().profile
        if any(mood in self.on and refuses(as_16) for mood, refuses in REFUSED.items()):
            info = {"reasonCode": "InvalidProfile"}
            return {**REJECTED, "statusInfo": info}
        if told.purpose == TX and Misbehaviour.DROP_TX_PROFILE in self.on:
            return dict(ACCEPTED)
        return None

    def counts(self, one: Stored, *, really: bool) -> bool:
        """Return whether a profile counts; `really` is for the vehicle, not for show."""
        if Misbehaviour.SLOW_LIMIT in self.on:
            if self._station.clock() < one.set_at + SLOW:
                return False
        if not really:
            return True
        ignores = Misbehaviour.IGNORE_TX_PROFILE in self.on and one.purpose == TX
        return not ignores and Misbehaviour.IGNORE_LIMIT not in self.on

    # Messages of the station

    def loses(self, payload: Json) -> bool:
        """Return whether a transaction event is made and never sent."""
        if payload["eventType"] == "Ended":
            return Misbehaviour.LOSE_STOP in self.on
        if payload["eventType"] == "Updated" and Misbehaviour.LOSE_EVENTS in self.on:
            self._updates += 1
            return self._updates % EVERY == 0
        return False

    def frames(self, unique: str, message: Message) -> list[str]:
        """Return what goes over the wire instead of one frame."""
        payload = self._spoilt(message)
        frame = json.dumps([2, unique, message.action, payload], separators=(",", ":"))
        frames = [frame]
        if message.action == "TransactionEvent":
            if Misbehaviour.DUPLICATE_MESSAGES in self.on:
                frames.append(frame)
            if Misbehaviour.RETRY_WITH_NEW_ID in self.on:
                frames.append(frame.replace(unique, str(uuid4()), 1))
        if message.action == "Heartbeat" and Misbehaviour.GARBAGE_FRAMES in self.on:
            return [*GARBAGE, *frames]
        return frames

    def _spoilt(self, message: Message) -> Json | None:
        payload = message.payload
        if message.action == "Heartbeat" and Misbehaviour.NULL_PAYLOAD in self.on:
            return None
        if Misbehaviour.STRING_NUMBERS in self.on and "connectorId" in payload:
            return payload | {"connectorId": str(payload["connectorId"])}
        values = payload.get("meterValue")
        if values and Misbehaviour.ZERO_REGISTER in self.on:
            self._samples += 1
            if self._samples % EVERY == 0:
                return payload | {"meterValue": _without_energy(values)}
        return payload

    # Power

    def forget(self) -> None:
        """Forget what does not survive a reboot of such a station."""
        station = self._station
        forgetting: dict[Misbehaviour, Callable[[], object]] = {
            Misbehaviour.FORGET_LIST_ON_REBOOT: station.authorization.forget_list,
            Misbehaviour.FORGET_PROFILES_ON_REBOOT: station.charging.profiles.clear,
            Misbehaviour.FORGET_RESERVATIONS_ON_REBOOT: (
                station.reservations.reservations.clear
            ),
        }
        for mood, act in forgetting.items():
            if mood in self.on:
                act()


def _without_energy(values: list[Json]) -> list[Json]:
    """Return meter values whose registers of energy say 0."""
    zero = deepcopy(values)
    for value in zero:
        for sample in value["sampledValue"]:
            if "Register" in sample.get("measurand", ""):
                sample["value"] = 0.0
    return zero
