#!/bin/sh
# An agent in plain shell: one JSON document on stdin, the result as the last line of stdout, the log on stderr.
# The root file system is read-only; /tmp can be written to.
set -eu
input=$(mktemp)
trap 'rm -f "$input"' EXIT
cat > "$input"
bytes=$(wc -c < "$input" | tr -d ' ')
echo "Read $bytes bytes" >&2
case $(head -c 1 "$input") in
    "{") ;;
    *) echo "error: The input must be a JSON object." >&2; exit 2 ;;
esac
sum=$(sha256sum < "$input" | cut -d ' ' -f 1)
echo "Hashed them" >&2
printf '{"bytes":%s,"sha256":"%s"}\n' "$bytes" "$sum"
