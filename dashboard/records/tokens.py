"""Secrets that whoever holds them shows again, such as a link's or an upload's; only a hash of each is kept."""

import hashlib
import secrets

TOKEN_BYTES = 32


def new_token() -> str:
    """A secret nobody can guess, fit for an address or a header."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> str:
    """What is kept of a token; whatever is tried in its place has a hash, too."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
