"""DICOMweb: what the headers of the instances say, to be searched and told without the store.

Made from the instances when they are published, and made again from them when it is lost.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(SCHEMA)
    for table in ("dicom_series", "dicom_instance"):
        op.execute(WALL.format(table=table))


SCHEMA = """
create index slide_study on slide (establishment_id, study_uid);

-- Of everything before the first frame: what a slide says of itself is proved by it.
alter table instance add header_bytes bigint;
alter table instance add header_sha256 bytea;
grant update (header_bytes, header_sha256) on instance to sgi_app;

-- Whether all of what its headers say is in the tables below.
alter table slide add on_record boolean not null default false;
create index slide_not_on_record on slide (establishment_id, published_at desc, id desc)
    where not on_record;
grant update (on_record) on slide to sgi_app;

-- One row a slide: what can be searched of its base's header, as DICOM JSON.
create table dicom_series (
    slide_id uuid primary key references slide on delete cascade,
    establishment_id uuid not null references establishment,
    study_uid text not null,
    series_uid text not null,
    published_at timestamptz not null,
    document jsonb not null,
    -- Names of persons without case and accents, by tag.
    folded jsonb not null
);
create index dicom_series_study on dicom_series (establishment_id, study_uid);
create index dicom_series_published on dicom_series
    (establishment_id, published_at desc, slide_id);
create index dicom_series_values on dicom_series using gin (document jsonb_path_ops);

-- One row an instance: all of its header as DICOM JSON, bulk data as their place.
create table dicom_instance (
    sop_uid text primary key references instance on delete cascade,
    slide_id uuid not null references dicom_series on delete cascade,
    establishment_id uuid not null references establishment,
    number integer not null,
    document jsonb not null
);
create index dicom_instance_slide on dicom_instance (slide_id, number);
"""

WALL = """
alter table {table} enable row level security;
create policy own_establishment on {table}
    using (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid)
    with check (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid);
grant select, insert on {table} to sgi_app;
"""
