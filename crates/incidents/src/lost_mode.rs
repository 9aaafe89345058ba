//! Lost mode: who can be put in it, what it shows, and how what we want and what the tablet says are brought together.

use types::{Platform, Supervision, text_enum};

use crate::Refusal;

text_enum! {
    /// What can be done with a tablet that has no lost mode.
    Instead: "measure instead of lost mode" {
        /// Lock its screen, with a message.
        Lock = "lock the screen with a message",
        /// Give it the profile of a lost tablet.
        RestrictedProfile = "give it the profile of a lost tablet",
    }

    /// Where lost mode stands on one tablet, by what it said last.
    LostModeState: "state of lost mode" {
        /// It is off, or was never on.
        Off = "off",
        /// It was asked for; the tablet has not answered.
        Asked = "asked",
        /// The tablet confirmed it.
        On = "on",
        /// The tablet refused.
        Refused = "refused",
        /// Its end was asked for; the tablet has not answered.
        Ending = "ending",
    }

    /// What we want of a tablet.
    LostModeWish: "wish for lost mode" {
        /// An open incident wants it on.
        On = "on",
        /// Nothing wants it on: it is off, whatever happens.
        Off = "off",
    }

    /// What to queue.
    LostModeAct: "act on lost mode" {
        /// `EnableLostMode`.
        Enable = "enable",
        /// `DisableLostMode`.
        Disable = "disable",
    }
}

/// Whether such a tablet can be put in lost mode: only a supervised iPad.
///
/// # Errors
/// [`Refusal::NoLostMode`], with what else can be done.
pub fn possible(platform: Platform, supervision: Supervision) -> Result<(), Refusal> {
    match (platform, supervision) {
        (Platform::Ipad, Supervision::Supervised) => Ok(()),
        (Platform::Ipad, _) => {
            Err(Refusal::NoLostMode { instead: &[Instead::Lock, Instead::RestrictedProfile] })
        }
        _ => Err(Refusal::NoLostMode { instead: &[Instead::RestrictedProfile] }),
    }
}

/// What a tablet in lost mode shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    text: Option<String>,
    phone: Option<String>,
    footnote: Option<String>,
}

impl Message {
    /// The most characters of each part.
    pub const LONGEST: usize = 400;

    /// A message, a phone number, or both, and perhaps a footnote. Blank parts are none.
    ///
    /// # Errors
    /// [`Refusal::BadMessage`] if it shows neither, or a part is too long.
    pub fn new(text: &str, phone: &str, footnote: &str) -> Result<Self, Refusal> {
        let part = |part: &str| Some(part.trim().to_owned()).filter(|part| !part.is_empty());
        let message = Self { text: part(text), phone: part(phone), footnote: part(footnote) };
        let parts = [&message.text, &message.phone, &message.footnote];
        let fits = parts.iter().all(|part| {
            part.as_ref().is_none_or(|part| {
                part.chars().count() <= Self::LONGEST && !part.chars().any(|c| c.is_control() && c != '\n')
            })
        });
        if fits && (message.text.is_some() || message.phone.is_some()) {
            Ok(message)
        } else {
            Err(Refusal::BadMessage { most: Self::LONGEST })
        }
    }

    /// The message.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The phone number.
    #[must_use]
    pub fn phone(&self) -> Option<&str> {
        self.phone.as_deref()
    }

    /// The footnote.
    #[must_use]
    pub fn footnote(&self) -> Option<&str> {
        self.footnote.as_deref()
    }
}

/// What to queue so that the tablet does what we want; `None` if it does, if it was asked and has not answered, or if
/// it refused (a person decides then).
///
/// A tablet that enrolled again starts at [`LostModeState::Off`], so that lost mode comes back for as long as the
/// incident is open; and one that we want off and that is anything but off is turned off, whatever was asked before.
#[must_use]
pub const fn next_act(wish: LostModeWish, state: LostModeState) -> Option<LostModeAct> {
    match (wish, state) {
        (LostModeWish::On, LostModeState::Off | LostModeState::Ending) => Some(LostModeAct::Enable),
        (LostModeWish::On, LostModeState::Asked | LostModeState::On | LostModeState::Refused)
        | (LostModeWish::Off, LostModeState::Off | LostModeState::Ending | LostModeState::Refused) => None,
        (LostModeWish::Off, LostModeState::Asked | LostModeState::On) => Some(LostModeAct::Disable),
    }
}
