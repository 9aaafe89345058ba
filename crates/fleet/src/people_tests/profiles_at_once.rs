//! What is on tablets, when people act in any order and at the same moment (C3.1.1).

use std::collections::BTreeSet;
use std::sync::Mutex;

use proptest::prelude::*;
use store::profile_versions::{self as rows, VersionState as State};
use testkit::people::Employer;
use types::{Digest, ProfileVersionId, Role};

use super::fixture::{engines, now};
use super::profiles::{Cast, base, id};
use crate::Refusal;
use crate::profiles::{self, When};

#[tokio::test]
async fn c3_1_1_two_who_approve_at_once_both_count_and_two_of_one_organisation_are_one() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let shown = cast.submitted(base(1)).await;
        let (departement, academie) =
            tokio::join!(cast.approves(&cast.departement.1, &shown), cast.approves(&cast.academie.1, &shown));
        // Whoever comes second finds the other's approval, and neither is lost.
        let counted = [departement.unwrap(), academie.unwrap()].map(|it| it.line.approvals.len());
        assert_eq!(counted.iter().max(), Some(&2));
        assert_eq!(cast.state(id(&shown)).await, State::Approved);

        let (_, dora) = cast.people.someone(Employer::Departement, "dora", &[Role::Approver]).await;
        let shown = cast.submitted(base(2)).await;
        let (one, other) =
            tokio::join!(cast.approves(&cast.departement.1, &shown), cast.approves(&dora, &shown));
        assert_ne!(one.is_ok(), other.is_ok(), "{one:?} {other:?}");
        assert_eq!(cast.state(id(&shown)).await, State::Submitted);
        assert!(matches!(cast.publishes(&shown, When::default()).await, Err(Refusal::Conflict(_))));
        assert_eq!(cast.in_force().await, []);
    }
}

/// What people do, in any order.
#[derive(Debug, Clone, Copy)]
enum Act {
    Edit,
    Submit,
    ApproveForTheDepartement,
    ApproveForTheAcademie,
    Publish,
    Withdraw,
    /// An edit and an approval at the same moment.
    EditWhileTheAcademieApproves,
    /// An edit and a publication at the same moment.
    EditWhilePublished,
    /// Both approvals at the same moment.
    BothApproveAtOnce,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    use Act::*;
    let act = prop_oneof![
        2 => Just(Edit),
        3 => Just(Submit),
        3 => Just(ApproveForTheDepartement),
        3 => Just(ApproveForTheAcademie),
        3 => Just(Publish),
        1 => Just(Withdraw),
        2 => Just(EditWhileTheAcademieApproves),
        2 => Just(EditWhilePublished),
        2 => Just(BothApproveAtOnce),
    ];
    prop::collection::vec(act, 4..14)
}

/// Who approved which text of which version: whatever else happened, only that counts.
type Signed = BTreeSet<(ProfileVersionId, Digest, &'static str)>;

async fn nothing_unapproved_is_in_force(cast: &Cast, signed: &mut Signed, acts: Vec<Act>) {
    let fleet = &cast.people.fleet;
    let mut last = cast.draft(base(0)).await;
    for (number, act) in acts.into_iter().enumerate() {
        let (at, sha256) = (id(&last), last.line.version.content_sha256);
        let text = base(u32::try_from(number).unwrap() + 1);
        let edit = profiles::edit(fleet, &cast.author, at, text, now());
        let academie = profiles::approve(fleet, &cast.academie.1, at, sha256, now());
        let publish = profiles::publish(fleet, &cast.author, at, When::default(), now());
        match act {
            Act::Edit => last = edit.await.unwrap_or(last),
            Act::Submit => drop(profiles::submit(fleet, &cast.author, at, "x", now()).await),
            Act::ApproveForTheDepartement => {
                if profiles::approve(fleet, &cast.departement.1, at, sha256, now()).await.is_ok() {
                    signed.insert((at, sha256, "departement"));
                }
            }
            Act::ApproveForTheAcademie => {
                if academie.await.is_ok() {
                    signed.insert((at, sha256, "academie"));
                }
            }
            Act::Publish => drop(publish.await),
            Act::Withdraw => drop(profiles::withdraw(fleet, &cast.author, at, "x", now()).await),
            Act::EditWhileTheAcademieApproves => {
                let (edited, approved) = tokio::join!(edit, academie);
                if approved.is_ok() {
                    signed.insert((at, sha256, "academie"));
                }
                last = edited.unwrap_or(last);
            }
            Act::BothApproveAtOnce => {
                let departement = cast.approves(&cast.departement.1, &last);
                let (one, other) = tokio::join!(departement, academie);
                let both = [(one, "departement"), (other, "academie")];
                signed.extend(
                    both.into_iter().filter(|(answer, _of)| answer.is_ok()).map(|(_, of)| (at, sha256, of)),
                );
            }
            Act::EditWhilePublished => {
                let (edited, _published) = tokio::join!(edit, publish);
                last = edited.unwrap_or(last);
            }
        }
        let found = fleet.store().read(rows::all_published).await.unwrap();
        assert!(found.len() <= 1, "one base is in force");
        for row in found {
            for organisation in ["departement", "academie"] {
                let approved = signed.contains(&(row.id, row.content_sha256, organisation));
                assert!(approved, "{organisation} did not approve {row:?} (C3.1.1)");
            }
        }
        // And whatever is in force proves it when it is read back.
        cast.in_force().await;
    }
}

#[test]
fn c3_1_1_however_acts_interleave_nothing_unapproved_is_ever_in_force() {
    for (engine, cases) in engines().into_iter().zip([48, 12]) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let cast = runtime.block_on(Cast::new(engine));
        let signed = Mutex::new(Signed::new());
        let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
        let mut runner = proptest::test_runner::TestRunner::new(config);
        runner
            .run(&acts(), |acts| {
                let mut signed = signed.lock().unwrap();
                runtime.block_on(nothing_unapproved_is_in_force(&cast, &mut signed, acts));
                Ok(())
            })
            .unwrap();
        // The story was told: one that the acts drawn cannot miss, and that publishes.
        let all = vec![
            Act::Submit,
            Act::ApproveForTheDepartement,
            Act::ApproveForTheAcademie,
            Act::EditWhilePublished,
        ];
        runtime.block_on(nothing_unapproved_is_in_force(&cast, &mut signed.lock().unwrap(), all));
        assert!(signed.into_inner().unwrap().len() > 1);
    }
}
