"""Gateways that are killed in the middle of writes, and an audit against the vendors' own list of effects."""
