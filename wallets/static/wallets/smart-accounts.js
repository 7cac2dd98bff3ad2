// The smart accounts on the profile: opening them, what they hold, sending from them, operations on their way.
import { busy, toast } from "../site/dom.js";
import { api, ApiError } from "./api.js";
import { accountOf, buildBackup, buildRemoval, carryOut, complete, follow, openForWallet, openWithPasskey, signAndSubmit } from "./smart-account.js";
import { explain, WalletProblem } from "./wallet.js";

const root = document.getElementById("smart-accounts");
const network = root.dataset.network;

function problem(error) {
  const shown = error instanceof ApiError || error instanceof WalletProblem ? error : explain(error);
  root.querySelector("[data-problem-text]").textContent = shown.message;
  root.querySelector("[data-problem]").hidden = false;
}

/** Does something once at a time with a busy button, and says what went wrong. */
async function doing(button, work) {
  if (button.dataset.busy) return;
  root.querySelector("[data-problem]").hidden = true;
  busy(button, true);
  try {
    await work();
  } catch (error) {
    problem(error);
  } finally {
    busy(button, false);
  }
}

function row(accountId) {
  return root.querySelector(`[data-account-row][data-account="${accountId}"]`);
}

async function showHoldings(node) {
  const account = await api("GET", `/api/v1/smart-accounts/${node.dataset.account}`).catch(() => null);
  const shown = node.querySelector("[data-balances]");
  if (!account) {
    shown.textContent = "balance unknown";
    return;
  }
  shown.textContent = account.balances.map((balance) => balance.amount_display).join(" · ");
  if (account.is_deployed) {
    const badge = node.querySelector("[data-deployed]");
    badge.textContent = "On the chain";
    badge.className = "badge badge-plain tone-good";
  }
}

/** Shows what became of an operation by loading the page anew. */
function showEnd() {
  location.hash = "smart-accounts";
  location.reload();
}

/** Base units of a decimal number as typed. */
function units(text, decimals) {
  const [whole, fraction = ""] = text.split(".");
  if (fraction.length > decimals) throw new WalletProblem(`This token has at most ${decimals} decimals.`, "failed");
  return BigInt((whole || "0") + fraction.padEnd(decimals, "0"));
}

function transfer(form) {
  const chosen = form.elements.token.selectedOptions[0];
  const amount = units(form.elements.amount.value.trim(), Number(chosen.dataset.decimals));
  const to = form.elements.to.value.trim();
  if ("native" in chosen.dataset) return { to, data: "0x", value: `0x${amount.toString(16)}` };
  const data = `0xa9059cbb${to.slice(2).toLowerCase().padStart(64, "0")}${amount.toString(16).padStart(64, "0")}`; // transfer(address,uint256)
  return { to: chosen.value, data, value: "0x0" };
}

root.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.openWallet) {
    doing(button, async () => {
      await openForWallet(button.dataset.openWallet, network);
      location.reload();
    });
  } else if ("openPasskey" in button.dataset) {
    doing(button, async () => {
      await openWithPasskey(network);
      location.reload();
    });
  } else if ("addBackup" in button.dataset) {
    doing(button, async () => {
      const account = accountOf(button.closest("[data-account-row]"));
      const operation = await buildBackup(account);
      toast("The backup is made. Now confirm with the passkey that owns the account.");
      await complete(account, operation, { say: toast });
      showEnd();
    });
  } else if (button.dataset.removePasskey) {
    doing(button, async () => {
      const account = accountOf(button.closest("[data-account-row]"));
      await complete(account, await buildRemoval(account, button.dataset.removePasskey), { say: toast });
      showEnd();
    });
  } else if ("replace" in button.dataset) {
    const line = button.closest("[data-operation]");
    doing(button, async () => {
      const dearer = await api("POST", `/api/v1/user-operations/${line.dataset.operation}/replace`);
      toast(`Gas then costs at most ${dearer.max_gas_cost_display}. Confirm it.`);
      await signAndSubmit(accountOf(row(line.dataset.operationAccount)), dearer);
      showEnd();
    });
  }
});

root.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  doing(form.querySelector("button[type=submit]"), async () => {
    const account = accountOf(form.closest("[data-account-row]"));
    await carryOut(account, transfer(form), { say: toast });
    showEnd();
  });
});

for (const node of root.querySelectorAll("[data-account-row]")) showHoldings(node);
for (const line of root.querySelectorAll("[data-in-flight]")) {
  follow(line.dataset.operation, () => {}).then(() => location.reload());
}
