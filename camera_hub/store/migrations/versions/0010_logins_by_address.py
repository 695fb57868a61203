"""login accounts: one row per login and address, whether the device is registered or not; with the times of refusals

The former rows, one per device, knew how often the login had been refused, not when. Their tries followed a fixed plan
(0, 0, half an hour, then every six hours), from which the latest times are taken that fit. Failed sign-ins are counted
by other keys from now on; the former ones would have ended within a quarter of an hour.
"""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address

import sqlalchemy as sa
from alembic import op

from camera_hub.store.tables.base import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_PAUSES = {2: timedelta(minutes=30)}
_LATER = timedelta(hours=6)
_DAY = timedelta(hours=24)
_FORMER = sa.table(
    "login_accounts",
    sa.column("device_id", sa.Integer),
    sa.column("credentials_version", sa.Integer),
    sa.column("failures", sa.JSON),
    sa.column("blocked_until", UtcDateTime),
    sa.column("reason", sa.String),
)
_DEVICES = sa.table("devices", sa.column("id", sa.Integer), sa.column("host", sa.String))


def upgrade() -> None:
    bind = op.get_bind()
    op.execute("DELETE FROM login_failures")
    query = sa.select(_FORMER, _DEVICES.c.host).join(_DEVICES, _DEVICES.c.id == _FORMER.c.device_id)
    former = bind.execute(query).all()
    op.drop_table("login_accounts")
    table = op.create_table(
        "login_accounts",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("credentials_version", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(length=32), nullable=False),
        sa.Column("failures", sa.JSON(), nullable=False),
        sa.Column("refused_at", sa.JSON(), nullable=False),
        sa.Column("proved", sa.JSON(), nullable=False),
        sa.Column("under_way", sa.JSON(), nullable=False),
        sa.Column("blocked_until", UtcDateTime(), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_login_accounts_device_id_devices"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_login_accounts")),
    )
    op.create_index(op.f("ix_login_accounts_device_id"), "login_accounts", ["device_id"])
    now = datetime.now(UTC)
    rows = [
        {
            "name": f"device {one.device_id}",
            "address": _canonical(one.host),
            "port": 0,
            "device_id": one.device_id,
            "credentials_version": one.credentials_version,
            "login": "",
            "failures": one.failures,
            "refused_at": _refused_at(one.failures, one.blocked_until, now),
            "proved": [],
            "under_way": {},
            "blocked_until": one.blocked_until,
            "reason": one.reason,
        }
        for one in former
    ]
    if rows:
        op.bulk_insert(table, rows)


def _refused_at(failures: dict[str, int], blocked_until: datetime | None, now: datetime) -> list[list[object]]:
    services = [name for name, count in failures.items() for _ in range(count)]
    total = len(services)
    if not total:
        return []
    at = now if blocked_until is None else min(now, blocked_until - _PAUSES.get(total, _LATER))
    found: list[list[object]] = []
    while total and at > now - _DAY:
        found.append([at.timestamp(), services[total - 1]])
        total -= 1
        at -= timedelta() if total < 2 else _PAUSES.get(total, _LATER)
    return found


def _canonical(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return host.lower()
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def downgrade() -> None:
    op.drop_table("login_accounts")
    op.create_table(
        "login_accounts",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("credentials_version", sa.Integer(), nullable=False),
        sa.Column("failures", sa.JSON(), nullable=False),
        sa.Column("blocked_until", UtcDateTime(), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_login_accounts_device_id_devices"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_login_accounts")),
    )
