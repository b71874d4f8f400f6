"""Gateway keys, and the secret that everything signed depends on."""
