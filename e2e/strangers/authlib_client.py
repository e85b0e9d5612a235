"""Another application, written with Authlib, as its documentation has it. Reads one JSON object per line of standard
input and answers each with one line: {"result": ...} or {"error": ...}. Knows nothing of Stube but its address."""

import json
import sys

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.common.security import generate_token
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

settings = json.loads(sys.stdin.readline())
metadata = requests.get(settings["issuer"] + "/.well-known/openid-configuration", timeout=10).json()
session = OAuth2Session(
    settings["client_id"],
    settings.get("client_secret"),
    scope="openid profile email groups offline_access",
    redirect_uri=settings["redirect_uri"],
    code_challenge_method="S256",
    token_endpoint_auth_method=settings["method"],
)
remembered = {}


def begin(_):
    remembered.update(verifier=generate_token(48), nonce=generate_token())
    url, state = session.create_authorization_url(
        metadata["authorization_endpoint"],
        code_verifier=remembered["verifier"],
        nonce=remembered["nonce"],
    )
    remembered["state"] = state
    return url


def claims_of(token, nonce):
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=10).json())
    decoded = jwt.decode(token["id_token"], keys, algorithms=["RS256", "EdDSA"])
    options = {"iss": {"value": metadata["issuer"]}, "aud": {"value": settings["client_id"]}}
    params = {"client_id": settings["client_id"], "access_token": token["access_token"]}
    if nonce:
        params["nonce"] = nonce
    claims = CodeIDToken(decoded.claims, decoded.header, options, params)
    claims.validate(leeway=60)
    return dict(claims)


def finish(command):
    token = session.fetch_token(
        metadata["token_endpoint"],
        authorization_response=command["url"],
        state=remembered["state"],
        code_verifier=command.get("verifier", remembered["verifier"]),
    )
    return claims_of(token, remembered["nonce"])


def userinfo(_):
    answer = session.get(metadata["userinfo_endpoint"], timeout=10)
    answer.raise_for_status()
    return answer.json()


def refresh(command):
    used = command.get("token", session.token["refresh_token"])
    token = session.refresh_token(metadata["token_endpoint"], refresh_token=used)
    return {"used": used, "claims": claims_of(token, None)}


def logout_url(_):
    query = {"id_token_hint": session.token["id_token"], "post_logout_redirect_uri": settings["bye"], "state": "z"}
    return requests.Request("GET", metadata["end_session_endpoint"], params=query).prepare().url


COMMANDS = {f.__name__: f for f in (begin, finish, userinfo, refresh, logout_url)}

for line in sys.stdin:
    command = json.loads(line)
    try:
        answer = {"result": COMMANDS[command["do"]](command)}
    except OAuthError as error:
        answer = {"error": error.error}
    except requests.HTTPError as error:
        answer = {"error": str(error.response.status_code)}
    print(json.dumps(answer), flush=True)
