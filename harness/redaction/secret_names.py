"""Names whose values are credentials: one policy for fields, headers and parameters.

Owns which names count, whether they are written `api_key`, `api-key`, `apiKey` or
`OPENAI_API_KEY`, and which values stand for a secret instead of being one. Where names
and values are in a text is `harness.redaction.named_values`.
"""

from __future__ import annotations

import enum
import functools
import re


class Credential(enum.IntEnum):
    """How surely a name stands before a credential."""

    NO = 0
    """It does not."""
    URL = 1
    """Only as a parameter of a URL, such as `sig` or `key`."""
    MAYBE = 2
    """Where the value looks random, such as `session` or `sort_key`."""
    YES = 3
    """Whatever the value is, such as `password`."""


@functools.lru_cache(maxsize=512)  # nearly all are names of headers
def folded(name: str) -> str:
    """Return a name as it is compared: without case, `-` and `_`."""
    return re.sub(r"[-_]", "", name.lower())


@functools.lru_cache(maxsize=64)
def folded_all(names: frozenset[str]) -> frozenset[str]:
    """Return names as they are compared."""
    return frozenset(map(folded, names))


_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

# Also as the end of a longer word (`dbpassword`, `openaiapikey`).
_SURE = (
    "password|passwd|passphrase|passcode|secret|apikey|accesskey|secretkey|privatekey"
    "|accountkey|masterkey|signingkey|encryptionkey|subscriptionkey|sharedaccesskey"
    "|authkey|sharedkey|storagekey|consumerkey|clientkey|deploykey|sshkey|servicekey"
    "|functionskey|webhookkey|licensekey|hmackey|applicationkey|adminkey|accesskeyid"
    "|authtoken|accesstoken|refreshtoken|sessiontoken|bearertoken|idtoken|apitoken"
    "|bottoken|usertoken|usertoken|securitytoken|privatetoken|csrftoken|xsrftoken"
    "|authorization|connectionstring|connstring|connstr|credentials?|secretid"
    "|sessioncookie|accesscode|authcode|apisecret|databaseurl|redisurl|webhookurl"
    "|appkey|secretkeybase|middlewaretoken|secretstring|mnemonic|seedphrase|cipherkey"
    "|aeskey|recoverycodes?|backupcodes?|unlockcode|presharedkey|passwort|motdepasse"
    "|contrasena|wachtwoord|identitytoken|storepass|keypass|keydata"
    "|clientassertion|samlresponse|requirepass|(?:master|user|db|admin|root|auth|smtp|mail|ftp"
    "|ssh|ldap|login|http|proxy|wifi|redis|become|sudo|pg|sql|bind|vpn|imap|service|priv|wpa|rpc|mqtt|app|mongo|rabbit)pass"
    "|integrationkey|ingest(?:ion)?key|writekey|serverkey"
    "|instrumentationkey|keystring|(?:jwt|hf|openai|anthropic|claude|gemini|groq|mistral|stripe|twilio|mapbox|crypto"
    "|cookie|azure)key|codeverifier|sastoken|recoverykey|privatekeyid"
)
_SURE_END = re.compile(rf"(?:{_SURE}|pwd|dsn|[a-z]pw)\Z")
_SURE_WORDS = re.compile(_SURE, re.IGNORECASE)
_MAYBE_WORDS = frozenset(
    {"key", "token", "session", "cookie", "cookies", "auth", "jwt", "bearer", "otp"}
    | {"sessionid", "sessid", "sid", "creds", "cred", "passwords", "secrets", "pass"}
    | {"keys", "tokens", "pin", "pat", "apikeys", "psk", "pw", "senha"}
    | {"jsessionid", "phpsessid", "sas", "assertion", "csrf", "xsrf", "skey"}
)
_URL_WORDS = frozenset(
    {"sig", "signature", "key", "auth", "session", "token", "code"} | {"hmac"}
)
_HASHES = (["password", "hash"], ["password", "digest"])
_ID_WORDS = frozenset({"session", "sess"})

# Keys and tokens of data, not of doors.
_OF_DATA = (
    "cache|primary|foreign|sort|partition|idempotency|public|routing|object|index|group"
    "|issue|answer|row|hash|surrogate|websocket|json|dict|map|state|lookup|unique|hot|s3"
    "|composite|natural|translation|i18n|node|field|column|data|param|config|meta|tag"
    "|event|message|react|query|shift|arrow|enter|ssh_public|item|parent|storage_object"
)
_OF_TEXT = (
    "page|next|continuation|sync|eos|bos|pad|unk|special|stop|cls|sep|mask|image|max|min"
    "|prompt|completion|total|input|output|cached|reasoning|audio|text|first|last|sot"
    "|pagination|resume|cursor|end|start|thinking|added|new|num|per|context|budget"
    "|think|tool|begin|fim|logprob|decoded|top|video|accepted|rejected|prediction"
)
_DATA_NAME = re.compile(
    rf"(?:(?:\A|.*_)(?:{_OF_DATA})_keys?|(?:\A|.*_)(?:{_OF_TEXT})_tokens?"
    r"|access_control_.*|.*_(?:public|publishable)_key|proxy_connection|tokens|keys)\Z"
)


@functools.lru_cache(maxsize=4096)
def credential_of(name: str) -> Credential:
    """Return how surely a name stands before a credential.

    Args:
        name: As it is written; how its words are joined does not count.
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    is_of_data = words == ["key", "primary"]
    while len(words) > 1 and (words[-1].isdecimal() or words[-1] in QUALIFIERS):
        words.pop()
    if not words or is_of_data or _DATA_NAME.match("_".join(words)):
        return Credential.NO
    last = words[-1]
    if _SURE_END.search("".join(words[-3:])):
        return Credential.YES
    if last in {"token", "key"} and len(words) > 1:
        return Credential.YES if last == "token" else Credential.MAYBE
    if last == "id" and len(words) > 1 and words[-2] in _ID_WORDS:
        return Credential.MAYBE
    if last in _MAYBE_WORDS or words[-2:] in _HASHES:
        return Credential.MAYBE
    return (
        Credential.URL if last in _URL_WORDS or last == "credential" else Credential.NO
    )


def is_sure(words: str) -> bool:
    """Return whether words, joined without anything between them, name a credential."""
    return _SURE_WORDS.fullmatch(words) is not None


QUALIFIERS = frozenset(
    {"value", "prod", "dev", "staging", "live", "test", "old", "new", "base", "b", "v"}
    | {"header", "plain", "current", "previous", "primary", "secondary"}
    | {"production", "development", "stage", "pem"}
)
"""What may follow the name of a credential, also with a number."""

_CREDENTIAL_HEADER = re.compile(
    r"(?:^|[-_])(?:auth|authentication|authorization|cookie2?|credentials?|passw(?:or)?d"
    r"|secret|session|session-id|signature|token|apikey|jwt|dsn|pwd|passphrase|sign"
    r"|pat|otp|pin|private|bearer|assertion|csrf|xsrf|pass|totp|2fa(?:-code)?"
    r"|authorization-auxiliary)$|signature-[a-z0-9-]+$|^x-honeycomb-team$"
    r"|(?:^|[-_.])[a-z0-9]*key(?:-id)?$"
    r"|^proxy-(?!connection$)|^x-amz-credential$|^x-goog-iap-jwt-assertion$"
    r"|^(?:x-jfrog-art-api|x-ovh-consumer|x-ms-client-principal|x-amzn-oidc-data|dpop)$"
    r"|(?:^|-)crumb$|hmac-sha(?:1|256)$"
)
_PLAIN_HEADER = re.compile(
    r"^access-control-|^sec-websocket-|(?:^|-)(?:idempotency|surrogate|cache|routing"
    r"|partition|public|sort)-?key$|^x-ratelimit-"
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
    r"(?:(?:bearer|basic|token)\s+)?(?:\W*|[\W_]*(?:redacted|removed|filtered|hidden"
    r"|masked|scrubbed|sanitized|dummy|fake|mock(?:ed)?|placeholder|example|test|none"
    r"|null|nil|undefined|true|false|env|ref|sub|your[\w .-]*|my[-_][\w-]*"
    r"|(?:[a-z]+\d*[-_]){0,4}x{3,}|x+-?api-?key"
    r"|insert[-_ ][\w-]*|enter[-_ ][\w-]*|change[-_]?(?:me|it|this)|todo|tbd|fixme"
    r"|api[-_ ]?key|(?:api|access|auth|bearer|some)?[-_ ]?token|secret|value|key"
    r"|pass(?:word|wd)?|string|str|text|number|integer|int|boolean|bool|object|array"
    r"|(?:vault|env|file|ssm|kms|ref|arn):[\w.#:/-]+|optional|required|include|omit|same-origin|any|bytes|unknown|empty|default"
    r"|none[\w-]*|not[-_ ][\w-]*|secretstr|sk-\.+|[\w-]{0,16}\.{3,}(?:redacted)?"
    r"|[\w+]{2,20}://(?:user(?:name)?:pass(?:word|wd)?|(?P<user>[a-z]{1,12}):(?P=user))"
    r"@[\w.:/?=&-]*"
    r"|[\w.-]{0,16}[-_]your[-_][\w-]*|guest|ollama|vllm|lm-?studio|unused|ignored|anything|[\w-]*example[\w-]*"
    r"|[\w-]*placeholder[\w-]*)[\W_]*)"
    r"|[{<$%\[(].*|.*[}>\])]|\?[a-z -]*|(?P<same>.)(?P=same){3,}",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"[a-z_$][\w$]{0,29}(?:\.[a-z_$][\w$]{0,29})+\Z", re.IGNORECASE)
_CODE = re.compile(
    r"[a-z]+:?//|[~./]*/[\w./-]*\Z"
    r"|[\w.~-]*(?:/[\w.-]+)++(?<=\.[a-z]{3})\Z"
    r"|\d{4}-\d\d-\d\d|\d[\d.,:]{0,11}\Z",
    re.IGNORECASE,
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)


@functools.lru_cache(maxsize=512)
def is_credential_header(name: str) -> bool:
    """Return whether a header carries a credential, by its name as it is written."""
    lowered = name.lower()
    return _PLAIN_HEADER.search(lowered) is None and (
        _CREDENTIAL_HEADER.search(lowered) is not None
        or credential_of(name) is Credential.YES
    )


def is_identifying_header(name: str, *, with_request_ids: bool = True) -> bool:
    """Return whether a header names who or which call it was, by its name.

    Args:
        name: In lower case.
        with_request_ids: Count ids of single requests, which are noise and no
            secret: redaction removes them, the scanner does not look for them.
    """
    if _IDENTIFYING_HEADER.search(name) is not None:
        return True
    return with_request_ids and _REQUEST_ID_HEADER.search(name) is not None


def is_placeholder(value: str) -> bool:
    """Return whether a value stands for a secret instead of being one."""
    return len(value) < 200 and _PLACEHOLDER.fullmatch(value.strip()) is not None


_PROSE = re.compile(
    r"(?:the|your|a|an|enter|please|my|must|user\S*|new|optional|required|used|any"
    r"|this|these|api|for|to|passwords?|secrets?|tokens?|if|e\.g\.|whether|when|is|was"
    r"|should|may|can|cannot|not|no|and|or|of|in|with|keys?)\s|.*[.:;?!]\s",
    re.IGNORECASE | re.DOTALL,
)
_OF_THEM = re.compile(r"\b(?:passwords?|tokens?|secrets?|keys?)\b", re.IGNORECASE)


def is_prose(value: str) -> bool:
    """Return whether a value explains a field: schemas and prompts have many."""
    stripped = value.strip()
    return " " in stripped and (
        _PROSE.match(stripped) is not None or _OF_THEM.search(stripped) is not None
    )


def is_random(value: str, *, least: int = 8) -> bool:
    """Return whether a value looks drawn at random: no word, number, path or code.

    Args:
        value: What stands beside a name.
        least: How many characters a secret has at least.
    """
    value = value[:256]
    if len(value) < least or value.split() != [value] or _CODE.match(value):
        return False
    if _ATTRIBUTE.match(value) and not is_mixed(value, changes=7):
        return False
    has_digit = _DIGIT.search(value) is not None
    has_letter = any(map(str.isalpha, value))
    if has_digit and has_letter:
        return True
    if has_digit:
        return len(value) >= 16
    has_cases = not (value.islower() or value.isupper())
    if has_letter and not _MARKS.isdisjoint(value):
        return True
    is_name = "_" in value and not is_mixed(value, changes=3)
    return len(value) >= 16 and has_cases and not is_name


_DIGIT = re.compile(r"\d")
_MARKS = frozenset("!@#$%^&*+?")
_CHANGE = re.compile(
    r"(?<=[A-Za-z])[0-9]|(?<=[0-9])[A-Za-z]|(?<=[A-Za-z0-9])[!#$^*](?=[A-Za-z0-9])"
)
_CASE_CHANGE = re.compile(rf"{_CHANGE.pattern}|(?<=[a-z])[A-Z]")
_SMALL_AGAIN = re.compile(r"(?<=[A-Z])[a-z]")


def is_strong(value: str, *, least: int = 8) -> bool:
    """Return whether a value can be nothing but drawn: as passwords are, and no name.

    Args:
        value: What stands near a name.
        least: How many characters a secret has at least.
    """
    return is_random(value, least=least) and (
        is_mixed(value, changes=3)
        or (value[-1:] != "?" and any(c in "!@#$%^&*?" for c in value[1:]))
    )


def is_drawn(value: str, *, changes: int = 4) -> bool:
    """Return whether a value is no id, hash, name or word, whatever is around it.

    Args:
        value: What stands somewhere near a name.
        changes: How often letters and digits change at least.
    """
    return (
        is_mixed(value, changes=changes)
        and 2 * sum(map(len, _RUN.findall(value))) <= len(value)
        and not (_HASH.fullmatch(value) or _ID.match(value) or is_uuid(value))
        and not is_placeholder(value)
    )


def is_mixed(value: str, *, changes: int) -> bool:
    """Return whether letters, digits and marks of a value change as in no word.

    Args:
        value: What stands near a name.
        changes: How often they change at least; one more where small letters before
            capitals count, too, of which names of code have many; their capitals
            are few, or stand together.
    """
    if len(_CHANGE.findall(value)) >= changes:
        return True
    turns = len(_CASE_CHANGE.findall(value))
    if turns > changes and 2 * sum(map(len, _SHORT_RUN.findall(value))) <= len(value):
        return True
    turns += len(_SMALL_AGAIN.findall(value))
    capitals, small = sum(map(str.isupper, value)), sum(map(str.islower, value))
    return turns > changes and 5 * turns >= 2 * len(value) and 3 * capitals >= 2 * small


_RUN = re.compile(r"[A-Z]?[a-z]{4,}|[A-Z]{4,}")
_SHORT_RUN = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{4,}")
_HASH = re.compile(r"(?:0x)?(?:[0-9a-f]+|[0-9A-F]+)")
_ID = re.compile(
    r"(?=[A-Za-z]{2,12}[_-].*[0-9])(?:[A-Z]?[a-z]+(?:[A-Z][a-z]{2,})*|[A-Z]+)[_-]|v\d{1,3}[._-]|.*20\d\d-?[01]\d"
)


def is_uuid(value: str) -> bool:
    """Return whether a value is a UUID: an id, unless its name is a credential's."""
    return _UUID.match(value) is not None
