//! The texts of a binary property list's root dictionary, and nothing below it.
//!
//! Objects of a binary property list refer to each other by number, so that a few bytes can stand for a tree without
//! end. Nothing here follows a reference from below the root: each key and each text is read once, where it lies, and
//! whatever else there is is not looked at.

use std::collections::BTreeMap;

use super::PackageError;

/// How a binary property list begins.
pub(super) const MAGIC: &[u8] = b"bplist00";
/// Its last bytes say where everything is.
const TRAILER: usize = 32;
/// More entries than any `Info.plist` has.
const MOST_ENTRIES: usize = 4_096;

/// The entries of the root whose values are texts.
pub(super) fn texts(content: &[u8]) -> Result<BTreeMap<String, String>, PackageError> {
    read(content).ok_or(PackageError::Binary("the binary property list contradicts itself"))
}

fn read(content: &[u8]) -> Option<BTreeMap<String, String>> {
    let list = List::open(content)?;
    let (marker, at) = list.object(list.top)?;
    if marker >> 4 != 0xD {
        return None;
    }
    let (count, keys_at) = list.count(marker, at)?;
    if count > MOST_ENTRIES {
        return None;
    }
    let values_at = keys_at.checked_add(count.checked_mul(list.reference)?)?;
    let mut texts = BTreeMap::new();
    for index in 0..count {
        let skip = index.checked_mul(list.reference)?;
        let key = list.text(number(content, keys_at.checked_add(skip)?, list.reference)?)??;
        let value = number(content, values_at.checked_add(skip)?, list.reference)?;
        if let Some(value) = list.text(value)?
            && texts.insert(key, value).is_some()
        {
            // Twice the same key: two readers would disagree about which one counts.
            return None;
        }
    }
    Some(texts)
}

/// What the trailer says.
struct List<'a> {
    content: &'a [u8],
    /// How many bytes a reference to an object has.
    reference: usize,
    /// How many bytes the place of an object has.
    offset: usize,
    objects: usize,
    top: usize,
    table: usize,
}

impl<'a> List<'a> {
    fn open(content: &'a [u8]) -> Option<Self> {
        let trailer_at = content.len().checked_sub(TRAILER)?;
        let byte = |at: usize| content.get(trailer_at.checked_add(at)?).copied().map(usize::from);
        let list = Self {
            content,
            offset: byte(6)?,
            reference: byte(7)?,
            objects: number(content, trailer_at.checked_add(8)?, 8)?,
            top: number(content, trailer_at.checked_add(16)?, 8)?,
            table: number(content, trailer_at.checked_add(24)?, 8)?,
        };
        let sizes = 1..=8;
        (sizes.contains(&list.offset) && sizes.contains(&list.reference)).then_some(list)
    }

    /// The marker of an object, and where it goes on.
    fn object(&self, index: usize) -> Option<(u8, usize)> {
        if index >= self.objects {
            return None;
        }
        let place = self.table.checked_add(index.checked_mul(self.offset)?)?;
        let at = number(self.content, place, self.offset)?;
        Some((*self.content.get(at)?, at.checked_add(1)?))
    }

    /// How many there are of what an object holds, and where they begin.
    fn count(&self, marker: u8, at: usize) -> Option<(usize, usize)> {
        match marker & 0x0F {
            0x0F => {
                let length = self.content.get(at)?;
                if length >> 4 != 0x1 || length & 0x0F > 3 {
                    return None;
                }
                let bytes = 1_usize << (length & 0x0F);
                let from = at.checked_add(1)?;
                Some((number(self.content, from, bytes)?, from.checked_add(bytes)?))
            }
            few => Some((usize::from(few), at)),
        }
    }

    /// The text at that number; `Some(None)` for an object that is no text.
    fn text(&self, index: usize) -> Option<Option<String>> {
        let (marker, at) = self.object(index)?;
        match marker >> 4 {
            0x5 => {
                let (count, from) = self.count(marker, at)?;
                let bytes = self.content.get(from..from.checked_add(count)?)?;
                Some(Some(std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii())?.to_owned()))
            }
            0x6 => {
                let (count, from) = self.count(marker, at)?;
                let bytes = self.content.get(from..from.checked_add(count.checked_mul(2)?)?)?;
                let units = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
                Some(Some(char::decode_utf16(units).collect::<Result<String, _>>().ok()?))
            }
            _ => Some(None),
        }
    }
}

/// A big-endian number of 1 to 8 bytes.
fn number(content: &[u8], at: usize, bytes: usize) -> Option<usize> {
    let bytes = content.get(at..at.checked_add(bytes)?)?;
    let number = bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    usize::try_from(number).ok()
}
