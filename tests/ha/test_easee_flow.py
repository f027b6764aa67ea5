"""Test the forms of an Easee account: set up, log in again, reconfigure, options."""

from collections.abc import Callable, Generator
from datetime import timedelta
from typing import Any
from unittest.mock import AsyncMock, patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_USER,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from .conftest import device_of
from .easee import ACCOUNT, EaseeHome, easee_config_entry
from .planted import plant
from custom_components.ev_charger_hub.const import CONF_KIND, DOMAIN, KIND_EASEE
from custom_components.ev_charger_hub.easee.errors import (
    AddressBlocked,
    NotNow,
    RateLimited,
)
from custom_components.ev_charger_hub.easee_flow import async_keep_login
from custom_components.ev_charger_hub.easee_form import CONF_STORE_PASSWORD
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from custom_components.ev_charger_hub.easee_login import async_log_in
from custom_components.ev_charger_hub.easee_session import async_session
from simulators.easee_cloud.faults import Fault
from simulators.easee_cloud.seed import (
    CHARGER,
    ELSEWHERE,
    EMAIL,
    EQUALIZER,
    PASSWORD,
    PHONE,
    SECOND,
)

ALL = [CHARGER, SECOND, EQUALIZER]
HOUR = 3600
LOGIN = "/api/accounts/login"


@pytest.fixture(autouse=True)
def _home(easee_home: EaseeHome) -> None:
    """Have the cloud in every test."""


@pytest.fixture
def setup_entry() -> Generator[AsyncMock]:
    """Keep the created entry from being set up."""
    with patch(
        f"custom_components.{DOMAIN}.async_setup_entry", return_value=True
    ) as setup:
        yield setup


def add_cabin(home: EaseeHome) -> None:
    """Give the account a second site with a charger."""
    cloud = home.cloud
    cloud.tokens.accounts[0].sites.append(2)
    cabin = cloud.add_site(2, "Cabin", rated=25.0)
    cloud.add_charger(cloud.add_circuit(cabin, rated=20.0), ELSEWHERE, "Cabin")


def add_account(home: EaseeHome) -> None:
    """Let somebody else have an account for the same site."""
    home.cloud.tokens.account(
        user_id=2,
        email="ola@example.com",
        phone="+4711111111",
        password="x" * 8,
        sites=[1],
    )


def credentials(
    user: str = EMAIL, password: str = PASSWORD, *, store: bool = True
) -> dict[str, Any]:
    """Return the form of an account as a user fills it in."""
    plant(user, password)
    return {CONF_USERNAME: user, CONF_PASSWORD: password, CONF_STORE_PASSWORD: store}


async def begin(hass: HomeAssistant) -> ConfigFlowResult:
    """Open the form of a new account."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"next_step_id": "easee"}
    )
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "easee"
    return result


async def submit(
    hass: HomeAssistant, result: ConfigFlowResult, user_input: dict[str, Any]
) -> ConfigFlowResult:
    """Fill a form in."""
    return await hass.config_entries.flow.async_configure(result["flow_id"], user_input)


async def test_an_account_is_added(
    hass: HomeAssistant, setup_entry: AsyncMock, easee_home: EaseeHome
) -> None:
    """Log in, choose products; the entry has a harmless name and finds its tokens."""
    result = await submit(hass, await begin(hass), credentials(f" {EMAIL} "))

    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "products"
    result = await submit(hass, result, {"products": ALL})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Easee (Home)"
    assert result["data"] == {
        CONF_KIND: KIND_EASEE,
        CONF_USERNAME: EMAIL,
        CONF_PASSWORD: PASSWORD,
    }
    assert result["options"] == {"left_out_products": [], "left_out_sites": []}
    assert result["result"].unique_id == ACCOUNT
    store = async_session(hass, ACCOUNT).store
    assert await store.load() is not None
    catalog = await store.load_catalog()
    assert catalog is not None
    assert list(catalog.serials) == ALL
    assert len(setup_entry.mock_calls) == 1


async def test_a_password_that_is_not_stored_is_nowhere(
    hass: HomeAssistant, easee_home: EaseeHome
) -> None:
    """The session that began in the form goes on in the entry, without the password."""
    result = await submit(hass, await begin(hass), credentials(PHONE, store=False))
    result = await submit(hass, result, {"products": ALL})
    await easee_home.settle()

    entry = result["result"]
    assert entry.data == {CONF_KIND: KIND_EASEE, CONF_USERNAME: PHONE}
    assert entry.state is ConfigEntryState.LOADED
    assert len(easee_home.cloud.journal.find("POST", LOGIN)) == 1


async def test_a_form_that_was_left_open_is_in_nobodys_way(
    hass: HomeAssistant, setup_entry: AsyncMock
) -> None:
    """Who closes the browser may begin anew; what is left of the first form goes."""
    left = await submit(hass, await begin(hass), credentials())
    assert left["step_id"] == "products"
    result = await submit(hass, await begin(hass), credentials())
    result = await submit(hass, result, {"products": ALL})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert not hass.config_entries.flow.async_progress()
    assert len(hass.config_entries.async_entries(DOMAIN)) == 1


async def test_what_is_not_chosen_is_left_out(
    hass: HomeAssistant, easee_home: EaseeHome
) -> None:
    """Sites first, then what is on those; what is not chosen does not show."""
    add_cabin(easee_home)
    result = await submit(hass, await begin(hass), credentials())
    assert result["step_id"] == "sites"
    result = await submit(hass, result, {"sites": []})
    assert result["errors"] == {"sites": "nothing_chosen"}
    result = await submit(hass, result, {"sites": ["1"]})
    assert result["step_id"] == "products"
    result = await submit(hass, result, {"products": []})
    assert result["errors"] == {"products": "nothing_chosen"}
    result = await submit(hass, result, {"products": [SECOND]})
    await easee_home.settle()

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["options"] == {
        "left_out_products": [CHARGER, EQUALIZER],
        "left_out_sites": [2],
    }
    (hub,) = easee_home.hubs
    assert set(hub.stations) == {SECOND}
    assert not hub.account.equalizers


async def test_what_leaves_no_choice_is_not_asked(
    hass: HomeAssistant, setup_entry: AsyncMock, easee_home: EaseeHome
) -> None:
    """With one site and one charger there is nothing to choose."""
    cloud = easee_home.cloud
    site = cloud.sites[1]
    site.equalizer = None
    site.circuits[0].chargers.pop()

    result = await submit(hass, await begin(hass), credentials())

    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_an_account_without_products_is_not_added(
    hass: HomeAssistant, easee_home: EaseeHome
) -> None:
    """The user is told to add them in the app."""
    easee_home.cloud.tokens.accounts[0].sites.clear()

    result = await submit(hass, await begin(hass), credentials())

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "no_products"


async def test_the_same_account_is_not_added_twice(
    hass: HomeAssistant, easee_entry: MockConfigEntry
) -> None:
    """Not even under its other name."""
    easee_entry.add_to_hass(hass)

    result = await submit(hass, await begin(hass), credentials(PHONE))

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "account_configured"


async def test_another_account_is_added(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """There may be several; who had a charger first keeps it. No title is there twice."""
    hass.config_entries.async_update_entry(easee_hub.entry, title="Easee (Home)")
    add_account(easee_home)
    result = await submit(
        hass, await begin(hass), credentials("ola@example.com", "x" * 8)
    )
    result = await submit(hass, result, {"products": ALL})
    await easee_home.settle()

    assert result["type"] is FlowResultType.CREATE_ENTRY
    other = result["result"]
    assert other.unique_id == "easee_2"
    assert other.title == "Easee (Home) 2"
    assert other.state is ConfigEntryState.LOADED
    assert not other.runtime_data.stations
    assert set(easee_hub.stations) == {CHARGER, SECOND}


def wrong_password(home: EaseeHome) -> None:
    """Let the user mistype the password."""
    home.cloud.tokens.accounts[0].password = "another horse"


def unverified(home: EaseeHome) -> None:
    """Let the e-mail address not be verified yet."""
    home.cloud.tokens.accounts[0].email_verified = False


def blocked(home: EaseeHome) -> None:
    """Let the cloud block our address."""
    home.cloud.limits.block()


def limited(home: EaseeHome) -> None:
    """Let the cloud have enough of us."""
    home.cloud.faults.add(
        Fault(pattern=LOGIN, status=429, headers={"Retry-After": "300"})
    )


def cut(home: EaseeHome) -> None:
    """Let nobody answer."""
    home.cloud.faults.add(Fault(pattern=LOGIN, cut=True))


def forbidden(home: EaseeHome) -> None:
    """Let the cloud be out of order, as it was in September 2024."""
    home.cloud.faults.add(
        Fault(pattern="products", status=403, body={"message": "Forbidden"})
    )


def refused(home: EaseeHome) -> None:
    """Let the cloud have another reason."""
    home.cloud.faults.add(
        Fault(pattern=LOGIN, status=400, body={"title": "Account locked"})
    )


def nobody(home: EaseeHome) -> None:
    """Let the profile say nothing."""
    home.cloud.faults.add(Fault(pattern="profile", status=200, body={}, after=True))


def stale(home: EaseeHome) -> None:
    """Let the cloud not take the token that it has just handed out."""
    home.cloud.faults.add(Fault(pattern="profile", status=401))


ERRORS = [
    (wrong_password, "invalid_auth", {}),
    (unverified, "email_not_verified", {}),
    (blocked, "address_blocked", {"until": "00:00"}),
    (limited, "rate_limited", {"until": "23:05"}),
    (cut, "cannot_connect", {}),
    (forbidden, "forbidden", {}),
    (refused, "refused", {"reason": "Account locked"}),
    (nobody, "cannot_connect", {}),
    (stale, "forbidden", {}),
]


@pytest.mark.conformance("EASEE_A11")
@pytest.mark.parametrize(("happen", "error", "said"), ERRORS)
async def test_what_goes_wrong_has_its_own_words(
    hass: HomeAssistant,
    setup_entry: AsyncMock,
    easee_home: EaseeHome,
    happen: Callable[[EaseeHome], None],
    error: str,
    said: dict[str, str],
) -> None:
    """The user reads what it is and until when, and can go on from there."""
    happen(easee_home)
    result = await submit(hass, await begin(hass), credentials())

    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": error}
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert {key: placeholders[key][-5:] for key in said} == {
        key: text[-5:] for key, text in said.items()
    }

    account = easee_home.cloud.tokens.accounts[0]
    account.password, account.email_verified = PASSWORD, True
    easee_home.cloud.limits.blocked_until = None
    easee_home.cloud.recover()
    if "until" in said:
        await easee_home.time.pass_time(HOUR)
    result = await submit(hass, result, credentials())
    assert result["step_id"] == "products"


def until(result: ConfigFlowResult) -> str:
    """Return until when a form says that nothing is asked."""
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    return placeholders["until"]


@pytest.mark.conformance("EASEE_A11")
@pytest.mark.parametrize("happen", [blocked, limited])
@pytest.mark.parametrize("anew", [False, True])
async def test_a_cloud_that_said_when_is_not_asked_before(
    hass: HomeAssistant,
    setup_entry: AsyncMock,
    easee_home: EaseeHome,
    happen: Callable[[EaseeHome], None],
    anew: bool,
) -> None:
    """However often somebody tries, in this form or in another."""
    happen(easee_home)
    first = await submit(hass, await begin(hass), credentials())
    asked = len(easee_home.cloud.journal.requests)
    await easee_home.time.pass_time(299)
    form = await begin(hass) if anew else first
    result = await submit(hass, form, credentials())

    assert len(easee_home.cloud.journal.requests) == asked
    assert result["errors"] == first["errors"]
    assert until(result) == until(first)

    easee_home.cloud.limits.blocked_until = None
    await easee_home.time.pass_time(HOUR)
    result = await submit(hass, result, credentials())
    assert result["step_id"] == "products"


@pytest.mark.conformance("EASEE_A11")
@pytest.mark.parametrize(
    ("error", "shown"),
    [(AddressBlocked, "address_blocked"), (RateLimited, "rate_limited")],
)
async def test_a_form_asks_nothing_while_an_account_is_silent(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
    error: type[NotNow],
    shown: str,
) -> None:
    """What the cloud said to an account that runs means our address."""
    easee_hub.account.budget.heed(error(easee_home.time() + timedelta(hours=2)))
    asked = len(easee_home.cloud.journal.requests)
    for form in (await begin(hass), await easee_entry.start_reconfigure_flow(hass)):
        result = await submit(hass, form, credentials())
        assert result["errors"] == {"base": shown}
    assert len(easee_home.cloud.journal.requests) == asked


async def test_a_cloud_that_takes_too_long_does_not_answer(
    hass: HomeAssistant, easee_home: EaseeHome
) -> None:
    """Nobody waits for ever in front of a form."""
    easee_home.cloud.faults.add(Fault(pattern="products", delay=3600, times=None))
    result = await begin(hass)
    task = hass.async_create_task(submit(hass, result, credentials()))
    await easee_home.time.pass_time(120)
    result = await task

    assert result["errors"] == {"base": "cannot_connect"}


async def test_what_nobody_expects_is_logged(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """The form says where to look."""
    with patch(
        f"custom_components.{DOMAIN}.easee_flow.async_log_in",
        side_effect=ValueError("surprise"),
    ):
        result = await submit(hass, await begin(hass), credentials())

    assert result["errors"] == {"base": "unknown"}
    assert "surprise" in caplog.text


# Again


@pytest.mark.conformance("EASEE_S28")
async def test_a_session_that_ended_is_begun_anew(
    hass: HomeAssistant, easee_home: EaseeHome
) -> None:
    """Without a stored password the user is asked once, and all goes on after that."""
    entry = easee_config_entry(password=None)
    entry.add_to_hass(hass)
    assert await easee_home.set_up(entry) is None
    assert entry.state is ConfigEntryState.SETUP_ERROR
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert flow["step_id"] == "reauth_confirm"

    result = await hass.config_entries.flow.async_configure(
        flow["flow_id"], {CONF_PASSWORD: "wrong", CONF_STORE_PASSWORD: False}
    )
    assert result["errors"] == {"base": "invalid_auth"}
    result = await hass.config_entries.flow.async_configure(
        flow["flow_id"], {CONF_PASSWORD: PASSWORD, CONF_STORE_PASSWORD: False}
    )
    await easee_home.settle()

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    assert CONF_PASSWORD not in entry.data
    assert not hass.config_entries.flow.async_progress()
    (hub,) = easee_home.hubs
    assert set(hub.stations) == {CHARGER, SECOND}


async def test_a_form_that_was_left_open_does_not_hide_the_login_for_ever(
    hass: HomeAssistant, easee_home: EaseeHome
) -> None:
    """Home Assistant asks for no login beside it; later it does, and once."""
    entry = easee_config_entry(password=None)
    entry.add_to_hass(hass)
    await async_keep_login(hass, await async_log_in(hass, EMAIL, PASSWORD))
    await easee_home.set_up(entry)
    left = await entry.start_reconfigure_flow(hass)
    easee_home.cloud.tokens.revoke_sessions()
    easee_home.cloud.hub.drop()
    await easee_home.passes(600)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["flow_id"] == left["flow_id"]

    hass.config_entries.flow.async_abort(left["flow_id"])
    await easee_home.passes(2 * 3600)

    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH


async def test_the_user_may_have_the_password_stored_later(
    hass: HomeAssistant, easee_home: EaseeHome
) -> None:
    """The form of a new session asks that, too."""
    entry = easee_config_entry(password=None)
    await easee_home.set_up(entry)
    (flow,) = hass.config_entries.flow.async_progress()

    await hass.config_entries.flow.async_configure(
        flow["flow_id"], {CONF_PASSWORD: PASSWORD, CONF_STORE_PASSWORD: True}
    )
    await easee_home.settle()

    assert entry.data[CONF_PASSWORD] == PASSWORD


async def test_another_account_is_no_login(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
) -> None:
    """An entry stays with its account, because its chargers have a history."""
    add_account(easee_home)
    result = await easee_entry.start_reconfigure_flow(hass)

    result = await submit(hass, result, credentials("ola@example.com", "x" * 8))

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "wrong_account"
    assert easee_entry.data[CONF_USERNAME] == EMAIL


async def test_an_account_is_reconfigured(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
) -> None:
    """It may log in by its phone number, and forget the password."""
    result = await easee_entry.start_reconfigure_flow(hass)
    assert result["step_id"] == "reconfigure_easee"
    result = await submit(hass, result, credentials(PASSWORD))
    assert result["errors"] == {"base": "invalid_auth"}

    result = await submit(hass, result, credentials(PHONE, store=False))
    await easee_home.settle()

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert easee_entry.data == {CONF_KIND: KIND_EASEE, CONF_USERNAME: PHONE}
    assert easee_entry.state is ConfigEntryState.LOADED
    assert easee_entry.runtime_data is not easee_hub


# Options


async def open_options(
    hass: HomeAssistant, entry: MockConfigEntry, step_id: str
) -> ConfigFlowResult:
    """Open one of the forms of options."""
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.MENU
    return await hass.config_entries.options.async_configure(
        result["flow_id"], {"next_step_id": step_id}
    )


CHARGING = {
    "maximum_current": 16,
    "minimum_current": 6,
    "phases": "3",
    "limit_interval": 5,
}


async def test_what_a_charger_may_do_is_an_option(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
) -> None:
    """What is other than usual is kept, the rest follows the charger."""
    configure = hass.config_entries.options.async_configure
    result = await open_options(hass, easee_entry, "charger")
    assert result["step_id"] == "charger"
    result = await configure(result["flow_id"], {"charger": SECOND})
    assert result["step_id"] == "settings"
    assert result["description_placeholders"] == {"charger": "Carport"}
    result = await configure(result["flow_id"], {**CHARGING, "minimum_current": 20})
    assert result["errors"] == {"base": "minimum_above_maximum"}
    result = await configure(result["flow_id"], {**CHARGING, "fallback_current": 8})
    await easee_home.settle()

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert easee_entry.options["chargers"] == {
        SECOND: {"maximum_current": 16, "fallback_current": 8}
    }
    (hub,) = easee_home.hubs
    settings = hub.stations[SECOND].station.settings
    assert (settings.maximum_current, settings.fallback_current) == (16, 8)
    assert hub.stations[CHARGER].station.settings.maximum_current == 32


async def test_the_only_charger_is_the_one_that_is_meant(
    hass: HomeAssistant, easee_home: EaseeHome
) -> None:
    """And settings that were made elsewhere stay."""
    entry = easee_config_entry(
        options={
            "left_out_products": [SECOND],
            "chargers": {CHARGER: {"free_charging": True, "maximum_current": 10}},
        }
    )
    await easee_home.set_up(entry)
    result = await open_options(hass, entry, "charger")
    assert result["step_id"] == "settings"
    await hass.config_entries.options.async_configure(
        result["flow_id"], {**CHARGING, "maximum_current": 32}
    )
    await easee_home.settle()

    assert entry.options["chargers"] == {CHARGER: {"free_charging": True}}


async def test_without_the_account_running_a_charger_can_be_changed(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
) -> None:
    """What there is was kept from the last time."""
    await hass.config_entries.async_unload(easee_entry.entry_id)
    result = await open_options(hass, easee_entry, "charger")
    configure = hass.config_entries.options.async_configure
    result = await configure(result["flow_id"], {"charger": SECOND})
    await configure(result["flow_id"], CHARGING)

    assert easee_entry.options["chargers"] == {SECOND: {"maximum_current": 16}}


async def test_an_account_of_equalizers_has_no_charger_to_change(
    hass: HomeAssistant, easee_home: EaseeHome
) -> None:
    """The form says so."""
    entry = easee_config_entry(options={"left_out_products": [CHARGER, SECOND]})
    await easee_home.set_up(entry)

    result = await open_options(hass, entry, "charger")

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "no_chargers"


async def test_what_is_shown_is_an_option(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
) -> None:
    """A charger that is left out goes with its device, and comes back when chosen."""
    configure = hass.config_entries.options.async_configure
    result = await open_options(hass, easee_entry, "sites")
    assert result["step_id"] == "products"
    result = await configure(result["flow_id"], {"products": []})
    assert result["errors"] == {"products": "nothing_chosen"}
    await configure(result["flow_id"], {"products": [CHARGER]})
    await easee_home.settle()

    (hub,) = easee_home.hubs
    assert set(hub.stations) == {CHARGER}
    assert device_of(hass, easee_entry, SECOND) is None
    assert device_of(hass, easee_entry, CHARGER) is not None

    result = await open_options(hass, easee_entry, "sites")
    await configure(result["flow_id"], {"products": ALL})
    await easee_home.settle()

    (hub,) = easee_home.hubs
    assert set(hub.stations) == {CHARGER, SECOND}
    assert device_of(hass, easee_entry, SECOND) is not None


async def test_a_site_can_be_left_out_later(
    hass: HomeAssistant, easee_home: EaseeHome, easee_entry: MockConfigEntry
) -> None:
    """What was chosen on it stays remembered."""
    add_cabin(easee_home)
    await easee_home.set_up(easee_entry)
    configure = hass.config_entries.options.async_configure
    result = await open_options(hass, easee_entry, "sites")
    assert result["step_id"] == "sites"
    result = await configure(result["flow_id"], {"sites": []})
    assert result["errors"] == {"sites": "nothing_chosen"}
    result = await configure(result["flow_id"], {"sites": ["2"]})
    await configure(result["flow_id"], {"products": [ELSEWHERE]})
    await easee_home.settle()

    assert easee_entry.options == {"left_out_products": [], "left_out_sites": [1]}
    (hub,) = easee_home.hubs
    assert set(hub.stations) == {ELSEWHERE}
    assert device_of(hass, easee_entry, CHARGER) is None


async def test_nothing_is_added_to_an_account_by_hand(
    easee_entry: MockConfigEntry, easee_hub: EaseeHub
) -> None:
    """What it has the cloud knows."""
    assert not easee_entry.supported_subentry_types
