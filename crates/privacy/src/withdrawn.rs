//! What the withdrawal of a validation comes to, for each activity: what stops at once, and what becomes of what is stored.

use crate::{Activity, Text};

impl Activity {
    /// What a DPO is told who takes back what was validated of it (C3.1.6).
    #[must_use]
    pub const fn once_withdrawn(self) -> Text {
        match self {
            Self::AccountsAndAudit | Self::DeviceManagement => Text::new(
                "elle continue, car rien ne fonctionne sans elle ; le registre montre qu’aucun délégué ne la valide, et ce qui est \
                 conservé le reste jusqu’à son terme",
                "it goes on, since nothing works without it; the register shows that no DPO stands by it, and what is stored stays \
                 for its term",
            ),
            Self::AppInventory => Text::new(
                "elle est arrêtée : aucune tablette n’est plus interrogée sur ses applications, et les listes conservées sont \
                 effacées en quelques minutes",
                "it is off: no tablet is asked for its apps any more, and the lists that were stored are forgotten within minutes",
            ),
            Self::Roster => Text::new(
                "elle est arrêtée : aucune liste n’est plus proposée ni signée ; ce qui est conservé le reste jusqu’à son terme",
                "it is off: no list is proposed or signed any more; what is stored stays for its term",
            ),
            Self::Lending => Text::new(
                "elle est arrêtée : aucune tablette n’est plus remise ; les prêts en cours vont à leur fin, et ce qui est conservé le \
                 reste jusqu’à son terme",
                "it is off: no tablet is handed over any more; loans that run go on to their end, and what is stored stays for its \
                 term",
            ),
            Self::Incidents => Text::new(
                "elle est arrêtée : aucun sinistre n’est plus déclaré ni rouvert ; ceux qui sont ouverts sont suivis jusqu’à leur \
                 clôture, et ce qui est conservé le reste jusqu’à son terme",
                "it is off: no incident is declared or reopened any more; those that are open are followed until they are closed, \
                 and what is stored stays for its term",
            ),
            Self::Notices => Text::new(
                "elle est arrêtée : aucun avis n’est plus écrit, envoyé ni imprimé ; ce qui est conservé le reste jusqu’à son terme",
                "it is off: no notice is written, sent or printed any more; what is stored stays for its term",
            ),
            Self::Geolocation => Text::new(
                "elle est arrêtée : personne n’est plus géolocalisé ; les positions conservées meurent avec la clé de leur sinistre",
                "it is off: nobody is located any more; positions that were kept die with the key of their incident",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entry, Gate};

    #[test]
    fn c3_1_6_whoever_withdraws_is_told_what_stops_and_that_only_lists_of_apps_are_forgotten_at_once() {
        for activity in Activity::ALL {
            let Text { fr, en } = activity.once_withdrawn();
            let off = matches!(Entry::of(*activity, &[]).wording().gate, Gate::OffUntilValidated);
            assert_eq!(
                (en.starts_with("it is off: "), fr.starts_with("elle est arrêtée : ")),
                (off, off),
                "{activity}"
            );
            let forgets = *activity == Activity::AppInventory;
            assert_eq!((en.contains("forgotten"), fr.contains("effacées")), (forgets, forgets), "{activity}");
        }
    }
}
