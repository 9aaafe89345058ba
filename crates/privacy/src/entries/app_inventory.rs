//! The entry of the managed apps of each tablet.

use super::{EQUIPMENT, NOTHING_LEAVES};
use crate::{Activity, Category, Gate, LegalBasis, Measure, Party, People, Recipient, Text, Wording};

pub(super) const WORDING: Wording = Wording {
    activity: Activity::AppInventory,
    // Apps tell of their user (a language, a handicap, a class) even where nobody is named: off until
    // validated.
    gate: Gate::OffUntilValidated,
    purpose: Text::new(
        "Vérifier que les applications décidées en commun sont présentes et à jour sur chaque tablette, avant sa \
         remise et ensuite. Seules les applications gérées sont relevées ; celles que l'utilisateur a installées \
         lui-même ne sont jamais demandées.",
        "Check that the apps decided jointly are on each tablet and up to date, before it is handed over and \
         afterwards. Only managed apps are listed; those that its user installed are never asked for.",
    ),
    basis: LegalBasis::PublicTask,
    because: EQUIPMENT,
    parties: &[Party::Departement],
    people: &[People::Holders],
    categories: &[Category::ManagedApps],
    recipients: &[Recipient::Operators, Recipient::Technicians, Recipient::Controllers],
    outside_the_union: NOTHING_LEAVES,
    measures: &[
        Measure::EncryptedTransport,
        Measure::DeviceCertificates,
        Measure::NotCollected,
        Measure::RolesAndReach,
    ],
};
