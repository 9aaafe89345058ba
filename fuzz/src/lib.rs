//! What the fuzz targets do with the bytes they are given: each function here is one of them.
//!
//! They call the rooms `apple`, `android` and `pki` as the tablets' door does, and hold what comes out against itself: what was
//! read and written again reads alike. A panic, an overflow, a stack that ends, a second without an answer or a
//! gigabyte of memory is a crash.

pub mod fixture;
pub mod scep_client;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use android::agent::call::{Method, Request};
use android::agent::{DeviceInfo, EnrolOptions, Locating, log};
use apple::checkin::CheckIn;
use apple::command::{Answer, Command, RequestType};
use apple::connect::{self, Report};
use apple::ddm::{DeclarationKind, Endpoint};
use apple::machine_info::MachineInfo;
use apple::plist::{Dictionary, Limits, Value};
use apple::profile::Profile;
use apple::status_report::{LONGEST_REPORT, StatusReport};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki::scep::{self, LegacyPolicy, OpenPolicy, ScepError};
use pki::{
    ExpiryPolicy, ForwardedCertificate, HandshakeCertificate, ProxyNetwork, TrustedProxies, TrustedProxy,
};

/// The bounded property list: whatever is read and written again reads alike.
///
/// # Panics
/// When it does not.
pub fn plist(bytes: &[u8]) {
    for limits in [Limits::CHECK_IN, Limits::CONNECT, Limits::PROFILE] {
        if let Ok(read) = apple::plist::parse(bytes, limits) {
            let written = apple::plist::to_xml(&read);
            // Written out it may be longer than what came, and past the limit; but never something else.
            if let Ok(again) = apple::plist::parse(&written, limits) {
                assert_eq!(apple::plist::to_xml(&again), written, "it reads otherwise the second time");
            } else {
                assert!(written.len() > bytes.len(), "what we wrote is refused");
            }
        }
    }
    // What a person uploads goes the same way, and is looked through for what erases.
    let _read = Profile::parse(bytes).map(|profile| profile.erasing_keys());
    let _read = Command::parse(bytes).map(|(command, uuid)| command.to_plist(&uuid));
}

/// What the open Android agent sends: bodies of every kind, and paths. What is kept is bounded, and a position is on the globe.
///
/// # Panics
/// When it is not.
pub fn agent(bytes: &[u8]) {
    let _options = EnrolOptions::parse(bytes);
    let longest = |text: &Option<String>| text.as_ref().map_or(0, |text| text.chars().count());
    if let Ok(info) = DeviceInfo::parse(bytes, Locating::UnderWarrant) {
        assert!(info.apps.len() <= 512 && info.files.len() <= 256, "a list is not bounded");
        assert!(longest(&info.model) <= 128 && longest(&info.device_id) <= 128, "a text is not bounded");
        if let Some(position) = &info.position {
            let position = position.expose();
            assert!(position.latitude.abs() <= 90.0 && position.longitude.abs() <= 180.0, "it is nowhere");
        }
        let blind = DeviceInfo::parse(bytes, Locating::Never).expect("it reads without its position too");
        assert!(blind.position.is_none(), "a position was read that nobody may read");
    }
    if let Ok(rows) = log::parse(bytes) {
        assert!(rows.len() <= 50, "the rows are not bounded");
    }
    let Ok(path) = std::str::from_utf8(bytes) else { return };
    for method in [Method::Get, Method::Post] {
        if let Some(request) = Request::read(method, path) {
            let segment = request.key.segment().expose();
            assert_eq!(path.split('/').nth(1), Some(segment.as_str()), "it is another key");
        }
    }
}

/// Check-in messages of every kind.
///
/// # Panics
/// When a message that was read cannot be read from what it is written as.
pub fn checkin(bytes: &[u8]) {
    let Ok(message) = CheckIn::parse(bytes) else { return };
    let _named = (message.udid(), message.enrollment_id(), message.user_id());
    let written = message.to_dictionary();
    let again =
        CheckIn::from_dictionary(&written).expect("a message that was read is written so that it reads");
    assert_eq!(again.message_type(), message.message_type());
    assert_eq!(in_order(&again.to_dictionary()), in_order(&written));
}

/// A dictionary as text, its keys in their order, as is that of unknown keys in no message: two of them compare, also
/// where a number is none.
fn in_order(dictionary: &Dictionary) -> String {
    fn sorted(value: &mut Value) {
        match value {
            Value::Dictionary(dictionary) => {
                dictionary.sort_keys();
                dictionary.values_mut().for_each(sorted);
            }
            Value::Array(values) => values.iter_mut().for_each(sorted),
            _ => {}
        }
    }
    let mut value = Value::Dictionary(dictionary.clone());
    sorted(&mut value);
    value
        .into_dictionary()
        .map(|sorted| String::from_utf8_lossy(&apple::plist::to_xml(&sorted)).into_owned())
        .unwrap_or_default()
}

/// Reports to the connect URL, read as the answer to each kind of command.
pub fn connect(bytes: &[u8]) {
    let Ok(report) = Report::parse(bytes) else { return };
    let _words = connect::error_words(&report.error_chain);
    for kind in RequestType::ALL {
        let _read = Answer::parse(*kind, &report.body).map(|answer| answer.to_dictionary());
    }
}

/// The declarative protocol: an endpoint up to the first line's end, then a status report.
///
/// # Panics
/// When an endpoint that was read does not name what it was read from, or a status report is not carried whole.
pub fn declarative(bytes: &[u8]) {
    let (endpoint, status) = match bytes.iter().position(|byte| *byte == b'\n') {
        None => (bytes, &[][..]),
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
    };
    let endpoint = String::from_utf8_lossy(endpoint);
    if let Ok(Endpoint::Declaration { kind, identifier }) = endpoint.parse() {
        assert_eq!(endpoint, format!("declaration/{}/{identifier}", DeclarationKind::as_str(kind)));
    }
    let mut message = Dictionary::new();
    message.insert("MessageType".into(), "DeclarativeManagement".into());
    message.insert("UDID".into(), "00008020-0011223344556677".into());
    message.insert("Endpoint".into(), endpoint.as_ref().into());
    message.insert("Data".into(), Value::Data(status.to_vec()));
    // Over the wire: what XML cannot carry is not carried.
    let Ok(CheckIn::DeclarativeManagement(read)) = CheckIn::parse(&apple::plist::to_xml(&message)) else {
        return;
    };
    assert_eq!(read.data.map(|data| data.expose().clone()).unwrap_or_default(), status);
}

/// A status report: what it says of declarations and of the tablet, bounded whatever it says.
///
/// # Panics
/// When more is kept than is to be, or what moves a cursor.
pub fn status_report(bytes: &[u8]) {
    let Ok(report) = StatusReport::parse(bytes) else { return };
    assert!(bytes.len() <= LONGEST_REPORT);
    assert!(report.declarations.len() + report.removed.len() <= 4 * 500, "four kinds of declarations");
    let bounded = |text: &str| text.chars().count() <= 256 && !text.chars().any(char::is_control);
    for one in &report.declarations {
        assert!(bounded(&one.identifier) && bounded(&one.server_token) && bounded(&one.valid), "{one:?}");
        assert!(one.reasons.len() <= 8, "{one:?}");
        // A reason is a code and its words, each bounded.
        assert!(one.reasons.iter().all(|why| why.chars().count() <= 2 * 256 + 3), "{one:?}");
    }
    assert!(report.removed.iter().map(String::as_str).chain(report.os_version.as_deref()).all(bounded));
}

/// Automated enrolment: the signed message, and what it holds.
pub fn machine_info(bytes: &[u8]) {
    let authorities = &fixture::get().device_authorities;
    let _read = pki::verify_machine_info(bytes, authorities, fixture::NOW)
        .map(|signed| MachineInfo::parse(signed.content()));
    let _read = MachineInfo::parse(bytes);
}

/// BER, and CMS signatures in every place where a tablet may put one.
///
/// # Panics
/// When what was turned into DER is not DER.
pub fn cms(bytes: &[u8]) {
    let limits = pki::Limits::bytes(1 << 20);
    if let Ok(der) = pki::to_der(bytes, limits) {
        assert!(der.len() <= bytes.len().saturating_mul(2), "it grew from {} to {}", bytes.len(), der.len());
        assert_eq!(pki::to_der(&der, limits).as_deref(), Ok(der.as_slice()), "not DER yet");
    }
    let _read = pki::verify_attached(bytes, limits);
    let _read = pki::open_signed_profile(bytes, limits);
    let _read = pki::mdm_signature::check(&STANDARD.encode(bytes), b"<plist/>");
    let _read = pki::mdm_signature::check(&String::from_utf8_lossy(bytes), b"<plist/>");
}

/// A SCEP PKIOperation, as it comes.
///
/// # Panics
/// When a refusal cannot be written.
pub fn scep(bytes: &[u8]) {
    open(bytes);
}

/// What stands inside a SCEP message that is signed as it must be: an envelope if the first byte is even, and inside
/// a proper envelope a certificate request if it is odd.
///
/// # Panics
/// When a refusal cannot be written.
pub fn scep_inside(bytes: &[u8]) {
    let Some((first, inside)) = bytes.split_first() else { return };
    let client = &fixture::get().client;
    let message = if first % 2 == 0 { client.sign(inside) } else { client.sign(&client.envelope(inside)) };
    open(&message);
}

/// Opens a message, and goes as far as a door does before it asks the database.
fn open(message: &[u8]) {
    let authorities = &fixture::get().authorities;
    let policy = OpenPolicy { legacy: LegacyPolicy::refuse(), renewal_expiry: ExpiryPolicy::Refuse };
    match scep::open(message, authorities, fixture::NOW, policy) {
        Ok(request) => {
            let _seen = (request.transaction_id(), request.message_type(), request.signer(), request.csr());
            let _leads_to = request.issuance().map(|issuance| issuance.kind());
        }
        Err(ScepError::Refused(refused)) => {
            scep::certrep_failure(&refused.requester, refused.fail_info, authorities)
                .expect("who can be refused can be told so");
        }
        Err(_unreadable) => {}
    }
}

/// The header in which a proxy names a certificate (RFC 9440), and the certificate that a handshake brings.
pub fn forwarded(bytes: &[u8]) {
    static PROXY: LazyLock<TrustedProxy> = LazyLock::new(|| {
        let network: ProxyNetwork = "127.0.0.1".parse().expect("an address");
        let proxies = TrustedProxies::new(vec![network]);
        proxies.recognise(IpAddr::V4(Ipv4Addr::LOCALHOST)).expect("it is configured")
    });
    let trusted = fixture::get().authorities.trusted();
    let as_bytes = format!(":{}:", STANDARD.encode(bytes));
    for value in [String::from_utf8_lossy(bytes).as_ref(), &as_bytes] {
        if let Ok(certificate) = ForwardedCertificate::from_header(*PROXY, value) {
            let _who = trusted.identify_forwarded(&certificate, fixture::NOW, ExpiryPolicy::Refuse);
        }
    }
    let shown = HandshakeCertificate::from_completed_handshake(bytes.to_vec());
    let _who = trusted.identify_tls(&shown, fixture::NOW, ExpiryPolicy::Refuse);
}
