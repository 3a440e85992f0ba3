"""Which language an answer is given in."""

from starlette.requests import Request

from sgi.domain.words import Language


def language_of(accept_language: str | None) -> Language:
    """The first of ours in an Accept-Language header (RFC 9110, 12.5.4); French otherwise."""
    for part in (accept_language or "").split(",")[:10]:
        tag = part.split(";")[0].strip().lower()[:2]
        if tag in set(Language):
            return Language(tag)
    return Language.FRENCH


def requested_language(request: Request) -> Language:
    """For routes: `?lang=`, which event streams need, else the header."""
    return language_of(request.query_params.get("lang") or request.headers.get("accept-language"))
