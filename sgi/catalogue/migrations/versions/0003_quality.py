"""The quality gate: what it said of each slide, and each establishment's limits."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(SCHEMA)


SCHEMA = """
alter table slide add quality jsonb;

create table quality_limits (
    establishment_id uuid primary key references establishment,
    limits jsonb not null,
    updated_at timestamptz not null default now()
);
alter table quality_limits enable row level security;
create policy own_establishment on quality_limits
    using (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid)
    with check (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid);
grant select, insert, update, delete on quality_limits to sgi_app;
"""
