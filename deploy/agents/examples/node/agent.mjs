// An agent in Node.js: one JSON document on stdin, the result as the last line of stdout, the log on stderr.
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);

let input;
try {
  input = JSON.parse(Buffer.concat(chunks).toString("utf8"));
} catch (error) {
  console.error(`error: The input is not JSON: ${error.message}`);
  process.exit(2);
}

const text = String(input.text ?? "");
const characters = [...text];
console.error(`Read ${characters.length} characters`);

const counts = new Map();
for (const character of characters) counts.set(character, (counts.get(character) ?? 0) + 1);
const common = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 5);
console.error(`Found ${counts.size} different ones`);

// console.log would do as well, as long as nothing follows it.
process.stdout.write(JSON.stringify({ characters: characters.length, common: Object.fromEntries(common) }) + "\n");
