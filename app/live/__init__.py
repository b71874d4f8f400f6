"""Subscriptions: what is followed, and the two ways in which it is told, WebSocket and server-sent events."""
