"""Measurements, run by hand: `make bench`. Pytest collects none of them."""
