"""seasons of plans that come every year"""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("plans") as plans:
        plans.add_column(sa.Column("seasons", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    # An older hub knows no seasons: it would patrol waters in winter, so that such plans rest until somebody looks.
    op.execute("UPDATE plans SET enabled = false WHERE CAST(seasons AS VARCHAR(8)) <> '[]'")
    with op.batch_alter_table("plans") as plans:
        plans.drop_column("seasons")
