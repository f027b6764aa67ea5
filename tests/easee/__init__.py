"""Tests of the Easee client."""
