//! How long, how often and how closely a warrant lets a tablet be located: configured, between a floor and a ceiling
//! that are not (M1).

use types::Duration;

/// What is asked for, or granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// How long the warrant lasts.
    pub lasts: Duration,
    /// How many positions it lets be asked for.
    pub fixes: u32,
    /// How far apart two requests lie, at least.
    pub interval: Duration,
}

/// What a warrant is asked for unless told, and the most that it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    usual: Asked,
    most: Asked,
}

/// A number beyond its floor or its ceiling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutOfBounds {
    /// It would last too long, or no time at all.
    #[error("a warrant lasts from 1 to {most} hours, not {asked}")]
    Lasts {
        /// What was asked for, in hours, begun ones counted.
        asked: u64,
        /// The most.
        most: u64,
    },
    /// Too many positions, or none.
    #[error("a warrant lets from 1 to {most} positions be asked for, not {asked}")]
    Fixes {
        /// What was asked for.
        asked: u32,
        /// The most.
        most: u32,
    },
    /// They would lie too close together.
    #[error("two requests for a position lie at least {least} minutes apart, not {asked}")]
    Interval {
        /// What was asked for, in minutes.
        asked: u64,
        /// The least.
        least: u64,
    },
}

const HOUR: u64 = 3_600;

/// Beyond these no configuration goes (M1).
const CEILING: Asked =
    Asked { lasts: Duration::from_secs(168 * HOUR), fixes: 24, interval: Duration::from_secs(5 * 60) };

impl Limits {
    /// Limits as they are configured.
    ///
    /// # Errors
    /// [`OutOfBounds`] if `most` goes beyond 168 hours, 24 positions or 5 minutes, or `usual` beyond `most`.
    pub fn new(usual: Asked, most: Asked) -> Result<Self, OutOfBounds> {
        within(most, CEILING)?;
        within(usual, most)?;
        Ok(Self { usual, most })
    }

    /// What a warrant is asked for unless told.
    #[must_use]
    pub const fn usual(&self) -> Asked {
        self.usual
    }

    /// Passes what lies within them.
    ///
    /// # Errors
    /// [`OutOfBounds`].
    pub fn admit(&self, asked: Asked) -> Result<Asked, OutOfBounds> {
        within(asked, self.most)
    }
}

impl Default for Limits {
    /// 72 hours, 12 positions and 15 minutes; at most 168 hours, 24 positions and 5 minutes (M1).
    fn default() -> Self {
        let usual = Asked {
            lasts: Duration::from_secs(72 * HOUR),
            fixes: 12,
            interval: Duration::from_secs(15 * 60),
        };
        Self { usual, most: CEILING }
    }
}

fn within(asked: Asked, most: Asked) -> Result<Asked, OutOfBounds> {
    if asked.lasts.is_zero() || asked.lasts > most.lasts {
        let hours = |span: Duration| span.as_secs().div_ceil(HOUR);
        return Err(OutOfBounds::Lasts { asked: hours(asked.lasts), most: hours(most.lasts) });
    }
    if !(1..=most.fixes).contains(&asked.fixes) {
        return Err(OutOfBounds::Fixes { asked: asked.fixes, most: most.fixes });
    }
    if asked.interval < most.interval {
        let minutes = |span: Duration| span.as_secs() / 60;
        return Err(OutOfBounds::Interval { asked: minutes(asked.interval), least: minutes(most.interval) });
    }
    Ok(asked)
}
