"""Described: what the model is told of a variable of OCPP 2.x."""

from ...station.variables import DeviceVariable
from .device_model import Variable
from .names import ACTUAL


def described(variable: Variable) -> DeviceVariable:
    """Return a variable as the model knows it: by its actual value alone."""
    name, actual = variable.name, variable.actual
    mutability = (actual.mutability or "").lower()
    return DeviceVariable(
        name=str(name),
        address=str(name),
        value=actual.value,
        writable=ACTUAL in variable.attributes and not actual.readonly,
        readable=ACTUAL in variable.attributes and mutability != "writeonly",
        data_type=variable.data_type,
        unit=variable.unit,
        minimum=variable.minimum,
        maximum=variable.maximum,
        options=variable.values,
        evse_id=name.evse_id,
        connector_id=name.connector_id,
    )
