import ast
import json
from pathlib import Path
from typing import Any

import psycopg
import psycopg_pool
import pytest
from fastapi.exceptions import RequestValidationError

import sgi
import storage.errors
from sgi import errors
from sgi.api.errors import ANSWERS, problem
from sgi.api.language import language_of
from sgi.domain.words import Language

SECRET = "postgresql://user:canary@10.0.0.1/sgi"


@pytest.mark.parametrize("kind", [*ANSWERS, ZeroDivisionError, psycopg.DataError])
def test_nothing_of_what_an_exception_says_is_told(kind: type[Exception]) -> None:
    made = kind(SECRET, 7) if kind is errors.TooManyAttemptsError else kind(SECRET)
    if isinstance(made, RequestValidationError):
        made = RequestValidationError([{"loc": ("body", SECRET), "msg": SECRET, "input": SECRET}])
    for language in Language:
        answer = problem(made, language)
        assert "canary" not in bytes(answer.body).decode()
        assert "Traceback" not in bytes(answer.body).decode()
        told = json.loads(answer.body)
        assert set(told) == {"type", "title", "status", "detail"}
        assert told["status"] == answer.status_code
        assert told["detail"].endswith(".")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.media_type == "application/problem+json"


def test_a_conflict_says_what_conflicts_in_both_languages() -> None:
    from sgi.api import destructions as by_rest
    from sgi.api import holds as of_holds
    from sgi.api import tiers as of_tiers

    said = (by_rest.HELD, by_rest.NOT_ENDED_ANY_MORE, by_rest.OF_ANOTHER, by_rest.NOT_ASKED)
    said += (by_rest.BEGUN, of_holds.NOT_HELD, of_tiers.NO_COLD_STORE, of_tiers.NOTHING_COLD)
    for sentence in (*said, of_tiers.NOTHING_TO_COOL):
        told = json.loads(bytes(problem(errors.ConflictError(sentence), Language.ENGLISH).body))
        assert told["detail"] == sentence
        told = json.loads(bytes(problem(errors.ConflictError(sentence), Language.FRENCH).body))
        assert told["detail"] not in {
            sentence,
            ANSWERS[errors.ConflictError].detail(Language.FRENCH),
        }


def test_every_conflict_of_storage_interfaces_and_requests_has_its_sentence() -> None:
    """By the source: whatever is raised there as a conflict is in the table."""
    from sgi.domain.french import CONFLICTS, sentences

    root = Path(sgi.__file__).parent
    files = [root / "api" / f"{n}.py" for n in ("tiers", "holds", "destructions", "integrity")]
    files += [root / "api" / f"{n}.py" for n in ("interfaces", "messages", "arrivals")]
    files += [root / "api" / f"{n}.py" for n in ("case_work", "sgl_links")]
    of_cases = ("interfaces", "rescans", "work_orders", "assignments", "attachments", "glass_scans")
    of_cases += ("saved_filters",)
    files += [root / "catalogue" / f"{n}.py" for n in ("holds", "destructions", *of_cases)]
    internal = {
        "The slide is held, or its waiting time has not ended; it is tried again by itself."
    }
    raised: set[str] = set()
    for file in files:
        module = ast.parse(file.read_text())
        named = {
            target.id: node.value.value
            for node in module.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "ConflictError":
                for part in ast.walk(node.args[0]):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        raised.add(part.value)
                    elif isinstance(part, ast.Name) and part.id in named:
                        raised.add(named[part.id])
    assert len(raised) > 10
    assert raised - internal <= set(sentences(CONFLICTS))


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (errors.TooManyAttemptsError("x", 42), 429, "42"),
        (storage.errors.StoreUnavailableError("x"), 503, "2"),
        (psycopg.OperationalError("x"), 503, "2"),
        (psycopg_pool.PoolTimeout("x"), 503, "2"),
        (errors.NotFoundError("x"), 404, None),
        (errors.VerificationError("x"), 500, None),
        (storage.errors.ObjectNotFoundError("x"), 500, None),
        (ZeroDivisionError("x"), 500, None),
    ],
)
def test_when_to_come_back(error: Exception, status: int, retry_after: str | None) -> None:
    answer = problem(error, Language.ENGLISH)
    assert answer.status_code == status
    assert answer.headers.get("retry-after") == retry_after


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "fr"),
        ("", "fr"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("fr-FR,en", "fr"),
        ("de, en;q=0.5, fr;q=0.1", "en"),
        ("de", "fr"),
        ("*", "fr"),
        ("EN", "en"),
        (";;,,=", "fr"),
        ("de," * 5000 + "en", "fr"),
    ],
)
def test_languages(header: str | None, language: str) -> None:
    assert language_of(header) == language


def test_the_answer_is_in_the_language_that_was_asked_for(web: Any) -> None:
    client = web.client()
    english = web.get(client, "/api/v1/me", headers={"accept-language": "en"}).json()
    french = web.get(client, "/api/v1/me", headers={"accept-language": "fr"}).json()
    assert english["detail"] == "Sign in first."
    assert french["detail"] == "Connectez-vous d'abord."


def test_a_defect_is_told_as_one_and_nothing_more(
    web: Any, here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = web.signed_in(here)

    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError(SECRET)

    monkeypatch.setattr("sgi.catalogue.slides.newest", broken)
    answer = web.get(client, "/api/v1/slides")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "canary" not in answer.text
    assert ".py" not in answer.text


def test_a_catalogue_that_is_away(web: Any, here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = web.signed_in(here)

    def away(*_: object) -> None:
        raise psycopg.OperationalError(SECRET)

    monkeypatch.setattr(web.services.database, "transaction", away)
    monkeypatch.setattr(web.services.database, "anonymous", away)
    for path, status in (("/api/v1/slides", 503), ("/readyz", 503), ("/healthz", 200)):
        answer = web.get(client, path)
        assert answer.status_code == status
        assert "canary" not in answer.text


def test_a_method_that_a_route_does_not_have(web: Any, here: Any) -> None:
    answer = web.run(web.signed_in(here).delete("/api/v1/slides"))
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"
