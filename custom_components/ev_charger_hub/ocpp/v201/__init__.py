"""OCPP 2.0.1: from and to the model, one module per functional block."""
