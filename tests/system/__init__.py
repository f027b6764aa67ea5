"""Tests with a whole Home Assistant in another process."""
