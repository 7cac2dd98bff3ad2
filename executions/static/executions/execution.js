// The page of one run: its state, its clock, its log as it comes, and the result when it is there.
import { busy, toast } from "../site/dom.js";
import { showTimes } from "../site/ui.js";
import { api, ApiError } from "../wallets/api.js";
import { growTrees } from "./json-tree.js";
import { LogView } from "./log.js";
import { Tabs } from "./tabs.js";

const root = document.getElementById("execution");
const part = (name) => root.querySelector(`[data-${name}]`);
const CONNECTIONS_EVERY = 3000; // milliseconds
const FINAL = new Set(["succeeded", "failed", "timed_out", "cancelled"]);
const LABELS = {
  queued: ["Queued", "neutral", ""],
  starting: ["Starting", "busy", "Preparing the sandbox: the image is fetched and checked."],
  running: ["Running", "busy", "The agent is at work. What it writes appears below."],
  succeeded: ["Succeeded", "good", ""],
  failed: ["Failed", "bad", ""],
  timed_out: ["Timed out", "bad", ""],
  cancelled: ["Cancelled", "neutral", ""],
};

let current = JSON.parse(document.getElementById("execution-data").textContent);
let loaded = FINAL.has(current.status);

function sentenceOf(execution) {
  if (execution.status !== "queued") return LABELS[execution.status][2];
  if (execution.obstacle) return execution.obstacle;
  const place = execution.position;
  return place > 1 ? `Number ${place.toLocaleString("en")} in the queue. People take turns.` : "Next in the queue: waiting for a free worker.";
}

function elapsedText(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

function tick() {
  const start = current.started_at ? Date.parse(current.started_at) : null;
  if (!start) return;
  const end = current.finished_at ? Date.parse(current.finished_at) : Date.now();
  const seconds = Math.max(0, (end - start) / 1000);
  part("elapsed").textContent = elapsedText(seconds);
  const bar = part("bar");
  if (bar) bar.value = Math.min(seconds, bar.max);
}

// Only a run that succeeded has a result to look at; every other state is told above the log.
function offerResult() {
  if (!tabs || current.status !== "succeeded") return;
  tabs.offer("result");
  tabs.choose(tabs.touched ? tabs.list.querySelector("[aria-selected=true]").id.slice(4) : "result");
}

async function fetchResult() {
  const response = await fetch(root.dataset.resultUrl, { credentials: "same-origin", headers: { Accept: "text/html" } });
  if (!response.ok) throw new Error(String(response.status));
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

// What an agent with hosts has connected to so far, while somebody looks.
async function showConnections() {
  if (current.status !== "running" || document.hidden) return;
  try {
    const fresh = (await fetchResult()).querySelector("[data-connections]");
    if (!fresh || loaded) return;
    if (part("connections")) part("connections").replaceWith(fresh);
    else part("result").append(fresh);
  } catch {
    // The next time, or with the result.
  }
}

async function showResult() {
  if (loaded) return;
  loaded = true;
  clearInterval(connecting);
  try {
    const page = await fetchResult();
    part("result").replaceChildren(...page.body.childNodes);
    showTimes(part("result"));
    growTrees(part("result"));
    offerResult();
  } catch {
    loaded = false;
    toast("The run has ended, but its result could not be loaded. Reload the page.", "bad");
  }
}

function show(execution) {
  const before = current.status;
  current = { ...current, ...execution };
  const [label, tone] = LABELS[current.status];
  const sentence = sentenceOf(current);
  part("status").textContent = label;
  part("status").className = `badge tone-${tone}`;
  const final = FINAL.has(current.status);
  part("cancel").hidden = final;
  if (part("progress")) {
    part("progress-title").textContent = current.status === "queued" ? "In the queue" : "At work";
    part("progress-text").textContent = current.cancel_requested ? "Stopping…" : sentence;
  }
  if (before !== current.status) part("announce").textContent = `${label}. ${sentence}`;
  tick();
  if (final) {
    clearInterval(timer);
    document.title = `${label}: ${root.dataset.agentName}`;
    showResult();
  }
}

part("cancel").addEventListener("click", async (event) => {
  const button = event.currentTarget;
  busy(button, true);
  try {
    show(await api("POST", `/api/v1/executions/${root.dataset.id}/cancel`));
    if (!FINAL.has(current.status)) part("progress-text").textContent = "Stopping…";
  } catch (error) {
    toast(error instanceof ApiError ? error.message : "The run could not be cancelled. Try again.", "bad");
  } finally {
    busy(button, false);
  }
});

growTrees(root);
const tabs = part("tabs") ? new Tabs(part("tabs")) : null;
if (tabs) {
  tabs.offer("log");
  tabs.offer("input");
  tabs.choose("log");
  if (loaded) offerResult();
}
const timer = setInterval(tick, 100);
const connecting = !loaded && "hosts" in root.dataset ? setInterval(showConnections, CONNECTIONS_EVERY) : 0;
tick();
if (loaded) clearInterval(timer);
const tape = root.querySelector(".tape");
if (tape) new LogView(tape, { id: root.dataset.id, onExecution: show, counter: part("tab-count") });
