//! The entry of loans: who holds which tablet.

use super::{EQUIPMENT, NOTHING_LEAVES};
use crate::{Activity, Category, Gate, LegalBasis, Measure, Party, People, Recipient, Text, Wording};

pub(super) const WORDING: Wording = Wording {
    activity: Activity::Lending,
    gate: Gate::OffUntilValidated,
    purpose: Text::new(
        "Savoir à qui chaque tablette est prêtée, sous quelle convention, quand elle revient, et n'effacer ses \
         données qu'à bon droit. Dès qu'une tablette est prêtée, les données de sa gestion à distance concernent \
         aussi son détenteur.",
        "Know to whom each tablet is lent, under which agreement, when it comes back, and erase its data only \
         rightly. As soon as a tablet is lent, the data of its remote management concern its holder too.",
    ),
    basis: LegalBasis::PublicTask,
    because: EQUIPMENT,
    parties: &[Party::Departement, Party::College],
    people: &[People::Pupils, People::Teachers, People::Guardians],
    categories: &[Category::PersonIdentity, Category::Loans, Category::Reasons],
    recipients: &[
        Recipient::Oneself,
        Recipient::Heads,
        Recipient::Technicians,
        Recipient::Operators,
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
