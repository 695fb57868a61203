"""observations and alarms: the values that pages insert into their own sentence for a reason"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None

_TABLES = ("observations", "alarms")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("params", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    for table in _TABLES:
        op.drop_column(table, "params")
