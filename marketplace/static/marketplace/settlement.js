// A purchase that was paid: its story, kept up to date, and the buttons of its buyer and its creator.
import { busy } from "../site/dom.js";
import { showTimes } from "../site/ui.js";
import { api, ApiError } from "../wallets/api.js";
import { explain, WalletProblem } from "../wallets/wallet.js";
import { accountAt, carryOut } from "../wallets/smart-account.js";
import { send, wallet } from "./signing.js";

const root = document.getElementById("settlement");
const part = (name) => root.querySelector(`[data-${name}]`);
const path = `/api/v1/purchases/${root.dataset.purchase}`;
const RETRY = [500, 1000, 2000, 4000, 8000];

let working = false;
let status = root.dataset.status;

// --- what the page says ---
function say(text) {
  part("sent").hidden = !text;
  part("sent-text").textContent = text;
}

function problem(text, dialog) {
  const place = dialog?.open ? dialog.querySelector("[data-problem]") : part("problem");
  if (dialog?.open) place.textContent = text;
  else part("problem-text").textContent = text;
  place.hidden = !text;
}

function sentence(error) {
  const known = error instanceof ApiError || error instanceof WalletProblem ? error : explain(error, "go on");
  return known.errors?.[0]?.message ?? known.message;
}

async function refresh() {
  const response = await fetch(root.dataset.progressUrl, { credentials: "same-origin" });
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const focused = document.activeElement?.dataset?.act;
  part("progress").replaceChildren(...page.body.childNodes);
  showTimes(part("progress"));
  if (working) lock(true);
  if (focused) part("progress").querySelector(`[data-act="${focused}"]`)?.focus();
  const shown = part("progress").querySelector("[data-outcome]")?.dataset.outcome;
  if (shown && shown !== status) {
    status = shown;
    say("");
    problem("");
    const badge = document.querySelector("[data-status-badge]");
    if (badge) badge.hidden = status !== root.dataset.status;
    part("announce").textContent = part("progress").querySelector("[data-outcome] p")?.textContent ?? "";
  }
}

// --- doing something ---
/** Shuts the buttons that came with news while something is still being done, and opens them when it is over. */
function lock(shut) {
  const buttons = part("progress").querySelectorAll(shut ? "[data-actions] button" : "button[data-locked]");
  for (const button of buttons) {
    button.disabled = shut;
    button.toggleAttribute("data-locked", shut);
  }
}

async function act(kind, button, { body, dialog } = {}) {
  if (working) return;
  working = true;
  problem("", dialog);
  busy(button, true);
  let reached = false;
  try {
    const prepared = await api("POST", `${path}/${kind}`, body ?? {});
    if (!prepared.transactions) {
      dialog?.close();
      dialog?.querySelector("form").reset();
      await refresh();
      return;
    }
    const told = {
      say: (text) => say(text),
      sent: () => {
        reached = true;
        dialog?.close();
        // What was sent is not sent again while we wait to read it.
        for (const other of part("progress").querySelectorAll("[data-actions] button")) other.disabled = true;
      },
    };
    const [call] = prepared.transactions;
    // Of what a smart account paid for, only the account is the buyer.
    const account = await accountAt(prepared.signer, call.chainId);
    if (account) {
      await carryOut(account, call, told);
      say("It is in a block. This page changes as soon as we have read it.");
      return;
    }
    const chosen = await wallet();
    if (!chosen) return;
    await send(chosen, call, { signer: kind === "withdraw" ? null : prepared.signer, ...told });
  } catch (error) {
    if (!reached) say("");
    problem(sentence(error), dialog);
    if (reached) await refresh();
  } finally {
    working = false;
    lock(false);
    busy(button, false);
  }
}

/** Asks in the site's own dialog; resolves to whether the person is sure. */
function sure(text, label) {
  const dialog = document.getElementById("confirm");
  dialog.querySelector("[data-confirm-text]").textContent = text;
  dialog.querySelector("[data-confirm-yes]").textContent = label;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => (dialog.onclose = () => resolve(dialog.returnValue === "yes")));
}

root.addEventListener("click", async (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-act]") : null;
  if (!button || working) return;
  if (button.dataset.sure && !(await sure(button.dataset.sure, button.dataset.sureLabel))) return;
  act(button.dataset.act, button);
});

for (const form of document.querySelectorAll("[data-text-form]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const body = Object.fromEntries(new FormData(form));
    act(form.dataset.textForm, form.querySelector('[type="submit"]'), { body, dialog: form.closest("dialog") });
  });
}

// --- staying up to date ---
let tries = 0;
let first = true;
function listen() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}/ws/purchases/${root.dataset.purchase}/`);
  socket.addEventListener("open", () => (tries = 0));
  socket.addEventListener("message", (event) => {
    const { purchase } = JSON.parse(event.data);
    // The first message repeats what the page was made with, unless something happened in between.
    if (!first || purchase.status !== status) refresh();
    first = false;
  });
  socket.addEventListener("close", (event) => {
    if (event.code === 4401) return problem("You are signed out. Sign in again to see where the payment stands; it goes on by itself.");
    if (event.code === 4403 || event.code === 1000) return;
    first = false;
    setTimeout(listen, RETRY[Math.min(tries++, RETRY.length - 1)]);
  });
}
listen();
