//! Floor 3: what may be queued for a tablet.
//!
//! This room is short on purpose: read it in one sitting. A [`Queueable`] is all that the memory accepts, and
//! each dangerous kind is made only from its proof (M6). Whatever is not dangerous goes through
//! [`Ordinary::check`], which refuses by type *and content*: a profile that would erase by itself is as
//! dangerous as the command that erases.
//!
//! | on Apple's wire | what it needs |
//! |---|---|
//! | `EnableLostMode`, `PlayLostModeSound` | [`OpenIncident`] |
//! | `DeviceLocation` | [`Warrant`] |
//! | `EraseDevice` | [`EraseOrder`] |
//! | `RemoveProfile` of the enrolment profile | [`EnrolmentEnd`] |
//! | everything else that passes [`Ordinary::check`], `DisableLostMode` included | nothing |
//!
//! What a person asks for goes through [`Ordinary::asked_by_hand`] instead, which also refuses what layers decide (C3.1.1).
//! What a tablet with the open agent is told of it, [`Queueable::on_the_agent`] says.

mod agent;
mod at_delivery;
mod by_hand;
mod not_ordinary;
mod ordinary;

use apple::command::RequestType;
use incidents::{OpenIncident, Warrant};
use lending::{EnrolmentEnd, EraseOrder};
use types::{EnrolmentEndId, EraseOrderId, IncidentId, TabletId, WarrantId};

pub use agent::NotOnTheAgent;
pub use at_delivery::{NotDeliverable, check_stored};
pub use by_hand::goes_round_the_layers;
pub use not_ordinary::NotOrdinary;
pub use ordinary::{EnrolmentProfile, Ordinary};

/// Something that may be queued for a tablet.
#[derive(Debug, Clone)]
pub enum Queueable {
    /// Something that harms nobody.
    Ordinary(Ordinary),
    /// Lost mode, for as long as the incident is open (M1).
    LostMode(OpenIncident),
    /// A sound on a tablet in lost mode, for as long as the incident is open (M1).
    Sound(OpenIncident),
    /// One request for a position, under a warrant (C5.4.3, M1).
    Locate(Warrant),
    /// The erasure of the tablet, by order (C5.3.5, M3).
    Erase(EraseOrder),
    /// The removal of the management profile, after the recorded end of the enrolment (M4).
    Unenrol(EnrolmentEnd),
}

/// The kind of proof that a queued command rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gate {
    /// None is needed.
    Ordinary,
    /// An open incident.
    LostMode,
    /// A location warrant.
    Locate,
    /// An erase order.
    Erase,
    /// The recorded end of the enrolment.
    Unenrol,
}

/// The record that a gated command rests on: its row must name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// An open incident.
    Incident(IncidentId),
    /// A warrant, and the incident it rests on itself.
    Warrant(WarrantId, IncidentId),
    /// An erase order.
    Erase(EraseOrderId),
    /// The end of the enrolment.
    End(EnrolmentEndId),
}

impl Queueable {
    /// The kind of proof it rests on.
    #[must_use]
    pub const fn gate(&self) -> Gate {
        match self {
            Self::Ordinary(_) => Gate::Ordinary,
            Self::LostMode(_) | Self::Sound(_) => Gate::LostMode,
            Self::Locate(_) => Gate::Locate,
            Self::Erase(_) => Gate::Erase,
            Self::Unenrol(_) => Gate::Unenrol,
        }
    }

    /// Its name on Apple's wire.
    #[must_use]
    pub fn request_type(&self) -> RequestType {
        match self {
            Self::Ordinary(ordinary) => ordinary.request_type(),
            Self::LostMode(_) => RequestType::EnableLostMode,
            Self::Sound(_) => RequestType::PlayLostModeSound,
            Self::Locate(_) => RequestType::DeviceLocation,
            Self::Erase(_) => RequestType::EraseDevice,
            Self::Unenrol(_) => RequestType::RemoveProfile,
        }
    }

    /// The record it rests on.
    #[must_use]
    pub fn order(&self) -> Option<Order> {
        match self {
            Self::Ordinary(_) => None,
            Self::LostMode(incident) | Self::Sound(incident) => Some(Order::Incident(incident.incident())),
            Self::Locate(warrant) => Some(Order::Warrant(warrant.warrant(), warrant.incident())),
            Self::Erase(order) => Some(Order::Erase(order.order())),
            Self::Unenrol(end) => Some(Order::End(end.end())),
        }
    }

    /// The only tablet it may be queued for, if its proof names one.
    #[must_use]
    pub fn tablet(&self) -> Option<TabletId> {
        match self {
            Self::Ordinary(_) => None,
            Self::LostMode(incident) | Self::Sound(incident) => Some(incident.tablet()),
            Self::Locate(warrant) => Some(warrant.tablet()),
            Self::Erase(order) => Some(order.tablet()),
            Self::Unenrol(end) => Some(end.tablet()),
        }
    }

    /// The `Command` dictionary to store, as an XML property list; `None` when it is rendered at delivery, as
    /// every gated kind is, and every kind that carries a secret.
    #[must_use]
    pub fn stored_payload(&self) -> Option<Vec<u8>> {
        match self {
            Self::Ordinary(ordinary) => ordinary.stored_payload(),
            Self::LostMode(_) | Self::Sound(_) | Self::Locate(_) | Self::Erase(_) | Self::Unenrol(_) => None,
        }
    }

    /// Whether it is offered even to a tablet that has just said NotNow.
    #[must_use]
    pub fn urgent(&self) -> bool {
        self.gate() != Gate::Ordinary || self.request_type().may_be_offered_after_not_now()
    }
}

#[cfg(test)]
mod tests;
