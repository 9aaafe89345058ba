//! SCEP over HTTP (RFC 8894 §4), as real clients speak it.
//!
//! The query is read as bytes, never as text: some clients repeat the whole DER in `?message=` of a POST, in
//! escapes that are not UTF-8. A `+` of base64 may arrive as itself or as a space.

use actix_web::http::Method;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use fleet::TabletError;
use types::Instant;

use crate::DoorState;
use crate::answer::Failure;

/// Some clients leave the padding out.
const MESSAGE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The tag of a DER SEQUENCE, with which every SCEP message begins. Base64 of one begins with `M`.
const SEQUENCE: u8 = 0x30;

/// What a client asks of SCEP.
#[derive(Debug, PartialEq, Eq)]
enum Operation {
    /// What the server can do.
    Capabilities,
    /// The authority's certificate.
    Certificate,
    /// A message to answer.
    Message(Vec<u8>),
}

/// `GET` and `POST /scep`.
pub(crate) async fn operate(
    door: &DoorState,
    request: &HttpRequest,
    body: &[u8],
    now: Instant,
) -> Result<HttpResponse, Failure> {
    let query = request.uri().query().unwrap_or_default();
    Ok(match operation(request.method(), query.as_bytes(), body, door.limits.scep_bytes)? {
        Operation::Capabilities => ok("text/plain", fleet::scep::capabilities(&door.fleet)),
        Operation::Certificate => {
            let (content_type, certificate) = fleet::scep::ca_certificate(&door.fleet);
            ok(content_type, certificate)
        }
        // A refusal is a CertRep too: its status is 200, and clients compare it exactly.
        Operation::Message(message) => {
            ok("application/x-pki-message", fleet::scep::operate(&door.fleet, &message, now).await?)
        }
    })
}

/// Clients compare the content type exactly: no parameters.
fn ok(content_type: &'static str, body: impl Into<Vec<u8>>) -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, content_type)).body(body.into())
}

fn operation(method: &Method, query: &[u8], body: &[u8], limit: usize) -> Result<Operation, TabletError> {
    let malformed = |problem: &str| TabletError::Malformed(format!("SCEP: {problem}"));
    let is_post = *method == Method::POST;
    match parameter(query, b"operation") {
        Some(b"GetCACaps") => Ok(Operation::Capabilities),
        Some(b"GetCACert") => Ok(Operation::Certificate),
        Some(b"PKIOperation") => message(query, body, limit).map(Operation::Message),
        // A POST has no other use.
        None if is_post => message(query, body, limit).map(Operation::Message),
        None => {
            Err(malformed("no operation is named; expected ?operation=GetCACaps, GetCACert or PKIOperation"))
        }
        Some(_unknown) => Err(malformed("the operation is not GetCACaps, GetCACert or PKIOperation")),
    }
}

/// The message: the body, or else the query's.
fn message(query: &[u8], body: &[u8], limit: usize) -> Result<Vec<u8>, TabletError> {
    let malformed = |problem: &str| TabletError::Malformed(format!("SCEP: {problem}"));
    if !body.is_empty() {
        return Ok(body.to_vec());
    }
    let escaped = parameter(query, b"message").unwrap_or_default();
    if escaped.is_empty() {
        return Err(malformed("the message is empty: neither a body nor ?message= came"));
    }
    let plain = unescape(escaped, b'+');
    let message = if plain.first() == Some(&SEQUENCE) {
        // The DER itself, written as a form is: there a `+` is a space, and a plus is escaped.
        unescape(escaped, b' ')
    } else {
        decode(&plain).ok_or_else(|| malformed("?message= is neither base64 nor DER"))?
    };
    if message.len() > limit {
        return Err(malformed("?message= is too long"));
    }
    Ok(message)
}

/// The value of a query's parameter, still escaped.
fn parameter<'a>(query: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    query.split(|byte| *byte == b'&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix(b"="))
}

/// Undoes URL escapes; `plus` is what a `+` stands for. A `%` that begins no escape is itself.
fn unescape(text: &[u8], plus: u8) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        plain.push(match (byte, after) {
            (b'+', _) => plus,
            (b'%', [high, low, after_escape @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    rest = after_escape;
                    high << 4 | low
                }
                _ => byte,
            },
            _ => byte,
        });
    }
    plain
}

fn digit(hexadecimal: u8) -> Option<u8> {
    char::from(hexadecimal).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Base64 in either alphabet, its `+` perhaps turned into a space, line breaks ignored.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let text: Vec<u8> = text
        .iter()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .map(|byte| match byte {
            b' ' | b'-' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .collect();
    MESSAGE.decode(text).ok().filter(|message| !message.is_empty())
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 64 * 1024;

    fn get(query: &str) -> Result<Operation, TabletError> {
        operation(&Method::GET, query.as_bytes(), &[], LIMIT)
    }

    fn post(query: &str, body: &[u8]) -> Result<Operation, TabletError> {
        operation(&Method::POST, query.as_bytes(), body, LIMIT)
    }

    /// As Go's `url.QueryEscape` writes bytes.
    fn form_escaped(bytes: &[u8]) -> String {
        bytes
            .iter()
            .map(|byte| match byte {
                b' ' => "+".to_owned(),
                b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'.' | b'~' => {
                    char::from(*byte).to_string()
                }
                other => format!("%{other:02X}"),
            })
            .collect()
    }

    /// A DER SEQUENCE of about 6 kB that is not UTF-8 and holds every byte.
    fn der() -> Vec<u8> {
        let content: Vec<u8> = (0..6_000_u32).map(|i| u8::try_from(i * 7 % 256).unwrap()).collect();
        [&[SEQUENCE, 0x82, 0x17, 0x70], content.as_slice()].concat()
    }

    #[test]
    fn the_three_operations_are_told_apart() {
        assert_eq!(get("operation=GetCACaps").unwrap(), Operation::Capabilities);
        assert_eq!(get("message=ardoise&operation=GetCACert").unwrap(), Operation::Certificate);
        assert_eq!(
            post("operation=PKIOperation", b"0\x03abc").unwrap(),
            Operation::Message(b"0\x03abc".to_vec())
        );
        assert_eq!(post("", b"0\x03abc").unwrap(), Operation::Message(b"0\x03abc".to_vec()));
        for bad in ["", "operation=", "operation=GetNextCACert", "operation=getcacaps", "Operation=GetCACaps"]
        {
            assert!(get(bad).unwrap_err().to_string().contains("GetCACaps"), "{bad}");
        }
    }

    #[test]
    fn a_message_by_get_survives_plus_signs_spaces_alphabets_and_missing_padding() {
        let der = [SEQUENCE, 0x82, 0xfb, 0xff, 0xfe, 0x3e, 0x3f, 0xff];
        let standard = STANDARD.encode(der);
        assert!(standard.contains('+') && standard.contains('='), "{standard}");
        let variants = [
            standard.clone(),
            standard.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"),
            standard.replace('+', "%20"),
            standard.trim_end_matches('=').to_owned(),
            URL_SAFE_NO_PAD.encode(der),
            format!("{}%0A", standard.replace('+', "%2b")),
        ];
        for variant in variants {
            let query = format!("operation=PKIOperation&message={variant}");
            assert_eq!(get(&query).unwrap(), Operation::Message(der.to_vec()), "{variant}");
        }
    }

    #[test]
    fn a_post_may_repeat_six_kilobytes_of_der_in_its_query() {
        let query = format!("operation=PKIOperation&message={}", form_escaped(&der()));
        assert_eq!(post(&query, &der()).unwrap(), Operation::Message(der()), "the body comes first");
        assert_eq!(post(&query, &[]).unwrap(), Operation::Message(der()), "the query stands in for it");
    }

    #[test]
    fn an_empty_message_is_cleanly_refused() {
        for query in ["operation=PKIOperation", "operation=PKIOperation&message=", ""] {
            let error = post(query, &[]).unwrap_err();
            assert!(error.to_string().contains("the message is empty"), "{error}");
        }
    }

    #[test]
    fn a_message_in_the_query_has_the_limit_of_a_body() {
        let query = format!("operation=PKIOperation&message={}", STANDARD.encode(der()));
        let error = operation(&Method::GET, query.as_bytes(), &[], 6_000).unwrap_err();
        assert!(error.to_string().contains("too long"), "{error}");
    }

    proptest! {
        #[test]
        fn any_der_comes_out_as_it_went_in(content in proptest::collection::vec(any::<u8>(), 0..512)) {
            let der = [&[SEQUENCE], content.as_slice()].concat();
            let by_form = format!("operation=PKIOperation&message={}", form_escaped(&der));
            prop_assert_eq!(post(&by_form, &[]).unwrap(), Operation::Message(der.clone()));
            let by_base64 = format!("operation=PKIOperation&message={}", STANDARD.encode(&der));
            prop_assert_eq!(get(&by_base64).unwrap(), Operation::Message(der));
        }

        #[test]
        fn any_query_is_answered_without_a_panic(query in proptest::collection::vec(any::<u8>(), 0..64)) {
            let with_operation = [b"operation=PKIOperation&message=", query.as_slice()].concat();
            let _either = operation(&Method::GET, &with_operation, &[], LIMIT);
            let _either = operation(&Method::POST, &query, &[], LIMIT);
        }
    }
}
