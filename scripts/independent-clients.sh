#!/usr/bin/env bash
# SCEP clients that share no code with us, for the tests: strongSwan's and certmonger's, from the distribution.
#
#   scripts/independent-clients.sh
#
# Prints the folder in which they stand, and installs nothing: strongSwan's needs a plugin whose package pulls in
# udev, and certmonger would come with a service. Both are downloaded by apt, which checks their signatures, and
# unpacked beside the build. That needs no root; repeating is quick. Speaks on stderr.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "ardoise: $*"
    exit 1
}

command -v apt-get >/dev/null 2>&1 && command -v dpkg-query >/dev/null 2>&1 ||
    fail "this is neither Debian nor Ubuntu: the independent SCEP clients cannot be unpacked for the tests."
strongswan=$(dpkg-query --show --showformat='${Version}' strongswan-pki 2>/dev/null) && [ -n "$strongswan" ] ||
    fail "strongswan-pki is not installed. As root, type
  apt-get update && apt-get install -y --no-install-recommends strongswan-pki
and try again."
if dpkg --compare-versions "$strongswan" lt 5.9.8; then
    say "ardoise: strongSwan $strongswan cannot ask for certificates (5.9.8 and later can): certmonger alone will"
fi

all=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}/independent-clients")
clients=$all/${strongswan//[^[:alnum:].+~-]/_}
mkdir -p "$all"
# Tests ask all at once: the first unpacks, the others wait for it.
exec 9>"$all/lock"
flock 9
if [ -d "$clients" ]; then
    printf '%s\n' "$clients"
    exit
fi

work=$(mktemp -d "$all/unfinished.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/debs/partial" "$work/root"
quietly=(apt-get -qq -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o "Dir::Cache::archives=$work/debs/")

fetch() {
    # The plugin of the installed version; where the archive has moved on, of the version it has now.
    (cd "$work/debs" &&
        { "${quietly[@]}" download "libstrongswan-extra-plugins=$strongswan" ||
            "${quietly[@]}" download libstrongswan-extra-plugins; }) >&2 &&
        # And certmonger with what it needs and the machine lacks.
        "${quietly[@]}" -y --no-install-recommends --download-only install certmonger </dev/null >&2
}
if ! fetch; then
    [ "$(id -u)" -eq 0 ] && apt-get -qq -o DPkg::Lock::Timeout=300 update >&2 && fetch ||
        fail "the independent SCEP clients were not downloaded; apt's messages are above. As root, type
  apt-get update
and try again."
fi
for package in "$work"/debs/*.deb; do
    dpkg --extract "$package" "$work/root"
done

# What an installed certmonger would have where it was looked for.
for program in usr/lib/certmonger/certmonger-session usr/lib/certmonger/scep-submit usr/bin/getcert; do
    if [ ! -e "$work/root/$program" ] && [ -e "/$program" ]; then
        mkdir -p "$(dirname "$work/root/$program")"
        ln -s "/$program" "$work/root/$program"
    fi
done
libraries=$(find "$work/root" -name '*.so*' -printf '%h\n' | sort -u | paste -sd :)
for program in usr/lib/ipsec/plugins/libstrongswan-curl.so usr/lib/certmonger/certmonger-session \
    usr/lib/certmonger/scep-submit usr/bin/getcert; do
    [ -e "$work/root/$program" ] || fail "no /$program in the packages of this distribution"
    absent=$(LD_LIBRARY_PATH=$libraries ldd "$work/root/$program" | awk '/not found/ { print $1 }' | sort -u)
    # The plugin runs inside strongSwan's own program, which brings that library.
    absent=${absent//libstrongswan.so.0/}
    [ -z "${absent//[[:space:]]/}" ] || fail "$program needs ${absent//$'\n'/ }, which is not on this machine. As root, type
  apt-get update && apt-get install -y --no-install-recommends curl certmonger
and try again."
done
rm -r "$work/debs"
mv "$work/root" "$clients"
printf '%s\n' "$clients"
