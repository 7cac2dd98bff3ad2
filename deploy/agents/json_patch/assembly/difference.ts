// What turns one document into another, as operations of JSON Patch (RFC 6902).
import { Kind, same, Value } from "./json";

// Longest common subsequences cost the product of both lengths; above this only what begins and ends alike is aligned.
const MOST_CELLS = 4_000_000;

/** One operation. `before` and `after` are null where there is nothing. */
export class Change {
  constructor(
    public op: string,
    public path: string,
    public before: Value | null,
    public after: Value | null,
  ) {}
}

/** Collects the changes; members whose name is in `ignored` are passed over wherever they are. */
export class Comparison {
  changes: Array<Change> = [];
  passed: i32 = 0;
  aligned: i32 = 0; // arrays whose items were matched with each other

  constructor(private ignored: Set<string>) {}

  compare(path: string, before: Value, after: Value): void {
    if (same(before, after)) return;
    if (before.kind == Kind.OBJECT && after.kind == Kind.OBJECT) this.members(path, before, after);
    else if (before.kind == Kind.ARRAY && after.kind == Kind.ARRAY) this.items(path, before.items, after.items);
    else this.changes.push(new Change("replace", path, before, after));
  }

  private members(path: string, before: Value, after: Value): void {
    for (let i = 0; i < before.names.length; i++) {
      const name = before.names[i];
      const other = after.member(name);
      if (this.ignored.has(name)) {
        if (other === null || !same(before.items[i], other)) this.passed++;
      } else if (other === null) {
        this.changes.push(new Change("remove", path + "/" + escape(name), before.items[i], null));
      } else this.compare(path + "/" + escape(name), before.items[i], other);
    }
    for (let i = 0; i < after.names.length; i++) {
      const name = after.names[i];
      if (before.member(name) !== null) continue;
      if (this.ignored.has(name)) this.passed++;
      else this.changes.push(new Change("add", path + "/" + escape(name), null, after.items[i]));
    }
  }

  private items(path: string, before: Array<Value>, after: Array<Value>): void {
    let start = 0;
    let endBefore = before.length;
    let endAfter = after.length;
    while (start < endBefore && start < endAfter && same(before[start], after[start])) start++;
    while (endBefore > start && endAfter > start && same(before[endBefore - 1], after[endAfter - 1])) {
      endBefore--;
      endAfter--;
    }
    this.aligned++;
    const kept = common(before, after, start, endBefore, endAfter);
    // `at` is where we are in the array as the operations so far have left it.
    let at = start;
    let i = start;
    let j = start;
    for (let k = 0; k <= kept.length; k += 2) {
      const untilBefore = k < kept.length ? kept[k] : endBefore;
      const untilAfter = k < kept.length ? kept[k + 1] : endAfter;
      while (i < untilBefore && j < untilAfter) this.compare(path + "/" + (at++).toString(), before[i++], after[j++]);
      while (i < untilBefore) this.changes.push(new Change("remove", path + "/" + at.toString(), before[i++], null));
      while (j < untilAfter) this.changes.push(new Change("add", path + "/" + (at++).toString(), null, after[j++]));
      i++;
      j++;
      at++;
    }
  }
}

/** The longest common subsequence of the middle parts, as pairs of indexes. */
function common(a: Array<Value>, b: Array<Value>, start: i32, endA: i32, endB: i32): Array<i32> {
  const pairs = new Array<i32>();
  const rows = endA - start;
  const columns = endB - start;
  if (rows == 0 || columns == 0 || (<i64>rows) * (<i64>columns) > MOST_CELLS) return pairs;
  const width = columns + 1;
  const lengths = new Int32Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      lengths[i * width + j] = same(a[start + i], b[start + j])
        ? lengths[(i + 1) * width + j + 1] + 1
        : max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  let i = 0;
  let j = 0;
  while (i < rows && j < columns) {
    if (same(a[start + i], b[start + j])) {
      pairs.push(start + i++);
      pairs.push(start + j++);
    } else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) i++;
    else j++;
  }
  return pairs;
}

/** A member's name as a part of a JSON pointer (RFC 6901). */
function escape(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
