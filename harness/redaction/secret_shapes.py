"""Secrets that are no single word: schemes, URLs, commands, blocks, personal data.

Owns their expressions; each begins with literal text, which `re` searches fast, and
never looks back over what it has passed. `harness.redaction.detectors` searches with
them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from harness.redaction.spans import COMMAND, URL_USER


class Detector(NamedTuple):
    """One more shape of secret than the table has."""

    kind: str
    """What it finds, as a phrase."""
    pattern: re.Pattern[bytes]
    """Group 1, where there is one, is the secret."""
    needed: bytes = b""
    """A text without it has none, which is found ten times as fast."""


PERSONAL = {
    "email": Detector(
        "e-mail address",
        re.compile(
            rb"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}+@"
            rb"(?:[A-Za-z0-9-]{1,63}+\.)++[A-Za-z]{2,24}(?![A-Za-z0-9])"
        ),
    ),
    "phone": Detector(
        "phone number",
        re.compile(
            rb"(?<![\w+.-])(?:\+[0-9]{1,3}[ .-]?(?:\([0-9]{1,4}\)[ .-]?)?"
            rb"[0-9](?:[ .-]?[0-9]){6,12}|\([0-9]{3}\) ?[0-9]{3}[ .-][0-9]{4}"
            rb"|[0-9]{3}-[0-9]{3}-[0-9]{4})(?![\w.-])"
        ),
    ),
}
"""What is looked for only where a project asks for it, by the name of the option."""

# What is no single word: searched by the literal text that each begins with.
SHAPES = (
    *(
        Detector(
            "bearer token",
            # A digit or 20 characters: `bearer authentication` is prose.
            re.compile(
                scheme + rb"(?:\s|%20|\+){1,8}"
                rb"((?=[A-Za-z._~+/=-]{0,200}\d|[^\s\"'\\]{20})[A-Za-z0-9._~+/=-]{8,}+)"
            ),
        )
        for scheme in (rb"earer(?<=[Bb]earer)", rb"EARER(?<=[Bb]EARER)")
    ),
    Detector(
        URL_USER,
        re.compile(
            rb"://([^\s/?#@\"'<>\\:]{0,256}+:[^\s/?#@\"'<>\\]++"
            rb"(?:@[^\s/?#@\"'<>\\]++(?=@))*+)@"
        ),
        b"@",
    ),
    Detector(
        URL_USER,  # with characters that should have been escaped; no port and path
        re.compile(
            rb"://([\w.+-]{0,64}+:(?!\d{1,5}(?!\w))[^\s@\"'<>\\]{3,256}+)@"
            rb"(?=[A-Za-z0-9][\w.-]*(?:[:/?\s\"'\\]|\Z))"
        ),
        b"@",
    ),
    Detector(
        URL_USER, re.compile(rb"://((?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{20,}+):?@"), b"@"
    ),
    Detector(
        "Facebook app token",
        re.compile(rb"\|(?<=[0-9]{13}\|)([A-Za-z0-9_-]{27,40}+)(?![A-Za-z0-9_-])"),
        b"|",
    ),
    Detector(
        "Salesforce session",
        re.compile(rb"00D[A-Za-z0-9]{12,15}!([A-Za-z0-9._]{60,}+)"),
        b"!",
    ),
    Detector(
        COMMAND,  # curl -u user:password
        re.compile(
            rb"-(?:[uU](?<=\s-[uU])|-(?:proxy-)?user)(?:=|\s{0,5})(?:\\?[\"'])?"
            rb"((?![0-9]+:[0-9]+)[^\s\"':\\<{$]{0,64}+"
            rb"(?:(?:\\?[\"'])?:(?:\\?[\"'])?[^\s\"'\\<>{}$]{3,}+"
            rb"|:(?<=[^\s\"':\\<{$]{6}:)(?=[\s\"'\\])))"
        ),
        b"-",
    ),
    Detector(
        "credential header of a command",  # curl -H "Key: value"
        re.compile(
            rb"-(?:H|-header)(?:=|\s{0,5})\\?[\"'](?:[Xx]-[A-Za-z-]{0,40}?)?"
            rb"(?:[Aa][Pp][Ii]-?)?(?:[Kk]ey|KEY|[Tt]oken|TOKEN):\s{0,5}"
            rb"([A-Za-z0-9_=~@.+/-]{8,}+)"
        ),
        b"-",
    ),
    Detector(
        COMMAND,  # requests.get(..., auth=("user", "password"))
        re.compile(
            rb"uth(?<=[Aa]uth)(?:\\?[\"']?\s{0,3}[:=]\s{0,3})?[(\[]\s{0,3}"
            rb"\\?[\"'][^\"'\\]{0,64}\\?[\"'],\s{0,3}(?:\w{1,12}\()?\\?[\"']((?![<{$%])[^\s\"'\\<>{}]{6,256}+)\\?[\"']"
        ),
        b"uth",
    ),
    *(
        Detector(
            URL_USER,  # as Go writes it
            re.compile(
                rb"(?<![\w.-])([\w.-]{1,64}+:[^\s\"'<>\\@]{3,256}+)" + re.escape(host)
            ),
            host,
        )
        for host in (b"@tcp(", b"@unix(")
    ),
    Detector(
        "LINE token",  # all of them end in this
        re.compile(rb"(?<![A-Za-z0-9+/])([A-Za-z0-9+/]{100,200}B04t89/1O/w1cDnyilFU=)"),
        b"B04t89/1O/w1cDnyilFU=",
    ),
    Detector(
        COMMAND,
        re.compile(
            rb"SecretStr\(\s{0,3}\\?[\"']((?![<{$%])[^\s\"'\\<>{}]{6,256}+)\\?[\"']"
        ),
        b"(",
    ),
    Detector(
        "digest credentials",
        re.compile(
            rb"igest(?<=[Dd]igest)\s[^\r\n]{0,400}?\bresponse=\\*\"?([0-9a-f]{32,64}+)"
        ),
        b"=",
    ),
    *(
        Detector(
            COMMAND,  # .pgpass
            re.compile(
                start + rb":(?![0-9]+:)[\w*-]{1,63}:[\w*.@-]{1,63}:"
                rb"((?=\S{0,64}[0-9])[^\s/\"'\\:][^\s\"'\\:]{5,256}+)"
            ),
            b":",
        )
        for start in (rb":(?<=[\w*]:)[1-9]\d{3,4}", rb"\*:\*(?<![\w:*]\*:\*)")
    ),
    Detector(
        "cookie",  # Netscape's
        re.compile(
            rb"\t(?:TRUE|FALSE)\t\d{1,12}\t[^\s]{1,80}\t((?=\D*\d)[^\s\"'\\]{16,4096}+)"
        ),
        b"E\t",
    ),
    Detector(
        "private key",  # PuTTY's
        re.compile(
            rb"Private-Lines: [0-9]{1,4}(?:\r?\n|\\[nr])++"
            rb"((?:[A-Za-z0-9+/=]{8,}+(?:\r?\n|\\[nr])*+){1,400}+)"
        ),
        b"-",
    ),
)
BASIC = re.compile(rb"[Bb](?:asic|ASIC)(?:\s|%20|\+){1,8}([A-Za-z0-9+/_-]{6,}+={0,2})")
PEM_BEGIN = re.compile(
    rb"----[- ]BEGIN(?:[A-Z0-9 +_-]{0,100}?PRIVATE[ +]KEY(?:[ +]BLOCK)?"
    rb"|[ +]OpenVPN[\w +-]{1,60}?key(?:[ +]V1)?)[- ]----"
)
PEM_BODY = re.compile(
    rb"(?:[^\"-]++|-(?!---)|\"(?:\s|\\[nrt]|[+.,])*+\\?\")*+"
    rb"----[- ]END(?:[A-Z0-9 +_-]{0,100}?PRIVATE[ +]KEY(?:[ +]BLOCK)?"
    rb"|[ +]OpenVPN[\w +-]{1,60}?key(?:[ +]V1)?)[- ]----"
)
PEM_CUT = re.compile(rb"[A-Za-z0-9+/=\s\\]*+")
JWK = re.compile(  # RFC 7518, 6.2.2, 6.3.2 and 6.4.1
    rb"\"(?:d|k|p|q|dp|dq|qi)\\?\"\s{0,9}:\s{0,9}\\?\"([A-Za-z0-9_-]{20,}+)"
)
KUBERNETES = re.compile(rb"kind:[ \t]{0,9}\\?[\"']?[Ss]ecret\b")
KUBERNETES_KIND = re.compile(rb'kind\\*"\s{0,40}:\s{0,40}\\*"(\w{1,40})')
KUBERNETES_OBJECT = re.compile(
    rb'"(?:data|stringData)\\*"\s{0,40}:\s{0,40}\{([^{}]{1,100000}+)\}'
    rb'(?:[\s,]{1,80}\\*"kind\\*"\s{0,40}:\s{0,40}\\*"(\w{1,40}))?'
)
KUBERNETES_FIELD = re.compile(
    rb'\\*"[\w.-]{1,80}+\\*"\s{0,4}:\s{0,4}\\*"([^"\\]{4,65536}+)\\*"'
)
KUBERNETES_DATA = re.compile(
    rb"(?:\n|\\n)[ \t]{1,40}[\w.-]{1,80}+:[ \t]{0,9}[\"']?"
    rb"((?![a-z]+[\s\\]|//)(?:[A-Za-z0-9+/]{4}){2,}+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)"
    rb"(?=[\s\"'\\]|\Z)"
)
KUBERNETES_STRINGS = re.compile(rb"stringData:[ \t]{0,9}")
KUBERNETES_STRING = re.compile(
    rb"(?:\r?\n|\\n)[ \t]{1,40}[\w.-]{1,80}+:[ \t]{0,9}\\?[\"']?"
    rb"([^\s\"'\\|>][^\r\n\"'\\]{3,512}+)\\?[\"']?"
)
