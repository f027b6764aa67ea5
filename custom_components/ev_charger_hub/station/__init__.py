"""Ground floor: the version-neutral model of charging stations."""
