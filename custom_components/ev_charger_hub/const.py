"""Constants of EV Charger Hub."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from homeassistant.const import Platform
from homeassistant.util.signal_type import SignalTypeFormat

if TYPE_CHECKING:
    from .models import HubStation

DOMAIN: Final = "ev_charger_hub"

PLATFORMS: Final = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.LIGHT,
    Platform.NOTIFY,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
    Platform.TEXT,
    Platform.UPDATE,
]

# A config entry of any kind: data; what has no kind is an OCPP server
CONF_KIND: Final = "kind"
KIND_EASEE: Final = "easee"

# A config entry of an OCPP server: data
CONF_CERTIFICATE: Final = "certificate"
CONF_CERTIFICATE_KEY: Final = "certificate_key"
CONF_ACCEPT_PLAIN: Final = "accept_plain"
CONF_NAMES: Final = "names"
CONF_TLS: Final = "tls_mode"
# its options
CONF_HOME_ASSISTANT_PORT: Final = "home_assistant_port"
CONF_NO_NEW_CONNECTIONS: Final = "no_new_connections"
CONF_POLICY: Final = "policy"
CONF_REFUSED: Final = "refused"
CONF_UNKNOWN_TOKENS: Final = "unknown_tokens"

# A subentry of a charger: data; names of the fields of StationSettings
SUBENTRY_CHARGER: Final = "charger"
CONF_CLOCK_INTERVAL: Final = "clock_interval"
CONF_FALLBACK_CURRENT: Final = "fallback_current"
CONF_FREE_CHARGING: Final = "free_charging"
CONF_LIMIT_INTERVAL: Final = "limit_interval"
CONF_LOCAL_LIST: Final = "local_list"
CONF_MAXIMUM_CURRENT: Final = "maximum_current"
CONF_MEASURANDS: Final = "measurands"
CONF_METER_INTERVAL: Final = "meter_interval"
CONF_MINIMUM_CURRENT: Final = "minimum_current"
CONF_MISSING_SUBPROTOCOL: Final = "missing_subprotocol"
CONF_PASSWORD_HASH: Final = "password_hash"  # noqa: S105
CONF_PHASES: Final = "phases"
CONF_PING: Final = "ping"
CONF_PRICE_ENTITY: Final = "price_entity"
CONF_PROTOCOL: Final = "protocol"
CONF_QUIET: Final = "quiet"
CONF_SECURITY_PROFILE: Final = "security_profile"

# A subentry of a token: token_entries.py
SUBENTRY_TOKEN: Final = "token"  # noqa: S105

# Fields of forms only
CONF_GENERATE_PASSWORD: Final = "generate_password"  # noqa: S105
CONF_IDENTITY: Final = "identity"
CONF_PASSWORD_CHANGE: Final = "password_change"  # noqa: S105

# Keys of facts in the journal
SNAPSHOT: Final = "snapshot"

DEFAULT_HOST: Final = "0.0.0.0"  # noqa: S104
DEFAULT_PORT: Final = 9000
IDENTITY_LENGTH: Final = 48

RESTORE_GRACE: Final = timedelta(seconds=180)
"""How long after a start restored values are shown before a charger is back."""

SIGNAL_NEW_STATION: Final[SignalTypeFormat[HubStation]] = SignalTypeFormat(
    f"{DOMAIN}_new_station_{{}}"
)
"""A charger was approved while its server runs; formatted with the entry id."""
