//! What an iPad is given: one profile, declarations, and items of the Settings command.
//!
//! Declarations are preferred where this version of iPadOS has them, profiles elsewhere, so that what Apple retires is
//! left in time. What it cannot do yet, no longer does, or does on supervised tablets only is left out, with the reason.

mod frame;
mod networks;
mod screen;
mod settings;
mod software;
mod web;
mod writer;

use apple::OsVersion;
use apple::command::Setting;
use apple::ddm::Declaration;
use apple::profile::Profile;

pub(crate) use frame::server_token;
pub use frame::{Frame, NotAFrame};

use crate::intent::Intent;
use crate::render::why::{LeftOut, Written};
use crate::versions::Approved;
use writer::Writer;

/// The oldest iPadOS that is managed.
pub const OLDEST_IPADOS: OsVersion = OsVersion::new(15, 0);

/// From this version on declarations are used on managed tablets.
pub(crate) const DECLARATIONS_SINCE: OsVersion = OsVersion::new(17, 0);

/// The iPad that is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpadTarget {
    /// Its iPadOS.
    pub version: OsVersion,
    /// Whether it is supervised.
    pub supervised: bool,
}

/// An iPadOS older than any that is managed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("iPadOS {0} is not managed: {OLDEST_IPADOS} is the oldest; update the tablet first")]
pub struct TooOld(pub OsVersion);

/// What an iPad is given, and what it is not.
#[derive(Debug, Clone)]
pub struct IpadRendering {
    /// The profile, unsigned.
    pub profile: Profile,
    /// Declarations: configurations by their names, then the activation that puts them in force; none for versions that
    /// have none.
    pub declarations: Vec<Declaration>,
    /// Items for the Settings command.
    pub settings: Vec<Setting>,
    /// What was written, and where.
    pub written: Vec<Written>,
    /// What was left out, and why.
    pub left_out: Vec<LeftOut>,
}

/// Writes what was decided for an iPad.
///
/// # Errors
/// [`TooOld`] below [`OLDEST_IPADOS`].
pub fn render_ipad(
    intent: &Approved<Intent>,
    target: IpadTarget,
    frame: &Frame,
) -> Result<IpadRendering, TooOld> {
    sketch_ipad(intent.value(), target, frame)
}

/// Writes what nobody decided yet: to be looked at, never for a tablet.
pub(crate) fn sketch_ipad(
    intent: &Intent,
    target: IpadTarget,
    frame: &Frame,
) -> Result<IpadRendering, TooOld> {
    if target.version < OLDEST_IPADOS {
        return Err(TooOld(target.version));
    }
    let mut writer = Writer::new(target);
    settings::write(intent, &mut writer);
    software::write(intent, &mut writer);
    web::write(intent, frame, &mut writer);
    screen::write(intent, &mut writer);
    networks::write(intent, frame, &mut writer);
    Ok(writer.finish(frame))
}
