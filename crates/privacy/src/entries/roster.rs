//! The entry of the list of users by name.

use super::{EQUIPMENT, NOTHING_LEAVES};
use crate::{Activity, Category, Gate, LegalBasis, Measure, Party, People, Recipient, Text, Wording};

pub(super) const WORDING: Wording = Wording {
    activity: Activity::Roster,
    gate: Gate::OffUntilValidated,
    purpose: Text::new(
        "Tenir, pour l'année scolaire, la liste des personnes à qui une tablette peut être prêtée, arrêtée par le \
         chef d'établissement et validée par l'académie.",
        "Keep, for a school year, the list of people to whom a tablet may be lent, as the head settled and the \
         académie validated it.",
    ),
    basis: LegalBasis::PublicTask,
    because: EQUIPMENT,
    parties: &[Party::College, Party::Academie, Party::Departement],
    people: &[People::Pupils, People::Teachers, People::Guardians],
    categories: &[Category::PersonIdentity, Category::Schooling, Category::GuardianContact],
    recipients: &[Recipient::Heads, Recipient::AcademieStaff, Recipient::Technicians, Recipient::Controllers],
    outside_the_union: NOTHING_LEAVES,
    measures: &[
        Measure::EncryptedTransport,
        Measure::AppendOnlyAudit,
        Measure::RolesAndReach,
        Measure::ChainedAudit,
    ],
};
