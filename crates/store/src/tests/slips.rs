//! What the tables hold of a slip of the scanner, and of what rests: a loan goes on as it stood, and in no other way (C5.2.2,
//! C5.3.6).

use lending::loan::{LoanState, Suspension};

use super::fixture::{Fixture, at};
use super::lending::{DAY, came_back, lent, refused, school};
use crate::loans::{self, Loan, Standing};
use crate::restitutions;
use crate::tests::on_both_engines;

on_both_engines! {
    a_receipt_that_was_a_slip_is_undone_and_the_loan_goes_on,
    c5_2_2_what_rests_lay_in_deposit_before_or_did_not,
}

#[expect(clippy::disallowed_methods, reason = "the test makes what no rule makes")]
fn moved_to(loan: &Loan, state: LoanState) -> lending::loan::Loan {
    lending::loan::Loan::from_row(loan.id, loan.tablet_id, loan.person_id, loan.holder_kind, state)
}

async fn a_receipt_that_was_a_slip_is_undone_and_the_loan_goes_on(fixture: Fixture) {
    let tablet = fixture.enrolled(1).await;
    let people = school(&fixture, 1).await;
    let (loan, receipt, _) = came_back(&fixture, tablet, people[0]).await;
    let again = loan.clone();
    refused(
        fixture.store.write(move |tx| loans::update(tx, &again)).await,
        "a loan that has ended stays ended",
    );
    let id = loan.id;
    let stood = fixture.read(move |tx| restitutions::get(tx, &receipt.id)).await.unwrap().loan_stood();
    assert_eq!(stood.unwrap(), (LoanState::Lent, Some(loan.changed_at)));
    refused(fixture.by_hand("UPDATE restitutions SET loan_since = 1"), "how the loan stood stays");
    fixture
        .write(move |tx| {
            let row = restitutions::get(tx, &receipt.id)?.unwrap();
            let undone = row.come_to(&row.decided()?.undo().unwrap(), at(20 * DAY + 5));
            restitutions::update(tx, &undone)
        })
        .await;
    // It stands as it stood, and in no other way.
    for other in [
        LoanState::Deposited { since: at(20) },
        LoanState::Suspended { why: Suspension::Confiscated, deposited: None },
    ] {
        let row = loan.standing(&moved_to(&loan, other), at(20 * DAY + 5));
        refused(fixture.store.write(move |tx| loans::update(tx, &row)).await, "it was lent");
    }
    fixture.write(move |tx| loans::update(tx, &loan)).await;
    let live = fixture.read(move |tx| loans::live_of_tablet(tx, tablet.tablet)).await.unwrap();
    assert_eq!((live.id, live.state), (id, Standing::Lent));
    assert_eq!(fixture.read(move |tx| restitutions::of_loan(tx, id)).await, None);
}

async fn c5_2_2_what_rests_lay_in_deposit_before_or_did_not(fixture: Fixture) {
    let tablet = fixture.enrolled(1).await;
    let people = school(&fixture, 1).await;
    let loan = lent(tablet, people[0]);
    let row = loan.clone();
    fixture.write(move |tx| loans::insert(tx, &row)).await;
    let update = |row: Loan| fixture.store.write(move |tx| loans::update(tx, &row));
    let rests = |deposited| LoanState::Suspended { why: Suspension::Confiscated, deposited };
    let never = loan.standing(&moved_to(&loan, rests(Some(at(15)))), at(30));
    refused(update(never).await, "it lay in no deposit");
    let kept = loan.standing(&moved_to(&loan, LoanState::Deposited { since: at(20) }), at(20));
    assert!(update(kept.clone()).await.unwrap());
    refused(fixture.by_hand("UPDATE loans SET deposited_since = 20"), "what lies there does not rest");
    let other = kept.standing(&moved_to(&loan, rests(Some(at(15)))), at(30));
    refused(update(other).await, "it lay there since another instant");
    let confiscated =
        kept.standing(&kept.decided().unwrap().suspend(Suspension::Confiscated).unwrap(), at(30));
    assert!(update(confiscated.clone()).await.unwrap());
    let read = fixture.read(move |tx| loans::get(tx, &confiscated.id)).await.unwrap();
    assert_eq!(*read.decided().unwrap().state(), rests(Some(at(20))));
    assert_eq!(read.decided().unwrap().resume(None).unwrap(), kept.decided().unwrap());
}
