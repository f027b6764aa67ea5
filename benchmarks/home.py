"""A configuration directory of Home Assistant with one OCPP server that accepts all."""

import json
from pathlib import Path

ENTRY_ID = "01BENCHMARK0000000000000000"
CREATED = "2026-11-21T00:00:00+00:00"


def prepare(config: Path, integration: Path, *, http_port: int, ocpp_port: int) -> None:
    """Write what Home Assistant needs to come up with the integration running."""
    storage = config / ".storage"
    storage.mkdir(parents=True)
    components = config / "custom_components"
    components.mkdir()
    (components / integration.name).symlink_to(integration)
    (config / "configuration.yaml").write_text(
        f"http:\n  server_port: {http_port}\n  server_host: 127.0.0.1\n"
        "recorder:\nlogger:\n  default: warning\n",
        encoding="utf-8",
    )
    entry: dict[str, object] = {
        "created_at": CREATED,
        "data": {"host": "127.0.0.1", "port": ocpp_port},
        "disabled_by": None,
        "discovery_keys": {},
        "domain": integration.name,
        "entry_id": ENTRY_ID,
        "minor_version": 1,
        "modified_at": CREATED,
        "options": {"policy": "accept"},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "user",
        "subentries": [],
        "title": "OCPP server",
        "unique_id": None,
        "version": 1,
    }
    (storage / "core.config_entries").write_text(
        json.dumps(
            {
                "version": 1,
                "minor_version": 5,
                "key": "core.config_entries",
                "data": {"entries": [entry]},
            }
        ),
        encoding="utf-8",
    )
