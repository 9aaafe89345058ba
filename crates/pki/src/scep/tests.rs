//! A tablet gets and renews its certificate; nobody else does.

use openssl::symm::Cipher;
use openssl::x509::X509;
use proptest::prelude::*;
use types::{EnrolmentId, Instant};

use super::client::{self, Answer, Ask};
use super::{
    FailInfo, IssuanceKind, LegacyPolicy, MessageType, OpenPolicy, PkiRequest, RefusalReason, Refused,
    ScepError, Signer, UnreadableMessage, capabilities, certrep_failure, certrep_success, get_ca_cert, open,
};
use crate::asn1::{SEQUENCE, wrap};
use crate::fixtures::{self, DAY, Device, NOW, YEAR};
use crate::{
    Authorities, Authority, BerError, Digest, ExpiryPolicy, Fingerprint, IdentityError, LeafRequest, oids,
};

const STRICT: OpenPolicy =
    OpenPolicy { legacy: LegacyPolicy::refuse(), renewal_expiry: ExpiryPolicy::AdmitFor(DAY) };

fn house() -> (Authority, Authorities) {
    let authority = fixtures::authority("Ardoise");
    (authority.clone(), Authorities::new(authority).unwrap())
}

fn legacy() -> OpenPolicy {
    OpenPolicy { legacy: LegacyPolicy::admit().unwrap(), ..STRICT }
}

fn refusal(result: Result<PkiRequest, ScepError>) -> Refused {
    match result {
        Err(ScepError::Refused(refused)) => *refused,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// Issues what a request asks for, and answers it.
fn grant(request: &PkiRequest, authorities: &Authorities, at: Instant) -> (Vec<u8>, Vec<u8>) {
    let issuance = request.issuance().unwrap();
    let issued = authorities
        .current()
        .issue(&LeafRequest {
            public_key_info: issuance.csr().public_key_info().to_vec(),
            enrolment: EnrolmentId::new(at),
            not_before: at,
            not_after: at.plus(YEAR),
        })
        .unwrap();
    let answer = certrep_success(&issuance, &issued.der, authorities).unwrap();
    (issued.der, answer)
}

#[test]
fn a_first_request_is_opened_granted_and_understood() {
    let (authority, authorities) = house();
    let (device, message) = client::first_request(&authority, &Ask::default());
    let request = open(&message, &authorities, NOW, STRICT).unwrap();
    assert_eq!(
        (request.transaction_id(), request.message_type()),
        (client::TRANSACTION, &MessageType::PkcsReq)
    );
    assert!(matches!(request.signer(), Signer::SelfSigned));
    let IssuanceKind::Enrol { challenge: Some(challenge) } = request.issuance().unwrap().kind() else {
        panic!("a first request is an enrolment");
    };
    assert_eq!(challenge.expose(), "one-time");
    assert!(!format!("{request:?}").contains("one-time"), "a challenge does not show itself");

    let (leaf, answer) = grant(&request, &authorities, NOW);
    assert_eq!(client::open_answer(&answer, &authority, &device), Answer::Granted(vec![leaf.clone()]));
    assert!(X509::from_der(&leaf).unwrap().public_key().unwrap().public_eq(&device.key));
}

#[test]
fn a_message_in_ber_is_opened_like_one_in_der() {
    let (authority, authorities) = house();
    let device = Device::self_signed("iPad", fixtures::rsa_key());
    let ask = Ask::default();
    let csr = client::certificate_request(&device.key, &ask);
    let mut recipients = openssl::stack::Stack::new().unwrap();
    recipients.push(X509::from_der(authority.certificate_der()).unwrap()).unwrap();
    let options = openssl::cms::CMSOptions::BINARY;
    let envelope = openssl::cms::CmsContentInfo::encrypt(&recipients, &csr, ask.cipher, options)
        .unwrap()
        .to_der()
        .unwrap();
    let loose = fixtures::to_loose_ber(&envelope);
    let message = fixtures::to_loose_ber(&client::signed(&device, &loose, &ask));
    assert!(open(&message, &authorities, NOW, STRICT).unwrap().issuance().is_some());
}

#[test]
fn encrypted_content_in_pieces_is_joined() {
    let (authority, authorities) = house();
    let device = Device::self_signed("iPad", fixtures::rsa_key());
    let csr = client::certificate_request(&device.key, &Ask::default());
    let sealed =
        crate::envelope::seal(&csr, &authority.certificate, crate::envelope::ContentCipher::Aes256).unwrap();
    // The last element of the innermost sequence: `[0] IMPLICIT OCTET STRING`.
    let at = sealed.windows(2).rposition(|pair| pair == [0x80, 0x82]).unwrap();
    let encrypted = &sealed[at + 4..];
    let mut pieces = vec![0xA0, 0x80];
    for piece in encrypted.chunks(100) {
        pieces.extend(wrap(0x04, piece));
    }
    pieces.extend([0, 0]);
    // Every sequence around it with an indefinite length.
    let mut ber = Vec::new();
    let mut rest = &sealed[..at];
    let mut open_sequences = 0;
    while let Some((tag, after)) = rest.split_first() {
        let header = match after[0] {
            0x82 => 3,
            0x81 => 2,
            _ => 1,
        };
        let len = match after[0] {
            0x82 => usize::from(u16::from_be_bytes([after[1], after[2]])),
            0x81 => usize::from(after[1]),
            short => usize::from(short),
        };
        if header + len > after.len() {
            ber.extend([*tag, 0x80]);
            open_sequences += 1;
            rest = &after[header..];
        } else {
            ber.extend(&rest[..1 + header + len]);
            rest = &after[header + len..];
        }
    }
    ber.extend(pieces);
    ber.extend([0, 0].repeat(open_sequences));
    let message = client::signed(&device, &ber, &Ask::default());
    assert!(open(&message, &authorities, NOW, STRICT).unwrap().issuance().is_some());
}

#[test]
fn a_requester_whose_own_certificate_keeps_to_no_standard_is_answered() {
    let (authority, authorities) = house();
    // certmonger's serial numbers are longer than the 20 octets of RFC 5280; others are 0 or negative.
    for serial in [&[0x5A; 33][..], &[0x00], &[0xFF]] {
        let key = fixtures::rsa_key();
        let der = fixtures::certificate("tablet", "tablet", &key, &key, |builder| {
            let mut number = openssl::bn::BigNum::from_slice(serial).unwrap();
            number.set_negative(serial == [0xFF]);
            builder.set_serial_number(&number.to_asn1_integer().unwrap()).unwrap();
        });
        let device = Device { key, der };
        let mut signer = fixtures::HandmadeSigner::of(&device, b"");
        let ask = Ask::default();
        let csr = client::certificate_request(&device.key, &ask);
        let content =
            crate::envelope::seal(&csr, &authority.certificate, crate::envelope::ContentCipher::Aes128)
                .unwrap();
        signer.attributes = Some(client::attributes(&content, &ask));
        let message = fixtures::handmade(&content, true, &[signer], &[&device.der]);
        let request = open(&message, &authorities, NOW, STRICT).unwrap();
        let (leaf, answer) = grant(&request, &authorities, NOW);
        assert_eq!(client::open_answer(&answer, &authority, &device), Answer::Granted(vec![leaf]));
    }
}

#[test]
fn the_answer_is_encrypted_as_strongly_as_the_request() {
    let (authority, authorities) = house();
    for (cipher, oid) in [
        (Cipher::aes_128_cbc(), oids::AES_128_CBC),
        (Cipher::aes_192_cbc(), oids::AES_192_CBC),
        (Cipher::aes_256_cbc(), oids::AES_256_CBC),
        (Cipher::des_ede3_cbc(), oids::DES_EDE3_CBC),
    ] {
        let (device, message) = client::first_request(&authority, &Ask { cipher, ..Ask::default() });
        let request = open(&message, &authorities, NOW, STRICT).unwrap();
        let (leaf, answer) = grant(&request, &authorities, NOW);
        assert_eq!(client::cipher_of(&answer), oid);
        assert_eq!(client::open_answer(&answer, &authority, &device), Answer::Granted(vec![leaf]));
    }
}

#[test]
fn a_challenge_is_read_from_any_kind_of_text() {
    let (authority, authorities) = house();
    let utf_16: Vec<u8> = "one-time".encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (tag, bytes) in [
        (0x0C, &b"one-time"[..]),
        (0x13, b"one-time"),
        (0x14, b"one-time"),
        (0x16, b"one-time"),
        (0x1E, &utf_16),
    ] {
        let ask = Ask { challenge: Some(wrap(tag, bytes)), ..Ask::default() };
        let (_device, message) = client::first_request(&authority, &ask);
        let request = open(&message, &authorities, NOW, STRICT).unwrap();
        assert_eq!(request.csr().unwrap().challenge().unwrap().expose(), "one-time", "{tag}");
    }
}

#[test]
fn t_a11_a_request_without_a_challenge_says_so() {
    let (authority, authorities) = house();
    let (_device, message) = client::first_request(&authority, &Ask { challenge: None, ..Ask::default() });
    let request = open(&message, &authorities, NOW, STRICT).unwrap();
    assert!(matches!(request.issuance().unwrap().kind(), IssuanceKind::Enrol { challenge: None }));
}

#[test]
fn a_tablet_renews_with_its_own_certificate() {
    let (authority, authorities) = house();
    let tablet = Device::issued_by(&authority, fixtures::rsa_key());
    let new_key = fixtures::rsa_key();
    let ask = Ask { message_type: "17", challenge: None, ..Ask::default() };
    let message = client::message(&authority, &tablet, &new_key, &ask);
    let later = NOW.plus(DAY * 300);
    let request = open(&message, &authorities, later, STRICT).unwrap();
    let IssuanceKind::Renew { identity } = request.issuance().unwrap().kind() else {
        panic!("a renewal names whose");
    };
    assert_eq!(identity.fingerprint(), Fingerprint::of(&tablet.der));
    // The answer is for the key that signed, the certificate for the new one.
    let (leaf, answer) = grant(&request, &authorities, later);
    assert_eq!(client::open_answer(&answer, &authority, &tablet), Answer::Granted(vec![leaf.clone()]));
    assert!(X509::from_der(&leaf).unwrap().public_key().unwrap().public_eq(&new_key));
}

#[test]
fn t_a12_a_renewal_needs_a_signer_of_ours() {
    let (authority, authorities) = house();
    let ask = Ask { message_type: "17", ..Ask::default() };
    let strangers = [
        Device::self_signed("Ardoise", fixtures::rsa_key()),
        Device::issued_by(&fixtures::authority("Ardoise"), fixtures::rsa_key()),
    ];
    for stranger in strangers {
        let message = client::message(&authority, &stranger, &stranger.key, &ask);
        let refused = refusal(open(&message, &authorities, NOW, STRICT));
        assert_eq!(refused.fail_info, FailInfo::BadRequest);
        assert!(matches!(
            refused.reason,
            RefusalReason::Renewal(IdentityError::SelfSigned | IdentityError::Foreign)
        ));
    }
}

#[test]
fn t_a12_an_expired_certificate_renews_only_within_the_policy() {
    let (authority, authorities) = house();
    let tablet = Device::issued_by(&authority, fixtures::rsa_key());
    let ask = Ask { message_type: "17", ..Ask::default() };
    let message = client::message(&authority, &tablet, &tablet.key, &ask);
    assert!(open(&message, &authorities, NOW.plus(YEAR + DAY), STRICT).unwrap().issuance().is_some());
    let refused = refusal(open(&message, &authorities, NOW.plus(YEAR + DAY * 2), STRICT));
    assert!(matches!(refused.reason, RefusalReason::Renewal(IdentityError::Expired { .. })));
}

#[test]
fn t_a12_no_other_kind_of_message_leads_to_a_certificate() {
    let (authority, authorities) = house();
    let tablet = Device::issued_by(&authority, fixtures::rsa_key());
    let stranger = Device::self_signed("iPad", fixtures::rsa_key());
    for code in ["3", "18", "20", "21", "22", "0", "1", "016", "019", "17 ", "23", "99", "RenewalReq"] {
        for signer in [&tablet, &stranger] {
            let ask = Ask { message_type: code, ..Ask::default() };
            let message = client::message(&authority, signer, &signer.key, &ask);
            let request = open(&message, &authorities, NOW, STRICT).unwrap();
            assert_eq!(request.message_type().code(), code);
            assert!(request.issuance().is_none() && request.csr().is_none(), "{code}");
            let answer = certrep_failure(request.requester(), FailInfo::BadRequest, &authorities).unwrap();
            assert_eq!(client::open_answer(&answer, &authority, signer), Answer::Refused(String::from("2")));
        }
    }
}

#[test]
fn a_renewal_of_before_rfc_8894_is_told_by_its_signer() {
    let (authority, authorities) = house();
    let tablet = Device::issued_by(&authority, fixtures::rsa_key());
    for key in [fixtures::rsa_key(), tablet.key.clone()] {
        let message = client::message(&authority, &tablet, &key, &Ask::default());
        let request = open(&message, &authorities, NOW, STRICT).unwrap();
        let IssuanceKind::Renew { identity } = request.issuance().unwrap().kind() else {
            panic!("a tablet's certificate is not a first request's");
        };
        assert_eq!(identity.fingerprint(), Fingerprint::of(&tablet.der));
    }
}

#[test]
fn t_a12_a_first_request_is_signed_by_the_key_it_is_about() {
    let (authority, authorities) = house();
    let other_key = fixtures::rsa_key();
    let self_signed = Device::self_signed("iPad", fixtures::rsa_key());
    let foreign = Device::issued_by(&fixtures::authority("Ardoise"), fixtures::rsa_key());
    for (signer, key) in [(&self_signed, &other_key), (&foreign, &foreign.key), (&foreign, &other_key)] {
        let message = client::message(&authority, signer, key, &Ask::default());
        let refused = refusal(open(&message, &authorities, NOW, STRICT));
        assert_eq!(refused.fail_info, FailInfo::BadRequest);
        assert!(matches!(refused.reason, RefusalReason::NotSelfSigned));
    }
}

#[test]
fn t_a13_what_the_request_wishes_is_ignored() {
    let (authority, authorities) = house();
    // extensionRequest: basicConstraints CA:TRUE, critical.
    let extension = wrap(SEQUENCE, &hex::decode("0603551d130101ff040530030101ff").unwrap());
    let wish = fixtures::attribute(
        const_oid::ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14"),
        &wrap(SEQUENCE, &extension),
    );
    let (_device, message) = client::first_request(&authority, &Ask { wishes: wish, ..Ask::default() });
    let request = open(&message, &authorities, NOW, STRICT).unwrap();
    let (leaf, _answer) = grant(&request, &authorities, NOW);
    let certificate = crate::certificate::Certificate::from_der(&leaf).unwrap();
    assert!(!certificate.is_authority());
    let subject = format!("{:?}", certificate.x509.subject_name());
    assert!(!subject.contains("what the tablet wants"), "{subject}");
}

#[test]
fn legacy_clients_are_served_only_where_they_are_admitted() {
    let (authority, authorities) = house();
    // OpenSSL itself needs the provider to encrypt with single DES.
    let admitted = legacy();
    let single_des = Ask { cipher: Cipher::des_cbc(), ..Ask::default() };
    let sha_1 = Ask { digest: Digest::Sha1, ..Ask::default() };
    for (ask, reason) in [(&single_des, "single DES"), (&sha_1, "SHA-1")] {
        let (device, message) = client::first_request(&authority, ask);
        let refused = refusal(open(&message, &authorities, NOW, STRICT));
        assert_eq!(refused.fail_info, FailInfo::BadAlg);
        assert!(refused.reason.to_string().contains(reason), "{}", refused.reason);
        let answer = certrep_failure(&refused.requester, refused.fail_info, &authorities).unwrap();
        assert_eq!(client::open_answer(&answer, &authority, &device), Answer::Refused(String::from("0")));

        let request = open(&message, &authorities, NOW, admitted).unwrap();
        let (leaf, answer) = grant(&request, &authorities, NOW);
        assert_eq!(client::open_answer(&answer, &authority, &device), Answer::Granted(vec![leaf]));
    }
    // The default provider is still there.
    assert!(openssl::symm::encrypt(Cipher::aes_128_cbc(), &[0; 16], Some(&[0; 16]), b"x").is_ok());
}

#[test]
fn capabilities_name_old_algorithms_only_where_they_are_admitted() {
    let strict = capabilities(LegacyPolicy::refuse());
    for keyword in ["AES", "SHA-256", "SHA-384", "SHA-512", "SCEPStandard", "POSTPKIOperation", "Renewal"] {
        assert!(strict.lines().any(|line| line == keyword), "{keyword}");
    }
    assert!(!strict.contains("DES3") && !strict.lines().any(|line| line == "SHA-1"));
    let admitted = capabilities(legacy().legacy);
    assert!(admitted.lines().any(|line| line == "DES3") && admitted.lines().any(|line| line == "SHA-1"));
}

#[test]
fn the_authority_gives_its_certificate_under_the_exact_type() {
    let (authority, _authorities) = house();
    let (content_type, der) = get_ca_cert(&authority);
    assert_eq!((content_type, der.as_slice()), ("application/x-x509-ca-cert", authority.certificate_der()));
}

#[test]
fn a_request_to_the_authority_before_a_rotation_is_answered_by_it() {
    let [old, new, unknown] = ["old", "new", "unknown"].map(fixtures::authority);
    let authorities = Authorities::new(new.clone()).unwrap().with_previous(old.clone()).unwrap();
    let (device, message) = client::first_request(&old, &Ask::default());
    let request = open(&message, &authorities, NOW, STRICT).unwrap();
    let (leaf, answer) = grant(&request, &authorities, NOW);
    assert_eq!(client::open_answer(&answer, &old, &device), Answer::Granted(vec![leaf]));

    let (device, message) = client::first_request(&unknown, &Ask::default());
    let refused = refusal(open(&message, &authorities, NOW, STRICT));
    assert!(matches!(refused.reason, RefusalReason::OtherAuthority));
    let answer = certrep_failure(&refused.requester, refused.fail_info, &authorities).unwrap();
    assert_eq!(client::open_answer(&answer, &new, &device), Answer::Refused(String::from("1")));
}

#[test]
fn whatever_a_message_decrypts_to_the_refusal_is_the_same() {
    let (authority, authorities) = house();
    let device = Device::self_signed("iPad", fixtures::rsa_key());
    let other = Device::self_signed("iPad", fixtures::rsa_key());
    let ask = Ask::default();
    let mut badly_signed = client::certificate_request(&device.key, &ask);
    *badly_signed.last_mut().unwrap() ^= 1;
    let sealed = |content: &[u8]| {
        crate::envelope::seal(content, &authority.certificate, crate::envelope::ContentCipher::Aes128)
            .unwrap()
    };
    let good = sealed(&client::certificate_request(&device.key, &ask));
    let mut wrong_key = good.clone();
    // Inside the encrypted key, which is the only run of 256 octets.
    let at = wrong_key.windows(4).position(|window| window == [0x04, 0x82, 0x01, 0x00]).unwrap();
    wrong_key[at + 100] ^= 1;
    let mut wrong_padding = good;
    *wrong_padding.last_mut().unwrap() ^= 1;
    for envelope in
        [wrong_key, wrong_padding, sealed(b""), sealed(b"garbage"), sealed(&badly_signed), sealed(&other.der)]
    {
        let refused = refusal(open(&client::signed(&device, &envelope, &ask), &authorities, NOW, STRICT));
        assert_eq!(refused.fail_info, FailInfo::BadMessageCheck);
        assert!(matches!(refused.reason, RefusalReason::Undecipherable), "{}", refused.reason);
    }
}

#[test]
fn a_changed_message_is_refused_with_its_transaction() {
    let (authority, authorities) = house();
    let (device, mut message) = client::first_request(&authority, &Ask::default());
    *message.last_mut().unwrap() ^= 1;
    let refused = refusal(open(&message, &authorities, NOW, STRICT));
    assert_eq!(refused.fail_info, FailInfo::BadMessageCheck);
    assert_eq!(refused.requester.transaction_id(), client::TRANSACTION);
    let answer = certrep_failure(&refused.requester, refused.fail_info, &authorities).unwrap();
    assert_eq!(client::open_answer(&answer, &authority, &device), Answer::Refused(String::from("1")));
}

#[test]
fn what_is_not_scep_is_unreadable() {
    let (_authority, authorities) = house();
    let device = Device::self_signed("iPad", fixtures::rsa_key());
    let unreadable = |message: &[u8]| match open(message, &authorities, NOW, STRICT) {
        Err(ScepError::Unreadable(reason)) => reason,
        other => panic!("expected an unreadable message, got {other:?}"),
    };
    assert!(matches!(unreadable(b""), UnreadableMessage::Empty));
    assert!(matches!(unreadable(b"message="), UnreadableMessage::Ber(_)));
    let plain = crate::sign_attached(b"x", &device.signing_key()).unwrap();
    assert!(matches!(unreadable(&plain), UnreadableMessage::Structure(_)));
    let nobody = fixtures::handmade(b"x", true, &[], &[]);
    assert!(matches!(unreadable(&nobody), UnreadableMessage::Signers(0)));
}

#[test]
fn t_a14_a_bomb_is_refused_before_anything_is_read() {
    let (_authority, authorities) = house();
    for (bomb, expected) in [
        ([0x30, 0x80].repeat(100_000), BerError::TooDeep { limit: 64 }),
        (vec![0x30, 0x84, 0x01, 0x00, 0x00, 0x00], BerError::Truncated),
        (vec![0x30, 0x88, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], BerError::Truncated),
        (
            vec![0; super::LONGEST_MESSAGE + 1],
            BerError::TooLong { len: super::LONGEST_MESSAGE + 1, limit: super::LONGEST_MESSAGE },
        ),
    ] {
        let result = open(&bomb, &authorities, NOW, STRICT);
        assert!(
            matches!(result, Err(ScepError::Unreadable(UnreadableMessage::Ber(error))) if error == expected)
        );
    }
    // One more inside the signature, where the envelope is expected.
    let device = Device::self_signed("iPad", fixtures::rsa_key());
    let inner = client::signed(&device, &[0x30, 0x80].repeat(50_000), &Ask::default());
    assert!(matches!(refusal(open(&inner, &authorities, NOW, STRICT)).reason, RefusalReason::Encryption(_)));
}

#[test]
fn t_a14_mutated_messages_never_panic() {
    let (authority, authorities) = house();
    let (_device, message) = client::first_request(&authority, &Ask::default());
    proptest!(ProptestConfig::with_cases(200), |(
        at in 0..message.len(),
        with in prop::collection::vec(any::<u8>(), 0..6),
        drop in 0_usize..6,
    )| {
        let mut mutated = message.clone();
        let end = (at + drop).min(mutated.len());
        mutated.splice(at..end, with);
        if let Ok(request) = open(&mutated, &authorities, NOW, STRICT) {
            // Only bytes without meaning may differ.
            prop_assert_eq!(request.transaction_id(), client::TRANSACTION);
        }
    });
}
