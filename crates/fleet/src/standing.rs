//! Whether a tablet that proved a certificate is served, decided from what the memory says of both.
//!
//! The one table that stands between a tablet and the word that unenrols it. Pure: rows in, decision out.

use lending::{EnrolmentEnd, RecordedEnd};
use store::certificates::CertificateState;
use store::enrolments::EnrolmentState;
use types::{EnrolmentId, Instant, RuleId};

use crate::TabletError;

/// What the tablet is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// It enrols: Authenticate.
    Authenticate,
    /// It sends its push token: TokenUpdate.
    TokenUpdate,
    /// Anything that an enrolled tablet does.
    Message(&'static str),
}

impl Moment {
    const fn name(self) -> &'static str {
        match self {
            Self::Authenticate => "Authenticate",
            Self::TokenUpdate => "TokenUpdate",
            Self::Message(name) => name,
        }
    }
}

/// How a served tablet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Its certificate has been used before.
    Known,
    /// Its certificate is used for the first time: it is confirmed now, and replaces the older ones.
    FirstUse,
}

/// What the memory says of a certificate and of the enrolment it is bound to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) certificate: CertificateState,
    pub(crate) enrolment: EnrolmentId,
    pub(crate) state: EnrolmentState,
    pub(crate) end: Option<&'a RecordedEnd>,
}

/// Decides whether the tablet is served.
///
/// # Errors
/// [`TabletError::Ended`] only for an enrolment whose end is recorded (M4); everything else is a 400.
pub(crate) fn admit(facts: Facts<'_>, moment: Moment, now: Instant) -> Result<Admission, TabletError> {
    match facts.state {
        EnrolmentState::Ended => return Err(ended(facts, now)),
        EnrolmentState::Superseded | EnrolmentState::Lapsed => return Err(TabletError::Superseded),
        EnrolmentState::Invited | EnrolmentState::Authenticated | EnrolmentState::Active => {}
    }
    let admission = match facts.certificate {
        CertificateState::Superseded | CertificateState::Revoked => return Err(TabletError::Superseded),
        CertificateState::Issued => Admission::FirstUse,
        CertificateState::Confirmed => Admission::Known,
    };
    match (moment, facts.state) {
        (Moment::Authenticate, EnrolmentState::Invited) => Ok(admission),
        // The tablet did not get our answer and asks again.
        (Moment::Authenticate, EnrolmentState::Authenticated) if admission == Admission::Known => {
            Ok(admission)
        }
        // An identity enrols once: with it, someone would start over in the name of an enrolled tablet.
        (Moment::Authenticate, _) => Err(TabletError::NotAdmitted {
            why: "this identity has enrolled already; a tablet that enrols again starts from a new link"
                .into(),
            rule: RuleId::C5_3_2,
        }),
        (_, EnrolmentState::Invited) => {
            Err(TabletError::OutOfOrder { message: moment.name(), state: "waiting for Authenticate" })
        }
        (_, _) => Ok(admission),
    }
}

/// The enrolment is over: by our recorded decision, or because the tablet left by itself.
fn ended(facts: Facts<'_>, now: Instant) -> TabletError {
    match facts.end.map(|recorded| EnrolmentEnd::read_back(recorded, facts.enrolment, now)) {
        Some(Ok(end)) => TabletError::Ended(end),
        Some(Err(not_ended)) => TabletError::Internal(not_ended.to_string()),
        None => TabletError::Superseded,
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make up the facts of a row")]
mod tests {
    use types::{EnrolmentEndId, TabletId};

    use super::*;
    use crate::Told;

    fn at(millis: i64) -> Instant {
        Instant::from_millis(millis)
    }

    fn moments() -> [Moment; 3] {
        [Moment::Authenticate, Moment::TokenUpdate, Moment::Message("connect")]
    }

    #[test]
    fn t_a7_no_state_of_the_memory_unenrols_without_a_recorded_end() {
        for &certificate in CertificateState::ALL {
            for &state in EnrolmentState::ALL {
                for moment in moments() {
                    let facts = Facts { certificate, enrolment: EnrolmentId::new(at(1)), state, end: None };
                    if let Err(error) = admit(facts, moment, at(9)) {
                        assert_eq!(
                            error.told(),
                            Told::BadRequest,
                            "{certificate} {state} {moment:?}: {error}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn t_a5_an_enrolment_that_we_ended_is_told_so_and_one_that_was_superseded_is_not() {
        let enrolment = EnrolmentId::new(at(1));
        let recorded =
            RecordedEnd::from_row(EnrolmentEndId::new(at(2)), enrolment, TabletId::new(at(1)), at(2));
        let facts = Facts {
            certificate: CertificateState::Revoked,
            enrolment,
            state: EnrolmentState::Ended,
            end: Some(&recorded),
        };
        for moment in moments() {
            assert_eq!(admit(facts, moment, at(9)).unwrap_err().told(), Told::Unrecognized);
            let superseded = Facts { state: EnrolmentState::Superseded, ..facts };
            assert_eq!(admit(superseded, moment, at(9)).unwrap_err().told(), Told::BadRequest);
        }
        // The clock was set back: the end is not yet a fact.
        assert_eq!(admit(facts, Moment::TokenUpdate, at(1)).unwrap_err().told(), Told::Unavailable);
    }

    #[test]
    fn an_enrolment_goes_through_its_steps_in_order() {
        use Admission::{FirstUse, Known};
        use CertificateState::{Confirmed, Issued};
        use EnrolmentState::{Active, Authenticated, Invited};
        let connect = Moment::Message("connect");
        let cases = [
            (Issued, Invited, Moment::Authenticate, Some(FirstUse)),
            (Issued, Invited, Moment::TokenUpdate, None),
            (Issued, Invited, connect, None),
            (Confirmed, Authenticated, Moment::Authenticate, Some(Known)),
            (Confirmed, Authenticated, Moment::TokenUpdate, Some(Known)),
            (Confirmed, Active, Moment::Authenticate, None),
            (Confirmed, Active, connect, Some(Known)),
            // A renewal: the new certificate is confirmed at its first use.
            (Issued, Active, connect, Some(FirstUse)),
            (Issued, Active, Moment::Authenticate, None),
        ];
        for (certificate, state, moment, expected) in cases {
            let facts = Facts { certificate, enrolment: EnrolmentId::new(at(1)), state, end: None };
            assert_eq!(admit(facts, moment, at(9)).ok(), expected, "{certificate} {state} {moment:?}");
        }
    }
}
