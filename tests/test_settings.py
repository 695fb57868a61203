"""Settings: complete sample file, unknown keys refused, environment over file."""

import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from camera_hub.errors import HubError, Kind
from camera_hub.settings import Settings, load

SAMPLE = Path(__file__).parent.parent / "config" / "camera_hub.toml"


def _sections() -> dict[str, type[BaseModel]]:
    return {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }


def test_the_sample_file_lists_every_key_and_no_other() -> None:
    written = tomllib.loads(SAMPLE.read_text("utf-8"))
    assert {name: set(keys) for name, keys in written.items()} == {
        name: set(section.model_fields) for name, section in _sections().items()
    }


def test_the_sample_file_stands_at_the_defaults() -> None:
    assert load(SAMPLE, {}) == Settings() == load(None, {})


def test_every_key_of_the_sample_file_has_a_comment() -> None:
    lines = [line for line in SAMPLE.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if len(line.partition(" # ")[2]) < 3] == []


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[server]\nprot = 1", "server.prot"),
        ("[sever]\nport = 1", "sever"),
        ("[server]\nport = 70000", "server.port"),
        ("[server]\nport = 'x'", "server.port"),
        ("server = 1", "server"),
        ("[access]\npassword_min_length = 4", "access.password_min_length"),
        ("[ingest]\ntransport = 'quic'", "ingest.transport"),
    ],
)
def test_an_unknown_or_wrong_key_is_refused_by_name(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(text)
    with pytest.raises(HubError) as caught:
        load(path, {})
    assert caught.value.kind is Kind.INVALID
    assert f"setting {key} in {path}" in caught.value.detail


@pytest.mark.parametrize(("name", "said"), [("missing.toml", "cannot be read"), ("broken.toml", "is not valid TOML")])
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "broken.toml").write_text("[server\n")
    with pytest.raises(HubError, match=said):
        load(tmp_path / name, {})


def test_the_environment_beats_the_file(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    path.write_text("[server]\nport = 1\nhost = '127.0.0.2'\n")
    settings = load(
        path,
        {
            "CAMERA_HUB_SERVER__PORT": "9000",
            "CAMERA_HUB_SERVER__PUBLIC_ORIGINS": '["https://hub.example"]',
            "CAMERA_HUB_DATABASE__URL": "postgresql+psycopg://hub@127.0.0.1/hub",
            "CAMERA_HUB_MEDIA__LINGER": "2.5",
            "CAMERA_HUB_SKIP_WEB": "1",
            "HOME": "/nowhere",
        },
    )
    assert (settings.server.port, settings.server.host) == (9000, "127.0.0.2")
    assert settings.server.public_origins == ("https://hub.example",)
    assert settings.database_url == "postgresql+psycopg://hub@127.0.0.1/hub"
    assert settings.media.linger == 2.5


def test_an_unknown_variable_is_refused_too() -> None:
    with pytest.raises(HubError, match=r"server\.prot"):
        load(None, {"CAMERA_HUB_SERVER__PROT": "1"})


def test_settings_are_frozen_and_sqlite_is_in_the_data_folder(tmp_path: Path) -> None:
    settings = load(None, {"CAMERA_HUB_SERVER__DATA_DIR": str(tmp_path)})
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/camera_hub.sqlite3"
    with pytest.raises(ValidationError, match="frozen"):
        settings.server.port = 1  # type: ignore[misc]  # that is what must fail
