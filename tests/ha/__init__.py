"""Tests of EV Charger Hub."""
