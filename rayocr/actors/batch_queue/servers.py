"""Opens the server of batch jobs that the configuration names."""

from __future__ import annotations

from rayocr.actors.batch_queue.job import BatchServer
from rayocr.config import RayocrConfig, Secrets
from rayocr.storage.factory import open_storage


def open_server(config: RayocrConfig, secrets: Secrets) -> BatchServer:
    """Opens the server and imports its SDK. Blocks. Raises CredentialsError, EngineUnavailable, StorageError."""
    gemini = config.engine.gemini
    if gemini.vertexai:
        from rayocr.engines.gemini.vertex_batch import VertexJobs

        assert config.batch.gcs is not None, "checked before the run"
        return VertexJobs(gemini, secrets, open_storage(config.batch.gcs, config.storage.state))
    from rayocr.engines.gemini.batch import GeminiJobs

    return GeminiJobs(gemini, secrets)
