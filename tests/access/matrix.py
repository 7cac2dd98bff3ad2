"""Who may open what: one line for each address and method. The test of a route without one says which line to add.

    Row("api-thing", "GET PATCH", OWNER)                  # an object of the owner's; others see 403 or 404
    Row("marketplace:thing", "POST", OWNER, pk="purchase")  # `pk` is the id of the purchase in tests/access/world.py

URL parameters are taken from the world by their own names (`slug`, `purchase_id`, ...) unless the row names another.
"""

from dataclasses import dataclass

# The persons. `suspended` is the owner with the account suspended: out of everything, or like nobody on pages for all.
# Members of staff who gave no second factor have no rights of staff: they are like everybody else.
ANONYMOUS, THE_OWNER, STRANGER, STAFF_MEMBER = "anonymous", "owner", "stranger", "staff"
STAFF_WITHOUT_FACTOR = "staff without second factor"

EVERYONE = frozenset({ANONYMOUS, THE_OWNER, STRANGER, STAFF_MEMBER, STAFF_WITHOUT_FACTOR})
SIGNED_IN = EVERYONE - {ANONYMOUS}
OWNER = frozenset({THE_OWNER})
OWNER_AND_STAFF = OWNER | {STAFF_MEMBER}
# In the middle of signing in: for who is signed in or comes by himself it only leads elsewhere.
STEP = EVERYONE


@dataclass(frozen=True)
class Row:
    """`name` with its namespace, the methods, who gets in, and where URL parameters come from."""

    name: str
    methods: str
    who: frozenset[str]
    parameters: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.name} {self.methods}"


def row(name: str, methods: str, who: frozenset[str], **parameters: str) -> Row:
    """One line of the matrix."""
    return Row(name, methods, who, tuple(parameters.items()))


API = [
    # chain
    row("api-networks", "GET", EVERYONE),
    # wallets
    row("api-siwe-nonce", "POST", EVERYONE),
    row("api-siwe-verify", "POST", EVERYONE),
    row("api-siwe-confirm", "POST", SIGNED_IN),
    row("api-token-refresh", "POST", EVERYONE),
    row("api-logout", "POST", SIGNED_IN),
    row("api-me", "GET PATCH", SIGNED_IN),
    row("api-wallets", "GET POST", SIGNED_IN),
    row("api-wallet", "DELETE", OWNER),
    row("api-wallet-primary", "POST", OWNER),
    row("api-sessions", "GET DELETE", SIGNED_IN),
    row("api-session", "DELETE", OWNER),
    row("api-api-keys", "GET POST", SIGNED_IN),
    row("api-api-key", "DELETE", OWNER),
    row("api-api-key-rotate", "POST", OWNER),
    row("api-smart-accounts", "GET POST", SIGNED_IN),
    row("api-passkey-options", "POST", SIGNED_IN),
    row("api-smart-account", "GET", OWNER),
    row("api-account-passkeys", "POST", OWNER),
    row("api-account-passkey-remove", "POST", OWNER),
    row("api-user-operations", "GET POST", SIGNED_IN),
    row("api-user-operation", "GET", OWNER),
    row("api-user-operation-submit", "POST", OWNER),
    row("api-user-operation-replace", "POST", OWNER),
    # marketplace
    row("api-categories", "GET", EVERYONE),
    row("api-agents", "GET", EVERYONE),
    row("api-agents", "POST", SIGNED_IN),
    row("api-agent", "GET", OWNER_AND_STAFF),
    row("api-agent", "PATCH", OWNER),
    row("api-agent-publish", "POST", OWNER),
    row("api-agent-archive", "POST", OWNER),
    row("api-agent-quota", "GET PUT", OWNER),
    row("api-versions", "GET", OWNER_AND_STAFF),
    row("api-versions", "POST", OWNER),
    row("api-version-check", "POST", OWNER_AND_STAFF),
    row("api-version-withdraw", "POST", OWNER_AND_STAFF),
    row("api-secrets", "GET", OWNER),
    row("api-secret", "PUT DELETE", OWNER),
    row("api-registry-credentials", "GET", SIGNED_IN),
    row("api-registry-credential", "PUT", SIGNED_IN),
    row("api-registry-credential", "DELETE", OWNER),
    row("api-purchases", "GET POST", SIGNED_IN),
    row("api-purchase", "GET", OWNER),
    row("api-purchase-authorization", "POST", OWNER),
    row("api-purchase-timeline", "GET", OWNER_AND_STAFF),
    row("api-purchase-release", "POST", OWNER),
    row("api-purchase-refund", "POST", OWNER, purchase_id="sale"),
    row("api-purchase-dispute", "POST", OWNER),
    row("api-purchase-answer", "POST", OWNER, purchase_id="sale"),
    row("api-purchase-withdraw", "POST", OWNER),
    row("api-sales", "GET", SIGNED_IN),
    row("api-payouts", "GET", SIGNED_IN),
    row("api-payouts-withdraw", "POST", SIGNED_IN),
    row("api-modules", "POST", SIGNED_IN),
    # executions
    row("api-executions", "GET POST", SIGNED_IN),
    row("api-execution", "GET", OWNER_AND_STAFF),
    row("api-files", "POST", SIGNED_IN),
    row("api-file", "GET", OWNER),
    row("api-file", "DELETE", OWNER),
    row("api-execution-cancel", "POST", OWNER_AND_STAFF),
    row("api-execution-documents", "DELETE", OWNER),
    row("api-execution-connections", "GET", OWNER_AND_STAFF),
    row("api-execution-logs", "GET", OWNER_AND_STAFF),
    row("api-execution-logs-stream", "GET", OWNER_AND_STAFF),
    row("api-execution-logs-download", "GET", OWNER_AND_STAFF),
]

PAGES = [
    # the site
    row("api-schema", "GET", EVERYONE),
    row("api-docs", "GET", EVERYONE),
    row("favicon", "GET", EVERYONE),
    row("healthz", "GET", EVERYONE),
    row("readyz", "GET", EVERYONE),
    row("metrics", "GET", EVERYONE),  # from this machine; tests/config asks from elsewhere
    row("demo-wallet-fund", "POST", EVERYONE),
    row("demo-wallet-rpc", "POST", EVERYONE),
    # marketplace
    row("marketplace:catalogue", "GET", EVERYONE),
    row("marketplace:studio", "GET", SIGNED_IN),
    row("marketplace:agent-new", "GET POST", SIGNED_IN),
    row("marketplace:agent", "GET", OWNER_AND_STAFF),
    row("marketplace:buy", "GET", SIGNED_IN, slug="published"),
    row("marketplace:agent-edit", "GET POST", OWNER),
    row("marketplace:agent-publish", "POST", OWNER),
    row("marketplace:agent-archive", "POST", OWNER),
    row("marketplace:version-new", "GET POST", OWNER),
    row("marketplace:version-check", "POST", OWNER),
    row("marketplace:version-withdraw", "POST", OWNER),
    row("marketplace:agent-secrets", "GET POST", OWNER),
    row("marketplace:agent-secret-delete", "POST", OWNER),
    row("marketplace:registries", "GET POST", SIGNED_IN),
    row("marketplace:registry-delete", "POST", SIGNED_IN),
    row("marketplace:sales", "GET", SIGNED_IN),
    row("marketplace:sales-money", "GET", SIGNED_IN),
    row("marketplace:purchase", "GET", OWNER_AND_STAFF, pk="purchase"),
    row("marketplace:purchase-progress", "GET", OWNER_AND_STAFF, pk="purchase"),
    # executions
    row("executions:run", "GET POST", OWNER, slug="published"),
    row("executions:form-preview", "POST", SIGNED_IN),
    row("executions:file", "GET", OWNER, pk="file"),
    row("executions:signed-file", "GET", EVERYONE, token="file_token"),  # the address is the right
    row("executions:list", "GET", SIGNED_IN),
    row("executions:detail", "GET", OWNER_AND_STAFF, pk="execution"),
    row("executions:result", "GET", OWNER_AND_STAFF, pk="execution"),
    row("executions:table", "GET", OWNER_AND_STAFF, pk="execution"),
    # wallets
    row("wallets:profile", "GET POST", SIGNED_IN),
    row("wallets:unlink", "POST", SIGNED_IN),
    row("wallets:make-primary", "POST", SIGNED_IN),
    row("wallets:confirm", "GET", SIGNED_IN),
    row("wallets:second-factor", "GET", SIGNED_IN),
    row("wallets:security", "GET", SIGNED_IN),
    row("wallets:key-create", "POST", SIGNED_IN),
    row("wallets:key-rotate", "POST", SIGNED_IN),
    row("wallets:key-revoke", "POST", SIGNED_IN),
    row("wallets:sessions-end", "POST", SIGNED_IN),
    row("wallets:session-end", "POST", SIGNED_IN),
    row("wallets:close", "GET POST", SIGNED_IN),
    row("wallets:sign-out", "POST", EVERYONE),
    # ways in, by allauth
    row("account_login", "GET POST", EVERYONE),
    row("account_logout", "GET POST", EVERYONE),
    row("account_inactive", "GET", EVERYONE),
    row("account_signup", "GET POST", EVERYONE),
    row("account_signup_by_passkey", "GET POST", EVERYONE),
    row("account_reset_password", "GET POST", EVERYONE),
    row("account_password_reset_completed", "GET", EVERYONE),
    row("mfa_login_webauthn", "GET", STEP),
    row("account_email_verification_sent", "GET", STEP),
    row("account_confirm_login_code", "GET", STEP),
    row("account_confirm_password_reset_code", "GET", STEP),
    row("account_complete_password_reset", "GET", STEP),
    row("mfa_authenticate", "GET", STEP),
    row("mfa_signup_webauthn", "GET", STEP),
    # the account, by allauth
    row("account_reauthenticate", "GET", SIGNED_IN),
    row("account_email", "GET POST", SIGNED_IN),
    row("account_change_password", "GET POST", SIGNED_IN),
    row("account_set_password", "GET POST", SIGNED_IN),
    row("mfa_index", "GET", SIGNED_IN),
    row("mfa_reauthenticate", "GET", SIGNED_IN),
    row("mfa_activate_totp", "GET POST", SIGNED_IN),
    row("mfa_deactivate_totp", "GET", OWNER),
    row("mfa_view_recovery_codes", "GET", OWNER),
    row("mfa_generate_recovery_codes", "GET", SIGNED_IN),
    row("mfa_download_recovery_codes", "GET", OWNER),
    row("mfa_list_webauthn", "GET", SIGNED_IN),
    row("mfa_add_webauthn", "GET POST", SIGNED_IN),
    row("mfa_reauthenticate_webauthn", "GET", SIGNED_IN),
    row("mfa_remove_webauthn", "GET POST", OWNER, pk="passkey"),
    row("mfa_edit_webauthn", "GET POST", OWNER, pk="passkey"),
]

# Bodies for routes that judge the body before the person. Everywhere else `{}` is sent.
BODIES = {
    "api-versions": {
        "number": "1.1.0",
        "image": "agentnexus/sample@sha256:" + "1" * 64,
        "input_schema": {"type": "object"},
        "output_schema": {"type": "object"},
    },
    "api-secret": {"value": "a-value-nobody-sees"},
    "api-registry-credential": {"username": "me", "password": "a-password-nobody-sees"},
    "api-purchase-answer": {"text": "It was as described."},
    "api-purchase-authorization": {"payer": "0x" + "1" * 40, "signature": "0x" + "11" * 65},
    "api-purchase-dispute": {"reason": "It never answered."},
}

# The path pattern of each WebSocket route.
SOCKETS = [
    row("ws/executions/<uuid:execution_id>/", "WS", OWNER_AND_STAFF),
    row("ws/purchases/<uuid:purchase_id>/", "WS", OWNER_AND_STAFF),
]
