"""Carousels of scenes, and how long each small tile is magnified"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("scenes") as scenes:
        scenes.add_column(sa.Column("carousels", sa.JSON(), nullable=False, server_default="{}"))
        scenes.add_column(sa.Column("magnify_s", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("scenes") as scenes:
        scenes.drop_column("magnify_s")
        scenes.drop_column("carousels")
