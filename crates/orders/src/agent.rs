//! The same for a tablet with the open agent: what was made from its proof is queued there as for an iPad, or refused with
//! the reason that the tablet cannot (M6). There is no second way to a wipe: it comes from an [`EraseOrder`] and from nothing
//! else (M3).
//!
//! [`EraseOrder`]: lending::EraseOrder

use android::capability::Intent;
use android::command::Kind;
use apple::command::RequestType;

use crate::Queueable;

/// Why something is not queued for a tablet with the open agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotOnTheAgent {
    /// Such a tablet does not do it; what is done instead, and why, goes by the intent.
    Cannot(Intent),
    /// It is a warrant's: while one is live, the configuration asks for fresh positions, and nothing is queued (M1).
    ByWarrant,
    /// Its configuration says it, or the tablet tells it unasked.
    ByConfiguration,
    /// Management ends with the erasure: the agent owns the tablet, and is not removed from it (M4).
    ByErasure,
}

impl Queueable {
    /// What a tablet with the open agent is told to do once.
    ///
    /// # Errors
    /// [`NotOnTheAgent`] for whatever such a tablet is not told, or cannot do.
    pub fn on_the_agent(&self) -> Result<Kind, NotOnTheAgent> {
        match self {
            Self::Erase(_) => Ok(Kind::Wipe),
            Self::Ordinary(ordinary) => match ordinary.request_type() {
                RequestType::RestartDevice => Ok(Kind::Reboot),
                RequestType::ClearPasscode => Ok(Kind::ClearCode),
                RequestType::DisableLostMode => Err(NotOnTheAgent::Cannot(Intent::LostMode)),
                _ => Err(NotOnTheAgent::ByConfiguration),
            },
            Self::LostMode(_) => Err(NotOnTheAgent::Cannot(Intent::LostMode)),
            Self::Sound(_) => Err(NotOnTheAgent::Cannot(Intent::Sound)),
            Self::Locate(_) => Err(NotOnTheAgent::ByWarrant),
            Self::Unenrol(_) => Err(NotOnTheAgent::ByErasure),
        }
    }
}
