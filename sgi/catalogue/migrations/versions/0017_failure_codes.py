"""Why a move or a destruction does not go on, by a code too: people read it in their language."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(CODES)


CODES = """
alter table tier_move add reason_code text;
alter table destruction add failure_code text;
"""
