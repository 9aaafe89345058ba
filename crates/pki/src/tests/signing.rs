//! What we sign, others can verify; what others signed, we can look into.

use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use types::Secret;

use crate::fixtures::{self, Device, HandmadeSigner, NOW, YEAR, handmade};
use crate::{
    Limits, SignatureError, SigningError, SigningKey, open_signed_profile, sign_attached, verify_attached,
};

const PROFILE: &[u8] = b"<?xml version=\"1.0\"?><plist><dict/></plist>";
const LIMITS: Limits = Limits::bytes(1 << 20);

/// Asks OpenSSL, without its look at the dates: the test's present is not the machine's.
fn openssl_verifies(message: &[u8], root: &[u8]) -> Vec<u8> {
    let mut store = X509StoreBuilder::new().unwrap();
    store.add_cert(X509::from_der(root).unwrap()).unwrap();
    store.set_flags(openssl::x509::verify::X509VerifyFlags::NO_CHECK_TIME).unwrap();
    store.set_purpose(openssl::x509::X509PurposeId::ANY).unwrap();
    let mut content = Vec::new();
    CmsContentInfo::from_der(message)
        .unwrap()
        .verify(None, Some(&store.build()), None, Some(&mut content), CMSOptions::BINARY)
        .unwrap();
    content
}

#[test]
fn a_signed_profile_verifies_with_openssl() {
    let authority = fixtures::authority("Ardoise");
    for key in [fixtures::rsa_key(), fixtures::ec_key()] {
        let device = Device::issued_by(&authority, key);
        let message = sign_attached(PROFILE, &device.signing_key()).unwrap();
        assert_eq!(openssl_verifies(&message, authority.certificate_der()), PROFILE);
    }
    let message = sign_attached(PROFILE, &SigningKey::of_authority(&authority)).unwrap();
    assert_eq!(openssl_verifies(&message, authority.certificate_der()), PROFILE);
}

#[test]
fn a_signing_key_is_read_from_the_files_of_a_door() {
    let authority = fixtures::authority("Ardoise");
    let server = authority.issue_server_certificate(&["mdm.example.org"], NOW, NOW.plus(YEAR)).unwrap();
    let key = SigningKey::from_pem(&server.chain_pem, &server.key_pem).unwrap();
    let message = sign_attached(PROFILE, &key).unwrap();
    assert_eq!(openssl_verifies(&message, authority.certificate_der()), PROFILE);

    let other =
        Secret::new(String::from_utf8(fixtures::ec_key().private_key_to_pem_pkcs8().unwrap()).unwrap());
    assert!(matches!(SigningKey::from_pem(&server.chain_pem, &other), Err(SigningError::Key)));
    assert!(matches!(SigningKey::from_pem("", &server.key_pem), Err(SigningError::Key)));
}

#[test]
fn a_message_with_its_content_verifies_and_names_its_signer() {
    let device = Device::self_signed("anyone", fixtures::ec_key());
    let message = sign_attached(PROFILE, &device.signing_key()).unwrap();
    let verified = verify_attached(&message, LIMITS).unwrap();
    assert_eq!((verified.content(), verified.signer_der()), (PROFILE, device.der.as_slice()));
    let detached = crate::sign_detached(PROFILE, &device.signing_key()).unwrap();
    assert!(matches!(verify_attached(&detached, LIMITS), Err(SignatureError::Content)));
}

#[test]
fn a_signed_profile_is_looked_into_whoever_signed_it() {
    let device = Device::self_signed("anyone", fixtures::ec_key());
    let mut wrong = HandmadeSigner::of(&device, b"something else");
    wrong.attributes = None;
    let badly_signed = handmade(PROFILE, true, &[wrong], &[]);
    let good = sign_attached(PROFILE, &device.signing_key()).unwrap();
    for message in [badly_signed, fixtures::to_loose_ber(&good), good] {
        assert_eq!(open_signed_profile(&message, LIMITS).unwrap().as_deref(), Some(PROFILE));
    }
}

#[test]
fn what_is_not_signed_is_not_opened_and_what_cannot_be_opened_is_refused() {
    for plain in [PROFILE, b"", b"bplist00", b"\xEF\xBB\xBF<?xml"] {
        assert_eq!(open_signed_profile(plain, LIMITS).unwrap(), None);
    }
    let device = Device::self_signed("anyone", fixtures::ec_key());
    let detached = crate::sign_detached(PROFILE, &device.signing_key()).unwrap();
    for unreadable in [detached.as_slice(), &[0x30, 0x80], b"0"] {
        assert!(open_signed_profile(unreadable, LIMITS).is_err());
    }
}
