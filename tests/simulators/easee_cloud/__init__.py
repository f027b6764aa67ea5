"""Tests of the virtual Easee cloud, as a client sees it."""
