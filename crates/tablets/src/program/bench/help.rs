//! What `--help` teaches about loads.

/// How to load a server, step by step.
pub(super) const LOADING: &str = "\
LOADING A SERVER, STEP BY STEP
A tablet is served if the server trusts the authority of its certificate, and knows it. So: make tablets, tell the \
server of their authority, let them enrol there or import them, then measure.

NanoMDM, which takes whoever its authority certified:
  1  tablets seed fleet --tablets 1000 --server-url http://127.0.0.1:9000/mdm --topic com.apple.mgmt.External.x
  2  NANO_KEY=secret; nanomdm -ca fleet/authority.pem -listen 127.0.0.1:9000 -api $NANO_KEY
  3  tablets bench enrol fleet --auth signature             every tablet says Authenticate and TokenUpdate
  4  tablets bench idle fleet --auth signature --sign-beforehand --connections 64
     tablets bench cycle fleet --auth signature --dialect nanomdm --api http://127.0.0.1:9000 --secret env:NANO_KEY
  Behind a proxy that ends TLS, NanoMDM reads the certificate from a header: start it with
  -cert-header Client-Cert and load it with --auth header.

Ardoise, which admits only tablets of its inventory. Either they enrol by a link, with SCEP:
  1  ardoise inventory import tablets.csv; ardoise link create --uai 0761234A --max-uses 1000
  2  tablets bench enrol school --link https://… --serials tablets.csv --trust ardoise-home/authority.pem
or a seeded fleet moves in, with `takeover.enabled = true` and `takeover.paths = [\"/mdm\"]` in its configuration:
  1  tablets seed school --tablets 1000 --server-url https://localhost:8443/mdm --topic com.apple.mgmt.External.x
  2  ardoise inventory import school/inventory.csv
     ardoise takeover import school/takeover.csv --authority school/authority.pem
and then, with the token of an operator in ARDOISE_TOKEN:
  3  tablets bench idle school --trust ardoise-home/authority.pem --connections 64
     tablets bench cycle school --trust ardoise-home/authority.pem \\
       --dialect ardoise --api https://localhost:9443 --secret env:ARDOISE_TOKEN

Any other server: seed with its address, add fleet/authority.pem to the authorities it trusts for tablets, `bench \
enrol`, then measure. How it queues commands is told by --enqueue-url and --enqueue-body: `bench cycle --help`.

Trust (--trust) is about the server's own certificate: a PEM file with its authority, or with the certificate itself.
Load from another machine if you can: on the same one, the client's cryptography and the server share processors.";

/// What figures mean.
pub(super) const FIGURES: &str = "\
One line of JSON with --json: bench, auth, tls, tablets, connections, seconds, requests, errors, rate, p50_ms, p90_ms, \
p99_ms, max_ms … `requests` are operations that were right, and latencies are theirs; whatever is not 200 with the \
expected content is an error, and then the exit code is 1. Tablets first carry out what was queued for them; those \
that the server does not serve are left out and told.

With mTLS a TLS session is one tablet's. Unless told otherwise each connection is kept and belongs to one tablet: \
--connections 64 means 64 tablets, and no handshake is measured. `--turn 1` lets the next tablet take its place after \
each operation, with a handshake, as a fleet does that wakes up. With signatures and headers a connection is the \
proxy's, and all tablets take turns on it.

  tablets bench idle fleet --connections 64 --for 30s            as fast as it goes
  tablets bench idle fleet --connections 256 --rate 2000         2,000 a second; is p99 still good?
  tablets bench idle fleet --turn 1 --tablets 10000              with a handshake for each request";

/// How commands are queued.
pub(super) const CYCLE: &str = "\
An operation queues a command, lets the tablet fetch it (it must be that one) and acknowledge it (nothing may follow). \
The tablet answers as an iPad would. Latency is that of all three; `steps` has each.

  tablets bench cycle fleet --dialect nanomdm --api http://127.0.0.1:9000 --secret env:NANO_KEY --auth signature
  tablets bench cycle fleet --dialect ardoise --api https://localhost:9443 --secret file:token --trust server.pem
A server that is not known, described:
  tablets bench cycle fleet --enqueue-url 'https://mdm.example.org/v1/commands' \\
    --enqueue-header 'Authorization: Basic {basic:micromdm}' --secret env:API_KEY \\
    --enqueue-header 'Content-Type: application/json' --enqueue-uuid-at /payload/command_uuid \\
    --enqueue-body '{\"udid\":\"{udid}\",\"request_type\":\"ProfileList\"}'

What figures mean: `tablets bench idle --help`.";

/// Who enrols, and how.
pub(super) const ENROL: &str = "\
Without --link, --links, --machine-info or --profile, the tablets of the folder enrol with the certificates they have: \
Authenticate and TokenUpdate, once each, until none is left. With one of them, tablets that are new get their \
identities by SCEP: `steps` then has profile, scep, authenticate and token-update, and the tablets are kept in the \
folder for the loads that follow. `identities` in the figures says which it was.

  tablets bench enrol fleet --auth signature --connections 32
  tablets bench enrol school --link https://localhost:8443/enrol/kJ8x --serials inventory.csv --trust server.pem

The client makes four RSA operations for each SCEP enrolment; on the server's own machine they count against it.
What figures mean: `tablets bench idle --help`.";
