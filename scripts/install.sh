#!/usr/bin/env bash
# Installs what building, testing, linting or measuring need, from the distribution only.
#
#   scripts/install.sh [build] [test] [lint] [bench]
#
# For tests it also unpacks, beside the build, the clients that scripts/independent-clients.sh speaks of.
#
# Does nothing, quickly, when everything is there. Installs when it may: as root, or by a sudo that
# asks for no password. Otherwise prints the line to type and stops. Speaks on stderr, so that the
# output of the command it prepares stays clean.
set -euo pipefail

build_packages=(build-essential pkg-config libssl-dev libpq-dev)
test_packages=(openssl postgresql python3-aiosmtpd python3-venv strongswan-pki)
bench_packages=(bsdextrautils curl jq openssl postgresql sqlite3)

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "ardoise: $*"
    exit 1
}

need_cargo() {
    command -v cargo >/dev/null 2>&1 && return
    fail "cargo is not on the PATH. Install Rust from https://rustup.rs, or type
  . \"\$HOME/.cargo/env\"
and try again."
}

need_components() {
    local absent=()
    cargo fmt --version >/dev/null 2>&1 || absent+=(rustfmt)
    cargo clippy --version >/dev/null 2>&1 || absent+=(clippy)
    [ ${#absent[@]} -eq 0 ] && return
    command -v rustup >/dev/null 2>&1 ||
        fail "${absent[*]} missing, and no rustup to install it. Install the same from where your Rust came from."
    say "ardoise: adding ${absent[*]} to the Rust toolchain"
    rustup component add "${absent[@]}" >&2
}

absent_packages() {
    local package status
    for package in "$@"; do
        status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$status" = installed ] || printf '%s\n' "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

may_install() {
    [ "$(id -u)" -eq 0 ] && return
    command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null
}

need_packages() {
    [ -n "${ARDOISE_SKIP_INSTALL:-}" ] && return
    command -v dpkg-query >/dev/null 2>&1 ||
        fail "this is neither Debian nor Ubuntu. Install what these packages hold: $*
then set ARDOISE_SKIP_INSTALL=1 and try again."
    local absent
    mapfile -t absent < <(absent_packages "$@")
    [ ${#absent[@]} -eq 0 ] && return
    local line="apt-get update && apt-get install -y --no-install-recommends ${absent[*]}"
    if ! may_install; then
        command -v sudo >/dev/null 2>&1 || fail "packages are missing. As root, type
  $line
and try again."
        fail "packages are missing, and sudo asks for a password. Type
  ${line//apt-get/sudo apt-get}
and try again."
    fi
    say "ardoise: installing ${absent[*]}"
    local quiet=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
    as_root "${quiet[@]}" update >&2 || say "ardoise: apt-get update failed; trying with the lists at hand"
    as_root "${quiet[@]}" install -y --no-install-recommends "${absent[@]}" </dev/null >&2 ||
        fail "the installation failed; its messages are above. Once solved, try again."
}

cd "$(dirname "$0")/.."
packages=()
independent=
lint=
for purpose in "$@"; do
    case $purpose in
    build) packages+=("${build_packages[@]}") ;;
    test) packages+=("${test_packages[@]}") independent=yes ;;
    lint) lint=yes ;;
    bench) packages+=("${bench_packages[@]}") ;;
    *) fail "unknown purpose \`$purpose\`: expected build, test, lint or bench" ;;
    esac
done

need_cargo
if [ ${#packages[@]} -gt 0 ]; then need_packages "${packages[@]}"; fi
if [ -n "$independent" ] && [ -z "${ARDOISE_SKIP_INSTALL:-}" ]; then scripts/independent-clients.sh >/dev/null; fi
if [ -n "$lint" ]; then need_components; fi
