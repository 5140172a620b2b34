"""Defines the structured configuration: one small class per component, units in the names, ranges checked once. Hydra fills the
classes from conf/, the environment and the command line. The classes are not frozen, because Hydra refuses overrides on frozen
schemas, but no code changes them afterwards. The classes do not contain secrets; see `Secrets`.
"""

from rayocr.config.engines import (
    BatchConfig,
    DoubtConfig,
    EngineConfig,
    GeminiConfig,
    OpenAIConfig,
    RapidOcrConfig,
    RenderConfig,
    TesseractConfig,
)
from rayocr.config.limits import BudgetConfig, LimitsConfig, ModelLimitsConfig, RetryConfig
from rayocr.config.mode import Mode
from rayocr.config.observe import GatewayConfig, LogsConfig, SupabaseConfig
from rayocr.config.outputs import CleanPdfConfig, MarkdownConfig, OutputConfig, ReportConfig
from rayocr.config.places import AccessConfig, DedupConfig, LedgerConfig, LocksConfig, LoginConfig, StorageConfig
from rayocr.config.review import CorrectConfig, RereadConfig
from rayocr.config.run import INPROCESS, RayocrConfig
from rayocr.config.secrets import Secrets
from rayocr.config.work import ShutdownConfig, SubmitConfig, WatchConfig, WindowConfig, WorkersConfig

__all__ = [
    "INPROCESS",
    "AccessConfig",
    "BatchConfig",
    "BudgetConfig",
    "CleanPdfConfig",
    "CorrectConfig",
    "DedupConfig",
    "DoubtConfig",
    "EngineConfig",
    "GatewayConfig",
    "GeminiConfig",
    "LedgerConfig",
    "LimitsConfig",
    "LocksConfig",
    "LoginConfig",
    "LogsConfig",
    "MarkdownConfig",
    "Mode",
    "ModelLimitsConfig",
    "OpenAIConfig",
    "OutputConfig",
    "RapidOcrConfig",
    "RayocrConfig",
    "RenderConfig",
    "ReportConfig",
    "RereadConfig",
    "RetryConfig",
    "Secrets",
    "ShutdownConfig",
    "StorageConfig",
    "SubmitConfig",
    "SupabaseConfig",
    "TesseractConfig",
    "WatchConfig",
    "WindowConfig",
    "WorkersConfig",
]
