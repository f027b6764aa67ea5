"""OCPP 1.6: what stations say, and what is said to them."""
