//! Every noun comes back as it was stored.

use serde_json::json;
use types::{
    Actor, ApiTokenId, AuthorityId, ChallengeId, EnrolmentId, JobId, JobKind, LinkId, PushCertificateId,
    Secret, SegmentId, Supervision, TabletId, TakeoverId,
};

use super::fixture::{Fixture, at, certificate, digest, enrolment, tablet};
use crate::alarms::{self, NewAlarm};
use crate::api_tokens::{self, ApiToken};
use crate::audit::{self, Filter, NewEntry};
use crate::authorities::{self, Authority, AuthorityKind, AuthorityState};
use crate::certificates::{self, CertificateState};
use crate::challenges::{self, Challenge};
use crate::enrolments::{self, EnrolmentSecrets, EnrolmentState};
use crate::jobs::{self, Job};
use crate::links::{self, Link, LinkKind};
use crate::push_certificates::{self, PushCertificate, PushCertificateState};
use crate::push_states::{self, PushAttempt};
use crate::takeovers::{self, Takeover};
use crate::tests::on_both_engines;
use crate::{StoreError, Within, orphans, settings, tablets};

on_both_engines! {
    a_tablet_is_found_by_its_serial_and_listed_in_pages,
    an_enrolment_comes_back_whole_and_its_secrets_apart,
    a_tablet_has_one_live_enrolment,
    t_a5_the_secrets_of_an_ended_enrolment_cannot_be_read,
    a_certificate_is_never_rebound,
    a_certificate_that_comes_into_use_replaces_the_older_ones_used_or_not,
    t_a11_a_challenge_is_refused_once_used_or_expired,
    a_link_gives_out_what_it_counts_and_nothing_after,
    an_authority_keeps_its_key_and_one_of_ours_issues,
    a_new_push_certificate_takes_the_place_of_the_one_before,
    a_push_token_that_apple_refuses_waits_for_its_renewal,
    a_job_is_left_once_claimed_once_and_done,
    a_token_of_the_api_is_known_by_its_hash,
    t_a6_a_takeover_is_used_once_and_only_in_its_window,
    an_orphan_is_counted,
    an_alarm_is_raised_once_until_it_is_settled,
    t_c20_the_audit_log_is_appended_and_never_edited,
    a_setting_is_replaced,
}

async fn a_tablet_is_found_by_its_serial_and_listed_in_pages(fixture: Fixture) {
    let mut all: Vec<_> = (0..5).map(tablet).collect();
    let stored = all.clone();
    fixture.write(move |tx| stored.iter().try_for_each(|row| tablets::insert(tx, row))).await;
    all.sort_by_key(|row| row.id.to_string());
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = fixture.read(move |tx| tablets::list(tx, &Within::Everything, after, 2)).await;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        seen.extend(page);
    }
    assert_eq!(seen, all);
    assert_eq!(fixture.read(|tx| tablets::count(tx, &Within::Everything)).await, 5);
    let (wanted, serial) = (all[3].clone(), all[3].serial.clone());
    assert_eq!(fixture.read(move |tx| tablets::by_serial(tx, &serial)).await, Some(wanted.clone()));
    let unknown = "NOSUCHSERIAL".parse().unwrap();
    assert_eq!(fixture.read(move |tx| tablets::by_serial(tx, &unknown)).await, None);
    let moved =
        tablets::Tablet { uai: None, model: Some("iPad (11th)".to_owned()), updated_at: at(9), ..wanted };
    let change = moved.clone();
    assert!(fixture.write(move |tx| tablets::update(tx, &change)).await);
    let id = moved.id;
    assert_eq!(fixture.read(move |tx| tablets::get(tx, &id)).await, Some(moved.clone()));
    let nobody = tablets::Tablet { id: TabletId::new(at(1)), ..moved.clone() };
    assert!(!fixture.write(move |tx| tablets::update(tx, &nobody)).await);
    let twin = tablets::Tablet { id: TabletId::new(at(1)), ..moved };
    let refused = fixture.store.write(move |tx| tablets::insert(tx, &twin)).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { .. })), "{refused:?}");
}

async fn an_enrolment_comes_back_whole_and_its_secrets_apart(fixture: Fixture) {
    let tablet = tablet(1);
    let mut row = enrolment(&tablet, EnrolmentState::Invited);
    row.segment_id = Some(SegmentId::new(at(0)));
    row.supervision = Supervision::Supervised;
    row.awaiting_configuration = true;
    let id = row.id;
    let stored = row.clone();
    fixture
        .write(move |tx| {
            tablets::insert(tx, &tablet)?;
            enrolments::insert(tx, &stored)
        })
        .await;
    assert_eq!(fixture.read(move |tx| enrolments::get(tx, &id)).await, Some(row.clone()));
    // A TokenUpdate without UnlockToken keeps the old one.
    for (push, unlock) in [("token-1", Some("unlock")), ("token-2", None)] {
        let secrets = EnrolmentSecrets {
            push_token: Some(Secret::new(push.into())),
            unlock_token: unlock.map(|text| Secret::new(text.into())),
            ..EnrolmentSecrets::default()
        };
        assert!(fixture.write(move |tx| enrolments::set_secrets(tx, id, &secrets)).await);
    }
    row.state = EnrolmentState::Active;
    let change = row.clone();
    fixture.write(move |tx| enrolments::update(tx, &change)).await;
    let secrets = fixture.read(move |tx| enrolments::secrets(tx, id)).await;
    assert_eq!(secrets.push_token.unwrap().expose(), b"token-2");
    assert_eq!(secrets.unlock_token.unwrap().expose(), b"unlock");
    assert!(secrets.bootstrap_token.is_none());
    let unknown = EnrolmentId::new(at(9));
    assert!(
        !fixture.write(move |tx| enrolments::set_secrets(tx, unknown, &EnrolmentSecrets::default())).await
    );
    let active = fixture.read(|tx| enrolments::list(tx, Some(EnrolmentState::Active), None, 10)).await;
    assert_eq!(active, vec![row]);
    for (state, expected) in [(EnrolmentState::Active, 1), (EnrolmentState::Invited, 0)] {
        assert_eq!(
            fixture.read(move |tx| enrolments::count(tx, state, &Within::Everything)).await,
            expected,
            "{state}"
        );
    }
    let lost = fixture.read(|tx| enrolments::count_other_topics(tx, "com.apple.mgmt.External.2")).await;
    assert_eq!(lost, 1);
}

async fn a_tablet_has_one_live_enrolment(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let row = tablets::Tablet { id: enrolled.tablet, ..tablet(1) };
    let second = enrolment(&row, EnrolmentState::Authenticated);
    let insert = second.clone();
    let refused = fixture.store.write(move |tx| enrolments::insert(tx, &insert)).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { .. })), "{refused:?}");
    fixture
        .write(move |tx| {
            let mut first = enrolments::get(tx, &enrolled.enrolment)?.unwrap();
            first.state = EnrolmentState::Superseded;
            first.ended_at = Some(at(50));
            enrolments::update(tx, &first)?;
            enrolments::insert(tx, &second)
        })
        .await;
    let live = fixture.read(move |tx| enrolments::live_of_tablet(tx, enrolled.tablet)).await.unwrap();
    assert_eq!(live.state, EnrolmentState::Authenticated);
    assert_eq!(fixture.read(move |tx| enrolments::of_tablet(tx, enrolled.tablet)).await.len(), 2);
}

async fn t_a5_the_secrets_of_an_ended_enrolment_cannot_be_read(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let secret = || Some(Secret::new(b"secret".to_vec()));
    fixture
        .write(move |tx| {
            let secrets = EnrolmentSecrets {
                push_token: secret(),
                push_magic: secret(),
                unlock_token: secret(),
                bootstrap_token: secret(),
            };
            enrolments::set_secrets(tx, enrolled.enrolment, &secrets)?;
            enrolments::forget_bootstrap_token(tx, enrolled.enrolment)?;
            let left = enrolments::secrets(tx, enrolled.enrolment)?;
            assert!(left.bootstrap_token.is_none() && left.unlock_token.is_some());
            enrolments::forget_secrets(tx, enrolled.enrolment)
        })
        .await;
    let left = fixture.read(move |tx| enrolments::secrets(tx, enrolled.enrolment)).await;
    assert!(left.push_token.is_none() && left.push_magic.is_none() && left.unlock_token.is_none());
}

async fn a_certificate_is_never_rebound(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let two = fixture.enrolled(2).await;
    let mut row = fixture.read(move |tx| certificates::get(tx, &one.certificate)).await.unwrap();
    row.enrolment_id = two.enrolment;
    let rebound = row.clone();
    let refused = fixture.store.write(move |tx| certificates::update(tx, &rebound)).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    let renewed = certificates::Certificate {
        state: CertificateState::Issued,
        renewed_from: Some(one.certificate),
        issued_at: at(5),
        ..certificate(digest(77), one.enrolment)
    };
    let stored = renewed.clone();
    fixture.write(move |tx| certificates::insert(tx, &stored)).await;
    let all = fixture.read(move |tx| certificates::of_enrolment(tx, one.enrolment)).await;
    assert_eq!(all.last(), Some(&renewed));
    let soon = fixture.read(|tx| certificates::expiring(tx, at(400 * 86_400), None, 10)).await;
    assert_eq!(soon.len(), 2, "only the confirmed ones");
    let revoked = fixture
        .write(move |tx| certificates::set_state_of_enrolment(tx, one.enrolment, CertificateState::Revoked))
        .await;
    assert_eq!(revoked, 2);
    let (found, owner) = fixture.read(move |tx| enrolments::by_certificate(tx, &digest(77))).await.unwrap();
    assert_eq!((found.state, owner.id), (CertificateState::Revoked, one.enrolment));
    assert_eq!(fixture.read(|tx| enrolments::by_certificate(tx, &digest(78))).await, None);
}

async fn a_certificate_that_comes_into_use_replaces_the_older_ones_used_or_not(fixture: Fixture) {
    use CertificateState::{Confirmed, Issued, Superseded};
    let enrolled = fixture.enrolled(1).await;
    let other = fixture.enrolled(2).await;
    // The answer to the first renewal was lost, the second arrived, a third is under way.
    for (number, seconds) in [(10, 5), (11, 6), (12, 7)] {
        let renewed = certificates::Certificate {
            state: Issued,
            issued_at: at(seconds),
            renewed_from: Some(enrolled.certificate),
            ..certificate(digest(number), enrolled.enrolment)
        };
        fixture.write(move |tx| certificates::insert(tx, &renewed)).await;
    }
    assert!(fixture.write(|tx| certificates::confirm(tx, &digest(11), at(8))).await);
    assert!(!fixture.write(|tx| certificates::confirm(tx, &digest(11), at(9))).await, "once");
    let all = fixture.read(move |tx| certificates::of_enrolment(tx, enrolled.enrolment)).await;
    let states: Vec<_> = all.iter().map(|certificate| certificate.state).collect();
    assert_eq!(states, [Superseded, Superseded, Confirmed, Issued]);
    assert_eq!(all[2].first_used_at, Some(at(8)));
    assert!(!fixture.write(|tx| certificates::confirm(tx, &digest(10), at(10))).await, "it stays replaced");
    let untouched = fixture.read(move |tx| certificates::get(tx, &other.certificate)).await.unwrap();
    assert_eq!(untouched.state, Confirmed);
}

async fn t_a11_a_challenge_is_refused_once_used_or_expired(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let challenge = |number| Challenge {
        id: ChallengeId::new(at(0)),
        secret_sha256: digest(number),
        enrolment_id: enrolled.enrolment,
        created_at: at(0),
        expires_at: at(600),
        used_at: None,
        used_for: None,
        certificate: None,
    };
    let (used, expired) = (challenge(1), challenge(2));
    let (used_id, expired_id) = (used.id, expired.id);
    let stored = [used.clone(), expired];
    fixture.write(move |tx| stored.iter().try_for_each(|row| challenges::insert(tx, row))).await;
    let kept = fixture.write_held(|tx| challenges::hold_by_secret(tx, &digest(1))).await;
    assert_eq!(kept, Some(used), "held, whatever its state");
    let consume = async |id, seconds, der: &'static [u8]| {
        fixture.write(move |tx| challenges::consume(tx, id, &digest(5), der, at(seconds))).await
    };
    assert!(!consume(expired_id, 600, b"late").await);
    assert!(consume(used_id, 599, b"first").await);
    assert!(!consume(used_id, 599, b"second").await);
    assert!(!consume(ChallengeId::new(at(1)), 1, b"never given out").await);
    let kept = fixture.read(move |tx| challenges::get(tx, &used_id)).await.unwrap();
    assert_eq!(kept.certificate.as_deref(), Some(&b"first"[..]), "what it was answered is kept");
    assert_eq!(fixture.write(|tx| crate::purge::challenges(tx, at(601), 9)).await, 2);
}

async fn a_link_gives_out_what_it_counts_and_nothing_after(fixture: Fixture) {
    let link = Link {
        id: LinkId::new(at(0)),
        token_sha256: digest(3),
        kind: LinkKind::Batch,
        tablet_id: None,
        uai: Some("0761234A".parse().unwrap()),
        max_uses: 2,
        uses: 0,
        expires_at: at(600),
        created_by: "host".to_owned(),
        created_at: at(0),
        revoked_at: None,
    };
    let id = link.id;
    let stored = link.clone();
    fixture.write(move |tx| links::insert(tx, &stored)).await;
    let kept = fixture.write_held(|tx| links::hold_by_token(tx, &digest(3))).await;
    assert_eq!(kept, Some(link.clone()));
    for (seconds, left) in [(600, false), (1, true), (2, true), (3, false)] {
        assert_eq!(fixture.write(move |tx| links::use_once(tx, id, at(seconds))).await, left, "at {seconds}");
    }
    let revoked = Link { id: LinkId::new(at(1)), token_sha256: digest(4), ..link };
    let revoked_id = revoked.id;
    fixture.write(move |tx| links::insert(tx, &revoked)).await;
    assert!(fixture.write(move |tx| links::revoke(tx, revoked_id, at(5))).await);
    assert!(!fixture.write(move |tx| links::revoke(tx, revoked_id, at(6))).await);
    assert!(!fixture.write(move |tx| links::use_once(tx, revoked_id, at(5))).await);
    assert_eq!(fixture.read(|tx| links::list(tx, &Within::Everything, None, 10)).await.len(), 2);
}

async fn an_authority_keeps_its_key_and_one_of_ours_issues(fixture: Fixture) {
    let authority = |number: u8, kind| Authority {
        id: AuthorityId::new(at(i64::from(number))),
        kind,
        state: AuthorityState::Current,
        certificate: vec![0x30, number],
        fingerprint: digest(number),
        created_at: at(0),
    };
    let (own, next, further) = (
        authority(1, AuthorityKind::Own),
        authority(2, AuthorityKind::Own),
        authority(3, AuthorityKind::Further),
    );
    let (own_id, next_id, further_id) = (own.id, next.id, further.id);
    let key = || Secret::new(b"private".to_vec());
    let stored = own.clone();
    fixture
        .write(move |tx| {
            authorities::insert(tx, &stored, Some(&key()))?;
            authorities::insert(tx, &further, None)
        })
        .await;
    let again = next.clone();
    let refused = fixture.store.write(move |tx| authorities::insert(tx, &again, Some(&key()))).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { .. })), "{refused:?}");
    assert_eq!(fixture.read(authorities::current).await, Some(own));
    fixture
        .write(move |tx| {
            authorities::set_state(tx, own_id, AuthorityState::Previous)?;
            authorities::insert(tx, &next, Some(&key()))
        })
        .await;
    assert_eq!(fixture.read(authorities::current).await.unwrap().id, next_id);
    assert_eq!(fixture.read(authorities::trusted).await.len(), 3);
    fixture.write(move |tx| authorities::set_state(tx, own_id, AuthorityState::Retired)).await;
    assert_eq!(fixture.read(authorities::trusted).await.len(), 2);
    let key = fixture.read(move |tx| authorities::key(tx, own_id)).await;
    assert_eq!(key.unwrap().expose(), b"private");
    assert!(fixture.read(move |tx| authorities::key(tx, further_id)).await.is_none());
}

async fn a_new_push_certificate_takes_the_place_of_the_one_before(fixture: Fixture) {
    for number in 0..3_i64 {
        let certificate = PushCertificate {
            id: PushCertificateId::new(at(number)),
            topic: "com.apple.mgmt.External.1".to_owned(),
            chain_pem: format!("chain {number}"),
            not_after: at(365 * 86_400),
            state: PushCertificateState::Current,
            created_at: at(number),
        };
        let key = Secret::new(format!("key {number}").into_bytes());
        fixture.write(move |tx| push_certificates::make_current(tx, &certificate, &key)).await;
    }
    let current = fixture.read(push_certificates::current).await.unwrap();
    assert_eq!(current.chain_pem, "chain 2");
    let key = fixture.read(move |tx| push_certificates::key(tx, current.id)).await.unwrap();
    assert_eq!(key.expose(), b"key 2");
    let states: Vec<_> =
        fixture.read(push_certificates::list).await.into_iter().map(|row| row.state).collect();
    use PushCertificateState::{Current, Previous};
    assert_eq!(states, [Current, Previous, Previous]);
}

async fn a_push_token_that_apple_refuses_waits_for_its_renewal(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let id = enrolled.enrolment;
    fixture.write(move |tx| push_states::want(tx, id, Some(at(10)), at(5))).await;
    // Wanted again: what is due stands, unless told.
    fixture.write(move |tx| push_states::want(tx, id, None, at(6))).await;
    let state = fixture.read(move |tx| push_states::get(tx, &id)).await.unwrap();
    assert_eq!((state.wanted_at, state.due_at), (Some(at(6)), Some(at(10))));
    assert_eq!(
        fixture.write(|tx| push_states::claim(tx, push_states::Lane::Answering, at(10), at(40), 5)).await,
        [id]
    );
    let attempt = |outcome: &str, token_invalid| PushAttempt {
        enrolment: id,
        at: at(11),
        outcome: outcome.to_owned(),
        attempts: if token_invalid { 2 } else { 1 },
        unanswered: 0,
        next_due_at: (!token_invalid).then_some(at(100)),
        token_invalid,
    };
    let sent = attempt("sent", false);
    fixture.write(move |tx| push_states::record(tx, &sent)).await;
    assert_eq!(
        fixture.write(|tx| push_states::claim(tx, push_states::Lane::Answering, at(99), at(130), 5)).await,
        vec![]
    );
    assert_eq!(
        fixture.write(|tx| push_states::claim(tx, push_states::Lane::Answering, at(100), at(130), 5)).await,
        [id]
    );
    let refused = attempt("BadDeviceToken", true);
    fixture.write(move |tx| push_states::record(tx, &refused)).await;
    assert_eq!(
        fixture.write(|tx| push_states::claim(tx, push_states::Lane::Answering, at(9000), at(9030), 5)).await,
        vec![]
    );
    let state = fixture.read(move |tx| push_states::get(tx, &id)).await.unwrap();
    assert_eq!((state.attempts, state.outcome.as_deref()), (2, Some("BadDeviceToken")));
    fixture.write(move |tx| push_states::token_renewed(tx, id, false, at(8000))).await;
    let state = fixture.read(move |tx| push_states::get(tx, &id)).await.unwrap();
    assert_eq!((state.due_at, state.attempts, state.token_invalid_since), (Some(at(8000)), 0, None));
    assert_eq!(
        fixture.write(|tx| push_states::claim(tx, push_states::Lane::Answering, at(9000), at(9030), 5)).await,
        [id]
    );
    // The same token again, although nothing was wrong with it: the push under way stands.
    let sent = PushAttempt { at: at(9001), next_due_at: Some(at(9900)), ..attempt("sent", false) };
    fixture.write(move |tx| push_states::record(tx, &sent)).await;
    fixture.write(move |tx| push_states::token_renewed(tx, id, false, at(9002))).await;
    assert_eq!(
        fixture.write(|tx| push_states::claim(tx, push_states::Lane::Answering, at(9003), at(9030), 5)).await,
        vec![]
    );
    // Another token: what was sent to the one before may be lost.
    fixture.write(move |tx| push_states::token_renewed(tx, id, true, at(9004))).await;
    assert_eq!(
        fixture.write(|tx| push_states::claim(tx, push_states::Lane::Answering, at(9004), at(9030), 5)).await,
        [id]
    );
}

async fn a_job_is_left_once_claimed_once_and_done(fixture: Fixture) {
    let job = |key: Option<&str>, seconds| Job {
        id: JobId::new(at(seconds)),
        kind: JobKind::Inventory,
        key: key.map(str::to_owned),
        due_at: at(seconds),
        lease_until: None,
        attempts: 0,
        body: json!({ "tablet": seconds }),
        last_error: None,
    };
    let (first, same, other) = (job(Some("daily"), 10), job(Some("daily"), 20), job(None, 15));
    let (first_id, other_id) = (first.id, other.id);
    let left = fixture
        .write(move |tx| Ok([jobs::leave(tx, &first)?, jobs::leave(tx, &same)?, jobs::leave(tx, &other)?]))
        .await;
    assert_eq!(left, [true, false, true]);
    assert_eq!(fixture.write(|tx| jobs::claim(tx, at(9), at(60), 5)).await, vec![]);
    let claimed = fixture.write(|tx| jobs::claim(tx, at(30), at(60), 5)).await;
    assert_eq!(claimed.iter().map(|job| job.id).collect::<Vec<_>>(), [first_id, other_id]);
    assert_eq!((claimed[0].attempts, &claimed[0].body), (1, &json!({ "tablet": 10 })));
    assert_eq!(fixture.write(|tx| jobs::claim(tx, at(59), at(90), 5)).await, vec![]);
    fixture
        .write(move |tx| {
            jobs::done(tx, first_id)?;
            jobs::again(tx, other_id, at(70), Some("the network was down"))
        })
        .await;
    assert_eq!(fixture.read(move |tx| jobs::get(tx, &first_id)).await, None);
    let waiting = fixture.read(move |tx| jobs::get(tx, &other_id)).await.unwrap();
    assert_eq!((waiting.lease_until, waiting.last_error.as_deref()), (None, Some("the network was down")));
    assert_eq!(fixture.write(|tx| jobs::claim(tx, at(70), at(90), 5)).await[0].attempts, 2);
}

async fn a_token_of_the_api_is_known_by_its_hash(fixture: Fixture) {
    let token = ApiToken {
        id: ApiTokenId::new(at(0)),
        secret_sha256: digest(8),
        name: "seed".to_owned(),
        scope: "inventory".to_owned(),
        created_at: at(0),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
        account_id: None,
        reach: None,
    };
    let id = token.id;
    let stored = token.clone();
    fixture.write(move |tx| api_tokens::insert(tx, &stored)).await;
    assert_eq!(fixture.read(|tx| api_tokens::by_secret(tx, &digest(8))).await, Some(token.clone()));
    assert_eq!(fixture.read(|tx| api_tokens::by_secret(tx, &digest(9))).await, None);
    fixture.write(move |tx| api_tokens::used(tx, id, at(5))).await;
    assert!(fixture.write(move |tx| api_tokens::revoke(tx, id, at(6))).await);
    assert!(!fixture.write(move |tx| api_tokens::revoke(tx, id, at(7))).await);
    let listed = fixture.read(|tx| api_tokens::list(tx, None, None, 10)).await;
    assert_eq!(listed, [ApiToken { last_used_at: Some(at(5)), revoked_at: Some(at(6)), ..token }]);
}

async fn t_a6_a_takeover_is_used_once_and_only_in_its_window(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let takeover = Takeover {
        id: TakeoverId::new(at(0)),
        udid: "00008020-000915083C80012E".parse().unwrap(),
        serial: "DMPX00000001".parse().unwrap(),
        topic: "com.apple.mgmt.External.1".to_owned(),
        certificate_sha256: digest(50),
        authority_fingerprint: digest(51),
        imported_at: at(0),
        imported_by: "host".to_owned(),
        window_ends_at: at(600),
        used_at: None,
        enrolment_id: None,
    };
    let id = takeover.id;
    let stored = takeover.clone();
    let secret = |text: &str| Secret::new(text.as_bytes().to_vec());
    fixture.write(move |tx| takeovers::insert(tx, &stored, &secret("token"), &secret("magic"), None)).await;
    let kept = fixture.write_held(|tx| takeovers::hold_by_certificate(tx, &digest(50))).await;
    assert_eq!(kept, Some(takeover));
    assert!(fixture.read(|tx| takeovers::is_known(tx, &digest(50))).await);
    assert!(!fixture.read(|tx| takeovers::is_known(tx, &digest(51))).await);
    let secrets = fixture.read(move |tx| takeovers::secrets(tx, id)).await;
    assert_eq!(secrets.push_token.unwrap().expose(), b"token");
    assert!(secrets.unlock_token.is_none());
    let enrolment = enrolled.enrolment;
    for (seconds, expected) in [(600, false), (10, true), (11, false)] {
        let used = fixture.write(move |tx| takeovers::use_once(tx, id, enrolment, at(seconds))).await;
        assert_eq!(used, expected, "at {seconds}");
    }
    let used = fixture.read(move |tx| takeovers::get(tx, &id)).await.unwrap();
    assert_eq!((used.used_at, used.enrolment_id), (Some(at(10)), Some(enrolment)));
}

async fn an_orphan_is_counted(fixture: Fixture) {
    let serial = || "DMPX00000001".parse::<types::SerialNumber>().unwrap();
    fixture.write(|tx| orphans::sighted(tx, &digest(1), &digest(2), None, None, at(5))).await;
    fixture.write(move |tx| orphans::sighted(tx, &digest(1), &digest(2), None, Some(&serial()), at(9))).await;
    let listed = fixture.read(|tx| orphans::list(tx, 10)).await;
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].first_seen_at, listed[0].last_seen_at, listed[0].sightings), (at(5), at(9), 2));
    assert_eq!(listed[0].serial, Some(serial()));
    assert!(fixture.write(|tx| orphans::remove(tx, &digest(1))).await);
    assert!(!fixture.write(|tx| orphans::remove(tx, &digest(1))).await);
}

async fn an_alarm_is_raised_once_until_it_is_settled(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let alarm = |detail| NewAlarm {
        kind: "superseded-certificate".to_owned(),
        about: None,
        tablet: Some(enrolled.tablet),
        enrolment: Some(enrolled.enrolment),
        detail: json!({ "n": detail }),
    };
    let raise = |number: i64| {
        let alarm = alarm(number);
        fixture.write(move |tx| alarms::raise(tx, &alarm, at(number)))
    };
    assert!(raise(1).await);
    assert!(!raise(2).await);
    let about = NewAlarm {
        kind: "unknown-serial".to_owned(),
        about: Some("DMPX99999999".to_owned()),
        tablet: None,
        enrolment: None,
        detail: json!({}),
    };
    assert!(fixture.write(move |tx| alarms::raise(tx, &about, at(1))).await);
    let open = fixture.read(|tx| alarms::open(tx, &Within::Everything, 10)).await;
    assert_eq!(open.len(), 2);
    assert_eq!((open[0].times, open[0].raised_at, open[0].last_raised_at), (2, at(1), at(2)));
    assert_eq!(open[0].detail, json!({ "n": 2 }));
    let id = open[0].id;
    assert!(fixture.write(move |tx| alarms::settle(tx, id, at(3))).await);
    assert!(!fixture.write(move |tx| alarms::settle(tx, id, at(4))).await);
    assert!(raise(5).await);
}

async fn t_c20_the_audit_log_is_appended_and_never_edited(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    for (number, reason) in [(1, "one"), (2, "two")] {
        let mut entry = NewEntry::new(at(number), Actor::Host, "link.create");
        entry.tablet = (number == 2).then_some(enrolled.tablet);
        entry.reason = Some(reason.to_owned());
        entry.detail = Some(json!({ "uses": number }));
        fixture.write(move |tx| audit::append(tx, &entry)).await;
    }
    let all = fixture.read(|tx| audit::list(tx, &Filter::default(), None, 10)).await;
    assert_eq!(all.len(), 2);
    assert!(all[0].seq < all[1].seq);
    assert_eq!((all[0].actor.as_str(), all[0].reason.as_deref()), ("host", Some("one")));
    let after = all[0].seq;
    assert_eq!(fixture.read(move |tx| audit::list(tx, &Filter::default(), Some(after), 10)).await, all[1..]);
    let of = Filter { tablet: Some(enrolled.tablet), ..Filter::default() };
    let of_tablet = fixture.read(move |tx| audit::list(tx, &of, None, 10)).await;
    assert_eq!(of_tablet, all[1..]);
    for edit in
        ["UPDATE audit SET reason = 'x'", "UPDATE audit SET actor = 'x', reason = NULL", "DELETE FROM audit"]
    {
        let refused = fixture.by_hand(edit);
        assert!(matches!(refused, Err(StoreError::Refused { .. })), "{edit}: {refused:?}");
    }
    // A body goes with its salt, or stays.
    let half = fixture.by_hand("UPDATE audit SET reason = NULL, detail = NULL WHERE reason = 'one'");
    assert!(matches!(half, Err(StoreError::Refused { .. })), "{half:?}");
    fixture
        .by_hand("UPDATE audit SET reason = NULL, detail = NULL, salt = NULL WHERE reason = 'one'")
        .unwrap();
}

async fn a_setting_is_replaced(fixture: Fixture) {
    assert_eq!(fixture.read(|tx| settings::get(tx, "organisation")).await, None);
    for value in ["Seine-Maritime", "Calvados"] {
        fixture.write(move |tx| settings::set(tx, "organisation", value)).await;
        assert_eq!(fixture.read(|tx| settings::get(tx, "organisation")).await.as_deref(), Some(value));
    }
}
