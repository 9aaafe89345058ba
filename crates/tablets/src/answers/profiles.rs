//! Profiles: listed, installed, removed; the enrolment profile among them, which renews or ends everything.

use plist::Dictionary;

use super::{After, Answer, INSTALLATION_FAILED, INVALID_COMMAND, NO_SUCH_PROFILE, array};
use crate::profile::{EnrolmentProfile, Profile};
use crate::state::State;
use crate::wire::{self, Entries as _};

/// Payloads that an unsupervised tablet refuses, and the whole profile with them.
const SUPERVISED_ONLY: [&str; 5] = [
    "com.apple.app.lock",
    "com.apple.homescreenlayout",
    "com.apple.notificationsettings",
    "com.apple.proxy.http.global",
    "com.apple.shareddeviceconfiguration",
];

pub(super) fn list(state: &State, command: &Dictionary) -> Answer {
    let managed_only = command.flag("ManagedOnly").unwrap_or(false);
    let profiles = state
        .profiles
        .values()
        .filter(|profile| profile.managed || !managed_only)
        .map(crate::profile::InstalledProfile::told);
    Answer::with(wire::dictionary([("ProfileList", array(profiles))]))
}

pub(super) fn install(state: &mut State, command: &Dictionary) -> Answer {
    let Some(payload) = command.bytes("Payload") else {
        return Answer::error(INVALID_COMMAND, "Payload is missing.");
    };
    let refuse = |error: &dyn std::fmt::Display| Answer::error(INSTALLATION_FAILED, &error.to_string());
    let profile = match Profile::open(payload) {
        Ok(profile) => profile,
        Err(error) => return refuse(&error),
    };
    if EnrolmentProfile::is_one(&profile) {
        return match EnrolmentProfile::of(profile) {
            Ok(profile) => reissue(state, profile),
            Err(error) => refuse(&error),
        };
    }
    if !state.hardware.supervised
        && let Some(kind) = profile
            .payloads()
            .find_map(|one| one.text("PayloadType").filter(|kind| SUPERVISED_ONLY.contains(kind)))
    {
        return refuse(&format!("The payload “{kind}” can only be installed on a supervised device."));
    }
    match profile.installed(true) {
        Ok(installed) => {
            state.profiles.insert(installed.identifier.clone(), installed);
            Answer::done()
        }
        Err(error) => refuse(&error),
    }
}

/// The enrolment profile issued again: a new identity under the same management, or a refusal.
fn reissue(state: &State, profile: EnrolmentProfile) -> Answer {
    let Some(enrolment) = &state.enrolment else {
        return Answer::error(INSTALLATION_FAILED, "The device is not enrolled.");
    };
    if profile.profile.identifier != enrolment.profile_identifier {
        return Answer::error(INSTALLATION_FAILED, "The device is already managed by another profile.");
    }
    match profile.mdm.refusal_as_update(&enrolment.mdm) {
        Some(refusal) => Answer::error(INSTALLATION_FAILED, refusal),
        None => Answer::then(After::Renew(Box::new(profile))),
    }
}

pub(super) fn remove(state: &mut State, command: &Dictionary) -> Answer {
    let Some(identifier) = command.text("Identifier") else {
        return Answer::error(INVALID_COMMAND, "Identifier is missing.");
    };
    if state.enrolment.as_ref().is_some_and(|enrolment| enrolment.profile_identifier == identifier) {
        return Answer::then(After::Unenrol);
    }
    match state.profiles.get(identifier) {
        Some(profile) if profile.managed => {
            state.profiles.remove(identifier);
            Answer::done()
        }
        Some(_by_hand) => Answer::error(NO_SUCH_PROFILE, "The profile is not managed."),
        None => Answer::error(NO_SUCH_PROFILE, &format!("The profile “{identifier}” is not installed.")),
    }
}
