// The comparison for people and for programs.
import { Change, Comparison } from "./difference";
import { dump, quote } from "./json";

const MOST_ROWS = 500;
const MOST_LISTED = 30;
const LONGEST = 120;

/** The result document as JSON text. */
export function render(comparison: Comparison): string {
  const changes = comparison.changes;
  let added = 0;
  let removed = 0;
  for (let i = 0; i < changes.length; i++) {
    if (changes[i].op == "add") added++;
    else if (changes[i].op == "remove") removed++;
  }
  const changed = changes.length - added - removed;
  const summary = changes.length == 0 ? "The documents are the same." : sentence(added, removed, changed);
  return (
    `{"equal":${changes.length == 0 ? "true" : "false"},"summary":${quote(summary)}` +
    `,"added":${added},"removed":${removed},"changed":${changed},"ignored":${comparison.passed}` +
    `,"changes":[${rows(changes)}],"patch":${quote(patch(changes))}` +
    `,"report":${quote(markdown(summary, comparison))}}`
  );
}

function counted(count: i32, one: string, many: string): string {
  return `${count} ${count == 1 ? one : many}`;
}

function sentence(added: i32, removed: i32, changed: i32): string {
  const parts = new Array<string>();
  if (changed) parts.push(counted(changed, "value differs", "values differ"));
  if (added) parts.push(counted(added, "was added", "were added"));
  if (removed) parts.push(counted(removed, "was removed", "were removed"));
  return parts.join(", ") + ".";
}

function rows(changes: Array<Change>): string {
  const parts = new Array<string>();
  for (let i = 0; i < min(changes.length, MOST_ROWS); i++) {
    const one = changes[i];
    parts.push(
      `{"op":"${one.op}","path":${quote(one.path)},"before":${quote(short(one, true))},"after":${quote(short(one, false))}}`,
    );
  }
  return parts.join(",");
}

function patch(changes: Array<Change>): string {
  if (changes.length == 0) return "[]";
  const parts = new Array<string>();
  for (let i = 0; i < changes.length; i++) {
    const after = changes[i].after;
    const value = after === null ? "" : `, "value": ${dump(after)}`;
    parts.push(`  {"op": "${changes[i].op}", "path": ${quote(changes[i].path)}${value}}`);
  }
  return "[\n" + parts.join(",\n") + "\n]";
}

function short(change: Change, before: bool): string {
  const value = before ? change.before : change.after;
  if (value === null) return "";
  const text = dump(value);
  if (text.length <= LONGEST) return text;
  // Never between the halves of a surrogate pair.
  const cut = (text.charCodeAt(LONGEST - 2) & 0xfc00) == 0xd800 ? LONGEST - 2 : LONGEST - 1;
  return text.substring(0, cut) + "…";
}

function markdown(summary: string, comparison: Comparison): string {
  const changes = comparison.changes;
  const lines: Array<string> = ["## Comparison", "", summary];
  if (comparison.passed) {
    lines.push("");
    lines.push(counted(comparison.passed, "difference", "differences") + " in ignored members not counted.");
  }
  if (changes.length) lines.push("");
  for (let i = 0; i < min(changes.length, MOST_LISTED); i++) {
    const one = changes[i];
    const place = one.path == "" ? "the whole document" : code(one.path);
    if (one.op == "add") lines.push(`- added ${place}: ${code(short(one, false))}`);
    else if (one.op == "remove") lines.push(`- removed ${place}: ${code(short(one, true))}`);
    else lines.push(`- ${place}: ${code(short(one, true))} → ${code(short(one, false))}`);
  }
  if (changes.length > MOST_LISTED) lines.push(`- … and ${changes.length - MOST_LISTED} more`);
  return lines.join("\n");
}

/** A code span whose fence is longer than any run of backticks inside. */
function code(text: string): string {
  let longest = 0;
  let run = 0;
  for (let i = 0; i < text.length; i++) {
    run = text.charCodeAt(i) == 0x60 ? run + 1 : 0;
    longest = max(longest, run);
  }
  const fence = "`".repeat(longest + 1);
  const space = longest ? " " : "";
  return fence + space + text + space + fence;
}
