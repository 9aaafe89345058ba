//! Lists in parts: each in the order of a unique key, so that no row is shown twice or lost (T-C22).

use std::str::FromStr;

use crate::Refusal;

/// How many a part holds unless told.
const USUAL: u32 = 100;
/// The most a part may hold.
const MOST: u32 = 500;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<K> {
    pub(crate) after: Option<K>,
    pub(crate) limit: u32,
}

/// One part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// What is in it.
    pub items: Vec<T>,
    /// What to ask for next; `None` at the end.
    pub next: Option<String>,
}

impl<K: FromStr> Page<K> {
    /// The part after the key `after`, or the first one, with at most `limit` items (1 to 500).
    ///
    /// # Errors
    /// [`Refusal::Invalid`] names the field.
    pub fn read(after: Option<&str>, limit: Option<u32>) -> Result<Self, Refusal> {
        let after = after
            .map(|text| {
                text.parse().map_err(|_not_a_key: K::Err| {
                    Refusal::invalid("after", "send the `next` of the part before")
                })
            })
            .transpose()?;
        let limit = limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(Refusal::invalid("limit", format!("must be from 1 to {MOST}")));
        }
        Ok(Self { after, limit })
    }
}

impl<K> Default for Page<K> {
    fn default() -> Self {
        Self { after: None, limit: USUAL }
    }
}

impl<K> Page<K> {
    /// One more than is shown: if it is there, so is a next part.
    pub(crate) const fn with_one_more(&self) -> u32 {
        self.limit + 1
    }

    /// The part itself, from rows that were loaded [`with_one_more`](Self::with_one_more).
    pub(crate) fn cut<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> String) -> Listed<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(key) } else { None };
        Listed { items: rows, next }
    }
}

#[cfg(test)]
mod tests {
    use types::TabletId;

    use super::*;

    #[test]
    fn a_part_names_the_next_one_only_if_there_is_one() {
        let page = Page::<u32>::read(None, Some(2)).unwrap();
        let listed = page.cut(vec![1, 2, 3], u32::to_string);
        assert_eq!((listed.items, listed.next.as_deref()), (vec![1, 2], Some("2")));
        let listed = page.cut(vec![1, 2], u32::to_string);
        assert_eq!((listed.items, listed.next), (vec![1, 2], None));
    }

    #[test]
    fn a_limit_out_of_bounds_or_a_foreign_key_is_refused() {
        for limit in [0, MOST + 1] {
            assert!(matches!(
                Page::<TabletId>::read(None, Some(limit)),
                Err(Refusal::Invalid { field: "limit", .. })
            ));
        }
        let foreign = Page::<TabletId>::read(Some("' OR 1=1 --"), None);
        assert!(matches!(foreign, Err(Refusal::Invalid { field: "after", .. })));
    }
}
