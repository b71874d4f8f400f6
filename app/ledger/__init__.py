"""Durable writes: never twice by our doing, never silently lost, and every doubtful one listed until it is settled."""
