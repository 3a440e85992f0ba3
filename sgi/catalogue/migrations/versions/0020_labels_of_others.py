"""A slide may wait because its label's INS code is another person's than the glass's patient."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(REASONS)


REASONS = """
alter table slide drop constraint slide_unidentified_check;
alter table slide add constraint slide_unidentified_check check (unidentified in (
    'waiting', 'nothing_read', 'patient_code', 'unknown', 'several', 'cancelled',
    'contradiction', 'another_patient', 'undone'));
"""
