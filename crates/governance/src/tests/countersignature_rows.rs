//! Countersignatures as rows: what was edited proves nothing.

use serde_json::json;
use types::{AccountId, CountersignatureId, Digest, OrganisationId, Role, RoleGrantId, TabletId, WarrantId};

use super::world::*;
use crate::countersignature::{
    Asked, Content, CountersignatureRow, CountersignatureState, Parties, Purpose, SecondPerson, Subject,
};

fn row() -> CountersignatureRow {
    let ours = departement();
    let (asker, second) = (someone(&ours, Role::Operator), someone(&ours, Role::Operator));
    let content = Content::new(&json!({ "ceiling": 1_000 })).unwrap();
    let question = question(Purpose::OpenCampaign, (Subject::Campaign, content), SecondPerson::Departement);
    let asked = Asked::ask(CountersignatureId::new(now()), question, &asker, &session(now()), now()).unwrap();
    let parties = Parties { asker: &asker, second: &second, hands: &nobody_made_anybody() };
    given(&asked, parties, now().plus(MINUTE)).unwrap().to_row()
}

/// Spoils a row.
type Edit = fn(&mut CountersignatureRow);

#[test]
#[expect(clippy::disallowed_methods, reason = "tests make up the facts of a row")]
fn a_row_that_no_decision_wrote_proves_nothing() {
    let edits: [(&str, Edit); 17] = [
        ("another content", |row| row.content = r#"{"ceiling":100000}"#.to_owned()),
        ("another spelling of it", |row| row.content = r#"{"ceiling": 1000}"#.to_owned()),
        ("content that is no JSON", |row| row.content = "{".to_owned()),
        ("another digest", |row| row.content_sha256 = Digest::of(b"x")),
        ("another subject", |row| row.subject = "switch".to_owned()),
        ("an unknown subject", |row| row.subject = "moon".to_owned()),
        ("another purpose", |row| row.purpose = Purpose::ExceedBudget),
        ("nobody to answer it", |row| row.answer_role = "anybody".to_owned()),
        ("an organisation that its word does not need", |row| {
            row.answer_organisation = Some(OrganisationId::new(now()));
        }),
        ("no end", |row| row.expires_at = now().plus(DAY * 365)),
        ("an end before its beginning", |row| row.expires_at = row.asked_at),
        ("answered by whoever asked", |row| row.answered_by = Some(row.asked_by)),
        ("answered by nobody", |row| row.answered_by = None),
        ("answered before it was asked", |row| row.answered_at = Some(now().minus(MILLISECOND))),
        ("answered too late", |row| row.answered_at = Some(row.expires_at)),
        ("answered and waiting", |row| row.state = CountersignatureState::Waiting),
        ("used and refused", |row| {
            (row.state, row.used_at, row.used_for) =
                (CountersignatureState::Refused, Some(now().plus(HOUR)), Some("x".to_owned()));
        }),
    ];
    let row = row();
    assert_eq!(Asked::from_row(row.clone()).unwrap().to_row(), row);
    for (what, edit) in edits {
        let mut edited = row.clone();
        edit(&mut edited);
        let error = Asked::from_row(edited).expect_err(what);
        assert!(error.to_string().contains("it was edited"), "{what}: {error}");
    }
}

#[test]
fn t_c24_what_waited_or_was_not_used_before_a_restore_is_void_and_says_nothing_more() {
    let mut row = row();
    row.state = CountersignatureState::Void;
    assert_eq!(read(row).state(now()), CountersignatureState::Void);
    let ways: Vec<_> = CountersignatureState::ALL
        .iter()
        .filter(|state| state.may_become(CountersignatureState::Void))
        .collect();
    assert_eq!(ways, [&CountersignatureState::Waiting, &CountersignatureState::Given]);
    for state in CountersignatureState::ALL {
        assert!(!CountersignatureState::Void.may_become(*state), "what ended stays ended");
    }
}

#[test]
fn subjects_and_second_persons_read_back_from_their_columns() {
    let subjects = [
        Subject::Grant { grant: RoleGrantId::new(now()), to: AccountId::new(now()) },
        Subject::Account(AccountId::new(now())),
        Subject::Organisation(OrganisationId::new(now())),
        Subject::Held,
        Subject::Campaign,
        Subject::Switch,
        Subject::Orphans,
        Subject::Version(Digest::of(b"profile")),
        Subject::Warrant(WarrantId::new(now())),
        Subject::Tablet(TabletId::new(now())),
    ];
    for subject in &subjects {
        assert_eq!(subject.to_string().parse::<Subject>().as_ref(), Ok(subject));
        assert!(Purpose::ALL.iter().any(|purpose| purpose.fits(subject)), "nothing is about {subject}");
    }
    for bad in ["", "held:", "held:1", "account:", "role-grant:1", "ACCOUNT:x", "version:12"] {
        assert!(bad.parse::<Subject>().is_err(), "{bad}");
    }
    let organisation = OrganisationId::new(now());
    for second in [
        SecondPerson::Departement,
        SecondPerson::Approver { organisation },
        SecondPerson::Manager { organisation },
        SecondPerson::HeadOrDepartement { uai: uai(1) },
    ] {
        let read = SecondPerson::from_columns(second.as_str(), second.organisation(), second.uai().cloned());
        assert_eq!(read.as_ref(), Ok(&second));
        let asker = (organisation, types::OrganisationKind::Departement);
        assert!(Purpose::ALL.iter().any(|purpose| purpose.may_be_answered(&second, asker)));
    }
}

#[test]
fn every_purpose_can_be_asked_about_something_and_answered_by_somebody() {
    let organisation = departement();
    let asker = (organisation.id(), organisation.kind());
    let seconds = [
        SecondPerson::Departement,
        SecondPerson::Approver { organisation: organisation.id() },
        SecondPerson::Manager { organisation: organisation.id() },
        SecondPerson::HeadOrDepartement { uai: uai(1) },
    ];
    for purpose in Purpose::ALL {
        assert!(seconds.iter().any(|second| purpose.may_be_answered(second, asker)), "{purpose}");
        assert!(purpose.waits_for() <= Purpose::LONGEST_WAIT, "{purpose}");
    }
}
