"""Who did what to which object: rows that are written and read, never changed."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sgi.catalogue.database import Connection


class Action(StrEnum):
    """What was done."""

    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    VIEW_SLIDE = "view_slide"
    """Opened, or its tiles read."""
    SHOW_LABEL = "show_label"
    """Its label or overview looked at, in a list or alone: they carry names."""
    PUBLISH_SLIDE = "publish_slide"
    RETRY_ARRIVAL = "retry_arrival"
    ADD_ESTABLISHMENT = "add_establishment"
    CREATE_ACCOUNT = "create_account"
    CHANGE_QUALITY_LIMITS = "change_quality_limits"
    CHANGE_TIER_POLICY = "change_tier_policy"
    ASK_RESTORE = "ask_restore"
    ASK_COLD = "ask_cold"
    MAKE_COLD = "make_cold"
    """Its large levels lie in the cold store alone."""
    RESTORE_SLIDE = "restore_slide"
    """They can be read again."""
    CHANGE_FORECAST_ACTIVITY = "change_forecast_activity"
    FIND_DAMAGE = "find_damage"
    """A stored object is not what was written."""
    REPAIR_DAMAGE = "repair_damage"
    ACCEPT_DAMAGE = "accept_damage"
    VERIFY_SLIDE = "verify_slide"
    """A person asked for it; the scrub's own rounds are no audit's matter."""
    CHANGE_RETENTION = "change_retention"
    PLACE_HOLD = "place_hold"
    LIFT_HOLD = "lift_hold"
    ASK_DESTRUCTION = "ask_destruction"
    APPROVE_DESTRUCTION = "approve_destruction"
    WITHDRAW_DESTRUCTION = "withdraw_destruction"
    BEGIN_DESTRUCTION = "begin_destruction"
    DESTROY_SLIDE = "destroy_slide"
    """Nothing of it is left in any store; its certificate is written."""
    VIEW_PATIENT = "view_patient"
    """Who they are, and all that was said of them."""
    COMPARE_PATIENT = "compare_patient"
    """An INS datamatrix was held against who they are."""
    VIEW_IDENTIFICATION = "view_identification"
    """Slides without a glass, with the patients whose they may be."""
    ATTACH_SLIDE = "attach_slide"
    """It is the image of a glass from now on."""
    DETACH_SLIDE = "detach_slide"
    CHOOSE_SCAN = "choose_scan"
    """Which of several scans of a glass is shown first."""
    TELL_IDENTITY = "tell_identity"
    """Its instances say anew whose they are; those before are retired."""
    VIEW_MESSAGE = "view_message"
    """A message of the laboratory's, whole: it names patients."""
    REPLAY_MESSAGE = "replay_message"
    RETRY_NOTICE = "retry_notice"
    """Something is told to the laboratory again."""
    GIVE_UP_NOTICE = "give_up_notice"
    REMOVE_INTERFACE = "remove_interface"
    """One that nobody serves any more; what it was to tell is given up."""
    LAUNCH = "launch"
    """Another system had something opened, by somebody who is signed in here."""
    MAKE_LAUNCH_LINK = "make_launch_link"
    """A system was given a link that opens one case once, for a guest."""
    USE_LAUNCH_LINK = "use_launch_link"
    ADD_LAUNCH_CLIENT = "add_launch_client"
    """A system may ask for such links from now on."""
    END_LAUNCH_CLIENT = "end_launch_client"
    CHANGE_SGL_LINK = "change_sgl_link"
    OPEN_SGL = "open_sgl"
    """A case was opened in the laboratory's system from here."""
    VIEW_CASE = "view_case"
    """Its page, with the patient's identity."""
    LIST_CASES = "list_cases"
    """Worklists or searches of them, which name patients: once a session."""
    VIEW_REPORT = "view_report"
    ASSIGN_CASE = "assign_case"
    CHANGE_CASE_STATE = "change_case_state"
    HOLD_CASE = "hold_case"
    """Put aside, or taken up again."""
    ASK_WORK = "ask_work"
    """A recut or a stain."""
    WITHDRAW_WORK = "withdraw_work"
    """A recut, a stain, or a new scan by its order."""
    ASK_RESCAN = "ask_rescan"
    WITHDRAW_RESCAN = "withdraw_rescan"
    CHANGE_CASE_RULES = "change_case_rules"
    """Groups, rules of assignment, targets, numbers of pathologists."""
    SET_PASSWORD = "set_password"  # noqa: S105 - the name of an action


@dataclass(frozen=True, slots=True)
class Actor:
    """On whose behalf; all None for the system itself."""

    account_id: UUID | None = None
    session_id: UUID | None = None
    address: str | None = None


SYSTEM = Actor()


async def record(
    connection: Connection,
    establishment_id: UUID,
    actor: Actor,
    action: Action,
    object_id: UUID | None = None,
    outcome: str = "success",
) -> None:
    """Add one audit row, in the transaction of what it records."""
    await connection.execute(
        """insert into audit
               (establishment_id, account_id, session_id, action, object_id, outcome, address)
           values (%s, %s, %s, %s, %s, %s, %s)""",
        [
            establishment_id,
            actor.account_id,
            actor.session_id,
            action,
            object_id,
            outcome,
            actor.address,
        ],
    )


async def record_once(
    connection: Connection, establishment_id: UUID, actor: Actor, action: Action, slide_id: UUID
) -> None:
    """`record`, unless this session's use of the slide is on record; a view covers its label."""
    # Others who ask the same wait until this transaction ends: the tiles of a screen, asked
    # for at once, are one view.
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{actor.session_id} {slide_id}"]
    )
    cursor = await connection.execute(
        """select 1 from audit
           where session_id = %s and object_id = %s and action = any(%s) limit 1""",
        [actor.session_id, slide_id, [action, Action.VIEW_SLIDE]],
    )
    if await cursor.fetchone() is None:
        await record(connection, establishment_id, actor, action, slide_id)
