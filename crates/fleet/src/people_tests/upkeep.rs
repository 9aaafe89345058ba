//! What the calendar keeps in order: in batches, twice without harm, by any node.

#![expect(clippy::disallowed_methods, reason = "these tests stand in for the calendar")]

use store::certificates::{Certificate, CertificateState};
use store::challenges::Challenge;
use store::enrolments::{Enrolment, EnrolmentState};
use store::tablets::Tablet;
use store::{Digest, StoreError, Tx};
use types::{ChallengeId, EnrolmentId, EnrolmentKind, Instant, Platform, TabletId};

use super::fixture::{People, days, engines, now};
use crate::audit::{self, Change};
use crate::{Principal, Refusal, alarms, enrol, purges, push_certificate, upkeep, watch};

/// More than two batches, so that a task that stops after one is noticed.
const MANY: u32 = 430;

fn digest(number: u32) -> Digest {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Digest::from(bytes)
}

fn tablet(number: u32) -> Tablet {
    Tablet {
        id: TabletId::new(now()),
        serial: format!("DMPX{number:08}").parse().unwrap(),
        asset_tag: None,
        model: None,
        platform: Platform::Ipad,
        uai: None,
        created_at: now(),
        updated_at: now(),
    }
}

/// An active enrolment with a confirmed certificate that expires at `not_after`.
fn managed(tx: &mut Tx<'_>, number: u32, not_after: Instant) -> Result<EnrolmentId, StoreError> {
    let tablet = tablet(number);
    store::tablets::insert(tx, &tablet)?;
    let enrolment = Enrolment {
        state: EnrolmentState::Active,
        tablet_id: Some(tablet.id),
        ..enrol::invitation(EnrolmentKind::Link, now())
    };
    store::enrolments::insert(tx, &enrolment)?;
    store::certificates::insert(
        tx,
        &certificate(number, enrolment.id, CertificateState::Confirmed, not_after),
    )?;
    Ok(enrolment.id)
}

fn certificate(
    number: u32,
    enrolment: EnrolmentId,
    state: CertificateState,
    not_after: Instant,
) -> Certificate {
    Certificate {
        sha256: digest(number),
        enrolment_id: enrolment,
        authority_fingerprint: digest(0),
        serial_number: number.to_string(),
        state,
        issued_at: now(),
        not_after,
        first_used_at: None,
        renewed_from: None,
    }
}

#[tokio::test]
async fn every_tablet_is_asked_to_renew_once_a_week_however_many_there_are() {
    for engine in engines() {
        let people = People::new(engine).await;
        let end = now().plus(days(100));
        people
            .fleet
            .store()
            .write(move |tx| {
                // Many that expire in the same instant: the walk must pass them all.
                (1..=MANY).try_for_each(|number| managed(tx, number, end).map(drop))
            })
            .await
            .unwrap();
        let calendar = Principal::calendar();
        let asked =
            async |day| upkeep::renew_identities(&people.fleet, &calendar, now().plus(days(day))).await;

        assert_eq!(asked(39).await.unwrap(), 0, "not before the lead");
        let all = usize::try_from(MANY).unwrap();
        assert_eq!(asked(41).await.unwrap(), all);
        assert_eq!(asked(41).await.unwrap(), 0, "twice without harm");
        assert_eq!(asked(46).await.unwrap(), 0);
        assert_eq!(asked(48).await.unwrap(), all, "who has not renewed is asked again after a week");
        assert_eq!(asked(150).await.unwrap(), all, "also after the certificate has expired");
    }
}

#[tokio::test]
async fn nodes_that_keep_order_at_the_same_time_ask_each_tablet_once() {
    for engine in engines() {
        let people = People::new(engine).await;
        let end = now().plus(days(10));
        let enrolment = people
            .fleet
            .store()
            .write(move |tx| {
                (2..=40).try_for_each(|number| managed(tx, number, end).map(drop))?;
                managed(tx, 1, end)
            })
            .await
            .unwrap();
        let calendar = Principal::calendar();
        let (one, other) = tokio::join!(
            upkeep::renew_identities(&people.fleet, &calendar, now()),
            upkeep::renew_identities(&people.fleet, &calendar, now())
        );
        assert_eq!(one.unwrap() + other.unwrap(), 40);
        let queue = people.fleet.store().read(move |tx| store::commands::pending(tx, enrolment)).await;
        let queue = queue.unwrap();
        assert_eq!(queue.len(), 1);
        assert_eq!(
            (queue[0].request_type.as_str(), queue[0].queued_by.as_str()),
            ("InstallProfile", "calendar")
        );
    }
}

#[tokio::test]
async fn challenges_are_kept_a_month_after_they_expired_then_all_forgotten() {
    for engine in engines() {
        let people = People::new(engine).await;
        people
            .fleet
            .store()
            .write(|tx| {
                let enrolment = managed(tx, 1, now())?;
                (1..=MANY).try_for_each(|number| {
                    let challenge = Challenge {
                        id: ChallengeId::new(now()),
                        secret_sha256: digest(number),
                        enrolment_id: enrolment,
                        created_at: now(),
                        expires_at: now().plus(days(1)),
                        used_at: None,
                        used_for: None,
                        certificate: None,
                    };
                    store::challenges::insert(tx, &challenge)
                })
            })
            .await
            .unwrap();
        let calendar = Principal::calendar();
        let forgotten = async |day| purges::run(&people.fleet, &calendar, now().plus(days(day))).await;
        assert_eq!(forgotten(31).await.unwrap(), 0);
        assert_eq!(forgotten(32).await.unwrap(), usize::try_from(MANY).unwrap());
        assert_eq!(forgotten(32).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn an_invitation_that_nobody_used_lapses_with_its_certificate() {
    for engine in engines() {
        let people = People::new(engine).await;
        let (unused, used) = people
            .fleet
            .store()
            .write(|tx| {
                (2..=MANY).try_for_each(|_number| {
                    store::enrolments::insert(tx, &enrol::invitation(EnrolmentKind::Automated, now()))
                })?;
                let unused = enrol::invitation(EnrolmentKind::Link, now());
                store::enrolments::insert(tx, &unused)?;
                let issued = certificate(7, unused.id, CertificateState::Issued, now().plus(days(365)));
                store::certificates::insert(tx, &issued)?;
                Ok::<_, StoreError>((unused.id, managed(tx, 1, now().plus(days(365)))?))
            })
            .await
            .unwrap();
        let calendar = Principal::calendar();
        let lapsed =
            async |day| upkeep::lapse_invitations(&people.fleet, &calendar, now().plus(days(day))).await;
        assert_eq!(lapsed(30).await.unwrap(), 0, "a month is a month");
        assert_eq!(lapsed(31).await.unwrap(), usize::try_from(MANY).unwrap());
        assert_eq!(lapsed(31).await.unwrap(), 0);
        let states = people
            .fleet
            .store()
            .read(move |tx| {
                let state = |enrolment: Option<Enrolment>| enrolment.map(|enrolment| enrolment.state);
                Ok::<_, StoreError>((
                    state(store::enrolments::get(tx, &unused)?),
                    store::certificates::get(tx, &digest(7))?.map(|certificate| certificate.state),
                    state(store::enrolments::get(tx, &used)?),
                    store::certificates::get(tx, &digest(1))?.map(|certificate| certificate.state),
                ))
            })
            .await
            .unwrap();
        assert_eq!(
            states,
            (
                Some(EnrolmentState::Lapsed),
                Some(CertificateState::Superseded),
                Some(EnrolmentState::Active),
                Some(CertificateState::Confirmed),
            )
        );
    }
}

#[tokio::test]
async fn t_b1_the_expiry_of_the_push_certificate_is_told_in_time_and_each_step_once() {
    for engine in engines() {
        let people = People::new(engine).await;
        let calendar = Principal::calendar();
        assert_eq!(upkeep::watch_push_certificate(&people.fleet, &calendar, now()).await.unwrap(), 0);
        super::keys::install_push_certificate(&people, "com.apple.mgmt.External.test").await;
        let shown = push_certificate::show(&people.fleet, &people.operator, now()).await.unwrap().unwrap();
        let before = |left| shown.not_after.minus(days(left));
        let mut told = Vec::new();
        for left in [61, 60, 45, 30, 29, 8, 7, 2, 1] {
            for _twice in 0..2 {
                if upkeep::watch_push_certificate(&people.fleet, &calendar, before(left)).await.unwrap() > 0 {
                    told.push(left);
                }
            }
            for alarm in alarms::list(&people.fleet, &people.operator, None, now()).await.unwrap() {
                assert_eq!(alarm.kind, "push-certificate-expires");
                let operator = people.operator_at(before(left)).await;
                alarms::settle(&people.fleet, &operator, alarm.id, None, before(left)).await.unwrap();
            }
        }
        assert_eq!(told, [60, 30, 7, 1], "each step once, also when its alarm was settled");
        let after = shown.not_after.plus(days(3));
        assert_eq!(upkeep::watch_push_certificate(&people.fleet, &calendar, after).await.unwrap(), 1);
        let expired = alarms::list(&people.fleet, &people.operator, None, now()).await.unwrap();
        assert_eq!(expired[0].detail["days_left"], 0);
    }
}

#[tokio::test]
async fn only_who_may_act_keeps_the_fleet_in_order() {
    let people = People::new(store::Engine::Sqlite).await;
    let reader = people.reader().await;
    assert!(upkeep::expire_commands(&people.fleet, &reader, now()).await.is_err());
    assert!(upkeep::renew_identities(&people.fleet, &reader, now()).await.is_err());
    assert!(purges::run(&people.fleet, &reader, now()).await.is_err());
    assert!(upkeep::lapse_invitations(&people.fleet, &reader, now()).await.is_err());
    assert!(upkeep::watch_push_certificate(&people.fleet, &reader, now()).await.is_err());
}

#[tokio::test]
async fn one_row_that_cannot_be_read_keeps_no_other_waiting_and_is_told() {
    for engine in engines() {
        let people = People::new(engine).await;
        let act = |tx: &mut Tx<'_>, row: &'static str| {
            audit::record_by(tx, types::Actor::Calendar, Change::new("row.done").detail(row.into()), now())?;
            match row {
                "edited" => Err(Refusal::Internal("it says what none of ours says".to_owned())),
                "nothing to do" => Ok(false),
                _ => Ok(true),
            }
        };
        let rows = vec!["one", "edited", "nothing to do", "other"];
        assert_eq!(watch::each_of(&people.fleet, rows.clone(), act, now()).await.unwrap(), 2);
        let done = people.audit().await.into_iter().filter(|action| action == "row.done").count();
        assert_eq!(done, 3, "each of the others once");
        let told = || async {
            let open = alarms::list(&people.fleet, &people.operator, None, now()).await.unwrap();
            open.into_iter().map(|alarm| (alarm.kind, alarm.times)).collect::<Vec<_>>()
        };
        assert_eq!(told().await, [("row-passed-over".to_owned(), 1)]);
        watch::each_of(&people.fleet, rows, act, now()).await.unwrap();
        assert_eq!(told().await, [("row-passed-over".to_owned(), 1)], "what lasts is told once");
        // What is not about a row is nobody's to pass over.
        let away = |_tx: &mut Tx<'_>, _row: &'static str| Err(Refusal::Store(StoreError::Stopped));
        assert!(watch::each_of(&people.fleet, vec!["one"], away, now()).await.is_err());
    }
}
