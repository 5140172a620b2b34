from __future__ import annotations

from pathlib import Path

import pytest

from rayocr.config import RayocrConfig
from rayocr.driver.commands.submit import entrypoint, excludes
from rayocr.errors import UsageError


def test_the_command_of_a_job_holds_what_was_given_but_for_submitting() -> None:
    command = entrypoint(
        RayocrConfig(), ["mode=submit", "source=gs://b/a b", "cluster=http://h:8265", "submit.cpus=1", "limit=3"]
    )
    assert command == "exec python -m rayocr 'source=gs://b/a b' limit=3 mode=run cluster=auto progress=plain"


@pytest.mark.parametrize(
    "argument",
    [
        "engine.openai.base_url=https://somebody:hunter22@h/v1",
        "engine.gemini.base_url=https://h/v1?key=abcdefgh",
        "engine.openai.extra_body={api_key: sk-Abcdefghijklmnopqrstuvwxyz01}",
    ],
)
def test_a_command_line_that_everybody_can_read_carries_no_secret(argument: str) -> None:
    with pytest.raises(UsageError, match="carries a key or a password") as refused:
        entrypoint(RayocrConfig(), [argument])
    assert argument.partition("=")[2] not in str(refused.value)


def test_key_files_of_the_working_folder_are_not_sent(tmp_path: Path) -> None:
    from ray._private.runtime_env.packaging import _get_excludes

    keys = [".env", ".env.production", "prod.env", "tls/server.key", "id_ed25519", ".ssh/config", "keys/my robot[1].json"]
    for name in [*keys, "app.py", "conf/settings.json"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    (tmp_path / "keys/my robot[1].json").write_text('{"type": "service_account", "private_key": "x"}')
    is_left_out = _get_excludes(tmp_path, excludes(tmp_path))
    sent = [p for p in tmp_path.rglob("*") if p.is_file() and not any(map(is_left_out, {p, p.parent} - {tmp_path}))]
    assert sorted(str(path.relative_to(tmp_path)) for path in sent) == ["app.py", "conf/settings.json"]
