#!/usr/bin/env bash
# Schemathesis, which asks the API what its description promises, and what it does not.
#
#   scripts/schemathesis.sh
#
# Prints the program's path. Installs nothing outside of the build: the versions of scripts/schemathesis.txt, from the
# package index, in a virtual environment beside it. Repeating is quick. Speaks on stderr.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

wanted=$(cksum < scripts/schemathesis.txt | cut -d ' ' -f 1)
all=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}/schemathesis")
there=$all/$wanted
mkdir -p "$all"
# Tests may ask at once: the first installs, the others wait for it.
exec 9>"$all/lock"
flock 9
if [ ! -x "$there/bin/schemathesis" ]; then
    rm -rf "$there"
    say "ardoise: installing schemathesis beside the build"
    python3 -m venv "$there" >&2 || {
        say "ardoise: python3 cannot make a virtual environment. As root, type
  apt-get update && apt-get install -y --no-install-recommends python3-venv
and try again."
        exit 1
    }
    "$there/bin/pip" install --quiet --disable-pip-version-check --requirement scripts/schemathesis.txt >&2 || {
        rm -rf "$there"
        say "ardoise: the package index gave no schemathesis; pip's messages are above"
        exit 1
    }
fi
printf '%s\n' "$there/bin/schemathesis"
