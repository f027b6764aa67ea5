"""Catalog: everything that an account has, as the cloud listed it last."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from .products import ChargerInfo, CircuitInfo, EqualizerInfo, SiteInfo


@dataclass(kw_only=True, slots=True, frozen=True)
class Catalog:
    """The sites of an account, and the chargers whose site it may not see."""

    sites: tuple[SiteInfo, ...] = ()
    strays: tuple[ChargerInfo, ...] = ()

    @property
    def chargers(self) -> dict[str, ChargerInfo]:
        """Return the chargers by serial."""
        listed = [one for site in self.sites for one in site.chargers]
        return {one.serial: one for one in (*listed, *self.strays)}

    @property
    def equalizers(self) -> dict[str, EqualizerInfo]:
        """Return the equalizers by serial."""
        return {one.serial: one for site in self.sites for one in site.equalizers}

    @property
    def serials(self) -> Iterator[str]:
        """Return the serials of all products."""
        yield from self.chargers
        yield from self.equalizers

    def shares_circuit(self, serial: str) -> bool | None:
        """Return whether a charger has its circuit with others; None if unknown."""
        for circuit in (one for site in self.sites for one in site.circuits):
            if serial.upper() in {one.upper() for one in circuit.chargers}:
                return len(circuit.chargers) > 1
        return None

    def without(self, sites: Collection[int], serials: Collection[str]) -> Catalog:
        """Return the catalog without some sites and some other products."""
        return Catalog(
            sites=tuple(
                replace(
                    site,
                    chargers=_others(site.chargers, serials),
                    equalizers=_others(site.equalizers, serials),
                )
                for site in self.sites
                if site.id not in sites
            ),
            strays=_others(self.strays, serials),
        )

    def dump(self) -> dict[str, Any]:
        """Return the catalog as JSON."""
        return asdict(self)

    @classmethod
    def load(cls, kept: Mapping[str, Any]) -> Self:
        """Return a catalog from JSON; what this version does not know is left out."""
        return cls(
            sites=tuple(_site(one) for one in kept.get("sites", ())),
            strays=_all(ChargerInfo, kept.get("strays", ())),
        )


def _others[P: (ChargerInfo, EqualizerInfo)](
    products: tuple[P, ...], serials: Collection[str]
) -> tuple[P, ...]:
    return tuple(one for one in products if one.serial not in serials)


def _site(kept: Mapping[str, Any]) -> SiteInfo:
    circuits = [
        {**one, "chargers": tuple(one.get("chargers", ()))}
        for one in kept.get("circuits", ())
    ]
    parts = {
        "circuits": _all(CircuitInfo, circuits),
        "chargers": _all(ChargerInfo, kept.get("chargers", ())),
        "equalizers": _all(EqualizerInfo, kept.get("equalizers", ())),
    }
    return SiteInfo(**_known(SiteInfo, {**kept, **parts}))


def _all[P: (ChargerInfo, CircuitInfo, EqualizerInfo)](
    kind: type[P], kept: Collection[Mapping[str, Any]]
) -> tuple[P, ...]:
    return tuple(kind(**_known(kind, one)) for one in kept)


def _known(kind: type[Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in kept.items() if name in names}
