//! Which profile holds a tablet's enrolment: removing that one would unenrol it (M4).

use orders::EnrolmentProfile;
use serde_json::Value as Json;
use store::observations::{self, Observation};
use store::{StoreError, Tx};
use types::{EnrolmentId, EnrolmentKind};

use crate::enrolment_profile;

/// The kind of observation in which a tablet lists its profiles.
const PROFILE_LIST: &str = "profile-list";
/// The type of the payload that makes a profile an enrolment.
const MDM: &str = "com.apple.mdm";

/// The profile that holds this enrolment, as far as we know it.
///
/// # Errors
/// When the memory fails.
pub(crate) fn of(
    tx: &mut Tx<'_>,
    enrolment: EnrolmentId,
    kind: EnrolmentKind,
) -> Result<EnrolmentProfile, StoreError> {
    match ours(kind) {
        Some(profile) => Ok(profile),
        None => Ok(listed(&observations::of_enrolment(tx, enrolment)?)),
    }
}

/// The profile, if we issued it. `None`: another server chose the name, and only the tablet's own list tells it.
pub(crate) fn ours(kind: EnrolmentKind) -> Option<EnrolmentProfile> {
    match kind {
        EnrolmentKind::Link | EnrolmentKind::Automated => {
            Some(EnrolmentProfile::Known(enrolment_profile::IDENTIFIER.to_owned()))
        }
        EnrolmentKind::TakenOver => None,
    }
}

fn listed(observations: &[Observation]) -> EnrolmentProfile {
    let holds_mdm = |profile: &&Json| {
        profile
            .get("PayloadTypes")
            .and_then(Json::as_array)
            .is_some_and(|types| types.iter().any(|one| one == MDM))
    };
    observations
        .iter()
        .filter(|observation| observation.kind == PROFILE_LIST)
        .filter_map(|observation| observation.body.as_array())
        .flatten()
        .find(holds_mdm)
        .and_then(|profile| profile.get("PayloadIdentifier"))
        .and_then(Json::as_str)
        .map_or(EnrolmentProfile::Unknown, |identifier| EnrolmentProfile::Known(identifier.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use types::Instant;

    use super::*;

    fn list(body: Json) -> Vec<Observation> {
        vec![Observation { kind: PROFILE_LIST.into(), reported_at: Instant::from_millis(1), body }]
    }

    #[test]
    fn the_profile_of_another_server_is_known_once_the_tablet_has_listed_it() {
        assert_eq!(listed(&[]), EnrolmentProfile::Unknown);
        let wifi =
            json!({ "PayloadIdentifier": "org.example.wifi", "PayloadTypes": ["com.apple.wifi.managed"] });
        assert_eq!(listed(&list(json!([wifi]))), EnrolmentProfile::Unknown);
        let other =
            json!({ "PayloadIdentifier": "com.other.mdm", "PayloadTypes": ["com.apple.security.scep", MDM] });
        assert_eq!(listed(&list(json!([wifi, other]))), EnrolmentProfile::Known("com.other.mdm".into()));
    }
}
