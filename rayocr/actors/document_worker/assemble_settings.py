"""The settings with which a worker assembles documents."""

from __future__ import annotations

from dataclasses import dataclass, field

from rayocr.actors.document_worker.commit import LeaseSettings
from rayocr.actors.document_worker.document_dedup import contents_name
from rayocr.config import AccessConfig, LimitsConfig, OutputConfig, RetryConfig
from rayocr.outputs.base import Output
from rayocr.storage.base import Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class AssembleSettings:
    dest_uri: str
    state_uri: str
    outputs: tuple[type[Output], ...]
    run_id: str
    fingerprint: str
    retry: RetryConfig
    lease: LeaseSettings
    output: OutputConfig = field(default_factory=OutputConfig)
    requests_per_s: float | None = None  # limit per process for the destination's backend
    access: AccessConfig = field(default_factory=AccessConfig)  # credentials for the destination
    state_access: AccessConfig = field(default_factory=AccessConfig)
    replace_manifest: bool = False  # set by overwrite=true: an older manifest of this document is replaced
    limits: LimitsConfig = field(default_factory=LimitsConfig)  # time and memory limits while the source is open
    keep_contents: bool = False  # set by dedup.documents: the document's result is kept for its copies

    def dest(self) -> Storage:
        from rayocr.storage.factory import cached_storage

        return cached_storage(self.dest_uri, self.requests_per_s, self.access)

    def state(self) -> Storage:
        from rayocr.storage.factory import cached_storage

        return cached_storage(self.state_uri, self.requests_per_s, self.state_access)

    @property
    def needs_source(self) -> bool:
        return any(output.needs_source for output in self.outputs)

    def contents_name(self, content_sha256: str) -> str:
        boxes = any(output.needs_boxes for output in self.outputs)
        return contents_name(content_sha256, self.fingerprint, boxes=boxes)
