//! From BER to DER, before anything else reads a message.
//!
//! Tablets send BER: indefinite lengths, octet strings in pieces, lengths on more bytes than needed. The
//! readers of this room know only DER. This transcoder runs on bytes of unproven origin, so it is bounded
//! in size and in depth (a message nested 100,000 deep is refused at level 65, T-A14).

/// How much a message may ask of the transcoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest message, in bytes.
    pub bytes: usize,
    /// The deepest nesting; the outermost element is at depth 1.
    pub depth: usize,
}

impl Limits {
    /// The deepest nesting that any message may have. A signed and enveloped certificate needs about 16.
    pub const DEPTH: usize = 64;

    /// At most `bytes` bytes, nested at most [`Limits::DEPTH`] deep.
    #[must_use]
    pub const fn bytes(bytes: usize) -> Self {
        Self { bytes, depth: Self::DEPTH }
    }
}

/// Why some bytes are not BER that we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BerError {
    /// The message is longer than its limit.
    #[error("the message has {len} bytes, more than the {limit} allowed")]
    TooLong {
        /// Its length, in bytes.
        len: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The message is nested deeper than its limit.
    #[error("the message is nested deeper than {limit} levels")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// An element goes on after the end of what holds it.
    #[error("the message is truncated, or a length in it is wrong")]
    Truncated,
    /// A length that X.690 forbids, or too long to be true.
    #[error("a length in the message is malformed")]
    BadLength,
    /// A tag that X.690 forbids, or a number too high to be true.
    #[error("a tag in the message is malformed")]
    BadTag,
    /// An end-of-contents mark without a beginning, or a constructed string of another kind than octets.
    #[error("the message uses a form of BER that no known tablet sends")]
    Unsupported,
    /// Bytes after the message.
    #[error("{0} bytes follow the end of the message")]
    TrailingBytes(usize),
}

const CONSTRUCTED: u8 = 0x20;
const NUMBER: u8 = 0x1F;
const OCTET_STRING: u8 = 0x04;
const CONSTRUCTED_OCTET_STRING: u8 = 0x24;
/// BIT STRING, and the character strings and times, in their constructed forms.
const OTHER_CONSTRUCTED_STRINGS: [u8; 13] =
    [0x23, 0x2C, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x3B, 0x3C];

/// The same value in DER's lengths and forms: definite minimal lengths, octet strings in one piece.
///
/// Elements keep their order (a SET OF stays as it was signed), and a message already in DER comes out
/// unchanged. An *implicitly* tagged octet string in pieces cannot be told from any other constructed
/// element here; whoever reads such a field joins the pieces.
///
/// # Errors
/// [`BerError`], for bytes that are not one BER element within `limits`.
pub fn to_der(ber: &[u8], limits: Limits) -> Result<Vec<u8>, BerError> {
    if ber.len() > limits.bytes {
        return Err(BerError::TooLong { len: ber.len(), limit: limits.bytes });
    }
    let mut input = Input { rest: ber };
    let mut der = Vec::with_capacity(ber.len());
    element(&mut input, 1, limits, &mut der)?;
    if input.rest.is_empty() { Ok(der) } else { Err(BerError::TrailingBytes(input.rest.len())) }
}

/// Copies one element from `input` to the end of `der`.
fn element(input: &mut Input<'_>, depth: usize, limits: Limits, der: &mut Vec<u8>) -> Result<(), BerError> {
    if depth > limits.depth {
        return Err(BerError::TooDeep { limit: limits.depth });
    }
    let (tag, first) = input.tag()?;
    if first == 0 || OTHER_CONSTRUCTED_STRINGS.contains(&first) {
        return Err(BerError::Unsupported);
    }
    let length = input.length()?;
    let start = der.len();
    if first & CONSTRUCTED == 0 {
        let Length::Definite(len) = length else { return Err(BerError::BadLength) };
        der.extend_from_slice(tag);
        der.extend(header_length(len));
        der.extend_from_slice(input.take(len)?);
        return Ok(());
    }
    let octets = first == CONSTRUCTED_OCTET_STRING;
    children(input, length, &mut |input| {
        if octets {
            octet_string_piece(input, depth + 1, limits, der)
        } else {
            element(input, depth + 1, limits, der)
        }
    })?;
    let tag = if octets { &[OCTET_STRING] } else { tag };
    let header: Vec<u8> = tag.iter().copied().chain(header_length(der.len() - start)).collect();
    // Moves this element's content once per level above it: at most `depth` times in all.
    der.splice(start..start, header);
    Ok(())
}

/// Appends to `octets` the content of one piece of a constructed octet string (X.690 §8.7.3), whose pieces
/// may be constructed themselves.
fn octet_string_piece(
    input: &mut Input<'_>,
    depth: usize,
    limits: Limits,
    octets: &mut Vec<u8>,
) -> Result<(), BerError> {
    if depth > limits.depth {
        return Err(BerError::TooDeep { limit: limits.depth });
    }
    let (_tag, first) = input.tag()?;
    match (first, input.length()?) {
        (OCTET_STRING, Length::Definite(len)) => octets.extend_from_slice(input.take(len)?),
        (OCTET_STRING, Length::Indefinite) => return Err(BerError::BadLength),
        (CONSTRUCTED_OCTET_STRING, length) => {
            children(input, length, &mut |input| octet_string_piece(input, depth + 1, limits, octets))?;
        }
        _ => return Err(BerError::Unsupported),
    }
    Ok(())
}

/// Calls `child` at the start of each element inside a constructed one.
fn children(
    input: &mut Input<'_>,
    length: Length,
    child: &mut dyn FnMut(&mut Input<'_>) -> Result<(), BerError>,
) -> Result<(), BerError> {
    match length {
        Length::Definite(len) => {
            let mut inside = Input { rest: input.take(len)? };
            while !inside.rest.is_empty() {
                child(&mut inside)?;
            }
        }
        Length::Indefinite => {
            while !input.end_of_contents() {
                child(input)?;
            }
        }
    }
    Ok(())
}

enum Length {
    Definite(usize),
    Indefinite,
}

struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], BerError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(BerError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, BerError> {
        let (first, rest) = self.rest.split_first().ok_or(BerError::Truncated)?;
        self.rest = rest;
        Ok(*first)
    }

    /// The bytes of a tag, and the first of them (X.690 §8.1.2).
    fn tag(&mut self) -> Result<(&'a [u8], u8), BerError> {
        let whole = self.rest;
        let first = self.byte()?;
        let mut len = 1;
        if first & NUMBER == NUMBER {
            loop {
                let byte = self.byte()?;
                len += 1;
                // Four more bytes hold 28 bits; a padded number starts with 0x80.
                if len > 5 || (len == 2 && byte == 0x80) {
                    return Err(BerError::BadTag);
                }
                if byte & 0x80 == 0 {
                    break;
                }
            }
        }
        let tag = whole.get(..len).ok_or(BerError::Truncated)?;
        Ok((tag, first))
    }

    /// A length in any of its forms (X.690 §8.1.3).
    fn length(&mut self) -> Result<Length, BerError> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(Length::Definite(usize::from(first)));
        }
        if first == 0x80 {
            return Ok(Length::Indefinite);
        }
        let count = usize::from(first & 0x7F);
        if count > size_of::<u64>() {
            return Err(BerError::BadLength);
        }
        let value = self.take(count)?.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        usize::try_from(value).map(Length::Definite).map_err(|_beyond_memory| BerError::BadLength)
    }

    /// Whether the end-of-contents mark comes next; if so, goes past it.
    fn end_of_contents(&mut self) -> bool {
        match self.rest {
            [0, 0, rest @ ..] => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }
}

/// A length in DER.
pub(crate) fn header_length(len: usize) -> impl Iterator<Item = u8> {
    let bytes = len.to_be_bytes();
    let significant: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    let short = len < 0x80;
    // At most eight bytes follow.
    let count = u8::try_from(significant.len()).unwrap_or(u8::MAX);
    let first = if short { significant.first().copied().unwrap_or(0) } else { 0x80 | count };
    std::iter::once(first).chain(significant.into_iter().filter(move |_| !short))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits::bytes(1 << 20);

    fn der(hexadecimal: &str) -> Result<String, BerError> {
        to_der(&hex::decode(hexadecimal.replace(' ', "")).unwrap(), LIMITS).map(hex::encode)
    }

    #[test]
    fn every_form_of_ber_becomes_der() {
        for (what, ber, expected) in [
            ("already der", "30 03 02 01 05", "3003020105"),
            ("indefinite length", "30 80 02 01 05 00 00", "3003020105"),
            ("nested indefinite lengths", "30 80 30 80 02 01 05 00 00 00 00", "30053003020105"),
            ("long form of a short length", "30 81 03 02 01 05", "3003020105"),
            ("length padded with zeros", "30 84 00 00 00 05 02 82 00 01 05", "3003020105"),
            ("octets in pieces", "24 06 04 01 aa 04 01 bb", "0402aabb"),
            ("octets in pieces, indefinite", "24 80 04 01 aa 04 01 bb 00 00", "0402aabb"),
            ("pieces within pieces", "24 80 24 80 04 01 aa 00 00 24 03 04 01 bb 00 00", "0402aabb"),
            ("empty pieces", "24 80 04 00 00 00", "0400"),
            ("implicit context tag kept", "a0 80 04 01 aa 04 01 bb 00 00", "a0060401aa0401bb"),
            ("high tag number", "bf 81 01 80 02 01 05 00 00", "bf810103020105"),
            ("zeros that are content", "30 80 04 02 00 00 00 00", "300404020000"),
        ] {
            assert_eq!(der(ber).as_deref(), Ok(expected), "{what}");
        }
    }

    #[test]
    fn what_is_not_ber_is_named() {
        for (ber, expected) in [
            ("", BerError::Truncated),
            ("30", BerError::Truncated),
            ("30 05 02 01 05", BerError::Truncated),
            ("30 03 02 05 05", BerError::Truncated),
            ("30 80 02 01 05", BerError::Truncated),
            ("30 80 02 01 05 00", BerError::Unsupported),
            ("02 80 05 00 00", BerError::BadLength),
            ("30 ff 00", BerError::BadLength),
            ("30 89 000000000000000001", BerError::BadLength),
            ("00 00", BerError::Unsupported),
            ("23 80 03 02 00 aa 00 00", BerError::Unsupported),
            ("24 80 02 01 05 00 00", BerError::Unsupported),
            ("bf 80 01 00", BerError::BadTag),
            ("bf ff ff ff ff 7f 00", BerError::BadTag),
            ("30 03 02 01 05 0a", BerError::TrailingBytes(1)),
        ] {
            assert_eq!(der(ber), Err(expected), "{ber}");
        }
    }

    #[test]
    fn a_body_of_100_kb_in_pieces_comes_out_whole() {
        let body: Vec<u8> = (0..100_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut ber = vec![0x30, 0x80, 0x24, 0x80];
        for piece in body.chunks(1000) {
            ber.extend([0x04, 0x82]);
            ber.extend(u16::try_from(piece.len()).unwrap().to_be_bytes());
            ber.extend(piece);
        }
        ber.extend([0, 0, 0, 0]);
        let der = to_der(&ber, LIMITS).unwrap();
        assert_eq!(&der[..10], [0x30, 0x83, 0x01, 0x86, 0xA5, 0x04, 0x83, 0x01, 0x86, 0xA0]);
        assert_eq!(&der[10..], body);
    }

    #[test]
    fn t_a14_nesting_is_refused_at_level_65() {
        let nested = |levels: usize| {
            let mut bytes = [0x30, 0x80].repeat(levels - 1);
            bytes.extend([0x30, 0x00]);
            bytes.extend([0, 0].repeat(levels - 1));
            bytes
        };
        assert!(to_der(&nested(64), LIMITS).is_ok());
        for levels in [65, 100_000] {
            assert_eq!(to_der(&nested(levels), LIMITS), Err(BerError::TooDeep { limit: 64 }), "{levels}");
        }
        let pieces = [0x24, 0x80].repeat(100_000);
        assert_eq!(to_der(&pieces, LIMITS), Err(BerError::TooDeep { limit: 64 }));
    }

    #[test]
    fn t_a14_a_length_that_overflows_is_refused() {
        for bomb in ["04 88 ffffffffffffffff 00", "30 88 7fffffffffffffff 00", "30 84 ffffffff 00"] {
            assert_eq!(der(bomb), Err(BerError::Truncated), "{bomb}");
        }
    }

    #[test]
    fn t_a14_a_header_that_announces_16_mb_costs_nothing() {
        assert_eq!(der("30 84 01 00 00 00 02 01 05"), Err(BerError::Truncated));
        let long = vec![0; LIMITS.bytes + 1];
        assert_eq!(
            to_der(&long, LIMITS),
            Err(BerError::TooLong { len: LIMITS.bytes + 1, limit: LIMITS.bytes })
        );
    }

    /// A value, its DER, and one of its many BER forms, chosen by the bits of `form`.
    fn value() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
        let leaf = (prop::collection::vec(any::<u8>(), 0..300), any::<u8>()).prop_map(|(octets, form)| {
            let der = wrapped(0x04, &octets);
            let ber = match form % 3 {
                0 => der.clone(),
                1 => {
                    [&[0x04, 0x84][..], &u32::try_from(octets.len()).unwrap().to_be_bytes(), &octets].concat()
                }
                _ => {
                    let (left, right) = octets.split_at(octets.len() / 2);
                    [&[0x24, 0x80][..], &wrapped(0x04, left), &wrapped(0x04, right), &[0, 0]].concat()
                }
            };
            (der, ber)
        });
        leaf.prop_recursive(8, 64, 6, |inner| {
            (prop::collection::vec(inner, 0..6), any::<bool>()).prop_map(|(values, indefinite)| {
                let der: Vec<u8> = values.iter().flat_map(|value| value.0.clone()).collect();
                let ber: Vec<u8> = values.iter().flat_map(|value| value.1.clone()).collect();
                let ber = if indefinite {
                    [&[0x30, 0x80][..], &ber, &[0, 0]].concat()
                } else {
                    wrapped(0x30, &ber)
                };
                (wrapped(0x30, &der), ber)
            })
        })
    }

    fn wrapped(tag: u8, content: &[u8]) -> Vec<u8> {
        std::iter::once(tag).chain(header_length(content.len())).chain(content.iter().copied()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn ber_of_any_form_becomes_the_der_of_its_value((der, ber) in value()) {
            prop_assert_eq!(to_der(&ber, LIMITS), Ok(der.clone()));
            prop_assert_eq!(to_der(&der, LIMITS), Ok(der));
        }

        #[test]
        fn t_a14_arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(der) = to_der(&bytes, LIMITS) {
                prop_assert_eq!(to_der(&der, LIMITS), Ok(der));
            }
        }
    }
}
