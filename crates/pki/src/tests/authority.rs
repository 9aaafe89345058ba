//! The authority decides what a certificate says.

use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyParam;
use openssl::x509::{X509, X509ExtendedKeyUsage, X509KeyUsage, X509PurposeId, X509StoreContext};
use types::{EnrolmentId, Secret};

use crate::fixtures::{self, DAY, NOW, YEAR};
use crate::{Authority, AuthorityError, Fingerprint, IssueError, LeafRequest};

fn request(public_key_info: Vec<u8>) -> LeafRequest {
    LeafRequest {
        public_key_info,
        enrolment: EnrolmentId::new(NOW),
        not_before: NOW,
        not_after: NOW.plus(YEAR),
    }
}

/// Asks OpenSSL, as any TLS peer would.
fn verifies(authority: &Authority, leaf: &X509, purpose: X509PurposeId) -> bool {
    let mut store = X509StoreBuilder::new().unwrap();
    store.add_cert(X509::from_der(authority.certificate_der()).unwrap()).unwrap();
    let mut param = X509VerifyParam::new().unwrap();
    param.set_time(NOW.plus(DAY).as_seconds());
    param.set_purpose(purpose).unwrap();
    store.set_param(&param).unwrap();
    let chain = Stack::new().unwrap();
    let mut context = X509StoreContext::new().unwrap();
    context.init(&store.build(), leaf, &chain, |context| context.verify_cert()).unwrap()
}

#[test]
fn an_issued_certificate_says_what_the_authority_decided() {
    let authority = fixtures::authority("Ardoise");
    let request = request(fixtures::rsa_key().public_key_to_der().unwrap());
    let issued = authority.issue(&request).unwrap();
    let x509 = X509::from_der(&issued.der).unwrap();

    let names: Vec<String> = x509
        .subject_name()
        .entries()
        .map(|entry| String::from_utf8(entry.data().as_slice().to_vec()).unwrap())
        .collect();
    assert_eq!(names, [request.enrolment.to_string()]);
    assert_eq!(x509.key_usage(), Some(X509KeyUsage::DIGITAL_SIGNATURE | X509KeyUsage::KEY_ENCIPHERMENT));
    assert_eq!(x509.extended_key_usage(), Some(X509ExtendedKeyUsage::SSL_CLIENT));
    assert!(x509.subject_key_id().is_some());
    let authority_x509 = X509::from_der(authority.certificate_der()).unwrap();
    assert_eq!(
        x509.authority_key_id().unwrap().as_slice(),
        authority_x509.subject_key_id().unwrap().as_slice()
    );
    assert_eq!(issued.fingerprint, Fingerprint::of(&issued.der));
    assert_eq!(issued.not_after, request.not_after);
    assert!(verifies(&authority, &x509, X509PurposeId::SSL_CLIENT));
    assert!(!verifies(&authority, &x509, X509PurposeId::SSL_SERVER));
    assert!(!verifies(&fixtures::authority("Ardoise"), &x509, X509PurposeId::SSL_CLIENT));
}

#[test]
fn serial_numbers_are_random_and_128_bits_long() {
    let authority = fixtures::authority("Ardoise");
    let request = request(fixtures::ec_key().public_key_to_der().unwrap());
    let serials: std::collections::BTreeSet<String> =
        (0..20).map(|_| authority.issue(&request).unwrap().serial).collect();
    assert_eq!(serials.len(), 20);
    assert!(serials.iter().all(|serial| serial.len() == 32), "{serials:?}");
}

#[test]
fn t_a13_a_weak_key_is_refused() {
    let authority = fixtures::authority("Ardoise");
    let curve = |nid| {
        let group = EcGroup::from_curve_name(nid).unwrap();
        PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap().public_key_to_der().unwrap()
    };
    let rsa = |bits| PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap().public_key_to_der().unwrap();
    for weak in [
        rsa(1024),
        rsa(2040),
        curve(Nid::SECP224R1),
        curve(Nid::SECP256K1),
        PKey::generate_ed25519().unwrap().public_key_to_der().unwrap(),
    ] {
        assert!(matches!(authority.issue(&request(weak)), Err(IssueError::WeakKey(_))));
    }
    for strong in [rsa(2048), curve(Nid::X9_62_PRIME256V1), curve(Nid::SECP384R1)] {
        assert!(authority.issue(&request(strong)).is_ok());
    }
    assert!(matches!(authority.issue(&request(b"nonsense".to_vec())), Err(IssueError::UnreadableKey(_))));
}

#[test]
fn a_certificate_never_outlives_its_authority() {
    let authority = fixtures::authority("Ardoise");
    let key = fixtures::ec_key().public_key_to_der().unwrap();
    let long = LeafRequest { not_after: NOW.plus(YEAR * 50), ..request(key.clone()) };
    assert_eq!(authority.issue(&long).unwrap().not_after, authority.not_after());
    let late =
        LeafRequest { not_before: NOW.plus(YEAR * 20), not_after: NOW.plus(YEAR * 21), ..request(key) };
    assert!(matches!(authority.issue(&late), Err(IssueError::EmptyValidity { .. })));
}

#[test]
fn an_authority_is_loaded_from_what_was_stored() {
    let authority = fixtures::authority("Ardoise");
    let key = authority.key_der().unwrap();
    let again = Authority::from_parts(authority.certificate_der(), &key).unwrap();
    assert_eq!(again.fingerprint(), authority.fingerprint());

    let other = fixtures::authority("Ardoise");
    let mismatch = Authority::from_parts(other.certificate_der(), &key);
    assert!(matches!(mismatch, Err(AuthorityError::KeyMismatch)));
    let device = fixtures::Device::issued_by(&authority, fixtures::rsa_key());
    let leaf = Authority::from_parts(&device.der, &Secret::new(device.key.private_key_to_pkcs8().unwrap()));
    assert!(matches!(leaf, Err(AuthorityError::NotAnAuthority)));
    let ec = fixtures::ec_key().private_key_to_pkcs8().unwrap();
    let wrong_kind = Authority::from_parts(authority.certificate_der(), &Secret::new(ec));
    assert!(matches!(wrong_kind, Err(AuthorityError::Key)));
}

#[test]
fn an_authority_does_not_show_its_key() {
    let shown = format!("{:?}", fixtures::authority("Ardoise"));
    assert!(shown.starts_with("Authority { fingerprint: ") && shown.len() < 150, "{shown}");
}

#[test]
fn a_server_certificate_serves_its_names_and_is_no_client() {
    let authority = fixtures::authority("Ardoise");
    let names = ["mdm.example.org", "127.0.0.1", "::1", "localhost"];
    let server = authority.issue_server_certificate(&names, NOW, NOW.plus(DAY * 90)).unwrap();
    let x509 = X509::from_der(&server.certificate_der).unwrap();
    assert!(verifies(&authority, &x509, X509PurposeId::SSL_SERVER));
    assert!(!verifies(&authority, &x509, X509PurposeId::SSL_CLIENT));
    let alternatives = x509.subject_alt_names().unwrap();
    assert_eq!(alternatives.iter().filter_map(|name| name.dnsname()).count(), 2);
    assert_eq!(alternatives.iter().filter_map(|name| name.ipaddress()).count(), 2);
    assert_eq!(X509::stack_from_pem(server.chain_pem.as_bytes()).unwrap().len(), 2);
    let key = PKey::private_key_from_pem(server.key_pem.expose().as_bytes()).unwrap();
    assert!(key.public_eq(&x509.public_key().unwrap()));
}

#[test]
fn a_server_name_cannot_smuggle_in_others() {
    let authority = fixtures::authority("Ardoise");
    for bad in ["", "a,DNS:evil.example", "a b", "a..b", "-\u{e9}", "URI:x", "a/b", "*"] {
        let result = authority.issue_server_certificate(&[bad], NOW, NOW.plus(DAY));
        assert!(matches!(result, Err(IssueError::Name(_))), "{bad}");
    }
    assert!(authority.issue_server_certificate(&[], NOW, NOW.plus(DAY)).is_err());
}
