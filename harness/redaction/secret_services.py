"""Keys without a mark of their own, known by whose they are: a row a service.

Owns the facts: a word of the service that stands in the name of a variable, field or
header, and the alphabet and length of its keys. `ADAFRUIT_IO=...` with 32 characters
is a key; 32 characters alone are a hash. Names that hold credentials of any service
(`..._API_KEY`) are `harness.redaction.secret_names`.
"""

# ruff: noqa: E501 - a row is one line

from __future__ import annotations

from typing import NamedTuple

__all__ = ["SERVICES", "Service"]


class Service(NamedTuple):
    """What the keys of one service look like."""

    word: str
    """A regular expression, in lower case, for its word in a name."""
    values: tuple[str, ...]
    """Regular expressions, each for a whole key of one kind."""
    source: str
    """Whose documentation describes them."""
    seen: str = "2026-07"
    """Month in which the row was last compared with it."""


_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


def _alnum(*lengths: int | str) -> tuple[str, ...]:
    return tuple(f"[A-Za-z0-9]{{{length}}}" for length in lengths)


def _word(*lengths: int | str) -> tuple[str, ...]:
    return tuple(f"[A-Za-z0-9_=-]{{{length}}}" for length in lengths)


def _hex(*lengths: int | str) -> tuple[str, ...]:
    return tuple(f"[0-9a-fA-F]{{{length}}}" for length in lengths)


# fmt: off
SERVICES: tuple[Service, ...] = (
    Service("adafruit", _word(32), "Adafruit IO: API"),
    Service("adobe", _hex(32), "Adobe: Server authentication"),
    Service("airtable", _alnum(17), "Airtable: API keys"),
    Service("algolia", _alnum(32), "Algolia: API keys"),
    Service("alibaba|aliyun", _alnum(30), "Alibaba Cloud: AccessKey pair"),
    Service("asana", ("[0-9]{16}", *_alnum(32)), "Asana: OAuth"),
    Service("atlassian|confluence|jira", _alnum(24), "Atlassian: API tokens"),
    Service("beamer", ("b_[A-Za-z0-9=_-]{44}",), "Beamer: API"),
    Service("bitbucket", (*_alnum(32), *_word(64)), "Bitbucket: OAuth consumers"),
    Service("bittrex", _alnum(32), "Bittrex: API"),
    Service("cloudflare", (*_word(40), *_hex(37)), "Cloudflare: API tokens"),
    Service("codecov", (*_alnum(32), _UUID), "Codecov: Upload token"),
    Service("cohere|co_api_key", _alnum(40), "Cohere: API keys"),
    Service("coinbase", _word(64), "Coinbase: API keys"),
    Service("confluent", _alnum(16, 64), "Confluent Cloud: API keys"),
    Service("contentful", _word(43), "Contentful: Delivery API"),
    Service("datadog", _alnum(32, 40), "Datadog: API and application keys"),
    Service("deepgram", _hex(40), "Deepgram: API keys"),
    Service("discord", (*_hex(64), "[0-9]{17,19}", *_word(32)), "Discord: OAuth2"),
    Service("drone_?ci", _alnum(32), "Drone: API"),
    Service("dropbox", (*_alnum(15), *_word(64), r"sl\.[A-Za-z0-9_=-]{135,}"), "Dropbox: OAuth guide"),
    Service("elevenlabs", _hex(32), "ElevenLabs: API keys"),
    Service("etsy", _alnum(24), "Etsy: API keys"),
    Service("facebook", _hex(32), "Meta: App secret"),
    Service("fastly", _word(32), "Fastly: API tokens"),
    Service("finicity", (*_hex(32), *_alnum(20)), "Finicity: Partner secret"),
    Service("finnhub", _alnum(20), "Finnhub: API keys"),
    Service("flickr", _alnum(32), "Flickr: API keys"),
    Service("freshbooks", _alnum(64), "FreshBooks: OAuth"),
    Service("gitter", _word(40), "Gitter: API"),
    Service("gocardless", ("live_[A-Za-z0-9_=-]{40}",), "GoCardless: Access tokens"),
    Service("heroku", (_UUID,), "Heroku: API keys"),
    Service("hubspot", (_UUID,), "HubSpot: API keys"),
    Service("intercom", _word(60), "Intercom: Access tokens"),
    Service("jfrog|artifactory|bintray|xray", _alnum(64, 73), "JFrog: Identity tokens"),
    Service("kraken", ("[A-Za-z0-9/=_+-]{80,90}",), "Kraken: API keys"),
    Service("kucoin", (*_hex(24), _UUID), "KuCoin: API keys"),
    Service("launchdarkly", _word(40), "LaunchDarkly: Access tokens"),
    Service("linear", _hex(32), "Linear: OAuth"),
    Service("linked[_-]?in", _alnum(14, 16), "LinkedIn: OAuth"),
    Service("lob", ("(?:live|test)_(?:pub_)?[0-9a-f]{31,35}",), "Lob: API keys"),
    Service("looker", _alnum(20, 24), "Looker: API keys"),
    Service("mailchimp", (r"[0-9a-f]{32}-us\d\d?",), "Mailchimp: API keys"),
    Service("mailgun", ("[0-9a-z]{32}-[0-9a-z]{8}-[0-9a-z]{8}", "(?:pub)?key-[0-9a-f]{32}"), "Mailgun: API keys"),
    Service("mapbox", (r"pk\.[A-Za-z0-9]{60}\.[A-Za-z0-9]{22}",), "Mapbox: Access tokens"),
    Service("mattermost", _alnum(26), "Mattermost: Access tokens"),
    Service("meraki", _hex(40), "Cisco Meraki: API keys"),
    Service("message[_-]?bird", (*_alnum(25), _UUID), "MessageBird: API keys"),
    Service("netlify", _word("40,46"), "Netlify: Access tokens"),
    Service("new[_-]?relic", (*_alnum(64), "NR[A-Z]{2}-[A-Za-z0-9-]{19,32}"), "New Relic: API keys"),
    Service("nytimes|new-?york-?times", _word(32), "New York Times: API keys"),
    Service("okta", ("00[A-Za-z0-9_=-]{40}",), "Okta: API tokens"),
    Service("plaid", (*_alnum(24, 30), f"access-[a-z]+-{_UUID}"), "Plaid: API keys"),
    Service("private[_-]?ai", _alnum(32), "Private AI: API keys"),
    Service("rapidapi", _word(50), "RapidAPI: API keys"),
    Service("sendbird", (*_hex(40), _UUID), "Sendbird: API tokens"),
    Service("sentry", _hex(64), "Sentry: Auth tokens"),
    Service("contribsys", ("[0-9a-f]{8}:[0-9a-f]{8}",), "Sidekiq: Commercial gems"),
    Service("snyk", (_UUID,), "Snyk: API tokens"),
    Service("sonar", (r"(?:sq[upa]_)?[A-Za-z0-9_=-]{40}",), "SonarQube: Tokens"),
    Service("squarespace", (_UUID,), "Squarespace: API keys"),
    Service("sumo", ("su[A-Za-z0-9]{12}", *_alnum(64)), "Sumo Logic: Access keys"),
    Service("telegr", ("[0-9]{5,16}:A[A-Za-z0-9_-]{34}",), "Telegram: Bot API"),
    Service("travis", _alnum(22), "Travis CI: API"),
    Service("twilio", _hex(32), "Twilio: Auth tokens"),
    Service("twitch", _alnum(30), "Twitch: OAuth"),
    Service("twitter", (*_alnum(25, 45, 50), "[0-9]{15,25}-[A-Za-z0-9]{20,40}", "A{22}[A-Za-z0-9%]{80,100}"), "X: OAuth"),
    Service("typeform", (r"tfp_[A-Za-z0-9_.=-]{59}",), "Typeform: Access tokens"),
    Service("wandb|weights_?and_?biases", _hex(40), "Weights & Biases: API keys"),
    Service("yandex", (r"t1\.[\w-]+={0,2}\.[\w-]{86}={0,2}", r"AQVN[\w-]{35,38}", r"YC[\w-]{38}"), "Yandex Cloud: API keys"),
    Service("zendesk", _alnum(40), "Zendesk: OAuth"),
    Service("ai21|amplitude|assembly_?ai|mistral", _alnum(32), "AI21, Amplitude, AssemblyAI, Mistral: API keys", seen="2026-11"),
    Service("azure[ _-]?(?:open[ _-]?ai|cognitive|search|maps|speech)", (*_hex(32), *_alnum(52, 84)), "Microsoft: Azure OpenAI", seen="2026-11"),
    Service("baseten", (r"[A-Za-z0-9]{8}\.[A-Za-z0-9]{32}",), "Baseten: API keys", seen="2026-11"),
    Service("bitly|gitea|serper|wandb", _hex(40), "Bitly, Gitea, Serper: API keys", seen="2026-11"),
    Service("civo", _alnum(50), "Civo: API keys", seen="2026-11"),
    Service("comet", _alnum(25), "Comet: API keys", seen="2026-11"),
    Service("configcat", ("[A-Za-z0-9_-]{22}/[A-Za-z0-9_-]{22}",), "ConfigCat: SDK keys", seen="2026-11"),
    Service("coveralls", ("[A-Za-z0-9-]{37}",), "Coveralls: API", seen="2026-11"),
    Service("deepinfra|cloudinary|opsgenie|vercel|writer", _alnum(24, 27, 32), "DeepInfra, Cloudinary, Vercel: API keys", seen="2026-11"),
    Service("disqus|gumroad|reka|serp_?api|daily_?co", _alnum(43, 64), "Disqus, Gumroad, SerpApi: API keys", seen="2026-11"),
    Service(r"\bexa\b|exa_|linkup|vapi|sambanova|upstash|railway|agentops|smithery|scaleway|scw_|retell", (_UUID,), "Exa, Linkup, Vapi: API keys", seen="2026-11"),
    Service("exoscale|infomaniak|lighton", _word("40,100"), "Exoscale, Infomaniak, LightOn: API keys", seen="2026-11"),
    Service("greptile|hetzner|hume", _alnum(48, 64), "Greptile, Hetzner, Hume: API keys", seen="2026-11"),
    Service("honeycomb", (*_hex(32), *_alnum(22)), "Honeycomb: API keys", seen="2026-11"),
    Service(r"\bibm|ibm_?cloud", ("[A-Za-z0-9_-]{42,44}",), "IBM Cloud: API keys", seen="2026-11"),
    Service("influx", ("[A-Za-z0-9_-]{86}={0,2}",), "InfluxDB: API tokens", seen="2026-11"),
    Service("jumpcloud|data\\.gov|api_?ninjas|unstructured", _alnum(30, 40), "JumpCloud, Data.gov: API keys", seen="2026-11"),
    Service("kagi", (r"[A-Za-z0-9_-]{11}\.[A-Za-z0-9_-]{43}",), "Kagi: API", seen="2026-11"),
    Service("klaviyo", ("pk_[a-z0-9]{34}",), "Klaviyo: API keys", seen="2026-11"),
    Service("ovh", _alnum(16, 32), "OVHcloud: API keys", seen="2026-11"),
    Service("paypal", ("[AE][A-Za-z0-9_-]{79}",), "PayPal: REST API", seen="2026-11"),
    Service("polymarket|metamask|wallet|ethereum|eth_?priv", ("(?:0x)?[0-9a-fA-F]{64}",), "Ethereum: Private keys", seen="2026-11"),
    Service("scraping_?bee", ("[A-Z0-9]{80}",), "ScrapingBee: API keys", seen="2026-11"),
    Service("together|zilliz", _hex(64, 72), "Together, Zilliz: API keys", seen="2026-11"),
    Service("upstage", _alnum("40,50"), "Upstage: API keys", seen="2026-11"),
    Service("weaviate", _alnum(36, 40), "Weaviate: API keys", seen="2026-11"),
)
# fmt: on
"""All services whose keys are known by a name beside them."""
