//! A device of Apple's is believed, and nothing else.

use openssl::x509::extension::BasicConstraints;
use types::Duration;

use crate::fixtures::{self, Device, HandmadeSigner, NOW, YEAR, handmade};
use crate::{
    Authority, AuthorityKey, DeviceCertificateAuthorities, Fingerprint, MachineInfoError, SignatureError,
    sign_attached, verify_machine_info,
};

const INFO: &[u8] = b"<plist><dict><key>SERIAL</key><string>DMPXK1ABCD12</string></dict></plist>";

fn simulated(authority: &Authority) -> DeviceCertificateAuthorities {
    DeviceCertificateAuthorities::for_simulation(authority.certificate_der()).unwrap()
}

/// A device whose certificate is valid for a year from [`NOW`].
fn device(issuer: &str, authority: &Authority) -> Device {
    let key = fixtures::rsa_key();
    let der = fixtures::certificate("device", issuer, &key, &authority.key, |_builder| {});
    Device { key, der }
}

#[test]
fn t_a9_a_device_is_believed_though_its_authority_has_expired() {
    // Like Apple's: valid for seven years, twelve years ago.
    let authority =
        Authority::generate_with("Device CA", NOW.minus(YEAR * 19), YEAR * 7, AuthorityKey::Rsa2048).unwrap();
    assert!(authority.not_after() < NOW);
    let device = device("Device CA", &authority);
    let message = sign_attached(INFO, &device.signing_key()).unwrap();
    for message in [message.clone(), fixtures::to_loose_ber(&message)] {
        let info = verify_machine_info(&message, &simulated(&authority), NOW).unwrap();
        assert_eq!(info.content(), INFO);
        assert_eq!(info.device_certificate(), Fingerprint::of(&device.der));
    }
}

#[test]
fn t_a9_a_sha_1_signature_of_an_old_device_is_believed() {
    let authority = fixtures::authority("Device CA");
    let device = device("Device CA", &authority);
    let message = crate::cms_sign::sign(
        INFO,
        crate::cms_sign::Carried::Attached,
        &device.signing_key(),
        crate::Digest::Sha1,
        Vec::new(),
    )
    .unwrap();
    assert!(verify_machine_info(&message, &simulated(&authority), NOW).is_ok());
}

#[test]
fn t_a9_the_devices_own_certificate_must_be_valid() {
    let authority = fixtures::authority("Device CA");
    let message = sign_attached(INFO, &device("Device CA", &authority).signing_key()).unwrap();
    for at in [NOW.minus(Duration::from_secs(1)), NOW.plus(YEAR + Duration::from_secs(1))] {
        let refused = verify_machine_info(&message, &simulated(&authority), at);
        assert!(matches!(refused, Err(MachineInfoError::Validity { .. })), "{at}");
    }
}

#[test]
fn t_a9_only_a_device_is_believed() {
    let authority = fixtures::authority("Device CA");
    let trusted = simulated(&authority);
    let refuse = |device: &Device| {
        let message = sign_attached(INFO, &device.signing_key()).unwrap();
        matches!(verify_machine_info(&message, &trusted, NOW), Err(MachineInfoError::Foreign))
    };
    assert!(refuse(&Device::self_signed("Device CA", fixtures::rsa_key())), "self-signed");
    assert!(refuse(&device("Device CA", &fixtures::authority("Device CA"))), "authority of the same name");
    assert!(
        refuse(&Device { key: authority.key.clone(), der: authority.certificate_der().to_vec() }),
        "the authority itself"
    );

    // An intermediate authority below ours, and a device below that: both outside the fixed chain.
    let intermediate_key = fixtures::rsa_key();
    let intermediate =
        fixtures::certificate("Intermediate", "Device CA", &intermediate_key, &authority.key, |builder| {
            builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        });
    assert!(refuse(&Device { key: intermediate_key.clone(), der: intermediate.clone() }), "an intermediate");
    let key = fixtures::rsa_key();
    let der = fixtures::certificate("device", "Intermediate", &key, &intermediate_key, |_builder| {});
    let below = Device { key, der };
    let message = handmade(INFO, true, &[HandmadeSigner::of(&below, INFO)], &[&below.der, &intermediate]);
    let refused = verify_machine_info(&message, &trusted, NOW);
    assert!(matches!(refused, Err(MachineInfoError::Foreign)), "below an intermediate");
}

#[test]
fn t_a9_a_changed_serial_number_is_noticed() {
    let authority = fixtures::authority("Device CA");
    let mut message = sign_attached(INFO, &device("Device CA", &authority).signing_key()).unwrap();
    let at = message.windows(12).position(|window| window == b"DMPXK1ABCD12").unwrap();
    message[at] = b'E';
    let refused = verify_machine_info(&message, &simulated(&authority), NOW);
    assert!(matches!(refused, Err(MachineInfoError::Signature(SignatureError::OtherContent))));
}

#[test]
fn without_apples_authorities_automated_enrolment_says_what_is_missing() {
    let none = DeviceCertificateAuthorities::from_admitted(&[]);
    let error = verify_machine_info(b"", &none, NOW).unwrap_err();
    let shown = error.to_string();
    for name in ["Apple iPhone Device CA", "Apple iPhone Certification Authority", "Apple Root CA"] {
        assert!(shown.contains(name), "{shown}");
    }
}

#[test]
fn a_device_certificate_cannot_vouch_for_devices() {
    let leaf = Device::self_signed("Device CA", fixtures::ec_key());
    assert!(DeviceCertificateAuthorities::for_simulation(&leaf.der).is_err());
}
