"""Everything that touches the world: HTTP in and out, the database, the vendors. It fills the ports of `schema`."""
