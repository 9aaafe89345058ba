//! What is stored, and what people are told, word for word.

use types::{IncidentId, LastDecisionId, LoanId, MailAddress, PersonId, RestitutionId, TabletId, UserKind};

use super::{day, noon, year};
use crate::agreement::Signatory;
use crate::list::{Progress, Signed};
use crate::loan::{Ending, LetterWriter, Loan, LoanState, Suspension};
use crate::readiness::{Obstacle, Reported};
use crate::restitution::Hold;
use crate::{Cause, NotErased};

#[test]
fn the_end_of_a_loan_is_stored_in_a_word_of_its_own() {
    let letter =
        |from| Ending::Letter { from, dated: day("2028-01-08"), reference: "RAR 1A 001".parse().unwrap() };
    for (ending, word) in [
        (Ending::Left(day("2028-01-08")), "left"),
        (Ending::NoLongerListed, "no-longer-listed"),
        (Ending::Departement("réforme".parse().unwrap()), "departement"),
        (letter(LetterWriter::User), "letter-of-the-user"),
        (letter(LetterWriter::Guardians), "letter-of-the-guardians"),
        (Ending::Breach, "breach"),
        (Ending::GivenBack, "given-back"),
        (Ending::Replaced, "replaced"),
        (Ending::GivenAway, "given-away"),
    ] {
        assert_eq!(ending.as_str(), word);
    }
}

#[test]
fn what_an_order_serves_is_stored_in_a_word_of_its_own_and_names_its_loan() {
    let at = noon("2028-06-20");
    let (restitution, decision, loan) = (RestitutionId::new(at), LastDecisionId::new(at), LoanId::new(at));
    for (cause, word, serves) in [
        (Cause::Restitution { restitution, loan }, "restitution", Some(loan)),
        (Cause::Donation { decision, loan }, "donation", Some(loan)),
        (Cause::Retirement { decision }, "retirement", None),
        (Cause::Theft { decision, loan: Some(loan) }, "theft", Some(loan)),
        (Cause::Theft { decision, loan: None }, "theft", None),
    ] {
        assert_eq!((cause.as_str(), cause.loan()), (word, serves));
    }
}

#[test]
fn a_refusal_says_where_the_loan_stands() {
    let at = noon("2028-06-30");
    let state =
        |state| Loan::from_row(LoanId::new(at), TabletId::new(at), PersonId::new(at), UserKind::Pupil, state);
    for (loan, stands) in [
        (state(LoanState::Deposited { since: at }), "deposited for the summer"),
        (state(LoanState::Suspended { why: Suspension::Repair, deposited: None }), "suspended"),
        (state(LoanState::Ended { at, because: Ending::Breach }), "over"),
    ] {
        let refused = loan.deposit(&year(), at).unwrap_err().to_string();
        assert_eq!(refused, format!("loan {} cannot be deposited: it is {stands}", loan.loan()));
    }
    let lent = state(LoanState::Lent);
    let refused = lent.resume(None).unwrap_err().to_string();
    assert_eq!(refused, format!("loan {} cannot be resumed: it is lent", lent.loan()));
}

#[test]
fn a_refusal_says_how_far_a_change_of_the_list_has_come() {
    let by = |millis| Signed {
        by: types::AccountId::new(types::Instant::from_millis(millis)),
        at: noon("2027-09-02"),
    };
    let settled = Progress::Proposed.settle(by(1)).unwrap();
    let validated = settled.validate(by(2)).unwrap();
    let withdrawn = settled.withdraw().unwrap();
    for (refused, said) in [
        (Progress::Proposed.validate(by(2)), "validated: it is proposed: the head settles it first"),
        (settled.settle(by(1)), "settled: it is settled: the académie validates it next"),
        (validated.withdraw(), "withdrawn: it is validated: it counts, and another change would change it"),
        (withdrawn.withdraw(), "withdrawn: it is withdrawn: propose it again"),
    ] {
        let expected = format!("this change of the list cannot be {said}");
        assert_eq!(refused.unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_refusal_says_what_keeps_a_tablet_as_it_is() {
    let incident = IncidentId::new(noon("2028-06-20"));
    for (hold, why) in [
        (Hold::Check, "it was called in for a check (C5.4.1)".to_owned()),
        (Hold::Incident(incident), format!("incident {incident} is open")),
        (Hold::Authority(incident), format!("an authority asked for it (incident {incident})")),
    ] {
        assert_eq!(NotErased::Held(hold).to_string(), format!("the tablet is kept as it is: {why}"));
    }
}

#[test]
fn an_obstacle_says_what_was_reported_last() {
    let at = noon("2027-10-31");
    for (reported, said) in [
        (Reported::Never, "never reported".to_owned()),
        (Reported::Present(at), format!("last reported at {at}, more than 7 days ago")),
        (Reported::Missing(at), format!("reported missing at {at}")),
    ] {
        let obstacle = Obstacle::BaseProfile(reported).to_string();
        assert_eq!(obstacle, format!("the base profile is not on the tablet ({said})"));
    }
}

#[test]
fn a_signatory_is_written_as_it_is_read() {
    for (signatory, text) in [
        (Signatory::User, "user"),
        (Signatory::Guardian(1), "guardian-1"),
        (Signatory::Guardian(4), "guardian-4"),
    ] {
        assert_eq!(text.parse(), Ok(signatory));
        assert_eq!(String::from(signatory), text);
    }
    for none in ["", "guardian-0", "guardian-5", "guardian", "head"] {
        assert!(none.parse::<Signatory>().is_err(), "{none}");
    }
}

#[test]
fn a_mail_address_and_the_label_of_a_year_are_kept_as_they_were_written() {
    let address: MailAddress = "a.martin@exemple.fr".parse().unwrap();
    assert_eq!(String::from(address), "a.martin@exemple.fr");
    assert_eq!(year().label(), "2027-2028");
}
