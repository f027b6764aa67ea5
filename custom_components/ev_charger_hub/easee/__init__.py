"""The Easee cloud: its account, and the products that it reaches."""
