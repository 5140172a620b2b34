"""User errors: one or two lines, the right exit code, no traceback, no partial output."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.support import PATIENCE_S, Cli, CliHere, SimulatedGemini, make_pdf


def test_a_missing_key_is_an_external_cause(cli_without_ray: CliHere) -> None:
    make_pdf(cli_without_ray.folder / "in" / "a.pdf", 1)
    done = cli_without_ray.run("source=in", "engine=gemini")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "GEMINI_API_KEY" in done.stderr
    assert len(done.stderr.splitlines()) <= 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["source=missing"], "does not exist"),
        (["source=in", "dest=in"], "same as the source"),
        (["source=in", "dest=in/out"], "inside the source"),
        (["sorce=in"], "Did you mean source?"),
        (["source=in", "enigne=local"], "Did you mean engine?"),
        (["source=in", "limits.rpm=fast"], "limits.rpm"),
        (["--source", "in"], "key=value"),
        (["source=s3://bucket/x"], "s3://"),
        (["source=in", "engine.chain=[rapidocr,tesserakt]"], "tesserakt"),
        (["source=in", "outputs=[docx]"], "docx"),
        (["mode=status", "dest=nowhere"], "does not exist"),
    ],
)
def test_wrong_usage_is_reported_in_a_line_or_two_with_exit_2(cli_without_ray: CliHere, arguments: list[str], words: str) -> None:
    make_pdf(cli_without_ray.folder / "in" / "a.pdf", 1)
    done = cli_without_ray.run(*arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert words in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert "Traceback" not in done.stderr
    assert not (cli_without_ray.folder / "in" / "out").exists()


def test_modules_of_the_working_folder_are_never_imported(environment: dict[str, str], tmp_path: Path) -> None:
    """A user's folder may hold a queue.py, and a folder of unknown origin a json.py that does harm."""
    make_pdf(tmp_path / "in" / "a.pdf", 1)
    for name in ("glob", "json", "queue", "random", "secrets", "tempfile"):
        (tmp_path / f"{name}.py").write_text("open('imported.txt', 'w').close()\nraise ImportError\n")
    options = ["engine=textlayer", "cluster=inprocess", "gateway.port=0"]
    done = subprocess.run(
        [sys.executable, "-m", "rayocr", "in", "out", *options],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "imported.txt").exists()


def test_a_destination_in_the_source_can_be_asked_for_and_is_not_read(cli: Cli) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 1)
    make_pdf(cli.folder / "in" / "out" / "earlier.pdf", 1)
    done = cli.run("source=in", "dest=in/out", "allow_dest_in_source=true", "engine=textlayer")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (cli.folder / "in" / "out").glob("*.md")] == ["a.md"]


def test_a_destination_that_cannot_be_written_is_refused_before_any_work(cli_without_ray: CliHere) -> None:
    make_pdf(cli_without_ray.folder / "in" / "a.pdf", 1)
    (cli_without_ray.folder / "file").write_text("")
    done = cli_without_ray.run("source=in", "dest=file/out")
    assert done.returncode == 3, done.stdout + done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert "Traceback" not in done.stderr


def test_no_ray_at_the_address_is_reported_with_exit_3(cli_without_ray: CliHere) -> None:
    make_pdf(cli_without_ray.folder / "in" / "a.pdf", 1)
    done = cli_without_ray.run("source=in", "dest=out", "cluster=127.0.0.1:9")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "Cannot connect to the Ray cluster at 127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_key_stops_the_run_with_exit_3_and_few_calls(cli: Cli, gemini: SimulatedGemini) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 40)
    done = cli.run("source=in", "dest=out", "engine=gemini", **(gemini.variables | {"GEMINI_API_KEY": "wrong"}))
    assert done.returncode == 3, done.stdout + done.stderr
    assert "GEMINI_API_KEY" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_that_was_closed_does_not_change_the_exit_code(cli_without_ray: CliHere) -> None:
    command = cli_without_ray.command(["source=missing"])
    ours, theirs = os.openpty()
    os.close(ours)
    done = subprocess.Popen(
        command, env=cli_without_ray.environment, cwd=cli_without_ray.folder, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    assert done.wait(PATIENCE_S) == 2


def _mount_command(size: str, folder: Path) -> list[str] | None:
    """A command prefix that runs a command with a small file system on the folder, or None if mounting is not allowed."""
    if sys.platform != "linux" or not shutil.which("unshare"):
        return None
    script = f'mount -t tmpfs -o size={size} tmpfs "{folder}" && exec "$@"'
    for flags in (["-m"], ["-U", "-r", "-m"]):
        prefix = ["unshare", *flags, "sh", "-c", script, "sh"]
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
            return prefix
    return None


def test_a_full_disk_stops_the_run_with_exit_3_and_leaves_nothing_half_written(
    environment: dict[str, str], tmp_path: Path
) -> None:
    dest = tmp_path / "out"
    dest.mkdir()
    prefix = _mount_command("160k", dest)
    if prefix is None:
        pytest.skip("this machine does not let the test mount a small file system")
    for number in range(40):
        make_pdf(tmp_path / "in" / f"{number:02}.pdf", 30)
    tails = f'find "{dest}" -name "*.md" -exec tail -n 2 {{}} \\;'
    listing = f'"$@"; code=$?; ls -lR "{dest}" > "{tmp_path}/listing"; {tails} > "{tmp_path}/tails"; exit $code'
    command = [sys.executable, "-m", "rayocr", "source=in", f"dest={dest}", "engine=textlayer", "cluster=inprocess"]
    done = subprocess.run(
        [*prefix, "sh", "-c", listing, "sh", *command],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stdout + done.stderr
    assert "full" in done.stderr.lower() or "space" in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 2
