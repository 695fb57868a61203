"""login profiles: logins that devices of a village share, and which devices have them"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "login_profiles",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("village_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("username", sa.String(length=128), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Integer(), nullable=False),
        sa.Column("changed_name", sa.String(length=64), nullable=False),
        sa.Column("on_behalf", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["village_id"], ["villages.id"], name=op.f("fk_login_profiles_village_id_villages"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_profiles")),
        sa.UniqueConstraint("village_id", "name", name=op.f("uq_login_profiles_village_id")),
    )
    op.create_index(op.f("ix_login_profiles_village_id"), "login_profiles", ["village_id"])
    with op.batch_alter_table("device_logins") as batch:
        batch.add_column(sa.Column("profile_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("profile_version", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("asked_version", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("asked_reason", sa.String(length=32), nullable=True))
        batch.create_foreign_key(
            op.f("fk_device_logins_profile_id_login_profiles"),
            "login_profiles",
            ["profile_id"],
            ["id"],
            ondelete="RESTRICT",
        )
        batch.create_index(op.f("ix_device_logins_profile_id"), ["profile_id"])


def downgrade() -> None:
    with op.batch_alter_table("device_logins") as batch:
        batch.drop_constraint(op.f("fk_device_logins_profile_id_login_profiles"), type_="foreignkey")
        batch.drop_index(op.f("ix_device_logins_profile_id"))
        for column in ("asked_reason", "asked_at", "asked_version", "profile_version", "profile_id"):
            batch.drop_column(column)
    op.drop_index(op.f("ix_login_profiles_village_id"), table_name="login_profiles")
    op.drop_table("login_profiles")
