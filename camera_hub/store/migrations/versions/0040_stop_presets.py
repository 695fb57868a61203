"""presets of each camera of a stop instead of one per stop; what became of them is in the record"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

RUNS = sa.table(
    "runs", sa.column("id", sa.Integer()), sa.column("state", sa.String()), sa.column("itinerary", sa.JSON())
)


def upgrade() -> None:
    op.create_table(
        "tour_stop_presets",
        sa.Column("stop_id", sa.Integer(), nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(128), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["stop_id"],
            ["tour_stops.id"],
            name=op.f("fk_tour_stop_presets_stop_id_tour_stops"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.id"], name=op.f("fk_tour_stop_presets_camera_id_cameras"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("stop_id", "camera_id", name=op.f("pk_tour_stop_presets")),
    )
    op.execute(
        "INSERT INTO tour_stop_presets (stop_id, camera_id, token, name) SELECT id, camera_id, preset, preset_name"
        " FROM tour_stops WHERE preset IS NOT NULL AND camera_id IS NOT NULL"
    )
    with op.batch_alter_table("tour_stops") as stops:
        stops.drop_column("preset")
        stops.drop_column("preset_name")
    with op.batch_alter_table("run_step_cameras") as cameras:
        cameras.add_column(sa.Column("preset", sa.String(128), nullable=True))
        cameras.add_column(sa.Column("preset_state", sa.String(32), nullable=True))
    # Itineraries of runs stay as they are: those of ended patrols are sealed, and either form is read.


def downgrade() -> None:
    with op.batch_alter_table("run_step_cameras") as cameras:
        cameras.drop_column("preset_state")
        cameras.drop_column("preset")
    with op.batch_alter_table("tour_stops") as stops:
        stops.add_column(sa.Column("preset", sa.String(128), nullable=True))
        stops.add_column(sa.Column("preset_name", sa.String(64), nullable=False, server_default=""))
    # An older hub knows presets of single cameras only.
    for column, value in (("preset", "token"), ("preset_name", "name")):
        op.execute(
            f"UPDATE tour_stops SET {column} = (SELECT {value} FROM tour_stop_presets WHERE stop_id = tour_stops.id"
            " AND tour_stop_presets.camera_id = tour_stops.camera_id) WHERE EXISTS (SELECT 1 FROM tour_stop_presets"
            " WHERE stop_id = tour_stops.id AND tour_stop_presets.camera_id = tour_stops.camera_id)"
        )
    op.drop_table("tour_stop_presets")
    connection = op.get_bind()
    for run, itinerary in connection.execute(
        sa.select(RUNS.c.id, RUNS.c.itinerary).where(RUNS.c.state != "ended")
    ).all():
        older = [_older(stop) for stop in itinerary]
        if older != itinerary:
            connection.execute(RUNS.update().where(RUNS.c.id == run).values(itinerary=older))


def _older(stop: dict[str, Any]) -> dict[str, Any]:
    """The stop of a run's itinerary as an older hub reads it."""
    if "presets" not in stop:
        return stop
    kept = {key: value for key, value in stop.items() if key != "presets"}
    single = len(stop["cameras"]) == 1 and len(stop["presets"]) == 1
    return {**kept, "preset": stop["presets"][0]["token"] if single else None}
