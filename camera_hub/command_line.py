"""The command line: serve · demo · simulate · discover · bench · user · change-key ·
verify-audit.

Expected failures: one line, exit code 1.
"""

import asyncio
import getpass
import json
import sys
from collections.abc import Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from camera_hub import __version__, logs
from camera_hub import cli_parts as shell
from camera_hub.access.accounts import Change
from camera_hub.access.policy import Role, VillageGrant
from camera_hub.access.setup import FirstSetup
from camera_hub.app import create_app
from camera_hub.bench.cli import app as bench
from camera_hub.clock import SystemClock
from camera_hub.errors import HubError, Kind
from camera_hub.serving import Serving, StopSignal, serving, warn_if_open
from camera_hub.settings import Settings, load

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Camera hub 视频联网平台"
)
users = typer.Typer(no_args_is_help=True, help="Accounts, from the shell of the machine that holds the data.")
app.add_typer(users, name="user")
app.add_typer(bench, name="bench")

ConfigFile = Annotated[Path | None, typer.Option("--config", help="Settings file; see config/camera_hub.toml.")]


@app.command()
def serve(config: ConfigFile = None) -> None:
    """Run the hub. The first start shows a one-time link for creating the first township admin."""
    settings = _settings(config)
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    warn_if_open(settings)

    async def announce(hub: Serving) -> None:
        setup: FirstSetup = hub.parts[FirstSetup]
        typer.echo(f"camera hub {__version__}: {hub.url}")
        if (token := await setup.new_token()) is not None:
            minutes = settings.access.setup_link_minutes
            typer.echo(f"First start: open this link once, within {minutes:g} minutes (初始化链接，只能使用一次):")
            typer.echo(f"  {hub.url}/setup#token={token}")

    with StopSignal() as stop:
        async with serving(settings, SystemClock(), announce):
            await stop.wait()
            typer.echo("camera hub is stopping …")


@app.command()
def demo(
    smoke: Annotated[bool, typer.Option("--smoke", help="Open pictures, print one line of JSON, exit.")] = False,
    data: Annotated[Path | None, typer.Option(help="Data folder to keep; a temporary one by default.")] = None,
    port: Annotated[int | None, typer.Option(help="8000 by default; any free one with --smoke.")] = None,
    cameras: Annotated[int, typer.Option(min=1, help="In all villages together.")] = 64,
    villages: Annotated[int, typer.Option(min=1, max=250)] = 16,
    faults: Annotated[bool, typer.Option(help="Break a few cameras on purpose.")] = True,
    key_frames: Annotated[
        str,
        typer.Option(
            help="Who gets a key frame at once: at_once, first_only, on_request or wait (simulate --help-farm)."
        ),
    ] = "first_only",
) -> None:
    """Virtual villages and a hub in one command; accounts are printed."""
    from camera_hub.demo import run  # its WebRTC client is loaded only when needed

    logs.set_up("WARNING")
    if smoke:
        raise typer.Exit(run.run_smoke(run.Options(data, port or 0, villages, cameras, faults, key_frames)))
    run.run_show(run.Options(data, port, villages, cameras, faults, key_frames))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def simulate(context: typer.Context) -> None:
    """Run a farm of virtual villages with cameras (all its options: simulate --help-farm)."""
    from camera_hub.simulator.cli import main as run_farm  # numpy and av are loaded only when needed

    raise typer.Exit(run_farm(["--help"] if context.args == ["--help-farm"] else context.args))


@app.command()
def discover(
    ranges: Annotated[list[str] | None, typer.Argument(help="192.168.1.0/24 or 192.168.1.2-192.168.1.99 …")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    config: ConfigFile = None,
) -> None:
    """Search for cameras and recorders: by multicast, and address by address in the given ranges. Registers nothing."""
    for found in asyncio.run(shell.discover(_settings(config), ranges or [])):
        if as_json:
            typer.echo(json.dumps(asdict(found), ensure_ascii=False))
        else:
            what = " ".join(filter(None, (found.name, found.manufacturer, found.model)))
            typer.echo(f"{found.host}:{found.port}\t{what or '-'}\t{found.reason or 'ok'}")


@users.command("list")
def list_users(config: ConfigFile = None) -> None:
    """List all accounts."""

    async def work() -> None:
        async with shell.accounts(_settings(config)) as found:
            for account in await found.all():
                state = "disabled" if account.disabled else ""
                typer.echo("\t".join((account.username, account.display_name, account.role.value, state)).rstrip())

    _run(work())


@users.command("add")
def add_user(
    username: str,
    role: Role,
    name: Annotated[str, typer.Option(help="Display name; the user name by default.")] = "",
    village: Annotated[
        list[int] | None, typer.Option(help="Id of a village to which the user is restricted; repeatable.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Create an account. The password is prompted for, or read from standard input; never an argument."""

    async def work() -> None:
        grants = [VillageGrant(one) for one in village] if village else None
        async with shell.accounts(_settings(config)) as found:
            account = await found.create(username, name or username, role, _password(), grants)
            typer.echo(f"{account.username} ({account.role.value}) created")

    _run(work())


@users.command("reset-password")
def reset_password(username: str, config: ConfigFile = None) -> None:
    """Give an account a new password; its sessions end."""

    async def work() -> None:
        async with shell.accounts(_settings(config)) as found:
            account = await found.named(username)
            await found.change(account.id, Change(password=_password()))
            typer.echo(f"{account.username} has a new password")

    _run(work())


@app.command("change-key")
def change_key(config: ConfigFile = None) -> None:
    """Give the vault a new key and seal every login with it; the hub must not run (else: 系统 → 运行状态 in its pages).

    May be interrupted and started again at any time. Backups from before need a copy of the old key file.
    """

    async def work() -> None:
        locked = await shell.change_key(_settings(config), lambda name, done: typer.echo(f"{name}: {done} sealed anew"))
        if locked:
            typer.echo(f"{locked} values could be opened with no key and were left as they are", err=True)
        typer.echo("the old key is removed")

    _run(work())


@app.command("verify-audit")
def verify_audit(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, also of an error.")] = False,
    restored: Annotated[
        str | None,
        typer.Option(help="Why and by whom an older state of the database was restored; recorded in the chain."),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Verify that nothing sealed was changed: links, sealed records, their pictures. The hub may run or not.

    Exit code 0: all as it was sealed. 1: something was changed, and is named. 2: not everything could be verified. Of a
    long chain, standard error tells how far it has come.
    """
    try:
        settings = _settings(config)
        if restored is not None:
            asyncio.run(shell.tell_restored(settings, restored))
        report = asyncio.run(shell.verify_audit(settings, lambda line: typer.echo(line, err=True)))
    except HubError as error:
        typer.echo(f"camera-hub: {error.detail}", err=True)
        if as_json:
            failed = {"reason": error.reason, "detail": error.detail}
            typer.echo(json.dumps({"error": failed, "exit_code": 2}, ensure_ascii=False))
        raise typer.Exit(2) from error
    for line in [report.as_json()] if as_json else report.lines():
        typer.echo(line)
    raise typer.Exit(report.exit_code)


@app.command(hidden=True)
def openapi() -> None:
    """Print the API's OpenAPI description as JSON; the pages' types are generated from it."""
    typer.echo(json.dumps(create_app(Settings()).openapi(), ensure_ascii=False, indent=1, sort_keys=True))


def _settings(config: Path | None) -> Settings:
    settings = load(config)
    logs.set_up(settings.server.log_level)
    return settings


def _password() -> str:
    """Prompted for twice at a terminal, else the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise HubError(Kind.INVALID, "the two passwords differ; try again")
    return password


def _run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def main() -> None:
    """Run what the process's arguments say. Raises SystemExit."""
    try:
        app()
    except HubError as error:
        typer.echo(f"camera-hub: {error.detail}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
