"""Defines the settings of the workers that fetch and assemble documents, passed by value."""

from __future__ import annotations

from dataclasses import dataclass

from rayocr.actors.document_worker.assemble_settings import AssembleSettings
from rayocr.actors.document_worker.commit import LeaseSettings
from rayocr.actors.document_worker.fetch import FetchSettings
from rayocr.config import Mode, RayocrConfig, Secrets
from rayocr.driver.plan import Plan


@dataclass(frozen=True, slots=True)
class DocumentSettings:
    """Settings of a document worker. `requests_per_s`: limit per process and backend; None: no limit."""

    config: RayocrConfig
    plan: Plan
    keys: Secrets
    run_id: str
    owner: str  # holds the leases
    requests_per_s: float | None

    def assemble(self) -> AssembleSettings:
        config, plan = self.config, self.plan
        return AssembleSettings(
            dest_uri=plan.dest.uri,
            state_uri=plan.state.uri,
            outputs=plan.outputs,
            run_id=self.run_id,
            fingerprint=config.fingerprint(plan.prompts),
            retry=config.retry,
            output=config.output,
            limits=config.limits,
            lease=LeaseSettings(config=config.locks, state_uri=plan.state.uri, owner=self.owner, redis_url=self.keys.redis_url),
            requests_per_s=self.requests_per_s,
            access=config.storage.dest,
            state_access=config.storage.state,
            replace_manifest=config.overwrite or config.mode is Mode.retry,
            keep_contents=config.dedup.documents,
        )

    def fetch(self) -> FetchSettings:
        config = self.config
        return FetchSettings(
            source_uri=self.plan.source.uri,
            limits=config.limits,
            retry=config.retry,
            requests_per_s=self.requests_per_s,
            access=config.storage.source,
            hash_contents=config.dedup.documents,
        )
