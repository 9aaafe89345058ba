//! The wording of every entry, one file an activity.

mod accounts_and_audit;
mod app_inventory;
mod device_management;
mod geolocation;
mod incidents;
mod lending;
mod notices;
mod roster;

use crate::{Activity, Text, Wording};

pub(crate) fn wording(activity: Activity) -> &'static Wording {
    match activity {
        Activity::AccountsAndAudit => &accounts_and_audit::WORDING,
        Activity::DeviceManagement => &device_management::WORDING,
        Activity::AppInventory => &app_inventory::WORDING,
        Activity::Roster => &roster::WORDING,
        Activity::Lending => &lending::WORDING,
        Activity::Incidents => &incidents::WORDING,
        Activity::Notices => &notices::WORDING,
        Activity::Geolocation => &geolocation::WORDING,
    }
}

/// What most activities send outside the Union.
const NOTHING_LEAVES: Text =
    Text::new("Rien ne quitte l'Union européenne.", "Nothing leaves the European Union.");

/// What equips the collèges, and lets the département do so.
const EQUIPMENT: Text = Text::new(
    "Équipement numérique des collèges, dont le département a la charge (code de l'éducation, art. L. 213-2).",
    "Digital equipment of the collèges, which is the département's duty (code de l'éducation, art. L. 213-2).",
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Gate;

    #[test]
    fn every_activity_has_its_own_wording() {
        for activity in Activity::ALL {
            assert_eq!(wording(*activity).activity, *activity);
        }
    }

    #[test]
    fn c3_1_6_only_accounts_audit_and_bare_tablets_run_before_the_dpo_has_looked() {
        let from_the_start: Vec<_> = Activity::ALL
            .iter()
            .filter(|activity| matches!(wording(**activity).gate, Gate::FromTheStart(_)))
            .collect();
        assert_eq!(from_the_start, [&Activity::AccountsAndAudit, &Activity::DeviceManagement]);
    }

    #[test]
    fn every_entry_says_in_both_languages_what_the_law_wants_to_know() {
        for activity in Activity::ALL {
            let wording = wording(*activity);
            for text in [wording.purpose, wording.because, wording.outside_the_union] {
                assert!(text.fr.ends_with('.') && text.en.ends_with('.'), "{activity}: {text:?}");
                assert_ne!(text.fr, text.en, "{activity}");
            }
            assert!(!wording.parties.is_empty() && !wording.people.is_empty(), "{activity}");
            assert!(!wording.categories.is_empty() && !wording.recipients.is_empty(), "{activity}");
            assert!(!wording.measures.is_empty(), "{activity}");
        }
    }
}
