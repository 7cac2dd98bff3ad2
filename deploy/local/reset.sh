#!/usr/bin/env bash
# Forgets all local data of this checkout. Refuses while the platform runs from it.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -d .data ] || { echo "Nothing to forget."; exit 0; }
exec 9>.data/lock
flock -n 9 || { echo "AgentNexus is running from this folder; stop it first (Ctrl-C there)." >&2; exit 1; }
# Where PostgreSQL's user may not enter the checkout, its data is beside it: see _readable in engines.py.
rm -rf "${TMPDIR:-/tmp}/agentnexus-$(printf %s "$(pwd -P)/.data" | sha256sum | cut -c1-12)"
rm -rf .data/postgres .data/redis .data/anvil.json .data/logs .data/*.log .data/beat* .data/agents.json .data/staff.json .data/mail
echo "Local data is gone; the next start begins afresh."
