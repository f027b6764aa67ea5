"""Tests that drive the real frontend of a really running Home Assistant."""
