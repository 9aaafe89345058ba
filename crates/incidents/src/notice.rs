//! Who is told that a tablet was located, and when: the holder, or the guardians of a minor (M1, C7.1).

use types::{Day, Duration, IncidentKind, Instant, text_enum};

use crate::Refusal;
use crate::papers::AuthorityReference;

text_enum! {
    /// What they are told.
    NoticeOccasion: "occasion of a notice" {
        /// A warrant was granted.
        Opened = "opened",
        /// It is over, and this was done under it.
        Over = "over",
    }
}

/// A delay that an authority asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityDelay {
    until: Day,
    reference: AuthorityReference,
}

/// How long an authority may have a notice delayed at once; it can ask again.
const LONGEST_DELAY: Duration = Duration::from_secs(366 * 86_400);

impl AuthorityDelay {
    /// A delay until a day to come. Whoever records it tells the authority that an iPad itself shows that its location
    /// was read.
    ///
    /// # Errors
    /// [`Refusal::NoDelay`] for any incident but the request of an authority, and for a day that is past or more than a
    /// year off.
    pub fn new(
        kind: IncidentKind,
        until: Day,
        reference: AuthorityReference,
        now: Instant,
    ) -> Result<Self, Refusal> {
        let ahead = until.starts_at() > now && until.starts_at() <= now.plus(LONGEST_DELAY);
        if kind != IncidentKind::AuthorityRequest || !ahead {
            return Err(Refusal::NoDelay { most: LONGEST_DELAY });
        }
        Ok(Self { until, reference })
    }

    /// The day on which the notice goes.
    #[must_use]
    pub const fn until(&self) -> Day {
        self.until
    }

    /// How the authority names its request.
    #[must_use]
    pub const fn reference(&self) -> &AuthorityReference {
        &self.reference
    }
}

/// A notice that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticeDue {
    /// What it tells.
    pub occasion: NoticeOccasion,
    /// From when on it is sent.
    pub due_at: Instant,
}

/// When a notice about something that happened at `at` is sent: at once, or on the day that an authority asked for.
#[must_use]
pub fn notice_due(occasion: NoticeOccasion, at: Instant, delay: Option<&AuthorityDelay>) -> NoticeDue {
    let due_at = delay.map_or(at, |delay| delay.until.starts_at().max(at));
    NoticeDue { occasion, due_at }
}
