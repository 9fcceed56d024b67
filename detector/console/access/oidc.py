"""Sign-in with the bank's identity provider: OpenID Connect, code flow with PKCE; extra `oidc`.

Authlib speaks to the provider, joserfc checks its token: signature, issuer, audience, times, nonce.
"""

import re
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from itsdangerous import BadData, URLSafeTimedSerializer

from detector.cases.fields import USERNAME
from detector.cases.principals import UserRole
from detector.core.errors import FraudError, InputError

STATE_COOKIE = "oidc_state"
MINUTES = 10
PATIENCE_S = 10
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]


class OidcRefused(FraudError):
    """The provider's answer does not let anyone in; the text says why."""


class Identity(NamedTuple):
    """Who signed in: the provider's lasting name of them, the user name, and the role."""

    subject: str
    username: str
    role: UserRole


class Provider(NamedTuple):
    """A provider and what this console is to it; `roles` by group, the first that fits counts."""

    issuer: str
    client_id: str
    client_secret: str
    groups_claim: str
    roles: Mapping[str, UserRole]


class OidcFlow:
    """One way through sign-in: `start` leads to the provider, `finish` takes its answer."""

    def __init__(self, provider: Provider, key: bytes) -> None:
        self._provider = provider
        self._states = URLSafeTimedSerializer(key, salt="oidc")
        self._metadata: dict[str, Any] = {}

    async def start(self, callback: str, onward: str) -> tuple[str, str]:
        """The URL of the provider to go to, and the value of the state cookie."""
        metadata = await self._discovered()
        state = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        async with self._client(callback) as client:
            url, _ = client.create_authorization_url(
                metadata["authorization_endpoint"],
                state=state["state"],
                nonce=state["nonce"],
                code_verifier=state["verifier"],
            )
        cookie = self._states.dumps({**state, "onward": onward})
        return url, cookie if isinstance(cookie, str) else cookie.decode()

    async def finish(self, callback: str, answer: str, cookie: str) -> tuple[Identity, str]:
        """Who signed in, by the URL that the provider has sent them back to, and where they go on.

        Raises `OidcRefused`.
        """
        try:
            state = self._states.loads(cookie, max_age=MINUTES * 60)
        except BadData as error:
            raise OidcRefused(
                "The sign-in took too long, or began elsewhere. Try again."
            ) from error
        metadata = await self._discovered()
        import httpx
        from authlib.common.errors import AuthlibBaseError

        try:
            async with self._client(callback) as client:
                token = await client.fetch_token(
                    metadata["token_endpoint"],
                    authorization_response=answer,
                    state=state["state"],
                    code_verifier=state["verifier"],
                )
            claims = await self._claims(token["id_token"], state["nonce"])
        except (AuthlibBaseError, httpx.HTTPError, KeyError) as error:
            raise OidcRefused(f"The identity provider did not confirm it: {error}.") from error
        return self._identity(claims), str(state["onward"])

    async def _discovered(self) -> dict[str, Any]:
        if not self._metadata:
            address = f"{self._provider.issuer.rstrip('/')}/.well-known/openid-configuration"
            found = await _json(address)
            if found.get("issuer") != self._provider.issuer:
                raise OidcRefused(
                    f"{address} names the issuer {found.get('issuer')!r}, not "
                    f"{self._provider.issuer!r}. Correct CONSOLE_OIDC_ISSUER."
                )
            self._metadata = found
        return self._metadata

    async def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        found = await _json(self._metadata["jwks_uri"])
        keys = KeySet.import_key_set({"keys": found.get("keys", [])})
        try:
            claims = jwt.decode(token, keys, algorithms=_ALGORITHMS).claims
            jwt.JWTClaimsRegistry(
                iss={"essential": True, "value": self._provider.issuer},
                aud={"essential": True, "value": self._provider.client_id},
                exp={"essential": True},
                sub={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(claims)
        except (JoseError, ValueError) as error:
            raise OidcRefused(f"The identity provider's token is not valid: {error}.") from error
        return claims

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        named = str(claims.get("preferred_username") or claims.get("email") or "")
        username = named.partition("@")[0].lower()
        if not re.fullmatch(USERNAME, username):
            raise OidcRefused(
                f"The identity provider names you {named!r}, which is no user name here: it needs "
                "2 to 32 small letters, digits, dots, dashes or underscores."
            )
        groups = claims.get(self._provider.groups_claim) or []
        groups = [groups] if isinstance(groups, str) else groups
        role = next((r for group, r in self._provider.roles.items() if group in groups), None)
        if role is None:
            raise OidcRefused(f"{username} is in no group that may use this console.")
        return Identity(f"{claims['iss']} {claims['sub']}", username, role)

    def _client(self, callback: str) -> Any:
        try:
            from authlib.integrations.httpx_client import AsyncOAuth2Client
        except ModuleNotFoundError as error:
            raise InputError(
                "Signing in with an identity provider needs the package authlib. Install it: "
                "pip install -e '.[oidc]' in a checkout, or 'fraud-detection-streaming[oidc]'."
            ) from error
        return AsyncOAuth2Client(
            self._provider.client_id,
            self._provider.client_secret or None,
            scope="openid profile email",
            redirect_uri=callback,
            code_challenge_method="S256",
            token_endpoint_auth_method=(
                "client_secret_basic" if self._provider.client_secret else "none"
            ),
            timeout=PATIENCE_S,
        )


async def _json(address: str) -> dict[str, Any]:
    import httpx  # here, as few consoles need it and it takes long

    try:
        async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
            answer = await client.get(address)
            found = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise OidcRefused(
            f"The identity provider does not answer at {address}: {error}."
        ) from error
    if not isinstance(found, dict):
        raise OidcRefused(f"The identity provider answers {address} with something else.")
    return found
