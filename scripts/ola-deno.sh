#!/bin/sh
# Runs ola from source under Deno. All permissions, as Deno ties a consistent copy of a database to them: docs/deno.md.
# Deno comes with `npm ci`. Nothing is fetched: every package is in node_modules.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
for deno in "$root"/node_modules/@deno/*/deno; do
  [ -x "$deno" ] || { echo 'Deno is not installed: run npm ci first.' >&2; exit 1; }
done
# Variables that make Deno load code, write down the keys of TLS, listen or send elsewhere. The binary drops its own.
unset NODE_OPTIONS NODE_TLS_REJECT_UNAUTHORIZED SSLKEYLOGFILE DENO_SERVE_ADDRESS
unset HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy
export DENO_NO_UPDATE_CHECK=1 DENO_DIR="${DENO_DIR:-$root/node_modules/.cache/deno}"
exec "$deno" run --quiet --cached-only --allow-all --config "$root/deno.json" "$root/src/main.ts" "$@"
