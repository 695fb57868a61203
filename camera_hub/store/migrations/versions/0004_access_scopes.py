"""access scopes: a user sees all villages, or a set of them, each for a time"""

import sqlalchemy as sa
from alembic import op

from camera_hub.store.tables.base import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_USERS = sa.table(
    "users", sa.column("id"), sa.column("role"), sa.column("village_id"), sa.column("all_villages", sa.Boolean())
)
_GRANTS = sa.table("user_villages", sa.column("id"), sa.column("user_id"), sa.column("village_id"))


def upgrade() -> None:
    op.create_table(
        "user_villages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("village_id", sa.Integer(), nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=True),
        sa.Column("valid_until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_villages_user_id_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["village_id"], ["villages.id"], name=op.f("fk_user_villages_village_id_villages"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_villages")),
    )
    for column in ("user_id", "village_id", "valid_from", "valid_until"):
        op.create_index(op.f(f"ix_user_villages_{column}"), "user_villages", [column])
    op.add_column("users", sa.Column("all_villages", sa.Boolean(), nullable=True))
    op.execute(
        _GRANTS.insert().from_select(
            ["user_id", "village_id"],
            sa.select(_USERS.c.id, _USERS.c.village_id).where(
                _USERS.c.role == "village_admin", _USERS.c.village_id.is_not(None)
            ),
        )
    )
    op.execute(_USERS.update().values(all_villages=_USERS.c.role != "village_admin"))
    with op.batch_alter_table("users") as users:
        users.alter_column("all_villages", existing_type=sa.Boolean(), nullable=False)
        users.drop_constraint(op.f("fk_users_village_id_villages"), type_="foreignkey")
        users.drop_column("village_id")


def downgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("village_id", sa.Integer(), nullable=True))
        users.create_foreign_key(
            op.f("fk_users_village_id_villages"), "villages", ["village_id"], ["id"], ondelete="RESTRICT"
        )
    first = sa.select(sa.func.min(_GRANTS.c.village_id)).where(_GRANTS.c.user_id == _USERS.c.id).scalar_subquery()
    op.execute(_USERS.update().where(_USERS.c.role == "village_admin").values(village_id=first))
    with op.batch_alter_table("users") as users:
        users.drop_column("all_villages")
    op.drop_table("user_villages")
