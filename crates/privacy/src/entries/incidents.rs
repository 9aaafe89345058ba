//! The entry of incidents: loss, theft, damage.

use super::{EQUIPMENT, NOTHING_LEAVES};
use crate::{Activity, Category, Gate, LegalBasis, Measure, Party, People, Recipient, Text, Wording};

pub(super) const WORDING: Wording = Wording {
    activity: Activity::Incidents,
    gate: Gate::OffUntilValidated,
    purpose: Text::new(
        "Suivre les pertes, vols, casses et pannes de tablettes, les papiers qui les accompagnent, et ce qui est \
         décidé : verrouillage, remplacement, contrepartie.",
        "Follow losses, thefts, damage and faults of tablets, the papers that go with them, and what is decided: \
         locking, replacement, counterpart.",
    ),
    basis: LegalBasis::PublicTask,
    because: EQUIPMENT,
    parties: &[Party::Departement, Party::College],
    people: &[People::Pupils, People::Teachers, People::Guardians],
    categories: &[Category::IncidentFacts, Category::Reasons],
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
