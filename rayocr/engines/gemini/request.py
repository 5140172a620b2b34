"""Creates the settings of a Gemini request: minimal thinking, safety filters, resolution.

The functions are pure and convert rayocr's configuration to the SDK's. They import the SDK, so they are called inside `open()`.
"""

from __future__ import annotations

from typing import Any

from rayocr.config import GeminiConfig
from rayocr.pdf.cut.long_pages import is_in_parts

# Harm categories for text. The enum's other categories are for generated images; text models reject them with a 400.
_CATEGORIES = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT", "CIVIC_INTEGRITY")


PARTS_NOTE = (
    "This PDF shows one page that is too large to be legible as a whole. Its first page shows the whole page, for orientation. "
    "The following pages are its parts, enlarged, from top to bottom and from left to right. Write the text of the page once, in "
    "reading order, as you read it in the parts, with nothing between the parts. If a cut runs through a line of text, write the "
    "line once."
)


def prompt_for(data: bytes, prompt: str) -> str:
    """Returns the prompt for the page in the file `data`."""
    return f"{prompt}\n\n{PARTS_NOTE}" if is_in_parts(data) else prompt


def generation_config(config: GeminiConfig, model: str) -> Any:
    from google.genai import types

    return types.GenerateContentConfig(
        temperature=config.temperature,  # gemini-3.5-flash-lite accepts and ignores it
        max_output_tokens=config.max_output_tokens,
        thinking_config=thinking_config(config.thinking, model),
        media_resolution=_media_resolution(config.media_resolution),
        safety_settings=_safety_settings(config.safety),
        response_mime_type="text/plain",
        # Disables tools, so that the SDK sends no extra requests.
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )


def settings_body(generation: Any) -> dict[str, Any]:
    """Converts the result of `generation_config` to the REST form of a GenerateContentRequest."""
    whole = generation.model_dump(mode="json", by_alias=True, exclude_none=True)
    safety = whole.pop("safetySettings", None)
    whole.pop("automaticFunctionCalling", None)  # only the SDK uses it
    return {"generationConfig": whole} | ({"safetySettings": safety} if safety else {})


def thinking_config(wanted: str, model: str) -> Any:
    """Returns the thinking settings; None leaves thinking to the model. `auto` selects the lowest setting that the model accepts:
    reading needs no reasoning, and thinking tokens are billed as output and count toward `max_output_tokens`."""
    from google.genai import types

    if wanted == "default":
        return None
    if wanted == "off":
        return types.ThinkingConfig(thinking_budget=0)
    if wanted != "auto":
        return types.ThinkingConfig(thinking_level=types.ThinkingLevel(wanted.upper()))
    if model.startswith("gemini-2.5-pro"):
        return types.ThinkingConfig(thinking_budget=128)  # thinking cannot be disabled
    if model.startswith("gemini-2.5-"):
        return types.ThinkingConfig(thinking_budget=0)  # these models do not support levels
    if model.startswith("gemini-3.8-flash") or (model.startswith("gemini-3") and "pro" in model):
        return types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW)  # these models reject MINIMAL with status 400
    if model.startswith("gemini-3"):
        return types.ThinkingConfig(thinking_level=types.ThinkingLevel.MINIMAL)
    return None  # the default for gemma, tuned models and future models


def _media_resolution(wanted: str) -> Any:
    from google.genai import types

    return None if wanted == "default" else types.MediaResolution(f"MEDIA_RESOLUTION_{wanted.upper()}")


def _safety_settings(wanted: str) -> Any:
    from google.genai import types

    if wanted == "default":
        return None
    threshold = types.HarmBlockThreshold(wanted.upper())
    return [
        types.SafetySetting(category=types.HarmCategory(f"HARM_CATEGORY_{category}"), threshold=threshold)
        for category in _CATEGORIES
    ]
