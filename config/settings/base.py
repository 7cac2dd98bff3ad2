"""Settings shared by every way of running; each value that differs between installations comes from the environment.

The names are documented in docs/settings.md.
"""

from datetime import timedelta
from typing import Any

from csp.constants import NONCE

from config.object_storage import bucket
from config.settings.accounts import *  # noqa: F403  each subject's settings are settings
from config.settings.administration import *  # noqa: F403
from config.settings.chain import *  # noqa: F403
from config.settings.environment import *  # noqa: F403
from config.settings.environment import BASE_DIR, env
from config.settings.site import *  # noqa: F403
from config.settings.site import SITE_URL

# --- Django ---
SECRET_KEY: str = env.str("SECRET_KEY", default="")
DEBUG = False
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
# Browsers may open WebSockets only from these origins.
WEBSOCKET_ORIGINS: list[str] = env.list("WEBSOCKET_ORIGINS", default=[SITE_URL])

INSTALLED_APPS = [
    # unfold's default configuration would put its own site in place of ours.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "config.administration.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "channels",
    "csp",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "chain",
    "wallets",
    "marketplace",
    "executions",
    "config",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "wallets.signin.rights.StaffMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "config.middleware.UnavailableMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "config.context_processors.site",
            ],
        },
    }
]
AUTH_USER_MODEL = "wallets.User"
AUTHENTICATION_BACKENDS = [
    "wallets.signin.backends.WalletBackend",
    "wallets.signin.backends.EmailBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "/?connect=1"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / ".data" / "static"
# Files of users: WebAssembly modules, inputs and outputs. Served only through views that check who asks.
FILES_ROOT: str = env.str("FILES_ROOT", default=str(BASE_DIR / ".data" / "files"))
PRIVATE_STORAGE: dict[str, Any] = {
    "BACKEND": "django.core.files.storage.FileSystemStorage",
    "OPTIONS": {
        "location": FILES_ROOT,
        "base_url": None,
        "file_permissions_mode": 0o600,
        "directory_permissions_mode": 0o700,
    },
}
# With a bucket they are there instead; credentials come from the environment as boto3 looks for them.
FILES_S3_BUCKET: str = env.str("FILES_S3_BUCKET", default="")
if FILES_S3_BUCKET:
    PRIVATE_STORAGE = bucket(
        FILES_S3_BUCKET,
        prefix=env.str("FILES_S3_PREFIX", default=""),
        region=env.str("FILES_S3_REGION", default=""),
        endpoint=env.str("FILES_S3_ENDPOINT_URL", default=""),
        addressing=env.str("FILES_S3_ADDRESSING", default="auto"),
    )
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "private": PRIVATE_STORAGE,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# --- PostgreSQL and Redis ---
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **env.db_url("DATABASE_URL", default="postgresql://postgres@127.0.0.1:5432/postgres"),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "options": "-c statement_timeout=15000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=30000",
        },
    }
}
REDIS_URL: str = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "agentnexus",
        "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 3, "SOCKET_TIMEOUT": 3},
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # No limit of redis-py's own: its 5 s would end every idle socket, as the layer itself waits 5 s for a message.
        # And with any limit it sends through asyncio.wait_for, which on Python 3.11 can swallow a cancellation, so
        # that consumers which should end wait for messages for ever.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None, "socket_keepalive": True}]},
    },
}

# --- Celery ---
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A message only wakes a worker; what runs is in the database.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}
CELERY_TASK_DEFAULT_QUEUE = "chores"
CELERY_TASK_ROUTES = {"executions.tasks.run_next": {"queue": "executions"}}
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "clean-files": {"task": "executions.tasks.clean_files", "schedule": timedelta(minutes=10)},
    "delete-old-documents": {"task": "executions.tasks.delete_old_documents", "schedule": timedelta(hours=1)},
    "sweep-executions": {"task": "executions.tasks.sweep_executions", "schedule": timedelta(seconds=10)},
    "clear-expired-sign-ins": {"task": "wallets.tasks.clear_expired", "schedule": timedelta(hours=6)},
    "settle-payments": {"task": "marketplace.tasks.settle_payments", "schedule": timedelta(seconds=5)},
    "follow-user-operations": {
        "task": "wallets.smart_accounts.tasks.follow_user_operations",
        "schedule": timedelta(seconds=5),
    },
    "lapse-stale-quotes": {"task": "marketplace.tasks.lapse_stale_quotes", "schedule": timedelta(minutes=1)},
}

# --- API ---
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "wallets.api.authentication.BearerAuthentication",
        "wallets.api.authentication.BrowserSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "config.api.pagination.CursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.api.problems.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "AgentNexus API",
    "DESCRIPTION": "Publish, buy and run AI agents. Errors are RFC 9457 problem details.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "AgentStatus": "marketplace.catalogue.models.Agent.Status",
        "VersionStatus": "marketplace.catalogue.models.AgentVersion.Status",
        "PurchaseStatus": "marketplace.purchases.models.Purchase.Status",
        "ExecutionStatus": "executions.models.Execution.Status",
    },
}
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "ISSUER": SITE_URL,
    "AUDIENCE": "agentnexus-api",
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "USER_ID_CLAIM": "sub",
    "LEEWAY": 5,
}
# However often it is refreshed, a program signs in again after this long.
TOKEN_FAMILY_LIFETIME = timedelta(days=90)
API_KEY_ROUTES = "config.api.scopes.ROUTES"
# A JSON body larger than this is refused before it is parsed (bytes).
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# --- Executions ---
DOCKER_HOST: str = env.str("DOCKER_HOST", default="unix:///var/run/docker.sock")
EXECUTION_TIMEOUT_SECONDS: int = env.int("EXECUTION_TIMEOUT_SECONDS", default=300)
EXECUTION_MEMORY_BYTES: int = env.int("EXECUTION_MEMORY_BYTES", default=512 * 1024 * 1024)
EXECUTION_NANO_CPUS: int = env.int("EXECUTION_NANO_CPUS", default=500_000_000)
EXECUTION_INPUT_BYTES: int = env.int("EXECUTION_INPUT_BYTES", default=1024 * 1024)
EXECUTION_OUTPUT_BYTES: int = env.int("EXECUTION_OUTPUT_BYTES", default=1024 * 1024)
EXECUTION_LOG_BYTES: int = env.int("EXECUTION_LOG_BYTES", default=1024 * 1024)
EXECUTION_LOG_LINES: int = env.int("EXECUTION_LOG_LINES", default=50_000)
# How the workers' time is shared; 0 is no limit.
EXECUTION_CONCURRENT_PER_USER: int = env.int("EXECUTION_CONCURRENT_PER_USER", default=3)
EXECUTION_CONCURRENT_PER_AGENT: int = env.int("EXECUTION_CONCURRENT_PER_AGENT", default=0)
EXECUTION_QUEUED_PER_USER: int = env.int("EXECUTION_QUEUED_PER_USER", default=1000)
EXECUTION_QUEUE_LENGTH: int = env.int("EXECUTION_QUEUE_LENGTH", default=10_000)
EXECUTION_DAILY_PER_USER: int = env.int("EXECUTION_DAILY_PER_USER", default=0)
EXECUTION_DAILY_PER_AGENT: int = env.int("EXECUTION_DAILY_PER_AGENT", default=0)
# This machine among those that run agents: its name, what it offers, and what agents may use of its memory.
EXECUTION_NODE: str = env.str("EXECUTION_NODE", default="")
EXECUTION_NODE_LABELS: list[str] = env.list("EXECUTION_NODE_LABELS", default=[])
EXECUTION_NODE_MEMORY_BYTES: int = env.int("EXECUTION_NODE_MEMORY_BYTES", default=0)
# How long running agents may go on when their worker is asked to stop; then they are run anew elsewhere.
EXECUTION_SHUTDOWN_SECONDS: int = env.int("EXECUTION_SHUTDOWN_SECONDS", default=10)
# A worker that has not been heard of for this long has lost its executions.
EXECUTION_LEASE_SECONDS: int = env.int("EXECUTION_LEASE_SECONDS", default=30)
# So long after the database's restart no lease counts as run out.
EXECUTION_RESTART_GRACE_SECONDS: int = env.int("EXECUTION_RESTART_GRACE_SECONDS", default=EXECUTION_LEASE_SECONDS)
# An OCI runtime the engine knows, such as runsc; empty is the engine's own.
EXECUTION_RUNTIME: str = env.str("EXECUTION_RUNTIME", default="")
# What a version may ask for at most, when the usual figures above do not suit it.
EXECUTION_MAX_TIMEOUT_SECONDS: int = env.int("EXECUTION_MAX_TIMEOUT_SECONDS", default=1800)
EXECUTION_MAX_MEMORY_BYTES: int = env.int("EXECUTION_MAX_MEMORY_BYTES", default=2 * 1024**3)
EXECUTION_MAX_NANO_CPUS: int = env.int("EXECUTION_MAX_NANO_CPUS", default=2_000_000_000)
# An image, unpacked.
EXECUTION_IMAGE_BYTES: int = env.int("EXECUTION_IMAGE_BYTES", default=4 * 1024**3)
# Registries inside the platform's own network, by host or host:port: images are pulled from no others in there.
EXECUTION_PRIVATE_REGISTRIES: list[str] = env.list("EXECUTION_PRIVATE_REGISTRIES", default=[])
# What the images of agents may take on a node's disk; 0 is without limit.
EXECUTION_IMAGE_CACHE_BYTES: int = env.int("EXECUTION_IMAGE_CACHE_BYTES", default=20 * 1024**3)
EXECUTION_MAX_GPUS: int = env.int("EXECUTION_MAX_GPUS", default=0)
EXECUTION_MAX_HOSTS: int = env.int("EXECUTION_MAX_HOSTS", default=10)
# OCI runtimes that versions may choose.
EXECUTION_RUNTIMES: list[str] = env.list("EXECUTION_RUNTIMES", default=[])
# Fernet keys for creators' secrets; the first encrypts, all decrypt. Without any, one is derived from SECRET_KEY.
VAULT_KEYS: list[str] = env.list("VAULT_KEYS", default=[])
# The proxy through which versions reach the hosts they declare: its image, the engine's network it goes out by, and
# the resolvers it asks (empty: those of the worker's machine).
EGRESS_IMAGE: str = env.str("EGRESS_IMAGE", default="agentnexus/egress-proxy:latest")
EGRESS_NETWORK: str = env.str("EGRESS_NETWORK", default="bridge")
EGRESS_NAMESERVERS: list[str] = env.list("EGRESS_NAMESERVERS", default=[])
# Marks this installation's containers on a shared engine; empty derives it from the database's address.
EXECUTION_INSTANCE: str = env.str("EXECUTION_INSTANCE", default="")
# Memory that started containers of the agents run most may have together while they wait for input; 0 for none.
EXECUTION_HOT_MEMORY_BYTES: int = env.int("EXECUTION_HOT_MEMORY_BYTES", default=1024 * 1024 * 1024)
# WebAssembly agents: largest module in bytes, instructions a run may spend, processes kept ready, compiled modules.
MODULE_BYTES: int = env.int("MODULE_BYTES", default=10 * 1024 * 1024)
EXECUTION_WASM_FUEL: int = env.int("EXECUTION_WASM_FUEL", default=500_000_000_000)
EXECUTION_WASM_READY: int = env.int("EXECUTION_WASM_READY", default=2)
EXECUTION_WASM_CACHE: str = env.str("EXECUTION_WASM_CACHE", default=str(BASE_DIR / ".data" / "wasm"))
# Files: the largest one, those of a run together, all of a person's (0: no limit) and what a person may have uploaded
# without using it (all in bytes), and how long the address of a download holds (seconds).
FILE_BYTES: int = env.int("FILE_BYTES", default=32 * 1024 * 1024)
EXECUTION_FILES_BYTES: int = env.int("EXECUTION_FILES_BYTES", default=64 * 1024 * 1024)
FILES_BYTES_PER_USER: int = env.int("FILES_BYTES_PER_USER", default=10 * 1024**3)
FILES_UNUSED: int = env.int("FILES_UNUSED", default=50)
FILES_UNUSED_BYTES: int = env.int("FILES_UNUSED_BYTES", default=256 * 1024 * 1024)
FILE_URL_SECONDS: int = env.int("FILE_URL_SECONDS", default=300)
# Days after which inputs, outputs and logs of ended executions are deleted; 0 keeps them.
EXECUTION_RETENTION_DAYS: int = env.int("EXECUTION_RETENTION_DAYS", default=0)

# --- Metrics ---
# Who may read /metrics: the holder of the token, and these networks (CIDR).
METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="")
METRICS_NETWORKS: list[str] = env.list("METRICS_NETWORKS", default=[])

# --- Security headers ---
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "config.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'", NONCE],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}

# --- Logging ---
LOG_LEVEL: str = env.str("LOG_LEVEL", default="INFO")
LOG_FORMAT: str = env.str("LOG_FORMAT", default="json")
LOGGING_CONFIG = "config.logging.configure"
LOGGING: dict[str, Any] = {"level": LOG_LEVEL, "format": LOG_FORMAT}
