//! The entries of the catalogue: each goes where this version has it, a declaration before a profile.

use apple::command::{MdmOptionValues, MdmOptionsSetting, Setting, TimeZoneSetting};

use super::writer::Writer;
use crate::catalogue::{Entry, Form, Section, Wire};
use crate::intent::Intent;
use crate::render::node::Node;
use crate::render::why::Why;
use crate::value::Value;

pub(super) fn write(intent: &Intent, writer: &mut Writer) {
    let mut options = MdmOptionValues::default();
    for (entry, kept) in intent.settings() {
        let what = entry.to_string();
        match choose(entry, writer) {
            Err(why) => writer.leave_out(what, why),
            Ok(wire) => {
                writer.wrote(what, wire.holder, wire.fact.key);
                if wire.holder.form == Form::Setting {
                    set(wire, &kept.value, &mut options, writer);
                } else {
                    let node = Node::of(entry, wire, &kept.value);
                    let sheet = writer.sheet(wire.holder, None, title(entry.section));
                    sheet.put(wire.fact.key, node);
                    // In a profile, a delay counts only where delaying is on.
                    if wire.fact.key == "enforcedSoftwareUpdateDelay" {
                        sheet.put("forceDelayedSoftwareUpdates", Node::Boolean(true));
                    }
                }
            }
        }
    }
    if options.activation_lock_allowed_while_supervised.or(options.idle_reboot_allowed).is_some() {
        writer.setting(Setting::MdmOptions(Box::new(MdmOptionsSetting::new(options))));
    }
}

/// The first wire that this tablet has; if it has none, why it has not the one that comes closest.
fn choose<'e>(entry: &'e Entry, writer: &Writer) -> Result<&'e Wire, Why> {
    let mut closest = Why::OtherPlatform;
    for wire in entry.wires() {
        match writer.has_key(wire.holder, wire.fact) {
            Ok(()) => return Ok(wire),
            // Supervision can be had, another version only by an update; what is gone is gone.
            Err(why) if closest != Why::NeedsSupervision => closest = why,
            Err(_) => {}
        }
    }
    Err(closest)
}

/// An item of the Settings command.
fn set(wire: &Wire, value: &Value, options: &mut MdmOptionValues, writer: &mut Writer) {
    match (wire.fact.key, value) {
        ("MDMOptions.ActivationLockAllowedWhileSupervised", Value::Boolean(value)) => {
            options.activation_lock_allowed_while_supervised = Some(*value);
        }
        ("MDMOptions.IdleRebootAllowed", Value::Boolean(value)) => options.idle_reboot_allowed = Some(*value),
        ("TimeZone", Value::Text(zone)) => {
            writer.setting(Setting::TimeZone(Box::new(TimeZoneSetting::new(zone.clone()))));
        }
        _ => {}
    }
}

/// What people see on the tablet.
const fn title(section: Section) -> &'static str {
    match section {
        Section::Restrictions => "Restrictions",
        Section::Passcode => "Code d’accès",
        Section::Siri => "Siri",
        Section::Keyboard => "Clavier",
        Section::Intelligence => "Apple Intelligence",
        Section::SoftwareUpdate => "Mises à jour",
        Section::Device | Section::Android | Section::AndroidRestrictions => "Tablette",
    }
}
