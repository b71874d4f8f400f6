"""The sockets that a gateway or a sandbox is put on."""

from __future__ import annotations

import socket


def bound_socket(host: str, port: int) -> socket.socket:
    """A TCP socket that listens on `host`; port 0 takes a free one. Raises OSError when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(2048)  # only now is it known to be ours, and who connects early waits for whoever serves it
    except OSError:
        sock.close()
        raise
    sock.set_inheritable(True)
    return sock
