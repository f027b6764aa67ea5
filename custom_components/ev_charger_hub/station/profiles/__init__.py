"""Charging profiles: what they are, which rules bind them, what they amount to."""
