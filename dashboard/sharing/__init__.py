"""Who may do what. Until sign-in is configured: this machine only."""

from dashboard.sharing.loopback import LoopbackOnly, allow_loopback, check_request, is_loopback

__all__ = ["LoopbackOnly", "allow_loopback", "check_request", "is_loopback"]
