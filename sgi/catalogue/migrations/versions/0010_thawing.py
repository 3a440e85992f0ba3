"""Restores that wait for an archive: since when, and when to look again."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(SCHEMA)


SCHEMA = """
alter table tier_move
    drop constraint tier_move_state_check,
    drop constraint tier_move_check,
    add constraint tier_move_state_check
        check (state in ('waiting', 'running', 'thawing', 'done', 'failed', 'cancelled')),
    add constraint tier_move_check
        check ((ended_at is null) = (state in ('waiting', 'running', 'thawing'))),
    add column archive_asked_at timestamptz,  -- since when it is being thawed
    add column look_again_at timestamptz;  -- before then no job is needed
"""
