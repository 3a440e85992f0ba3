"""Rights that change end what was decided by them: every server forgets the account's sessions."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(NOTIFICATION)


NOTIFICATION = """
-- Servers look a forgotten session up again: it has the new role, or is one of a disabled account.
create function rights_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('sgi_session', id::text) from session where account_id = new.id;
    return null;
end $$;
create trigger rights_changed after update on account
    for each row
    when (old.role is distinct from new.role or old.disabled_at is distinct from new.disabled_at)
    execute function rights_changed();
"""
