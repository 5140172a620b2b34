"""A message keeps the server's own sentence; the client's advice, which the hint replaces, is left out."""

from __future__ import annotations

import pytest
from google.auth.exceptions import DefaultCredentialsError

from rayocr.storage.drive.errors import no_credentials, translate
from rayocr.storage.gcs.errors import translate as translate_gcs

_SAID = (
    "Your default credentials were not found. To set up Application Default Credentials, see"
    " https://cloud.google.com/docs/authentication/external/set-up-adc for more information."
)


@pytest.mark.parametrize(
    "error",
    [
        no_credentials(DefaultCredentialsError(_SAID)),
        translate(DefaultCredentialsError(_SAID), "folder", doing="list"),
        translate_gcs(DefaultCredentialsError(_SAID), "gs://bucket", doing="list"),
    ],
)
def test_missing_credentials_are_one_sentence_and_the_next_step(error: Exception) -> None:
    assert "Your default credentials were not found" in str(error)
    assert "https://" not in str(error)
    assert getattr(error, "hint", None)
