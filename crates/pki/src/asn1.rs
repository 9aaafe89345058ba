//! A cursor over DER that keeps the bytes as they were received.
//!
//! A signature is over bytes, so what is verified is never decoded and encoded again: an element gives
//! both its content and itself as it stood in the message. Input has been through [`crate::ber::to_der`].

use const_oid::ObjectIdentifier;

/// BOOLEAN.
pub(crate) const BOOLEAN: u8 = 0x01;
/// INTEGER.
pub(crate) const INTEGER: u8 = 0x02;
/// OCTET STRING.
pub(crate) const OCTET_STRING: u8 = 0x04;
/// NULL.
pub(crate) const NULL: u8 = 0x05;
/// OBJECT IDENTIFIER.
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
/// SEQUENCE.
pub(crate) const SEQUENCE: u8 = 0x30;
/// SET.
pub(crate) const SET: u8 = 0x31;
/// `[0]`, primitive: an implicitly tagged string.
pub(crate) const CONTEXT_0: u8 = 0x80;
/// `[0]`, constructed.
pub(crate) const CONTEXT_0_CONSTRUCTED: u8 = 0xA0;
/// `[1]`, constructed.
pub(crate) const CONTEXT_1_CONSTRUCTED: u8 = 0xA1;
/// `[2]`, constructed.
pub(crate) const CONTEXT_2_CONSTRUCTED: u8 = 0xA2;
/// `[3]`, constructed.
pub(crate) const CONTEXT_3_CONSTRUCTED: u8 = 0xA3;

/// A structure that is not what its standard says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found something else")]
pub struct UnexpectedStructure {
    pub(crate) expected: &'static str,
}

/// One element: its tag, its content, and both as received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    pub(crate) raw: &'a [u8],
}

impl<'a> Element<'a> {
    /// A cursor over the elements inside this one.
    pub(crate) fn inside(self) -> Cursor<'a> {
        Cursor { rest: self.content }
    }

    /// This element as an object identifier.
    pub(crate) fn oid(self, expected: &'static str) -> Result<ObjectIdentifier, UnexpectedStructure> {
        if self.tag != OBJECT_IDENTIFIER {
            return Err(UnexpectedStructure { expected });
        }
        ObjectIdentifier::from_bytes(self.content).map_err(|_invalid| UnexpectedStructure { expected })
    }
}

/// A position in a series of DER elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// At the first of the elements in `der`.
    pub(crate) fn new(der: &'a [u8]) -> Self {
        Self { rest: der }
    }

    /// The element with tag `tag` that is all of `der`.
    pub(crate) fn whole(
        der: &'a [u8],
        tag: u8,
        expected: &'static str,
    ) -> Result<Element<'a>, UnexpectedStructure> {
        let mut cursor = Self::new(der);
        let element = cursor.expect(tag, expected)?;
        cursor.end(expected)?;
        Ok(element)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element, which must be there.
    pub(crate) fn next(&mut self, expected: &'static str) -> Result<Element<'a>, UnexpectedStructure> {
        let (element, rest) = split(self.rest).ok_or(UnexpectedStructure { expected })?;
        self.rest = rest;
        Ok(element)
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(
        &mut self,
        tag: u8,
        expected: &'static str,
    ) -> Result<Element<'a>, UnexpectedStructure> {
        let element = self.next(expected)?;
        if element.tag == tag { Ok(element) } else { Err(UnexpectedStructure { expected }) }
    }

    /// The next element if it has this tag; otherwise stays where it is.
    pub(crate) fn optional(
        &mut self,
        tag: u8,
        expected: &'static str,
    ) -> Result<Option<Element<'a>>, UnexpectedStructure> {
        if self.rest.first() == Some(&tag) { self.expect(tag, expected).map(Some) } else { Ok(None) }
    }

    /// Nothing may be left.
    pub(crate) fn end(self, expected: &'static str) -> Result<(), UnexpectedStructure> {
        if self.rest.is_empty() { Ok(()) } else { Err(UnexpectedStructure { expected }) }
    }
}

/// The first element of `der` and what follows it. `None` for anything but DER with a low tag number, the
/// only kind that certificates and CMS use.
fn split(der: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    if tag & 0x1F == 0x1F {
        return None;
    }
    let (len, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let count = usize::from(first & 0x7F);
        if count == 0 || count > size_of::<u32>() {
            return None;
        }
        let (bytes, rest) = rest.split_at_checked(count)?;
        let len = bytes.iter().fold(0_u64, |len, byte| len << 8 | u64::from(*byte));
        (usize::try_from(len).ok()?, rest)
    };
    let (content, rest) = rest.split_at_checked(len)?;
    let raw = der.get(..der.len() - rest.len())?;
    Some((Element { tag: *tag, content, raw }, rest))
}

/// `content` as an element with tag `tag`.
pub(crate) fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut der = Vec::with_capacity(content.len() + 6);
    der.push(tag);
    der.extend(crate::ber::header_length(content.len()));
    der.extend_from_slice(content);
    der
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_keeps_the_bytes_it_was_read_from() {
        let der = [0x30, 0x05, 0x02, 0x01, 0x07, 0x05, 0x00];
        let mut inside = Cursor::whole(&der, SEQUENCE, "a sequence").unwrap().inside();
        assert_eq!(inside.optional(SET, "a set"), Ok(None));
        assert_eq!(inside.expect(INTEGER, "an integer").unwrap().raw, [0x02, 0x01, 0x07]);
        assert!(!inside.is_empty());
        assert_eq!(inside.end("the end"), Err(UnexpectedStructure { expected: "the end" }));
    }

    #[test]
    fn a_wrapped_content_reads_back() {
        for len in [0, 1, 127, 128, 255, 256, 70_000] {
            let content = vec![7; len];
            let der = wrap(OCTET_STRING, &content);
            assert_eq!(Cursor::whole(&der, OCTET_STRING, "octets").unwrap().content, content);
        }
    }
}
