// Paying for an agent: wallet, network, balance, approval, payment, block, confirmations, access. The server's word on
// the purchase (over its socket) decides; what the wallet says is only shown. A reload finds the same place again.
import { busy, el, shortAddress } from "../site/dom.js";
import { api, ApiError } from "../wallets/api.js";
import { chooseWallet } from "../wallets/connect.js";
import { accountOf, follow, signAndSubmit } from "../wallets/smart-account.js";
import { networkByChainId, transactionUrl } from "../wallets/networks.js";
import { rehearse } from "../wallets/reverts.js";
import { currentAccount, ensureChain, explain, receipt, rememberedWallet, sendCall, signTypedData, waitForReceipt, WalletProblem } from "../wallets/wallet.js";

const root = document.getElementById("payment");
const part = (name) => root.querySelector(`[data-${name}]`);
const STEPS = ["check", "approve", "authorize", "sign", "block", "confirm", "active"];
// Shown only when they are part of the way of paying that was taken.
const OPTIONAL = new Set(["approve", "authorize"]);
const RETRY = [500, 1000, 2000, 4000, 8000];
const TITLES = {
  wallet: { check: "Check your wallet", sign: "Confirm in your wallet" },
  smart: { check: "Check your smart account", sign: "Sign with its owner" },
};
const DONE = new Set(["active", "released"]);
const OVER = new Set(["lapsed", "refunded", "disputed"]);

let purchase = root.dataset.purchase ? { id: root.dataset.purchase, status: root.dataset.status } : null;
let wallet = null;
let network = null;
let working = false;
let socket = null;
const orderAddress = location.pathname;
const usualRecipient = part("recipient")?.textContent;
let orderKey = null; // [what is ordered, idempotency key]

// --- the steps on the page ---
function setStep(name, state, note) {
  const step = root.querySelector(`[data-step="${name}"]`);
  step.dataset.state = state;
  if (note !== undefined) step.querySelector("[data-note]").replaceChildren(...[note].flat());
  if (state === "current") part("announce").textContent = step.querySelector(".step-title").textContent;
}

function stepsBefore(name, state = "done") {
  for (const step of STEPS) {
    if (step === name) return;
    const node = root.querySelector(`[data-step="${step}"]`);
    if (node.dataset.state !== "skipped") node.dataset.state = state;
  }
}

function resetSteps() {
  for (const step of STEPS) {
    const node = root.querySelector(`[data-step="${step}"]`);
    if (OPTIONAL.has(step)) node.dataset.state = "skipped";
    else delete node.dataset.state;
  }
}

function problem(message, { step, label } = {}) {
  part("problem-text").textContent = message;
  part("problem").hidden = false;
  if (step) setStep(step, "failed");
  if (label) part("pay-label").textContent = label;
}

function clearProblem() {
  part("problem").hidden = true;
}

// --- what we know of a sent transaction survives a reload ---
const memory = {
  key: (id) => `purchase.${id}.transaction`,
  get(id) {
    try {
      return localStorage.getItem(this.key(id));
    } catch {
      return null;
    }
  },
  set(id, hash) {
    try {
      localStorage.setItem(this.key(id), hash);
    } catch {
      // The page then waits for the server to see the transaction.
    }
  },
  forget(id) {
    try {
      localStorage.removeItem(this.key(id));
    } catch {
      // Nothing to forget.
    }
  },
};

function transactionNote(hash) {
  const url = transactionUrl(network, hash);
  const shown = url
    ? el("a", { href: url, class: "link hash", target: "_blank", rel: "noopener noreferrer" }, shortAddress(hash))
    : el("span", { class: "hash", title: hash }, shortAddress(hash));
  return ["Transaction ", shown];
}

// --- the wallet ---
function showWallet(chosen) {
  wallet = chosen;
  part("wallet-address").textContent = chosen ? `${chosen.info.name} ${shortAddress(chosen.address)}` : "no wallet yet";
  part("change-wallet").textContent = chosen ? "change" : "choose";
}

/** The smart account chosen to pay from, in a wallet's shape; null when a wallet pays. */
function smartAccount() {
  const input = root.querySelector('input[name="payer"]:checked');
  if (!input?.dataset.account) return null;
  const account = accountOf(input);
  return { info: { name: account.owner === "passkey" ? "your passkey" : "your wallet" }, address: account.address, account };
}

function showPayer() {
  const smart = smartAccount();
  part("wallet-line").hidden = Boolean(smart);
  part("fee-note")?.replaceChildren(
    smart ? "Plus the network's gas, whose most you see before you sign, unless we pay it." : "Plus the network's own fee, which your wallet shows before you confirm.",
  );
  // What a smart account pays for is its own.
  const recipient = part("recipient");
  if (recipient) recipient.textContent = smart ? shortAddress(smart.address) : usualRecipient;
  for (const [step, title] of Object.entries(TITLES[smart ? "smart" : "wallet"])) {
    root.querySelector(`[data-step="${step}"] .step-title`).textContent = title;
  }
  if (smart) wallet = smart;
  else if (wallet?.account) {
    showWallet(null);
    findWallet();
  }
}

async function findWallet() {
  if (smartAccount()) return;
  const known = await rememberedWallet();
  const address = known && (await currentAccount(known.provider));
  if (address) showWallet({ ...known, address });
}

// --- the order ---
function chosenToken() {
  return (root.querySelector('input[name="token"]:checked') ?? root.querySelector('input[name="token"]'))?.value;
}

async function order() {
  const token = chosenToken();
  const what = `${token} ${wallet.address}`;
  // The same order asked for twice (a double click, a lost answer) is one purchase.
  if (orderKey?.[0] !== what) orderKey = [what, crypto.randomUUID()];
  purchase = await api("POST", "/api/v1/purchases", { agent: root.dataset.agent, token, payer: wallet.address }, { "Idempotency-Key": orderKey[1] });
  history.replaceState(null, "", `/purchases/${purchase.id}/`);
  listen();
  return purchase.transactions ?? [];
}

/** On the order page an offer that was not paid may be left for another one: another token, another wallet. */
function leaveOffer() {
  const tokens = root.querySelector('input[name="token"]');
  if (!purchase || !tokens || purchase.status !== "quoted" || memory.get(purchase.id)) return false;
  socket?.close(1000);
  socket = null;
  purchase = null;
  history.replaceState(null, "", orderAddress);
  return true;
}

function lockTokens(locked) {
  for (const input of root.querySelectorAll('input[name="token"], input[name="payer"]')) input.disabled = locked;
}

function requirePayer() {
  const payer = purchase.bound_payer;
  if (payer && payer.toLowerCase() !== wallet.address.toLowerCase()) {
    throw new WalletProblem(`This offer was made for ${shortAddress(payer)}, but your wallet is on ${shortAddress(wallet.address)}. Switch the wallet back, or get a new offer on the agent's page.`, "wrong_account");
  }
}

/** The transactions still to sign, as the server works them out for this wallet. */
async function transactions() {
  const fresh = await api("GET", `/api/v1/purchases/${purchase.id}?payer=${wallet.address}`);
  purchase = { ...purchase, ...fresh };
  return fresh.transactions ?? [];
}

async function pay() {
  if (working) return;
  working = true;
  let step = "check";
  clearProblem();
  busy(part("pay"), true);
  lockTokens(true);
  try {
    if (purchase && OVER.has(purchase.status)) {
      location.assign(root.dataset.buyUrl ?? location.pathname);
      return;
    }
    const chosen = smartAccount() ?? (await chooseWallet());
    if (!chosen) {
      resetSteps();
      return;
    }
    showWallet(chosen);
    resetSteps();
    setStep("check", "current");
    network = await networkByChainId(root.dataset.chainId);
    if (!network) throw new WalletProblem("This agent's network is not offered at the moment. Try again later.", "failed");
    const at = (name) => (step = name);
    if (wallet.account) {
      if (purchase?.bound_payer && purchase.bound_payer.toLowerCase() !== wallet.address.toLowerCase()) leaveOffer();
      await payFromSmartAccount(at);
      return;
    }
    await ensureChain(wallet.provider, network);
    if (purchase?.bound_payer && purchase.bound_payer.toLowerCase() !== wallet.address.toLowerCase()) leaveOffer();
    const calls = purchase ? await transactions() : await order();
    if (!calls.length) {
      if (purchase.status === "quoted") throw new WalletProblem("This offer has run out, and nothing was charged. Get a new one; it takes a second.", "quote_over");
      return;
    }
    requirePayer();
    let deposit = null;
    for (const way of WAYS) deposit ??= await way(calls, at);
    step = "sign";
    setStep("check", "done", `${wallet.info.name} ${shortAddress(wallet.address)} on ${network.name}.`);
    await rehearse(wallet.provider, wallet.address, deposit);
    stepsBefore(step);
    setStep("sign", "current", `Confirm the payment in ${wallet.info.name}.`);
    const hash = await sendCall(wallet.provider, wallet.address, deposit);
    memory.set(purchase.id, hash);
    step = "block";
    sent(hash);
  } catch (error) {
    fail(error, step);
  } finally {
    working = false;
    busy(part("pay"), false);
    if (!purchase || !memory.get(purchase.id)) lockTokens(false);
  }
}

// --- ways of paying, in order: each gives the transaction that pays, or null when it is not for this purchase and wallet ---
const WAYS = [byAllowance, bySignature, byApproval];

/** Ether, and tokens that the escrow may take already. */
async function byAllowance(calls) {
  return calls.some((call) => call.kind === "approve") ? null : calls.find((call) => call.kind === "deposit");
}

/** One signature (ERC-3009) instead of an approval, where the token takes it and the wallet can give it. */
async function bySignature(calls, at) {
  if (!purchase.authorization) return null;
  at("authorize");
  stepsBefore("authorize");
  setStep("authorize", "current", `Sign in ${wallet.info.name}. It costs nothing and can pay for nothing but this.`);
  const signature = await signTypedData(wallet.provider, wallet.address, purchase.authorization);
  if (signature) {
    try {
      const answer = await api("POST", `/api/v1/purchases/${purchase.id}/authorization`, { payer: wallet.address, signature });
      setStep("authorize", "done");
      return answer.transactions[0];
    } catch (error) {
      // A wallet whose signatures the token does not know can still pay the longer way.
      if (error.code !== "invalid_authorization") throw error;
    }
  }
  setStep("authorize", "skipped");
  return null;
}

/** An approval of exactly the amount, then the deposit. */
async function byApproval(calls, at) {
  at("approve");
  stepsBefore("approve");
  await approve(calls.find((call) => call.kind === "approve"));
  return (await transactions()).find((call) => call.kind === "deposit");
}

/** One operation does everything: built with the quote, signed by the account's owner, handed to the bundler. */
async function payFromSmartAccount(at) {
  const fresh = purchase ? null : await order();
  const calls = fresh ?? (await transactions());
  requirePayer();
  if (!calls.length) {
    if (purchase.status === "quoted") throw new WalletProblem("This offer has run out, and nothing was charged. Get a new one; it takes a second.", "quote_over");
    return;
  }
  const operation =
    (fresh && purchase.user_operation) ||
    (await api("POST", "/api/v1/user-operations", { account: wallet.account.id, calls: calls.map(({ to, data, value }) => ({ to, data, value })) }));
  at("sign");
  setStep("check", "done", `${shortAddress(wallet.address)} on ${network.name}.`);
  stepsBefore("sign");
  const gas = operation.is_sponsored ? "We pay the gas." : `Gas costs at most ${operation.max_gas_cost_display}.`;
  setStep("sign", "current", `${gas} Confirm with ${wallet.info.name}.`);
  const handed = await signAndSubmit(wallet.account, operation);
  if (handed.status === "failed") throw new WalletProblem(handed.detail, "failed");
  memory.set(purchase.id, `operation:${operation.id}`);
  watchOperation(operation.id);
}

/** From the bundler into a block. The purchase's own socket says what comes after. */
function watchOperation(id) {
  setStep("sign", "done", "Signed.");
  part("pay").hidden = true;
  part("wallet-line").hidden = true;
  stepsBefore("block");
  setStep("block", "current", "Handed to the bundler.");
  follow(id, (operation) => {
    if (!operation || purchase.status !== "quoted") return;
    if (operation.status === "unknown") setStep("block", "current", operation.detail || "We have not heard from the bundler yet and keep asking. Do not pay again.");
    else if (operation.status === "included") setStep("block", "current", transactionNote(operation.transaction_hash));
    else if (operation.status === "failed" || operation.status === "dropped") {
      memory.forget(purchase.id);
      part("pay").hidden = false;
      lockTokens(false);
      problem(operation.detail || "The operation did not happen. Try again.", { step: "block", label: "Try again" });
    }
  }).catch(() => memory.forget(purchase.id));
}

async function approve(call) {
  setStep("approve", "current", `Confirm in ${wallet.info.name}: exactly this amount, this once.`);
  const hash = await sendCall(wallet.provider, wallet.address, call);
  setStep("approve", "current", transactionNote(hash));
  const mined = await waitForReceipt(wallet.provider, hash);
  if (!mined) throw new WalletProblem("The approval is still waiting to be taken into a block. Press the button again once your wallet says it is done.", "busy");
  if (mined.status !== "0x1") throw new WalletProblem("The approval failed in its block; only the network's fee was spent. Try again.", "failed");
  setStep("approve", "done");
}

function fail(error, step) {
  let shown = error instanceof ApiError || error instanceof WalletProblem ? error : explain(error, "go on");
  if (error instanceof ApiError && error.code === "quote_over") shown = { message: error.message, code: "quote_over" };
  if (shown.code === "quote_over") {
    purchase = { ...purchase, status: "lapsed" };
    problem(shown.message, { step, label: "Get a new offer" });
    return;
  }
  problem(shown.message, { step, label: "Try again" });
}

// --- after the payment was sent ---
function sent(hash) {
  setStep("sign", "done", wallet ? `Sent from ${shortAddress(wallet.address)}.` : "Sent.");
  part("pay").hidden = true;
  part("wallet-line").hidden = true;
  stepsBefore("block");
  setStep("block", "current", transactionNote(hash));
  watchReceipt(hash);
}

async function watchReceipt(hash) {
  if (!wallet) return;
  try {
    const mined = await waitForReceipt(wallet.provider, hash);
    if (mined && mined.status !== "0x1" && purchase.status === "quoted") {
      memory.forget(purchase.id);
      part("pay").hidden = false;
      problem("The payment failed in its block: nothing was paid, only the network's fee was spent. Try again.", { step: "block", label: "Try again" });
    } else if (!mined && purchase.status === "quoted") {
      problem("The transaction has not been taken into a block yet. You can close this page; your purchase goes on by itself, and you find it in your profile.");
    }
  } catch {
    // The wallet's node did not answer; the server sees the payment by itself.
  }
}

// --- the server's word ---
function show(update) {
  purchase = { ...purchase, ...update };
  const badge = document.querySelector("[data-status-badge]");
  // It was written when the page was made; the steps say what came after.
  if (badge) badge.hidden = purchase.status !== root.dataset.status;
  if (purchase.status === "deposited") {
    clearProblem();
    part("pay").hidden = true;
    part("wallet-line").hidden = true;
    stepsBefore("confirm");
    setStep("block", "done", ["Block ", el("span", { class: "num" }, String(purchase.deposit_block ?? "")), ". ", ...(purchase.deposit_tx_hash ? transactionNote(purchase.deposit_tx_hash) : [])]);
    setStep("confirm", "current");
    countConfirmations();
  } else if (DONE.has(purchase.status)) {
    finish();
  } else if (purchase.status === "lapsed") {
    problem("This offer has run out, and nothing was charged. Get a new one; it takes a second.", { label: "Get a new offer" });
    part("pay").hidden = false;
  } else if (purchase.status === "unknown") {
    setStep("block", "current", "We have not seen what became of this payment yet and keep looking. Do not pay again.");
    part("pay").hidden = true;
  } else if (OVER.has(purchase.status)) {
    location.reload();
  } else if (purchase.status === "quoted" && update.id && root.querySelector('[data-step="confirm"]').dataset.state === "current") {
    // A reorganisation of the chain took the block back.
    setStep("confirm", "", "");
    setStep("block", "current", "The chain replaced that block; your payment is being taken into another one.");
  }
}

function finish() {
  clearProblem();
  memory.forget(purchase.id);
  stepsBefore("active");
  setStep("active", "done", "You can run the agent now.");
  part("announce").textContent = "Your access is active.";
  part("pay").hidden = true;
  part("wallet-line").hidden = true;
  part("papers").hidden = false;
  part("papers-link").href = `/purchases/${purchase.id}/`;
  const run = part("run");
  run.href = root.dataset.runUrl;
  if (run.hidden) {
    run.hidden = false;
    run.focus();
  }
}

let counting = null;
async function countConfirmations() {
  network ??= await networkByChainId(root.dataset.chainId).catch(() => null);
  if (counting || !network) return;
  const needed = network.confirmations;
  const update = async () => {
    if (purchase.status !== "deposited") {
      clearInterval(counting);
      counting = null;
      return;
    }
    let head = null;
    try {
      head = wallet?.provider ? Number(await wallet.provider.request({ method: "eth_blockNumber" })) : null;
    } catch {
      // Shown without the count then.
    }
    const above = head === null ? null : Math.max(0, Math.min(needed, head - purchase.deposit_block));
    setStep("confirm", "current", above === null ? `Waiting for ${needed} more blocks.` : `${above} of ${needed} blocks on top.`);
  };
  counting = setInterval(update, Math.max(500, (network.block_time * 1000) / 2));
  update();
}

async function ask() {
  try {
    const { transactions: _, ...fresh } = await api("GET", `/api/v1/purchases/${purchase.id}`);
    show(fresh);
  } catch {
    // The next try asks again.
  }
}

let tries = 0;
function listen() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const mine = new WebSocket(`${scheme}//${location.host}/ws/purchases/${purchase.id}/`);
  socket = mine;
  mine.addEventListener("open", () => (tries = 0));
  mine.addEventListener("message", (event) => {
    const message = JSON.parse(event.data);
    if (message.type === "purchase" && mine === socket) show(message.purchase);
  });
  mine.addEventListener("close", (event) => {
    if (mine !== socket) return;
    if (DONE.has(purchase.status) || OVER.has(purchase.status) || event.code === 1000) return;
    if (event.code === 4401) return problem("You are signed out. Reload the page to see where your purchase stands; it goes on by itself.");
    if (event.code === 4403 || event.code === 4404) return;
    // Some networks let no socket through: then the purchase is asked for with every new try.
    if (tries > 0) ask();
    setTimeout(listen, RETRY[Math.min(tries++, RETRY.length - 1)]);
  });
}

async function resume() {
  await findWallet();
  if (!purchase) return;
  network = await networkByChainId(root.dataset.chainId).catch(() => null);
  const hash = memory.get(purchase.id);
  if (hash?.startsWith("operation:")) {
    if (purchase.status === "quoted") watchOperation(hash.slice("operation:".length));
  } else if (hash && purchase.status === "quoted") {
    const mined = wallet ? await receipt(wallet.provider, hash).catch(() => null) : null;
    if (mined && mined.status !== "0x1") memory.forget(purchase.id);
    else sent(hash);
  }
  listen();
}

part("pay").addEventListener("click", pay);
part("change-wallet").addEventListener("click", async () => {
  const chosen = await chooseWallet({ ask: true });
  if (chosen) showWallet(chosen);
});
document.addEventListener("wallet:account", (event) => {
  if (wallet && event.detail) showWallet({ ...wallet, address: event.detail });
});
for (const input of root.querySelectorAll('input[name="token"]')) {
  input.addEventListener("change", () => {
    if (leaveOffer()) {
      orderKey = null;
      resetSteps();
      clearProblem();
    }
    part("total").textContent = input.dataset.price;
    part("pay-label").textContent = `Pay ${input.dataset.price}`;
  });
}
for (const input of root.querySelectorAll('input[name="payer"]')) {
  input.addEventListener("change", () => {
    if (leaveOffer()) {
      orderKey = null;
      resetSteps();
    }
    clearProblem();
    showPayer();
  });
}
const first = root.querySelector('input[name="token"]:checked') ?? root.querySelector('input[name="token"]');
if (first && !purchase) part("pay-label").textContent = `Pay ${first.dataset.price}`;
showPayer();
resume();
