"""The formats of keys and tokens: one table, a row a format.

Owns the facts: prefix, alphabet, length, where they are documented and when the row
was last compared with it. How a text is searched is `harness.redaction.detectors`; values
that have no prefix, and are known by whose they are, stand in
`harness.redaction.secret_services`.
"""

# ruff: noqa: E501 - a row is one line

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FORMATS", "Format"]

_ALNUM = "A-Za-z0-9"
_WORD = "A-Za-z0-9_-"
_LOWER = "a-z0-9"
_UPPER = "A-Z0-9"
_HEX = "0-9a-f"
_ANY_HEX = "0-9A-Fa-f"
_BASE64 = "A-Za-z0-9+/"
_END = "(?![A-Za-z0-9])"
_END64 = "={0,3}"
# As random characters are, and words of prose and code are not: a digit, or letters of
# both cases with the many capitals of no name.
_RANDOM = (
    r"(?=[A-Za-z_-]{0,64}[0-9]|(?=(?:[A-Z_-]{0,64}[a-z]){8})(?:[a-z_-]{0,64}[A-Z]){8})"
)


class Format(NamedTuple):
    """One format of key or token."""

    kind: str
    """What it is, as a phrase."""
    prefix: str
    """A regular expression for what its issuer puts before every one."""
    alphabet: str
    """Of the random part, as in a character class."""
    length: int
    """How many characters of it there are at least: issuers lengthen their keys."""
    source: str
    """The page that documents it; `public reports` where there is none."""
    rest: str | None = None
    """What follows them; None for as many more characters as there are."""
    seen: str = "2026-07"
    """Month in which the row was last compared with its source."""

    @property
    def pattern(self) -> str:
        """The regular expression of the whole, linear in what it matches."""
        rest = f"[{self.alphabet}]*+" if self.rest is None else self.rest
        return f"{self.prefix}[{self.alphabet}]{{{self.length}}}{rest}"


# The first row of a first letter that matches wins: special ones before general ones.
# fmt: off
FORMATS: tuple[Format, ...] = (
    # Models.
    Format("Anthropic key", r"sk-ant-[a-z]+\d\d-", _WORD, 12, "Anthropic API: Authentication"),
    Format("OpenRouter key", r"sk-or-v1-", _ALNUM, 20, "OpenRouter: Authentication"),
    Format("OpenAI key", r"sk-(?:proj|svcacct|admin|service|None)-", _WORD, 12, "OpenAI: API keys"),
    Format("Langfuse key", r"sk-lf-", _WORD, 20, "Langfuse: API keys"),
    Format("API key (sk-)", r"sk-(?:let-)?(?=(?:[A-Za-z+/]{0,32}[0-9]){4})(?=[a-z0-9+/]{0,32}[A-Z])", _BASE64 + "_-", 60, "Letta, Requesty: API keys", rf"[{_BASE64}_-]*+={{0,2}}", seen="2026-11"),
    # Many issuers; a locale or a CSS class (`sk-SK-locale`) has no piece like this.
    Format("API key (sk-)", r"sk-(?:[A-Za-z0-9]{1,12}[_-]){0,3}+(?=[A-Za-z]{0,64}[0-9])", _ALNUM, 12, "OpenAI, DeepSeek, Moonshot: API keys", rf"[{_WORD}]*+"),
    Format("API key (sk-)", rf"sk-(?=[A-Za-z]{{32}}){_RANDOM}", "A-Za-z", 32, "OpenAI: API keys", rf"[{_WORD}]*+"),
    Format("API key (sk-)", rf"sk-(?=[{_WORD}]{{0,64}}[A-Z])(?=[{_WORD}]{{0,64}}[a-z])(?=(?:[A-Za-z_-]{{0,64}}[0-9]){{3}})", _WORD, 20, "OpenAI: API keys"),
    Format("Google API key", r"AIza", _WORD, 30, "Google Cloud: API keys"),
    Format("Google AI Studio key", rf"AQ\.{_RANDOM}", _WORD, 40, "Google AI: API keys"),
    Format("Hugging Face token", r"hf_", _ALNUM, 20, "Hugging Face: User access tokens"),
    Format("Hugging Face organisation token", r"api_org_", _ALNUM, 20, "Hugging Face: User access tokens"),
    Format("Groq key", r"gsk_", _ALNUM, 20, "Groq: API keys"),
    Format("xAI key", r"xai-", _ALNUM, 20, "xAI: API keys"),
    Format("Perplexity key", r"pplx-", _ALNUM, 20, "Perplexity: API keys"),
    Format("Cerebras key", r"csk-", _LOWER, 20, "Cerebras: Authentication"),
    Format("Replicate token", r"r8_", _ALNUM, 20, "Replicate: Authentication"),
    Format("NVIDIA key", r"nvapi-", _WORD, 20, "NVIDIA NIM: API keys"),
    Format("Fireworks key", r"fw_", _ALNUM, 20, "Fireworks: API keys"),
    Format("Together key", r"tgp_v1_", _WORD, 20, "Together: API keys"),
    Format("Voyage key", rf"(?:pa|al)-{_RANDOM}(?=[a-z0-9_-]{{0,64}}[A-Z])", _WORD, 40, "Voyage AI: API keys"),
    Format("ElevenLabs key", r"sk_", _HEX, 40, "ElevenLabs: API keys"),
    Format("Jina key", r"jina_", _WORD, 30, "Jina AI: API keys"),
    Format("Nomic key", r"nk-", _WORD, 40, "Nomic: API keys"),
    Format("Pinecone key", r"pcsk_", _ALNUM + "_", 30, "Pinecone: API keys"),
    Format("Tavily key", r"tvly-", _WORD, 16, "Tavily: API keys"),
    Format("Firecrawl key", r"fc-", _HEX, 32, "Firecrawl: Authentication"),
    Format("LangSmith key", r"lsv2_[a-z]{2}_", _ALNUM + "_", 20, "LangSmith: API keys"),
    Format("LangSmith key", r"ls__", _ALNUM, 20, "LangSmith: API keys"),
    Format("LlamaCloud key", r"llx-", _ALNUM, 30, "LlamaCloud: API keys"),
    Format("Langfuse public key", r"pk-lf-", _WORD, 20, "Langfuse: API keys"),
    Format("Portkey key", r"pk-portkey-", _WORD, 20, "Portkey: API keys"),
    Format("Logfire token", r"pylf_v\d_[a-z]{2}_", _ALNUM, 20, "Logfire: Write tokens"),
    Format("E2B key", r"e2b_", _HEX, 32, "E2B: API key"),
    Format("Weights & Biases key", r"wandb_v1_", _WORD, 40, "Weights & Biases: API keys"),
    Format("Helicone key", r"sk-helicone-", _WORD, 16, "Helicone: API keys"),
    Format("Modal token", r"a[ks]-", _ALNUM, 22, "Modal: Token", _END),
    Format("RunPod key", r"rpa_", _ALNUM, 30, "RunPod: API keys"),
    Format("Lambda Cloud key", r"secret_[a-z0-9-]{1,40}_", _ALNUM, 32, "Lambda Cloud: API keys", rf"[{_ALNUM}]*+(?:\.[{_ALNUM}]{{32}}+)?"),
    Format("OpenAI ephemeral key", r"ek_", _ALNUM, 24, "OpenAI: Realtime client secrets", seen="2026-11"),
    Format("OpenAI session key", r"sess-", _ALNUM, 40, "public reports", seen="2026-11"),
    Format("Anyscale key", r"esecret_", _ALNUM, 24, "Anyscale: API keys", seen="2026-11"),
    Format("Cartesia key", r"sk_car_", _WORD, 16, "Cartesia: API keys", seen="2026-11"),
    Format("fal key", r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}:", _HEX, 32, "fal: Authentication", _END, seen="2026-11"),
    Format("Browserbase key", r"bb_(?:live|test)_", _WORD, 20, "Browserbase: API keys", seen="2026-11"),
    Format("Mem0 key", r"m0-", _ALNUM, 36, "Mem0: API keys", seen="2026-11"),
    Format("Scrapfly key", r"scp-(?:live|test)-", _HEX, 32, "Scrapfly: API keys", seen="2026-11"),
    Format("Letta token", r"at-let-", _HEX, 32, "Letta: API keys", seen="2026-11"),
    Format("Azure OpenAI key", rf"[{_ALNUM}]{{48,56}}JQQJ99", _ALNUM, 20, "Microsoft: Azure OpenAI", seen="2026-11"),
    Format("Hugging Face job token", r"hf_jwt_", _WORD, 40, "Hugging Face: User access tokens", "[.A-Za-z0-9_-]*+", seen="2026-11"),
    Format("Zhipu key", r"[0-9a-f]{32}\.(?=[A-Za-z_-]{0,15}[0-9])(?=[a-z0-9_-]{0,15}[A-Z])", _WORD, 16, "Zhipu, Ollama: API keys", rf"[{_WORD}]{{0,8}}(?![{_WORD}])", seen="2026-11"),
    Format("Friendli token", r"flp_", _ALNUM, 30, "Friendli: Access tokens", seen="2026-11"),
    Format("Nebius token", r"v1\.Cm", _WORD, 80, "Nebius: Static keys", seen="2026-11"),
    Format("Upstage key", rf"up_{_RANDOM}", _ALNUM, 29, "Upstage: API keys", seen="2026-11"),
    Format("Mixedbread key", r"mxb_", _ALNUM, 30, "Mixedbread: API keys", seen="2026-11"),
    Format("Luma key", r"luma-[0-9a-f]{8}-", _HEX + "-", 24, "Luma: API keys", seen="2026-11"),
    Format("Cursor key", r"(?:key|crsr)_", _HEX, 64, "Cursor, Runway: API keys", seen="2026-11"),
    Format("Devin key", rf"apk_(?:user_)?{_RANDOM}", _BASE64, 80, "Devin: API keys", rf"[{_BASE64}]*+{_END64}", seen="2026-11"),
    Format("Devin token", r"cog_", "a-z2-7", 52, "Devin: API keys", _END, seen="2026-11"),
    Format("Factory key", rf"fk-{_RANDOM}", _WORD, 40, "Factory: API keys", seen="2026-11"),
    Format("Composio key", r"[ac]k_(?=(?:[A-Za-z_-]{0,20}[0-9]){2})", _WORD, 20, "Composio: Authentication", rf"(?![{_WORD}])", seen="2026-11"),
    Format("Arcade key", r"arc_", _ALNUM, 40, "Arcade: API keys", seen="2026-11"),
    Format("Browser Use key", rf"bu_{_RANDOM}", _WORD, 40, "Browser Use: API keys", seen="2026-11"),
    Format("Steel key", rf"ste-{_RANDOM}", _ALNUM, 40, "Steel: API keys", seen="2026-11"),
    Format("Hyperbrowser key", r"hb_", _HEX, 32, "Hyperbrowser: API keys", _END, seen="2026-11"),
    Format("Brave key", rf"BSA{_RANDOM}(?=[{_WORD}]{{0,16}}[A-Za-z0-9]{{10}})", _WORD, 24, "Brave Search: API keys", rf"[{_WORD}]{{0,16}}(?![{_WORD}])", seen="2026-11"),
    Format("Daytona key", r"dtn_", _HEX, 40, "Daytona: API keys", seen="2026-11"),
    Format("Chroma key", rf"ck-{_RANDOM}", _ALNUM, 40, "Chroma Cloud: API keys", seen="2026-11"),
    Format("Turbopuffer key", r"tpuf_", _ALNUM, 24, "Turbopuffer: API keys", seen="2026-11"),
    Format("Zep key", r"z_1", _WORD, 40, "Zep: API keys", rf"[{_WORD}]{{0,400}}+(?:\.[{_WORD}]{{10,}}+)?", seen="2026-11"),
    Format("Arize key", rf"ak-{_RANDOM}", _WORD, 40, "Arize: API keys", seen="2026-11"),
    Format("Phoenix key", rf"px_{_RANDOM}", _ALNUM, 36, "Arize Phoenix: API keys", seen="2026-11"),
    Format("PromptLayer key", r"pl_", _HEX, 32, "PromptLayer: API keys", _END, seen="2026-11"),
    Format("Traceloop key", r"tl_", _HEX, 40, "Traceloop: API keys", seen="2026-11"),
    Format("Glama key", r"glama_", _ALNUM, 30, "Glama: Gateway", seen="2026-11"),
    Format("n8n key", r"n8n_api_", _WORD, 40, "n8n: API authentication", "[.A-Za-z0-9_-]*+", seen="2026-11"),
    Format("Roboflow key", rf"rf_{_RANDOM}", _ALNUM, 28, "Roboflow: API keys", seen="2026-11"),
    Format("Kaggle token", r"KGAT_", _HEX, 32, "Kaggle: API tokens", seen="2026-11"),
    Format("organisation id", r"org-", _ALNUM, 20, "OpenAI: Organizations"),
    Format("project id", r"proj_", _ALNUM, 20, "OpenAI: Projects"),
    # Clouds.
    Format("Bedrock key", r"ABSK", _BASE64, 60, "AWS: Amazon Bedrock API keys", rf"[{_BASE64}]*+{_END64}"),
    Format("Bedrock key", r"bedrock-api-key-", _BASE64, 20, "AWS: Amazon Bedrock API keys", rf"[{_BASE64}]*+{_END64}"),
    Format("AWS key id", r"A(?:KIA|SIA|BIA|CCA|3T[A-Z0-9])", _UPPER, 16, "AWS IAM: Unique identifiers", _END),
    Format("AWS session token", r"(?:IQoJb3JpZ2lu|F[wQ]oGZXIvYXdz)", _BASE64, 80, "AWS STS: Temporary credentials", rf"[{_BASE64}]*+{_END64}", seen="2026-11"),
    Format("AWS AppSync key", r"da2-", _LOWER, 26, "AWS AppSync: API keys", _END, seen="2026-11"),
    Format("Amazon MWS token", r"amzn\.mws\.", _HEX + "-", 36, "Amazon MWS: Authorization", seen="2026-11"),
    Format("Google authorisation code", rf"4/0{_RANDOM}", _WORD, 40, "Google Identity: OAuth 2.0", seen="2026-11"),
    Format("Google HMAC key id", r"GOOG(?=[A-Z]{0,19}[0-9])", _UPPER, 20, "Google Cloud Storage: HMAC keys", _END, seen="2026-11"),
    Format("Alibaba key id", rf"STS\.{_RANDOM}", _ALNUM, 16, "Alibaba Cloud: STS", _END, seen="2026-11"),
    Format("DigitalOcean Spaces key", r"DO00", _UPPER, 16, "DigitalOcean: Spaces", _END, seen="2026-11"),
    Format("Exoscale key", rf"EXO{_RANDOM}", _ALNUM, 24, "Exoscale: API keys", _END, seen="2026-11"),
    Format("UpCloud token", r"ucat_", _ALNUM, 24, "UpCloud: API tokens", seen="2026-11"),
    Format("Elastic Cloud key", r"essu_", _WORD, 60, "Elastic Cloud: API keys", rf"[{_WORD}]*+{_END64}", seen="2026-11"),
    Format("Vercel Blob token", r"vercel_blob_rw_", _ALNUM + "_", 30, "Vercel: Blob", seen="2026-11"),
    Format("Cloudflare tunnel token", r"eyJhIjoi", _BASE64, 80, "Cloudflare: Tunnels", rf"[{_BASE64}]*+{_END64}", seen="2026-11"),
    Format("Deno token", r"dd[op]_", _ALNUM, 36, "Deno Deploy: Access tokens", seen="2026-11"),
    Format("CockroachDB key", r"CCDB1_", _ALNUM + "_", 40, "CockroachDB Cloud: Service accounts", seen="2026-11"),
    Format("Confluent secret", r"cflt(?=[A-Za-z+/]{0,48}[0-9])", _BASE64, 50, "Confluent Cloud: API keys", rf"[{_BASE64}]*+{_END64}", seen="2026-11"),
    Format("Tinybird token", r"p\.ey", _WORD, 30, "Tinybird: Tokens", rf"[{_WORD}]{{0,400}}+\.[{_WORD}]{{20,}}+", seen="2026-11"),
    Format("Google OAuth token", r"ya29\.", _WORD, 20, "Google Identity: OAuth 2.0"),
    Format("Google refresh token", r"1//0", _WORD, 30, "Google Identity: OAuth 2.0"),
    Format("Google client secret", r"GOCSPX-", _WORD, 20, "Google Identity: OAuth 2.0"),
    Format("Azure client secret", r"[A-Za-z0-9_~.]{3}[0-9]Q~", "~." + _WORD, 31, "Microsoft Entra: Client secrets"),
    Format("Azure DevOps token", rf"[{_ALNUM}]{{76}}AZDO", _ALNUM, 4, "Azure DevOps: Personal access tokens", _END),
    Format("Azure key", rf"[{_BASE64}_-]{{33,80}}(?:AIoT|APIM|\+A(?:Ba|CR|MC|Rm|St)|ACDb|AzSe|AzCa|AzFu|[A-Z]ACOG)", _BASE64 + "_-", 4, "Microsoft: Identifiable secrets", rf"[{_BASE64}_-]*+{_END64}", seen="2026-11"),
    Format("Alibaba key id", r"LTAI", _ALNUM, 16, "Alibaba Cloud: AccessKey pair", rf"[{_ALNUM}]{{0,8}}{_END}"),
    Format("Tencent key id", r"AKID", _ALNUM, 32, "Tencent Cloud: API keys", _END),
    Format("DigitalOcean token", r"do[aoprt]_v1_", _ANY_HEX, 32, "DigitalOcean: Personal access tokens"),
    Format("Fly.io token", r"fo1_", _WORD, 40, "Fly.io: Access tokens"),
    Format("Fly.io token", r"fm(?:1[ar]|2)_", _BASE64, 60, "Fly.io: Access tokens", rf"[{_BASE64}]*+{_END64}"),
    Format("Heroku key", r"HRKU-", _WORD, 36, "Heroku: OAuth"),
    Format("Vercel token", r"vc[apkri]_", _ALNUM, 24, "Vercel: Tokens"),
    Format("Vercel key", rf"vc[apkri]_(?=[{_WORD}]{{0,40}}[A-Za-z0-9]{{16}})(?=[a-z0-9_-]{{0,55}}[A-Z])(?=(?:[A-Za-z_-]{{0,55}}[0-9]){{3}})", _WORD, 56, "Vercel: Tokens", rf"(?![{_WORD}])", seen="2026-11"),
    Format("Netlify token", r"nf[bcopu]_", _ALNUM, 36, "Netlify: Personal access tokens"),
    Format("Render key", r"rnd_", _ALNUM, 24, "Render: API keys"),
    Format("Scalingo token", r"tk-us-", _WORD, 40, "Scalingo: Tokens"),
    Format("Cloudflare origin key", r"v1\.0-[0-9a-f]{24}-", _HEX, 100, "Cloudflare: Origin CA keys"),
    Format("Cloudflare token", r"cf(?:ut|at|k)_", _WORD, 40, "Cloudflare: API tokens"),
    Format("Scaleway key id", r"SCW", _UPPER, 17, "Scaleway: API keys", _END),
    Format("OpenShift token", r"sha256~", _WORD, 40, "OpenShift: OAuth tokens"),
    Format("Yandex token", r"t1\.", _WORD, 10, "Yandex Cloud: IAM tokens", rf"[{_WORD}]{{0,400}}+={{0,2}}\.[{_WORD}]{{60,}}+={{0,2}}"),
    Format("Yandex key", r"AQVN", _WORD, 35, "Yandex Cloud: API keys"),
    Format("Yandex static key", r"YC", _WORD, 38, "Yandex Cloud: Static access keys", rf"(?![{_WORD}])"),
    Format("MongoDB Atlas secret", r"mdb_sa_sk_", _WORD, 20, "MongoDB Atlas: Service accounts", seen="2026-11"),
    Format("Aiven password", r"AVNS_", _WORD, 15, "Aiven: Service users", seen="2026-11"),
    Format("Xata key", r"xau_", _ALNUM, 30, "Xata: API keys", seen="2026-11"),
    Format("dbt token", r"dbt[uc]_", _WORD, 40, "dbt Cloud: Tokens", seen="2026-11"),
    Format("Axiom token", r"xa(?:at|pt)-", _HEX + "-", 36, "Axiom: Tokens", seen="2026-11"),
    Format("Inngest signing key", r"signkey-[a-z]{4,6}-", _HEX, 32, "Inngest: Signing keys", seen="2026-11"),
    Format("Trigger.dev key", r"tr_(?:dev|prod|stg|preview)_", _ALNUM, 16, "Trigger.dev: API keys", seen="2026-11"),
    Format("Google HMAC key id", r"GOOG1E", _UPPER, 55, "Google Cloud Storage: HMAC keys", _END, seen="2026-11"),
    # Code and packages.
    Format("GitHub token", r"gh[opsur]_", _ALNUM, 20, "GitHub Docs: Token formats"),
    Format("GitHub token", r"ghs_[A-Za-z0-9]{1,20}_ey", _WORD, 12, "GitHub Docs: Token formats", "[.A-Za-z0-9_-]*+", seen="2026-11"),
    Format("GitHub token", r"github_pat_", _ALNUM + "_", 20, "GitHub Docs: Token formats"),
    Format("GitLab token", r"gl(?:pat|dt|ft|rt|rtr|oas|soat|agent|ptt|imt|ffct|wt)-", _WORD, 20, "GitLab: Token overview", rf"[{_WORD}]*+(?:\.[0-9a-z]{{2,}}+)*+"),
    Format("GitLab token", r"glcbt-", _ALNUM, 1, "GitLab: Token overview", rf"[{_ALNUM}]{{0,4}}_[{_WORD}]{{20,}}+"),
    Format("GitLab runner token", r"GR1348941", _WORD, 20, "GitLab: Token overview"),
    Format("GitLab session", r"_gitlab_session=", _LOWER, 32, "GitLab: Session cookie"),
    Format("Bitbucket token", r"ATBB", _ALNUM, 24, "Bitbucket: App passwords"),
    Format("Atlassian token", r"AT(?:ATT|CTT)3", "=" + _WORD, 60, "Atlassian: API tokens"),
    Format("npm token", r"npm_", _ALNUM, 30, "npm Docs: Access tokens"),
    Format("PyPI token", r"pypi-", _WORD, 50, "PyPI: API tokens"),
    Format("RubyGems key", r"rubygems_", _HEX, 40, "RubyGems: API key scopes"),
    Format("Clojars token", r"CLOJARS_", _ALNUM, 40, "Clojars: Deploy tokens"),
    Format("Crates.io token", r"cio", _ALNUM, 32, "crates.io: API tokens", _END),
    Format("NuGet key", r"oy2", _LOWER, 43, "NuGet: API keys", _END),
    Format("Docker Hub token", r"dckr_(?:pat|oat)_", _WORD, 20, "Docker: Personal access tokens"),
    Format("JFrog key", r"AKCp", _ALNUM, 60, "JFrog: API key"),
    Format("JFrog reference token", r"cmVmd", _ALNUM, 59, "JFrog: Reference tokens", _END),
    Format("Harness.io token", r"[ps]at\.", _WORD, 22, "Harness.io: API keys", rf"\.[{_ALNUM}]{{24}}\.[{_ALNUM}]{{20,}}+"),
    Format("CircleCI token", r"CCIP(?:AT|RJ)_", _ALNUM, 20, "CircleCI: API tokens", rf"[{_ALNUM}]*+(?:_[{_ANY_HEX}]{{20,}}+)?"),
    Format("Buildkite token", r"bk(?:ua|aa|ct)_", _ALNUM, 40, "Buildkite: Tokens"),
    Format("Sonar token", r"sq[uap]_", _HEX, 40, "SonarQube: Tokens"),
    Format("Snyk token", r"snyk_[a-z]{3}\.", "." + _WORD, 30, "Snyk: Tokens"),
    Format("Sourcegraph token", r"sgp_(?:(?:[0-9A-Fa-f]{16}|local)_)?", _ANY_HEX, 40, "Sourcegraph: Access tokens"),
    Format("Sourcegraph token", r"sg[dw]_", _ALNUM, 40, "Sourcegraph: Access tokens"),
    Format("Octopus key", r"API-", _UPPER, 26, "Octopus Deploy: API keys", _END),
    Format("Pulumi token", r"pul-", _HEX, 40, "Pulumi: Access tokens"),
    Format("Terraform token", r"[A-Za-z0-9]{14}\.atlasv1\.", "=" + _WORD, 60, "Terraform: API tokens"),
    Format("Infracost key", r"ico-", _ALNUM, 32, "Infracost: API keys"),
    Format("Vault token", rf"hv[sbr]\.{_RANDOM}", _WORD, 24, "HashiCorp Vault: Tokens"),
    Format("Vault token", r"s\.(?=[A-Za-z]{0,23}[0-9])", _ALNUM, 24, "HashiCorp Vault: Tokens", _END),
    Format("Infisical token", rf"st\.[{_WORD}]{{8,48}}\.[{_WORD}]{{8,48}}\.", _HEX, 16, "Infisical: Service tokens", seen="2026-11"),
    Format("Bitwarden token", r"0\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.", _ALNUM, 28, "Bitwarden: Access tokens", rf"[{_ALNUM}]{{0,4}}:[{_BASE64}]{{16,}}+{_END64}", seen="2026-11"),
    Format("Dagster token", r"(?:user|agent):", _HEX, 32, "Dagster+: Tokens", _END, seen="2026-11"),
    Format("Aikido secret", r"AIK_[A-Z]{2,6}_", _ALNUM, 20, "Aikido: API", seen="2026-11"),
    Format("Endor Labs key", r"endr\+", _ALNUM + "-", 16, "Endor Labs: API keys", seen="2026-11"),
    Format("ConfigCat key", r"configcat-sdk-1/", _WORD, 22, "ConfigCat: SDK keys", rf"/[{_WORD}]{{22}}", seen="2026-11"),
    Format("Canva secret", r"cnvca", _WORD, 40, "Canva: Connect APIs", seen="2026-11"),
    Format("Val Town token", r"vtwn_", _ALNUM, 24, "Val Town: API tokens", seen="2026-11"),
    Format("Dub key", rf"dub_{_RANDOM}", _ALNUM, 24, "Dub: API keys", seen="2026-11"),
    Format("Unkey key", r"unkey_", _ALNUM, 16, "Unkey: Root keys", seen="2026-11"),
    Format("OneSignal key", r"os_v2_[a-z]{3}_", _LOWER, 60, "OneSignal: Keys", seen="2026-11"),
    Format("Ably key", rf"[{_WORD}]{{6}}\.[{_WORD}]{{6}}:{_RANDOM}", _WORD, 43, "Ably: API keys", rf"(?![{_WORD}])", seen="2026-11"),
    Format("ImageKit key", rf"private_{_RANDOM}", _ALNUM, 26, "ImageKit: API keys", rf"[{_ALNUM}]{{0,2}}=", seen="2026-11"),
    Format("Sanity token", rf"sk{_RANDOM}", _ALNUM, 80, "Sanity: API tokens", seen="2026-11"),
    Format("Stytch secret", r"secret-(?:live|test)-", _WORD, 30, "Stytch: API keys", seen="2026-11"),
    Format("Statsig key", rf"secret-{_RANDOM}", _ALNUM, 40, "Statsig: API keys", seen="2026-11"),
    Format("ngrok token", rf"[0-9](?=[a-z0-9]{{0,25}}[A-Z])[{_ALNUM}]{{26}}_", _ALNUM, 20, "ngrok: Authtokens", rf"[{_ALNUM}]{{0,2}}(?![{_WORD}])", seen="2026-11"),
    Format("captcha secret", r"(?:ES_(?=[0-9a-f]{32})|0x4AAAAAA)", _WORD, 15, "hCaptcha, Turnstile: Keys", seen="2026-11"),
    Format("reCAPTCHA key", rf"6L{_RANDOM}(?=[a-z0-9_-]{{0,37}}[A-Z])", _WORD, 38, "reCAPTCHA: Keys", rf"(?![{_WORD}])", seen="2026-11"),
    Format("Doppler token", r"dp\.(?:pt|st|ct|sa|scim|audit)\.", "." + _WORD, 40, "Doppler: Auth token formats"),
    Format("1Password token", r"ops_eyJ", _BASE64, 60, "1Password: Service accounts", rf"[{_BASE64}]*+{_END64}"),
    Format("1Password secret key", r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-", _UPPER, 5, "1Password: Secret Key", _END),
    Format("age key", r"AGE-SECRET-KEY-1", _UPPER, 50, "age: README"),
    Format("Prefect key", r"pn[ub]_", _ALNUM, 36, "Prefect: API keys"),
    Format("Databricks token", r"dapi", _HEX, 32, "Databricks: Personal access tokens", r"(?:-\d)?"),
    Format("Databricks token", r"d(?:ose|kea)", _HEX, 32, "Databricks: OAuth", _END),
    Format("LaunchDarkly key", r"(?:api|sdk|mob)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-", _HEX, 12, "LaunchDarkly: SDK credentials", _END),
    Format("Postman key", r"PMAK-[0-9a-fA-F]{24}-", _ANY_HEX, 34, "Postman: API keys"),
    Format("ReadMe key", r"rdme_", _LOWER, 60, "ReadMe: API keys"),
    Format("Authress key", r"(?:sc|ext|scauth|authress)_[A-Za-z0-9]{5,30}\.[A-Za-z0-9]{4,6}\.acc[_-][A-Za-z0-9-]{10,32}\.", _BASE64 + "_=-", 30, "Authress: Service clients"),
    Format("Contentful token", r"CFPAT-", _WORD, 40, "Contentful: Personal access tokens"),
    Format("Figma token", r"fig[dour]_", _WORD, 36, "Figma: Personal access tokens"),
    Format("Airtable token", r"pat[A-Za-z0-9]{14}\.", _HEX, 64, "Airtable: Personal access tokens"),
    Format("Notion token", r"ntn_", _ALNUM, 40, "Notion: Authorization"),
    Format("Notion token", r"secret_", _ALNUM, 43, "Notion: Authorization", _END),
    Format("Linear key", r"lin_(?:api|oauth)_", _ALNUM, 32, "Linear: API and webhooks"),
    Format("Asana token", r"[0-2]/\d{13,17}(?:/\d{13,17})?:", _HEX, 32, "Asana: Personal access tokens"),
    Format("Typeform token", r"tfp_", ".=" + _WORD, 40, "Typeform: Personal access tokens"),
    Format("Frame.io token", r"fio-u-", "=" + _WORD, 50, "Frame.io: Tokens"),
    Format("Adobe client secret", r"p8e-", _ALNUM, 32, "Adobe: Server authentication"),
    Format("MaxMind key", r"[A-Za-z0-9]{6}_", _ALNUM, 29, "MaxMind: License keys", "_mmk"),
    Format("42 client secret", r"s-s4t2(?:ud|af)-", _HEX, 64, "42 API: OAuth"),
    Format("SettleMint token", r"sm_(?:aat|pat|sat)_", _ALNUM, 16, "SettleMint: Access tokens"),
    Format("Sentry token", r"sntrys_eyJ", _BASE64, 30, "Sentry: Auth tokens", rf"[{_BASE64}]*+={{0,2}}(?:_[{_BASE64}]*+)?"),
    Format("Sentry token", r"sntry[a-z]_", _HEX, 60, "Sentry: Auth tokens"),
    Format("Grafana token", r"glsa_", _ALNUM, 32, "Grafana: Service accounts", r"_[0-9A-Fa-f]{8}"),
    Format("Grafana token", r"glc_", _BASE64, 32, "Grafana Cloud: Access policies", rf"[{_BASE64}]*+{_END64}"),
    Format("Grafana key", r"eyJrIjoi", _ALNUM, 50, "Grafana: API keys", rf"[{_ALNUM}]*+{_END64}"),
    Format("Dynatrace token", r"dt0[a-z]\d\d\.[A-Za-z0-9]{8,24}\.", _ALNUM, 64, "Dynatrace: Access tokens"),
    Format("New Relic key", r"NR(?:AK|II|IQ|RA|AA|JS|BR)-", _WORD, 19, "New Relic: API keys"),
    Format("New Relic key", r"(?:eu01xx)?[0-9a-fA-F]{30,36}[Ff]{0,4}NRA", "L", 1, "New Relic: API keys", _END, seen="2026-11"),
    Format("Datadog key", r"ddapp_", _ALNUM, 30, "Datadog: API and application keys", seen="2026-11"),
    Format("Datadog key", r"pub", _HEX, 32, "Datadog: Client tokens", _END, seen="2026-11"),
    Format("PostHog key", r"ph[xcs]_", _WORD, 40, "PostHog: API"),
    Format("Honeycomb key", r"hc[a-z]{2,4}_", _ALNUM, 40, "Honeycomb: API keys"),
    Format("PlanetScale token", r"pscale_(?:tkn|oauth|pw)_", ".=" + _WORD, 32, "PlanetScale: Service tokens"),
    Format("Supabase key", r"sb(?:p|_secret|_publishable)_", _WORD, 20, "Supabase: API keys"),
    Format("Neon key", r"napi_", _LOWER, 40, "Neon: API keys"),
    Format("ClickHouse key", r"4b1d", _ALNUM, 38, "ClickHouse Cloud: API keys", _END),
    Format("JSON web token in base64", r"ZXlK", _BASE64 + "_-", 40, "RFC 7519", rf"[{_BASE64}_-]*+{_END64}"),
    Format("JSON web token", r"ey", _WORD, 8, "RFC 7519", rf"[{_WORD}]{{0,2048}}+\.ey[{_BASE64}_-]{{4,}}+\.[{_BASE64}_-]*+={{0,2}}"),
    Format("JSON web encryption", r"eyJ", _WORD, 8, "RFC 7516", rf"[{_WORD}]{{0,2048}}+\.[{_WORD}]{{0,1024}}+\.[{_WORD}]{{10,2048}}+\.[{_WORD}]{{10,2048}}+\.[{_WORD}]{{10,}}+"),
    # Messages, money and shops.
    Format("ClickUp token", r"pk_[0-9]{4,12}_", _UPPER, 32, "ClickUp: Authentication", _END, seen="2026-11"),
    Format("Cal.com key", r"cal_(?:live_)?", _HEX, 32, "Cal.com: API keys", _END, seen="2026-11"),
    Format("Polar token", r"polar_[a-z]{2,5}_", _ALNUM, 20, "Polar: Access tokens", seen="2026-11"),
    Format("Paddle key", r"pdl_(?:live|sdbx)_apikey_", _ALNUM + "_", 26, "Paddle: API keys", seen="2026-11"),
    Format("Slack token", r"xoxe\.xox[bp]-\d-", _ALNUM, 100, "Slack: Token types"),
    Format("Slack session", r"xoxd-", _BASE64 + "%_-", 30, "Slack: Token types", rf"[{_BASE64}%_-]*+{_END64}", seen="2026-11"),
    Format("Slack token", r"xox[a-z]-", _ALNUM + "-", 8, "Slack: Token types"),
    Format("Slack token", r"xapp-\d-", _ALNUM + "-", 10, "Slack: Token types"),
    Format("Slack webhook", r"hooks\.slack\.com/(?:services|workflows|triggers)/", _BASE64 + "_-", 20, "Slack: Incoming webhooks"),
    Format("Discord webhook", r"discord(?:app)?\.com/api/webhooks/\d+/", _WORD, 40, "Discord: Webhooks"),
    Format("Teams webhook", r"webhook\.office\.com/webhookb2/", "@/" + _WORD, 36, "Microsoft Teams: Webhooks", r"[A-Za-z0-9@/-]*+"),
    Format("Discord token", r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.", _WORD, 27, "Discord: Authentication"),
    Format("Twilio key", r"(?:SK|AC)", _ANY_HEX, 32, "Twilio: API keys", _END),
    Format("SendGrid key", r"SG\.", ".=" + _WORD, 33, "SendGrid: API keys"),
    Format("Mailgun key", r"(?:pub)?key-", _HEX, 32, "Mailgun: API keys", _END),
    Format("Mailchimp key", r"[0-9a-f]{32}-us", "0-9", 1, "Mailchimp: API keys", r"\d?(?![A-Za-z0-9])"),
    Format("Brevo key", r"x(?:key|smtp)sib-[0-9a-f]{64}-", _ALNUM, 16, "Brevo: API keys"),
    Format("Resend key", rf"re_{_RANDOM}", _ALNUM + "_", 24, "Resend: API keys", r"(?![A-Za-z0-9_])"),
    Format("Resend key", r"re_(?=[A-Za-z_]{0,32}[0-9])(?=[a-z0-9_]{0,32}[A-Z])[A-Za-z0-9]{8}_", _ALNUM, 20, "Resend: API keys", rf"[{_ALNUM}]{{0,8}}(?![{_WORD}])", seen="2026-11"),
    Format("MailerSend token", r"mlsn\.", _HEX, 40, "MailerSend: API tokens", seen="2026-11"),
    Format("Intercom token", r"dG9rO", _BASE64, 40, "Intercom: Access tokens", rf"[{_BASE64}]*+{_END64}", seen="2026-11"),
    Format("Instagram token", r"IGQ[VW]", _WORD, 80, "Meta: Access tokens", seen="2026-11"),
    Format("WooCommerce key", r"c[ks]_", _HEX, 40, "WooCommerce: REST API", _END, seen="2026-11"),
    Format("Stripe key", r"[srp]k_(?:live|test|prod)_", _ALNUM, 10, "Stripe: API keys"),
    Format("Stripe webhook secret", r"whsec_", _BASE64, 24, "Stripe: Webhooks", rf"[{_BASE64}]*+{_END64}"),
    Format("Freemius key", rf"sk_{_RANDOM}(?=[a-z0-9_-]{{0,64}}[A-Z])", _WORD, 29, "Freemius: API"),
    Format("Square token", r"EAAA", _WORD, 40, "Square: Access tokens"),
    Format("Square token", rf"EAAA{_RANDOM}", _WORD, 22, "Square: Access tokens"),
    Format("Square token", r"sq0[a-z]{3}-", _WORD, 22, "Square: Access tokens"),
    Format("Facebook token", r"EAA[A-Z]", _ALNUM, 80, "Meta: Access tokens"),
    Format("Facebook app token", r"[0-9]{15,16}%(?:7[Cc])?", _WORD, 27, "Meta: Access tokens"),
    Format("PayPal Braintree token", r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$", _HEX, 32, "Braintree: Access tokens"),
    Format("Plaid token", r"access-(?:sandbox|development|production)-", _HEX + "-", 36, "Plaid: Tokens"),
    Format("GoCardless token", rf"live_{_RANDOM}", "=" + _WORD, 40, "GoCardless: Access tokens"),
    Format("Duffel token", r"duffel_(?:test|live)_", "=" + _WORD, 40, "Duffel: Access tokens"),
    Format("EasyPost key", r"EZ[AT]K", _ALNUM, 50, "EasyPost: API keys"),
    Format("Shippo token", r"shippo_(?:live|test)_", _ANY_HEX, 40, "Shippo: Authentication"),
    Format("Shopify token", r"shp(?:at|ca|pa|ss|tka|ua|rt)_", _ANY_HEX, 32, "Shopify: Access tokens"),
    Format("Flutterwave key", r"FLW(?:SECK|PUBK)(?:_TEST)?-", _ALNUM, 12, "Flutterwave: API keys", r"[A-Za-z0-9]*+(?:-X)?"),
    Format("Razorpay key", r"rzp_(?:live|test)_", _ALNUM, 14, "Razorpay: API keys"),
    Format("Lob key", r"(?:live|test)_(?:pub_)?", _HEX, 31, "Lob: API keys"),
    Format("Mapbox token", r"[pst]k\.", _ALNUM, 40, "Mapbox: Access tokens", rf"[{_WORD}]{{0,400}}+\.[{_WORD}]{{20,}}+"),
    Format("Defined Networking key", r"dnkey-", "=" + _WORD, 50, "Defined Networking: API keys"),
    Format("Dropbox token", r"sl\.(?:u\.)?", "=" + _WORD, 100, "Dropbox: OAuth guide"),
    Format("HubSpot token", r"pat-(?:na|eu|ap)\d-", _HEX + "-", 36, "HubSpot: Private apps"),
    Format("Beamer token", r"b_(?=[a-z_=-]{0,64}[0-9])", _LOWER + "_=-", 44, "Beamer: API", r"(?![A-Za-z0-9_=-])"),
    Format("Tailscale key", r"tskey-[a-z]+-", _WORD, 16, "Tailscale: Key prefixes"),
    Format("ngrok key", r"(?:ak|cr|rt)_", _ALNUM, 27, "ngrok: API keys", _END),
    Format("Apify token", r"apify_api_", _ALNUM, 30, "Apify: API tokens"),
    Format("Telegram bot token", r"(?:bot)?[0-9]{8,10}:A", _WORD, 34, "Telegram: Bot API", rf"(?![{_WORD}])"),
    Format("password hash", r"\$(?:1|5|6|2[abxy]|y|apr1)\$", "./$" + _ALNUM, 22, "crypt(5)", seen="2026-11"),
    Format("Telegram bot token in a path", r"bot\d{6,12}%3[Aa]A", _WORD, 33, "Telegram: Bot API"),
)
# fmt: on
"""All formats with a mark of their own."""
