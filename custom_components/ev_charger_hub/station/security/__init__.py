"""Security of a station: its password, certificate, profile, and how they change."""
