"""Print what the components of our Home Assistant need beyond the core's own packages.

Home Assistant installs such packages while it starts; the scripts do it beforehand, so
that `scripts/develop` and the browser test start at once and without a network.
"""

from importlib import import_module
import json
from pathlib import Path

from homeassistant import bootstrap, components

CONFIGURED = (
    "config",
    "energy",
    "history",
    "logbook",
    "my",
    "repairs",
    "sun",
)
"""What configuration.yaml names (scripts/lib/prepare_config.py writes it from here)."""

OURS = ("binary_sensor", "button", "event", "number", "sensor", "switch")


def manifest(domain: str) -> dict[str, list[str]]:
    """Return the manifest of a component that comes with Home Assistant."""
    folder = Path(import_module(components.__name__).__path__[0]) / domain
    content: dict[str, list[str]] = json.loads((folder / "manifest.json").read_text())
    return content


def needed(domains: set[str]) -> set[str]:
    """Return the packages that components and all they depend on require."""
    packages: set[str] = set()
    seen: set[str] = set()
    while domains:
        seen.add(domain := domains.pop())
        content = manifest(domain)
        packages.update(content.get("requirements", ()))
        domains.update(set(content.get("dependencies", ())) - seen)
    return packages


if __name__ == "__main__":
    started = {
        *CONFIGURED,
        *OURS,
        *bootstrap.CORE_INTEGRATIONS,
        *bootstrap.DEFAULT_INTEGRATIONS,
        *bootstrap.FRONTEND_INTEGRATIONS,
        "isal",
        "recorder",
    }
    print("\n".join(sorted(needed(started))))
