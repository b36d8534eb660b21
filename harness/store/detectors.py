r"""What a secret looks like: one table for redaction and for the scanner.

Owns the shapes of keys, the names that hold credentials, and where in a text they
are. Sharing one table is what makes `harness scan` agree with what recording
removes. It changes nothing and opens nothing.

detect-secrets was weighed and not taken: its last release (1.5.0) is of May 2024,
its entropy detectors fire on the ids and hashes every recording is full of, and a
second table would disagree with the one that redacts.

Not found, by design: secrets behind percent or `\u` escapes, in base64, in
compressed request bodies, in more than one level of JSON inside JSON, and secrets
of no known shape under harmless names.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "CREDENTIAL_FIELDS",
    "CREDENTIAL_PARAMETERS",
    "FIELD",
    "PARAMETER",
    "Detector",
    "Span",
    "find_fields",
    "find_keys",
    "find_parameters",
    "is_credential_header",
    "is_identifying_header",
    "is_placeholder",
    "merge",
]


FIELD = "credential by field name"
"""The kind of what `find_fields` finds."""
PARAMETER = "credential by parameter name"
"""The kind of what `find_parameters` finds."""


class Span(NamedTuple):
    """Where a secret stands in a text."""

    start: int
    """Offset of its first byte."""
    end: int
    """Offset after its last."""
    kind: str
    """What it is, as a phrase."""


class Detector(NamedTuple):
    """One shape of secret."""

    kind: str
    """What it finds, as a phrase."""
    pattern: re.Pattern[bytes]
    """Begins with literal text, which `re` searches fast; group 1, where there is
    one, is the secret."""
    is_word: bool = True
    """It counts only where no letter or digit stands before it."""


def _shape(
    kind: str, pattern: str, *, flags: int = 0, is_word: bool = True
) -> Detector:
    return Detector(kind, re.compile(pattern.encode(), flags), is_word)


_KEYS = (
    # Sources: the providers' documentation and keys in public reports; lengths are
    # lower bounds, so that a provider that lengthens its keys stays covered.
    _shape("API key (sk-)", r"sk-[A-Za-z0-9_-]{12,}"),
    _shape("Google API key", r"AIza[A-Za-z0-9_-]{30,}"),
    _shape("Google OAuth token", r"ya29\.[A-Za-z0-9_-]{20,}"),
    _shape("Google client secret", r"GOCSPX-[A-Za-z0-9_-]{20,}"),
    _shape("GitHub token", r"gh[opsur]_[A-Za-z0-9]{20,}"),
    _shape("GitHub token", r"github_pat_[A-Za-z0-9_]{20,}"),
    _shape("GitLab token", r"glpat-[A-Za-z0-9_-]{20,}"),
    _shape("Slack token", r"xox[a-z]-[A-Za-z0-9-]{10,}"),
    _shape("Slack token", r"xapp-\d-[A-Za-z0-9-]{10,}"),
    _shape("Slack webhook", r"hooks\.slack\.com/services/([A-Za-z0-9/_-]{20,})"),
    _shape("AWS key id", r"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _shape(
        "JSON web token", r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*"
    ),
    _shape("Hugging Face token", r"hf_[A-Za-z0-9]{20,}"),
    _shape("Groq key", r"gsk_[A-Za-z0-9]{20,}"),
    _shape("xAI key", r"xai-[A-Za-z0-9]{20,}"),
    _shape("Perplexity key", r"pplx-[A-Za-z0-9]{20,}"),
    _shape("Cerebras key", r"csk-[a-z0-9]{20,}"),
    _shape("Replicate token", r"r8_[A-Za-z0-9]{20,}"),
    _shape("NVIDIA key", r"nvapi-[A-Za-z0-9_-]{20,}"),
    _shape("Fireworks key", r"fw_[A-Za-z0-9]{20,}"),
    _shape("Tavily key", r"tvly-[A-Za-z0-9-]{16,}"),
    _shape("LangSmith key", r"lsv2_[a-z]{2}_[A-Za-z0-9_]{20,}"),
    _shape("Stripe key", r"sk_(?:live|test)_[A-Za-z0-9]{10,}"),
    _shape("Stripe key", r"rk_(?:live|test)_[A-Za-z0-9]{10,}"),
    _shape("SendGrid key", r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    _shape("npm token", r"npm_[A-Za-z0-9]{30,}"),
    _shape("PyPI token", r"pypi-[A-Za-z0-9_-]{50,}"),
    _shape("Databricks token", r"dapi[0-9a-f]{32}"),
    _shape("DigitalOcean token", r"do[oprt]_v1_[0-9a-f]{32,}"),
    _shape("Azure storage key", r"AccountKey=([A-Za-z0-9+/=]{40,})"),
    _shape("organisation id", r"org-[A-Za-z0-9]{20,}"),
    _shape("project id", r"proj_[A-Za-z0-9]{20,}"),
    _shape(
        "bearer token",
        # A digit or 20 characters: `bearer authentication` is prose.
        r"bearer(?:\s|%20|\+)+((?=[^\s\"'\\]*\d|[^\s\"'\\]{20})[A-Za-z0-9._~+/=-]{8,})",
        flags=re.IGNORECASE,
    ),
    _shape(
        "basic credentials",
        r"authorization\\?[\"']?\s*[:=]\s*\\?[\"']?basic\s+([A-Za-z0-9+/_-]{4,}={0,2})",
        flags=re.IGNORECASE,
    ),
    _shape(
        "private key",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
        r"(?:[^\"]*?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
        r"|[A-Za-z0-9+/=\s\\]*)",
        is_word=False,
    ),
    _shape(
        "credentials in a URL",
        r"://([^\s/?#@\"'<>\\:]*:[^\s/?#@\"'<>\\]+)@",
        is_word=False,
    ),
)

CREDENTIAL_FIELDS = frozenset(
    {
        "access_key",
        "access_token",
        "accountkey",
        "api_key",
        "api_secret",
        "api_token",
        "apikey",
        "app_secret",
        "auth_token",
        "authorization",
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "bearer_token",
        "client_secret",
        "credential",
        "credentials",
        "id_token",
        "openai_api_key",
        "passphrase",
        "passwd",
        "password",
        "private_key",
        "pwd",
        "refresh_token",
        "secret",
        "secret_access_key",
        "secret_key",
        "secretaccesskey",
        "session_token",
        "sessiontoken",
        "subscription_key",
        "x_api_key",
    }
)
"""Names of JSON fields and URL parameters; `_`, `-` and nothing are the same."""

# Only parameters: as JSON fields these names mean something else (`key` of a map,
# `code` of an error, `token` of a log probability).
CREDENTIAL_PARAMETERS = CREDENTIAL_FIELDS | frozenset(
    {"auth", "key", "session", "sig", "signature", "token", "x_amz_credential"}
    | {"x_amz_security_token", "x_amz_signature", "x_goog_credential"}
    | {"x_goog_signature"}
)
"""Names of URL and form parameters."""

_CREDENTIAL_HEADER = re.compile(
    r"(?:^|[-_])(?:auth|authentication|authorization|cookie2?|credentials?|passw(?:or)?d"
    r"|secret|session|session-id|signature|token)$"
    r"|(?:^|[-_])(?:access|api|auth|client|functions|master|private|secret|subscription)"
    r"[-_]?key(?:-id)?$"
    r"|^proxy-(?!connection$)|^x-amz-credential$"
)
_IDENTIFYING_HEADER = re.compile(
    r"(?:^|[-_])(?:organi[sz]ation|organi[sz]ation-id|project|project-id|account-id"
    r"|tenant-id|client-ip|user-id|forwarded-for|real-ip)$"
)
_REQUEST_ID_HEADER = re.compile(
    r"(?:^|[-_])(?:request-?id|trace-?id|correlation-?id|invocation-?id|ray|nonce)$"
    r"|^(?:traceparent|tracestate|idempotency-key|x-cloud-trace-context|cf-ray"
    r"|x-amz-cf-id|x-amz-id-2|x-vercel-id|fly-request-id|baggage|sentry-trace)$"
)

_PLACEHOLDER = re.compile(
    r"(?:bearer|basic|token)?\s*(?:\W*|[\W_]*(?:redacted|removed|filtered|hidden|masked"
    r"|scrubbed|sanitized|dummy|fake|mock(?:ed)?|placeholder|example|test|none|null"
    r"|your[\w-]*|x{3,}|x+-?api-?key|api[-_ ]?key|token|secret)[\W_]*)",
    re.IGNORECASE,
)


def is_credential_header(name: str) -> bool:
    """Say whether a header carries a credential, by its name in lower case."""
    return _CREDENTIAL_HEADER.search(name) is not None


def is_identifying_header(name: str, *, with_request_ids: bool = True) -> bool:
    """Say whether a header tells who or which call it was, by its name.

    Args:
        name: In lower case.
        with_request_ids: Count ids of single requests, which are noise and no
            secret: redaction removes them, the scanner does not look for them.
    """
    if _IDENTIFYING_HEADER.search(name) is not None:
        return True
    return with_request_ids and _REQUEST_ID_HEADER.search(name) is not None


def is_placeholder(value: str) -> bool:
    """Say whether a value stands for a secret instead of being one."""
    return _PLACEHOLDER.fullmatch(value.strip()) is not None


def find_keys(text: bytes, extra: Iterable[Detector] = ()) -> Iterator[Span]:
    """Yield what has the shape of a key. O(len(text)) for each shape.

    Args:
        text: Any text: a body, a header's value, a URL.
        extra: More shapes than the built-in ones.

    Yields:
        Spans in the order of the table, which may overlap.
    """
    for kind, pattern, is_word in (*_KEYS, *extra):
        position = 0
        while match := pattern.search(text, position):
            if is_word and _is_inside_word(text, match.start()):
                position = match.start() + 1  # `task-sk-...`: one may begin inside
                continue
            start, end = match.span(1 if pattern.groups else 0)
            if end > start:
                yield Span(start, end, kind)
            position = max(match.end(), match.start() + 1)


def _is_inside_word(text: bytes, start: int) -> bool:
    if not start or not text[start - 1 : start].isalnum():
        return False
    before = text[max(0, start - 6) : start]
    # The `n` of `\n` and the hexadecimal digits of `\u0022` and `%20` end no word.
    return _ESCAPE_BEFORE.search(before) is None


_ESCAPE_BEFORE = re.compile(rb"(?:\\[bfnrt]|\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2})\Z")


def find_fields(
    text: bytes, names: frozenset[str] = CREDENTIAL_FIELDS
) -> Iterator[Span]:
    """Yield the values of JSON fields that hold credentials by their name.

    Args:
        text: JSON, or event stream text with JSON in it.
        names: The names; `-`, `_` and nothing between words are the same.
    """
    for match in _fields_pattern(names).finditer(text):
        group = match.lastindex
        if group is not None:
            yield Span(*match.span(group), FIELD)


def find_parameters(
    text: bytes, names: frozenset[str] = CREDENTIAL_PARAMETERS
) -> Iterator[Span]:
    """Yield the values of URL or form parameters that hold credentials by name.

    Args:
        text: A URL, a form body, or text with URLs in it.
        names: The names; `-`, `_` and nothing between words are the same.
    """
    for match in _parameters_pattern(names).finditer(text):
        yield Span(*match.span(1), PARAMETER)


def _any_of(names: frozenset[str]) -> str:
    words = sorted({re.sub(r"[-_]", "_", name.lower()) for name in names})
    return "|".join(re.escape(word).replace("_", "[-_]?") for word in words) or "(?!)"


@functools.lru_cache(maxsize=64)
def _fields_pattern(names: frozenset[str]) -> re.Pattern[bytes]:
    # Group 1 is the value of a field, group 2 that of a field in JSON that is itself
    # a JSON string (the arguments of a tool call), group 3 that of a `token`.
    name = _any_of(names)
    return re.compile(
        rf'"(?:{name})"\s*:\s*"((?:[^"\\]++|\\.)++)"'
        rf'|\\"(?:{name})\\"\s*:\s*\\"((?:[^"\\]++|\\\\(?:\\["\\]|[^"\\]))++)\\"'
        # `token` is also the text of a log probability.
        r'|"token"\s*:\s*"((?=[^"]*\d)[A-Za-z0-9._~+/=-]{16,})"'
        r'(?!\s*,\s*"(?:logprob|bytes)")'.encode(),
        re.IGNORECASE,
    )


@functools.lru_cache(maxsize=64)
def _parameters_pattern(names: frozenset[str]) -> re.Pattern[bytes]:
    return re.compile(
        rf"(?:\A|[?&#;])(?:{_any_of(names)})=([^&#;\s\"'<>\\]+)".encode(),
        re.IGNORECASE,
    )


def merge(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, overlapping ones joined under the first one's kind."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            merged[-1] = Span(last.start, max(last.end, span.end), last.kind)
        else:
            merged.append(span)
    return merged
