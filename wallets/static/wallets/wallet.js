// Talking to one EIP-1193 wallet: accounts, the right chain, transactions; and its errors as sentences.
import { findWallet } from "./eip6963.js";
import { addChainParameters, hexChainId } from "./networks.js";

const REMEMBERED = "wallet.rdns";

/** A wallet problem that a person can be told. `code`: rejected, wrong_chain, wrong_account, no_wallet, busy, failed. */
export class WalletProblem extends Error {
  constructor(message, code) {
    super(message);
    this.name = "WalletProblem";
    this.code = code;
  }
}

export function remember(wallet) {
  try {
    localStorage.setItem(REMEMBERED, wallet.info.rdns);
  } catch {
    // Without storage the person chooses again next time.
  }
}

export function rememberedName() {
  try {
    return localStorage.getItem(REMEMBERED);
  } catch {
    return null;
  }
}

/** The wallet used last on this site, if it is still in this browser. */
export async function rememberedWallet() {
  const rdns = rememberedName();
  return rdns ? findWallet(rdns) : undefined;
}

/** Turns whatever a provider threw into a WalletProblem whose message says what to do. */
export function explain(error, doing = "do this") {
  if (error instanceof WalletProblem) return error;
  const code = error?.code ?? error?.data?.originalError?.code;
  const text = String(error?.data?.message ?? error?.message ?? "");
  if (code === 4001 || code === "ACTION_REJECTED" || /user (rejected|denied)|rejected the request/i.test(text)) {
    return new WalletProblem("You declined in your wallet, so nothing happened. You can try again whenever you like.", "rejected");
  }
  if (code === -32002) {
    return new WalletProblem("Your wallet already has a request open. Open the wallet, answer it, then try again.", "busy");
  }
  if (code === 4100) {
    return new WalletProblem("Your wallet has not allowed this site to use that account. Connect it again.", "wrong_account");
  }
  if (code === 4900 || code === 4901) {
    return new WalletProblem("Your wallet is not connected to a network at the moment. Check its connection and try again.", "failed");
  }
  if (/insufficient funds/i.test(text)) {
    return new WalletProblem("There is not enough ETH in this wallet for the amount and the network fee. Add some and try again.", "insufficient");
  }
  if (/nonce too low|replacement transaction underpriced|already known/i.test(text)) {
    return new WalletProblem("Your wallet has another transaction waiting. Let it finish or cancel it there, then try again.", "busy");
  }
  const detail = text ? ` It said: “${text.slice(0, 160)}”.` : "";
  return new WalletProblem(`Your wallet could not ${doing}.${detail} Try again, or use another wallet.`, "failed");
}

/** Asks for the wallet's accounts (it may open its window) and returns the one it has selected, as it writes it. */
export async function requestAccount(provider) {
  let accounts;
  try {
    accounts = await provider.request({ method: "eth_requestAccounts" });
  } catch (error) {
    throw explain(error, "connect");
  }
  if (!accounts?.length) throw new WalletProblem("Your wallet shared no account. Unlock it, choose an account and try again.", "no_account");
  return accounts[0];
}

/** The account selected in the wallet without asking for anything, or undefined. */
export async function currentAccount(provider) {
  try {
    return (await provider.request({ method: "eth_accounts" }))?.[0];
  } catch {
    return undefined;
  }
}

export async function chainId(provider) {
  try {
    return Number(await provider.request({ method: "eth_chainId" }));
  } catch (error) {
    throw explain(error, "say which network it is on");
  }
}

/** Brings the wallet to `network`, offering to add it when the wallet does not know it. Throws WalletProblem. */
export async function ensureChain(provider, network) {
  if ((await chainId(provider)) === network.chain_id) return;
  const wanted = hexChainId(network.chain_id);
  try {
    await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId: wanted }] });
  } catch (error) {
    const unknown = error?.code === 4902 || error?.data?.originalError?.code === 4902;
    if (!unknown) throw wrongChain(error, network);
    const parameters = addChainParameters(network);
    if (!parameters) {
      throw new WalletProblem(`Your wallet does not know ${network.name} (chain id ${network.chain_id}). Add that network in the wallet, then try again.`, "wrong_chain");
    }
    try {
      await provider.request({ method: "wallet_addEthereumChain", params: [parameters] });
      if ((await chainId(provider)) !== network.chain_id) {
        await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId: wanted }] });
      }
    } catch (failure) {
      throw wrongChain(failure, network);
    }
  }
  if ((await chainId(provider)) !== network.chain_id) throw wrongChain(null, network);
}

function wrongChain(error, network) {
  if (error && explain(error).code === "busy") return explain(error);
  return new WalletProblem(`Your wallet is on another network, so nothing was sent. Switch it to ${network.name} (chain id ${network.chain_id}) and try again.`, "wrong_chain");
}

/** Sends a ready call `{to, data, value}` (value in wei as 0x hex or decimal) from `account`; returns its hash. */
export async function sendCall(provider, account, call) {
  const value = `0x${BigInt(call.value || 0).toString(16)}`;
  try {
    return await provider.request({ method: "eth_sendTransaction", params: [{ from: account, to: call.to, data: call.data, value }] });
  } catch (error) {
    throw explain(error, "send the transaction");
  }
}

/** Whether a wallet's error says that it does not know how to do what was asked, rather than that a person declined. */
function isUnsupported(error) {
  const code = error?.code ?? error?.data?.originalError?.code;
  if (code === 4001) return false;
  // EIP-1193 and EIP-1474: unsupported method, method not found, method not supported.
  return [4200, -32601, -32004].includes(code) || /not (supported|implemented|available)|unsupported|does not (exist|offer|support)|method not found/i.test(String(error?.message ?? ""));
}

/** The wallet's signature of EIP-712 typed data, or null when it cannot sign such data. Throws WalletProblem. */
export async function signTypedData(provider, account, typedData) {
  try {
    return await provider.request({ method: "eth_signTypedData_v4", params: [account, JSON.stringify(typedData)] });
  } catch (error) {
    if (isUnsupported(error)) return null;
    throw explain(error, "sign the payment");
  }
}

/** The receipt of a transaction, or null while it waits. Throws WalletProblem when the node cannot be asked. */
export async function receipt(provider, hash) {
  try {
    return await provider.request({ method: "eth_getTransactionReceipt", params: [hash] });
  } catch (error) {
    throw explain(error, "look at the transaction");
  }
}

/** Waits for a receipt, asking every `every` milliseconds; null after `limit` milliseconds without one. */
export async function waitForReceipt(provider, hash, { every = 1000, limit = 180000 } = {}) {
  const deadline = Date.now() + limit;
  while (Date.now() < deadline) {
    const found = await receipt(provider, hash);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, every));
  }
  return null;
}

/** Balance in wei. */
export async function nativeBalance(provider, account) {
  return BigInt(await provider.request({ method: "eth_getBalance", params: [account, "latest"] }));
}

/** Balance of an ERC-20 token in its base units. */
export async function tokenBalance(provider, token, account) {
  const data = `0x70a08231${account.slice(2).toLowerCase().padStart(64, "0")}`; // balanceOf(address)
  const answer = await provider.request({ method: "eth_call", params: [{ to: token, data }, "latest"] });
  return BigInt(answer === "0x" ? 0 : answer);
}
