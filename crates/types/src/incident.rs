//! What incidents, lending and the tablets' configuration must agree on: what happened to a tablet.

use crate::text_enum;

text_enum! {
    /// What happened to a tablet (sinistre, C5.4.2), or who asks about it.
    IncidentKind: "kind of incident" {
        /// It is lost.
        Loss = "loss",
        /// It was stolen.
        Theft = "theft",
        /// It is broken: shock, water, a cracked screen.
        Breakage = "breakage",
        /// Someone damaged it.
        Damage = "damage",
        /// It does not work, and nobody broke it.
        Fault = "fault",
        /// Its access code is lost, or known to others (C5.3.3).
        CompromisedCode = "compromised-code",
        /// An authority that is competent asks for it (C5.4.3).
        AuthorityRequest = "authority-request",
    }
}

impl IncidentKind {
    /// Whether a tablet may be put in lost mode, and located, because of it: nobody is located because a screen broke
    /// (C5.4.3, M1).
    #[must_use]
    pub const fn is_of_a_missing_tablet(self) -> bool {
        match self {
            Self::Loss | Self::Theft | Self::AuthorityRequest => true,
            Self::Breakage | Self::Damage | Self::Fault | Self::CompromisedCode => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loss_theft_and_an_authority_make_a_tablet_missing() {
        let missing: Vec<_> = IncidentKind::ALL
            .iter()
            .filter(|kind| kind.is_of_a_missing_tablet())
            .map(|kind| kind.as_str())
            .collect();
        assert_eq!(missing, ["loss", "theft", "authority-request"]);
    }
}
