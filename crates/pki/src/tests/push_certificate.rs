//! The push certificate an operator uploads is the right one, or the reason says why not.

use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::symm::Cipher;
use openssl::x509::X509Name;
use types::{Duration, Secret};

use crate::fixtures::{self, NOW, YEAR};
use crate::{PushCertificate, PushCertificateError};

const TOPIC: &str = "com.apple.mgmt.External.11111111-2222-3333-4444-555555555555";

fn pem_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn certificate(key: &PKey<Private>, user_id: Option<&str>) -> String {
    let der = fixtures::certificate("APSP", "Apple", key, key, |builder| {
        let mut name = X509Name::builder().unwrap();
        if let Some(user_id) = user_id {
            name.append_entry_by_nid(Nid::USERID, user_id).unwrap();
        }
        name.append_entry_by_nid(Nid::COMMONNAME, "APSP:1111").unwrap();
        builder.set_subject_name(&name.build()).unwrap();
    });
    pem_of(openssl::x509::X509::from_der(&der).unwrap().to_pem().unwrap())
}

fn key_pem(key: &PKey<Private>) -> String {
    pem_of(key.private_key_to_pem_pkcs8().unwrap())
}

#[test]
fn a_push_certificate_is_read_from_one_text_or_two_in_any_order() {
    let key = fixtures::rsa_key();
    let (certificate, key_text) = (certificate(&key, Some(TOPIC)), key_pem(&key));
    let intermediate = {
        let key = fixtures::ec_key();
        pem_of(
            openssl::x509::X509::from_der(&fixtures::Device::self_signed("WWDR", key).der)
                .unwrap()
                .to_pem()
                .unwrap(),
        )
    };
    let together = format!("Bag Attributes\n friendlyName: x\n{key_text}\n{intermediate}{certificate}");
    for texts in [
        vec![certificate.as_str(), key_text.as_str()],
        vec![key_text.as_str(), certificate.as_str()],
        vec![together.as_str()],
    ] {
        let push = PushCertificate::from_pem(&texts, None, NOW).unwrap();
        assert_eq!(push.topic(), TOPIC);
        assert_eq!(push.not_after(), NOW.plus(YEAR));
        assert!(push.chain_pem().starts_with(&certificate), "its own certificate comes first");
        assert!(PKey::private_key_from_pem(push.key_pem().expose().as_bytes()).unwrap().public_eq(&key));
    }
}

#[test]
fn an_encrypted_key_needs_its_passphrase() {
    let key = fixtures::rsa_key();
    let certificate = certificate(&key, Some(TOPIC));
    let pkcs8 = pem_of(key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"passe").unwrap());
    let traditional =
        pem_of(key.rsa().unwrap().private_key_to_pem_passphrase(Cipher::aes_128_cbc(), b"passe").unwrap());
    for encrypted in [pkcs8, traditional] {
        let read = |passphrase: Option<&str>| {
            let passphrase = passphrase.map(|text| Secret::new(text.to_owned()));
            PushCertificate::from_pem(&[&certificate, &encrypted], passphrase.as_ref(), NOW)
        };
        assert_eq!(read(Some("passe")).unwrap().topic(), TOPIC);
        assert!(matches!(read(Some("wrong")), Err(PushCertificateError::Passphrase)));
        assert!(matches!(read(None), Err(PushCertificateError::Passphrase)));
    }
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let certificate = certificate(&fixtures::rsa_key(), Some(TOPIC));
    let other = key_pem(&fixtures::rsa_key());
    let refused = PushCertificate::from_pem(&[&certificate, &other], None, NOW);
    assert!(matches!(refused, Err(PushCertificateError::KeyMismatch)));
    let no_key = PushCertificate::from_pem(&[&certificate], None, NOW);
    assert!(matches!(no_key, Err(PushCertificateError::NoKey)));
    let no_certificate = PushCertificate::from_pem(&[&other], None, NOW);
    assert!(matches!(no_certificate, Err(PushCertificateError::NoCertificate)));
}

#[test]
fn a_certificate_for_another_use_is_refused() {
    let key = fixtures::rsa_key();
    for user_id in [None, Some("com.example.app"), Some("com.apple.mgmt."), Some("com.apple.mgmtX")] {
        let refused =
            PushCertificate::from_pem(&[&certificate(&key, user_id), &key_pem(&key)], None, NOW).unwrap_err();
        assert!(matches!(&refused, PushCertificateError::Topic { found } if found.as_deref() == user_id));
    }
}

#[test]
fn an_expired_certificate_is_refused_with_its_date_and_still_read_from_memory() {
    let key = fixtures::rsa_key();
    let (certificate, key) = (certificate(&key, Some(TOPIC)), key_pem(&key));
    let second = Duration::from_secs(1);
    let late = PushCertificate::from_pem(&[&certificate, &key], None, NOW.plus(YEAR + second)).unwrap_err();
    assert!(late.to_string().contains("2027-11-23T22:00:00Z"), "{late}");
    let early = PushCertificate::from_pem(&[&certificate, &key], None, NOW.minus(second));
    assert!(matches!(early, Err(PushCertificateError::NotYetValid { .. })));
    let stored = PushCertificate::from_stored_pem(&[&certificate, &key], None).unwrap();
    assert_eq!(stored.not_after(), NOW.plus(YEAR));
}
