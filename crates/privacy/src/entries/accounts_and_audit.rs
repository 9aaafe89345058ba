//! The entry of accounts, rights and the audit log.

use super::NOTHING_LEAVES;
use crate::{Activity, Category, Gate, LegalBasis, Measure, Party, People, Recipient, Text, Wording};

pub(super) const WORDING: Wording = Wording {
    activity: Activity::AccountsAndAudit,
    // The DPO validates with an account, and a validation is an act that the log records: neither can wait
    // for it.
    gate: Gate::FromTheStart(Text::new(
        "Sans compte, le délégué à la protection des données ne pourrait ni lire ce registre ni valider une \
         entrée ; et un acte qui n'est pas journalisé quand il est fait ne peut plus l'être.",
        "Without accounts the DPO could neither read this register nor validate an entry; and an act that is not \
         recorded when it is done can never be.",
    )),
    purpose: Text::new(
        "Permettre aux agents de se connecter, décider de ce que chacun peut faire, et pouvoir montrer après coup \
         qui a fait quoi, sur quelle tablette et pourquoi.",
        "Let staff sign in, decide what each may do, and be able to show afterwards who did what, on which tablet \
         and why.",
    ),
    basis: LegalBasis::LegalObligation,
    because: Text::new(
        "Sécurité des traitements et capacité d'en rendre compte (RGPD, art. 5, § 2, et art. 32).",
        "Security of processing, and being able to account for it (GDPR, art. 5(2) and 32).",
    ),
    parties: &[Party::Departement, Party::Academie, Party::College],
    people: &[People::Staff],
    categories: &[
        Category::AccountIdentity,
        Category::Credentials,
        Category::Connections,
        Category::Acts,
        Category::Reasons,
    ],
    recipients: &[Recipient::Administrators, Recipient::Controllers],
    outside_the_union: NOTHING_LEAVES,
    measures: &[
        Measure::EncryptedTransport,
        Measure::SealedSecrets,
        Measure::HashedTokens,
        Measure::AppendOnlyAudit,
        Measure::ChainedAudit,
        Measure::RolesAndReach,
        Measure::StepUp,
        Measure::SecondPerson,
    ],
};
