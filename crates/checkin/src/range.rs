//! Which part of a file is asked for (RFC 9110 §14.2, §13.1.5): one range of bytes, or all of it.

/// What is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// One part.
    Some {
        /// The first byte.
        from: u64,
        /// How many; at least one.
        bytes: u64,
    },
    /// There is no such part: 416.
    Unsatisfiable,
}

/// What a request with these headers is to be sent of a file with `length` bytes. A `Range` that is not understood, or
/// asks for several parts, is ignored, as the RFC lets us; one about another version of the file is, too.
pub(crate) fn asked(range: Option<&str>, if_range: Option<&str>, tag: &str, length: u64) -> Part {
    let Some(range) = range else { return Part::Whole };
    // Only a strong tag compares equal; a date never does: files here have none.
    if if_range.is_some_and(|held| held.trim() != tag) {
        return Part::Whole;
    }
    read(range, length).unwrap_or(Part::Whole)
}

fn read(range: &str, length: u64) -> Option<Part> {
    let (unit, spec) = range.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = spec.trim().split_once('-')?;
    let (from, to) = match (first, last) {
        ("", last) => {
            let suffix = digits(last)?;
            if suffix == 0 {
                return Some(Part::Unsatisfiable);
            }
            (length.saturating_sub(suffix), length)
        }
        (first, "") => (digits(first)?, length),
        (first, last) => {
            let (first, last) = (digits(first)?, digits(last)?);
            if last < first {
                return None;
            }
            (first, last.saturating_add(1).min(length))
        }
    };
    if from >= length {
        return Some(Part::Unsatisfiable);
    }
    Some(Part::Some { from, bytes: to.saturating_sub(from) })
}

/// Digits only: no sign, no space. A number beyond every file is as good as the largest one.
fn digits(text: &str) -> Option<u64> {
    let number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_part_is_sent_as_the_rfc_says() {
        let part = |from, bytes| Part::Some { from, bytes };
        for (range, expected) in [
            ("bytes=0-0", part(0, 1)),
            ("bytes=0-99", part(0, 100)),
            ("bytes=90-200", part(90, 10)),
            ("bytes=50-", part(50, 50)),
            ("Bytes=-10", part(90, 10)),
            ("bytes=-1000", part(0, 100)),
            ("bytes=99-99", part(99, 1)),
            ("bytes=0-99999999999999999999999", part(0, 100)),
            ("bytes=100-", Part::Unsatisfiable),
            ("bytes=100-200", Part::Unsatisfiable),
            ("bytes=-0", Part::Unsatisfiable),
            ("bytes=5-4", Part::Whole),
            ("bytes=0-1,5-6", Part::Whole),
            ("bytes=", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("items=0-1", Part::Whole),
            ("0-1", Part::Whole),
        ] {
            assert_eq!(asked(Some(range), None, "\"t\"", 100), expected, "{range}");
        }
        assert_eq!(asked(None, Some("\"t\""), "\"t\"", 100), Part::Whole);
    }

    #[test]
    fn a_part_of_another_version_is_never_sent() {
        let some = Part::Some { from: 10, bytes: 90 };
        for (held, expected) in [
            ("\"t\"", some),
            (" \"t\" ", some),
            ("\"u\"", Part::Whole),
            ("W/\"t\"", Part::Whole),
            ("Thu, 26 Nov 2026 00:00:00 GMT", Part::Whole),
            ("", Part::Whole),
        ] {
            assert_eq!(asked(Some("bytes=10-"), Some(held), "\"t\"", 100), expected, "{held}");
        }
    }

    proptest! {
        #[test]
        fn no_part_is_empty_or_leaves_the_file(range in "bytes=[0-9]{0,20}-[0-9]{0,20}", length in 0_u64..1_000) {
            if let Part::Some { from, bytes } = asked(Some(&range), None, "\"t\"", length) {
                prop_assert!(bytes > 0 && from + bytes <= length, "{range} of {length}: {from} {bytes}");
            }
        }
    }
}
