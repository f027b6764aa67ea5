"""Fixtures of the conformance tests: a charger at a running integration."""

from ..ha.conftest import (
    approved_charger,
    auto_enable_custom_integrations,
    charger_ws,
    entity_registry_enabled_by_default,
    hass_config_dir,
    hub,
    init_integration,
    schedule_clock,
    server_entry,
    settle,
    translations_checked,
    unpaced,
)

__all__ = [
    "approved_charger",
    "auto_enable_custom_integrations",
    "charger_ws",
    "entity_registry_enabled_by_default",
    "hass_config_dir",
    "hub",
    "init_integration",
    "schedule_clock",
    "server_entry",
    "settle",
    "translations_checked",
    "unpaced",
]
