"""The floors of the house: imports run downward only, read from the code itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "custom_components.ev_charger_hub"
BELOW = {"station": (), "ocpp": ("station",), "easee": ("station",)}
"""The lower floors, and the floors that each may use."""

TOP_FLOOR_ONLY = ("homeassistant", "probatio", "voluptuous")


def modules(folder: str) -> list[str]:
    """Return the names of all modules below a folder."""
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]


def source(module: str) -> ast.Module:
    """Return the syntax tree of a module."""
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(module: str) -> Iterator[str]:
    """Yield the full name of everything that a module imports, wherever it does."""
    package = module.split(".")
    if not ROOT.joinpath(*package).is_dir():
        package.pop()
    for node in ast.walk(source(module)):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom():
                above = package[: len(package) + 1 - node.level] if node.level else []
                start = ".".join([*above, *([node.module] if node.module else [])])
                yield from (f"{start}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    """Return whether a name is a package or something in it."""
    return name == package or name.startswith(f"{package}.")


LOWER = [
    (floor, module)
    for floor in BELOW
    for module in modules(f"custom_components/ev_charger_hub/{floor}")
]


@pytest.mark.parametrize(("floor", "module"), LOWER)
def test_a_lower_floor_knows_nothing_of_home_assistant(floor: str, module: str) -> None:
    """What is below the top floor runs without Home Assistant."""
    assert not [
        name
        for name in imports(module)
        if any(within(name, package) for package in TOP_FLOOR_ONLY)
    ]


@pytest.mark.parametrize(("floor", "module"), LOWER)
def test_a_lower_floor_looks_down_only(floor: str, module: str) -> None:
    """A floor uses itself and those beneath it."""
    allowed = [f"{PACKAGE}.{one}" for one in (floor, *BELOW[floor])]
    assert not [
        name
        for name in imports(module)
        if within(name, "custom_components")
        and not any(within(name, package) for package in allowed)
    ]


@pytest.mark.parametrize("module", modules("simulators"))
def test_simulators_are_a_second_opinion(module: str) -> None:
    """A simulator shares no code with what it tests."""
    forbidden = ("custom_components", "homeassistant", "tests")
    assert not [
        name
        for name in imports(module)
        if any(within(name, package) for package in forbidden)
    ]


@pytest.mark.parametrize("module", modules("custom_components"))
def test_the_integration_needs_nothing_but_itself(module: str) -> None:
    """A release holds the integration's folder only."""
    forbidden = ("benchmarks", "scripts", "simulators", "tests")
    assert not [
        name
        for name in imports(module)
        if any(within(name, package) for package in forbidden)
    ]


def test_there_are_floors_to_check() -> None:
    """The tests above look at something."""
    assert {floor for floor, _ in LOWER} >= {"station", "ocpp"}
    assert modules("simulators")
