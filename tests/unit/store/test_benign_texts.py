"""Texts that look like secrets and are none: redaction and the scanner leave them."""

# ruff: noqa: E501 - a text is read on one line

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness.redaction.config import Redaction
from harness.redaction.scan import scan
from tests.unit.store.recordings import document, interaction, save

if TYPE_CHECKING:
    from pathlib import Path

BENIGN = [
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


@pytest.mark.parametrize("text", BENIGN)
def test_benign_text_stays(text: str) -> None:
    """It is left as it is, as a body of its own and within JSON, twice over."""
    once = json.dumps({"content": text})
    twice = json.dumps({"arguments": once})
    for body in (text, once, twice):
        assert Redaction().body(body.encode()).decode() == body


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
