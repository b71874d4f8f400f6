"""Whom to trust: the operator's choice, else the system, else the certificates that come with httpx."""

from __future__ import annotations

import os
import ssl


def open_tls() -> ssl.SSLContext:
    """Verifies certificates and names, and speaks HTTP/1.1 only.

    SSL_CERT_FILE and SSL_CERT_DIR say whom to trust (https://docs.openssl.org/master/man7/openssl-env/). A system without
    certificates, such as a slim container, falls back to certifi's.
    """
    context = ssl.create_default_context(cafile=None if _has_certificates() else _bundled())
    context.set_alpn_protocols(["http/1.1"])
    return context


def _has_certificates() -> bool:
    paths = ssl.get_default_verify_paths()
    chosen = os.environ.get(paths.openssl_cafile_env) or os.environ.get(paths.openssl_capath_env)
    return bool(chosen or paths.cafile or paths.capath)


def _bundled() -> str:
    import certifi  # noqa: PLC0415  # only such a system needs it

    return certifi.where()
