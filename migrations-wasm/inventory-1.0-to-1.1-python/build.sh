#!/bin/sh
# build.sh OUT: a component of migration.py, still without its manifest. `-s` takes WASI away.
set -eu
if command -v componentize-py >/dev/null 2>&1; then
  componentize() { componentize-py "$@"; }
elif python3 -c 'import componentize_py' 2>/dev/null; then
  componentize() { python3 -c 'import sys; from componentize_py import script; sys.exit(script())' "$@"; }
else
  echo "install Python, then: pip install -r migrations-wasm/inventory-1.0-to-1.1-python/requirements.txt" >&2
  exit 69
fi
componentize -d ../../wit -w records componentize -s migration -o "$1"
