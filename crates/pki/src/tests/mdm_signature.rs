//! A signed request identifies its tablet, and no other request does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::hash::MessageDigest;
use proptest::prelude::*;

use crate::cms_sign::{Carried, sign};
use crate::fixtures::{self, Device, HandmadeSigner, NOW, handmade};
use crate::mdm_signature::{MdmSignatureError, check, verify};
use crate::{
    Authorities, BerError, Digest, ExpiryPolicy, Fingerprint, IdentityError, Proof, SignatureError,
    TrustedAuthorities, oids, sign_detached,
};

const BODY: &[u8] = b"<plist><dict><key>Status</key><string>Idle</string></dict></plist>";

struct House {
    trusted: TrustedAuthorities,
    device: Device,
}

fn house() -> House {
    let authority = fixtures::authority("Ardoise");
    let device = Device::issued_by(&authority, fixtures::rsa_key());
    House { trusted: Authorities::new(authority).unwrap().trusted().clone(), device }
}

fn header(message: &[u8]) -> String {
    STANDARD.encode(message)
}

fn error_of(message: &[u8], body: &[u8]) -> SignatureError {
    match check(&header(message), body) {
        Err(MdmSignatureError::Signature(error)) => error,
        other => panic!("expected a refused signature, got {other:?}"),
    }
}

/// A detached message by one signer, made by hand.
fn by_hand(device: &Device, body: &[u8], adjust: impl FnOnce(&mut HandmadeSigner<'_>)) -> Vec<u8> {
    let mut signer = HandmadeSigner::of(device, body);
    adjust(&mut signer);
    handmade(body, false, &[signer], &[&device.der])
}

#[test]
fn a_signed_body_identifies_its_tablet() {
    let House { trusted, device } = house();
    let message = sign_detached(BODY, &device.signing_key()).unwrap();
    let identity = verify(&header(&message), BODY, &trusted, NOW, ExpiryPolicy::Refuse).unwrap();
    assert_eq!((identity.fingerprint(), identity.proof()), (Fingerprint::of(&device.der), Proof::Signature));
}

#[test]
fn signatures_of_openssl_verify_with_and_without_attributes() {
    let House { device, .. } = house();
    let common = CMSOptions::DETACHED | CMSOptions::BINARY;
    for options in [common, common | CMSOptions::NOATTR, common | CMSOptions::USE_KEYID] {
        let message =
            CmsContentInfo::sign(Some(&device.x509()), Some(&device.key), None, Some(BODY), options).unwrap();
        let signed = check(&header(&message.to_der().unwrap()), BODY).unwrap();
        assert_eq!(signed.signer_fingerprint(), Fingerprint::of(&device.der));
    }
}

#[test]
fn every_digest_that_tablets_use_verifies_sha_1_included() {
    let House { device, .. } = house();
    for digest in [Digest::Sha1, Digest::Sha256, Digest::Sha384, Digest::Sha512] {
        let message = sign(BODY, Carried::Detached, &device.signing_key(), digest, Vec::new()).unwrap();
        assert!(check(&header(&message), BODY).is_ok(), "{digest:?}");
    }
}

#[test]
fn a_signature_by_an_elliptic_curve_verifies_under_either_name_of_its_algorithm() {
    let device = Device::issued_by(&fixtures::authority("Ardoise"), fixtures::ec_key());
    for algorithm in [oids::ECDSA_WITH_SHA_256, oids::EC_PUBLIC_KEY] {
        let message = by_hand(&device, BODY, |signer| signer.signature_algorithm = algorithm);
        assert!(check(&header(&message), BODY).is_ok(), "{algorithm}");
    }
    let message = sign_detached(BODY, &device.signing_key()).unwrap();
    assert!(check(&header(&message), BODY).is_ok());
}

#[test]
fn algorithm_parameters_may_be_absent_and_attributes_in_any_order() {
    let House { device, .. } = house();
    // By hand, all parameters are absent.
    for reversed in [false, true] {
        let message = by_hand(&device, BODY, |signer| {
            if reversed {
                signer.attributes.as_mut().unwrap().reverse();
            }
        });
        assert!(check(&header(&message), BODY).is_ok());
    }
}

#[test]
fn ber_verifies_like_der_with_a_body_of_100_kb() {
    let House { device, .. } = house();
    let body = b"ProfileList ".repeat(10_000);
    let message = sign_detached(&body, &device.signing_key()).unwrap();
    for message in [message.clone(), fixtures::to_loose_ber(&message)] {
        assert!(check(&header(&message), &body).is_ok());
        assert!(matches!(error_of(&message, &body[1..]), SignatureError::OtherContent));
    }
}

#[test]
fn t_a2_a_captured_signature_is_worthless_for_another_body() {
    let House { device, .. } = house();
    let with_attributes = sign_detached(BODY, &device.signing_key()).unwrap();
    let without = by_hand(&device, BODY, |signer| signer.attributes = None);
    assert!(check(&header(&without), BODY).is_ok());
    for other in [&b""[..], b"<plist/>", &[BODY, b" "].concat()] {
        assert!(matches!(error_of(&with_attributes, other), SignatureError::OtherContent));
        assert!(matches!(error_of(&without, other), SignatureError::Signature));
    }
}

#[test]
fn t_a2_signed_attributes_taken_out_of_a_message_are_not_a_body() {
    let House { device, .. } = house();
    let attributes = HandmadeSigner::of(&device, BODY).attributes.unwrap();
    let as_body = crate::asn1::wrap(crate::asn1::SET, &attributes.concat());
    // The very signature of a message with these attributes: its bytes are those of a body without any.
    let stripped = by_hand(&device, &as_body, |signer| signer.attributes = None);
    assert!(matches!(error_of(&stripped, &as_body), SignatureError::OtherContent));
}

#[test]
fn t_a2_attributes_must_say_what_was_signed_and_once() {
    let House { device, .. } = house();
    let digest = fixtures::digest_attribute(&Digest::Sha256.of(BODY).unwrap());
    let other_digest = fixtures::digest_attribute(&Digest::Sha256.of(b"other").unwrap());
    let content_type = fixtures::content_type_attribute(oids::DATA);
    let with = |attributes: &[&Vec<u8>]| {
        let attributes = attributes.iter().map(|attribute| (*attribute).clone()).collect();
        error_of(&by_hand(&device, BODY, |signer| signer.attributes = Some(attributes)), BODY)
    };
    assert!(matches!(with(&[&content_type]), SignatureError::AttributeAbsent));
    assert!(matches!(with(&[&digest]), SignatureError::AttributeAbsent));
    assert!(matches!(with(&[]), SignatureError::AttributeAbsent));
    let wrong_type = fixtures::content_type_attribute(oids::SIGNED_DATA);
    assert!(matches!(with(&[&wrong_type, &digest]), SignatureError::ContentType));
    assert!(matches!(with(&[&content_type, &other_digest, &digest]), SignatureError::Structure(_)));
    assert!(matches!(with(&[&content_type, &digest, &digest]), SignatureError::Structure(_)));
    let two_values = fixtures::attribute(
        oids::MESSAGE_DIGEST,
        &[&digest[digest.len() - 34..], &other_digest[other_digest.len() - 34..]].concat(),
    );
    assert!(matches!(with(&[&content_type, &two_values]), SignatureError::Structure(_)));
}

#[test]
fn t_a2_exactly_one_signer_signs() {
    let House { device, .. } = house();
    let other = Device::issued_by(&fixtures::authority("Ardoise"), fixtures::ec_key());
    let signers = [HandmadeSigner::of(&device, BODY), HandmadeSigner::of(&other, BODY)];
    let two = handmade(BODY, false, &signers, &[&device.der, &other.der]);
    assert!(matches!(error_of(&two, BODY), SignatureError::Signers(2)));
    let zero = handmade(BODY, false, &[], &[&device.der]);
    assert!(matches!(error_of(&zero, BODY), SignatureError::Signers(0)));
}

#[test]
fn t_a2_the_signers_certificate_must_be_in_the_message() {
    let House { device, .. } = house();
    let other = Device::issued_by(&fixtures::authority("Ardoise"), fixtures::ec_key());
    for certificates in [&[][..], &[other.der.as_slice()]] {
        let message = handmade(BODY, false, &[HandmadeSigner::of(&device, BODY)], certificates);
        assert!(matches!(error_of(&message, BODY), SignatureError::CertificateAbsent));
    }
    let both = handmade(BODY, false, &[HandmadeSigner::of(&device, BODY)], &[&other.der, &device.der]);
    assert_eq!(check(&header(&both), BODY).unwrap().signer_fingerprint(), Fingerprint::of(&device.der));
}

#[test]
fn t_a2_digests_must_agree_and_md5_is_refused() {
    let House { device, .. } = house();
    let md5 = const_oid::ObjectIdentifier::new_unwrap("1.2.840.113549.2.5");
    let message = by_hand(&device, BODY, |signer| {
        signer.digest = md5;
        signer.signature_algorithm = oids::RSA_ENCRYPTION;
        signer.signs_with = MessageDigest::md5();
    });
    assert!(matches!(error_of(&message, BODY), SignatureError::Digest(oid) if oid == md5));
    let md5_with_rsa = const_oid::ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.4");
    for named in [oids::SHA_1_WITH_RSA, oids::SHA_512_WITH_RSA, md5_with_rsa, oids::ECDSA_WITH_SHA_256] {
        let message = by_hand(&device, BODY, |signer| signer.signature_algorithm = named);
        assert!(matches!(error_of(&message, BODY), SignatureError::Algorithm(oid) if oid == named));
    }
    let sha1_inside = by_hand(&device, BODY, |signer| signer.signs_with = MessageDigest::sha1());
    assert!(matches!(error_of(&sha1_inside, BODY), SignatureError::OtherContent | SignatureError::Signature));
}

#[test]
fn t_a2_another_key_cannot_sign_under_a_tablets_certificate() {
    let House { device, .. } = house();
    let thief = Device { key: fixtures::rsa_key(), der: device.der };
    let message = by_hand(&thief, BODY, |_signer| {});
    assert!(matches!(error_of(&message, BODY), SignatureError::Signature));
    let other_kind = Device { key: fixtures::ec_key(), der: thief.der };
    let message = by_hand(&other_kind, BODY, |_signer| {});
    assert!(matches!(error_of(&message, BODY), SignatureError::Algorithm(_)));
}

#[test]
fn t_a2_a_message_with_content_of_its_own_is_refused() {
    let House { device, .. } = house();
    let attached = handmade(BODY, true, &[HandmadeSigner::of(&device, BODY)], &[&device.der]);
    assert!(matches!(error_of(&attached, BODY), SignatureError::Content));
}

#[test]
fn t_a3_a_good_signature_by_a_stranger_identifies_nobody() {
    let House { trusted, .. } = house();
    let stranger = Device::self_signed("Ardoise", fixtures::rsa_key());
    let message = header(&sign_detached(BODY, &stranger.signing_key()).unwrap());
    let refused = verify(&message, BODY, &trusted, NOW, ExpiryPolicy::Admit);
    assert!(matches!(refused, Err(MdmSignatureError::Identity(IdentityError::SelfSigned))));
    let foreign = Device::issued_by(&fixtures::authority("Ardoise"), fixtures::rsa_key());
    let message = header(&sign_detached(BODY, &foreign.signing_key()).unwrap());
    let refused = verify(&message, BODY, &trusted, NOW, ExpiryPolicy::Admit);
    assert!(matches!(refused, Err(MdmSignatureError::Identity(IdentityError::Foreign))));
}

#[test]
fn t_a14_a_header_is_bounded_before_it_is_decoded() {
    let long = "A".repeat(crate::mdm_signature::LONGEST_HEADER + 1);
    assert!(matches!(check(&long, BODY), Err(MdmSignatureError::TooLong(_))));
    assert!(matches!(check("not base64!", BODY), Err(MdmSignatureError::Base64(_))));
    let deep = [0x30, 0x80].repeat(20_000);
    assert!(matches!(error_of(&deep, BODY), SignatureError::Ber(BerError::TooDeep { limit: 64 })));
}

#[test]
fn t_a2_no_changed_byte_goes_unnoticed() {
    let device = Device::issued_by(&fixtures::authority("Ardoise"), fixtures::ec_key());
    let good = Fingerprint::of(&device.der);
    let message = sign_detached(BODY, &device.signing_key()).unwrap();
    for at in 0..message.len() {
        let mut changed = message.clone();
        changed[at] ^= 0x01;
        // Versions, and the list of digests that only announces, carry no meaning: they may differ.
        if let Ok(signed) = check(&header(&changed), BODY) {
            let announcement = at < 60;
            let version = changed[at - 2..at] == [0x02, 0x01];
            assert!(signed.signer_fingerprint() != good || announcement || version, "byte {at} may change");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn t_a14_arbitrary_headers_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(check(&header(&bytes), BODY).is_err());
    }
}
