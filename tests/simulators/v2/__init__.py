"""Tests of the virtual OCPP 2.0.1 and 2.1 station."""
