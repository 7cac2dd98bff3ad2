// My Agent: say here what it does. Reads {"text", "longest"}, writes {"words", "longest"}.
import { Kind, Parser, quote, Value } from "./json";
import { fail, log, readInput, result } from "./wasi";

// The exit code of an input that the platform should not have let through.
const WRONG_INPUT = 2;
const USUAL_LONGEST = 3;

function split(text: string): Array<string> {
  const words = new Array<string>();
  let from = 0;
  for (let i = 0; i <= text.length; i++) {
    if (i < text.length && text.charCodeAt(i) > 0x20) continue;
    if (i > from) words.push(text.substring(from, i));
    from = i + 1;
  }
  return words;
}

function order(a: string, b: string): i32 {
  if (a.length != b.length) return b.length - a.length;
  return a < b ? -1 : i32(a > b);
}

function longest(words: Array<string>, count: i32): string {
  const sorted = words.slice().sort(order);
  const found = new Array<string>();
  for (let i = 0; i < sorted.length && found.length < count; i++) {
    if (i == 0 || sorted[i] != sorted[i - 1]) found.push(quote(sorted[i]));
  }
  return "[" + found.join(",") + "]";
}

function main(): void {
  const parser = new Parser(readInput());
  const input = parser.document();
  if (input === null) {
    fail(`The input is not JSON: ${parser.error}`, WRONG_INPUT);
    return;
  }
  for (let i = 0; i < input.names.length; i++) {
    const name = input.names[i];
    if (name != "text" && name != "longest") fail(`field '${name}' is not known.`, WRONG_INPUT);
  }
  const text = input.member("text");
  if (text === null || text.kind != Kind.STRING) {
    fail("field 'text' must be a text.", WRONG_INPUT);
    return;
  }
  const words = split(text.text);
  if (words.length == 0) fail("The text holds no words.");
  log(`Read ${words.length} words`);
  const asked: Value | null = input.member("longest");
  const count = asked === null ? USUAL_LONGEST : <i32>parseInt(asked.text);
  result(`{"words":${words.length},"longest":${longest(words, count)}}`);
}

main();
