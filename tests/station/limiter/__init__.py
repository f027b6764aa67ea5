"""Tests of the limiter: what a fake charger is sent, and what it then offers."""
