//! What carries which rule to which class of tablets.

use super::layers::base_text;
use super::segments::{class, plan_of};
use crate::parse;
use crate::segment::{Carrier, Plan};

const UPDATE: &str = "[os-update]\nversion = \"17.7\"\ndeadline = \"2027-02-01\"\n";
const SUBSCRIPTIONS: &str = "com.apple.configuration.management.status-subscriptions";

fn plan(more: &str, version: &str, supervised: bool) -> Plan {
    plan_of(&[parse("test.toml", &base_text(more)).unwrap()], class(version, supervised))
}

fn carrier<'p>(plan: &'p Plan, what: &str) -> &'p Carrier {
    &plan.rules.iter().find(|rule| rule.what == what).unwrap().carrier
}

#[test]
fn an_update_is_demanded_by_command_below_17_of_supervised_tablets_only() {
    let commanded = plan(UPDATE, "16.0", true);
    assert_eq!(carrier(&commanded, "os-update"), &Carrier::Update);
    assert!(commanded.update.as_ref().unwrap().by_command);

    let impossible = plan(UPDATE, "16.0", false);
    assert!(
        matches!(carrier(&impossible, "os-update"), Carrier::Unsupported { code, .. } if code == "needs-supervision"),
        "{impossible:?}"
    );
    assert_eq!(impossible.update, None, "nobody waits for what will not come");

    let declared = plan(UPDATE, "17.0", true);
    assert!(matches!(carrier(&declared, "os-update"), Carrier::Declaration(_)), "{declared:?}");
    assert!(!declared.update.as_ref().unwrap().by_command);
    assert_eq!(plan("", "17.0", true).update, None);
}

#[test]
fn a_tablet_with_declarations_is_asked_to_report_on_them_and_has_one_activation() {
    for (version, has) in [("15.0", false), ("16.0", false), ("17.0", true), ("27.0", true)] {
        let plan = plan("", version, true);
        let of = |kind: &str| plan.declarations.iter().filter(|one| one.kind == kind).collect::<Vec<_>>();
        let subscriptions = plan.declarations.iter().find(|one| one.declaration_type == SUBSCRIPTIONS);
        assert_eq!(subscriptions.is_some(), has, "{version}");
        assert_eq!(of("activation").len(), usize::from(has), "{version}");
        let Some(subscriptions) = subscriptions else { continue };
        let items = subscriptions.payload["StatusItems"].as_array().unwrap();
        assert!(items.iter().any(|item| item["Name"] == "management.declarations"), "{version}");
        // It puts all the others in force, this one too.
        let in_force = of("activation")[0].payload["StandardConfigurations"].as_array().unwrap();
        assert!(in_force.iter().any(|name| name == subscriptions.identifier.as_str()), "{version}");
        assert_eq!(in_force.len(), of("configuration").len(), "{version}");
    }
}

#[test]
fn what_the_settings_command_sets_and_what_a_tablet_came_with_are_carried_so() {
    let more = "[[app]]\nbundle = \"com.apple.Preferences\"\nname = \"Réglages\"\ninstall = \"present\"\n";
    let text = base_text(more).replace("[device]\n", "[device]\nTimeZone = \"Europe/Paris\"\n");
    let plan = plan_of(&[parse("test.toml", &text).unwrap()], class("27.0", true));
    assert_eq!(carrier(&plan, "device.TimeZone"), &Carrier::Settings);
    assert_eq!(carrier(&plan, "device.ActivationLockAllowedWhileSupervised"), &Carrier::Settings);
    assert_eq!(carrier(&plan, "app com.apple.Preferences"), &Carrier::Present);
    assert_eq!(carrier(&plan, "restrictions.allowVPNCreation"), &Carrier::Profile);
}
