"""stream tokens: what their players are for, and whether they hear the cameras

Tokens that exist go on as they did: their players begin with the present, and hear nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stream_tokens", sa.Column("purpose", sa.String(length=8), nullable=False, server_default="record"))
    op.add_column("stream_tokens", sa.Column("sound", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE stream_tokens SET purpose = 'watch'")


def downgrade() -> None:
    op.drop_column("stream_tokens", "sound")
    op.drop_column("stream_tokens", "purpose")
