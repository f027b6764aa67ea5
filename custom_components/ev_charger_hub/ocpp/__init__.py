"""OCPP central system: frames to model and back."""
