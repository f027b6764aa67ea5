"""What hassfest would check, through Home Assistant's own schemas, and our texts."""

import ast
from collections.abc import Iterable, Iterator
from importlib import import_module
import json
from pathlib import Path
import re
import tomllib
from typing import Any

import pytest

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import REQUIRED_PYTHON_VER
from homeassistant.core import HomeAssistant
from homeassistant.helpers import service
from homeassistant.helpers.entity import EntityDescription
from homeassistant.loader import async_get_integration
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml_dict

from custom_components.ev_charger_hub.button import plug_buttons
from custom_components.ev_charger_hub.const import DOMAIN, PLATFORMS
from custom_components.ev_charger_hub.sensor_place import plug_sensors
from custom_components.ev_charger_hub.station.enums import Measurand
from custom_components.ev_charger_hub.switch import plug_switches

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "custom_components" / DOMAIN
SLUG = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


MANIFEST = read_json(FOLDER / "manifest.json")
TEXTS = read_json(FOLDER / "translations" / "en.json")
ICONS = read_json(FOLDER / "icons.json")
SERVICES = load_yaml_dict(str(FOLDER / "services.yaml"))


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield path and text of every text of a translation file."""
    if isinstance(node, str):
        yield path, node
        return
    for key, below in node.items():
        yield from leaves(below, f"{path}.{key}" if path else key)


def placeholders(text: str) -> set[str]:
    """Return the names in braces."""
    return set(re.findall(r"\{(\w+)\}", text))


def constants() -> set[str]:
    """Return every string constant in the code."""
    return {
        node.value
        for path in FOLDER.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def selectors() -> set[str]:
    """Return the translation key of every selector of an action."""
    text = (FOLDER / "services.yaml").read_text(encoding="utf-8")
    return set(re.findall(r"translation_key: (\w+)", text))


def platform_of(module: str) -> str:
    """Return the platform that a module belongs to by its name, or else the module.

    `easee_sensors` and `easee_site_sensors` are of sensors.
    """
    for platform in sorted(PLATFORMS, key=len, reverse=True):
        if re.fullmatch(rf"easee(_[a-z]+)*_{platform}(e?s)?", module):
            return platform
    for platform in PLATFORMS:
        if module.startswith(f"{platform}_"):
            return platform
    return module


def literal_translation_keys() -> Iterator[tuple[str, str]]:
    """Yield platform and value of every `translation_key="..."` in the code."""
    for path in sorted(FOLDER.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "translation_key":
                match node.value:
                    case ast.Constant(value=str(key)):
                        yield platform_of(path.stem), key


def descriptions() -> Iterator[tuple[str, EntityDescription]]:
    """Yield platform and description of every entity that a module lists, once."""
    known: set[int] = set()
    for path in sorted(FOLDER.glob("*.py")):
        if (platform := platform_of(path.stem)) not in PLATFORMS:
            continue
        module = import_module(f"custom_components.{DOMAIN}.{path.stem}")
        for value in vars(module).values():
            if isinstance(value, tuple) and id(value) not in known:
                known.add(id(value))
                for one in value:
                    if isinstance(one, EntityDescription):
                        yield platform, one


DESCRIPTIONS = [
    pytest.param(platform, one, id=f"{platform}-{one.key}")
    for platform, one in descriptions()
]


def test_manifest_is_sorted() -> None:
    """Domain and name come first, then the alphabet."""
    keys = list(MANIFEST)
    assert keys == ["domain", "name", *sorted(set(keys) - {"domain", "name"})]


@pytest.mark.usefixtures("enable_custom_integrations")
async def test_home_assistant_reads_the_manifest(hass: HomeAssistant) -> None:
    """The loader accepts the integration with all that a custom one needs."""
    integration = await async_get_integration(hass, DOMAIN)
    assert integration.disabled is None
    assert integration.version is not None
    assert integration.config_flow
    assert integration.documentation
    assert integration.issue_tracker
    assert integration.integration_type == "hub"


def test_versions_agree() -> None:
    """The same version, pins and minimum stand wherever they are written."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pins = (ROOT / "requirements_test.txt").read_text(encoding="utf-8").splitlines()
    assert project["project"]["version"] == MANIFEST["version"]
    assert set(MANIFEST["requirements"]) <= set(pins)
    wanted = ".".join(map(str, REQUIRED_PYTHON_VER))
    assert project["project"]["requires-python"] == f">={wanted}"


def test_hacs_json_has_what_the_stores_read() -> None:
    """Unknown keys make the validation of HACS fail."""
    assert read_json(ROOT / "hacs.json") == {
        "name": MANIFEST["name"],
        "filename": f"{DOMAIN}.zip",
        "hide_default_branch": True,
        "homeassistant": "2026.10.0",
        "zip_release": True,
    }


def test_the_brand_is_there() -> None:
    """Home Assistant and the stores show pictures from the integration's folder."""
    for name in ("icon.png", "logo.png"):
        picture = (FOLDER / "brand" / name).read_bytes()
        assert picture.startswith(b"\x89PNG")


def test_home_assistant_reads_the_services() -> None:
    """Fields, selectors and filters are what Home Assistant knows."""
    assert service._SERVICES_SCHEMA(SERVICES)


@pytest.mark.usefixtures("enable_custom_integrations")
async def test_every_action_is_described(hass: HomeAssistant) -> None:
    """What is registered is what services.yaml, texts and icons speak of."""
    assert await async_setup_component(hass, DOMAIN, {})
    registered = set(hass.services.async_services_for_domain(DOMAIN))
    assert registered == set(SERVICES)
    assert registered == set(TEXTS["services"])
    assert registered == set(ICONS["services"])


@pytest.mark.parametrize("action", SERVICES)
def test_every_field_of_an_action_has_words(action: str) -> None:
    """Name and description for the action and each field, and for no other."""
    texts = TEXTS["services"][action]
    assert texts["name"]
    assert texts["description"]
    fields = texts.get("fields", {})
    assert set(fields) == set((SERVICES[action] or {}).get("fields", {}))
    for words in fields.values():
        assert set(words) == {"name", "description"}


@pytest.mark.parametrize(("platform", "description"), DESCRIPTIONS)
def test_every_entity_has_a_name_and_states(
    platform: str, description: EntityDescription
) -> None:
    """An entity is named by a text or by its device class, an option by a text."""
    if (key := description.translation_key) is None:
        assert description.device_class is not None
        return
    texts = TEXTS["entity"][platform][key]
    assert texts["name"]
    if options := getattr(description, "options", None):
        assert set(texts["state"]) == set(options)


@pytest.mark.parametrize(("platform", "description"), DESCRIPTIONS)
def test_every_entity_has_an_icon(
    platform: str, description: EntityDescription
) -> None:
    """An entity without a device class that brings one has an icon of ours."""
    if description.device_class in (None, SensorDeviceClass.ENUM):
        icon = ICONS["entity"][platform][description.translation_key]
        assert icon["default"].startswith("mdi:")


@pytest.mark.parametrize("measurand", Measurand)
def test_every_measurand_has_a_name(measurand: Measurand) -> None:
    """Alone, and with the phase and place where it is measured."""
    names = TEXTS["entity"]["sensor"]
    assert placeholders(names[measurand]["name"]) == set()
    assert placeholders(names[f"{measurand}_at"]["name"]) == {"where"}


def test_no_text_of_an_entity_is_left_over() -> None:
    """Each text and icon belongs to an entity that exists."""
    known = {(platform, one.translation_key) for platform, one in descriptions()}
    for measurand in Measurand:
        known |= {("sensor", measurand), ("sensor", f"{measurand}_at")}
    plugs: tuple[tuple[str, Iterable[EntityDescription]], ...] = (
        ("button", plug_buttons(1)),
        ("sensor", plug_sensors(1)),
        ("switch", plug_switches(1)),
    )
    known |= {(platform, one.translation_key) for platform, its in plugs for one in its}
    for source in (TEXTS["entity"], ICONS["entity"]):
        named = {(platform, key) for platform, keys in source.items() for key in keys}
        assert named <= known


def test_every_translation_key_in_the_code_has_a_text() -> None:
    """Entities by platform; errors, issues, selectors and devices by their name."""
    elsewhere = {
        key
        for section in ("device", "exceptions", "issues", "selector")
        for key in TEXTS.get(section, {})
    }
    missing = [
        (module, key)
        for module, key in literal_translation_keys()
        if key not in TEXTS["entity"].get(module, {}) and key not in elsewhere
    ]
    assert not missing


@pytest.mark.parametrize("section", ["exceptions", "issues", "selector", "device"])
def test_no_text_is_left_over(section: str) -> None:
    """Each is named in the code, by its beginning in an f-string, or by a selector."""
    named = constants() | selectors()
    beginnings = tuple(one for one in named if re.fullmatch(r"[a-z]+_", one))
    assert not [
        key
        for key in TEXTS[section]
        if key not in named and not key.startswith(beginnings)
    ]


def test_form_fields_are_explained() -> None:
    """A field that has a label has an explanation."""

    def forms(node: Any) -> Iterator[dict[str, Any]]:
        if isinstance(node, dict):
            if "data" in node:
                yield node
            for below in node.values():
                yield from forms(below)

    sections = ("config", "config_subentries", "options", "issues")
    for form in forms({name: TEXTS.get(name, {}) for name in sections}):
        assert set(form["data"]) == set(form.get("data_description", {}))


def test_texts_keep_to_our_style() -> None:
    """Keys are slugs; texts do not beg, do not shout and do not end in a space."""
    for path, text in leaves(TEXTS):
        assert SLUG.fullmatch(path.rpartition(".")[2]), path
        assert "please" not in text.lower(), path
        assert text == text.strip(), path
        assert "!" not in text, path


def test_languages_have_the_same_texts() -> None:
    """Every language has the texts of English with the same placeholders."""
    english = {key: placeholders(text) for key, text in leaves(TEXTS)}
    for path in (FOLDER / "translations").glob("*.json"):
        texts = leaves(read_json(path))
        assert {key: placeholders(text) for key, text in texts} == english, path.stem


def test_icons_are_material_design() -> None:
    """An icon is a name from the one set that the frontend has."""
    assert set(ICONS) <= {"conditions", "entity", "services", "triggers"}
    for path, icon in leaves(ICONS):
        assert re.fullmatch(r"mdi:[a-z0-9-]+", icon), path


def test_quality_scale_is_well_formed() -> None:
    """A rule is done, to be done, or exempt with a reason."""
    for rule, content in load_yaml_dict(str(FOLDER / "quality_scale.yaml"))[
        "rules"
    ].items():
        status = content["status"] if isinstance(content, dict) else content
        assert status in ("done", "exempt", "todo"), rule
        assert status != "exempt" or content["comment"], rule
