"""Tests of charging profiles."""
