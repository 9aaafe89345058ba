//! Who is believed, and on what evidence.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::asn1::{Asn1Object, Asn1OctetString};
use openssl::x509::X509Extension;
use openssl::x509::extension::ExtendedKeyUsage;
use types::Duration;

use crate::fixtures::{self, DAY, Device, NOW, YEAR};
use crate::{
    Authorities, AuthorityKind, DeviceIdentity, ExpiryPolicy, Fingerprint, ForwardedCertificate,
    ForwardedError, HandshakeCertificate, IdentityError, Proof, TrustedAuthorities, TrustedProxies,
    TrustedProxy, UntrustworthyAuthority, Validity,
};

fn over_tls(trusted: &TrustedAuthorities, der: &[u8]) -> Result<DeviceIdentity, IdentityError> {
    let peer = HandshakeCertificate::from_completed_handshake(der.to_vec());
    trusted.identify_tls(&peer, NOW.plus(DAY), ExpiryPolicy::Refuse)
}

fn trusting(authority: &crate::Authority) -> TrustedAuthorities {
    Authorities::new(authority.clone()).unwrap().trusted().clone()
}

#[test]
fn t_a1_an_identity_is_a_certificate_and_not_what_it_says() {
    let authority = fixtures::authority("Ardoise");
    let trusted = trusting(&authority);
    let (a, b) = (
        Device::issued_by(&authority, fixtures::ec_key()),
        Device::issued_by(&authority, fixtures::ec_key()),
    );
    let (a_identity, b_identity) = (over_tls(&trusted, &a.der).unwrap(), over_tls(&trusted, &b.der).unwrap());
    assert_eq!(a_identity.fingerprint(), Fingerprint::of(&a.der));
    assert_ne!(a_identity.fingerprint(), b_identity.fingerprint());
    assert_eq!(a_identity.authority(), authority.fingerprint());
    assert_eq!((a_identity.validity(), a_identity.proof()), (Validity::Current, Proof::Handshake));
    assert_eq!(a_identity.not_after(), NOW.plus(YEAR));
}

#[test]
fn t_a3_a_self_signed_certificate_with_a_copied_subject_is_nobody() {
    let authority = fixtures::authority("Ardoise");
    let trusted = trusting(&authority);
    let device = Device::issued_by(&authority, fixtures::ec_key());
    let subject = device.x509().subject_name().entries().next().unwrap().data().to_string().unwrap();
    let copy = Device::self_signed(&subject, fixtures::ec_key());
    assert!(matches!(over_tls(&trusted, &copy.der), Err(IdentityError::SelfSigned)));
}

#[test]
fn t_a3_an_authority_of_the_same_name_is_foreign() {
    let trusted = trusting(&fixtures::authority("Ardoise"));
    let impostor = fixtures::authority("Ardoise");
    let device = Device::issued_by(&impostor, fixtures::ec_key());
    assert!(matches!(over_tls(&trusted, &device.der), Err(IdentityError::Foreign)));
    let own = impostor.certificate_der();
    assert!(matches!(over_tls(&trusted, own), Err(IdentityError::SelfSigned)));
}

#[test]
fn t_a3_an_issuer_name_without_its_signature_is_foreign() {
    let trusted = trusting(&fixtures::authority("Ardoise"));
    let key = fixtures::ec_key();
    let forged = fixtures::certificate("x", "Ardoise", &key, &fixtures::rsa_key(), |_builder| {});
    assert!(matches!(over_tls(&trusted, &forged), Err(IdentityError::Foreign)));
}

#[test]
fn certificates_of_ours_that_are_not_a_tablets_identify_nobody() {
    let authority = fixtures::authority("Ardoise");
    let trusted = trusting(&authority);
    let server = authority.issue_server_certificate(&["mdm.example.org"], NOW, NOW.plus(YEAR)).unwrap();
    assert!(matches!(over_tls(&trusted, &server.certificate_der), Err(IdentityError::NotAClient)));
    assert!(matches!(over_tls(&trusted, authority.certificate_der()), Err(IdentityError::NotAClient)));
}

#[test]
fn an_unknown_critical_extension_is_refused() {
    let authority = fixtures::authority("Ardoise");
    let trusted = trusting(&authority);
    let with_extension = |critical| {
        let key = fixtures::ec_key();
        fixtures::certificate("x", "Ardoise", &key, &authority.key, |builder| {
            let oid = Asn1Object::from_str("1.3.6.1.4.1.55555.1").unwrap();
            let value = Asn1OctetString::new_from_bytes(&[5, 0]).unwrap();
            builder.append_extension(X509Extension::new_from_der(&oid, critical, &value).unwrap()).unwrap();
            builder.append_extension(ExtendedKeyUsage::new().client_auth().build().unwrap()).unwrap();
        })
    };
    assert!(over_tls(&trusted, &with_extension(false)).is_ok());
    let critical = over_tls(&trusted, &with_extension(true));
    assert!(matches!(critical, Err(IdentityError::UnknownCriticalExtension)));
}

#[test]
fn t_a3_what_was_vetted_once_vouches_for_no_other_bytes_and_no_other_authorities() {
    let authority = fixtures::authority("Ardoise");
    let trusted = trusting(&authority);
    let device = Device::issued_by(&authority, fixtures::ec_key());
    let first = over_tls(&trusted, &device.der).unwrap();
    assert_eq!(over_tls(&trusted, &device.der).unwrap(), first, "remembered, and the same");
    for place in 0..device.der.len() {
        let mut other = device.der.clone();
        other[place] ^= 1;
        assert!(over_tls(&trusted, &other).is_err(), "byte {place}");
    }
    assert!(matches!(
        over_tls(&trusting(&fixtures::authority("Ardoise")), &device.der),
        Err(IdentityError::Foreign)
    ));
    // A certificate that was nobody's is looked at again when its authority is trusted.
    let another = fixtures::authority("Another");
    let theirs = Device::issued_by(&another, fixtures::ec_key());
    assert!(over_tls(&trusted, &theirs.der).is_err());
    let mut both = trusted.clone();
    both.add(AuthorityKind::TakenOver, another.certificate_der()).unwrap();
    assert_eq!(over_tls(&both, &theirs.der).unwrap().authority_kind(), AuthorityKind::TakenOver);
    assert!(over_tls(&trusted, &theirs.der).is_err(), "nor does the larger circle vouch for the smaller one");
}

#[test]
fn expiry_is_a_policy_and_shows() {
    let authority = fixtures::authority("Ardoise");
    let trusted = trusting(&authority);
    let device = Device::issued_by(&authority, fixtures::ec_key());
    let peer = HandshakeCertificate::from_completed_handshake(device.der);
    let end = NOW.plus(YEAR);
    let at = |now, expiry| trusted.identify_tls(&peer, now, expiry).map(|identity| identity.validity());
    let second = Duration::from_secs(1);
    let week = ExpiryPolicy::AdmitFor(DAY * 7);

    assert_eq!(at(NOW, ExpiryPolicy::Refuse).unwrap(), Validity::Current);
    assert_eq!(at(end, ExpiryPolicy::Refuse).unwrap(), Validity::Current);
    let expired = at(end.plus(second), ExpiryPolicy::Refuse);
    assert!(matches!(expired, Err(IdentityError::Expired { not_after }) if not_after == end));
    assert_eq!(at(end.plus(DAY * 7), week).unwrap(), Validity::Expired);
    assert!(matches!(at(end.plus(DAY * 7 + second), week), Err(IdentityError::Expired { .. })));
    assert_eq!(at(end.plus(YEAR * 3), ExpiryPolicy::Admit).unwrap(), Validity::Expired);
    for policy in [ExpiryPolicy::Refuse, week, ExpiryPolicy::Admit] {
        let early = at(NOW.minus(second), policy);
        assert!(matches!(early, Err(IdentityError::NotYetValid { not_before }) if not_before == NOW));
    }
}

#[test]
fn authorities_before_a_rotation_and_taken_over_still_count_each_by_its_kind() {
    let [current, previous, other] = ["new", "old", "theirs"].map(fixtures::authority);
    let their_pem = openssl::x509::X509::from_der(other.certificate_der()).unwrap().to_pem().unwrap();
    let authorities = Authorities::new(current.clone())
        .unwrap()
        .with_previous(previous.clone())
        .unwrap()
        .with_taken_over(&their_pem)
        .unwrap();
    for (authority, kind) in [
        (&current, AuthorityKind::Current),
        (&previous, AuthorityKind::Previous),
        (&other, AuthorityKind::TakenOver),
    ] {
        let device = Device::issued_by(authority, fixtures::ec_key());
        let identity = over_tls(authorities.trusted(), &device.der).unwrap();
        assert_eq!((identity.authority_kind(), identity.authority()), (kind, authority.fingerprint()));
    }
    assert!(authorities.find(previous.fingerprint()).is_some());
    assert!(authorities.find(other.fingerprint()).is_none(), "we do not hold its key");
}

#[test]
fn a_tablets_certificate_cannot_become_an_authority() {
    let authority = fixtures::authority("Ardoise");
    let device = Device::issued_by(&authority, fixtures::ec_key());
    let refused = Authorities::new(authority.clone()).unwrap().with_taken_over(&device.der);
    assert!(matches!(refused, Err(UntrustworthyAuthority::NotAnAuthority)));
}

#[test]
fn one_certificate_has_one_fingerprint() {
    let authority = fixtures::authority("Ardoise");
    let trusted = trusting(&authority);
    let device = Device::issued_by(&authority, fixtures::ec_key());
    let trailing = [device.der.as_slice(), &[0]].concat();
    for other in [trailing, fixtures::to_loose_ber(&device.der), device.der[..100].to_vec(), Vec::new()] {
        assert!(matches!(over_tls(&trusted, &other), Err(IdentityError::Malformed(_))));
    }
}

fn proxy() -> TrustedProxy {
    TrustedProxies::new(vec!["192.0.2.0/24".parse().unwrap()])
        .recognise("192.0.2.7".parse().unwrap())
        .unwrap()
}

#[test]
fn t_a4_only_a_configured_proxy_is_recognised() {
    let proxies = TrustedProxies::new(
        ["192.0.2.0/24", "198.51.100.7", "2001:db8::/32"].map(|network| network.parse().unwrap()).to_vec(),
    );
    for (peer, known) in [
        ("192.0.2.255", true),
        ("192.0.3.0", false),
        ("198.51.100.7", true),
        ("198.51.100.8", false),
        ("2001:db8:1::1", true),
        ("2001:db9::1", false),
        ("::ffff:192.0.2.1", true),
        ("::1", false),
        ("127.0.0.1", false),
    ] {
        assert_eq!(proxies.recognise(peer.parse().unwrap()).is_some(), known, "{peer}");
    }
    assert!(TrustedProxies::default().recognise("127.0.0.1".parse().unwrap()).is_none());
    let everyone = TrustedProxies::new(vec!["0.0.0.0/0".parse().unwrap()]);
    assert!(everyone.recognise("203.0.113.9".parse().unwrap()).is_some());
    for bad in ["", "192.0.2.0/33", "2001:db8::/129", "192.0.2.0/", "192.0.2.0/-1", "proxy.example"] {
        assert!(bad.parse::<crate::ProxyNetwork>().is_err(), "{bad}");
    }
}

#[test]
fn both_forms_of_a_forwarded_certificate_identify() {
    let authority = fixtures::authority("Ardoise");
    let trusted = trusting(&authority);
    let device = Device::issued_by(&authority, fixtures::rsa_key());
    let base64 = STANDARD.encode(&device.der);
    let pem = String::from_utf8(device.x509().to_pem().unwrap()).unwrap();
    let escaped: String = pem
        .chars()
        .map(|c| match c {
            ' ' => String::from("%20"),
            '\n' => String::from("%0A"),
            '=' => String::from("%3d"),
            '/' => String::from("%2F"),
            c => c.to_string(),
        })
        .collect();
    for value in [format!(":{base64}:"), format!("  :{}:\t", base64.trim_end_matches('=')), escaped.clone()] {
        let forwarded = ForwardedCertificate::from_header(proxy(), &value).unwrap();
        let identity = trusted.identify_forwarded(&forwarded, NOW, ExpiryPolicy::Refuse).unwrap();
        assert_eq!((identity.fingerprint(), identity.proof()), (Fingerprint::of(&device.der), Proof::Proxy));
    }
}

#[test]
fn t_a4_a_forwarded_certificate_is_read_strictly() {
    let authority = fixtures::authority("Ardoise");
    let device = Device::issued_by(&authority, fixtures::ec_key());
    let base64 = STANDARD.encode(&device.der);
    let pem = String::from_utf8(device.x509().to_pem().unwrap()).unwrap();
    for bad in [
        String::new(),
        String::from(":"),
        base64.clone(),
        format!(":{base64}:, :{base64}:"),
        format!(":{base64}"),
        format!(":{base64}%:"),
        format!(":{}:", base64.replacen('M', "%4d", 1)),
        String::from("%"),
        String::from("%zz"),
        format!("Subject: x\n{pem}"),
    ] {
        assert!(
            matches!(ForwardedCertificate::from_header(proxy(), &bad), Err(ForwardedError::Form)),
            "{bad}"
        );
    }
    let two = ForwardedCertificate::from_header(proxy(), &format!("{pem}{pem}"));
    assert!(matches!(two, Err(ForwardedError::Malformed(_))));
    let trailing = [device.der.as_slice(), &[0]].concat();
    for nonsense in [b"nonsense".as_slice(), b"", &trailing] {
        let forwarded =
            ForwardedCertificate::from_header(proxy(), &format!(":{}:", STANDARD.encode(nonsense))).unwrap();
        let refused = trusting(&authority).identify_forwarded(&forwarded, NOW, ExpiryPolicy::Admit);
        assert!(matches!(refused, Err(IdentityError::Malformed(_))), "{refused:?}");
    }
    let long = "a".repeat(20_000);
    assert!(matches!(
        ForwardedCertificate::from_header(proxy(), &long),
        Err(ForwardedError::TooLong(20_000))
    ));
}
