"""What a file says as one document; several slides of one file; how frames are to be read."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(FACTS)
    op.execute(SCENES)
    op.execute(FRAMES)


FACTS = """
alter table slide add facts jsonb;
update slide set facts = jsonb_build_object(
    'format', format,
    'pixel_spacing_mm', to_jsonb(pixel_spacing_mm),
    'objective_power', objective_power,
    'scanned_at', scanned_at,
    'manufacturer', manufacturer,
    'model', model,
    'serial_number', serial_number,
    'icc', icc,
    'metadata', metadata
);
alter table slide
    alter facts set not null,
    drop format, drop pixel_spacing_mm, drop objective_power, drop scanned_at,
    drop manufacturer, drop model, drop serial_number, drop icc, drop metadata;
"""

SCENES = """
alter table slide add scene integer not null default 0;
alter table slide drop constraint slide_arrival_id_key;
alter table slide drop constraint slide_establishment_id_source_sha256_key;
alter table slide add unique (arrival_id, scene);
alter table slide add unique (establishment_id, source_sha256, scene);
"""

# Every frame that was stored before is JPEG in YCbCr or RGB, or an uncompressed picture in RGB;
# a browser needs not be told which.
FRAMES = """
alter table instance add photometric text not null default 'RGB';
alter table instance alter photometric drop default;
"""
