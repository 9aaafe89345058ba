//! DER, written and read by hand: enough for the messages a tablet signs. Shares nothing with the server.

use crate::Error;

/// Tags used by CMS, PKCS #10 and SCEP.
pub(crate) mod tag {
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const UTF8_STRING: u8 = 0x0c;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
    pub(crate) const CONTEXT_0: u8 = 0xa0;
    /// `OCTET STRING` in pieces, which only BER allows.
    pub(crate) const CONSTRUCTED_OCTET_STRING: u8 = 0x24;
}

/// Object identifiers, already encoded.
pub(crate) mod oid {
    pub(crate) const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
    pub(crate) const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
    pub(crate) const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3];
    pub(crate) const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4];
    pub(crate) const SIGNING_TIME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 5];
    pub(crate) const CHALLENGE_PASSWORD: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 7];
    pub(crate) const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14];
    pub(crate) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
    pub(crate) const RSA_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5];
    pub(crate) const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
    pub(crate) const RSA_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13];
    pub(crate) const SHA1: &[u8] = &[0x2b, 0x0e, 3, 2, 26];
    pub(crate) const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
    pub(crate) const SHA512: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3];
    pub(crate) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
    pub(crate) const SCEP_MESSAGE_TYPE: &[u8] = &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x45, 1, 9, 2];
    pub(crate) const SCEP_PKI_STATUS: &[u8] = &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x45, 1, 9, 3];
    pub(crate) const SCEP_FAIL_INFO: &[u8] = &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x45, 1, 9, 4];
    pub(crate) const SCEP_SENDER_NONCE: &[u8] = &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x45, 1, 9, 5];
    pub(crate) const SCEP_RECIPIENT_NONCE: &[u8] = &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x45, 1, 9, 6];
    pub(crate) const SCEP_TRANSACTION: &[u8] = &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x45, 1, 9, 7];
}

/// A tag, the shortest definite length, and the content.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut written = vec![tag];
    let length = content.len();
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => written.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let skipped = bytes.iter().take_while(|byte| **byte == 0).count();
            let significant = bytes.len() - skipped;
            written.push(0x80 | u8::try_from(significant).unwrap_or(8));
            written.extend(bytes.iter().skip(skipped));
        }
    }
    written.extend_from_slice(content);
    written
}

/// The same with an indefinite length and an end mark: BER, as some tablets write it.
pub(crate) fn indefinite(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut written = vec![tag, 0x80];
    written.extend_from_slice(content);
    written.extend_from_slice(&[0, 0]);
    written
}

pub(crate) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    element(tag::SEQUENCE, &parts.concat())
}

/// A `SET OF`, in the order DER wants.
pub(crate) fn set(parts: &[Vec<u8>]) -> Vec<u8> {
    element(tag::SET, &sorted(parts))
}

/// The content of a `SET OF`, in the order DER wants.
pub(crate) fn sorted(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut parts = parts.to_vec();
    parts.sort();
    parts.concat()
}

pub(crate) fn object(encoded: &[u8]) -> Vec<u8> {
    element(tag::OID, encoded)
}

/// A number that is not negative, from its big-endian bytes.
pub(crate) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let mut content: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    if content.first().is_none_or(|first| *first >= 0x80) {
        content.insert(0, 0);
    }
    element(tag::INTEGER, &content)
}

pub(crate) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    let mut content = vec![0];
    content.extend_from_slice(bytes);
    element(tag::BIT_STRING, &content)
}

/// One element: its tag, its content, and both with the length between them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    pub(crate) whole: &'a [u8],
}

/// Reads elements one after the other; definite lengths only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next element, or none at the end.
    pub(crate) fn read(&mut self) -> Result<Option<Element<'a>>, Error> {
        let start = self.rest;
        let Some((tag, after_tag)) = start.split_first() else { return Ok(None) };
        let (length, header) = length(after_tag)?;
        let total = 1 + header + length;
        let (whole, rest) = start
            .split_at_checked(total)
            .ok_or_else(|| Error::malformed("DER", "an element is longer than what holds it"))?;
        let content = whole.get(1 + header..).unwrap_or_default();
        self.rest = rest;
        Ok(Some(Element { tag: *tag, content, whole }))
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Element<'a>, Error> {
        match self.read()? {
            Some(element) if element.tag == tag => Ok(element),
            Some(element) => Err(Error::malformed(
                "DER",
                format!("tag {:#04x} stands where {tag:#04x} was expected", element.tag),
            )),
            None => Err(Error::malformed("DER", format!("ends where tag {tag:#04x} was expected"))),
        }
    }

    /// All elements that remain.
    pub(crate) fn all(mut self) -> Result<Vec<Element<'a>>, Error> {
        let mut elements = Vec::new();
        while let Some(element) = self.read()? {
            elements.push(element);
        }
        Ok(elements)
    }
}

impl<'a> Element<'a> {
    /// What is inside.
    pub(crate) const fn inside(&self) -> Reader<'a> {
        Reader::new(self.content)
    }
}

/// The length, and how many bytes it took to write it.
fn length(bytes: &[u8]) -> Result<(usize, usize), Error> {
    let (first, rest) = bytes.split_first().ok_or_else(|| Error::malformed("DER", "a length is missing"))?;
    if *first < 0x80 {
        return Ok((usize::from(*first), 1));
    }
    let count = usize::from(*first & 0x7f);
    if count == 0 || count > 4 {
        return Err(Error::malformed("DER", "a length is indefinite or needs more than four bytes"));
    }
    let digits = rest.get(..count).ok_or_else(|| Error::malformed("DER", "a length is cut off"))?;
    let length = digits.iter().fold(0_usize, |sum, digit| sum * 256 + usize::from(*digit));
    Ok((length, 1 + count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_is_never_read_as_negative() {
        assert_eq!(unsigned(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(unsigned(&[0, 0, 1]), [2, 1, 1]);
        assert_eq!(unsigned(&[]), [2, 1, 0]);
    }

    #[test]
    fn an_element_longer_than_its_holder_is_refused() {
        assert!(Reader::new(&[4, 5, 1]).read().is_err());
        assert!(Reader::new(&[4, 0x80, 0, 0]).read().is_err());
        assert!(Reader::new(&[4, 0x84, 0xff, 0xff]).read().is_err());
        assert!(Reader::new(&[4]).read().is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_is_read_back(content in proptest::collection::vec(any::<u8>(), 0..70_000)) {
            let written = element(tag::OCTET_STRING, &content);
            let element = Reader::new(&written).expect(tag::OCTET_STRING).unwrap();
            prop_assert_eq!(element.content, content.as_slice());
            prop_assert_eq!(element.whole, written.as_slice());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _either = Reader::new(&bytes).all();
        }
    }
}
