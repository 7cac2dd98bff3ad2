"""Tests: the local settings against engines that the test run starts, with fast hashing and captured mail."""

from config.settings.environment import env
from config.settings.local import *  # noqa: F403  settings are layered by star import

DEBUG = False
LOG_FORMAT = "console"
LOGGING = {"level": "WARNING", "format": LOG_FORMAT}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# Every test comes from 127.0.0.1; those about the limits set their own.
SIGN_IN_ATTEMPTS_PER_IP = 1_000_000
SIGN_IN_ATTEMPTS_PER_ADDRESS = 1_000_000
# The database has just been started.
EXECUTION_RESTART_GRACE_SECONDS = env.int("EXECUTION_RESTART_GRACE_SECONDS", default=0)
# Tests about hot containers make a runner of their own; others must find nothing left behind.
EXECUTION_HOT_MEMORY_BYTES = env.int("EXECUTION_HOT_MEMORY_BYTES", default=0)
