"""Texts that look like secrets and are none: redaction and the scanner leave them."""

# ruff: noqa: E501 - a text is read on one line

from __future__ import annotations

import base64
import json
import random
from typing import TYPE_CHECKING

from harness.redaction.config import Redaction
from harness.redaction.scan import scan
from tests.unit.store.recordings import document, interaction, save

if TYPE_CHECKING:
    from pathlib import Path

BENIGN = [
    '{"thoughtSignature": "EqRt3pwd-q7Zt9wB2xK4mR8vN5tLp3sDfB2xKpat_q7Zt9wB2xK4mR8vN5tLp"}',
    "password (Version2OfTheDocument), secret - Chapter3OfManyChapters",
    "the password for commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b is not known",
    "git show 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b: rename token to secret",
    "token 3f2b8a10-8a55-4c3e-9c1b-0a1b2c3d4e5f was refused",
    "| token | string | required since v1.2.3 |\n| secret | sha256 digest | no |",
    "| password | at least 12 characters |",
    "`--token count`, `--max-tokens 1024`, `--password-stdin`, `--secret-file key1.pem`",
    "tool --token $TOKEN2 --password <password1> --api-key ${API_KEY2}",
    "tool --key-id 12345678 --session morning1",
    "The password is hashed with sha256 and the secret is split in 5 parts",
    "The API key is required, the access token is valid for 3600 seconds",
    "the token is gpt4-like; the pass is 2nd of 3",
    '["password", "username1", "created_at2024"]',
    '{"required": ["api_key", "model_2024_08_06"], "order": ["a", "b1"]}',
    '{"token": "", "call_aB3dE5gH7jK9mN1pQ3sT5vW7": 1}',
    '{"password": null, "id": "call_aB3dE5gH7jK9mN1pQ3sT5vW7"}',
    'logging.info("password", extra={"run": "2024-08-06T12:00:00Z"})',
    "password -> claude-3-5-sonnet-20241022",
    "tokens of claude-3-7-sonnet@20250219",
    "secret (gemini-2.5-flash-preview-05-20)",
    "api_key - gpt-4o-mini-2024-07-18",
    "**Token** us.anthropic.claude-3-5-sonnet-20241022-v2:0",
    "token `toolu_01aB3dE5gH7jK9mN1pQ3sT5v` is an id",
    '{"type": "thinking", "thinking": "the key", "signature": "ErUBCkYIBRgCIkDq7Zt9wB2xK4mR8vN5tLp3sDfEgw1a2b3c4d5e6f7g8h9"}',
    '{"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix7LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rAFBa8cr3qpPkNRj2YfWXGmKDxH4mPnZ5sQ7"}',
    '{"type": "signature_delta", "signature": "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYdsAsgg6PhM5"}',
    '{"file": "password_reset_v2_final_3.docx", "path": "src/secret_santa_2024.py"}',
    "src/token_counter2/api_key_test3.py:12: error",
    "https://host/tokens/page/2?sort=asc&limit=50&after=2024-01-01",
    "https://host/api/key/value/v2/items?lang=en-US&utm_source=a1b2",
    "https://github.com/o/r/blob/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b/token.py#L10-L20",
    ".btn--primary-2x .token--v2-lg { --key-color-500: #a1b2c3 }",
    "de-DE, pt-BR, sk-SK, zh-Hant-TW; token_de_DE, secret_sk_SK",
    "mysql -u root -p app; docker run -p 8080:80 image; ssh -p 2222 host",
    "redis-cli -h host -a ping1; CREATE USER a IDENTIFIED BY '<password>'",
    "<Password Type='PasswordText'>changeit</Password>",
    "password: |\n  at least 12 characters\n",
    "It costs $1$ or $5$ and $6$ more",
    '{"kty": "RSA", "e": "AQAB", "n": "q7Zt9wB2xK4mR8vN5tLp3sDfq7Zt9wB2xK4mR8vN5tLp3sDf"}',
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkq\n-----END PUBLIC KEY-----",
    'name="token"\r\n\r\nthe token to use',
    "std::token::abc123def; Password::default1",
    "const apiKey: string = getKey2(); let token: Token2Type = x",
    "token=xoxb-your-token-here, signing-key=example-key-123",
    "the secret ingredient 2: 12g salt, 3dl milk",
    "sk-SK-locale",
    'api_key=os.environ["OPENAI_API_KEY"]',
    "compat: x1234567, pattern=a1b2c3d4, pat = 3.5",
    ".sk-toggleable__content { max-height: 0 }",
    "#sk-container-id-12 div.sk-toggleable__content.fitted",
    "https://host/x?key=value",
    "see https://host/x?key=value&other=thing for more",
    '{"password": "string"}',
    '{"credentials": "include"}',
    "fetch(url, {credentials: 'include', mode: 'cors'})",
    'fetch(url, {credentials: "same-origin"})',
    "access-control-allow-credentials: true",
    '{"properties": {"password": {"type": "string"}, "api_key": {"type": "string", "description": "The API key"}}}',
    '{"required": ["password", "api_key", "token"]}',
    'api_key="YOUR_API_KEY"',
    "OPENAI_API_KEY=your-api-key-here",
    "OPENAI_API_KEY=sk-...",
    'export OPENAI_API_KEY="sk-..."',
    "export OPENAI_API_KEY=<your key>",
    "Authorization: Bearer <token>",
    "Authorization: Bearer ${TOKEN}",
    "Authorization: Bearer $OPENAI_API_KEY",
    "Authorization: Bearer YOUR_API_KEY",
    '{"api_key": "${API_KEY}"}',
    '{"api_key": "xxxx"}',
    '{"api_key": "sk-xxxxxxxxxxxxxxxxxxxxxxxx"}',
    '{"api_key": "{{ api_key }}"}',
    '{"password": "********"}',
    '{"password": null, "token": ""}',
    '{"max_tokens": 1024, "prompt_tokens": 12, "completion_tokens": 34, "total_tokens": 46}',
    '{"token_type": "bearer", "expires_in": 3600}',
    '{"finish_reason": "stop", "tokenizer": "cl100k_base1"}',
    '{"key": "value1", "value": "abc12345"}',
    '{"key": "user.name.first1"}',
    '{"monkey": "abc123456789"}',
    '{"prompt_cache_key": "user-1234-abcd5678"}',
    '{"encrypted_content": "gAAAAABmX2V4YW1wbGUtY29udGVudC0xMjM0NTY3ODkwYWJjZGVm"}',
    '{"signature": "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds"}',
    '{"thoughtSignature": "CiQBcsjafJ1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u1v2"}',
    '{"id": "call_aB3dE5gH7jK9mN1pQ3sT5vW7"}',
    '{"id": "resp_0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f6071"}',
    '{"id": "msg_01aB3dE5gH7jK9mN1pQ3sT5vW7"}',
    '{"id": "toolu_01aB3dE5gH7jK9mN1pQ3sT5v"}',
    '{"id": "chatcmpl-aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC"}',
    '{"id": "req_0123456789abcdef0123456789abcdef"}',
    '{"system_fingerprint": "fp_44709d6fcb"}',
    '{"id": "3f2b8a10-8a55-4c3e-9c1b-0a1b2c3d4e5f"}',
    '{"sha": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}',
    '{"digest": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}',
    '{"image_url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="}',
    '{"token": " the", "logprob": -0.1, "bytes": [32]}',
    '{"token": "abcdefgh12345678", "logprob": -1}',
    '{"next_page_token": "CAUQAA1234567890abcdef", "pageToken": "abcDEF1234567890"}',
    '{"eos_token": "<|endoftext|>", "bos_token": "<s>", "pad_token": "[PAD]"}',
    "the password must be at least 8 characters long",
    "Enter your password: then press Enter",
    "password: required, at least 8 characters",
    "token: the token to use",
    "api_key: str | None = None",
    "def connect(api_key: str, password: Optional[str] = None) -> Client:",
    'api_key = os.environ["OPENAI_API_KEY"]',
    "api_key=os.getenv('API_KEY')",
    "api_key = settings.openai_api_key",
    "client = OpenAI(api_key=api_key)",
    "const token = await getToken();",
    "token = tokenizer.decode(ids)",
    "password = hash_password(password)",
    "if token == expected_token: pass",
    "self.token = token",
    "process.env.ANTHROPIC_API_KEY",
    '{"password": "The user\'s password"}',
    '{"api_key": "Your API key from the dashboard"}',
    '{"session": "morning", "cookie": "chocolate chip"}',
    '{"session_id": "3f2b8a10-8a55-4c3e-9c1b-0a1b2c3d4e5f"}',
    "cookies: 12, session: 3",
    '{"primary_key": "user_id_12345678", "sort_key": "created_at2024"}',
    '{"public_key": "abcDEF1234567890"}',
    '{"cache_key": "v1-abcdef123456"}',
    "the bearer of bad news, bearer authentication",
    "Basic authentication is described in RFC 7617",
    "task-force-one-risk-free-disk-utility",
    "postgres://user:password@localhost/db",
    "postgres://{user}:{password}@{host}/db",
    "https://user:pass@example.com/",
    "mailto:someone@example.com and call +1 555 0100",
    "git@github.com:owner/repo.git",
    "ssh://git@github.com/owner/repo.git",
    "PWD=/home/user/project1",
    '{"auth": {"type": "none"}}',
    '{"auth": "none"}',
    '"secret": "test"',
    'SECRET_KEY = "change-me"',
    "secret: Secret",
    "the secret is to be patient",
    "private_key: path/to/key1.pem",
    "ssh_key_path: ~/.ssh/id_rsa2",
    '<input type="password" name="password1" id="pw">',
    "<label>password</label>",
    '{"credential_type": "oauth2", "has_password": true}',
    '{"tokens_used": 1234567, "tokens": "12345"}',
    "tokens=12345678&model=gpt-4o-2024-08-06",
    '{"model": "claude-3-5-sonnet-20241022", "service_tier": "default"}',
    "e-mail: someone1@example.com",
    "?code=en-US1&auth=none",
    "sort(key=lambda x: x[1])",
    "max(items, key=itemgetter1)",
    '{"keys": ["a1b2c3d4", "e5f6a7b8"]}',
    "CSRF token: see the docs",
    'curl -H "Authorization: Bearer $TOKEN" https://api.example.com',
    "curl -u user:$PASSWORD https://x",
    "docker run -u 1000:1000 image",
    "ps -u root:x",
    "bearer_format: JWT, scheme: bearer",
    '{"scheme": "bearer", "bearerFormat": "JWT"}',
    "-----BEGIN CERTIFICATE-----\\nMIIBszCCAVmgAwIBAgIUe\\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\\n-----END PUBLIC KEY-----",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 user@host",
    '{"obfuscation": "aB3dE5gH7jK9mN"}',
    '{"key": "ctrl+shift+p", "command": "workbench.action1"}',
    '{"answer_key": "1a 2b 3c", "api_key_required": true}',
    '"apiKey": process.env.KEY1,',
    "apiKey: import.meta.env.VITE_KEY1",
    "auth=HTTPBasicAuth('user', 'pass')",
    "token_count: 1234567890123456",
    "password123 is a weak password; so is hunter2",
    "The token 'abc' has id 12345",
    "secret_name: my-app-secret1",
    '{"secretName": "db-secret-1", "secretKeyRef": {"name": "x1", "key": "password"}}',
]
"""Prompts, code, schemas, ids and placeholders."""


def test_benign_text_stays() -> None:
    """It is left as it is, as a body of its own and within JSON, twice over."""
    changed = []
    for text in BENIGN:
        once = json.dumps({"content": text})
        twice = json.dumps({"arguments": once})
        for body in (text, once, twice):
            redacted = Redaction().body(body.encode()).decode()
            if redacted != body:
                changed.append((body, redacted))
    assert changed == []


def test_benign_headers_stay() -> None:
    """Headers whose names only sound like credentials keep their values."""
    headers = {
        "access-control-allow-credentials": ["true"],
        "access-control-allow-headers": ["Authorization, X-Api-Key"],
        "x-ratelimit-remaining-tokens": ["149984"],
        "sec-websocket-key": ["dGhlIHNhbXBsZSBub25jZQ=="],
        "www-authenticate": ['Bearer realm="x"'],
        "vary": ["Origin, Authorization, Cookie"],
        "x-cache-key": ["abc12345"],
        "cf-cache-status": ["DYNAMIC"],
        "etag": ['W/"3c-aB3dE5gH7jK9mN1pQ3sT5vW7yZ9"'],
    }
    assert Redaction().headers(headers) == headers


def test_scanner_leaves_benign_texts(tmp_path: Path) -> None:
    """A recording full of them has no finding."""
    body = json.dumps({"messages": BENIGN})
    doc = document(interaction(body, request={"body": body}))
    assert scan(save(tmp_path, doc)) == []


def test_base64_of_bytes_stays() -> None:
    """Signatures and encrypted texts are played back; names of two letters are chance."""
    rng = random.Random(1)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for _ in range(5):
            text = b'{"thoughtSignature": "%b"}' % encode(rng.randbytes(20_000))
            assert Redaction().body(text) == text
