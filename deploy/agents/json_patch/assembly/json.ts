// JSON (RFC 8259) as a tree. Numbers keep their text, so that nothing is lost to floating point.
export const enum Kind {
  NULL,
  FALSE,
  TRUE,
  NUMBER,
  STRING,
  ARRAY,
  OBJECT,
}

// Deeper documents would exhaust the stack.
const DEEPEST = 400;
// Up to this many characters a double holds a decimal number exactly enough to compare it.
const EXACT = 15;

/** A JSON value. `hash` is equal for equal values, whatever the order of members. */
export class Value {
  text: string = ""; // of a string or number
  items: Array<Value> = []; // of an array, or an object's members' values
  names: Array<string> = []; // of an object's members, beside items
  places: Map<string, i32> | null = null; // of an object's members by name
  hash: u64 = 0;
  count: i32 = 1; // values in here, itself included

  constructor(public kind: Kind) {}

  /** The member of that name, or null. */
  member(name: string): Value | null {
    const places = this.places;
    if (places === null || !places.has(name)) return null;
    return this.items[places.get(name)];
  }
}

/** Whether two values are the same, as JSON Patch's `test` sees it: 1.0 is 1, and order of members does not count. */
export function same(a: Value, b: Value): bool {
  if (a.hash != b.hash || a.kind != b.kind || a.items.length != b.items.length) return false;
  if (a.kind == Kind.STRING) return a.text == b.text;
  if (a.kind == Kind.NUMBER) return numeral(a.text) == numeral(b.text);
  for (let i = 0; i < a.items.length; i++) {
    const other = a.kind == Kind.OBJECT ? b.member(a.names[i]) : b.items[i];
    if (other === null || !same(a.items[i], other)) return false;
  }
  return true;
}

/** Compact JSON text. */
export function dump(value: Value): string {
  switch (value.kind) {
    case Kind.NULL:
      return "null";
    case Kind.FALSE:
      return "false";
    case Kind.TRUE:
      return "true";
    case Kind.NUMBER:
      return value.text;
    case Kind.STRING:
      return quote(value.text);
    case Kind.ARRAY: {
      const parts = new Array<string>();
      for (let i = 0; i < value.items.length; i++) parts.push(dump(value.items[i]));
      return "[" + parts.join(",") + "]";
    }
    default: {
      const parts = new Array<string>();
      for (let i = 0; i < value.items.length; i++) parts.push(quote(value.names[i]) + ":" + dump(value.items[i]));
      return "{" + parts.join(",") + "}";
    }
  }
}

/** A JSON string. */
export function quote(text: string): string {
  const parts = new Array<string>();
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x20 && code != 0x22 && code != 0x5c) continue;
    parts.push(text.substring(from, i));
    if (code == 0x22) parts.push('\\"');
    else if (code == 0x5c) parts.push("\\\\");
    else if (code == 0x0a) parts.push("\\n");
    else parts.push("\\u" + code.toString(16).padStart(4, "0"));
    from = i + 1;
  }
  parts.push(text.substring(from));
  return '"' + parts.join("") + '"';
}

function numeral(text: string): string {
  return text.length > EXACT ? text : parseFloat(text).toString();
}

function mix(a: u64, b: u64): u64 {
  let x = (a ^ b) * 0x9e3779b97f4a7c15;
  x ^= x >> 32;
  return x * 0xd6e8feb86659fd93;
}

function hashText(text: string, seed: u64): u64 {
  let hash: u64 = seed ^ 0xcbf29ce484222325;
  for (let i = 0; i < text.length; i++) hash = (hash ^ (<u64>text.charCodeAt(i))) * 0x100000001b3;
  return mix(hash, text.length);
}

/** Reads one document. `error` says what is wrong with it, with line and column, and is empty when all is well. */
export class Parser {
  error: string = "";
  deepest: i32 = 0;
  repeated: i32 = 0; // members that took the place of an earlier one of the same name
  private at: i32 = 0;

  constructor(private text: string) {}

  /** The document; null when it is broken. */
  document(): Value | null {
    const value = this.value(1);
    this.space();
    if (this.error == "" && this.at < this.text.length) this.wrong("There is more after the end of the document");
    return this.error == "" ? value : null;
  }

  private wrong(what: string): void {
    if (this.error != "") return;
    let line = 1;
    let start = 0;
    const end = min(this.at, this.text.length);
    for (let i = 0; i < end; i++) {
      if (this.text.charCodeAt(i) == 0x0a) {
        line++;
        start = i + 1;
      }
    }
    this.error = `${what} (line ${line}, column ${end - start + 1}).`;
  }

  private peek(): i32 {
    return this.at < this.text.length ? this.text.charCodeAt(this.at) : -1;
  }

  private space(): void {
    while (true) {
      const code = this.peek();
      if (code != 0x20 && code != 0x0a && code != 0x0d && code != 0x09) return;
      this.at++;
    }
  }

  private value(depth: i32): Value {
    this.deepest = max(this.deepest, depth);
    this.space();
    if (depth > DEEPEST) this.wrong(`This is nested more than ${DEEPEST} levels deep`);
    if (this.error != "") return new Value(Kind.NULL);
    const code = this.peek();
    if (code == 0x7b) return this.object(depth);
    if (code == 0x5b) return this.array(depth);
    if (code == 0x22) {
      const text = new Value(Kind.STRING);
      text.text = this.string();
      text.hash = hashText(text.text, Kind.STRING);
      return text;
    }
    if (code == 0x2d || (code >= 0x30 && code <= 0x39)) return this.number();
    return this.word();
  }

  private word(): Value {
    const words = ["null", "false", "true"];
    for (let kind = 0; kind < 3; kind++) {
      if (this.text.startsWith(words[kind], this.at)) {
        this.at += words[kind].length;
        const value = new Value(<Kind>kind);
        value.hash = mix(kind, 77);
        return value;
      }
    }
    this.wrong(this.peek() < 0 ? "The document ends too early" : "A value is expected here");
    return new Value(Kind.NULL);
  }

  private digits(): void {
    const from = this.at;
    while (this.peek() >= 0x30 && this.peek() <= 0x39) this.at++;
    if (this.at == from) this.wrong("A digit is expected here");
  }

  private number(): Value {
    const from = this.at;
    if (this.peek() == 0x2d) this.at++;
    if (this.peek() == 0x30) this.at++;
    else this.digits();
    if (this.peek() == 0x2e) {
      this.at++;
      this.digits();
    }
    if ((this.peek() | 0x20) == 0x65) {
      this.at++;
      if (this.peek() == 0x2b || this.peek() == 0x2d) this.at++;
      this.digits();
    }
    const value = new Value(Kind.NUMBER);
    value.text = this.text.substring(from, this.at);
    value.hash = hashText(numeral(value.text), Kind.NUMBER);
    return value;
  }

  private string(): string {
    const parts = new Array<string>();
    let from = ++this.at;
    while (true) {
      const code = this.peek();
      if (code == 0x22) break;
      if (code < 0x20) {
        this.wrong(code < 0 ? "A text does not end" : "A line break or control character inside a text");
        return "";
      }
      if (code == 0x5c) {
        parts.push(this.text.substring(from, this.at));
        parts.push(this.escaped());
        from = this.at;
        if (this.error != "") return "";
      } else this.at++;
    }
    parts.push(this.text.substring(from, this.at++));
    return parts.join("");
  }

  private escaped(): string {
    const code = this.at + 1 < this.text.length ? this.text.charCodeAt(this.at + 1) : -1;
    this.at += 2;
    switch (code) {
      case 0x22:
        return '"';
      case 0x5c:
        return "\\";
      case 0x2f:
        return "/";
      case 0x62:
        return "\b";
      case 0x66:
        return "\f";
      case 0x6e:
        return "\n";
      case 0x72:
        return "\r";
      case 0x74:
        return "\t";
      case 0x75: {
        let unit = 0;
        for (let i = 0; i < 4; i++, this.at++) {
          const digit = hexadecimal(this.peek());
          if (digit < 0) {
            this.wrong("Four hexadecimal digits are expected after \\u");
            return "";
          }
          unit = unit * 16 + digit;
        }
        return String.fromCharCode(unit);
      }
      default:
        this.at -= 1;
        this.wrong("There is no such escape in a text");
        return "";
    }
  }

  private array(depth: i32): Value {
    const array = new Value(Kind.ARRAY);
    array.hash = 5;
    this.at++;
    this.space();
    if (this.peek() == 0x5d) {
      this.at++;
      return array;
    }
    while (true) {
      const item = this.value(depth + 1);
      if (this.error != "") return array;
      array.items.push(item);
      array.count += item.count;
      array.hash = mix(array.hash, item.hash);
      if (!this.next(0x5d)) return array;
    }
  }

  private object(depth: i32): Value {
    const object = new Value(Kind.OBJECT);
    const places = new Map<string, i32>();
    object.places = places;
    this.at++;
    this.space();
    if (this.peek() == 0x7d) this.at++;
    else
      while (true) {
        this.space();
        if (this.peek() != 0x22) this.wrong("A member's name in double quotes is expected here");
        if (this.error != "") return object;
        const name = this.string();
        this.space();
        if (this.peek() != 0x3a) this.wrong("A colon is expected here");
        this.at++;
        const item = this.value(depth + 1);
        if (this.error != "") return object;
        if (places.has(name)) {
          this.repeated++;
          object.items[places.get(name)] = item;
        } else {
          places.set(name, object.items.length);
          object.names.push(name);
          object.items.push(item);
        }
        object.count += item.count;
        if (!this.next(0x7d)) break;
      }
    let hash: u64 = 6;
    for (let i = 0; i < object.items.length; i++) hash += mix(hashText(object.names[i], 9), object.items[i].hash);
    object.hash = hash;
    return object;
  }

  /** After an item: true when a comma says that another one follows. */
  private next(closing: i32): bool {
    this.space();
    const code = this.peek();
    this.at++;
    if (code == 0x2c) return true;
    if (code == closing) return false;
    this.at--;
    this.wrong(code < 0 ? "The document ends too early" : "A comma or the closing bracket is expected here");
    return false;
  }
}

function hexadecimal(code: i32): i32 {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}
