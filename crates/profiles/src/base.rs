//! What every base must say, because the agreement says it: without it the base is refused, emergency bases too.

use types::RuleId;

use crate::catalogue::{Section, find};
use crate::layer::Layer;
use crate::reading::Notes;
use crate::value::Value;

/// A value that every base sets.
pub(crate) struct Demand {
    pub(crate) section: Section,
    pub(crate) key: &'static str,
    pub(crate) value: bool,
    pub(crate) rule: RuleId,
    pub(crate) why: &'static str,
}

const fn forbid(key: &'static str, rule: RuleId, why: &'static str) -> Demand {
    Demand { section: Section::Restrictions, key, value: false, rule, why }
}

/// What every base sets, with the clause that demands it.
pub(crate) const DEMANDS: &[Demand] = &[
    forbid("allowEraseContentAndSettings", RuleId::C5_3_2, "the user does not reinstall the tablet"),
    forbid("allowUnpairedExternalBootToRecovery", RuleId::C5_3_2, "the user does not reinstall the tablet"),
    forbid("allowHostPairing", RuleId::C5_3_2, "the user does not reinstall the tablet from a computer"),
    forbid(
        "allowUIConfigurationProfileInstallation",
        RuleId::C5_3_2,
        "the user does not change its profiles",
    ),
    forbid("allowAccountModification", RuleId::C5_3_2, "the user does not remove its accounts"),
    forbid("allowAppRemoval", RuleId::C5_3_2, "the user does not remove its apps"),
    forbid("allowVPNCreation", RuleId::C3_1_5, "a VPN would go round the filter"),
    forbid("allowCloudPrivateRelay", RuleId::C3_1_5, "the relay would go round the filter"),
    Demand {
        section: Section::Restrictions,
        key: "forceAutomaticDateAndTime",
        value: true,
        rule: RuleId::C5_3_2,
        why: "the user does not change the date, on which certificates and time limits rest",
    },
    Demand {
        section: Section::Passcode,
        key: "forcePIN",
        value: true,
        rule: RuleId::C5_3_3,
        why: "the tablet has an access code",
    },
    Demand {
        section: Section::Device,
        key: "ActivationLockAllowedWhileSupervised",
        value: false,
        rule: RuleId::C3_3_2,
        why: "a tablet that comes back must not be locked to the account of whoever had it",
    },
];

/// Holds a base to what every base must say.
pub(crate) fn check(layer: &Layer, notes: &mut Notes<'_>) {
    for demand in DEMANDS {
        let Some(entry) = find(demand.section, demand.key) else { continue };
        let right = format!("write {entry} = {}: {}", demand.value, demand.why);
        match layer.contents.settings.get(entry) {
            None => notes.breach(demand.rule, 1, entry.to_string(), "is missing from a base", right),
            Some(at) if at.value != Value::Boolean(demand.value) => {
                notes.breach(
                    demand.rule,
                    at.line,
                    entry.to_string(),
                    format!("is {} in a base", at.value),
                    right,
                );
            }
            Some(_) => {}
        }
    }
    match &layer.contents.filter {
        None => notes.breach(
            RuleId::C3_1_5,
            1,
            "filter",
            "is missing from a base",
            "write a table [filter] with automatic = true, [filter.plugin] or [filter.only]",
        ),
        Some(filter) if !filter.value.filters() => notes.breach(
            RuleId::C3_1_5,
            filter.line,
            "filter",
            "filters nothing by itself",
            "write automatic = true, [filter.plugin] or [filter.only]",
        ),
        Some(_) => {}
    }
}
