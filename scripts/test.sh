#!/usr/bin/env bash
# Everything: format, lints, documentation, and all tests on SQLite and on PostgreSQL.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/stage.sh
. scripts/stage.sh

locked=()
if [ -n "${CI:-}" ]; then
    export CARGO_INCREMENTAL=0 # nothing is compiled a second time there
    locked=(--locked)
fi

give_up() {
    verdict || true
    exit 1
}

stage packages scripts/install.sh build test lint || give_up
stage format cargo fmt --all --check || true
stage clippy cargo clippy "${locked[@]}" --workspace --all-targets --keep-going -- -D warnings || true
stage documents env RUSTDOCFLAGS="-D warnings" cargo doc "${locked[@]}" --workspace --no-deps --keep-going || true

# cargo-nextest gives each test a process of its own; a machine without it loses nothing but speed.
if cargo nextest --version >/dev/null 2>&1; then
    stage build cargo nextest run "${locked[@]}" --workspace --no-run || give_up
    stage tests scripts/with-postgresql.sh cargo nextest run "${locked[@]}" --workspace || true
    stage doctests cargo test "${locked[@]}" --workspace --doc --quiet || true
else
    stage build cargo test "${locked[@]}" --workspace --no-run || give_up
    stage tests scripts/with-postgresql.sh cargo test "${locked[@]}" --workspace --no-fail-fast || true
fi
verdict
