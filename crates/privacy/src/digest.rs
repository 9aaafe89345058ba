//! What a validation is bound to: the SHA-256 of an entry and of all that is stored for it.

use types::Digest;

/// Texts put one behind the other so that no two different sequences give the same bytes: each is preceded by
/// its length, each list by its count.
pub(crate) struct Canonical(Vec<u8>);

impl Canonical {
    /// `format` names this order of fields: another order is another format.
    pub(crate) fn new(format: &str) -> Self {
        let mut canonical = Self(Vec::new());
        canonical.text(format);
        canonical
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn list<'t>(&mut self, texts: impl ExactSizeIterator<Item = &'t str>) {
        self.count(texts.len());
        texts.for_each(|text| self.text(text));
    }

    fn count(&mut self, count: usize) {
        // A usize has at most 64 bits on every machine that Rust knows.
        self.0.extend_from_slice(&u64::try_from(count).unwrap_or(u64::MAX).to_be_bytes());
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Digest {
        let mut canonical = Canonical::new("test");
        canonical.list(texts.iter().copied());
        canonical.digest()
    }

    #[test]
    fn no_two_sequences_run_together() {
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["abc"]), of(&["abc", ""]));
        assert_ne!(of(&[]), of(&[""]));
    }
}
