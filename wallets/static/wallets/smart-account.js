// Smart accounts from a page: passkeys that own them, signatures over their operations, and what becomes of those.
import { api } from "./api.js";
import { chooseWallet } from "./connect.js";
import { explain, WalletProblem } from "./wallet.js";

const EVERY = 700; // milliseconds between two questions about an operation
const OVER = new Set(["included", "failed", "dropped"]);

/** What a page's `data-account` element says of an account. */
export function accountOf(element) {
  const { account, address, owner, ownerAddress } = element.dataset;
  return { id: account, address, owner, ownerAddress };
}

/** The person's smart account at an address of a chain, or null. */
export async function accountAt(address, chainId) {
  const found = (await api("GET", "/api/v1/smart-accounts")).find((each) => same(each.address, address) && each.chain_id === Number(chainId));
  if (!found) return null;
  return { id: found.id, address: found.address, owner: found.owner, ownerAddress: found.owner_address };
}

/**
 * Has an account make a call: built, signed by its owner, and followed into a block. `say` is told what to wait for,
 * `sent` when it is handed over. Throws WalletProblem, ApiError.
 */
export async function carryOut(account, { to, data, value }, told) {
  const operation = await api("POST", "/api/v1/user-operations", { account: account.id, calls: [{ to, data, value }] });
  return complete(account, operation, told);
}

/** From a built operation into a block, as `carryOut`. */
export async function complete(account, operation, { say = () => {}, sent = () => {} } = {}) {
  const gas = operation.is_sponsored ? "We pay the gas." : `Gas costs at most ${operation.max_gas_cost_display}.`;
  say(`${operation.purpose}. ${gas} Confirm with your ${account.owner}.`);
  const handed = await signAndSubmit(account, operation);
  if (handed.status === "failed") throw new WalletProblem(handed.detail, "failed");
  sent();
  say("Signed and handed over. It is being taken into a block.");
  const ended = await follow(operation.id, (shown) => {
    if (shown?.status === "unknown") say(shown.detail || "We have not heard of it yet and keep asking. Do not sign again.");
  });
  if (ended.status !== "included") throw new WalletProblem(ended.detail || "The operation did not happen. Try again.", "failed");
  return ended;
}

/** Opens the smart account of a linked wallet. */
export function openForWallet(owner, network) {
  return api("POST", "/api/v1/smart-accounts", { owner, network });
}

/** Makes a passkey and opens the smart account it owns. Throws WalletProblem, ApiError. */
export async function openWithPasskey(network) {
  return api("POST", "/api/v1/smart-accounts", { credential: await newPasskey({}), network });
}

/** Makes a passkey on another device; returns the operation that makes it the account's backup, to be signed. */
export async function buildBackup(account) {
  const credential = await newPasskey({ account: account.id });
  return api("POST", `/api/v1/smart-accounts/${account.id}/passkeys`, { credential });
}

/** The operation that takes a passkey away, for the one that stays to sign. */
export function buildRemoval(account, credential) {
  return api("POST", `/api/v1/smart-accounts/${account.id}/passkeys/${credential}/remove`);
}

/** Has the browser make a passkey; returns the credential as the API takes it. */
async function newPasskey(purpose) {
  requirePasskeys();
  const { publicKey } = await api("POST", "/api/v1/smart-accounts/passkey-options", purpose);
  const options = {
    ...publicKey,
    challenge: bytes(publicKey.challenge),
    user: { ...publicKey.user, id: bytes(publicKey.user.id) },
    excludeCredentials: (publicKey.excludeCredentials ?? []).map((each) => ({ ...each, id: bytes(each.id) })),
  };
  let made;
  try {
    made = await navigator.credentials.create({ publicKey: options });
  } catch (error) {
    throw declined(error, "made");
  }
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    response: {
      clientDataJSON: text(made.response.clientDataJSON),
      attestationObject: text(made.response.attestationObject),
      transports: made.response.getTransports?.() ?? [],
    },
    clientExtensionResults: {},
  };
}

/** Has the account's owner sign a built operation, and hands it over. Returns the operation as it then stands. */
export async function signAndSubmit(account, operation) {
  const body = account.owner === "passkey" ? { assertion: await assertion(operation) } : { signature: await walletSignature(account, operation) };
  return api("POST", `/api/v1/user-operations/${operation.id}/submit`, body);
}

/** Asks about an operation until it is over; `shown` gets every answer, null when the site cannot be reached. */
export async function follow(id, shown) {
  for (;;) {
    const operation = await api("GET", `/api/v1/user-operations/${id}`).catch((error) => {
      if (error.status === 404) throw error;
      return null;
    });
    shown(operation);
    if (operation && OVER.has(operation.status)) return operation;
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}

async function walletSignature(account, operation) {
  let wallet = await chooseWallet();
  if (wallet && !same(wallet.address, account.ownerAddress)) wallet = await chooseWallet({ ask: true });
  if (!wallet) throw new WalletProblem("No wallet was chosen, so nothing happened.", "rejected");
  if (!same(wallet.address, account.ownerAddress)) {
    throw new WalletProblem(`This smart account is owned by ${account.ownerAddress}. Switch your wallet to that account and try again.`, "wrong_account");
  }
  try {
    return await wallet.provider.request({ method: "personal_sign", params: [operation.user_op_hash, wallet.address] });
  } catch (error) {
    throw explain(error, "sign the operation");
  }
}

async function assertion(operation) {
  requirePasskeys();
  const publicKey = {
    challenge: Uint8Array.from(operation.user_op_hash.slice(2).match(/../g), (pair) => parseInt(pair, 16)),
    allowCredentials: operation.signers.map((key) => ({ type: "public-key", id: bytes(key.credential_id), transports: key.transports })),
    userVerification: "required",
    timeout: 120000,
  };
  let answer;
  try {
    answer = await navigator.credentials.get({ publicKey });
  } catch (error) {
    throw declined(error, "used");
  }
  const { authenticatorData, clientDataJSON, signature } = answer.response;
  return { authenticatorData: text(authenticatorData), clientDataJSON: text(clientDataJSON), signature: text(signature) };
}

function requirePasskeys() {
  if (!window.PublicKeyCredential) {
    throw new WalletProblem("This browser has no passkeys. Use a newer one, or a wallet.", "failed");
  }
}

function declined(error, what) {
  if (error?.name === "InvalidStateError") {
    return new WalletProblem("This device has a passkey of this account already. Make the backup on another one: a phone, another computer, or a security key.", "failed");
  }
  if (error?.name === "SecurityError") {
    return new WalletProblem(`Passkeys do not work at this address (${location.hostname}). Open the site at its own name.`, "failed");
  }
  return new WalletProblem(`The passkey was not ${what}, so nothing happened. You can try again whenever you like.`, "rejected");
}

function same(one, other) {
  return one?.toLowerCase() === other?.toLowerCase();
}

function bytes(base64url) {
  const plain = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
