//! A school year and its summer break, which the département dates (C5.2.2, C9.1).

use types::Day;

use crate::InvalidText;

/// A school year. Lists, texts and loans name it by its label (C9.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchoolYear {
    label: String,
    starts_on: Day,
    ends_on: Day,
    summer: (Day, Day),
}

impl SchoolYear {
    /// A year from its first to its last day, and the first and last day of its summer break, which begins within the
    /// year and may end after it.
    ///
    /// # Errors
    /// [`InvalidText`] if the days do not follow each other so.
    pub fn new(label: &str, starts_on: Day, ends_on: Day, summer: (Day, Day)) -> Result<Self, InvalidText> {
        let follow = starts_on < summer.0
            && summer.0 <= summer.1
            && starts_on < ends_on
            && summer.0 <= ends_on.plus(1);
        if !follow {
            return Err(InvalidText::new(
                "school year",
                "a first day, then the first of its summer break, then the last of both",
            ));
        }
        Ok(Self { label: label.to_owned(), starts_on, ends_on, summer })
    }

    /// Its label, such as `2026-2027`.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Its first day.
    #[must_use]
    pub fn starts_on(&self) -> Day {
        self.starts_on
    }

    /// The last day that belongs to it, its summer break included.
    #[must_use]
    pub fn last_day(&self) -> Day {
        self.ends_on.max(self.summer.1)
    }

    /// The first day of its summer break.
    #[must_use]
    pub fn summer_starts_on(&self) -> Day {
        self.summer.0
    }

    /// Whether the day is of its summer break.
    #[must_use]
    pub fn is_summer(&self, day: Day) -> bool {
        self.summer.0 <= day && day <= self.summer.1
    }

    /// Whether the day is of this year, its summer break included.
    #[must_use]
    pub fn holds(&self, day: Day) -> bool {
        self.starts_on <= day && day <= self.last_day()
    }
}
