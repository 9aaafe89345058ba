//! Tablets that enrol at the same moment: what is written for all of them together is what each would have been written
//! alone, by a number of statements that does not grow with theirs.

use std::mem::discriminant;
use std::sync::Arc;

use apple::plist::Value;
use store::alarms::Alarm;
use store::certificates::CertificateState;
use store::commands::Command;
use store::enrolments::{Enrolment, EnrolmentState};

use store::links::{Link, LinkKind};
use store::push_states::PushState;
use store::{Digest, Engine};
use types::{EnrolmentId, Instant, LinkId, Platform, Supervision, TabletId, Uai, Udid};

use super::fixture::{People, days, engines, now};
use super::invited::{COLLEGE, Invited, TOPIC, invited, text, udid};
use crate::TabletError;
use crate::checkin::together::{Fate, Heard, alone};

/// What is odd about a tablet that asks to enrol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Odd {
    Nothing,
    LinkOfItsCollege,
    LinkOfAnotherCollege,
    SignedByItself,
    SignedByAnother,
    NotInInventory,
    Android,
    InvitationOfAnother,
    UdidOfAnEnrolledOne,
    OtherTopic,
    NoUdid,
    NoSerial,
    SaysItAgain,
    Enrolled,
    EnrolledAgainByItsOwnLink,
    EnrolledAgainByALinkOfTheBatch,
    Ended,
    CertificateReplaced,
    CertificateRevoked,
    CertificateUnknown,
}

const ODDITIES: [(Odd, Fate); 20] = [
    (Odd::Nothing, Fate::Done),
    (Odd::LinkOfItsCollege, Fate::Done),
    (Odd::LinkOfAnotherCollege, Fate::Alone),
    (Odd::SignedByItself, Fate::Done),
    (Odd::SignedByAnother, Fate::Alone),
    (Odd::NotInInventory, Fate::Alone),
    (Odd::Android, Fate::Alone),
    (Odd::InvitationOfAnother, Fate::Alone),
    (Odd::UdidOfAnEnrolledOne, Fate::Alone),
    (Odd::OtherTopic, Fate::Alone),
    (Odd::NoUdid, Fate::Alone),
    (Odd::NoSerial, Fate::Alone),
    (Odd::SaysItAgain, Fate::Alone),
    (Odd::Enrolled, Fate::Alone),
    (Odd::EnrolledAgainByItsOwnLink, Fate::Alone),
    (Odd::EnrolledAgainByALinkOfTheBatch, Fate::Alone),
    (Odd::Ended, Fate::Alone),
    (Odd::CertificateReplaced, Fate::Alone),
    (Odd::CertificateRevoked, Fate::Alone),
    (Odd::CertificateUnknown, Fate::Alone),
];

impl Invited {
    fn asks(&self, odd: Odd) -> Arc<Heard> {
        let named = match odd {
            Odd::UdidOfAnEnrolledOne => udid(900_000),
            Odd::SignedByAnother => udid(800_000),
            _ => self.udid.clone(),
        };
        let topic = if odd == Odd::OtherTopic { "com.apple.mgmt.External.other" } else { TOPIC };
        let mut keys = vec![
            ("MessageType", text("Authenticate")),
            ("Topic", text(topic)),
            ("UDID", text(named.as_str())),
            ("SerialNumber", text(self.tablet.serial.as_str())),
            ("OSVersion", text("27.0")),
            ("BuildVersion", text("24A335")),
            ("ProductName", text("iPad13,18")),
        ];
        keys.retain(|(key, _)| {
            !(odd == Odd::NoUdid && *key == "UDID" || odd == Odd::NoSerial && *key == "SerialNumber")
        });
        self.heard(&keys)
    }
}

/// A link, stored.
async fn link(people: &People, tablet: Option<TabletId>, uai: Option<&str>) -> LinkId {
    let link = Link {
        id: LinkId::new(now()),
        token_sha256: Digest::of(uuid::Uuid::new_v4().as_bytes()),
        kind: if tablet.is_some() { LinkKind::Tablet } else { LinkKind::Batch },
        tablet_id: tablet,
        uai: uai.map(|uai| uai.parse::<Uai>().unwrap()),
        max_uses: 64,
        uses: 1,
        expires_at: now().plus(days(9)),
        created_by: "calendar".into(),
        created_at: now(),
        revoked_at: None,
    };
    let id = link.id;
    people.fleet.store().write(move |tx| store::links::insert(tx, &link)).await.unwrap();
    id
}

/// A tablet that is odd in that way, and what it says.
async fn odd_one(people: &People, number: u32, odd: Odd) -> (Invited, Arc<Heard>) {
    let mut one = invited(people, number, |enrolment, tablet| match odd {
        Odd::SignedByItself => enrolment.udid = Some(udid(number)),
        Odd::SignedByAnother => enrolment.udid = Some(udid(number)),
        Odd::Android => tablet.platform = Platform::Android,
        Odd::Ended => enrolment.state = EnrolmentState::Ended,
        Odd::Enrolled => {
            enrolment.state = EnrolmentState::Active;
            enrolment.authenticated_at = Some(now());
        }
        Odd::LinkOfItsCollege | Odd::LinkOfAnotherCollege | Odd::EnrolledAgainByALinkOfTheBatch => {
            enrolment.tablet_id = None;
        }
        _ => {}
    });
    match odd {
        Odd::LinkOfItsCollege | Odd::EnrolledAgainByALinkOfTheBatch => {
            one.enrolment.link_id = Some(link(people, None, Some(COLLEGE)).await);
        }
        Odd::LinkOfAnotherCollege => {
            one.enrolment.link_id = Some(link(people, None, Some("0767777B")).await);
        }
        Odd::CertificateReplaced => one.certificate.state = CertificateState::Superseded,
        Odd::CertificateRevoked => one.certificate.state = CertificateState::Revoked,
        Odd::CertificateUnknown => one.certificate.sha256 = Digest::of(&number.to_be_bytes()),
        _ => {}
    }
    if odd == Odd::EnrolledAgainByItsOwnLink {
        // The tablet's row first: the link names it.
        let mut before = invited(people, number, |enrolment, tablet| {
            *tablet = one.tablet.clone();
            enrolment.tablet_id = Some(tablet.id);
        });
        before.enrolment.id = EnrolmentId::new(now().minus(days(2)));
        former(&mut before, number);
        before.certificate.enrolment_id = before.enrolment.id;
        before.stored(people).await;
        one.enrolment.link_id = Some(link(people, Some(one.tablet.id), None).await);
        let (enrolment, certificate) = (one.enrolment.clone(), one.certificate.clone());
        people
            .fleet
            .store()
            .write(move |tx| {
                store::enrolments::insert(tx, &enrolment)?;
                store::certificates::insert(tx, &certificate)
            })
            .await
            .unwrap();
    } else {
        one.stored(people).await;
    }
    if odd == Odd::EnrolledAgainByALinkOfTheBatch {
        let mut before = Enrolment {
            id: EnrolmentId::new(now().minus(days(2))),
            tablet_id: Some(one.tablet.id),
            ..one.enrolment.clone()
        };
        before.link_id = None;
        active(&mut before, number);
        people.fleet.store().write(move |tx| store::enrolments::insert(tx, &before)).await.unwrap();
    }
    if odd == Odd::InvitationOfAnother {
        let other = invited(people, number + 100_000, |_, _| {});
        other.stored(people).await;
        let moved = Enrolment { tablet_id: Some(other.tablet.id), ..one.enrolment.clone() };
        people.fleet.store().write(move |tx| store::enrolments::update(tx, &moved)).await.unwrap();
    }
    if odd == Odd::NotInInventory {
        one.tablet.serial = format!("DMPXU{number:07}").parse().unwrap();
    }
    let heard = one.asks(odd);
    if odd == Odd::SaysItAgain {
        let first = Arc::clone(&heard);
        people.fleet.store().write_held(move |tx| alone(tx, &first)).await.unwrap();
    }
    (one, heard)
}

fn former(one: &mut Invited, number: u32) {
    one.enrolment.created_at = now().minus(days(2));
    one.certificate.state = CertificateState::Confirmed;
    active(&mut one.enrolment, number);
}

fn active(enrolment: &mut Enrolment, number: u32) {
    enrolment.created_at = now().minus(days(2));
    enrolment.state = EnrolmentState::Active;
    enrolment.udid = Some(udid(number));
    enrolment.authenticated_at = Some(now().minus(days(1)));
    enrolment.token_updated_at = Some(now().minus(days(1)));
}

/// What stands about a tablet afterwards, without what differs between two of them anyway.
#[derive(Debug, PartialEq)]
struct Stands {
    enrolments: Vec<Enrolment>,
    certificates: Vec<(CertificateState, Option<Instant>)>,
    commands: Vec<Command>,
    push: Vec<PushState>,
    alarms: usize,
}

async fn stands(people: &People, tablet: TabletId) -> Stands {
    let mut stands = people
        .fleet
        .store()
        .read(move |tx| {
            let mut enrolments = store::enrolments::of_tablet(tx, tablet)?;
            enrolments.sort_by_key(|one| one.created_at);
            let (mut certificates, mut push) = (Vec::new(), Vec::new());
            for enrolment in &enrolments {
                certificates.extend(store::certificates::of_enrolment(tx, enrolment.id)?);
                push.extend(store::push_states::get(tx, &enrolment.id)?);
            }
            let ids: Vec<_> = enrolments.iter().map(|one| Some(one.id)).collect();
            let alarms: Vec<Alarm> = store::alarms::open(tx, &store::Within::Everything, 1_000)?;
            Ok::<_, store::StoreError>(Stands {
                certificates: certificates.into_iter().map(|one| (one.state, one.first_used_at)).collect(),
                commands: store::commands::of_tablet(tx, tablet, None, 50)?,
                alarms: alarms.iter().filter(|alarm| ids.contains(&alarm.enrolment_id)).count(),
                enrolments,
                push,
            })
        })
        .await
        .unwrap();
    let nobody = "00000000-0000-7000-8000-000000000000";
    for one in &mut stands.enrolments {
        one.id = nobody.parse().unwrap();
        one.tablet_id = Some(nobody.parse().unwrap());
        one.serial = one.serial.is_some().then(|| "NOBODY000000".parse().unwrap());
        one.udid = one.udid.is_some().then(|| udid(0));
        one.link_id = one.link_id.is_some().then(|| nobody.parse().unwrap());
    }
    for one in &mut stands.commands {
        one.id = nobody.parse().unwrap();
        one.enrolment_id = nobody.parse().unwrap();
        one.tablet_id = nobody.parse().unwrap();
        one.queued_by = String::new();
    }
    // Two that were issued at the same instant lie in any order.
    stands.certificates.sort_by_key(|(state, _)| state.as_str());
    stands.commands.sort_by(|a, b| a.request_type.cmp(&b.request_type));
    for one in &mut stands.push {
        one.enrolment_id = nobody.parse().unwrap();
    }
    stands
}

async fn together(people: &People, heard: Vec<Arc<Heard>>) -> (Vec<Fate>, u64) {
    let store = people.fleet.store();
    let before = store.statements();
    let fates = people.fleet.check_ins().submit_as_one(heard).await.unwrap();
    let statements = store.statements() - before;
    (fates.into_iter().map(Result::unwrap).collect(), statements)
}

/// As [`Store::connect_write`] is followed by: those that are not plain are done alone.
async fn by_itself(people: &People, heard: &Arc<Heard>) -> Result<(), TabletError> {
    let heard = Arc::clone(heard);
    people.fleet.store().write_held(move |tx| alone(tx, &heard)).await
}

async fn same_outcomes(
    people: &People,
    alone: &[(String, Invited, Arc<Heard>)],
    together_: &[(String, Invited, Arc<Heard>)],
    expected: &[Fate],
) -> u64 {
    let (fates, statements) =
        together(people, together_.iter().map(|(.., heard)| Arc::clone(heard)).collect()).await;
    for (((case, one, heard), (_, twin, twins)), (fate, expected)) in
        alone.iter().zip(together_).zip(fates.into_iter().zip(expected))
    {
        assert_eq!(fate, *expected, "{case}");
        let singly = by_itself(people, heard).await;
        let twin_told = match fate {
            Fate::Done => Ok(()),
            Fate::Alone => by_itself(people, twins).await,
        };
        assert_eq!(
            singly.as_ref().map_err(discriminant),
            twin_told.as_ref().map_err(discriminant),
            "{case}: {singly:?}, {twin_told:?}"
        );
        assert_eq!(
            stands(people, one.tablet.id).await,
            stands(people, twin.tablet.id).await,
            "{case}: what stands afterwards"
        );
    }
    statements
}

#[tokio::test]
async fn tablets_that_ask_to_enrol_together_are_each_answered_as_if_they_asked_alone() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        let owner = invited(&people, 900_000, |enrolment, _| active(enrolment, 900_000));
        owner.stored(&people).await;
        let (mut alone, mut together) = (Vec::new(), Vec::new());
        let mut number = 0;
        for (odd, _fate) in ODDITIES {
            for twins in [&mut alone, &mut together] {
                let (one, heard) = odd_one(&people, number, odd).await;
                twins.push((format!("{odd:?}"), one, heard));
                number += 1;
            }
        }
        let fates: Vec<Fate> = ODDITIES.iter().map(|(_, fate)| *fate).collect();
        same_outcomes(&people, &alone, &together, &fates).await;
    }
}

const RENEWED: &str = "under a certificate that renews its own";
const LOST: &str = "in lost mode";

/// What a tablet is called, how far it has come, the token it sends, what else, and what becomes of it.
type Case<'c> = (&'c str, EnrolmentState, &'c [u8], Vec<(&'c str, Value)>, Fate);

#[tokio::test]
async fn tablets_that_tell_their_tokens_together_are_each_answered_as_if_they_told_alone() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        let waits = ("AwaitingConfiguration", Value::Boolean(true));
        let unlock = ("UnlockToken", Value::Data(vec![7; 40]));
        let other_topic = ("Topic", text("com.apple.mgmt.External.other"));
        let other_udid = ("UDID", text(udid(700_000).as_str()));
        let cases: [Case<'_>; 12] = [
            ("first", EnrolmentState::Authenticated, b"token", vec![], Fate::Done),
            ("first, waiting", EnrolmentState::Authenticated, b"token", vec![waits.clone()], Fate::Done),
            ("first, unlock token", EnrolmentState::Authenticated, b"token", vec![unlock], Fate::Done),
            ("another token", EnrolmentState::Active, b"another", vec![], Fate::Done),
            ("the same token", EnrolmentState::Active, b"former", vec![], Fate::Done),
            ("waits anew", EnrolmentState::Active, b"former", vec![waits], Fate::Alone),
            ("another topic", EnrolmentState::Active, b"former", vec![other_topic], Fate::Alone),
            ("another UDID", EnrolmentState::Active, b"former", vec![other_udid], Fate::Alone),
            ("before Authenticate", EnrolmentState::Invited, b"token", vec![], Fate::Alone),
            (RENEWED, EnrolmentState::Active, b"another", vec![], Fate::Done),
            (LOST, EnrolmentState::Authenticated, b"token", vec![], Fate::Alone),
            (LOST, EnrolmentState::Active, b"another", vec![], Fate::Done),
        ];
        let (mut alone, mut together) = (Vec::new(), Vec::new());
        let mut number = 0;
        for (case, state, token, more, _fate) in &cases {
            for twins in [&mut alone, &mut together] {
                let one = invited(&people, number, |enrolment, _| {
                    enrolment.state = *state;
                    enrolment.udid = Some(udid(number));
                });
                one.stored(&people).await;
                if *state == EnrolmentState::Active {
                    let id = one.enrolment.id;
                    // It is silent, something waits for it, and its token is no good.
                    by_itself(&people, &one.tells(b"former", &[])).await.unwrap();
                    let write = move |tx: &mut store::Tx<'_>| {
                        store::push_states::want(tx, id, Some(now().plus(days(3))), now())
                    };
                    people.fleet.store().write(write).await.unwrap();
                }
                if *case == LOST {
                    one.lost(&people).await;
                }
                let one = if *case == RENEWED { one.renewed(&people).await } else { one };
                let heard = one.tells(token, more);
                twins.push(((*case).to_owned(), one, heard));
                number += 1;
            }
        }
        let fates: Vec<Fate> = cases.iter().map(|(.., fate)| *fate).collect();
        same_outcomes(&people, &alone, &together, &fates).await;
        let first = together[0].1.enrolment.id;
        let secrets =
            people.fleet.store().read(move |tx| store::enrolments::secrets(tx, first)).await.unwrap();
        assert_eq!(secrets.push_token.unwrap().expose(), b"token");
    }
}

#[tokio::test]
async fn a_certificate_that_is_renewed_within_a_batch_replaces_the_former_one() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        for number in 0..8 {
            let one = invited(&people, number, |enrolment, _| {
                enrolment.state = EnrolmentState::Active;
                enrolment.udid = Some(udid(number));
            });
            one.stored(&people).await;
            by_itself(&people, &one.tells(b"former", &[])).await.unwrap();
            let renewed = one.renewed(&people).await;
            let heard = vec![one.tells(b"former", &[]), renewed.tells(b"another", &[])];
            let (fates, _) = together(&people, heard.clone()).await;
            let done: Vec<usize> = (0..2).filter(|place| fates[*place] == Fate::Done).collect();
            assert_eq!(done.len(), 1, "two of one tablet take turns: {fates:?}");
            let later = by_itself(&people, &heard[1 - done[0]]).await;
            // Once the new one was used, the former one proves nothing any more.
            assert_eq!(later.is_ok(), done[0] == 0, "{later:?}");
            let states: Vec<_> =
                stands(&people, one.tablet.id).await.certificates.iter().map(|(state, _)| *state).collect();
            assert_eq!(states.len(), 2);
            assert!(states.contains(&CertificateState::Superseded), "{states:?}");
            assert!(states.contains(&CertificateState::Confirmed), "{states:?}");
        }
    }
}

#[tokio::test]
async fn an_enrolment_takes_the_same_few_statements_however_many_tablets_enrol() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        let mut number = 0;
        for count in [1, 64] {
            let mut ones = Vec::new();
            for _ in 0..count {
                let mut one = invited(&people, number, |enrolment, _| enrolment.tablet_id = None);
                one.enrolment.link_id = Some(link(&people, None, Some(COLLEGE)).await);
                one.stored(&people).await;
                ones.push(one);
                number += 1;
            }
            let heard = ones.iter().map(|one| one.asks(Odd::Nothing)).collect();
            let (fates, statements) = together(&people, heard).await;
            assert!(fates.iter().all(|fate| *fate == Fate::Done), "{fates:?}");
            // BEGIN, whose certificates they are, the enrolments, the certificates, the tablets, which of them are gone,
            // their links, the UDIDs held (on PostgreSQL), who else has them, who else is enrolled, the push certificate,
            // two for the certificates, the enrolments, COMMIT.
            assert_eq!(statements, if engine == Engine::Sqlite { 14 } else { 15 }, "Authenticate of {count}");
            let heard = ones.iter().map(|one| one.tells(b"token", &[])).collect();
            let (fates, statements) = together(&people, heard).await;
            assert!(fates.iter().all(|fate| *fate == Fate::Done), "{fates:?}");
            // BEGIN, three to hold them, lost ones, erased ones, those that leave, their tokens, their push states, whether apps may be
            // listed, what is replaced, the commands, two to wake them, COMMIT. No former token: these have sent none.
            assert_eq!(statements, 15, "TokenUpdate of {count}");
        }
    }
}

#[tokio::test]
async fn t_c4_one_hostile_check_in_among_many_costs_no_other_its_answer() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        let mut ones = Vec::new();
        for number in 0..20 {
            let one = invited(&people, number, |_, _| {});
            one.stored(&people).await;
            ones.push(one);
        }
        // The same identity twice; another's serial number, another's UDID, and a token before anything else.
        let mut heard: Vec<_> = ones.iter().map(|one| one.asks(Odd::Nothing)).collect();
        heard.push(ones[3].asks(Odd::Nothing));
        let thief = invited(&people, 50, |_, _| {});
        thief.stored(&people).await;
        let serial = text(ones[4].tablet.serial.as_str());
        let keys = |udid: &Udid, serial: Value| {
            [
                ("MessageType", text("Authenticate")),
                ("Topic", text(TOPIC)),
                ("UDID", text(udid.as_str())),
                ("SerialNumber", serial),
            ]
        };
        heard.push(thief.heard(&keys(&thief.udid, serial)));
        heard.push(thief.heard(&keys(&ones[5].udid, text(thief.tablet.serial.as_str()))));
        heard.push(thief.tells(b"token", &[]));
        let (fates, _) = together(&people, heard.clone()).await;
        let expected: Vec<Fate> =
            (0..heard.len()).map(|place| if place < ones.len() { Fate::Done } else { Fate::Alone }).collect();
        assert_eq!(fates, expected);
        for (place, odd) in heard.iter().enumerate().skip(ones.len()) {
            let told = by_itself(&people, odd).await;
            assert_eq!(told.is_ok(), place == ones.len(), "only the repeated one is taken: {told:?}");
        }
        for one in &ones {
            let id = one.enrolment.id;
            let row = people.fleet.store().read(move |tx| store::enrolments::get(tx, &id)).await.unwrap();
            let row = row.unwrap();
            assert_eq!((row.state, row.udid), (EnrolmentState::Authenticated, Some(one.udid.clone())));
            assert_eq!(row.supervision, Supervision::Unknown);
        }
    }
}
