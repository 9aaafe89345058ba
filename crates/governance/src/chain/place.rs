//! Where a finding is: its name for programs, and the seal or the entry that it names.

use super::verify::{Finding, Remark};

impl Finding {
    /// The name that programs know it by.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SealMissing { .. } => "seal-missing",
            Self::Unlinked { .. } => "seal-unlinked",
            Self::SealEdited { .. } => "seal-edited",
            Self::RowCount { .. } => "entries-counted-otherwise",
            Self::RowsEdited { .. } => "entries-edited",
            Self::BodyEdited { .. } => "body-edited",
            Self::HalfPurged { .. } => "half-purged",
            Self::UnknownSeal { .. } => "unknown-seal",
            Self::PutIn { .. } => "entry-put-in",
            Self::Unsealed { .. } => "entry-unsealed",
            Self::Twice { .. } => "entry-twice",
            Self::AnchorMissing { .. } => "anchor-missing",
            Self::AnchorDiffers { .. } => "anchor-differs",
        }
    }

    /// The seal that it names.
    #[must_use]
    pub const fn seal(&self) -> Option<i64> {
        match self {
            Self::SealMissing { number }
            | Self::Unlinked { number }
            | Self::SealEdited { number }
            | Self::RowCount { number, .. }
            | Self::RowsEdited { number, .. }
            | Self::UnknownSeal { number, .. } => Some(*number),
            Self::AnchorMissing { anchor } | Self::AnchorDiffers { anchor, .. } => Some(anchor.number),
            Self::BodyEdited { .. }
            | Self::HalfPurged { .. }
            | Self::PutIn { .. }
            | Self::Unsealed { .. }
            | Self::Twice { .. } => None,
        }
    }

    /// The number of the entry that it is, if it is one alone.
    #[must_use]
    pub const fn entry(&self) -> Option<i64> {
        match self {
            Self::BodyEdited { seq }
            | Self::HalfPurged { seq }
            | Self::UnknownSeal { seq, .. }
            | Self::PutIn { seq, .. }
            | Self::Unsealed { seq, .. }
            | Self::Twice { seq } => Some(*seq),
            Self::RowsEdited { first_seq, last_seq, .. } if *first_seq == *last_seq => Some(*first_seq),
            _ => None,
        }
    }
}

impl Remark {
    /// The name that programs know it by.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ClockSetBack { .. } => "clock-set-back",
            Self::SealedLate { .. } => "sealed-late",
        }
    }
}
