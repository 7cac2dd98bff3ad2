"""Smart accounts, and the user operations that their owners sign."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7

from chain.fields import AddressField, HashField, Uint256Field, uint256_check


class SmartAccount(models.Model):
    """An ERC-4337 account on one network; its contract may not be there yet. The owner is a wallet or a passkey."""

    class Owner(models.TextChoices):
        WALLET = "wallet", "Wallet"
        PASSKEY = "passkey", "Passkey"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="smart_accounts")
    network = models.SlugField(max_length=32)
    address = AddressField()
    owner_kind = models.CharField(max_length=10, choices=Owner.choices)
    owner_address = AddressField(null=True, blank=True, help_text="The wallet that signs.")
    public_key_x = HashField(null=True, blank=True, help_text="The passkey's P-256 public key.")
    public_key_y = HashField(null=True, blank=True)
    credential_id = models.BinaryField(null=True, blank=True, max_length=1023, help_text="WebAuthn's name of the key.")
    transports = models.JSONField(default=list, blank=True)
    founder_owns = models.BooleanField(default=True, help_text="Whether the passkey it was made with may sign now.")
    is_deployed = models.BooleanField(default=False, help_text="Whether its contract was seen on the chain.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["network", "address"], name="one_smart_account_per_address"),
            models.UniqueConstraint(fields=["network", "credential_id"], name="one_smart_account_per_passkey"),
            models.CheckConstraint(
                condition=models.Q(
                    owner_kind="wallet",
                    owner_address__isnull=False,
                    public_key_x__isnull=True,
                    public_key_y__isnull=True,
                    credential_id__isnull=True,
                )
                | models.Q(
                    owner_kind="passkey",
                    owner_address__isnull=True,
                    public_key_x__isnull=False,
                    public_key_y__isnull=False,
                    credential_id__isnull=False,
                ),
                name="smart_account_has_one_owner",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["address"], name="smart_account_address")]

    def __str__(self) -> str:
        return str(self.address)


class BackupPasskey(models.Model):
    """A passkey made for an account after its first one. It owns the account while the chain says so."""

    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="backups")
    x = HashField(help_text="The P-256 public key.")
    y = HashField()
    credential_id = models.BinaryField(max_length=1023, help_text="WebAuthn's name of the key.")
    transports = models.JSONField(default=list, blank=True)
    owns = models.BooleanField(default=False, help_text="Whether it may sign now.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "credential_id"], name="one_backup_per_passkey"),
        ]

    def __str__(self) -> str:
        return f"backup of {self.account_id}"


class UserOperation(models.Model):
    """One ERC-4337 v0.7 user operation, from the unsigned offer to what the chain said of it.

    Once signed it never changes: the same bytes may be sent again, to any bundler, as often as needed. Fees in wei per
    unit of gas.
    """

    class Status(models.TextChoices):
        BUILT = "built", "Waiting for the signature"
        SIGNED = "signed", "Signed"
        SUBMITTED = "submitted", "Sent to the bundler"
        UNKNOWN = "unknown", "Unknown"
        INCLUDED = "included", "Done"
        FAILED = "failed", "Failed"
        DROPPED = "dropped", "Dropped"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="operations")
    replaces = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="replacements")
    idempotency_key = models.CharField(max_length=120, null=True, blank=True)
    purpose = models.CharField(max_length=120, blank=True, help_text="What it is for, in the person's words.")
    calls = models.JSONField(help_text="What it does: a list of {to, data, value}.")
    entry_point = AddressField()
    user_op_hash = HashField(unique=True)
    nonce = Uint256Field()
    factory = AddressField(null=True, blank=True)
    factory_data = models.BinaryField(default=bytes, blank=True)
    call_data = models.BinaryField()
    call_gas_limit = Uint256Field()
    verification_gas_limit = Uint256Field()
    pre_verification_gas = Uint256Field()
    max_fee_per_gas = Uint256Field()
    max_priority_fee_per_gas = Uint256Field()
    paymaster = AddressField(null=True, blank=True)
    paymaster_verification_gas_limit = Uint256Field(default=0)
    paymaster_post_op_gas_limit = Uint256Field(default=0)
    paymaster_data = models.BinaryField(default=bytes, blank=True)
    signature = models.BinaryField(default=bytes, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.BUILT)
    code = models.CharField(max_length=40, blank=True, help_text="Why it failed, for programs.")
    detail = models.CharField(max_length=500, blank=True, help_text="Why it failed, or what it waits for.")
    bundler = models.CharField(max_length=255, blank=True, help_text="Who took it.")
    expires_at = models.DateTimeField(help_text="Until when it may be signed.")
    created_at = models.DateTimeField(auto_now_add=True)
    signed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When it was last handed to a bundler.")
    checked_at = models.DateTimeField(null=True, blank=True, help_text="When the chain was last asked about it.")
    scanned_to = models.PositiveBigIntegerField(help_text="No event of it lies in blocks up to this one.")
    transaction_hash = HashField(null=True, blank=True)
    block_number = models.PositiveBigIntegerField(null=True, blank=True)
    block_hash = HashField(null=True, blank=True)
    gas_cost = Uint256Field(null=True, blank=True, help_text="What the account or its paymaster paid, in wei.")
    closed_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the network's confirmations lay on top: the outcome no longer changes."
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "idempotency_key"], name="one_operation_per_idempotency_key"),
            uint256_check(
                "operation_figures_are_uint256",
                *("nonce", "call_gas_limit", "verification_gas_limit", "pre_verification_gas", "max_fee_per_gas"),
                *("max_priority_fee_per_gas", "paymaster_verification_gas_limit", "paymaster_post_op_gas_limit"),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "-id"], name="operation_of_account"),
            # What is still looked after is a small part of all operations.
            models.Index(
                fields=["status", "checked_at"],
                name="open_operations",
                condition=models.Q(confirmed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose or 'Operation'} ({self.get_status_display()})"

    @property
    def gas_limit(self) -> int:
        """All gas that it may use."""
        return int(
            self.call_gas_limit
            + self.verification_gas_limit
            + self.pre_verification_gas
            + self.paymaster_verification_gas_limit
            + self.paymaster_post_op_gas_limit
        )

    @property
    def max_gas_cost(self) -> int:
        """The most its gas can cost, in wei."""
        return self.gas_limit * int(self.max_fee_per_gas)

    @property
    def displaced_by(self) -> "UserOperation | None":
        """Of a replaced operation and its replacement, the one that is in a block instead of this one."""
        if self.code != "displaced":
            return None
        others = UserOperation.objects.filter(account_id=self.account_id, nonce=self.nonce, block_number__isnull=False)
        return others.exclude(pk=self.pk).first()

    @property
    def value(self) -> int:
        """Wei that its calls send along."""
        return sum(int(call["value"], 16) for call in self.calls)
