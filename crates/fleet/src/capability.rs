//! What a tablet can do, decided from how it enrolled, whether it is supervised, and its system.
//!
//! A tablet that cannot do what a rule needs is shown so, with the reason, before anyone counts on it.

use store::enrolments::Enrolment;
use types::{EnrolmentKind, RuleId, Supervision};

/// One thing that a tablet can or cannot do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capability {
    /// A stable name, such as `lost-mode`.
    pub name: &'static str,
    /// Whether it can; `None` when the tablet has not told us what decides it.
    pub able: Option<bool>,
    /// Why it cannot, or why that is not known.
    pub why: Option<&'static str>,
    /// The rule that this matters for.
    pub rule: RuleId,
}

/// What the tablet of an enrolment can do.
#[must_use]
pub(crate) fn of(enrolment: &Enrolment) -> Vec<Capability> {
    vec![
        supervised(enrolment, "lost-mode", RuleId::M1),
        supervised(enrolment, "restrictions", RuleId::C3_1_1),
        kept_by_its_user(enrolment),
        from_version(enrolment, "declarations", 15, "it needs iPadOS 15 or later", RuleId::C3_1_4),
        from_version(enrolment, "return-to-service", 17, "it needs iPadOS 17 or later", RuleId::M3),
    ]
}

fn supervised(enrolment: &Enrolment, name: &'static str, rule: RuleId) -> Capability {
    let (able, why) = match enrolment.supervision {
        Supervision::Supervised => (Some(true), None),
        Supervision::Unsupervised => (Some(false), Some("the tablet is not supervised")),
        Supervision::Unknown => (None, Some("the tablet has not said yet whether it is supervised")),
    };
    Capability { name, able, why, rule }
}

/// C5.3.2: profiles cannot be removed by the user, which only automated enrolment assures.
fn kept_by_its_user(enrolment: &Enrolment) -> Capability {
    let (able, why) = match enrolment.kind {
        EnrolmentKind::Automated => (Some(true), None),
        EnrolmentKind::Link => {
            (Some(false), Some("it was enrolled by a link: its user can remove the management"))
        }
        EnrolmentKind::TakenOver => (
            None,
            Some("another server enrolled it: whether its user can remove the management is not known"),
        ),
    };
    Capability { name: "management-not-removable", able, why, rule: RuleId::C5_3_2 }
}

fn from_version(
    enrolment: &Enrolment,
    name: &'static str,
    first: u32,
    why: &'static str,
    rule: RuleId,
) -> Capability {
    let major = enrolment
        .os_version
        .as_deref()
        .and_then(|version| version.split('.').next())
        .and_then(|major| major.parse::<u32>().ok());
    let (able, why) = match major {
        Some(major) if major >= first => (Some(true), None),
        Some(_) => (Some(false), Some(why)),
        None => (None, Some("the tablet has not said yet which system it runs")),
    };
    Capability { name, able, why, rule }
}

#[cfg(test)]
mod tests {
    use types::{EnrolmentId, Instant, Platform};

    use super::*;

    fn enrolment(kind: EnrolmentKind, supervision: Supervision, os_version: Option<&str>) -> Enrolment {
        let now = Instant::from_millis(1);
        Enrolment {
            id: EnrolmentId::new(now),
            tablet_id: None,
            platform: Platform::Ipad,
            state: store::enrolments::EnrolmentState::Active,
            kind,
            supervision,
            udid: None,
            serial: None,
            topic: None,
            awaiting_configuration: false,
            os_version: os_version.map(str::to_owned),
            build_version: None,
            product_name: None,
            access_rights: None,
            link_id: None,
            takeover_id: None,
            segment_id: None,
            reported_token: None,
            end_id: None,
            created_at: now,
            authenticated_at: None,
            token_updated_at: None,
            ended_at: None,
        }
    }

    fn able(enrolment: &Enrolment, name: &str) -> Option<bool> {
        of(enrolment).into_iter().find(|capability| capability.name == name).unwrap().able
    }

    #[test]
    fn a_supervised_tablet_of_automated_enrolment_can_do_everything() {
        let tablet = enrolment(EnrolmentKind::Automated, Supervision::Supervised, Some("18.1"));
        for capability in of(&tablet) {
            assert_eq!(capability.able, Some(true), "{}", capability.name);
            assert_eq!(capability.why, None);
        }
    }

    #[test]
    fn a_tablet_enrolled_by_a_link_can_be_removed_by_its_user() {
        let tablet = enrolment(EnrolmentKind::Link, Supervision::Unsupervised, Some("14.8.1"));
        assert_eq!(able(&tablet, "management-not-removable"), Some(false));
        assert_eq!(able(&tablet, "lost-mode"), Some(false));
        assert_eq!(able(&tablet, "declarations"), Some(false));
    }

    #[test]
    fn what_the_tablet_has_not_said_is_not_known() {
        let tablet = enrolment(EnrolmentKind::TakenOver, Supervision::Unknown, None);
        for capability in of(&tablet) {
            assert_eq!(capability.able, None, "{}", capability.name);
            assert!(capability.why.is_some());
        }
    }
}
