#!/usr/bin/env bash
# Installs what the platform needs into this checkout: uv, the locked Python environment, the contracts' npm packages.
# `setup.sh browser` also brings Chromium for the end-to-end tests. Quick when there is nothing to do.
set -euo pipefail
cd "$(dirname "$0")/../.."
say() { printf '%s\n' "$*"; }
fail() { printf 'Set-up failed: %s\n' "$*" >&2; exit 1; }
mkdir -p .data

# apt-get, as root on Debian and its kin only.
apt_install() {
  command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || return 1
  say "Installing $* from the distribution's packages ..."
  apt-get -o DPkg::Lock::Timeout=300 update -qq >.data/apt.log 2>&1 || true
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "$@" >>.data/apt.log 2>&1 \
    || fail "apt-get install $* did not work; see .data/apt.log."
}

find_uv() {
  if command -v uv >/dev/null && uv --version >/dev/null 2>&1; then UV=uv; else UV=.data/uv/bin/uv; fi
}

find_uv
if [ "$UV" != uv ] && [ ! -x "$UV" ]; then
  command -v python3 >/dev/null || apt_install python3 python3-venv || fail "Python 3.11 or newer is missing; install it."
  say "Installing uv ..."
  python3 -m venv .data/uv >.data/uv.log 2>&1 \
    || { apt_install python3-venv && python3 -m venv --clear .data/uv >.data/uv.log 2>&1; } \
    || fail "python3 -m venv did not work; see .data/uv.log, or install uv yourself."
  .data/uv/bin/python -m pip install --quiet --disable-pip-version-check uv >>.data/uv.log 2>&1 \
    || fail "pip could not install uv; see .data/uv.log, or install uv yourself."
fi
stamp=.data/environment.lock
if [ ! -x .venv/bin/python ] || ! cmp -s uv.lock "$stamp"; then
  say "Installing the Python environment ..."
  "$UV" sync --frozen --quiet --compile-bytecode || fail "uv sync did not work; is the package index reachable and Python 3.11+ installed?"
  cp uv.lock "$stamp"
fi

# npm packages of a folder, from its lock file.
npm_install() {
  local folder=$1 what=$2 stamp=$1/node_modules/.installed-lock
  if cmp -s "$folder/package-lock.json" "$stamp"; then return; fi
  command -v npm >/dev/null || apt_install nodejs npm || fail "Node.js 20 or newer with npm is missing; install it."
  say "Installing $what ..."
  (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error >"$OLDPWD/.data/npm.log" 2>&1) \
    || fail "npm ci did not work in $folder; see .data/npm.log."
  cp "$folder/package-lock.json" "$stamp"
}
npm_install contracts "the contracts' npm packages"
npm_install deploy/bundler "the bundler's npm packages"

# The tests pull from a private registry of their own.
if [ "${1:-}" = browser ] && ! { command -v docker-registry && command -v htpasswd; } >/dev/null; then
  apt_install docker-registry apache2-utils || fail "docker-registry and htpasswd are missing: install both."
fi

# They run agents under gVisor too, where the distribution has a package of it.
if [ "${1:-}" = browser ] && ! command -v runsc >/dev/null; then
  has_runsc() { command -v apt-cache >/dev/null && [ "$(id -u)" = 0 ] && apt-cache show runsc >/dev/null 2>&1; }
  has_runsc || { apt-get -o DPkg::Lock::Timeout=300 update -qq >.data/apt.log 2>&1 || true; }
  if has_runsc; then
    apt_install runsc
  else
    say "gVisor is not installed and cannot be from here: ITS TESTS WILL BE SKIPPED. See https://gvisor.dev/docs/user_guide/install/"
  fi
fi

if [ "${1:-}" = browser ] && ! command -v chromium >/dev/null && [ -z "${CHROMIUM:-}" ]; then
  apt_install chromium || fail "Chromium is missing: install it, or set CHROMIUM to the program's path."
fi
