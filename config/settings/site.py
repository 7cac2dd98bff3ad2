"""What the site is called."""

from config.settings.environment import env

SITE_URL: str = env.str("SITE_URL", default="http://localhost:8000").rstrip("/")
SITE_NAME = "AgentNexus"
