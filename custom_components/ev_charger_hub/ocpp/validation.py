"""Validation: the official JSON schemas, compiled, applied in one tolerant pass.

Tolerant where real chargers err without harm: unknown fields, over-long strings and odd
enumeration values are kept, unambiguous types are put right, null and empty optional
fields are dropped. Strict where it would corrupt: missing fields and wrong types; but
of a message that must be answered whatever it says, what is wrong is left out.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.resources import files
import logging
import re
from typing import Any, Protocol

import orjson

from .dialect import Dialect
from .errors import ErrorCode, OcppError

_LOGGER = logging.getLogger(__name__)

MAX_ITEMS = 10_000
_INTEGERS = range(-(2**63), 2**63)
_FOLDERS = {Dialect.V16: "v16", Dialect.V201: "v201", Dialect.V21: "v21"}
_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,20})?([eE][+-]?\d{1,2})?", re.ASCII)
_ABSENT = object()
NEVER_REFUSED = frozenset({"NotifyEvent", "TransactionEvent"})
"""A station sends again what it got an error for, and in the end drops it (2.0.1 E13)."""

# What a member of a list that is never refused is no use without, if not all it has.
_NEEDED = {"NotifyEvent.eventData[]": ("component", "variable")}


class Violation(OcppError):
    """A payload breaks its schema; `where` is a path of schema names and indexes."""

    def __init__(self, code: ErrorCode, where: str = "") -> None:
        """Start at the innermost field; the fields around it add themselves."""
        super().__init__(code)
        self.code = code
        self.where = where

    def within(self, place: str | int) -> None:
        """Prefix the path with the name or index of what holds it."""
        separator = "." if self.where and not self.where.startswith("[") else ""
        prefix = place if isinstance(place, str) else f"[{place}]"
        self.where = f"{prefix}{separator}{self.where}"


class Node(Protocol):
    """One compiled schema."""

    def check(self, value: Any) -> Any:
        """Return the value, put right where that is unambiguous; raise Violation."""

    def ordered(self, value: Any) -> Any:
        """Return the value with its fields in the order of the schema."""


class Schemas:
    """The compiled schemas of one version."""

    def __init__(self, requests: dict[str, Node], responses: dict[str, Node]) -> None:
        """Hold the compiled requests and responses by action."""
        self._requests = requests
        self._responses = responses
        self.actions = frozenset(requests)

    @classmethod
    def load(cls, dialect: Dialect) -> Schemas:
        """Return the schemas of a version, read and compiled once (blocking)."""
        return _load(dialect)

    def request(self, action: str, payload: Any) -> dict[str, Any]:
        """Return the cleaned payload of a CALL; raise Violation."""
        if (node := self._requests.get(action)) is None:
            raise Violation(ErrorCode.NOT_IMPLEMENTED)
        if action in NEVER_REFUSED and type(payload) is not dict:
            payload = {}
        return _checked(node, payload)

    def response(self, action: str, payload: Any) -> dict[str, Any]:
        """Return the cleaned payload of a CALLRESULT; raise Violation."""
        return _checked(self._responses.get(action, _ANY_OBJECT), payload)

    def ordered(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Return a request in the order of its schema, without empty (None) options.

        Some firmware reads fields by position; unknown fields come last.
        """
        ordered: dict[str, Any] = self._requests.get(action, _ANY_OBJECT).ordered(
            payload
        )
        return ordered


class _Scalar:
    """A string, number or truth value; `fix` gets what has another type."""

    __slots__ = ("_fix", "_type")

    def __init__(self, kind: type, fix: Callable[[Any], Any]) -> None:
        self._type = kind
        self._fix = fix

    def check(self, value: Any) -> Any:
        return value if type(value) is self._type else self._fix(value)

    def ordered(self, value: Any) -> Any:
        return value


class _Anything(_Scalar):
    """A value of which the schema says nothing."""

    def __init__(self) -> None:
        super().__init__(object, lambda value: value)


class _Array:
    """A list; an empty one is fine whatever the schema says, for it tells nothing."""

    __slots__ = ("_check", "_item", "_lenient")

    def __init__(self, item: Node, *, lenient: bool = False) -> None:
        self._item = item
        self._check = item.check
        self._lenient = lenient

    def check(self, value: Any) -> Any:
        if type(value) is not list:
            raise Violation(ErrorCode.TYPE)
        if len(value) > MAX_ITEMS:
            raise Violation(ErrorCode.OCCURRENCE)
        if self._lenient:
            return self._usable(value)
        check = self._check
        cleaned = value
        index = 0
        try:
            for index, item in enumerate(value):
                if (fixed := check(item)) is not item:
                    cleaned = list(value) if cleaned is value else cleaned
                    cleaned[index] = fixed
        except Violation as violation:
            violation.within(index)
            raise
        return cleaned

    def _usable(self, value: list[Any]) -> list[Any]:
        usable = []
        for item in value:
            with suppress(Violation):
                usable.append(self._check(item))
        return usable

    def ordered(self, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return value
        return [self._item.ordered(item) for item in value]


class _Object:
    """An object. Text where text is wanted, the most frequent field, costs no call."""

    __slots__ = (
        "_blanks",
        "_checks",
        "_empties",
        "_lenient",
        "_nodes",
        "_path",
        "_required",
        "_texts",
    )

    def __init__(
        self,
        path: str,
        schema: dict[str, Any],
        nodes: dict[str, Node],
        kinds: dict[str, str],
        *,
        lenient: bool = False,
    ) -> None:
        self._path = path
        self._nodes = nodes
        self._lenient = lenient
        # Of a list, what is not complete is no use: it is left out.
        complete = not lenient or path.endswith("[]")
        self._required: tuple[str, ...] = (
            _NEEDED.get(path, tuple(schema.get("required", ()))) if complete else ()
        )
        self._checks = {name: node.check for name, node in nodes.items()}
        optional = nodes.keys() - set(self._required)
        self._texts = frozenset(n for n in nodes if kinds[n] in {"string", "word"})
        self._blanks = frozenset(n for n in optional if kinds[n] == "word")
        self._empties = frozenset(
            n for n in optional if kinds[n] in {"array", "object"}
        )

    def check(self, value: Any) -> Any:
        if type(value) is not dict:
            raise Violation(ErrorCode.TYPE)
        texts = self._texts
        cleaned = value
        for key, item in value.items():
            if type(item) is str and item and key in texts:
                continue
            if (fixed := self._fixed(key, item)) is not item:
                cleaned = dict(value) if cleaned is value else cleaned
                if fixed is _ABSENT:
                    del cleaned[key]
                else:
                    cleaned[key] = fixed
        for key in self._required:
            if key not in cleaned:
                raise Violation(ErrorCode.OCCURRENCE, key)
        return cleaned

    def ordered(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        known = {
            key: node.ordered(value[key])
            for key, node in self._nodes.items()
            if key in value and (value[key] is not None or key in self._required)
        }
        return known | {
            key: item for key, item in value.items() if key not in self._nodes
        }

    def _fixed(self, key: str, item: Any) -> Any:
        if (check := self._checks.get(key)) is None:
            _note(self._path, "has unknown fields")
            return item
        if item is None:
            return _ABSENT
        if not item and (
            (item == "" and key in self._blanks)
            or (isinstance(item, dict | list) and key in self._empties)
        ):
            return _ABSENT
        try:
            fixed = check(item)
        except Violation as violation:
            if self._lenient:
                _note(f"{self._path}.{key}", "is left out")
                return _ABSENT
            violation.within(key)
            raise
        if fixed is not item and not isinstance(item, dict | list):
            _note(f"{self._path}.{key}", f"comes as {type(item).__name__}")
        return fixed


def _checked(node: Node, payload: Any) -> dict[str, Any]:
    if type(payload) is not dict:
        # 1.6J 4.2.1 admits null for "no fields"; some languages write {} as [].
        if payload is not None and payload != []:
            raise Violation(ErrorCode.FORMAT_VIOLATION)
        payload = {}
    checked: dict[str, Any] = node.check(payload)
    return checked


@cache
def _note(path: str, oddity: str) -> None:
    """Log an oddity once; paths come from the schemas, so their number is bounded."""
    _LOGGER.debug("Tolerated: %s %s", path, oddity)


def _string(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise Violation(ErrorCode.TYPE)


def _integer(value: Any) -> int:
    number = _number(value) if type(value) is not int else value
    if number != (whole := int(number)):
        raise Violation(ErrorCode.TYPE)
    if whole not in _INTEGERS:
        raise Violation(ErrorCode.PROPERTY)
    return whole


def _number(value: Any) -> int | float:
    if type(value) is int or type(value) is float:
        return value
    if type(value) is str and _NUMBER.fullmatch(text := value.strip()):
        return float(text) if set(text) & set(".eE") else int(text)
    raise Violation(ErrorCode.TYPE)


def _boolean(value: Any) -> bool:
    word = value.strip().lower() if type(value) is str else ""
    if word not in {"true", "false"}:
        raise Violation(ErrorCode.TYPE)
    return word == "true"


_ANYTHING = _Anything()
_ANY_OBJECT = _Object("payload", {}, {}, {})
_SCALARS: dict[str, Node] = {
    "string": _Scalar(str, _string),
    # bool is no int here, and a huge int must be refused: both go through `fix`.
    "integer": _Scalar(object, _integer),
    "number": _Scalar(float, _number),
    "boolean": _Scalar(bool, _boolean),
}


class _Compiler:
    """Turns one schema document into nodes."""

    def __init__(self, document: dict[str, Any], *, lenient: bool = False) -> None:
        self._definitions: dict[str, Any] = document.get("definitions", {})
        self._lenient = lenient

    def node(self, schema: dict[str, Any], path: str) -> Node:
        schema = self._resolved(schema)
        match schema.get("type"):
            case "object":
                return self._object(schema, path)
            case "array":
                item = self.node(schema["items"], f"{path}[]")
                return _Array(item, lenient=self._lenient)
            case None:
                return _ANYTHING
            case kind:
                return _SCALARS[kind]

    def _object(self, schema: dict[str, Any], path: str) -> _Object:
        properties: dict[str, Any] = schema.get("properties", {})
        nodes = {
            name: self.node(one, f"{path}.{name}") for name, one in properties.items()
        }
        kinds = {name: self._kind(one) for name, one in properties.items()}
        return _Object(path, schema, nodes, kinds, lenient=self._lenient)

    def _kind(self, schema: dict[str, Any]) -> str:
        schema = self._resolved(schema)
        kind: str = schema.get("type", "")
        # An empty word or moment is none; an empty free text may be meant.
        return (
            "word" if kind == "string" and {"enum", "format"} & schema.keys() else kind
        )

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        if (reference := schema.get("$ref")) is None:
            return schema
        resolved: dict[str, Any] = self._definitions[reference.rpartition("/")[2]]
        return resolved


@cache
def _load(dialect: Dialect) -> Schemas:
    requests: dict[str, Node] = {}
    responses: dict[str, Node] = {}
    for file in (files("ocpp") / _FOLDERS[dialect] / "schemas").iterdir():
        name = file.name.removesuffix(".json")
        document = orjson.loads(file.read_text("utf-8-sig"))
        side = responses if name.endswith("Response") else requests
        action = name.removesuffix("Response").removesuffix("Request")
        lenient = side is requests and action in NEVER_REFUSED
        side[action] = _Compiler(document, lenient=lenient).node(document, action)
    return Schemas(requests, responses)
