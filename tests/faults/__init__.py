"""Faults on the wire: a vendor in another process that misbehaves on request and keeps its own account of what it did."""
