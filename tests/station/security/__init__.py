"""Tests of a station's security."""
