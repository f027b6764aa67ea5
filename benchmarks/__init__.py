"""How fast the integration is inside a really running Home Assistant, as ratios."""
