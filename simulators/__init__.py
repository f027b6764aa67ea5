"""Virtual counterparts of the integration, for tests, benchmark and demo."""
