"""The mutations: one per file, each with its input, its payload and its rules."""
