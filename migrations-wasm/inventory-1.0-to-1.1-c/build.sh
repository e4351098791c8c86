#!/bin/sh
# build.sh OUT: a core WebAssembly file of the C sources, without libc and without a manifest.
set -eu
if clang --print-targets 2>/dev/null | grep -q wasm32 && command -v wasm-ld >/dev/null 2>&1; then
  compile='clang --target=wasm32 -Wl,--strip-all'
elif python3 -c 'import ziglang' 2>/dev/null; then
  compile='python3 -m ziglang cc -target wasm32-freestanding -s'
else
  echo "install clang and lld, or Python, then: pip install -r migrations-wasm/inventory-1.0-to-1.1-c/requirements.txt" >&2
  exit 69
fi
exec $compile -std=gnu11 -Wall -Wextra -O3 -mbulk-memory -nostdlib -Wl,--no-entry -o "$1" ./*.c
