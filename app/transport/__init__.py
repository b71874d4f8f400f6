"""HTTP/1.1 to the vendors: httpx's errors and events, at a fraction of the cost of its client (docs/performance.md)."""
