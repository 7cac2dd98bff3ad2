// The three functions of WASI preview 1 that the agent needs.
@external("wasi_snapshot_preview1", "fd_read")
declare function fd_read(fd: i32, buffers: usize, count: i32, done: usize): i32;
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: i32, buffers: usize, count: i32, done: usize): i32;
@external("wasi_snapshot_preview1", "proc_exit")
declare function proc_exit(code: i32): void;

const CHUNK: i32 = 65536;
// One { address, length } pair, and behind it the number of bytes that were moved.
const vector: usize = memory.data(8);
const moved: usize = memory.data(4);

/** All of standard input as text. */
export function readInput(): string {
  let bytes = new ArrayBuffer(CHUNK);
  let used = 0;
  while (true) {
    if (bytes.byteLength - used < CHUNK) {
      const larger = new ArrayBuffer(bytes.byteLength * 2);
      memory.copy(changetype<usize>(larger), changetype<usize>(bytes), used);
      bytes = larger;
    }
    store<usize>(vector, changetype<usize>(bytes) + used);
    store<i32>(vector + 4, CHUNK);
    if (fd_read(0, vector, 1, moved) != 0) fail("Standard input cannot be read.");
    const count = load<i32>(moved);
    if (count == 0) return String.UTF8.decodeUnsafe(changetype<usize>(bytes), used);
    used += count;
  }
}

function write(fd: i32, text: string): void {
  const bytes = String.UTF8.encode(text + "\n", false, String.UTF8.ErrorMode.REPLACE);
  let done = 0;
  while (done < bytes.byteLength) {
    store<usize>(vector, changetype<usize>(bytes) + done);
    store<i32>(vector + 4, bytes.byteLength - done);
    if (fd_write(fd, vector, 1, moved) != 0) proc_exit(74);
    done += load<i32>(moved);
  }
}

/** A line of the log. */
export function log(text: string): void {
  write(2, text);
}

/** The result, which is the last line. */
export function result(text: string): void {
  write(1, text);
}

/** End with a sentence for the person who asked. */
export function fail(sentence: string, code: i32 = 1): void {
  log("error: " + sentence);
  proc_exit(code);
}

/** What AssemblyScript calls when something is impossible, such as no memory being left. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  log("Gave up: " + (message === null ? "out of memory" : message));
  proc_exit(70);
}
