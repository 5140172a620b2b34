"""Reads lines with ONNX models.

ONNX Runtime's telemetry is off: by default, it sends usage data to Microsoft and leaves a device id in ~/.cache. ONNX Runtime
reads the variable when it is imported, which only modules of this package do. A variable that the user sets takes precedence.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
