"""Keys, tokens and passwords."""

import base64
import binascii
import json
import re
from collections.abc import Iterator

from .. import checksums
from ..spans import Kind, Span, entropy, near

_ROTATE = "Revoke it and issue a new one: whoever has seen this text can use it."
PRIVATE_KEY = Kind("private key", "PRIVATE_KEY", "high", _ROTATE)
API_KEY = Kind("API key", "API_KEY", "high", _ROTATE)
TOKEN = Kind("access token", "TOKEN", "high", "Revoke it, or wait until it has expired.")
PASSWORD = Kind("password", "PASSWORD", "high", "Change it everywhere it is used.")
_STORE = "Change the password, and keep it in a secret store."
CONNECTION = Kind("connection password", "CONNECTION_PASSWORD", "high", _STORE)
RANDOM = Kind("possible secret", "SECRET", "medium", "Look whether this is a key; if so, revoke it.")
KINDS = (PRIVATE_KEY, API_KEY, TOKEN, PASSWORD, CONNECTION, RANDOM)

_BEGIN = r"-----BEGIN (?P<what>(?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?)-----"
_PEM = re.compile(rf"{_BEGIN}(?:.{{0,20000}}?-----END (?P=what)-----|[\sA-Za-z0-9+/=:,-]{{0,20000}})", re.DOTALL)
_EDGE = r"(?<![\w/+-])"
# Prefix, what follows it, whose key it is, how sure the form alone makes us.
_SERVICES = (
    (r"(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])", "Amazon Web Services access key", 0.98),
    (r"gh[pousr]_[A-Za-z0-9]{36}(?![A-Za-z0-9])", "GitHub token", 0.9),
    (r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}", "GitHub fine-grained token", 0.98),
    (r"glpat-[\w-]{20,}", "GitLab token", 0.97),
    (r"xox[abeoprs]-[A-Za-z0-9-]{10,}", "Slack token", 0.95),
    (r"https://hooks\.slack\.com/services/[A-Z0-9]+/[A-Z0-9]+/[A-Za-z0-9]+", "Slack webhook", 0.98),
    (r"(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,}", "Stripe key", 0.97),
    (r"whsec_[0-9A-Za-z]{24,}", "webhook signing secret", 0.95),
    (r"AIza[\w-]{35}(?![\w-])", "Google API key", 0.97),
    (r"GOCSPX-[\w-]{28}", "Google OAuth secret", 0.97),
    (r"ya29\.[\w-]{30,}", "Google access token", 0.95),
    (r"sk-ant-[\w-]{20,}", "Anthropic key", 0.97),
    (r"sk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{32,}", "OpenAI key", 0.92),
    (r"hf_[A-Za-z0-9]{30,}", "Hugging Face token", 0.95),
    (r"npm_[A-Za-z0-9]{36}", "npm token", 0.96),
    (r"pypi-[\w-]{50,}", "PyPI token", 0.97),
    (r"SG\.[\w-]{16,32}\.[\w-]{30,64}", "SendGrid key", 0.97),
    (r"key-[0-9a-f]{32}(?![0-9a-f])", "Mailgun key", 0.9),
    (r"(?:AC|SK)[0-9a-f]{32}(?![0-9a-f])", "Twilio identifier", 0.85),
    (r"\d{8,10}:AA[\w-]{33}(?![\w-])", "Telegram bot token", 0.96),
    (r"[MNO][A-Za-z\d_-]{23,25}\.[\w-]{6}\.[\w-]{27,38}", "Discord token", 0.9),
    (r"dop_v1_[0-9a-f]{64}", "DigitalOcean token", 0.98),
    (r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}", "Shopify token", 0.97),
    (r"sq0(?:atp|csp|idp)-[\w-]{22,43}", "Square token", 0.96),
    (r"lin_api_[A-Za-z0-9]{40}", "Linear key", 0.96),
    (r"eyJrIjoi[A-Za-z0-9+/=]{60,}|glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}", "Grafana token", 0.95),
    (r"AccountKey=[A-Za-z0-9+/]{86}==", "Azure storage key", 0.98),
    (r"age-secret-key-1[a-z0-9]{58}|AGE-SECRET-KEY-1[A-Z0-9]{58}", "age private key", 0.99),
)
_SERVICE_PATTERNS = tuple((re.compile(_EDGE + pattern), owner, sure) for pattern, owner, sure in _SERVICES)
_JWT = re.compile(r"(?<![\w.-])eyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*")
_CALLED = (
    r"pass(?:word|wd|phrase|code)?|pwd|kennwort|passwort|mot de passe|contraseña|secret|token|api[_ -]?key|"
    r"access[_ -]?key|auth[_ -]?key|private[_ -]?key|encryption[_ -]?key|signing[_ -]?key|client[_ -]?secret|credential"
)
_GIVEN = r"(?:=>|:=|[:=]|\bis\b|\bwas\b|\blautet\b|\best\b)"
_ASSIGNMENT = re.compile(
    rf"(?i)(?P<name>(?:{_CALLED})[\w-]{{0,20}})[\"']?\s{{0,3}}{_GIVEN}\s{{0,3}}"
    r"(?P<quote>[\"'`]?)(?P<value>[^\s\"'`,;<>]{4,200})"
)
_WEAK_NAMES = re.compile(
    r"(?i)secretary|tokens|token_?(?:count|type|limit)|tokeniz|passenger|passive|passed|passing|passage"
)
# What stands in for a secret, refers to one, or goes on with the sentence.
_REFERENCES = (
    r"[*•x._-]+|\$.*|%\(?\w+.*|\{\{.*|<.*|\[.*|os\.environ.*|process\.env.*|getenv.*|env\..*|self\..*|this\..*|"
    r"request\..*|config\..*|settings\..*|\w+\(.*|secrets\..*"
)
_DUMMIES = (
    r"null|none|true|false|undefined|required|optional|string|your[-_].*|my[-_].*|example.*|changeme.*|todo|tbd|n/?a"
)
_ORDINARY = (
    r"not|wrong|correct|incorrect|the|a|an|too|in|on|at|for|with|invalid|expired|missing|hidden|empty|unknown|reset|"
    r"stored|sent|valid"
)
_PLACEHOLDER = re.compile(rf"(?i)^(?:{_REFERENCES}|{_DUMMIES}|{_ORDINARY})$")
_AWS_CONTEXT = re.compile(r"(?i)aws|secret|amazon")
_AWS_SECRET = re.compile(r"(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
_URL_PASSWORD = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:@/\"'<>]{0,64}:(?P<value>[^\s@/\"'<>]{1,128})@[\w.-]+", re.IGNORECASE
)
_HEADER = re.compile(r"(?i)\b(?P<scheme>basic|bearer)\s{1,3}(?P<value>[A-Za-z0-9+/=_.~-]{12,})")
_QUERY = re.compile(
    r"(?i)[?&](?:access_token|token|api_?key|key|sig|signature|auth|password|secret|code)=(?P<value>[^\s&#\"'<>]{8,})"
)
_LONG = re.compile(r"(?<![\w/+=.-])[A-Za-z0-9+/_=-]{28,200}(?![\w/+=-])")


def private_keys(text: str) -> Iterator[Span]:
    """PEM and OpenPGP private keys, also without their end."""
    for match in _PEM.finditer(text):
        yield Span(PRIVATE_KEY, match.start(), match.end(), 1.0, f"a block that begins with BEGIN {match['what']}")


def service_keys(text: str) -> Iterator[Span]:
    """Keys whose form tells whose they are."""
    for pattern, owner, sure in _SERVICE_PATTERNS:
        for match in pattern.finditer(text):
            if owner == "GitHub token":
                right = checksums.github_token(match[0])
                reason = f"{owner}, checksum right" if right else owner
                yield Span(API_KEY, *match.span(), 1.0 if right else sure, reason)
            elif len(set(match[0])) > 8:
                yield Span(API_KEY, *match.span(), sure, owner)
    for match in _AWS_SECRET.finditer(text):
        if entropy(match[0]) > 4.2 and near(text, *match.span(), _AWS_CONTEXT, before=60):
            yield Span(API_KEY, *match.span(), 0.93, "Amazon Web Services secret key, by its length and context")


def web_tokens(text: str) -> Iterator[Span]:
    """JSON Web Tokens, whose header must decode."""
    for match in _JWT.finditer(text):
        head = match[0].split(".")[0]
        try:
            header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        except (ValueError, binascii.Error):
            continue
        if isinstance(header, dict) and "alg" in header:
            algorithm = re.sub(r"\W", "", str(header["alg"]))[:10]
            yield Span(TOKEN, *match.span(), 1.0, f"JSON Web Token signed with {algorithm or 'nothing'}")


def assignments(text: str) -> Iterator[Span]:
    """`password = …`, `"api_key": "…"`, `the password is …`; placeholders and references are let through."""
    for match in _ASSIGNMENT.finditer(text):
        value = match["value"].rstrip(".)]}!?" if not match["quote"] else "")
        if len(value) < 4 or _PLACEHOLDER.match(value) or _WEAK_NAMES.search(match["name"]):
            continue
        between = text[match.end("name") : match.start("value")]
        spoken = not match["quote"] and any(char.isalpha() for char in between)
        mixed = sum(bool(re.search(pattern, value)) for pattern in (r"[a-z]", r"[A-Z]", r"\d", r"[^\w\s]"))
        if spoken and mixed < 2:
            continue
        is_password = re.search(r"(?i)pass|pwd|kennwort|passwort|contraseña", match["name"])
        bits = entropy(value) * len(value)
        confidence = 0.9 if bits > 60 or mixed >= 3 else 0.75 if bits > 25 or mixed == 2 else 0.6
        start = match.start("value")
        kind = PASSWORD if is_password else TOKEN if "token" in match["name"].lower() else API_KEY
        yield Span(kind, start, start + len(value), confidence, "a value given to something called so")


def connections(text: str) -> Iterator[Span]:
    """Passwords in addresses, sign-in headers and query strings."""
    for match in _URL_PASSWORD.finditer(text):
        if not _PLACEHOLDER.match(match["value"]):
            yield Span(
                CONNECTION, *match.span("value"), 0.97, "the password in an address of the form user:password@host"
            )
    for match in _HEADER.finditer(text):
        if match["scheme"].lower() == "basic" and not _decodes_to_pair(match["value"]):
            continue
        if len(set(match["value"])) > 6 and any(char.isdigit() or char.isupper() for char in match["value"]):
            yield Span(TOKEN, *match.span("value"), 0.92, f"{match['scheme'].capitalize()} sign-in header")
    for match in _QUERY.finditer(text):
        if entropy(match["value"]) > 2.8 and not _PLACEHOLDER.match(match["value"]):
            yield Span(TOKEN, *match.span("value"), 0.85, "a secret in an address's query")


def _decodes_to_pair(value: str) -> bool:
    try:
        return b":" in base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (ValueError, binascii.Error):
        return False


def random_strings(text: str) -> Iterator[Span]:
    """Long strings as mixed as random ones. Hexadecimal alone is no sign: most of it are hashes."""
    for match in _LONG.finditer(text):
        value = match[0]
        classes = sum(bool(re.search(pattern, value)) for pattern in (r"[a-z]", r"[A-Z]", r"\d"))
        looks_hex = bool(re.fullmatch(r"(?:0x)?[0-9a-fA-F-]+", value))
        words = max((len(word) for word in re.findall(r"[a-z]+|[A-Z][a-z]+", value)), default=0)
        if classes == 3 and not looks_hex and words < 8 and value.count("/") < 3 and entropy(value) > 4.1:
            yield Span(RANDOM, *match.span(), 0.6, f"{len(value)} characters with {entropy(value):.1f} bits each")
