"""Hostile clients beside well-behaved chargers, at a really running Home Assistant."""
