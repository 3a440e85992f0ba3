from typing import Any

import pytest

from sgi.api import grants as module
from sgi.api.grants import Grants
from sgi.catalogue.audit import Action
from sgi.domain.account import Session
from sgi.domain.slide import Slide


@pytest.fixture
def session(web: Any, client: Any) -> Session:
    found: Session = web.run(web.services.sessions.of(web.token(client)))
    return found


def test_ids_are_kept_and_no_slide(web: Any, client: Any, slide: Slide, session: Session) -> None:
    grants = web.application._tiles._grants
    web.get(client, f"/tiles/{slide.id}/0/0/0")
    assert list(grants._granted.items()) == [((session.id, slide.id, Action.VIEW_SLIDE), None)]


def test_grants_end_with_their_session(web: Any, here: Any, client: Any, slide: Slide) -> None:
    grants = web.application._tiles._grants
    other = web.signed_in(here)
    for browser in (client, other):
        web.get(browser, f"/tiles/{slide.id}/0/0/0")
    assert len(grants._granted) == 2
    assert web.run(client.post("/api/v1/sign-out")).status_code == 204
    (left,) = grants._granted
    assert left[0] == web.run(web.services.sessions.of(web.token(other))).id
    web.services.sessions.forget_all()
    assert not grants._granted


def test_memory_is_bounded_and_the_audit_remembers(
    web: Any,
    here: Any,
    slide: Slide,
    session: Session,
    audit_rows: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_GRANTS", 1)
    services = web.services
    grants = Grants(services.slides, services.database, services.sessions)
    for action in (Action.SHOW_LABEL, Action.VIEW_SLIDE) * 3:
        web.run(grants.record(session, "here", slide.id, action))
        assert len(grants._granted) == 1
    assert [row["action"] for row in audit_rows(here)][1:] == ["show_label", "view_slide"]
