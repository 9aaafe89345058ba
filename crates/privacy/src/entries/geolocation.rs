//! The entry of positions.

use super::{EQUIPMENT, NOTHING_LEAVES};
use crate::{Activity, Category, Gate, LegalBasis, Measure, Party, People, Recipient, Text, Wording};

pub(super) const WORDING: Wording = Wording {
    activity: Activity::Geolocation,
    gate: Gate::OffUntilValidated,
    purpose: Text::new(
        "Retrouver une tablette perdue ou volée, ou répondre à une demande des autorités : rarement, pour un temps \
         court, sous un mandat que deux personnes ont décidé. Ni suivi, ni contrôle d'assiduité.",
        "Find a lost or stolen tablet, or answer a request of the authorities: rarely, for a short time, under a \
         warrant that two persons decided. No tracking, no check of attendance.",
    ),
    basis: LegalBasis::PublicTask,
    because: EQUIPMENT,
    parties: &[Party::Departement, Party::College],
    people: &[People::Pupils, People::Teachers],
    categories: &[Category::LocationMeasures, Category::Positions],
    recipients: &[
        Recipient::Oneself,
        Recipient::Heads,
        Recipient::Operators,
        Recipient::Authorities,
        Recipient::Controllers,
    ],
    outside_the_union: NOTHING_LEAVES,
    measures: &[
        Measure::EncryptedTransport,
        Measure::ProofRequired,
        Measure::AppendOnlyAudit,
        Measure::RolesAndReach,
        Measure::ChainedAudit,
    ],
};
