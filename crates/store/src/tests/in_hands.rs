//! Nothing rests on what befell a tablet while somebody else had it, whatever program sends the statement (C5.4.2, M1).

use ::incidents::{Footing, Grant, Incident, IncidentState};
use types::{IncidentId, IncidentKind, LoanId, PersonId, WarrantId};

use super::fixture::{Enrolled, Fixture, at};
use super::lending::{lent, school};
use super::located::refused;
use super::missing::{granted, locate_by_hand};
use crate::loans::{self, Loan, Standing};
use crate::noticed_corrections::NoticedCorrection;
use crate::tests::on_both_engines;
use crate::{incident_declarations, incident_hands, incidents, noticed_corrections, warrant_grants};

on_both_engines! {
    m1_nothing_rests_on_an_incident_of_somebody_else_whatever_program_writes,
    m1_an_incident_does_not_go_on_once_its_tablet_is_in_other_hands_whatever_program_writes,
    c5_4_2_when_it_was_noticed_is_put_right_within_its_loan_whatever_program_writes,
}

/// Lends a tablet to each of them in turn: the first at `at(10)`, received at `at(95)`, then the second at `at(97)`.
async fn lent_twice(fixture: &Fixture, of: Enrolled, to: [PersonId; 2]) -> [Loan; 2] {
    let [first, second] = to.map(|person| lent(of, person));
    let second = Loan { id: LoanId::new(at(97)), began_at: at(97), changed_at: at(97), ..second };
    let one = first.clone();
    fixture.write(move |tx| loans::insert(tx, &one)).await;
    lent_anew(fixture, given_back(&first, 95), second.clone()).await;
    [first, second]
}

/// A loan ends and the next begins, past the rule that the tablet is to be proven empty between the two (C5.3.5), which is
/// tested elsewhere and takes weeks.
async fn lent_anew(fixture: &Fixture, back: Loan, next: Loan) {
    assert!(fixture.write(move |tx| loans::update(tx, &back)).await);
    begin_anew(fixture, next).await;
}

/// The next loan begins, past the same rule.
async fn begin_anew(fixture: &Fixture, next: Loan) {
    let (off, on) = if fixture.postgresql.is_some() {
        ("ALTER TABLE loans DISABLE TRIGGER USER", "ALTER TABLE loans ENABLE TRIGGER USER")
    } else {
        ("DROP TRIGGER IF EXISTS loans_before_insert_5", "")
    };
    fixture.by_hand(off).unwrap();
    fixture.write(move |tx| loans::insert(tx, &next)).await;
    fixture.by_hand(on).unwrap();
}

fn given_back(loan: &Loan, seconds: i64) -> Loan {
    Loan {
        state: Standing::Ended,
        changed_at: at(seconds),
        ended_because: Some("given-back".to_owned()),
        ..loan.clone()
    }
}

async fn m1_nothing_rests_on_an_incident_of_somebody_else_whatever_program_writes(fixture: Fixture) {
    let (one, two) = (fixture.enrolled(1).await, fixture.enrolled(2).await);
    let people = fixture.people_of_a_warrant().await;
    let holders = school(&fixture, 2).await;
    let [_, second] = lent_twice(&fixture, one, [holders[0], holders[1]]).await;
    let record = |grant: Grant| {
        fixture.store.write(move |tx| warrant_grants::record(tx, WarrantId::new(at(100)), &grant))
    };
    // Noticed at 90, while the first pupil had it; the second has it now.
    let stolen = fixture.declared(one.tablet, IncidentKind::Theft, people.author).await;
    let elsewhere = granted(stolen, one.tablet, people, 1_000);
    refused(record(elsewhere.clone()).await, "of somebody else than who has the tablet");
    // Once that one gave it back, nobody has it.
    let back = given_back(&second, 120);
    assert!(fixture.write(move |tx| loans::update(tx, &back)).await);
    let warrant = WarrantId::new(at(100));
    fixture.write(move |tx| warrant_grants::record(tx, warrant, &elsewhere)).await;
    fixture.by_hand(&locate_by_hand("p", one, warrant, at(200))).unwrap();
    // Nor is it asked where it is, nor told, once somebody else has it again.
    let third = Loan { id: LoanId::new(at(600)), began_at: at(600), changed_at: at(600), ..second };
    begin_anew(&fixture, third).await;
    let by_another = "lost mode and positions rest on no incident of somebody else";
    refused(fixture.by_hand(&locate_by_hand("q", one, warrant, at(700))), by_another);
    refused(fixture.by_hand("UPDATE commands SET state = 'sent', sent_at = 1, sent_count = 1"), by_another);
    // The same pupil has it anew: what was noticed before makes nothing firm.
    let [_, anew] = lent_twice(&fixture, two, [holders[0], holders[0]]).await;
    let loss = Incident {
        id: IncidentId::new(at(101)),
        opened_at: at(101),
        declared_at: at(101),
        ..super::missing::incident(two.tablet, IncidentKind::AuthorityRequest, people.author)
    };
    let papers = ::incidents::papers::Papers {
        authority: ::incidents::papers::AuthorityReference::new("PV 7"),
        ..loss.papers.clone()
    };
    let (id, loss) = (loss.id, Incident { papers, ..loss });
    fixture.write(move |tx| incident_declarations::record(tx, &loss, None)).await;
    let provisional = Grant { opens_at: at(101), ..granted(id, two.tablet, people, 1_000) };
    let firm = Grant { footing: Footing::Firm, ..provisional.clone() };
    let too_long = Grant { expires_at: at(101 + 172_801), ..provisional.clone() };
    for grant in [firm, too_long] {
        let tried =
            fixture.store.write(move |tx| warrant_grants::record(tx, WarrantId::new(at(101)), &grant));
        refused(tried.await, "is firm by nothing of before their loan");
    }
    fixture.write(move |tx| warrant_grants::record(tx, WarrantId::new(at(101)), &provisional)).await;
    // It is of another collège now.
    let back = given_back(&anew, 130);
    assert!(fixture.write(move |tx| loans::update(tx, &back)).await);
    fixture.by_hand(&format!("UPDATE tablets SET uai = '0765678B' WHERE id = '{}'", two.tablet)).unwrap();
    let hands = fixture.read(move |tx| {
        let incident = incident_declarations::load(tx, id)?.unwrap();
        incident_hands::of(tx, &incident)
    });
    assert_eq!(hands.await.home, ::incidents::Home::Another);
}

async fn m1_an_incident_does_not_go_on_once_its_tablet_is_in_other_hands_whatever_program_writes(
    fixture: Fixture,
) {
    use ::incidents::Since;
    let all = [fixture.enrolled(1).await, fixture.enrolled(2).await, fixture.enrolled(3).await];
    let people = fixture.people_of_a_warrant().await;
    let holders = school(&fixture, 3).await;
    for ((seconds, of), holder) in (100..).zip(all).zip(&holders) {
        let loan = Loan { id: LoanId::new(at(seconds)), ..lent(of, *holder) };
        let first = Incident {
            id: IncidentId::new(at(seconds)),
            opened_at: at(seconds),
            declared_at: at(seconds),
            ..super::missing::incident(of.tablet, IncidentKind::Loss, people.author)
        };
        let (id, written, begun) = (first.id, first.clone(), loan.clone());
        fixture
            .write(move |tx| {
                loans::insert(tx, &begun)?;
                incident_declarations::record(tx, &written, None)?;
                incidents::close(tx, id, at(300))
            })
            .await;
        let again = || {
            let (state, reopens, opened_at) = (IncidentState::InProgress, Some(id), at(400));
            let again = Incident { id: IncidentId::new(at(400)), opened_at, reopens, state, ..first.clone() };
            fixture.store.write(move |tx| incident_declarations::record(tx, &again, None))
        };
        let found = first.clone();
        let since = move |tx: &mut crate::Tx<'_>| incident_hands::since(tx, &found);
        match seconds {
            100 => {
                assert_eq!(fixture.read(since).await, Since::Nothing);
                again().await.unwrap();
            }
            101 => {
                let back = given_back(&loan, 350);
                fixture.write(move |tx| loans::update(tx, &back)).await;
                assert_eq!(fixture.read(since).await, Since::Received);
                refused(again().await, "received, lent anew or moved");
            }
            _ => {
                let back = given_back(&loan, 350);
                let anew = Loan {
                    id: LoanId::new(at(360)),
                    began_at: at(360),
                    changed_at: at(360),
                    ..lent(of, *holder)
                };
                lent_anew(&fixture, back, anew).await;
                assert_eq!(fixture.read(since).await, Since::Lent);
                refused(again().await, "received, lent anew or moved");
            }
        }
    }
}

async fn c5_4_2_when_it_was_noticed_is_put_right_within_its_loan_whatever_program_writes(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let people = fixture.people_of_a_warrant().await;
    let holders = school(&fixture, 2).await;
    lent_twice(&fixture, one, [holders[0], holders[1]]).await;
    let held = |seconds| {
        let found = fixture.read(move |tx| loans::with_its_holder_at(tx, one.tablet, at(seconds)));
        async move { found.await.map(|loan| loan.person_id) }
    };
    assert_eq!((held(9).await, held(10).await, held(95).await), (None, Some(holders[0]), Some(holders[0])));
    assert_eq!((held(96).await, held(97).await), (None, Some(holders[1])));
    // However late it is declared, it is of whoever had it when it was noticed.
    let stolen = fixture.declared(one.tablet, IncidentKind::Theft, people.author).await;
    let theirs = |person| fixture.read(move |tx| incidents::open_of_holder(tx, person));
    assert_eq!((theirs(holders[0]).await, theirs(holders[1]).await), (true, false));
    let put = |number, noticed| {
        let row = NoticedCorrection {
            incident_id: stolen,
            number,
            noticed_at: at(noticed),
            reason: "it was the day before".to_owned(),
            corrected_at: at(300),
            corrected_by: people.author,
        };
        fixture.store.write(move |tx| noticed_corrections::insert(tx, &row))
    };
    for noticed in [9, 96, 98] {
        refused(put(1, noticed).await, "within the loan that it concerns");
    }
    put(1, 10).await.unwrap();
    put(2, 95).await.unwrap();
    // Of a tablet that nobody had, long before it was entered.
    let two = fixture.enrolled(2).await;
    let old = Incident {
        id: IncidentId::new(at(100)),
        noticed_at: at(-9_000),
        ..super::missing::incident(two.tablet, IncidentKind::Theft, people.author)
    };
    fixture.write(move |tx| incident_declarations::record(tx, &old, None)).await;
}
