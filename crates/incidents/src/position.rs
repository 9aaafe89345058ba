//! A position, from the moment it comes in until it is sealed.

use std::fmt;

use types::{Duration, Instant};

use crate::NotInForce;

/// What a tablet answers to one request: numbers of a stranger.
#[derive(Clone, Copy, PartialEq)]
pub struct Fix {
    /// Degrees, north is positive.
    pub latitude: f64,
    /// Degrees, east is positive.
    pub longitude: f64,
    /// The radius, in metres, within which the tablet says it is.
    pub accuracy: Option<f64>,
    /// When the tablet says it was there.
    pub measured_at: Option<Instant>,
}

/// Says nothing: a position is in no log.
impl fmt::Debug for Fix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fix(hidden)")
    }
}

/// A position that may be sealed and kept (M2): it was asked for under a warrant that is in force, and is one that a
/// tablet can have. It shows itself in no log.
#[derive(Clone, Copy, PartialEq)]
pub struct Position(Fix);

impl Position {
    /// Passes what a tablet can answer under a warrant that opened at `opens_at`: a place on earth, where it was since.
    pub(crate) fn plausible(fix: &Fix, opens_at: Instant, now: Instant) -> Result<Self, Dropped> {
        is_a_place(fix).map_err(Dropped::Implausible)?;
        // Tablets write whole seconds.
        let opens_at = Instant::from_millis(opens_at.as_seconds().saturating_mul(1_000));
        match fix.measured_at {
            Some(at) if at < opens_at => Err(Dropped::FromBefore),
            Some(at) if at > now.plus(CLOCKS_DIFFER_BY) => Err(Dropped::FromTheFuture),
            Some(_) | None => Ok(Self(*fix)),
        }
    }

    /// Its numbers, for whoever seals or shows them.
    #[must_use]
    pub const fn expose(&self) -> &Fix {
        &self.0
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Position(hidden)")
    }
}

/// Why a position is dropped before it is stored (M1). It is recorded that it came, and why it was dropped; never where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Dropped {
    /// The warrant it was asked under is not in force any more.
    #[error(transparent)]
    NotInForce(#[from] NotInForce),
    /// As many as the warrant lets be kept are kept.
    #[error("as many positions as the warrant lets be kept are kept")]
    BeyondTheNumber,
    /// The last one that was kept is too close.
    #[error("it came too close to the one before")]
    BeyondTheInterval,
    /// No place on earth, or no number.
    #[error("it is no place: {0}")]
    Implausible(Implausible),
    /// It says where the tablet was before the warrant opened.
    #[error("it was measured before the warrant opened")]
    FromBefore,
    /// It says where the tablet will be.
    #[error("it was measured later than now")]
    FromTheFuture,
}

/// What is wrong with a position, without saying which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Implausible {
    /// Not from -90 to 90.
    #[error("the latitude is none")]
    Latitude,
    /// Not from -180 to 180.
    #[error("the longitude is none")]
    Longitude,
    /// Not a distance.
    #[error("the accuracy is none")]
    Accuracy,
}

/// What was kept before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// How many positions under this warrant.
    pub under_this_warrant: u32,
    /// When the last one was kept, under any warrant of the incident.
    pub last_at: Option<Instant>,
}

/// How far a tablet's clock may run ahead of ours.
const CLOCKS_DIFFER_BY: Duration = Duration::from_secs(5 * 60);

/// Passes what can be a place. NaN lies in no range.
fn is_a_place(fix: &Fix) -> Result<(), Implausible> {
    if !(-90.0..=90.0).contains(&fix.latitude) {
        return Err(Implausible::Latitude);
    }
    if !(-180.0..=180.0).contains(&fix.longitude) {
        return Err(Implausible::Longitude);
    }
    if fix.accuracy.is_some_and(|radius| !(0.0..=EARTH).contains(&radius)) {
        return Err(Implausible::Accuracy);
    }
    Ok(())
}

/// Half the way around, in metres: nobody is farther off.
const EARTH: f64 = 20_037_508.0;
