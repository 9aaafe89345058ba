#!/usr/bin/env bash
# Format, lints and documentation, without a warning.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/stage.sh
. scripts/stage.sh

locked=()
if [ -n "${CI:-}" ]; then
    export CARGO_INCREMENTAL=0 # nothing is compiled a second time there
    locked=(--locked)
fi

stage packages scripts/install.sh build lint || { verdict || exit 1; }
stage format cargo fmt --all --check || true
stage clippy cargo clippy "${locked[@]}" --workspace --all-targets --keep-going -- -D warnings || true
stage fuzz cargo clippy --locked --manifest-path fuzz/Cargo.toml --target-dir target/fuzz/check --all-targets \
    --keep-going -- -D warnings || true
stage documents env RUSTDOCFLAGS="-D warnings" cargo doc "${locked[@]}" --workspace --no-deps --keep-going || true
verdict
