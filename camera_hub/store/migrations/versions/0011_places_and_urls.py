"""devices: which place was approved; streams: addresses sealed

The addresses of streams that earlier versions stored in clear text stay in `uri` until the hub has started with its
key file: it seals them then and empties that column (cameras.streams.addresses). A migration has no key.
"""

import sqlalchemy as sa
from alembic import op

from camera_hub.store.tables.base import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# As cameras.device_checks.place writes it. Names have no address yet: it is kept when they are connected to next.
_APPROVED = """
UPDATE devices SET
    approved_place = CASE WHEN host LIKE '%:%' THEN '[' || host || ']' ELSE host END
        || CASE WHEN coalesce(onvif_port, rtsp_port) IS NULL THEN ''
                ELSE ':' || CAST(coalesce(onvif_port, rtsp_port) AS VARCHAR(5)) END,
    approved_address = CASE WHEN host LIKE '%:%' OR {numeric} THEN host END
WHERE EXISTS (SELECT 1 FROM cameras c WHERE c.device_id = devices.id AND c.state = 'approved')
"""
_NUMERIC = {
    "sqlite": "(host NOT GLOB '*[^0-9.]*' AND host GLOB '*.*.*.*')",
    "postgresql": r"host ~ '^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$'",
}


def upgrade() -> None:
    op.add_column("devices", sa.Column("approved_place", sa.String(length=300), nullable=True))
    op.add_column("devices", sa.Column("approved_address", sa.String(length=45), nullable=True))
    op.add_column("devices", sa.Column("moved_at", UtcDateTime(), nullable=True))
    op.execute(_APPROVED.format(numeric=_NUMERIC[op.get_bind().dialect.name]))
    op.add_column("streams", sa.Column("sealed_uri", sa.LargeBinary(), nullable=True))
    op.add_column("streams", sa.Column("shown_uri", sa.String(length=512), server_default="", nullable=False))


def downgrade() -> None:
    for table, column in (
        ("streams", "shown_uri"),
        ("streams", "sealed_uri"),
        ("devices", "moved_at"),
        ("devices", "approved_address"),
        ("devices", "approved_place"),
    ):
        op.drop_column(table, column)
