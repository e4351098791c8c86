#!/bin/sh
# build.sh OUT: a component of migration.js, still without its manifest.
set -eu
modules=${GODWIT_NODE_MODULES:-node_modules}
if ! node --version >/dev/null 2>&1 || [ ! -d "$modules/@bytecodealliance/componentize-js" ]; then
  echo "install Node.js, then: npm install --no-package-lock --prefix migrations-wasm/inventory-1.0-to-1.1-javascript" >&2
  exit 69
fi
exec node build.mjs "$1"
