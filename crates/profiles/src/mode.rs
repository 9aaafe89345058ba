//! Where a tablet is when a layer applies, and what that layer may therefore not do.
//!
//! Traceability is for access from the school (C3.1.5). A layer that also applies outside it sends no traffic through
//! anything that logs: no global proxy, no resolver and no filter that keep a log. A network's own proxy does no harm where
//! the network is the school's: it is used on that network only. A layer that is for outside the school names none.

use types::{LoanMode, RuleId};

use crate::catalogue::Section;
use crate::layer::{Layer, LayerKind};
use crate::reading::Notes;
use crate::value::Value;

/// Whether tablets in this mode stay in the collège.
#[must_use]
pub(crate) const fn stays_at_school(mode: LoanMode) -> bool {
    match mode {
        LoanMode::InSchool | LoanMode::Deposit => true,
        LoanMode::TakeHome | LoanMode::Restricted | LoanMode::Lost => false,
    }
}

/// Whether a layer of this kind applies to tablets that may be outside the school, whatever stands beside it. The
/// tablet's own layer depends on the mode beside it, and is looked at with it.
const fn applies_outside(kind: &LayerKind) -> bool {
    match kind {
        LayerKind::Base | LayerKind::Emergency | LayerKind::User(_) | LayerKind::College(_) => true,
        LayerKind::Mode(mode) => !stays_at_school(*mode),
        LayerKind::Tablet => false,
    }
}

/// Holds a layer to what follows from where it applies.
pub(crate) fn check(layer: &Layer, notes: &mut Notes<'_>) {
    let contents = &layer.contents;
    if applies_outside(layer.kind()) {
        let right =
            "traffic is traced from the school only: put it in the layer of mode in-school, or on a network";
        let mut refuse = |line, path, what| notes.breach(RuleId::C3_1_5, line, path, what, right);
        if let Some(proxy) = &contents.proxy {
            refuse(proxy.line, "proxy", "would take home traffic through a proxy");
        }
        if let Some(dns) = contents.dns.as_ref().filter(|dns| dns.value.logs_home_traffic()) {
            refuse(dns.line, "dns", "would log what is asked for at home");
        }
        if let Some(filter) = contents.filter.as_ref().filter(|filter| filter.value.logs_home_traffic()) {
            refuse(filter.line, "filter.plugin", "would log what is asked for at home");
        }
    }
    if matches!(layer.kind(), LayerKind::Mode(mode) if !stays_at_school(*mode)) {
        for (ssid, at) in contents.wifi.iter().filter(|(_, at)| at.value.proxy.is_some()) {
            notes.breach(
                RuleId::C3_1_5,
                at.line,
                format!("wifi \"{ssid}\""),
                "would take traffic outside the school through a proxy",
                "a network of the school stands in the base, in mode in-school or in the collège's layer",
            );
        }
    }
    code_can_be_changed(layer, notes);
}

/// The user changes the first code (C5.3.3), so that no layer they start with may forbid it.
fn code_can_be_changed(layer: &Layer, notes: &mut Notes<'_>) {
    let starts_with = matches!(layer.kind(), LayerKind::Base | LayerKind::Emergency | LayerKind::User(_));
    let Some((_, at)) = layer.contents.settings.iter().find(|(entry, _)| {
        entry.section == Section::Restrictions && entry.key == "allowPasscodeModification"
    }) else {
        return;
    };
    if starts_with && at.value == Value::Boolean(false) {
        notes.breach(
            RuleId::C5_3_3,
            at.line,
            "restrictions.allowPasscodeModification",
            "would keep the user from changing the first access code",
            "leave it out here",
        );
    }
}
