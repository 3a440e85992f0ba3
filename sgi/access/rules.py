"""Who may call what: the one table. A route that is not here is denied."""

import re
from dataclasses import dataclass
from enum import Enum

from sgi.domain.account import Permission, Session


class Open(Enum):
    """Routes that ask for no permission."""

    PUBLIC = "public"
    """Anyone: holds nothing about patients or slides."""
    SIGNED_IN = "signed in"
    """Any account, for what concerns the account itself."""


Need = Open | Permission


@dataclass(frozen=True, slots=True)
class Rule:
    """What one route asks for; `{name}` in the path stands for one segment."""

    method: str
    path: str
    need: Need

    def allows(self, session: Session | None) -> bool:
        """Whether this session, or nobody, may call the route."""
        if self.need is Open.PUBLIC:
            return True
        if session is None:
            return False
        return self.need is Open.SIGNED_IN or session.may(Permission(self.need.value))


_SERIES = "/dicomweb/studies/{study}/series/{series}"
_INSTANCE = _SERIES + "/instances/{instance}"

RULES = (
    Rule("GET", "/", Open.PUBLIC),
    Rule("GET", "/view/{slide}", Open.PUBLIC),
    Rule("GET", "/cases", Open.PUBLIC),
    Rule("GET", "/cases/{case}", Open.PUBLIC),
    Rule("GET", "/slides", Open.PUBLIC),
    Rule("GET", "/identification", Open.PUBLIC),
    Rule("GET", "/interfaces", Open.PUBLIC),
    Rule("GET", "/storage", Open.PUBLIC),
    Rule("GET", "/work", Open.PUBLIC),
    Rule("GET", "/assets/{file}", Open.PUBLIC),
    Rule("GET", "/favicon.svg", Open.PUBLIC),
    Rule("GET", "/healthz", Open.PUBLIC),
    Rule("GET", "/readyz", Open.PUBLIC),
    Rule("POST", "/api/v1/sign-in", Open.PUBLIC),
    Rule("POST", "/api/v1/sign-out", Open.SIGNED_IN),
    Rule("GET", "/api/v1/me", Open.SIGNED_IN),
    Rule("GET", "/openapi.json", Open.SIGNED_IN),
    Rule("GET", "/api/v1/arrivals", Permission.VIEW_ARRIVALS),
    Rule("POST", "/api/v1/arrivals/{arrival_id}/retry", Permission.CHANGE_ARRIVALS),
    Rule("GET", "/api/v1/events", Permission.VIEW_ARRIVALS),
    Rule("GET", "/api/v1/slides", Permission.VIEW_SLIDES),
    Rule("GET", "/api/v1/slides/{slide_id}", Permission.VIEW_SLIDES),
    Rule("GET", "/api/v1/quality/limits", Permission.VIEW_ARRIVALS),
    Rule("PUT", "/api/v1/quality/limits", Permission.CHANGE_QUALITY_LIMITS),
    Rule("GET", "/api/v1/capacity", Permission.VIEW_STORAGE),
    Rule("GET", "/api/v1/capacity.csv", Permission.VIEW_STORAGE),
    Rule("GET", "/api/v1/capacity/activity", Permission.VIEW_STORAGE),
    Rule("PUT", "/api/v1/capacity/activity", Permission.CHANGE_STORAGE),
    Rule("POST", "/api/v1/capacity/forecast", Permission.VIEW_STORAGE),
    Rule("POST", "/api/v1/capacity/forecast.csv", Permission.VIEW_STORAGE),
    Rule("GET", "/api/v1/retention", Permission.VIEW_RETENTION),
    Rule("PUT", "/api/v1/retention", Permission.CHANGE_RETENTION),
    Rule("GET", "/api/v1/retention/due", Permission.VIEW_RETENTION),
    Rule("GET", "/api/v1/slides/{slide_id}/hold", Permission.VIEW_SLIDES),
    Rule("POST", "/api/v1/slides/{slide_id}/hold", Permission.HOLD_SLIDES),
    Rule("DELETE", "/api/v1/slides/{slide_id}/hold", Permission.HOLD_SLIDES),
    Rule("GET", "/api/v1/holds", Permission.VIEW_RETENTION),
    Rule("GET", "/api/v1/destructions", Permission.VIEW_RETENTION),
    Rule("POST", "/api/v1/destructions", Permission.ASK_DESTRUCTION),
    Rule("POST", "/api/v1/destructions/{destruction_id}/approve", Permission.APPROVE_DESTRUCTION),
    Rule("POST", "/api/v1/destructions/{destruction_id}/withdraw", Permission.ASK_DESTRUCTION),
    Rule("GET", "/api/v1/destructions/{destruction_id}/certificate", Permission.VIEW_RETENTION),
    Rule("GET", "/api/v1/tiers/policy", Permission.VIEW_STORAGE),
    Rule("PUT", "/api/v1/tiers/policy", Permission.CHANGE_STORAGE),
    Rule("POST", "/api/v1/tiers/policy/simulate", Permission.VIEW_STORAGE),
    Rule("GET", "/api/v1/tiers/moves", Permission.VIEW_STORAGE),
    Rule("POST", "/api/v1/slides/{slide_id}/restore", Permission.VIEW_SLIDES),
    Rule("GET", "/api/v1/restores", Permission.VIEW_SLIDES),
    Rule("POST", "/api/v1/restores/{move_id}/seen", Permission.VIEW_SLIDES),
    Rule("POST", "/api/v1/slides/{slide_id}/cold", Permission.CHANGE_STORAGE),
    Rule("GET", "/api/v1/integrity", Permission.VIEW_STORAGE),
    Rule("GET", "/api/v1/integrity/incidents", Permission.VIEW_STORAGE),
    Rule("GET", "/api/v1/integrity/fixity.csv", Permission.VIEW_STORAGE),
    Rule("POST", "/api/v1/integrity/incidents/{incident_id}/accept", Permission.CHANGE_STORAGE),
    Rule("POST", "/api/v1/integrity/slides/{slide_id}/verify", Permission.CHANGE_STORAGE),
    Rule("GET", "/api/v1/patients/{patient_id}", Permission.VIEW_CASES),
    Rule("POST", "/api/v1/patients/{patient_id}/compare", Permission.VIEW_CASES),
    Rule("GET", "/api/v1/identification", Permission.IDENTIFY_SLIDES),
    Rule("GET", "/api/v1/identification/glass", Permission.IDENTIFY_SLIDES),
    Rule("GET", "/api/v1/identification/attachments", Permission.IDENTIFY_SLIDES),
    Rule("GET", "/api/v1/identification/{slide_id}/candidates", Permission.IDENTIFY_SLIDES),
    Rule("GET", "/api/v1/slides/{slide_id}/attachments", Permission.VIEW_SLIDES),
    Rule("POST", "/api/v1/slides/{slide_id}/attach", Permission.IDENTIFY_SLIDES),
    Rule("POST", "/api/v1/slides/{slide_id}/detach", Permission.IDENTIFY_SLIDES),
    Rule("POST", "/api/v1/slides/{slide_id}/show-first", Permission.IDENTIFY_SLIDES),
    Rule("GET", "/api/v1/interfaces", Permission.VIEW_INTERFACES),
    Rule("DELETE", "/api/v1/interfaces/{name}", Permission.CHANGE_INTERFACES),
    Rule("GET", "/api/v1/outbox", Permission.VIEW_INTERFACES),
    Rule("POST", "/api/v1/outbox/{notice_id}/retry", Permission.CHANGE_INTERFACES),
    Rule("POST", "/api/v1/outbox/{notice_id}/give-up", Permission.CHANGE_INTERFACES),
    Rule("GET", "/api/v1/messages", Permission.VIEW_INTERFACES),
    Rule("GET", "/api/v1/messages/{message_id}", Permission.VIEW_INTERFACES),
    Rule("GET", "/api/v1/messages/{message_id}/content", Permission.VIEW_MESSAGES),
    Rule("POST", "/api/v1/messages/{message_id}/replay", Permission.CHANGE_INTERFACES),
    Rule("GET", "/IHEInvokeImageDisplay", Open.PUBLIC),  # the route itself asks who it is
    Rule("GET", "/go/{token}", Open.PUBLIC),  # the token says it
    Rule("POST", "/api/v1/launch-links", Open.PUBLIC),  # the route itself asks for its token
    Rule("POST", "/api/v1/launch", Permission.VIEW_CASES),
    Rule("GET", "/api/v1/sgl-links", Permission.VIEW_CASES),
    Rule("PUT", "/api/v1/sgl-links/{name}", Permission.CHANGE_INTERFACES),
    Rule("DELETE", "/api/v1/sgl-links/{name}", Permission.CHANGE_INTERFACES),
    Rule("GET", "/cases/{case_id}/sgl", Permission.VIEW_CASES),
    Rule("GET", "/api/v1/worklists", Permission.VIEW_CASES),
    Rule("GET", "/api/v1/worklists/{name}", Permission.VIEW_CASES),
    Rule("POST", "/api/v1/worklists/{name}/search", Permission.VIEW_CASES),
    Rule("GET", "/api/v1/worklist-filters", Permission.VIEW_CASES),
    Rule("POST", "/api/v1/worklist-filters", Permission.VIEW_CASES),
    Rule("DELETE", "/api/v1/worklist-filters/{filter_id}", Permission.VIEW_CASES),
    Rule("GET", "/api/v1/cases", Permission.VIEW_CASES),
    Rule("GET", "/api/v1/cases/{case_id}", Permission.VIEW_CASES),
    Rule("GET", "/api/v1/cases/{case_id}/reports/{report_id}", Permission.VIEW_CASES),
    Rule("POST", "/api/v1/cases/{case_id}/assign", Permission.ASSIGN_CASES),
    Rule("POST", "/api/v1/cases/{case_id}/state", Permission.READ_CASES),
    Rule("POST", "/api/v1/cases/{case_id}/hold", Permission.READ_CASES),
    Rule("POST", "/api/v1/cases/{case_id}/work-orders", Permission.READ_CASES),
    Rule(
        "POST",
        "/api/v1/cases/{case_id}/work-orders/{order_id}/withdraw",
        Permission.READ_CASES,
    ),
    Rule("POST", "/api/v1/cases/{case_id}/glass/{glass_id}/rescan", Permission.READ_CASES),
    Rule(
        "POST",
        "/api/v1/cases/{case_id}/glass/{glass_id}/rescan/withdraw",
        Permission.READ_CASES,
    ),
    Rule("GET", "/api/v1/rescans", Permission.VIEW_CASES),
    Rule("GET", "/api/v1/assignees", Permission.VIEW_CASES),
    Rule("GET", "/api/v1/groups", Permission.VIEW_CASES),
    Rule("POST", "/api/v1/groups", Permission.CHANGE_CASE_RULES),
    Rule("PUT", "/api/v1/groups/{group_id}", Permission.CHANGE_CASE_RULES),
    Rule("DELETE", "/api/v1/groups/{group_id}", Permission.CHANGE_CASE_RULES),
    Rule("PUT", "/api/v1/accounts/{account_id}/number", Permission.CHANGE_CASE_RULES),
    Rule("GET", "/api/v1/assignment-rules", Permission.VIEW_CASES),
    Rule("PUT", "/api/v1/assignment-rules", Permission.CHANGE_CASE_RULES),
    Rule("POST", "/api/v1/assignment-rules/simulate", Permission.CHANGE_CASE_RULES),
    Rule("GET", "/api/v1/turnaround", Permission.VIEW_CASES),
    Rule("PUT", "/api/v1/turnaround", Permission.CHANGE_CASE_RULES),
    Rule("GET", "/metrics", Open.PUBLIC),  # the route itself asks for its token
    Rule("GET", "/slides/{slide_id}/focus", Permission.VIEW_SLIDES),
    Rule("GET", "/slides/{slide_id}/icc", Permission.VIEW_SLIDES),
    Rule("GET", "/slides/{slide_id}/{kind}", Permission.VIEW_SLIDES),
    Rule("GET", "/iiif/3/{slide}", Permission.VIEW_SLIDES),
    Rule("GET", "/iiif/3/{slide}/info.json", Permission.VIEW_SLIDES),
    Rule("GET", "/iiif/3/{slide}/{region}/{size}/{rotation}/{picture}", Permission.VIEW_SLIDES),
    Rule("GET", "/dzi/{document}", Permission.VIEW_SLIDES),
    Rule("GET", "/dzi/{files}/{level}/{tile}", Permission.VIEW_SLIDES),
    Rule("GET", "/tiles/{slide}/{level}", Permission.VIEW_SLIDES),
    Rule("GET", "/tiles/{slide}/{level}/{column}/{row}", Permission.VIEW_SLIDES),
    Rule("GET", "/zarr/{slide}/zarr.json", Permission.VIEW_SLIDES),
    Rule("GET", "/zarr/{slide}/{level}/zarr.json", Permission.VIEW_SLIDES),
    Rule("GET", "/zarr/{slide}/{level}/c/{channel}/{row}/{column}", Permission.VIEW_SLIDES),
    Rule("GET", "/zarr/{slide}/{level}/c/{channel}/{plane}/{row}/{column}", Permission.VIEW_SLIDES),
    Rule("GET", "/dicomweb/studies", Permission.VIEW_SLIDES),
    Rule("GET", "/dicomweb/series", Permission.VIEW_SLIDES),
    Rule("GET", "/dicomweb/instances", Permission.VIEW_SLIDES),
    Rule("GET", "/dicomweb/studies/{study}", Permission.VIEW_SLIDES),
    Rule("GET", "/dicomweb/studies/{study}/series", Permission.VIEW_SLIDES),
    Rule("GET", "/dicomweb/studies/{study}/instances", Permission.VIEW_SLIDES),
    Rule("GET", "/dicomweb/studies/{study}/metadata", Permission.VIEW_SLIDES),
    Rule("GET", _SERIES, Permission.VIEW_SLIDES),
    Rule("GET", _SERIES + "/instances", Permission.VIEW_SLIDES),
    Rule("GET", _SERIES + "/metadata", Permission.VIEW_SLIDES),
    Rule("GET", _INSTANCE, Permission.VIEW_SLIDES),
    Rule("GET", _INSTANCE + "/metadata", Permission.VIEW_SLIDES),
    Rule("GET", _INSTANCE + "/frames/{frames}", Permission.VIEW_SLIDES),
    Rule("GET", _INSTANCE + "/bulkdata/{element}", Permission.VIEW_SLIDES),
    Rule("GET", _INSTANCE + "/rendered", Permission.VIEW_SLIDES),
    Rule("GET", _INSTANCE + "/frames/{frames}/rendered", Permission.VIEW_SLIDES),
    Rule("GET", _INSTANCE + "/thumbnail", Permission.VIEW_SLIDES),
    Rule("GET", _SERIES + "/thumbnail", Permission.VIEW_SLIDES),
    Rule("GET", "/dicomweb/studies/{study}/thumbnail", Permission.VIEW_SLIDES),
)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + r"\Z")


def _place(method: str, path: str) -> tuple[str, str]:
    """Method and first segment: enough to leave nearly every other rule aside."""
    return method, path.split("/", 2)[1] if path.startswith("/") else ""


_RULES_OF: dict[tuple[str, str], list[tuple[re.Pattern[str], Rule]]] = {}
for _rule in RULES:
    _rules_there = _RULES_OF.setdefault(_place(_rule.method, _rule.path), [])
    _rules_there.append((_pattern(_rule.path), _rule))


def rule_for(method: str, path: str) -> Rule | None:
    """The rule of a request; HEAD asks what GET asks."""
    place = _place("GET" if method == "HEAD" else method, path)
    for pattern, rule in _RULES_OF.get(place, ()):
        if pattern.match(path):
            return rule
    return None


def methods_of(path: str) -> list[str]:
    """Every method that some rule allows on a path, in order; none for an unknown path."""
    methods = {rule.method for rule in RULES if _pattern(rule.path).match(path)}
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)
