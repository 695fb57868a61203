"""devices: how they were described, a port of their vendor's interface, a typed RTSP port, disks; cameras: number"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("devices", sa.Column("http_port", sa.Integer(), nullable=True))
    op.add_column("devices", sa.Column("rtsp_port_typed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("devices", sa.Column("via", sa.String(16), nullable=False, server_default="onvif"))
    op.add_column("devices", sa.Column("disks", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("cameras", sa.Column("number", sa.Integer(), nullable=True))
    op.execute("UPDATE devices SET via = 'url' WHERE onvif_port IS NULL")


def downgrade() -> None:
    op.drop_column("cameras", "number")
    for name in ("disks", "via", "rtsp_port_typed", "http_port"):
        op.drop_column("devices", name)
