from __future__ import annotations

import pytest

from rayocr.config import RayocrConfig
from rayocr.driver.commands.submit import entrypoint
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
