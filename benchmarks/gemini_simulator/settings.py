"""The settings of the simulator. All durations are simulated seconds: `speed` simulated seconds take one real second."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Settings:
    speed: float = 1.0  # an hour of 503s takes 36 s at a speed of 100
    latency_s: float = 0.0
    latency_jitter_s: float = 0.0  # largest random addition to the latency
    max_in_flight: int = 0  # requests in flight; above it: 429; 0: no limit
    rpm: float = 0.0  # requests in any 60 s; above it: 429; 0: no limit
    tpm: float = 0.0  # input tokens in any 60 s; 0: no limit
    rpd: float = 0.0  # requests since the start, or since it was last set; 0: no limit
    usd_per_10min: float = 0.0  # largest bill in any 600 s; 0: no limit
    finish_reason: str = "STOP"
    error_status: int = 0  # status of the answer to `error_share` of the requests
    error_share: float = 0.0
    key: str = "simulated-key"
    forbidden_key: str = "forbidden-key"  # a known key of a project that may not use the API
    recitation_share: float = 0.0  # share of requests that are refused at random
    recitation_always_share: float = 0.0  # share of pages that are refused at every attempt
    loop_share: float = 0.0  # share of pages whose answer repeats itself and stops by itself
    cut_off_share: float = 0.0  # share of pages that get half of the answer, and MAX_TOKENS
    invent_share: float = 0.0  # share of pages whose answer is another text of the same length
    poison_share: float = 0.0  # share of pages that are always answered with 500
    fenced: int = 0  # 1: a code fence and an introduction around every answer
    blanks: int = 0  # characters of white space after the second line of every answer, as a malicious page can request
    counted_tokens: int = 0  # 1: input tokens depend on the request, as Google documents it; 0: 600 for every request
    token_noise: float = 0.02  # largest deviation of counted tokens from the documentation
    thought_tokens: int = 0  # thinking tokens of each answer, billed as output and not part of the text
    cached_tokens: int = 0  # input tokens of each answer that are billed at the price of cached tokens
    priority_downgraded_share: float = (
        0.0  # share of priority requests that are answered and billed in standard, as a header says
    )
    flex_latency_s: float = 60.0
    flex_latency_jitter_s: float = 840.0
    flex_shed_share: float = 0.0  # share of flex requests that are shed with 503
    flex_shed_billed: int = 0  # 1: a shed request is billed for its input tokens, which its error names
