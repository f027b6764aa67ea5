"""Selects of equalizers: how surplus is used."""

from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import EntityCategory

from .easee.equalizer import Equalizer
from .easee.surplus import SurplusMode
from .easee_equalizer_settings import async_set
from .easee_product_entity import ProductEntity, ProductEntityDescription


@dataclass(frozen=True, kw_only=True)
class EqualizerSelectDescription(
    SelectEntityDescription, ProductEntityDescription[Equalizer]
):
    """Describe the choice of a mode."""


EQUALIZER_SELECTS: Final = (
    EqualizerSelectDescription(
        key="surplus_mode",
        channels_fn=lambda equalizer: (equalizer.surplus,),
        entity_category=EntityCategory.CONFIG,
        exists_fn=lambda equalizer: equalizer.surplus.value is not None,
        options=list(SurplusMode),
        translation_key="surplus_mode",
    ),
)


class EqualizerSelect(ProductEntity[Equalizer], SelectEntity):
    """How surplus is used; a mode that is not known here has the cloud's name."""

    entity_description: EqualizerSelectDescription

    @override
    def _reading(self) -> str | None:
        surplus = self.subject.surplus.value
        return None if surplus is None else surplus.mode or surplus.raw

    @override
    def _show(self, reading: str | None) -> None:
        known: list[str] = list(SurplusMode)
        other = [] if reading is None or reading in known else [reading]
        self._attr_options = [*known, *other]
        self._attr_current_option = reading

    @override
    async def async_select_option(self, option: str) -> None:
        """Use surplus in another way; what is shown is what is reported then."""
        if option not in set(SurplusMode):
            # It can only be the one that is: nobody knows how to ask for it.
            return
        mode = SurplusMode(option)
        await async_set(self.subject, self.subject.set_surplus_mode(mode))
