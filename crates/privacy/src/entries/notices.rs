//! The entry of what people are told.

use super::NOTHING_LEAVES;
use crate::{Activity, Category, Gate, LegalBasis, Measure, Party, People, Recipient, Text, Wording};

pub(super) const WORDING: Wording = Wording {
    activity: Activity::Notices,
    gate: Gate::OffUntilValidated,
    purpose: Text::new(
        "Avertir les détenteurs et leurs représentants légaux avant un effacement, d'un changement des règles ou \
         d'une localisation, et pouvoir montrer qu'ils l'ont été.",
        "Tell holders and their guardians of an erasure to come, of changed rules or of a location, and be able to \
         show that they were told.",
    ),
    basis: LegalBasis::LegalObligation,
    because: Text::new(
        "Information des personnes concernées (RGPD, art. 12 à 14).",
        "Information of the people concerned (GDPR, art. 12 to 14).",
    ),
    parties: &[Party::Departement, Party::College],
    people: &[People::Pupils, People::Teachers, People::Guardians],
    categories: &[Category::NoticeDelivery, Category::GuardianContact],
    recipients: &[Recipient::Oneself, Recipient::Heads, Recipient::Controllers],
    outside_the_union: NOTHING_LEAVES,
    measures: &[
        Measure::EncryptedTransport,
        Measure::AppendOnlyAudit,
        Measure::RolesAndReach,
        Measure::ChainedAudit,
    ],
};
