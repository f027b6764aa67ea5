"""Variables: reading and writing the device model as configuration (2.0.1 B05 to B08)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
import json
from typing import Any

from ...station.link import ConfigurationKey
from ...station.outcome import Outcome, OutcomeStatus
from ..errors import ErrorCode, parse
from ..sender import TIMEOUT, judged
from .device_model import Key, Variable
from .kept_model import keep_written
from .names import VariableName, parse_name, read_name
from .sender import Sender, reason

MOST_ITEMS = 4
"""So many variables go into a message until the station says how many it takes."""

INVENTORIES = ("FullInventory", "ConfigurationInventory", "SummaryInventory")
"""What a station is asked for one after the other, until it has one of them."""

EMPTY = "emptyresultset"
"""A report that has nothing to tell is none (B08.FR.15)."""

NOT_ALL = "not all reports came"

NAMELESS = Outcome(
    status=OutcomeStatus.NOT_SUPPORTED,
    detail="a variable is named Component.Variable; nothing was sent",
)

_OVERHEAD = 100
_TOO_LONG = frozenset(
    {
        ErrorCode.FORMAT_VIOLATION,
        ErrorCode.OCCURRENCE,
        ErrorCode.PROPERTY,
        ErrorCode.TYPE,
    }
)
_UNKNOWN = frozenset(
    {"unknowncomponent", "unknownvariable", "notsupportedattributetype"}
)
_HAS_NONE = frozenset({"notsupported", "emptyresultset", "rejected"})


@dataclass(kw_only=True, slots=True, frozen=True)
class _Exchange:
    """The fields of GetVariables, SetVariables or GetReport."""

    action: str
    request: str
    result: str
    items: Key
    size: Key


_GET = _Exchange(
    action="GetVariables",
    request="getVariableData",
    result="getVariableResult",
    items=Key.GET_ITEMS,
    size=Key.GET_BYTES,
)
_SET = _Exchange(
    action="SetVariables",
    request="setVariableData",
    result="setVariableResult",
    items=Key.SET_ITEMS,
    size=Key.SET_BYTES,
)
_REPORT = _Exchange(
    action="GetReport",
    request="componentVariable",
    result="",
    items=Key.REPORT_ITEMS,
    size=Key.REPORT_BYTES,
)


class VariableCommands(Sender):
    """The part of a link that reads and writes variables."""

    async def get_configuration(
        self, keys: list[str], timeout: float = TIMEOUT
    ) -> tuple[Outcome, list[ConfigurationKey], list[str]]:
        """Send GetVariables for named variables (B06), or ask for all of them (B07)."""
        if not keys:
            outcome, variables = await self.inventory(timeout)
            return outcome, [key for one in variables for key in one.configuration], []
        asked = {key: name for key in keys if (name := self.named(key)) is not None}
        outcome, results = await self._exchange(
            _GET, [_request(name) for name in dict.fromkeys(asked.values())], timeout
        )
        found = [
            ConfigurationKey(
                key=key,
                value=_value(result),
                readonly=self.device_model.readonly(str(name)),
            )
            for key, name in asked.items()
            if (result := results.get(_key(name))) is not None
            and str(result.get("attributeStatus")).lower() not in _UNKNOWN
        ]
        for key in found:
            if (name := asked[key.key]) and key.value is not None:
                self.device_model.told(name, key.value)
        self._show_configuration()
        there = {key.key for key in found}
        unknown = [key for key in dict.fromkeys(keys) if key not in there]
        return outcome, found, unknown if outcome.ok else []

    async def set_configuration(
        self, key: str, value: str, timeout: float = TIMEOUT
    ) -> Outcome:
        """Send SetVariables for one variable (B05)."""
        if (name := self.named(key)) is None:
            return NAMELESS
        return (await self.set_variables({name: value}, timeout))[name]

    async def set_variables(
        self, values: dict[VariableName, str], timeout: float = TIMEOUT
    ) -> dict[VariableName, Outcome]:
        """Send SetVariables (B05), in as many messages as it takes, and each outcome."""
        requests = [
            {**_request(name), "attributeValue": value}
            for name, value in values.items()
        ]
        outcome, results = await self._exchange(_SET, requests, timeout)
        outcomes = {}
        for name, value in values.items():
            one = _outcome(results.get(_key(name)), outcome)
            if one.ok:
                self.device_model.told(name, value)
            await self._note_restart(one, str(name))
            outcomes[name] = one
        self._show_configuration()
        await keep_written(
            self._context,
            [
                variable
                for name, done in outcomes.items()
                if done.ok and (variable := self.device_model.get(str(name)))
            ],
        )
        return outcomes

    async def inventory(
        self, timeout: float = TIMEOUT
    ) -> tuple[Outcome, list[Variable]]:
        """Send GetBaseReport (B07) and return what the reports bring.

        If not all parts come, what did come counts, and the outcome says so.
        """
        outcome = Outcome(status=OutcomeStatus.NOT_SUPPORTED)
        for base in INVENTORIES:
            outcome, variables = await self.base_report(base, timeout)
            if outcome.ok or outcome.status is OutcomeStatus.TIMED_OUT:
                return outcome, variables
            if outcome.answer.lower() not in _HAS_NONE:
                break
        return outcome, []

    async def base_report(
        self, base: str, timeout: float = TIMEOUT
    ) -> tuple[Outcome, list[Variable]]:
        """Send GetBaseReport (B07) for one kind of report."""
        return await self._reported("GetBaseReport", {"reportBase": base}, timeout)

    async def report(
        self, criteria: Sequence[str], wanted: Sequence[dict[str, Any]]
    ) -> tuple[Outcome, list[Variable]]:
        """Send GetReport (B08) for criteria, and parts of names, of components.

        What has no room in one message is asked for in several.
        """
        asked: dict[str, Any] = {"componentCriteria": [*criteria]} if criteria else {}
        found: dict[str, Variable] = {}
        outcome, details = Outcome(status=OutcomeStatus.ACCEPTED), set()
        for chunk in self._chunks(_REPORT, wanted) if wanted else ([],):
            payload = asked | ({_REPORT.request: chunk} if chunk else {})
            outcome, variables = await self._reported("GetReport", payload, TIMEOUT)
            if not outcome.ok and outcome.answer.lower() != EMPTY:
                return outcome, list(found.values())
            details.add(outcome.detail)
            found |= {one.name.key: one for one in variables}
        if not found:
            return outcome, []
        detail = "; ".join(sorted(details - {""}))
        return replace(outcome, status=OutcomeStatus.ACCEPTED, detail=detail), list(
            found.values()
        )

    async def _reported(
        self, action: str, payload: dict[str, Any], timeout: float
    ) -> tuple[Outcome, list[Variable]]:
        """Ask for a report and return what its parts bring."""
        request_id = await self._reports.next_id()
        with self._reports.inventory(request_id) as parts:
            payload = {"requestId": request_id, **payload}
            outcome = await self.send(action, payload, timeout)
            if not outcome.ok:
                return outcome, []
            complete = await parts.complete()
        self._show_configuration()
        return _judged(outcome, parts.items, complete), parts.items

    async def _note_restart(self, outcome: Outcome, name: str) -> None:
        """Take note that a value holds only after a restart."""
        waiting = self._context.station.pending_restart
        if outcome.status is OutcomeStatus.REBOOT_REQUIRED and waiting is not None:
            await waiting.add(name)

    def named(self, text: str) -> VariableName | None:
        """Return the variable that is meant, as the station spells it."""
        if (spelled := self.device_model.spelled(text)) is not None:
            return spelled.name
        if (name := parse_name(text)) is None:
            return None
        if (known := self.device_model.get(text)) is None:
            return name
        return replace(known.name, attribute=name.attribute)

    async def _exchange(
        self, exchange: _Exchange, requests: list[dict[str, Any]], timeout: float
    ) -> tuple[Outcome, dict[str, dict[str, Any]]]:
        """Send what is asked in messages as long as the station takes them.

        The results come back by the variable: stations sort them as they like.
        """
        results: dict[str, dict[str, Any]] = {}
        raw: list[dict[str, Any]] = []
        waiting = list(self._chunks(exchange, requests))
        while waiting:
            chunk = waiting.pop(0)
            payload = {exchange.request: chunk}
            outcome = await self.send(exchange.action, payload, timeout)
            told = _results(outcome.response.get(exchange.result))
            if not outcome.ok and not told:
                if len(chunk) > 1 and parse(outcome.answer) in _TOO_LONG:
                    middle = len(chunk) // 2
                    waiting[:0] = [chunk[:middle], chunk[middle:]]
                    continue
                return outcome, results
            raw += told
            results |= _matched(chunk, told)
        return Outcome(
            status=OutcomeStatus.ACCEPTED, response={exchange.result: raw}
        ), results

    def _chunks(
        self, exchange: _Exchange, requests: Sequence[dict[str, Any]]
    ) -> Iterator[list[dict[str, Any]]]:
        most = self.device_model.number(exchange.items) or MOST_ITEMS
        room = self.device_model.number(exchange.size)
        chunk: list[dict[str, Any]] = []
        used = _OVERHEAD
        for request in requests:
            size = len(json.dumps(request)) + 1
            if chunk and (len(chunk) >= most or (room and used + size > room)):
                yield chunk
                chunk, used = [], _OVERHEAD
            chunk.append(request)
            used += size
        if chunk:
            yield chunk

    def _show_configuration(self) -> None:
        """Bring what the model has of the configuration up to date."""
        known = self.device_model.text(Key.SIGN_READINGS)
        signs = None if known is None else self.device_model.flag(Key.SIGN_READINGS)
        self._context.station.signs_readings.set(signs)


def _request(name: VariableName) -> dict[str, Any]:
    # The actual value is what is meant if nothing is said, which all stations read.
    told = {} if name.attribute == "Actual" else {"attributeType": name.attribute}
    return {**name.payload, **told}


def _key(name: VariableName) -> str:
    return str(name).lower()


def _value(result: dict[str, Any]) -> str | None:
    value = result.get("attributeValue")
    return value if isinstance(value, str) else None


def _results(told: object) -> list[dict[str, Any]]:
    return (
        [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    )


def _matched(
    chunk: list[dict[str, Any]], told: list[dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return results by variable; a single one belongs to a single request."""
    asked = [name for one in chunk if (name := read_name(one)) is not None]
    if len(asked) == len(told) == 1:
        return {_key(asked[0]): told[0]}
    return {_key(name): one for one in told if (name := read_name(one)) is not None}


def _outcome(result: dict[str, Any] | None, message: Outcome) -> Outcome:
    """Return what became of one variable of a message."""
    if result is None:
        if not message.ok:
            return message
        return Outcome(
            status=OutcomeStatus.REJECTED,
            detail="invalid answer: nothing is said of the variable",
            response=message.response,
        )
    word = result.get("attributeStatus")
    outcome = judged({"status": word})
    if isinstance(word, str) and word.lower() in _UNKNOWN:
        outcome = replace(outcome, status=OutcomeStatus.NOT_SUPPORTED)
    detail = reason(result.get("attributeStatusInfo"))
    return replace(outcome, detail=detail, response=message.response)


def _judged(outcome: Outcome, items: list[Variable], complete: bool) -> Outcome:
    if complete:
        return outcome
    if not items:
        detail = "the reports that it announced never came"
        return replace(outcome, status=OutcomeStatus.TIMED_OUT, detail=detail)
    return replace(outcome, detail=NOT_ALL)
