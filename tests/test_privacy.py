"""The hub sees places and devices, never persons: no such dependency, no model, no table about those who are filmed."""

import json
import os
import re
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pytest

from camera_hub.store.tables import Base

ROOT = Path(__file__).parent.parent

FORBIDDEN_PACKAGES = re.compile(
    r"(?<![a-z])(face|facial|plate|pose|gait|timm|supervision|torch|keras|paddle)|"
    r"insightface|deepface|arcface|retinaface|dlib|mtcnn|anpr|openalpr|fast-?alpr|hyperlpr|re-?id\b|biometr|pedestrian|"
    r"ultralytics|yolo|detectron|mediapipe|deepsort|bytetrack|norfair|tensorflow|onnx|openvino|tflite|mmdet|transformers",
    re.IGNORECASE,
)
"""Recognition and tracking of people and plates, and the engines that run such models: the hub needs none of them."""

FORBIDDEN_FILES = re.compile(
    r"\.(onnx|pt|pth|caffemodel|prototxt|tflite|pb|weights|h5|hdf5|keras|safetensors|engine|mlmodel|npz)$|haarcascade|lbpcascade",
    re.IGNORECASE,
)
FORBIDDEN_COLUMNS = re.compile(
    r"face|person|people|pedestrian|plate|licen[cs]e|gender|(^|[._])age($|_)|ethnic|embedding|biometr|watch_?list|suspect|"
    r"identity_card|id_card|gait",
    re.IGNORECASE,
)


def forbidden_packages(names: Iterable[str]) -> list[str]:
    """Those names that stand for recognising people or plates."""
    return sorted(name for name in names if FORBIDDEN_PACKAGES.search(name))


def forbidden_files(names: Iterable[str]) -> list[str]:
    """Those paths that look like a model."""
    return sorted(name for name in names if FORBIDDEN_FILES.search(name))


def forbidden_columns(names: Iterable[str]) -> list[str]:
    """Those "table.column" names that would hold something about a person who is filmed."""
    return sorted(name for name in names if FORBIDDEN_COLUMNS.search(name))


def _bare(requirement: str) -> str:
    matched = re.match(r"[A-Za-z0-9._-]+", requirement.strip())
    assert matched is not None, requirement
    return re.sub(r"[._-]+", "-", matched.group()).lower()


def _required() -> set[str]:
    """Every distribution that the project's own requirements bring along, as installed here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    waiting = [_bare(text) for text in project["dependencies"]]
    waiting += [_bare(text) for group in project["optional-dependencies"].values() for text in group]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        try:
            requires = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # for another system or Python, or an extra that is not installed
        waiting += [_bare(text) for text in requires if "extra ==" not in text]
    return found


def _npm() -> set[str]:
    """Every npm package that is named or locked."""
    names: set[str] = set()
    package, lock = ROOT / "web" / "package.json", ROOT / "web" / "package-lock.json"
    if package.exists():
        content = json.loads(package.read_text("utf-8"))
        names |= {name for group in ("dependencies", "devDependencies") for name in content.get(group, {})}
    if lock.exists():
        paths = json.loads(lock.read_text("utf-8")).get("packages", {})
        names |= {path.rpartition("node_modules/")[2] for path in paths if path}
    return names


def _shipped() -> list[str]:
    skipped = {"node_modules", "__pycache__", ".git", ".venv"}
    found = []
    for top in ("camera_hub", "web", "config", "tests", "docker"):
        for folder, folders, files in os.walk(ROOT / top):
            folders[:] = set(folders) - skipped
            found += [str((Path(folder) / name).relative_to(ROOT)) for name in files]
    return found


def test_no_dependency_recognises_people_or_plates() -> None:
    required = _required()
    assert {"aiortc", "numpy", "pydantic-core"} <= required
    assert forbidden_packages(required | _npm()) == []


def test_no_model_ships() -> None:
    shipped = _shipped()
    assert "camera_hub/app.py" in shipped
    assert forbidden_files(shipped) == []


def test_no_table_holds_anything_about_who_is_filmed() -> None:
    columns = [f"{table.name}.{column.name}" for table in Base.metadata.tables.values() for column in table.columns]
    assert "cameras.name" in columns
    assert forbidden_columns(columns) == []


@pytest.mark.parametrize(
    "name",
    [
        *(
            "face-recognition",
            "insightface",
            "dlib",
            "face-api.js",
            "deepface",
            "opencv-face",
            "@vladmandic/human-face",
        ),
        *("openalpr", "fast-alpr", "hyperlpr3", "fast-plate-ocr", "torchreid", "mediapipe", "ultralytics"),
        *("onnxruntime", "openvino", "torch", "tensorflow-cpu"),
    ],
)
def test_adding_such_a_package_would_fail(name: str) -> None:
    assert forbidden_packages(["numpy", name]) == [name]


@pytest.mark.parametrize(
    "name", ["eye/yolo.onnx", "sight/haarcascade_frontalface_default.xml", "sight/a.caffemodel", "m.PT"]
)
def test_adding_a_model_would_fail(name: str) -> None:
    assert forbidden_files(["camera_hub/app.py", name]) == [name]


@pytest.mark.parametrize(
    "name", ["faces.id", "cameras.last_plate", "persons.name", "observations.embedding", "alarms.age"]
)
def test_adding_such_a_column_would_fail(name: str) -> None:
    assert forbidden_columns(["cameras.name", "users.username", "observations.stage", name]) == [name]
