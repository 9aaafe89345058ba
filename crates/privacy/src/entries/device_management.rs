//! The entry of the tablets themselves.

use super::EQUIPMENT;
use crate::{Activity, Category, Gate, LegalBasis, Measure, Party, People, Recipient, Text, Wording};

pub(super) const WORDING: Wording = Wording {
    activity: Activity::DeviceManagement,
    // Decided so, and written into the entry for the DPO to judge. A serial number, a UDID or a push token
    // tells one thing from another; whose thing it is, this server learns from a loan only, and lending is
    // off until its entry is validated. What would tell of a person without a loan (names, numbers,
    // addresses, apps, where it is) is refused or is an activity of its own. And the switch must not be able
    // to do harm: were managing tablets off until validated, every upgrade that adds a column would void the
    // validation and leave a fleet that nobody can lock, erase or configure (C3.1.4) until the DPO is back.
    gate: Gate::FromTheStart(Text::new(
        "Ces données distinguent une chose d'une autre ; à qui une tablette est remise, ce serveur ne l'apprend que \
         par un prêt, et les prêts restent arrêtés tant que leur entrée n'est pas validée. Sans elles, aucune \
         tablette ne peut être configurée, verrouillée ni effacée. L'entrée figure au registre parce qu'un \
         collège sait, hors de ce serveur, qui tient quelle tablette.",
        "These data tell one thing from another; to whom a tablet is handed, this server learns from a loan only, \
         and loans are off until their entry is validated. Without them no tablet can be configured, locked or \
         erased. The entry stands in the register because a collège knows, outside this server, who holds which \
         tablet.",
    )),
    purpose: Text::new(
        "Tenir l'inventaire des tablettes du département, les enrôler, les configurer, les maintenir sûres et à \
         jour, et savoir lesquelles ne répondent plus.",
        "Keep the inventory of the département's tablets, enrol and configure them, keep them safe and up to date, \
         and know which ones no longer answer.",
    ),
    basis: LegalBasis::PublicTask,
    because: EQUIPMENT,
    parties: &[Party::Departement],
    people: &[People::Holders],
    categories: &[
        Category::DeviceIdentifiers,
        Category::DeviceSecrets,
        Category::DeviceState,
        Category::ContactTimes,
        Category::CommandHistory,
    ],
    recipients: &[Recipient::Operators, Recipient::Technicians, Recipient::Controllers, Recipient::ApplePush],
    outside_the_union: Text::new(
        "Pour réveiller une tablette, le service de notification d'Apple (États-Unis) reçoit un jeton propre à \
         celle-ci et une valeur opaque ; ni nom, ni contenu.",
        "To wake a tablet, Apple's push service (United States) is given a token of that tablet and an opaque \
         value; no name, no content.",
    ),
    measures: &[
        Measure::EncryptedTransport,
        Measure::DeviceCertificates,
        Measure::SealedSecrets,
        Measure::HashedTokens,
        Measure::NotCollected,
        Measure::ProofRequired,
        Measure::AppendOnlyAudit,
        Measure::ChainedAudit,
        Measure::RolesAndReach,
        Measure::StepUp,
        Measure::SecondPerson,
    ],
};
