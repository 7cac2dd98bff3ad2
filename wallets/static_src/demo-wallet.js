/*! Built by `npm run demo-wallet` from wallets/static_src/demo-wallet.js. It contains viem (MIT License, copyright (c)
 * 2023-present weth, LLC) and noble-curves, noble-hashes, scure-base (MIT License, copyright (c) 2022 Paul Miller). */
// A burner wallet for trying the site on the local chain: announced by EIP-6963 like any other, but its key lives in
// this browser's storage and it only ever holds play money. The server does not offer it in production.
import { bytesToString, hexToBytes } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

const KEY = "demo-wallet.key";
const CONNECTED = "demo-wallet.connected";
const RDNS = "agentnexus.demo-wallet";
const ICON =
  "data:image/svg+xml," +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><rect width="36" height="36" rx="8" fill="#f4bd55"/><path d="M8 12.5h18v-3H10a2 2 0 0 0-2 2V25a2 2 0 0 0 2 2h18V14.5H10a2 2 0 0 1-2-2Z" fill="none" stroke="#12201b" stroke-width="2" stroke-linejoin="round"/><circle cx="23.5" cy="20.8" r="1.8" fill="#12201b"/></svg>',
  );

const listeners = new Map();
const emit = (event, value) => (listeners.get(event) ?? []).forEach((listener) => listener(value));

function account() {
  let key = localStorage.getItem(KEY);
  if (!key) {
    key = generatePrivateKey();
    localStorage.setItem(KEY, key);
  }
  return privateKeyToAccount(key);
}

const failure = (code, message) => Object.assign(new Error(message), { code });
const rejected = () => failure(4001, "User rejected the request.");

async function post(path, body) {
  const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  const response = await fetch(path, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    body: JSON.stringify(body),
  });
  const data = await response.json().catch(() => null);
  // The proxy's own refusals are JSON-RPC errors too, whatever their status.
  if (!response.ok && !data?.error) throw failure(-32603, data?.detail ?? `The local chain did not answer (status ${response.status}).`);
  return data;
}

let number = 0;
async function rpc(method, params = []) {
  const answer = await post("/demo-wallet/rpc", { jsonrpc: "2.0", id: ++number, method, params });
  if (answer?.error) throw Object.assign(failure(answer.error.code ?? -32603, answer.error.message), { data: answer.error.data });
  return answer?.result ?? null;
}

// --- its own confirmation window, so that the journey is the one of a real wallet ---
function node(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

let asking = Promise.resolve();
/** One question at a time; resolves when confirmed, rejects with 4001 when declined. */
function confirm(title, rows, action) {
  const ask = () =>
    new Promise((resolve, reject) => {
      const dialog = node("dialog", "dialog max-w-sm border-2 border-signal");
      dialog.id = "demo-wallet";
      dialog.setAttribute("aria-labelledby", "demo-wallet-title");
      const head = node("div", "flex items-center gap-3 border-b border-line bg-signal-soft px-5 py-3");
      const icon = node("img", "size-7 rounded-md");
      icon.src = ICON;
      icon.alt = "";
      head.append(icon, node("p", "text-sm font-semibold", "Demo wallet"), node("span", "badge badge-plain tone-busy ml-auto", "play money"));
      const body = node("div", "px-5 py-5");
      const heading = node("h2", "text-base", title);
      heading.id = "demo-wallet-title";
      const list = node("dl", "mt-4 space-y-3 text-sm");
      for (const [name, value, wide] of rows) {
        const row = node("div", wide ? "" : "flex items-baseline justify-between gap-4");
        row.append(
          node("dt", "text-muted", name),
          node("dd", wide ? "mt-1 max-h-44 overflow-auto whitespace-pre-wrap rounded-md bg-sunk p-3 font-mono text-2xs leading-4" : "num min-w-0 text-right font-medium wrap-anywhere", value),
        );
        list.append(row);
      }
      body.append(heading, list);
      const foot = node("div", "dialog-foot");
      const no = node("button", "btn btn-ghost", "Decline");
      const yes = node("button", "btn btn-primary", action);
      no.type = yes.type = "button";
      foot.append(no, yes);
      dialog.append(head, body, foot);
      const end = (settle) => {
        dialog.remove();
        settle();
      };
      yes.addEventListener("click", () => end(resolve));
      no.addEventListener("click", () => end(() => reject(rejected())));
      dialog.addEventListener("cancel", () => end(() => reject(rejected())));
      document.body.append(dialog);
      dialog.showModal();
      yes.focus();
    });
  const answer = asking.then(ask, ask);
  asking = answer.catch(() => undefined);
  return answer;
}

function ether(wei) {
  const digits = BigInt(wei).toString().padStart(19, "0");
  const fraction = digits.slice(-18).replace(/0+$/, "");
  return `${digits.slice(0, -18)}${fraction ? `.${fraction}` : ""} ETH`;
}

/** A fee rounded up to six decimals of an ether. */
function roundedUp(wei) {
  const step = 10n ** 12n;
  return ((BigInt(wei) + step - 1n) / step) * step;
}

// What the site's own calls are called, so that the window says more than a selector.
const CALLS = {
  "0x095ea7b3": "approve",
  "0x00f28adf": "depositPayment",
  "0xabebbcb7": "depositWithAuthorization",
  "0x7aa1ed58": "releasePayment",
  "0xde8f8b3f": "refundPayment",
  "0x2c4bc093": "openDispute",
  "0xf940e385": "withdraw",
};

const short = (value) => `${value.slice(0, 8)}…${value.slice(-6)}`;

async function connect() {
  const { address } = account();
  if (localStorage.getItem(CONNECTED) !== "yes") {
    await confirm("Connect to this site?", [["Site", location.host], ["Address", short(address)]], "Connect");
    localStorage.setItem(CONNECTED, "yes");
  }
  // Keeps the play money topped up; a failure shows when money is needed, with a sentence of its own.
  await post("/demo-wallet/fund", { address }).catch(() => undefined);
  emit("accountsChanged", [address]);
  return [address];
}

async function signMessage([message, address]) {
  const signer = account();
  if (address?.toLowerCase() !== signer.address.toLowerCase()) throw failure(4100, "This account is not in the demo wallet.");
  let text = message;
  if (message.startsWith("0x")) text = bytesToString(hexToBytes(message));
  await confirm("Sign this message?", [["Message", text, true]], "Sign");
  return signer.signMessage({ message: message.startsWith("0x") ? { raw: message } : message });
}

async function signTypedData([address, json]) {
  const signer = account();
  if (address?.toLowerCase() !== signer.address.toLowerCase()) throw failure(4100, "This account is not in the demo wallet.");
  const { types, primaryType, domain, message } = typeof json === "string" ? JSON.parse(json) : json;
  const { EIP712Domain: _, ...members } = types;
  await confirm(
    "Sign this data?",
    [["For", `${domain.name} ${short(domain.verifyingContract)}`], ["What", primaryType], ["Data", JSON.stringify(message, null, 2), true]],
    "Sign",
  );
  return signer.signTypedData({ domain, types: members, primaryType, message });
}

async function sendTransaction([request]) {
  const signer = account();
  if (request.from?.toLowerCase() !== signer.address.toLowerCase()) throw failure(4100, "This account is not in the demo wallet.");
  const value = BigInt(request.value ?? 0);
  const call = { from: signer.address, to: request.to, data: request.data ?? "0x", value: `0x${value.toString(16)}` };
  const [chain, gas, gasPrice] = await Promise.all([rpc("eth_chainId"), rpc("eth_estimateGas", [call]), rpc("eth_gasPrice")]);
  const limit = (BigInt(gas) * 12n) / 10n;
  await confirm(
    "Send this transaction?",
    [
      ["To", short(request.to)],
      ["Amount", ether(value)],
      ["Network fee up to", ether(roundedUp(limit * BigInt(gasPrice) * 2n))],
      ["Call", CALLS[(request.data ?? "").slice(0, 10)] ?? `${(request.data ?? "0x").slice(0, 10)} (${((request.data ?? "0x").length - 2) / 2} bytes)`],
    ],
    "Confirm",
  );
  const nonce = await rpc("eth_getTransactionCount", [signer.address, "pending"]);
  const raw = await signer.signTransaction({
    type: "eip1559",
    chainId: Number(chain),
    nonce: Number(nonce),
    to: request.to,
    data: request.data ?? "0x",
    value,
    gas: limit,
    maxFeePerGas: BigInt(gasPrice) * 2n,
    maxPriorityFeePerGas: BigInt(gasPrice) > 1_000_000_000n ? 1_000_000_000n : BigInt(gasPrice),
  });
  return rpc("eth_sendRawTransaction", [raw]);
}

const methods = {
  eth_requestAccounts: connect,
  eth_accounts: async () => (localStorage.getItem(CONNECTED) === "yes" ? [account().address] : []),
  personal_sign: signMessage,
  eth_signTypedData_v4: signTypedData,
  eth_sendTransaction: sendTransaction,
  wallet_switchEthereumChain: async ([{ chainId }]) => {
    if (Number(chainId) !== Number(await rpc("eth_chainId"))) throw failure(4902, "The demo wallet only knows the local chain.");
    return null;
  },
  wallet_revokePermissions: async () => {
    localStorage.removeItem(CONNECTED);
    emit("accountsChanged", []);
    return null;
  },
};

const provider = Object.freeze({
  async request({ method, params = [] }) {
    if (methods[method]) return methods[method](params);
    if (method.startsWith("wallet_")) throw failure(4200, `The demo wallet does not offer ${method}.`);
    return rpc(method, params);
  },
  on(event, listener) {
    listeners.set(event, [...(listeners.get(event) ?? []), listener]);
  },
  removeListener(event, listener) {
    listeners.set(event, (listeners.get(event) ?? []).filter((known) => known !== listener));
  },
});

const detail = Object.freeze({
  info: Object.freeze({ uuid: crypto.randomUUID?.() ?? "00000000-0000-4000-8000-000000000001", name: "Demo wallet", icon: ICON, rdns: RDNS }),
  provider,
});
const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
window.addEventListener("eip6963:requestProvider", announce);
announce();
