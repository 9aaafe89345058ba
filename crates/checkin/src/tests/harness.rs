//! A door over a fresh SQLite database, and what comes back through it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use actix_web::App;
use actix_web::body::to_bytes;
use actix_web::http::{Method, StatusCode, header::HeaderMap};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{HttpMessage as _, http::header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fleet::{Fleet, Settings, TakeoverPolicy, UploadLimits};
use openssl::asn1::Asn1Time;
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::{X509, X509Name};
use pki::{Authority, AuthorityKey, LeafRequest};
use store::authorities::{self, AuthorityKind, AuthorityState};
use store::{DatabaseUrl, Store, StoreOptions, Vault};
use types::{AuthorityId, Clock as _, Duration, EnrolmentId, Instant, ManualClock};

use crate::{DoorSettings, DoorState, PeerCertificate, routes};

/// A door of one test. Its database goes with it.
pub(super) struct TestDoor {
    pub(super) state: Arc<DoorState>,
    pub(super) clock: ManualClock,
    folder: tempfile::TempDir,
}

impl TestDoor {
    /// A door with the default settings.
    pub(super) async fn open() -> Self {
        Self::with(DoorSettings::default()).await
    }

    pub(super) async fn with(settings: DoorSettings) -> Self {
        Self::with_both(settings, None).await
    }

    /// A door that admits no older system to automated enrolment.
    pub(super) async fn from_version(minimum_os: &str) -> Self {
        Self::with_both(DoorSettings::default(), Some(minimum_os)).await
    }

    async fn with_both(settings: DoorSettings, minimum_os: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new();
        let fleet = fleet(folder.path(), clock.now(), minimum_os).await;
        let state = DoorState::new(fleet, Arc::new(clock.clone()), settings).unwrap();
        Self { state: Arc::new(state), clock, folder }
    }

    /// Overwrites every file of the database, as a broken disk would.
    pub(super) fn destroy_the_database(&self) {
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let length = usize::try_from(std::fs::metadata(&path).unwrap().len()).unwrap();
            std::fs::write(path, vec![0xa5; length]).unwrap();
        }
    }

    /// Sends one request and reads its answer.
    pub(super) async fn send(&self, request: Request) -> Answer {
        let service = init_service(App::new().configure(routes(&self.state))).await;
        let mut test =
            TestRequest::default().method(request.method).uri(&request.uri).peer_addr(request.peer);
        for (name, value) in &request.headers {
            test = test.append_header((*name, value.as_str()));
        }
        let sent = test.set_payload(request.body).to_request();
        if let Some(certificate) = request.certificate {
            sent.extensions_mut().insert(PeerCertificate(certificate));
        }
        let response = call_service(&service, sent).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body()).await.unwrap().to_vec();
        Answer { status, headers, body }
    }
}

/// A request to the door, from an address that is no proxy's unless said otherwise.
#[derive(Debug, Clone)]
pub(super) struct Request {
    method: Method,
    uri: String,
    peer: SocketAddr,
    headers: Vec<(&'static str, String)>,
    certificate: Option<Vec<u8>>,
    body: Vec<u8>,
}

impl Request {
    pub(super) fn new(method: Method, uri: impl Into<String>) -> Self {
        let peer = SocketAddr::from(([192, 0, 2, 1], 50_000));
        Self { method, uri: uri.into(), peer, headers: Vec::new(), certificate: None, body: Vec::new() }
    }

    pub(super) fn get(uri: impl Into<String>) -> Self {
        Self::new(Method::GET, uri)
    }

    pub(super) fn post(uri: impl Into<String>) -> Self {
        Self::new(Method::POST, uri)
    }

    pub(super) fn put(uri: impl Into<String>) -> Self {
        Self::new(Method::PUT, uri)
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn peer(mut self, address: [u8; 4]) -> Self {
        self.peer = SocketAddr::from((address, 50_000));
        self
    }

    pub(super) fn certificate(mut self, der: &[u8]) -> Self {
        self.certificate = Some(der.to_vec());
        self
    }

    pub(super) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn content_type(&self) -> &str {
        self.header(header::CONTENT_TYPE.as_str())
    }

    /// 401 and 403 make a tablet leave management.
    pub(super) fn unenrols(&self) -> bool {
        matches!(self.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
    }
}

/// A tablet's key and certificate.
pub(super) struct Tablet {
    pub(super) certificate: Vec<u8>,
    key: PKey<Private>,
}

impl Tablet {
    /// A tablet with a certificate of the door's own authority, which no database has heard of.
    pub(super) fn of(door: &TestDoor) -> Self {
        let key = key();
        let now = door.clock.now();
        let authorities = door.state.fleet.authorities();
        let issued = authorities
            .issuing()
            .current()
            .issue(&LeafRequest {
                public_key_info: key.public_key_to_der().unwrap(),
                enrolment: EnrolmentId::new(now),
                not_before: now,
                not_after: now.plus(Duration::from_secs(86_400)),
            })
            .unwrap();
        Self { certificate: issued.der, key }
    }

    /// A stranger who vouches for itself.
    pub(super) fn self_signed() -> Self {
        let key = key();
        let mut builder = X509::builder().unwrap();
        let mut name = X509Name::builder().unwrap();
        name.append_entry_by_text("CN", "tablet").unwrap();
        let name = name.build();
        builder.set_version(2).unwrap();
        builder.set_subject_name(&name).unwrap();
        builder.set_issuer_name(&name).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self { certificate: builder.build().to_der().unwrap(), key }
    }

    /// The `Mdm-Signature` of a body.
    pub(super) fn signature(&self, body: &[u8]) -> String {
        let certificate = X509::from_der(&self.certificate).unwrap();
        let options = CMSOptions::DETACHED | CMSOptions::BINARY;
        let signed =
            CmsContentInfo::sign(Some(&certificate), Some(&self.key), None, Some(body), options).unwrap();
        STANDARD.encode(signed.to_der().unwrap())
    }

    /// The `Client-Cert` of RFC 9440.
    pub(super) fn client_cert(&self) -> String {
        format!(":{}:", STANDARD.encode(&self.certificate))
    }
}

pub(super) fn key() -> PKey<Private> {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&curve).unwrap()).unwrap()
}

/// One authority for all doors of a test: its key takes a while to make.
fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let validity = Duration::from_secs(365 * 86_400);
        Authority::generate_with("Ardoise", ManualClock::new().now(), validity, AuthorityKey::Rsa2048)
            .unwrap()
    })
}

/// Real use cases over a new database, with the test's authority in it.
async fn fleet(folder: &Path, now: Instant, minimum_os: Option<&str>) -> Fleet {
    let url = DatabaseUrl::sqlite(folder.join("ardoise.sqlite"));
    Store::migrate(url.clone()).await.unwrap();
    let vault = Vault::parse(&Vault::generate_key_line("test")).unwrap();
    let store = Store::open(StoreOptions::new(url), vault).await.unwrap();
    let authority = authority();
    let row = authorities::Authority {
        id: AuthorityId::new(now),
        kind: AuthorityKind::Own,
        state: AuthorityState::Current,
        certificate: authority.certificate_der().to_vec(),
        fingerprint: store::Digest::from(*authority.fingerprint().as_bytes()),
        created_at: now,
    };
    let key = authority.key_der().unwrap();
    store.write(move |tx| authorities::insert(tx, &row, Some(&key))).await.unwrap();
    let settings = Settings {
        organisation: "Département de test".to_owned(),
        tablets_url: "https://tablettes.example".parse().unwrap(),
        setup_waits: Duration::from_secs(1_800),
        challenge_lifetime: Duration::from_secs(3_600),
        identity_lifetime: Duration::from_secs(365 * 86_400),
        scep_legacy: pki::scep::LegacyPolicy::default(),
        minimum_os: minimum_os.map(|version| version.parse().unwrap()),
        profile_signer: None,
        anchors: Vec::new(),
        takeover: TakeoverPolicy::Closed,
        quiet_hours: None,
        erasures: fleet::EraseTerms::default(),
        notices: fleet::NoticeSettings::default(),
        shared_folder: None,
        warrants: fleet::WarrantLimits::default(),
        lost_mode: fleet::LostModeWords::default(),
        uploads: UploadLimits::default(),
    };
    Fleet::open(store, settings).await.unwrap()
}
