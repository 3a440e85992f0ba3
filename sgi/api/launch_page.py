"""Small pages without the application: why nothing is opened, and the form that opens the SGL."""

import base64
import hashlib
import html
import json

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sgi.api.errors import problem
from sgi.api.language import language_of
from sgi.domain.words import Language

_STYLE = (
    "body{background:#161616;color:#e6e6e6;font:16px system-ui,sans-serif;display:grid;"
    "place-items:center;min-height:90vh;margin:0;padding:0 1rem}main{max-width:34rem}"
    "a,button{color:inherit;font:inherit;background:#2c2c2c;border:0;border-radius:4px;"
    "padding:.5rem 1rem;text-decoration:none;cursor:pointer}"
)
_SUBMIT = "document.forms[0].submit()"
_SUBMIT_SHA256 = base64.b64encode(hashlib.sha256(_SUBMIT.encode()).digest()).decode()
_WORDS = {
    Language.FRENCH: ("fr", "Retour à l'accueil", "Ouvrir dans le SGL"),
    Language.ENGLISH: ("en", "Go to the first page", "Open in the laboratory's system"),
}


def refusal(request: Request, error: Exception) -> Response:
    """What `problem` says of an error, for somebody who reads it."""
    language = language_of(request.headers.get("accept-language"))
    told = problem(error, language)
    code, home, _ = _WORDS[language]
    detail = html.escape(json.loads(bytes(told.body))["detail"])
    page = (
        f'<!doctype html><html lang="{code}"><meta charset="utf-8"><title>SGI</title>'
        f'<style>{_STYLE}</style><main><p>{detail}</p><p><a href="/">{home}</a></p></main></html>'
    )
    headers = {"Cache-Control": "no-store"}
    if "retry-after" in told.headers:
        headers["Retry-After"] = told.headers["retry-after"]
    return HTMLResponse(page, status_code=told.status_code, headers=headers)


def posting(request: Request, url: str, field: str, value: str) -> Response:
    """A page that sends one field of a form to another system, by itself or by its button."""
    code, _, button = _WORDS[language_of(request.headers.get("accept-language"))]
    page = (
        f'<!doctype html><html lang="{code}"><meta charset="utf-8"><title>SGI</title>'
        f"<style>{_STYLE}</style><main>"
        f'<form method="post" action="{html.escape(url)}">'
        f'<input type="hidden" name="{html.escape(field)}" value="{html.escape(value)}">'
        f"<button>{button}</button></form></main><script>{_SUBMIT}</script></html>"
    )
    # A system that signs people on elsewhere first sends them through other hosts.
    schemes = "https:" if url.startswith("https:") else "http: https:"
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_SUBMIT_SHA256}'; "
        f"form-action {schemes}; frame-ancestors 'none'; base-uri 'none'"
    )
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": policy}
    return HTMLResponse(page, headers=headers)
