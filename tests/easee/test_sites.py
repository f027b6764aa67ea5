"""Sites: what REST tells of them and takes, typed, within the quotas."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.ev_charger_hub.easee.api import EaseeApi
from custom_components.ev_charger_hub.easee.discovery import catalog_of
from custom_components.ev_charger_hub.easee.errors import (
    Forbidden,
    RateLimited,
    Unavailable,
)
from custom_components.ev_charger_hub.easee.products import (
    ChargerInfo,
    CircuitInfo,
    EqualizerInfo,
    SiteInfo,
)
from custom_components.ev_charger_hub.easee.site_values import site_of
from custom_components.ev_charger_hub.easee.sites import (
    CircuitSettings,
    Sites,
    SiteUser,
    UserUsage,
)
from custom_components.ev_charger_hub.easee.surplus import SurplusMode
from simulators.easee_cloud import EaseeCloud, Fault, SimulatedTime
from simulators.easee_cloud.seed import CHARGER, EMAIL, EQUALIZER, SECOND

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
NOW = datetime(2026, 10, 1, 6, tzinfo=UTC)

HOME = SiteInfo(
    id=1,
    name="Home",
    key="0001-AAAA",
    rated_current=63.0,
    currency="EUR",
    price=0.3,
    price_without_vat=0.24,
    vat=25.0,
    circuits=(
        CircuitInfo(
            id=11,
            site_id=1,
            name="Circuit 11",
            rated_current=32.0,
            chargers=(CHARGER, SECOND),
            primary=CHARGER,
        ),
    ),
    chargers=(
        ChargerInfo(
            serial=CHARGER,
            name="Garage",
            product_code=100,
            site_id=1,
            circuit_id=11,
            access=1,
            role=1,
        ),
        ChargerInfo(
            serial=SECOND,
            name="Carport",
            product_code=1,
            site_id=1,
            circuit_id=11,
            primary=False,
            access=1,
            role=1,
        ),
    ),
    equalizers=(EqualizerInfo(serial=EQUALIZER, name="Meter", site_id=1),),
)


@pytest.fixture
def sites(api: EaseeApi) -> Sites:
    """Return the endpoints."""
    return Sites(api)


async def test_all_that_an_account_has_is_listed(sites: Sites) -> None:
    assert await sites.products() == [HOME]
    assert await sites.site(1) == HOME
    chargers = await sites.chargers()
    assert [(one.serial, one.model) for one in chargers] == [
        (CHARGER, "Charge"),
        (SECOND, "Home"),
    ]


async def test_chargers_without_a_site_are_strays(
    api: EaseeApi, cloud: EaseeCloud
) -> None:
    assert (await catalog_of(api)).strays == ()
    cloud.faults.add(Fault(pattern="/accounts/products", status=200, body=[]))
    catalog = await catalog_of(api)
    assert catalog.sites == ()
    assert [one.serial for one in catalog.strays] == [CHARGER, SECOND]


@pytest.mark.parametrize("body", ["Healthy", None, {"sites": []}])
async def test_a_list_that_is_none_is_no_empty_account(
    sites: Sites, cloud: EaseeCloud, body: Any
) -> None:
    cloud.faults.add(Fault(pattern="/accounts/products", status=200, body=body))
    with pytest.raises(Unavailable):
        await sites.products()


async def test_the_price_of_a_site_is_set(sites: Sites, cloud: EaseeCloud) -> None:
    await sites.set_price(1, 2.5, vat=25, currency_id="NOK")
    assert cloud.journal.find("POST", "/api/sites/1/price")[0].body == {
        "currencyId": "NOK",
        "costPerKWh": 2.5,
        "vat": 25,
        "costPerKwhExcludeVat": 2.0,
    }
    site = await sites.site(1)
    assert site is not None
    assert (site.price, site.currency, site.vat) == (2.5, "NOK", 25.0)


async def test_costs_are_told_by_charger(sites: Sites, cloud: EaseeCloud) -> None:
    (garage, carport) = await sites.costs(1, JANUARY, OCTOBER)
    assert (garage.serial, garage.currency) == (CHARGER, "EUR")
    assert garage.energy > 0
    assert garage.cost == pytest.approx(garage.energy * 0.3, abs=1e-3)
    assert (carport.energy, carport.cost) == (0.0, 0.0)
    assert [one.path for one in cloud.journal if "breakdown" in one.path] == [
        "/api/sites/1/breakdown/2026-01-01T00:00:00Z/2026-10-01T00:00:00Z"
    ]


async def test_costs_are_asked_for_ten_times_an_hour(
    sites: Sites, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    """The quota of the cloud never has to say so."""
    cloud.limits.strict()
    for _ in range(10):
        await sites.costs(1, OCTOBER, NOW)
    task = asyncio.create_task(sites.costs(1, OCTOBER, NOW))
    while not task.done():
        await time.pass_time(5)
    with pytest.raises(RateLimited) as caught:
        await task
    assert timedelta(minutes=50) < caught.value.until - NOW <= timedelta(hours=1)
    assert cloud.limits.offences == 0
    await time.pass_time(3600)
    assert await sites.costs(1, OCTOBER, NOW)


async def test_users_and_what_they_used(sites: Sites, cloud: EaseeCloud) -> None:
    assert await sites.users(1) == [SiteUser(id=1, email=EMAIL, role=1)]
    (year,) = await sites.yearly_usage(1, 1)
    months = await sites.monthly_usage(1, 1)
    assert (year.year, year.month, year.cost) == (2026, None, None)
    assert [one.month for one in months] == [8, 9]
    assert sum(one.energy for one in months) == pytest.approx(year.energy, abs=1e-3)
    cloud.sites[1].level_of_access = 3
    with pytest.raises(Forbidden):
        await sites.users(1)


async def test_users_without_an_id_and_years_without_a_number_are_left_out(
    sites: Sites, cloud: EaseeCloud
) -> None:
    cloud.faults.add(
        Fault(pattern="/users$", status=200, body=[{"name": "x"}, {"userId": "7"}])
    )
    assert await sites.users(1) == [SiteUser(id=7)]
    rows = [{"month": 1}, {"year": 2026, "totalCost": 1, "currencyId": "nok"}]
    cloud.faults.add(Fault(pattern="/yearly$", status=200, body=rows))
    assert await sites.yearly_usage(1, 7) == [
        UserUsage(year=2026, cost=1.0, currency="NOK")
    ]


async def test_the_limits_of_a_circuit_are_told(sites: Sites) -> None:
    assert await sites.circuit_settings(1, 11) == CircuitSettings(
        dynamic=(80.0, 80.0, 80.0),
        maximum=(32.0, 32.0, 32.0),
        offline=(6.0, 6.0, 6.0),
        primary=CHARGER,
        equalizer=EQUALIZER,
        idle_current=False,
    )
    assert (await sites.surplus(EQUALIZER)).mode is SurplusMode.NONE


@pytest.mark.parametrize(
    "body",
    [
        {"id": 5},
        {"id": 5, "name": " ", "siteKey": None, "circuits": None, "equalizers": None},
        {"id": "5", "circuits": [None, {}, {"id": None}], "equalizers": [{}, 3]},
        {"id": 5, "currencyId": "KRONER", "costPerKWh": "much", "vat": float("nan")},
    ],
)
def test_a_site_of_which_little_is_told(body: dict[str, Any]) -> None:
    assert site_of(body) == SiteInfo(id=5, name="Easee")


def test_a_circuit_whose_back_plates_are_unknown_has_its_first_charger_as_primary() -> (
    None
):
    site = site_of(
        {
            "id": 5,
            "circuits": [
                {"id": 51, "chargers": [{"name": "x"}, {"id": "eh1"}, {"id": "EH2"}]},
                {
                    "id": 52,
                    "panelName": "Garage",
                    "chargers": [
                        {
                            "id": "EH3",
                            "backPlate": {"id": "a", "masterBackPlateId": "b"},
                        },
                        {
                            "id": "EH4",
                            "backPlate": {"id": "b", "masterBackPlateId": "b"},
                        },
                    ],
                },
                {"id": 53, "chargers": None},
            ],
        }
    )
    assert site is not None
    assert [(one.name, one.primary) for one in site.circuits] == [
        ("Circuit 51", "EH1"),
        ("Garage", "EH4"),
        ("Circuit 53", None),
    ]
    assert [(one.serial, one.name, one.primary) for one in site.chargers] == [
        ("EH1", "EH1", True),
        ("EH2", "EH2", False),
        ("EH3", "EH3", False),
        ("EH4", "EH4", True),
    ]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["id", "name", "circuits", "chargers", "equalizers", "backPlate", "vat"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(body=st.dictionaries(st.sampled_from(["id", "circuits", "vat"]), ANYTHING))
def test_whatever_the_cloud_says_of_a_site_is_read(body: dict[str, Any]) -> None:
    site = site_of(body)
    assert site is None or isinstance(site.id, int)
