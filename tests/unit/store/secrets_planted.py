"""Secrets for the tests, put together so that no scanner finds them in this file."""

from __future__ import annotations

_TAIL = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3hJ5"

KEYS = {
    "openai": "s" + "k-proj-" + _TAIL,
    "openai-old": "s" + "k-" + _TAIL,
    "anthropic": "s" + "k-ant-api03-" + _TAIL,
    "openrouter": "s" + "k-or-v1-" + _TAIL.lower(),
    "google": "AI" + "za" + _TAIL,
    "google-oauth": "ya" + "29." + _TAIL,
    "github": "gh" + "p_" + _TAIL,
    "github-fine": "github" + "_pat_" + _TAIL,
    "gitlab": "gl" + "pat-" + _TAIL,
    "slack": "xo" + "xb-1234567890-" + _TAIL,
    "aws": "AK" + "IA" + "IOSFODNN7EXAMPL3",
    "jwt": "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxMjM0In0." + _TAIL,
    "huggingface": "h" + "f_" + _TAIL,
    "groq": "gs" + "k_" + _TAIL,
    "xai": "xa" + "i-" + _TAIL,
    "perplexity": "pp" + "lx-" + _TAIL,
    "replicate": "r" + "8_" + _TAIL,
    "nvidia": "nv" + "api-" + _TAIL,
    "stripe": "s" + "k_live_" + _TAIL,
    "sendgrid": "S" + "G." + _TAIL[:22] + "." + _TAIL,
    "npm": "np" + "m_" + _TAIL,
    "organisation": "or" + "g-" + _TAIL,
    "bearer": "Bear" + "er " + _TAIL,
    "private-key": (
        "-----BEGIN RSA PRIV" + "ATE KEY-----\\nMIIEow" + _TAIL
        + "\\n-----END RSA PRIV" + "ATE KEY-----"
    ),
    "userinfo": "https://user:" + _TAIL + "@host.example/x",
}  # fmt: skip
"""By name, each a text that is or holds a secret."""

CORE = _TAIL
"""What must not be found afterwards; `aws` and `openrouter` have their own."""


def core(name: str) -> str:
    """Return the part of a planted key that nobody may see again."""
    return {"aws": "IOSFODNN7EXAMPL3", "openrouter": _TAIL.lower()}.get(name, _TAIL)
