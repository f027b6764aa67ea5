"""A cloud with something in it: an account, a site, chargers and an equalizer."""

from .clock import Time
from .cloud import EaseeCloud

EMAIL = "kari@example.com"
PHONE = "+4790000000"
PASSWORD = "correct horse"  # noqa: S105
CHARGER = "EH123456"
SECOND = "EH654321"
ELSEWHERE = "EH777777"
EQUALIZER = "QP123456"
DAYS = 60


def seeded(
    time: Time | None = None,
    *,
    second: bool = False,
    equalizer: bool = True,
    second_site: bool = False,
) -> EaseeCloud:
    """Return a cloud with one account and its products."""
    cloud = EaseeCloud(time)
    cloud.tokens.account(
        user_id=1, email=EMAIL, phone=PHONE, password=PASSWORD, sites=[1]
    )
    site = cloud.add_site(1, "Home")
    circuit = cloud.add_circuit(site)
    charger = cloud.add_charger(circuit, CHARGER, "Garage")
    charger.history.remember(cloud.clock(), DAYS, charger.register)
    if second:
        cloud.add_charger(circuit, SECOND, "Carport", product_code=1)
    if equalizer:
        cloud.add_equalizer(site, EQUALIZER, "Meter")
    if second_site:
        cloud.tokens.accounts[0].sites.append(2)
        cabin = cloud.add_site(2, "Cabin", rated=25.0)
        cloud.add_charger(
            cloud.add_circuit(cabin, rated=20.0), ELSEWHERE, "Cabin", product_code=1
        )
    return cloud
