// Sign-In with Ethereum (EIP-4361): the server writes the message, the wallet signs it, the server checks it.
import { api } from "./api.js";
import { explain } from "./wallet.js";

function hexOf(text) {
  return `0x${[...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** Asks the server for the message to sign: `{nonce, message, expires_at}`. `purpose` is "sign_in", "link" or "confirm". */
export function challenge(address, chainId, purpose = "sign_in") {
  return api("POST", "/api/v1/auth/siwe/nonce", { address, purpose, ...(chainId ? { chain_id: chainId } : {}) });
}

/** The wallet's signature of `message` (personal_sign). Throws WalletProblem. */
export async function sign(provider, address, message) {
  try {
    return await provider.request({ method: "personal_sign", params: [hexOf(message), address] });
  } catch (error) {
    throw explain(error, "sign the message");
  }
}

/** Opens a browser session; returns the user. */
export function verify(message, signature) {
  return api("POST", "/api/v1/auth/siwe/verify", { message, signature, mode: "session" });
}

/** Proves for this session that its owner is there. */
export function confirm(message, signature) {
  return api("POST", "/api/v1/auth/siwe/confirm", { message, signature });
}

/** Links the address that signed to the account that is signed in. */
export function link(message, signature) {
  return api("POST", "/api/v1/wallets", { message, signature });
}
