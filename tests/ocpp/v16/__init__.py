"""Tests of OCPP 1.6."""
