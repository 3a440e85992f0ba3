"""Which identifier of who is kept a merge or a change of identifier named."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(SCHEMA)


# `one` and `other` may be one record, which then loses `gone`, until that is kept again.
SCHEMA = """
alter table patient_link add kept uuid references patient_identifier;
"""
