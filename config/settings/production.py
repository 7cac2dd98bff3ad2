"""Production: nothing has a default that would be unsafe; a missing secret stops the start."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config.settings.base import *  # noqa: F403  settings are layered by star import
from config.settings.base import ALLOWED_HOSTS, PRIVATE_STORAGE, SECRET_KEY
from config.settings.chain import NETWORKS
from config.settings.environment import env
from config.settings.site import SITE_URL

DEBUG = False
DEFAULT_NETWORK = env.str("DEFAULT_NETWORK", default="base")
if len(SECRET_KEY) < 40:
    raise ImproperlyConfigured("SECRET_KEY must be set to at least 40 random characters.")
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the host names this site is served under.")
if not SITE_URL.startswith("https://"):
    raise ImproperlyConfigured("SITE_URL must be the site's https:// address.")
if DEFAULT_NETWORK not in NETWORKS or not NETWORKS[DEFAULT_NETWORK]["rpc_urls"]:
    raise ImproperlyConfigured("DEFAULT_NETWORK must name a network whose *_RPC_URLS is set.")
DEMO_WALLET = False

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_TLS_PROXY", default=False) else None
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Secure-sessionid"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Secure-csrftoken"
CSRF_TRUSTED_ORIGINS = [SITE_URL]
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="django.core.mail.backends.smtp.EmailBackend")
EMAIL_CONFIG: dict[str, Any] = env.email_url("EMAIL_URL", default="smtp://localhost:25")
vars().update(EMAIL_CONFIG | {"EMAIL_BACKEND": EMAIL_BACKEND})
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "private": PRIVATE_STORAGE,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
