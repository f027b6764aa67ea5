"""Networks: the calls about the ways by which a station dials us (2.x B09, B10, A05)."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, override

from ...station.channel import Channel
from ...station.networks import Interface, NetworkLink, NetworkProfile, NetworkSlots
from ...station.outcome import Outcome, OutcomeStatus
from .names import VariableName
from .variables import VariableCommands

PRIORITY: Final = "OCPPCommCtrlr.NetworkConfigurationPriority"
ACTIVE: Final = "OCPPCommCtrlr.ActiveNetworkProfile"

_PRIORITY = VariableName(
    component="OCPPCommCtrlr", variable="NetworkConfigurationPriority"
)
_V21: Final = "2.1"
_MAX_SLOTS: Final = 20
_OPTIONAL: Final = frozenset({"ApnEnabled", "OcppTransport", "VpnEnabled"})
"""What a station may do without that dials by JSON and nothing else."""


class NetworkCommands(NetworkLink):
    """Carry what OCPP 2.x can be told of networks."""

    def __init__(
        self, commands: VariableCommands, version: Channel[str | None]
    ) -> None:
        """Send by the `commands` of a link that speaks `version`."""
        self._commands = commands
        self._spoken = version

    @property
    def _version(self) -> str | None:
        return self._spoken.value

    @override
    async def slots(self) -> tuple[Outcome, NetworkSlots]:
        """Send GetVariables for the order and for what is in use."""
        outcome, keys, _ = await self._commands.get_configuration([PRIORITY, ACTIVE])
        told = {key.key: key.value or "" for key in keys}
        known = self._commands.device_model
        if outcome.ok and not known.options(PRIORITY):
            # Only a report says which slots there are, and there was none yet.
            await self._commands.report([], [_PRIORITY.payload])
        return outcome, NetworkSlots(
            priority=_numbers(told.get(PRIORITY, "").split(",")),
            active=next(iter(_numbers([told.get(ACTIVE, "")])), None),
            allowed=_numbers(known.options(PRIORITY)),
        )

    @override
    async def set_network(self, slot: int, profile: NetworkProfile) -> Outcome:
        """Send SetNetworkProfile, or where 2.1 has variables for it, those (B09)."""
        interface = profile.interface or self._interface
        if interface is Interface.ANY and self._version != _V21:
            detail = f"OCPP {self._version} knows no interface Any; nothing was sent"
            return Outcome(status=OutcomeStatus.NOT_SUPPORTED, detail=detail)
        data: dict[str, Any] = {
            "messageTimeout": profile.timeout,
            "ocppCsmsUrl": profile.url,
            "ocppInterface": interface,
            "ocppTransport": "JSON",
            "securityProfile": profile.security_profile,
        }
        if self._version != _V21:
            data["ocppVersion"] = "OCPP20"
        payload = {"configurationSlot": slot, "connectionData": data}
        outcome = await self._commands.send("SetNetworkProfile", payload)
        unknown = outcome.status is OutcomeStatus.NOT_SUPPORTED
        if unknown and self._version == _V21:
            return await self._set_variables(slot, data)
        return outcome

    async def _set_variables(self, slot: int, data: dict[str, Any]) -> Outcome:
        """Send SetVariables of NetworkConfiguration, and return the worst outcome."""
        values = {name[0].upper() + name[1:]: str(one) for name, one in data.items()}
        values |= {"ApnEnabled": "false", "VpnEnabled": "false"}
        named = {
            VariableName(
                component="NetworkConfiguration",
                component_instance=str(slot),
                variable=variable,
            ): value
            for variable, value in values.items()
        }
        outcomes = await self._commands.set_variables(named)
        judged = [
            outcome
            for name, outcome in outcomes.items()
            if outcome.status is not OutcomeStatus.NOT_SUPPORTED
            or name.variable not in _OPTIONAL
        ]
        return next((one for one in judged if not one.ok), judged[0])

    @override
    async def set_priority(self, slots: Sequence[int]) -> Outcome:
        """Send SetVariables of NetworkConfigurationPriority (B10)."""
        value = ",".join(map(str, slots))
        return (await self._commands.set_variables({_PRIORITY: value}))[_PRIORITY]

    @property
    def _interface(self) -> Interface:
        """Return what the station dials over now, or what stations have at least."""
        known = self._commands.device_model
        used = known.text(f"NetworkConfiguration[{known.text(ACTIVE)}].OcppInterface")
        if used in set(Interface):
            return Interface(used)
        return Interface.ANY if self._version == _V21 else Interface.WIRED_0


def _numbers(words: Iterable[str]) -> tuple[int, ...]:
    plain = [one.strip() for one in words][:_MAX_SLOTS]
    return tuple(int(one) for one in plain if one.isdecimal())
