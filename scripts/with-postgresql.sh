#!/usr/bin/env bash
# Runs a command beside a PostgreSQL of its own, and leaves nothing behind.
#
#   scripts/with-postgresql.sh COMMAND [ARGUMENT…]
#
# The command finds an administrator's URL in ARDOISE_TEST_POSTGRESQL and creates databases there. The
# cluster lives in a temporary folder, listens on 127.0.0.1 at a port of its own, and ends with the
# command. Where the variable is already set, that server is used and none is started.
#
# The cluster forgets everything in a power cut (fsync is off): it is for tests, never for data. For figures,
# ARDOISE_DURABLE_IN names a folder on a real disk: the cluster then lies there, and forgets nothing.
set -euo pipefail

fail() {
    printf 'ardoise: %s\n' "$*" >&2
    exit 1
}

[ $# -gt 0 ] || fail "no command: scripts/with-postgresql.sh COMMAND [ARGUMENT…]"
if [ -n "${ARDOISE_TEST_POSTGRESQL:-}" ]; then exec "$@"; fi

# Debian keeps the server's programs off the PATH, one folder per version: the newest is taken.
programs=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
[ -n "$programs" ] || programs=$(command -v initdb || true)
[ -n "$programs" ] || fail "PostgreSQL is not installed: no initdb. Type \`make install\`."
programs=$(dirname "$(readlink -f "$programs")")

# Tests make and drop a database each, some hundred files a time: a file system on a disk spends more time on finding
# them a place than PostgreSQL on all the rest. In memory it costs nothing, where there is room for it. A folder that was
# named is on a disk.
room_in_memory() {
    [ "$(df --output=fstype /dev/shm 2>/dev/null | tail -n 1)" = tmpfs ] &&
        [ "$(df --output=avail --block-size=1M /dev/shm | tail -n 1)" -ge 6000 ]
}
in=${ARDOISE_DURABLE_IN:-}
if [ -z "$in" ] && room_in_memory; then in=/dev/shm; fi
# Whom the superuser becomes may not read the superuser's own temporary folder.
if [ "$(id -u)" -eq 0 ]; then in=${in:-/tmp}; else in=${in:-${TMPDIR:-/tmp}}; fi
settings=(-c shared_buffers=64MB -c fsync=off -c synchronous_commit=off -c full_page_writes=off
    -c autovacuum_naptime=10min)
if [ -n "${ARDOISE_DURABLE_IN:-}" ]; then
    settings=(-c shared_buffers=256MB -c fsync=on -c synchronous_commit=on -c full_page_writes=on
        -c max_wal_size=4GB)
fi

# PostgreSQL refuses to run as root.
if [ "$(id -u)" -eq 0 ]; then
    owner=postgres
    id "$owner" >/dev/null 2>&1 || owner=nobody
    become=(setpriv --reuid="$owner" --regid="$(id -gn "$owner")" --init-groups)
    home=$(mktemp -d "$in/ardoise-postgresql.XXXXXX")
    chown "$owner" "$home"
else
    become=()
    home=$(mktemp -d "$in/ardoise-postgresql.XXXXXX")
fi

server=
stop() {
    if [ -n "$server" ]; then
        kill -INT "$server" 2>/dev/null || true # a fast shutdown: sessions end, nothing is waited for
        wait "$server" 2>/dev/null || true
        server=
    fi
    rm -rf "$home"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

as_owner() { (cd "$home" && exec "${become[@]}" "$@"); }

# The superuser has a password, because a superuser runs programs and any account of this machine
# reaches the port; the ordinary roles that tests make need none.
password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf '%s\n' "$password" | as_owner tee "$home/password" >/dev/null
as_owner "$programs/initdb" --pgdata="$home/data" --username=postgres --pwfile="$home/password" \
    --auth=scram-sha-256 --encoding=UTF8 --no-locale --no-sync >"$home/initdb.log" 2>&1 ||
    fail "initdb failed: $(tail -n 5 "$home/initdb.log")"
as_owner tee "$home/data/pg_hba.conf" >/dev/null <<'HBA'
host all postgres 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
HBA

# A port is free until somebody takes it: try, and try another.
listening() {
    local patience
    for patience in $(seq 300); do
        kill -0 "$server" 2>/dev/null || return 1
        "$programs/pg_isready" -q -h 127.0.0.1 -p "$port" && return 0
        sleep 0.1
    done
    printf 'ardoise: PostgreSQL did not answer in %s tenths of a second\n' "$patience" >&2
    return 1
}

for _attempt in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 12000))
    (cd "$home" && exec "${become[@]}" "$programs/postgres" -D "$home/data" -p "$port" \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300 \
        "${settings[@]}" -c log_min_messages=error \
        </dev/null >>"$home/server.log" 2>&1) &
    server=$!
    if listening; then break; fi
    kill -INT "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
done
[ -n "$server" ] || fail "PostgreSQL did not start: $(tail -n 5 "$home/server.log")"

export ARDOISE_TEST_POSTGRESQL="postgresql://postgres:$password@127.0.0.1:$port/postgres"
"$@"
