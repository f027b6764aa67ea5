"""Site values: what REST says of sites, as values (easee_cloud.md 1.5)."""

from collections.abc import Iterator
from typing import Any, Final

from .json_values import Json, currency, number, objects, serial_number, text, whole
from .products import ChargerInfo, CircuitInfo, EqualizerInfo, SiteInfo

UNNAMED: Final = "Easee"
"""What a site is called that has neither a name nor a key."""


def site_of(body: Json) -> SiteInfo | None:
    """Return a site with all that is on it, None if it has no number."""
    if (site_id := whole(body.get("id"))) is None:
        return None
    circuits = [
        (circuit, one)
        for one in objects(body.get("circuits"))
        if (circuit := _circuit(one, site_id)) is not None
    ]
    key = text(body.get("siteKey"))
    return SiteInfo(
        id=site_id,
        name=text(body.get("name")) or key or UNNAMED,
        key=key,
        rated_current=number(body.get("ratedCurrent")),
        currency=currency(body.get("currencyId")),
        price=number(body.get("costPerKWh")),
        price_without_vat=number(body.get("costPerKwhExcludeVat")),
        vat=number(body.get("vat")),
        circuits=tuple(circuit for circuit, _ in circuits),
        chargers=tuple(
            charger for pair in circuits for charger in _chargers(*pair, site_id)
        ),
        equalizers=tuple(_equalizers(body.get("equalizers"), site_id)),
    )


def charger_of(
    body: Json,
    *,
    site_id: int | None = None,
    circuit_id: int | None = None,
    primary: bool = True,
) -> ChargerInfo | None:
    """Return a charger as lists of chargers have it, None if it has no serial."""
    if (serial := serial_number(body.get("id"))) is None:
        return None
    return ChargerInfo(
        serial=serial,
        name=text(body.get("name")) or serial,
        product_code=whole(body.get("productCode")),
        site_id=site_id,
        circuit_id=circuit_id,
        primary=primary,
        access=whole(body.get("levelOfAccess")),
        role=whole(body.get("userRole")),
    )


def _circuit(body: Json, site_id: int) -> CircuitInfo | None:
    if (circuit_id := whole(body.get("id"))) is None:
        return None
    serials = tuple(
        serial
        for one in objects(body.get("chargers"))
        if (serial := serial_number(one.get("id"))) is not None
    )
    return CircuitInfo(
        id=circuit_id,
        site_id=site_id,
        name=text(body.get("panelName")) or f"Circuit {circuit_id}",
        rated_current=number(body.get("ratedCurrent")),
        chargers=serials,
        primary=_primary(body, serials),
    )


def _primary(body: Json, serials: tuple[str, ...]) -> str | None:
    """Return the charger whose back plate is the master of all, else the first."""
    for one in objects(body.get("chargers")):
        match one.get("backPlate"):
            case {"id": str(own), "masterBackPlateId": str(master)} if own == master:
                return serial_number(one.get("id"))
    return next(iter(serials), None)


def _chargers(circuit: CircuitInfo, body: Json, site_id: int) -> Iterator[ChargerInfo]:
    for one in objects(body.get("chargers")):
        charger = charger_of(
            one,
            site_id=site_id,
            circuit_id=circuit.id,
            primary=serial_number(one.get("id")) == circuit.primary,
        )
        if charger is not None:
            yield charger


def _equalizers(body: Any, site_id: int) -> Iterator[EqualizerInfo]:
    for one in objects(body):
        if (serial := serial_number(one.get("id"))) is not None:
            name = text(one.get("name")) or serial
            yield EqualizerInfo(serial=serial, name=name, site_id=site_id)
