# The house that is measured: a database, a server as it is released, tablets that it knows. Sourced by
# scripts/bench-connect.sh, which sets engine, tablets, work and in.
# shellcheck shell=bash disable=SC2154

ardoise=$PWD/target/release/ardoise
tablets_program=$PWD/target/release/tablets
bare_reads=$PWD/target/release/examples/bare_reads

server=
server_log=

say() { printf 'ardoise: %s\n' "$*" >&2; }

# A port that nobody listens on now.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    printf '%s\n' "$port"
}

# Asks the database, as whoever owns it: one value a line.
ask() {
    case $engine in
    postgresql) psql --no-psqlrc --quiet --tuples-only --no-align --dbname="$owner_url" --command="$1" ;;
    sqlite) sqlite3 "$home/ardoise.db" ".timeout 10000" "$1" ;;
    esac
}

# A database and a home folder of their own, whose tablets have their certificates and are about to enrol.
open_house() {
    home=$work/home-$1
    local database=() admin place
    unset ARDOISE_OWNER_URL
    if [ "$engine" = postgresql ]; then
        admin=$ARDOISE_TEST_POSTGRESQL
        place=${admin#*@}
        place=${place%/*}
        psql --no-psqlrc --quiet --dbname="$admin" >/dev/null <<SQL
DROP DATABASE IF EXISTS bench WITH (FORCE);
SELECT 'CREATE ROLE bench_owner LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bench_owner')
\gexec
SELECT 'CREATE ROLE bench_serves LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bench_serves')
\gexec
CREATE DATABASE bench OWNER bench_owner;
SQL
        owner_url=postgresql://bench_owner@$place/bench
        export ARDOISE_OWNER_URL=$owner_url
        database=(--database "postgresql://bench_serves@$place/bench")
    fi
    tablets_port=$(free_port)
    people_port=$(free_port)
    export ARDOISE_HOME=$home ARDOISE_PEOPLE_PLAIN_HTTP=true ARDOISE_PEOPLE_LISTEN=127.0.0.1:$people_port
    export ARDOISE_TABLETS_LISTEN=127.0.0.1:$tablets_port ARDOISE_TABLETS_TRUSTED_PROXIES=127.0.0.1
    export ARDOISE_TAKEOVER_ENABLED=true ARDOISE_LOG_FILTER=warn
    export ARDOISE_SERVER=http://127.0.0.1:$people_port
    "$ardoise" --json init --tablets-url "https://localhost:$tablets_port" --people-url "$ARDOISE_SERVER" \
        "${database[@]}" >"$work/made.json"

    open_doors true
    come_in
    "$ardoise" --json inventory import "$work/fleet/inventory.csv" >"$work/imported.json"
    "$ardoise" --json takeover import "$work/fleet/takeover.csv" --authority "$work/fleet/authority.pem" \
        >>"$work/imported.json"
    close_doors
    invite
    yardstick_prepare
}

# The first person comes in as everybody does (invitation, password, second factor), and makes the token by which
# commands are queued: $work/token.
come_in() {
    export XDG_CONFIG_HOME=$work/person-$people_port
    mkdir -p "$XDG_CONFIG_HOME"
    (
        umask 077
        cd "$XDG_CONFIG_HOME"
        jq --exit-status --raw-output .invitation "$work/made.json" >invitation
        openssl rand -hex 16 >password
        "$ardoise" --json join --invitation-file invitation --password-file password
        "$ardoise" --json login admin --password-file password
        "$ardoise" --json second-factor propose | jq --exit-status --raw-output .secret >secret
        "$ardoise" --json second-factor confirm --secret-file secret --new-code "$(code_of "$(cat secret)")"
        "$ardoise" --json token create bench --scope operate | jq --exit-status --raw-output .token >"$work/token"
    ) >"$work/came-in.log" || fail "nobody could come in: $(tail -n 2 "$work/came-in.log")"
}

# What an authenticator shows now for a secret (RFC 6238: SHA-1, 30 s, 6 digits).
code_of() {
    local key mac offset bytes
    local padding='======'
    key=$(printf '%s%s' "$1" "${padding:0:$(((8 - ${#1} % 8) % 8))}" | base32 --decode | od -An -v -tx1 | tr -d ' \n')
    bytes=$(printf '%016x' $(($(date +%s) / 30)) | sed 's/../\\x&/g')
    mac=$(printf '%b' "$bytes" | openssl dgst -sha1 -mac HMAC -macopt "hexkey:$key" -binary | od -An -v -tx1 | tr -d ' \n')
    offset=$((16#${mac:39:1} * 2))
    printf '%06d\n' $(((16#${mac:offset:8} & 0x7fffffff) % 1000000))
}

# What SCEP leaves behind: an invitation for each tablet, and its certificate bound to it. Asking for the certificates
# by SCEP would measure the generator's cryptography.
invite() {
    local uuid authority now
    now=$(date +%s%3N)
    authority=$(openssl x509 -in "$work/fleet/authority.pem" -noout -fingerprint -sha256 |
        sed 's/.*=//; s/://g' | tr 'A-F' 'a-f')
    case $engine in
    postgresql) uuid="overlay(gen_random_uuid()::text placing '7' from 15)" ;;
    sqlite)
        uuid="lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-7' || substr(hex(randomblob(2)), 2)
            || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
        ;;
    esac
    ask "INSERT INTO enrolments (id, tablet_id, platform, state, kind, supervision, topic, awaiting_configuration,
            takeover_id, created_at)
        SELECT $uuid, tablets.id, 'ipad', 'invited', 'link', 'unknown', takeovers.topic, false, takeovers.id, $now
        FROM takeovers JOIN tablets ON tablets.serial = takeovers.serial;
        INSERT INTO presence (enrolment_id, last_seen_at) SELECT id, created_at FROM enrolments;
        INSERT INTO push_states (enrolment_id, attempts) SELECT id, 0 FROM enrolments;
        INSERT INTO certificates (sha256, enrolment_id, authority_fingerprint, serial_number, state, issued_at, not_after)
        SELECT takeovers.certificate_sha256, enrolments.id, '$authority', '', 'issued', $now, $now + 31536000000
        FROM enrolments JOIN takeovers ON takeovers.id = enrolments.takeover_id"
    # What autovacuum does within a minute.
    for table in tablets enrolments presence push_states certificates takeovers; do ask "ANALYZE $table"; done
    [ "$(ask "SELECT count(*) FROM certificates")" = "$tablets" ] || fail "not every tablet has its certificate"
}

# Starts the server: with \`true\` its tablets' door is in the clear.
open_doors() {
    server_log=$work/server.log
    ARDOISE_TABLETS_PLAIN_HTTP=$1 "$ardoise" serve >>"$server_log" 2>&1 &
    server=$!
    local patience
    for patience in $(seq 600); do
        kill -0 "$server" 2>/dev/null || fail "the server did not start: $(tail -n 5 "$server_log")"
        if curl --silent --fail --output /dev/null "http://127.0.0.1:$people_port/readyz"; then
            doors=$1
            return
        fi
        sleep 0.05
    done
    fail "the server was not ready in $((patience / 20)) s: $(tail -n 5 "$server_log")"
}

close_doors() {
    [ -n "$server" ] || return 0
    kill -TERM "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
}

close_house() {
    close_doors
    rm -rf "$home"
}

close_everything() {
    close_doors
    rm -rf "$work"
}

# What the database does by itself.
yardstick_prepare() {
    case $engine in
    postgresql)
        psql --no-psqlrc --quiet --dbname="$ARDOISE_TEST_POSTGRESQL" \
            --command="DROP DATABASE IF EXISTS yardstick" --command="CREATE DATABASE yardstick"
        pgbench --initialize --quiet "${ARDOISE_TEST_POSTGRESQL%/*}/yardstick" 2>/dev/null
        ;;
    sqlite) "$bare_reads" make "$home/yardstick.db" ;;
    esac
}

yardstick() {
    case $engine in
    postgresql)
        pgbench --select-only --protocol=prepared --client=16 --jobs=2 --time=3 --no-vacuum \
            "${ARDOISE_TEST_POSTGRESQL%/*}/yardstick" 2>/dev/null | sed -n 's/^tps = \([0-9]*\).*/\1/p'
        ;;
    sqlite) "$bare_reads" read "$home/yardstick.db" 3 ;;
    esac
}

# fsync, synchronous_commit, full_page_writes, as JSON.
durability() {
    case $engine in
    postgresql)
        ask "SELECT json_object_agg(name, setting) FROM pg_settings
            WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')"
        ;;
    # synchronous=FULL: each commit is flushed, and the log holds whole pages.
    sqlite) printf '%s\n' '{"fsync":"on","synchronous_commit":"on","full_page_writes":"on"}' ;;
    esac
}
