#!/usr/bin/env bash
# Changes the rooms that decide, one thing at a time, and says which changes no test noticed.
#
#   scripts/mutants.sh [OPTION OF cargo-mutants…]      such as --shard 0/8, or --file crates/orders/src/ordinary.rs
#
# What is changed, and what need not be noticed and why, is in mutants.toml. The tree itself is not touched: a copy of it is
# built under target/mutants. The list of survivors, and the whole story of each, is in target/mutants/mutants.out.
set -euo pipefail
cd "$(dirname "$0")/.."

version=27.1.0
scripts/install.sh build
have=$(cargo mutants --version 2>/dev/null || true)
if [ "$have" != "cargo-mutants $version" ]; then
    printf 'ardoise: installing cargo-mutants %s by cargo; it was %s\n' "$version" "${have:-absent}" >&2
    cargo install cargo-mutants --locked --version "$version" >&2
fi
mkdir -p target/mutants
# External crates are built once, and stay for the next time.
export CARGO_TARGET_DIR=$PWD/target/mutants/build
# Debug information would only be written.
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_TEST_DEBUG=0
exec cargo mutants --config mutants.toml --output target/mutants --jobs 1 --no-shuffle --colors never "$@"
