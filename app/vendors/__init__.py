"""One package per vendor, all of one shape: its SPEC, wire models, client, adapter and sandbox."""
