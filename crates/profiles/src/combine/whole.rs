//! What only the whole shows: layers that are right each, and wrong together.

use super::Stack;
use crate::catalogue::Section;
use crate::intent::Intent;
use crate::refusal::Refusal;
use crate::value::Value;

pub(super) fn check(stack: &Stack<'_>, intent: &Intent, refusals: &mut Vec<Refusal>) {
    nothing_logged_at_home(stack, refusals);
    authorities_are_there(stack, intent, refusals);
    stays_within_reach(stack, intent, refusals);
    something_opens(stack, intent, refusals);
}

/// Traceability is for access from the school (C3.1.5).
fn nothing_logged_at_home(stack: &Stack<'_>, refusals: &mut Vec<Refusal>) {
    if stack.stays_at_school() {
        return;
    }
    let proxies = stack.each(|contents| contents.proxy.as_ref().map(|at| (at.line, "a global proxy")));
    let resolvers = stack.each(|contents| {
        let dns = contents.dns.as_ref().filter(|at| at.value.logs_home_traffic());
        dns.map(|at| (at.line, "a resolver that keeps a log"))
    });
    let filters = stack.each(|contents| {
        let filter = contents.filter.as_ref().filter(|at| at.value.logs_home_traffic());
        filter.map(|at| (at.line, "a filter that keeps a log"))
    });
    refusals.extend(
        proxies.chain(resolvers).chain(filters).map(|(layer, (line, by))| Refusal::LogsHomeTraffic {
            layer: layer.clone(),
            line,
            by,
        }),
    );
}

/// A network that trusts an authority nobody has trusts nobody.
fn authorities_are_there(stack: &Stack<'_>, intent: &Intent, refusals: &mut Vec<Refusal>) {
    for (layer, networks) in stack.each(|contents| Some(&contents.wifi)) {
        for (ssid, at) in networks {
            let named = at.value.eap.iter().flat_map(|eap| &eap.authorities);
            for name in named.filter(|name| !intent.certificates.contains_key(*name)) {
                refusals.push(Refusal::NoSuchAuthority {
                    layer: layer.clone(),
                    line: at.line,
                    ssid: ssid.to_string(),
                    name: name.to_string(),
                });
            }
        }
    }
}

/// A tablet that joins its own networks only, and has none, is never reached again (C3.1.4).
fn stays_within_reach(stack: &Stack<'_>, intent: &Intent, refusals: &mut Vec<Refusal>) {
    if !intent.wifi.is_empty() {
        return;
    }
    let confines = stack.each(|contents| {
        contents.settings.iter().find(|(entry, at)| {
            entry.section == Section::Restrictions
                && entry.key == "forceWiFiToAllowedNetworksOnly"
                && at.value == Value::Boolean(true)
        })
    });
    refusals.extend(confines.map(|(layer, (_, at))| Refusal::CutOff { layer: layer.clone(), line: at.line }));
}

/// At least one app opens, and the single app does.
fn something_opens(stack: &Stack<'_>, intent: &Intent, refusals: &mut Vec<Refusal>) {
    let permitted = intent.permitted_apps();
    if permitted.as_ref().is_some_and(std::collections::BTreeSet::is_empty) {
        let narrows = stack
            .each(|contents| (contents.permitted.is_some() || contents.only_apps.is_some()).then_some(()));
        refusals.push(Refusal::NoAppPermitted { layers: narrows.map(|(layer, ())| layer.clone()).collect() });
    }
    for (layer, at) in stack.each(|contents| contents.single_app.as_ref()) {
        let bundle = &at.value.bundle;
        let listed = permitted.as_ref().is_none_or(|permitted| permitted.contains(bundle.as_str()));
        if !listed || intent.blocked.contains_key(bundle) {
            refusals.push(Refusal::SingleAppNotPermitted {
                layer: layer.clone(),
                line: at.line,
                bundle: bundle.to_string(),
            });
        }
    }
}
