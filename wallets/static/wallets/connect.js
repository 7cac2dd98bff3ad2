// The connect dialog: choose a wallet, connect it, and sign in, link it to the account, or just use it for a payment.
import { el, shortAddress, showPane, toast } from "../site/dom.js";
import { api, ApiError } from "./api.js";
import { discover, onWallet, wallets } from "./eip6963.js";
import { networks } from "./networks.js";
import { challenge, confirm, link, sign, verify } from "./siwe.js";
import { chainId, currentAccount, explain, remember, rememberedName, rememberedWallet, requestAccount, WalletProblem } from "./wallet.js";

export const DEMO_RDNS = "agentnexus.demo-wallet";
const TITLES = {
  signin: ["Sign in", "With your wallet, a passkey, or e-mail and password."],
  confirm: ["Confirm that it is you", "Sign with a wallet of this account."],
  link: ["Link another wallet", "Sign with the wallet you want to add to this account."],
  pay: ["Choose a wallet to pay with", "Any wallet of yours will do; access goes to your account's wallet."],
};

// What each mode asks the server for, what it does with the signature, and what it says in the end.
const PURPOSES = { signin: "sign_in", confirm: "confirm", link: "link" };
const ANSWERS = { signin: verify, confirm, link };
const DONE = { signin: "You are signed in", confirm: "Confirmed", link: "Wallet linked" };

const dialog = document.getElementById("connect");
const part = (name) => dialog.querySelector(`[data-${name}]`);
let mode = "signin";
let attempt = 0; // a later choice makes the answers of an earlier one void
let settle = null; // of the promise that chooseWallet() returned
let last = null;

function walletButton(wallet) {
  const known = wallet.info.rdns === rememberedName();
  // EIP-6963 asks for a data: address; anything else could be used to watch visitors.
  const icon = /^data:image\//.test(wallet.info.icon ?? "") ? wallet.info.icon : null;
  return el(
    "li",
    {},
    el(
      "button",
      {
        type: "button",
        class: "flex w-full items-center gap-3 rounded-lg border border-line px-3 py-3 text-left transition-colors hover:border-line-strong hover:bg-sunk",
        dataset: { wallet: wallet.info.rdns },
        onclick: () => use(wallet),
      },
      icon
        ? el("img", { src: icon, alt: "", width: 36, height: 36, class: "size-9 rounded-md" })
        : el("span", { class: "grid size-9 place-items-center rounded-md bg-sunk font-bold", "aria-hidden": "true" }, wallet.info.name.slice(0, 1)),
      el("span", { class: "min-w-0 flex-1 truncate font-semibold" }, wallet.info.name),
      known ? el("span", { class: "badge badge-plain tone-neutral" }, "Used last") : null,
    ),
  );
}

function render() {
  const all = wallets();
  const real = all.filter((wallet) => wallet.info.rdns !== DEMO_RDNS);
  const demo = all.filter((wallet) => wallet.info.rdns === DEMO_RDNS);
  real.sort((a, b) => (b.info.rdns === rememberedName()) - (a.info.rdns === rememberedName()) || a.info.name.localeCompare(b.info.name));
  part("wallets").replaceChildren(...real.map(walletButton));
  part("no-wallets").hidden = real.length > 0;
  if (part("demo")) {
    part("demo").hidden = demo.length === 0;
    part("demo-list").replaceChildren(...demo.map(walletButton));
  }
}

function waiting(wallet, title, text, message = "") {
  part("icon").replaceChildren(
    /^data:image\//.test(wallet.info.icon ?? "") ? el("img", { src: wallet.info.icon, alt: "", width: 40, height: 40, class: "size-10 rounded-md" }) : wallet.info.name.slice(0, 1),
  );
  part("waiting-title").textContent = title;
  part("waiting-text").textContent = text;
  part("message-box").hidden = !message;
  part("message").textContent = message;
  showPane(dialog, "waiting");
}

async function use(wallet) {
  last = wallet;
  const mine = ++attempt;
  const superseded = () => mine !== attempt || !dialog.open;
  try {
    waiting(wallet, `Open ${wallet.info.name}`, "Approve the connection there. It lets this site see your address, nothing more.");
    const address = await requestAccount(wallet.provider);
    if (superseded()) return;
    remember(wallet);
    watch(wallet);
    if (mode === "pay") {
      finish({ ...wallet, address });
      dialog.close();
      return;
    }
    const known = await networks();
    const current = await chainId(wallet.provider);
    const chosen = known.find((network) => network.chain_id === current) ?? known[0];
    const { message } = await challenge(address, chosen?.chain_id, PURPOSES[mode]);
    if (superseded()) return;
    waiting(wallet, "Sign the message", `${wallet.info.name} asks you to sign with ${shortAddress(address)}. This proves the address is yours; it costs nothing.`, message);
    const signature = await sign(wallet.provider, address, message);
    if (superseded()) return;
    await ANSWERS[mode](message, signature);
    done(address);
  } catch (error) {
    if (superseded()) return;
    if (error.code === "reauthentication_required") location.assign(`/profile/confirm/?next=${encodeURIComponent(location.pathname)}`);
    else fail(error instanceof ApiError || error instanceof WalletProblem ? error : explain(error, "connect"));
  }
}

function done(address) {
  part("done-title").textContent = DONE[mode];
  part("done-text").textContent = `as ${shortAddress(address)}`;
  showPane(dialog, "done");
  const next = safeNext(dialog.dataset.next);
  if (mode === "signin" && next) location.assign(next);
  else if (mode === "signin" && new URLSearchParams(location.search).has("connect")) location.assign(location.pathname);
  else location.reload();
}

/** A path of this site, or null: where to go must never be decided by another site. */
function safeNext(next) {
  if (!next) return null;
  const url = new URL(next, location.origin);
  return url.origin === location.origin && next.startsWith("/") ? url.pathname + url.search + url.hash : null;
}

function fail(error) {
  part("error").textContent = error.message;
  showPane(dialog, "error");
  part("retry").focus();
}

function finish(value) {
  settle?.(value);
  settle = null;
}

/** Opens the dialog. `purpose` is "signin", "confirm", "link" or "pay". */
export function openConnect(purpose = "signin") {
  mode = purpose;
  const [title, subtitle] = TITLES[purpose];
  part("title").textContent = title;
  part("subtitle").textContent = subtitle;
  discover();
  render();
  const others = dialog.querySelector("[data-other-ways]");
  if (others) others.hidden = purpose !== "signin";
  showPane(dialog, "choose");
  if (!dialog.open) dialog.showModal();
}

/** Resolves with `{info, provider, address}`: the wallet in use if it is ready, else the one chosen; null when closed. */
export async function chooseWallet({ ask = false } = {}) {
  if (!ask) {
    const wallet = await rememberedWallet();
    const address = wallet && (await currentAccount(wallet.provider));
    if (address) return { ...wallet, address };
  }
  finish(null);
  return new Promise((resolve) => {
    settle = resolve;
    openConnect("pay");
  });
}

// --- the wallet changes its account while the page is open: say so, and offer to switch; when it leaves, sign out ---
const notice = document.getElementById("wallet-notice");
const watched = new WeakSet();

function ownAddresses() {
  return (document.body.dataset.addresses ?? "").toLowerCase().split(" ").filter(Boolean);
}

function compare(address) {
  const mine = ownAddresses();
  const foreign = Boolean(address) && mine.length > 0 && !mine.includes(address.toLowerCase());
  notice.hidden = !foreign;
  if (foreign) {
    notice.querySelector("[data-text]").textContent =
      `Your wallet is now on ${shortAddress(address)}, but you are signed in as ${shortAddress(document.body.dataset.addresses.split(" ")[0])}. Switch the wallet back, or sign in with the new address.`;
  }
}

const ENDED = "wallet.ended";

/** The wallet that signed in took its permission back, so the session it began ends, here and visibly. */
async function disconnected() {
  const signedBy = document.body.dataset.sessionAddress;
  if (!signedBy) return;
  try {
    await api("POST", "/api/v1/auth/logout");
    sessionStorage.setItem(ENDED, shortAddress(signedBy));
    location.assign("/");
  } catch (error) {
    toast(`Your wallet is disconnected, but signing out failed. ${error.message}`, "bad");
  }
}

function tellOfEnd() {
  const address = sessionStorage.getItem(ENDED);
  if (!address) return;
  sessionStorage.removeItem(ENDED);
  toast(`The wallet ${address} was disconnected, so you are signed out.`);
}

function watch(wallet) {
  if (watched.has(wallet.provider) || typeof wallet.provider.on !== "function") return;
  watched.add(wallet.provider);
  wallet.provider.on("accountsChanged", (accounts) => {
    if (accounts.length) compare(accounts[0]);
    else disconnected();
    document.dispatchEvent(new CustomEvent("wallet:account", { detail: accounts[0] ?? null }));
  });
  wallet.provider.on("chainChanged", (id) => document.dispatchEvent(new CustomEvent("wallet:chain", { detail: Number(id) })));
}

dialog.addEventListener("close", () => {
  attempt += 1;
  finish(null);
});
for (const button of dialog.querySelectorAll("[data-back]")) {
  button.addEventListener("click", () => {
    attempt += 1;
    render();
    showPane(dialog, "choose");
  });
}
part("retry").addEventListener("click", () => (last ? use(last) : openConnect(mode)));
notice.querySelector("[data-hide]").addEventListener("click", () => (notice.hidden = true));
document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-connect]") : null;
  if (button) openConnect(button.dataset.connect || "signin");
});
onWallet(render);
discover();
tellOfEnd();
if (dialog.dataset.open && document.body.dataset.authenticated !== "true") openConnect("signin");
if (document.body.dataset.authenticated === "true") {
  rememberedWallet().then(async (wallet) => {
    if (!wallet) return;
    watch(wallet);
    compare(await currentAccount(wallet.provider));
  });
}
