// Reads {"before", "after", "ignore"} and writes what differs.
import { Comparison } from "./difference";
import { Kind, Parser, Value } from "./json";
import { render } from "./report";
import { fail, log, readInput, result } from "./wasi";

// The exit code of an input that the platform should not have let through.
const WRONG_INPUT = 2;

function parsed(name: string, text: string): Value {
  log(`${name}: reading ${text.length} characters`);
  const parser = new Parser(text);
  const value = parser.document();
  if (value === null) {
    fail(`The document “${name}” is not JSON: ${parser.error}`);
    return new Value(Kind.NULL);
  }
  log(`${name}: ${value.count} values on ${parser.deepest} levels`);
  if (parser.repeated) log(`${name}: ${parser.repeated} members repeat a name; the last of each counts`);
  return value;
}

function text(input: Value, name: string): string {
  const value = input.member(name);
  if (value === null || value.kind != Kind.STRING) {
    fail(`field '${name}' must be the text of a JSON document.`);
    return "";
  }
  return value.text;
}

function ignored(input: Value): Set<string> {
  const names = input.member("ignore");
  const found = new Set<string>();
  if (names !== null) {
    for (let i = 0; i < names.items.length; i++) found.add(names.items[i].text);
  }
  return found;
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
    if (name != "before" && name != "after" && name != "ignore") fail(`field '${name}' is not known.`, WRONG_INPUT);
  }
  const before = parsed("before", text(input, "before"));
  const after = parsed("after", text(input, "after"));
  const names = ignored(input);
  log(names.size == 0 ? "no member is ignored" : `members named ${names.values().join(", ")} are ignored`);
  const comparison = new Comparison(names);
  comparison.compare("", before, after);
  log(`compared: ${comparison.changes.length} differences, ${comparison.passed} ignored`);
  log(`arrays: ${comparison.aligned} aligned by longest common subsequence`);
  const document = render(comparison);
  log(`result: ${document.length} characters`);
  result(document);
}

main();
