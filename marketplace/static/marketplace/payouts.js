// The studio's money: withdrawing what the escrow owes, and seeing it arrive.
import { busy, toast } from "../site/dom.js";
import { showTimes } from "../site/ui.js";
import { api, ApiError } from "../wallets/api.js";
import { accountAt, carryOut } from "../wallets/smart-account.js";
import { explain, WalletProblem } from "../wallets/wallet.js";
import { send, wallet } from "./signing.js";

const money = document.getElementById("money");
const notice = document.querySelector("[data-problem]");
const PATIENCE = 60; // seconds until we stop looking for a payout that is in a block
let working = false;

function problem(text) {
  notice.querySelector("[data-problem-text]").textContent = text;
  notice.hidden = !text;
}

async function refresh() {
  const response = await fetch(money.dataset.url, { credentials: "same-origin" });
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  money.replaceChildren(...page.body.childNodes);
  showTimes(money);
}

/** Waits until the listener has read the payout `hash`. */
async function arrived(hash) {
  for (let second = 0; second < PATIENCE; second += 1) {
    const { payouts } = await api("GET", "/api/v1/payouts");
    if (payouts.some((payout) => payout.transaction_hash === hash)) return true;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  return false;
}

/** Has the account's smart account, else a wallet, make the call. The transaction's hash; null when nobody was chosen. */
async function carry(address, call) {
  const account = await accountAt(address, call.chainId);
  if (account) return (await carryOut(account, call, { say: toast })).transaction_hash;
  const chosen = await wallet();
  return chosen ? send(chosen, call) : null;
}

async function withdraw(button) {
  if (working) return;
  working = true;
  problem("");
  busy(button, true);
  try {
    const { network, token, account } = button.dataset;
    const prepared = await api("POST", "/api/v1/payouts/withdraw", { network, token, account });
    const hash = await carry(account, prepared.transactions[0]);
    if (!hash) return;
    const seen = await arrived(hash);
    toast(seen ? "Paid out." : "The payout is in a block. It is listed here as soon as we have read it.", "good");
    await refresh();
  } catch (error) {
    const known = error instanceof ApiError || error instanceof WalletProblem ? error : explain(error, "go on");
    problem(known.message);
    if (known.code === "nothing_owed" || known.code === "settled") await refresh();
  } finally {
    working = false;
    busy(button, false);
  }
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-withdraw]") : null;
  if (button) withdraw(button);
});
