"""How errors are told (RFC 9457), by the table of `sgi.api.answers`."""

import json
import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sgi import errors
from sgi.api.answers import ANSWERS, INVALID, NOT_FOUND, OTHER_METHOD, Answer, answer_to
from sgi.api.doubts import sentences
from sgi.api.language import language_of
from sgi.api.problem_words import fields_of, fields_sentence, missing_sentence, unknown_case
from sgi.domain.french import CONFLICTS
from sgi.domain.french import sentences as french_sentences
from sgi.domain.words import Language

__all__ = ["ANSWERS", "Answer", "answer_to", "install", "problem"]

_log = logging.getLogger(__name__)
_EXPECTED = (errors.BusyError, errors.MistoldError)
"""Failures that are none."""


def _conflict(said: str, language: Language) -> str | None:
    """A sentence that is one of our own table, word for word; None for whatever else was said."""
    french = french_sentences(CONFLICTS).get(said)
    if french is None:
        return None
    return french if language is Language.FRENCH else said


def _own_words(error: Exception, answer: Answer, language: Language) -> dict[str, Any]:
    """What the table does not say of this one: a sentence of its own, and what it names."""
    match error:
        case errors.ConflictError() | errors.InvalidRequestError():
            sentence = _conflict(str(error), language)
            return {} if sentence is None else {"detail": sentence}
        case errors.UnknownCaseError(number=str() as number):
            return {"detail": unknown_case(number, language)}
        case errors.PictureTooLargeError():
            words = answer.detail(language)
            return {"detail": words.format(columns=error.columns, rows=error.rows)}
        case errors.UnconfirmedError() if error.doubts:
            said = [answer.detail(language), *sentences(error.doubts, language)]
            return {"detail": " ".join(said), "confirm": list(error.doubts)}
        case errors.IncompleteCaseError() if any(error.missing.values()):
            return {
                "detail": missing_sentence(error.missing, language),
                "missing": error.missing,
            }
        case RequestValidationError() if fields := fields_of(error.errors()):
            return {"detail": fields_sentence(fields, language), "fields": fields}
    return {}


def problem(error: Exception, language: Language) -> Response:
    """A problem document; details of unexpected errors go to the log, never to the client."""
    headers = {"Cache-Control": "no-store"}
    title = type(error).__name__.removesuffix("Error")
    if isinstance(error, HTTPException):
        answer = {404: NOT_FOUND, 405: OTHER_METHOD}.get(error.status_code, INVALID)
        status = error.status_code
        title = HTTPStatus(status).phrase
        headers |= error.headers or {}
    else:
        answer = answer_to(error)
        status = answer.status
    # What cannot be done here is no failure, and of those who come again there are many.
    if status >= 500 and status != 501 and not isinstance(error, _EXPECTED):
        _log.error("%s answered %s", type(error).__name__, status, exc_info=error)
    said = {"detail": answer.detail(language)} | _own_words(error, answer, language)
    body = {"type": "about:blank", "title": title, "status": status} | said
    if isinstance(error, errors.TooManyAttemptsError):
        headers["Retry-After"] = str(error.retry_after_s)
    if status == 503:
        headers["Retry-After"] = "2"
    return Response(
        json.dumps(body, ensure_ascii=False),
        status_code=status,
        headers=headers,
        media_type="application/problem+json",
    )


def install(application: FastAPI) -> None:
    """Answer every error of the table, and every other one, as a problem document."""

    async def handle(request: Request, error: Exception) -> Response:
        return problem(error, language_of(request.headers.get("accept-language")))

    for kind in (*ANSWERS, HTTPException, Exception):
        application.add_exception_handler(kind, handle)
