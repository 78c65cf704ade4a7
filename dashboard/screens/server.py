"""What Streamlit's server is told before it answers anybody, and its identity cookie for what is not a screen."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from streamlit import config
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.starlette import starlette_websocket
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from dashboard.errors import SettingsError
from dashboard.records import Records
from dashboard.settings import load_settings
from dashboard.sharing import Claims, check_binding, provider_secrets, read_claims

OTHER_SECRETS = (
    "Not started: the secrets file of Streamlit has an [auth] section. Sign-in is configured by "
    "TRIAGE_OIDC_METADATA_URL and its companions (README, 'For a team'): take the section out."
)


def prepare() -> None:
    """Check where the server is about to listen, and by which name it may be called.

    Raises
    ------
    SettingsError
        It must not be started like this; the message says what to set.
    """
    sign_in = load_settings().sign_in
    if secrets_singleton.load_if_toml_exists() and "auth" in secrets_singleton:
        raise SettingsError(OTHER_SECRETS)
    check_binding(config.get_option("server.address"), sign_in)
    if sign_in is not None:
        names = [*config.get_option("server.allowedHosts"), urlsplit(sign_in.public_url).hostname]
        config.set_option("server.allowedHosts", names)


def secrets(records: Records) -> dict[str, Any] | None:
    """What ``st.login`` reads, made from our settings."""
    sign_in = records.settings.sign_in
    return None if sign_in is None else {"auth": provider_secrets(sign_in, records.keys)}


def cookie_reader(records: Records) -> Callable[[Mapping[str, str]], Claims | None]:
    """Reads the identity cookie by Streamlit's own code, which keeps the routes and the screens of one mind.

    The functions are private to Streamlit: it is pinned to the version they were read in, and a test signs in with a
    real provider and asks our routes.
    """
    sign_in = records.settings.sign_in
    public_url = sign_in.public_url if sign_in else ""

    def claims(cookies: Mapping[str, str]) -> Claims | None:
        decoded = starlette_websocket._get_signed_cookie_with_chunks(dict(cookies), USER_COOKIE_NAME)
        if decoded is None:
            return None
        return read_claims(starlette_websocket._parse_decoded_user_cookie(decoded, public_url))

    return claims
