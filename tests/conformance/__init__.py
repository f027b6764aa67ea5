"""Conformance: what the lists of OCPP ask of a central system, row by row."""
