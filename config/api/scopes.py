"""Which scope of an API key each route of `/api/v1` needs. What is not listed takes no API key."""

from wallets.api.scopes import ANY, Routes
from wallets.credentials.models import Scope

_READ_AGENTS = {"GET": Scope.AGENTS_READ.value}
_WRITE_AGENTS = {"POST": Scope.AGENTS_WRITE.value}
_READ_PURCHASES = {"GET": Scope.PURCHASES_WRITE.value}
_WRITE_PURCHASES = {"POST": Scope.PURCHASES_WRITE.value}
_READ_EXECUTIONS = {"GET": Scope.EXECUTIONS_READ.value}

# An empty entry says that a person must sign in for it: keys neither make keys nor touch accounts.
ROUTES: Routes = {
    # chain
    "api-networks": {"GET": ANY},
    # wallets
    "api-siwe-nonce": {},
    "api-siwe-verify": {},
    "api-siwe-confirm": {},
    "api-token-refresh": {},
    "api-logout": {},
    "api-me": {"GET": ANY},
    "api-wallets": {},
    "api-wallet": {},
    "api-wallet-primary": {},
    "api-sessions": {},
    "api-session": {},
    "api-api-keys": {},
    "api-api-key": {},
    "api-api-key-rotate": {},
    "api-smart-accounts": _READ_PURCHASES,
    "api-smart-account": _READ_PURCHASES,
    "api-passkey-options": {},
    "api-account-passkeys": {},
    "api-account-passkey-remove": {},
    "api-user-operations": {**_READ_PURCHASES, **_WRITE_PURCHASES},
    "api-user-operation": _READ_PURCHASES,
    "api-user-operation-submit": _WRITE_PURCHASES,
    "api-user-operation-replace": _WRITE_PURCHASES,
    # marketplace
    "api-categories": {"GET": ANY},
    "api-agents": {**_READ_AGENTS, **_WRITE_AGENTS},
    "api-agent": {**_READ_AGENTS, "PATCH": Scope.AGENTS_WRITE.value},
    "api-agent-publish": _WRITE_AGENTS,
    "api-agent-archive": _WRITE_AGENTS,
    "api-versions": {**_READ_AGENTS, **_WRITE_AGENTS},
    "api-modules": _WRITE_AGENTS,
    "api-version-check": _WRITE_AGENTS,
    "api-version-withdraw": _WRITE_AGENTS,
    "api-secrets": {"GET": Scope.AGENTS_WRITE.value},
    "api-secret": {"PUT": Scope.AGENTS_WRITE.value, "DELETE": Scope.AGENTS_WRITE.value},
    "api-registry-credentials": {"GET": Scope.AGENTS_WRITE.value},
    "api-registry-credential": {"PUT": Scope.AGENTS_WRITE.value, "DELETE": Scope.AGENTS_WRITE.value},
    "api-purchases": {"GET": Scope.PURCHASES_WRITE.value, "POST": Scope.PURCHASES_WRITE.value},
    "api-purchase": {"GET": Scope.PURCHASES_WRITE.value},
    "api-purchase-authorization": _WRITE_PURCHASES,
    "api-purchase-timeline": {"GET": Scope.PURCHASES_WRITE.value},
    "api-purchase-release": _WRITE_PURCHASES,
    "api-purchase-refund": _WRITE_AGENTS,
    "api-purchase-dispute": _WRITE_PURCHASES,
    "api-purchase-answer": _WRITE_PURCHASES,
    "api-purchase-withdraw": _WRITE_PURCHASES,
    "api-sales": {"GET": Scope.AGENTS_WRITE.value},
    "api-payouts": {"GET": Scope.AGENTS_WRITE.value},
    "api-payouts-withdraw": _WRITE_AGENTS,
    # executions
    "api-agent-quota": {**_READ_AGENTS, "PUT": Scope.AGENTS_WRITE.value},
    "api-files": {"POST": Scope.EXECUTIONS_RUN.value},
    "api-file": {**_READ_EXECUTIONS, "DELETE": Scope.EXECUTIONS_RUN.value},
    "api-executions": {**_READ_EXECUTIONS, "POST": Scope.EXECUTIONS_RUN.value},
    "api-execution": _READ_EXECUTIONS,
    "api-execution-cancel": {"POST": Scope.EXECUTIONS_RUN.value},
    "api-execution-documents": {"DELETE": Scope.EXECUTIONS_RUN.value},
    "api-execution-connections": _READ_EXECUTIONS,
    "api-execution-logs": _READ_EXECUTIONS,
    "api-execution-logs-stream": _READ_EXECUTIONS,
    "api-execution-logs-download": _READ_EXECUTIONS,
}
