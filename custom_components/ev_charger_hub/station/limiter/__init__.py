"""The limiter: how the limit that a user wants becomes true at any charger."""
