"""Incidents of a slide that was destroyed are over: nothing is left that could be damaged."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(STATES)


STATES = """
alter table incident drop constraint incident_state_check;
alter table incident add constraint incident_state_check
    check (state in ('open', 'repaired', 'accepted', 'gone'));
drop index incident_standing;
update incident set state = 'gone', ended_at = now()
where state in ('open', 'accepted')
  and slide_id in (select slide_id from destruction where state = 'done');
create unique index incident_standing on incident (establishment_id, place, object_key)
    where state in ('open', 'accepted');
drop index incident_slide;
create index incident_slide on incident (slide_id) where state in ('open', 'accepted');
"""
