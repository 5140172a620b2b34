"""The files of a working folder that are uploaded: only those that are named explicitly."""

from __future__ import annotations

from pathlib import Path

import pytest

from rayocr.driver.commands.working_dir import stage, uploaded
from rayocr.errors import UsageError

PROJECT = Path(__file__).parents[4]


def put(folder: Path, *names: str, text: str = "x") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_only_code_settings_and_prompts_are_uploaded(tmp_path: Path) -> None:
    put(
        tmp_path,
        "rayocr/cli.py",
        "rayocr/gateway/web/page.html",
        "conf/config.yaml",
        "conf/prompts/mine.md",
        "hook.py",
        "olmocr.md",
    )
    put(
        tmp_path, ".env", "prod.env", "key.json", "service-account.json", "kubeconfig.yaml", "token.txt", "notes.docx", "in/a.pdf"
    )
    put(tmp_path, ".venv/lib/x.py", "venv/x.py", "logs/json/a.md", "output/a.md", ".git/config.py", "rayocr/__pycache__/a.py")
    put(tmp_path, "conf/credentials.yaml", "conf/client_secret.yaml", "rayocr/data.bin", "id_rsa.md")
    assert sorted(map(str, uploaded(tmp_path))) == [
        "conf/config.yaml",
        "conf/prompts/mine.md",
        "hook.py",
        "olmocr.md",
        "rayocr/cli.py",
        "rayocr/gateway/web/page.html",
    ]


@pytest.mark.parametrize("text", ['{"private_key": "x"}', "-----BEGIN PRIVATE KEY-----", 'a: {"client_secret": "x"}'])
def test_a_file_with_a_key_in_it_stays(tmp_path: Path, text: str) -> None:
    put(tmp_path, "conf/a.yaml", "readme.md", text=text)
    assert not list(uploaded(tmp_path))


def test_a_link_to_a_file_elsewhere_stays(tmp_path: Path) -> None:
    put(tmp_path, "elsewhere/a.md", "folder/b.md")
    (tmp_path / "folder" / "a.md").symlink_to(tmp_path / "elsewhere" / "a.md")
    assert list(map(str, uploaded(tmp_path / "folder"))) == ["b.md"]


def test_a_folder_without_anything_to_upload_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "a.pdf")
    with pytest.raises(UsageError, match="has nothing to upload"):
        stage(tmp_path, tmp_path / "staged")


def test_a_checkout_is_complete(tmp_path: Path) -> None:
    """Every file of the package and of conf/ is among the allowed kinds: a new kind must be added to the list."""
    sent = set(uploaded(PROJECT))
    for folder in ("rayocr", "conf"):
        for path in (PROJECT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert path.relative_to(PROJECT) in sent, path
    assert stage(PROJECT / "conf", tmp_path) > 1
