"""How people sign in."""

from urllib.parse import urlsplit

from config.settings.environment import env
from config.settings.site import SITE_NAME, SITE_URL

ACCOUNT_ADAPTER = "wallets.signin.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_USER_DISPLAY = "wallets.signin.accounts.display_name"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
# Codes typed into the page that asked for them: a mail program that opens links confirms nothing.
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
MFA_ADAPTER = "wallets.signin.second_factor.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "wallets.signin.codes.CodeForm",
    "reauthenticate": "wallets.signin.codes.CodeAgainForm",
    "activate_totp": "wallets.signin.codes.FirstCodeForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = True
# A passkey stands for two factors, so the device must have recognised its owner.
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_TOTP_ISSUER = SITE_NAME
# One step of 30 s either way: people type slowly, and clocks differ.
MFA_TOTP_TOLERANCE = 1
# Whether people may make accounts with an e-mail address; wallets may always enter.
EMAIL_SIGN_UP: bool = env.bool("EMAIL_SIGN_UP", default=True)
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="django.core.mail.backends.smtp.EmailBackend")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="AgentNexus <no-reply@localhost>")

# Sign-in with Ethereum: the message's domain and URI are compared with these, never with the Host header.
SIWE_SITES: list[str] = env.list("SIWE_SITES", default=[SITE_URL])
SIWE_STATEMENT = "Sign in to AgentNexus. This costs nothing and moves no funds."
SIWE_CONFIRM_STATEMENT = "Confirm a change of my AgentNexus account. This costs nothing and moves no funds."
SIWE_LINK_STATEMENT = "Link this wallet to my AgentNexus account. This costs nothing and moves no funds."
SIWE_NONCE_SECONDS = 300
# Attempts a minute, counted in Redis; without Redis nobody signs in.
SIGN_IN_ATTEMPTS_PER_IP: int = env.int("SIGN_IN_ATTEMPTS_PER_IP", default=60)
SIGN_IN_ATTEMPTS_PER_ADDRESS: int = env.int("SIGN_IN_ATTEMPTS_PER_ADDRESS", default=20)
# Passkeys of smart accounts are made for this domain: once it changes, they sign no more.
WEBAUTHN_RP_ID: str = env.str("WEBAUTHN_RP_ID", default=urlsplit(SITE_URL).hostname or "localhost")
# User operations that the platform pays the gas of, for one user in 24 hours, and the most that one may cost (wei).
SPONSORED_OPERATIONS_PER_DAY: int = env.int("SPONSORED_OPERATIONS_PER_DAY", default=10)
SPONSORED_OPERATION_WEI: int = env.int("SPONSORED_OPERATION_WEI", default=10**16)
# Networks (CIDR) of the reverse proxies whose X-Forwarded-For is believed.
TRUSTED_PROXIES: list[str] = env.list("TRUSTED_PROXIES", default=[])
