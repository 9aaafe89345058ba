//! What survives: a crash, a backup and its restore, a rotated key.

use types::{ApiTokenId, CampaignId, CountersignatureId, DestructionKind, EraseOrderId, Secret, SessionId};

use super::fixture::{Fixture, at, command, decided_order, digest};
use super::postgresql::TestDatabase;
use crate::api_tokens::{self, ApiToken};
use crate::campaigns::{self, Campaign};
use crate::commands::{self, CommandState};
use crate::countersignatures::{self, CountersignatureState};
use crate::destructions::{self, DestructionState, Fate, NewDestruction};
use crate::enrolments::{self, EnrolmentSecrets};
use crate::erase_orders;
use crate::restore::{self, Voided};
use crate::rotation::{self, Progress};
use crate::sessions::{self, Session};
use crate::tests::on_both_engines;
use crate::{
    CommandOutcome, CommandReport, ConnectKey, ConnectWrite, DatabaseUrl, Engine, ReportFate, Store,
    StoreError, Vault, accounts, audit, brake, organisations,
};

on_both_engines! {
    t_c24_a_restored_database_knows_its_tablets_and_voids_what_destroys,
    t_c24_a_restore_voids_what_two_persons_were_deciding_and_signs_everybody_out,
    a_backup_overwrites_nothing_and_is_its_owners_alone,
    a_rotated_key_seals_everything_again,
}

fn secret(text: &str) -> Option<Secret<Vec<u8>>> {
    Some(Secret::new(text.as_bytes().to_vec()))
}

async fn t_c24_a_restored_database_knows_its_tablets_and_voids_what_destroys(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let harmless = fixture.queue(enrolled, 10).await;
    let order = EraseOrderId::new(at(0));
    let mut erase = command(enrolled, 20);
    erase.request_type = "EraseDevice".to_owned();
    erase.gate = orders::Gate::Erase;
    erase.erase_order_id = Some(order);
    let erase_id = erase.id;
    fixture.count(types::DestructionKind::Erase, &order.to_string(), 0).await;
    fixture
        .write(move |tx| {
            decided_order(tx, order, (enrolled.tablet, None), None, (0, 90_000))
                .and_then(|order| erase_orders::insert(tx, &order))?;
            commands::queue(tx, erase.clone(), None)?;
            enrolments::set_secrets(
                tx,
                enrolled.enrolment,
                &EnrolmentSecrets { unlock_token: secret("unlock"), ..EnrolmentSecrets::default() },
            )
        })
        .await;
    let file = fixture.folder.path().join("backup");
    Store::backup(fixture.url.clone(), file.clone()).await.unwrap();

    let (target, _database) = match fixture.store.engine() {
        Engine::Sqlite => (DatabaseUrl::sqlite(fixture.folder.path().join("restored.db")), None),
        Engine::Postgresql => {
            let database = TestDatabase::create();
            (database.url(), Some(database))
        }
    };
    let restored =
        Store::restore(target.clone(), fixture.vault.clone(), file.clone(), at(5000)).await.unwrap();
    assert_eq!(restored.migrated.applied, Vec::<String>::new());
    assert_eq!(restored.voided, Voided { commands: 1, erase_orders: 1, ..Voided::default() });
    let store = Fixture::open(&target, &fixture.vault).await;
    let key =
        ConnectKey { certificate_sha256: enrolled.certificate, reported: None, fresh: true, now: at(5001) };
    let row = store.connect_read(key).await.unwrap().unwrap();
    assert_eq!(row.next.map(|next| next.id), Some(harmless));
    let (erased, secrets, since, log) = store
        .read(move |tx| {
            Ok::<_, StoreError>((
                commands::get(tx, &erase_id)?,
                enrolments::secrets(tx, enrolled.enrolment)?,
                restore::restored_at(tx)?,
                audit::list(tx, &audit::Filter::default(), None, 10)?,
            ))
        })
        .await
        .unwrap();
    assert_eq!(erased.unwrap().state, CommandState::Void);
    assert_eq!(secrets.unlock_token.unwrap().expose(), b"unlock");
    assert_eq!(since, Some(at(5000)));
    assert_eq!(log.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["database.restore"]);
    // What was not restored knows nothing of it.
    assert_eq!(fixture.state(erase_id).await, CommandState::Queued);

    // With a key file of later, from which the key of that day is gone.
    let later = Vault::parse(&Vault::generate_key_line("later")).unwrap();
    let unopened = match fixture.store.engine() {
        Engine::Sqlite => {
            let url = DatabaseUrl::sqlite(fixture.folder.path().join("again.db"));
            Store::restore(url, later, file.clone(), at(5500)).await.unwrap_err()
        }
        Engine::Postgresql => Store::after_restore(target.clone(), later, at(5500)).await.unwrap_err(),
    };
    assert!(unopened.to_string().contains("the key `test`, which is not in the key file"), "{unopened}");
    assert!(!fixture.folder.path().join("again.db").exists());

    // A database that holds something is not restored over.
    let over = Store::restore(target, fixture.vault.clone(), file, at(6000)).await;
    assert!(matches!(over, Err(StoreError::Backup(_))), "{over:?}");
}

async fn t_c24_a_restore_voids_what_two_persons_were_deciding_and_signs_everybody_out(fixture: Fixture) {
    let cast = fixture.cast().await;
    let ask = || crate::countersignatures::Question {
        id: CountersignatureId::new(at(100)),
        ..super::second_persons::question(&cast)
    };
    let (waiting, given, used) =
        (fixture.ask(&ask()).await, fixture.ask(&ask()).await, fixture.ask(&ask()).await);
    for answered in [given, used] {
        assert!(fixture.answer(answered, cast.bruno, true, 150).await.unwrap());
    }
    let campaign = Campaign {
        id: CampaignId::new(at(160)),
        uais: std::collections::BTreeSet::new(),
        starts_on: types::Day::of(at(160)),
        ends_on: types::Day::of(at(160)).plus(30),
        ceiling: 3,
        opened_by: cast.alice,
        countersignature_id: used,
        reason: "end of year".to_owned(),
        created_at: at(160),
        ended_at: None,
    };
    let (session, token) = (SessionId::new(at(0)), ApiTokenId::new(at(0)));
    let counted = super::fixture::destruction(DestructionKind::Erase, "counted", 100);
    let held = NewDestruction {
        fate: Fate::Held(waiting),
        ..super::fixture::destruction(DestructionKind::Erase, "held", 100)
    };
    fixture
        .write(move |tx| {
            countersignatures::use_once(tx, used, "campaign", at(160))?;
            campaigns::insert(tx, &campaign)?;
            destructions::record(tx, &counted)?;
            destructions::record(tx, &held)?;
            sessions::insert(
                tx,
                &Session {
                    id: session,
                    account_id: cast.alice,
                    secret_sha256: digest(1),
                    created_at: at(0),
                    last_used_at: at(0),
                    expires_at: at(90_000),
                    stepped_up_at: None,
                    revoked_at: None,
                },
            )?;
            api_tokens::insert(
                tx,
                &ApiToken {
                    id: token,
                    secret_sha256: digest(2),
                    name: "import".to_owned(),
                    scope: "operate".to_owned(),
                    created_at: at(0),
                    expires_at: None,
                    revoked_at: None,
                    last_used_at: None,
                    account_id: Some(cast.alice),
                    reach: None,
                },
            )?;
            accounts::invite(tx, cast.bruno, &digest(3), at(90_000))?;
            brake::throw(tx, governance::Maker::Account(cast.alice), "a stolen token", at(170))
        })
        .await;
    let expected = Voided {
        commands: 0,
        erase_orders: 0,
        warrants: 0,
        enrolment_ends: 0,
        destructions: 1,
        countersignatures: 2,
        campaigns: 1,
        sessions: 1,
        api_tokens: 1,
        invitations: 1,
    };
    assert_eq!(fixture.write(|tx| restore::void_after_restore(tx, at(5000))).await, expected);
    assert_eq!(fixture.write(|tx| restore::void_after_restore(tx, at(5001))).await, Voided::default());
    assert_eq!(expected.as_json()["countersignatures"], 2);
    for (id, state) in [
        (waiting, CountersignatureState::Void),
        (given, CountersignatureState::Void),
        (used, CountersignatureState::Given),
    ] {
        let found = fixture.read(move |tx| countersignatures::get(tx, &id)).await.unwrap();
        assert_eq!(found.state, state);
    }
    let answered = fixture.answer(waiting, cast.bruno, true, 151).await.unwrap();
    assert!(!answered, "nobody answers what is void");
    assert!(!fixture.write(move |tx| countersignatures::use_once(tx, given, "x", at(5002))).await);
    let (session, token, invitation, counted, held) = fixture
        .write(move |tx| {
            Ok((
                sessions::get(tx, &session)?.unwrap().revoked_at,
                api_tokens::get(tx, &token)?.unwrap().revoked_at,
                accounts::accept_invitation(tx, &digest(3), at(5003))?,
                destructions::is_let_go(tx, DestructionKind::Erase, "counted")?,
                destructions::by_reference(tx, DestructionKind::Erase, "held")?.unwrap().state,
            ))
        })
        .await;
    assert_eq!((session, token, invitation), (Some(at(5000)), Some(at(5000)), None));
    assert_eq!((counted, held), (true, DestructionState::Void));
    // Thrown, the switch stays thrown.
    assert_ne!(fixture.read(brake::switch).await, brake::Switch::Released);
}

async fn a_backup_overwrites_nothing_and_is_its_owners_alone(fixture: Fixture) {
    use std::os::unix::fs::PermissionsExt as _;
    let file = fixture.folder.path().join("backup");
    Store::backup(fixture.url.clone(), file.clone()).await.unwrap();
    let metadata = std::fs::metadata(&file).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert!(metadata.len() > 1000);
    let again = Store::backup(fixture.url.clone(), file).await;
    assert!(matches!(again, Err(StoreError::Backup(_))), "{again:?}");
}

async fn a_rotated_key_seals_everything_again(fixture: Fixture) {
    let mut enrolled = Vec::new();
    for number in 0..5 {
        let one = fixture.enrolled(number).await;
        fixture
            .write(move |tx| {
                let secrets = EnrolmentSecrets {
                    push_token: secret("token"),
                    push_magic: secret("magic"),
                    ..EnrolmentSecrets::default()
                };
                enrolments::set_secrets(tx, one.enrolment, &secrets)
            })
            .await;
        enrolled.push(one);
    }
    let cast = fixture.cast().await;
    fixture
        .write(move |tx| {
            accounts::set_password(tx, cast.alice, secret("hash").as_ref())?;
            accounts::set_totp(tx, cast.alice, secret("totp").as_ref())?;
            accounts::use_totp_step(tx, cast.alice, 5)?;
            organisations::set_wifi(tx, cast.here, secret("network").as_ref(), at(1))
        })
        .await;
    // The same key file with a newer key on top.
    let newer = Vault::generate_key_line("newer");
    let lines = format!("{}\n{}", newer.expose(), fixture.key_line.expose());
    let rotated = Vault::parse(&Secret::new(lines)).unwrap();
    let store = Fixture::open(&fixture.url, &rotated).await;
    assert_eq!(rotated.key_ids().collect::<Vec<_>>(), ["newer", "test"]);
    let sealed_by = || store.read(rotation::sealed_by);
    assert_eq!(sealed_by().await.unwrap(), [("test".to_owned(), 13)].into());
    let mut progress = Progress::default();
    let mut rounds = 0;
    while !progress.complete {
        let from = progress.clone();
        progress = store.write(move |tx| rotation::reseal(tx, &from, 2)).await.unwrap();
        rounds += 1;
        assert!(rounds < 60, "{progress:?}");
    }
    assert_eq!(progress.resealed, 13);
    assert_eq!(sealed_by().await.unwrap(), [("newer".to_owned(), 13)].into());
    // The older key is not needed any more.
    let alone = Vault::parse(&newer).unwrap();
    let store = Fixture::open(&fixture.url, &alone).await;
    let (people, wifi) = store
        .read(move |tx| {
            Ok::<_, StoreError>((accounts::secrets(tx, cast.alice)?, organisations::wifi(tx, cast.here)?))
        })
        .await
        .unwrap();
    assert_eq!(people.password.unwrap().expose(), b"hash");
    assert_eq!(people.totp.unwrap().expose(), b"totp");
    assert_eq!(wifi.unwrap().expose(), b"network");
    for one in enrolled {
        let secrets = store.read(move |tx| enrolments::secrets(tx, one.enrolment)).await.unwrap();
        assert_eq!(secrets.push_magic.unwrap().expose(), b"magic");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t_c24_a_restore_leaves_a_whole_database_or_none() {
    let fixture = Fixture::new(Engine::Sqlite).await;
    fixture.enrolled(1).await;
    let file = fixture.folder.path().join("backup");
    Store::backup(fixture.url.clone(), file.clone()).await.unwrap();
    let target = fixture.folder.path().join("restored.db");
    let url = DatabaseUrl::sqlite(&target);
    let names = || -> Vec<String> {
        let names = std::fs::read_dir(fixture.folder.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("restored")).collect()
    };

    // The log that a crashed server left would be played into the restored database.
    std::fs::write(fixture.folder.path().join("restored.db-wal"), b"the log of another database").unwrap();
    let refused = Store::restore(url.clone(), fixture.vault.clone(), file.clone(), at(1)).await.unwrap_err();
    assert!(refused.to_string().contains("restored.db-wal` is in the way"), "{refused}");
    std::fs::remove_file(fixture.folder.path().join("restored.db-wal")).unwrap();

    // A file that is no backup, and a restore that was interrupted: nothing that could be served is left.
    let garbage = fixture.folder.path().join("garbage");
    std::fs::write(&garbage, vec![7; 10_000]).unwrap();
    Store::restore(url.clone(), fixture.vault.clone(), garbage, at(1)).await.unwrap_err();
    assert_eq!(names(), Vec::<String>::new());
    std::fs::write(fixture.folder.path().join("restored.db.restoring"), b"half a database").unwrap();

    Store::restore(url.clone(), fixture.vault.clone(), file, at(2)).await.unwrap();
    assert_eq!(names(), ["restored.db"]);
    let store = Fixture::open(&url, &fixture.vault).await;
    assert_eq!(store.read(restore::restored_at).await.unwrap(), Some(at(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answered_report_survives_a_crash() {
    let fixture = Fixture::new(Engine::Sqlite).await;
    let enrolled = fixture.enrolled(1).await;
    let command = fixture.queue(enrolled, 1).await;
    assert!(fixture.deliver(enrolled, command, 2).await);
    let write = ConnectWrite {
        report: Some(CommandReport {
            command,
            outcome: CommandOutcome::Acknowledged,
            result: None,
            raw: None,
        }),
        ..ConnectWrite::new(enrolled.enrolment, at(3))
    };
    assert_eq!(fixture.store.connect_write(write).await.unwrap().report, Some(ReportFate::Applied));
    // What a machine that loses power leaves: the files as they are on disk, nothing closed.
    let crashed = fixture.folder.path().join("crashed.db");
    for suffix in ["", "-wal"] {
        let from = fixture.folder.path().join(format!("ardoise.db{suffix}"));
        let to = fixture.folder.path().join(format!("crashed.db{suffix}"));
        std::fs::copy(from, to).unwrap();
    }
    let store = Fixture::open(&DatabaseUrl::sqlite(crashed), &fixture.vault).await;
    let found = store.read(move |tx| commands::get(tx, &command)).await.unwrap().unwrap();
    assert_eq!((found.state, found.answered_at), (CommandState::Acknowledged, Some(at(3))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_secret_moved_to_another_row_does_not_open() {
    let fixture = Fixture::new(Engine::Sqlite).await;
    let (one, two) = (fixture.enrolled(1).await, fixture.enrolled(2).await);
    fixture
        .write(move |tx| {
            let secrets = EnrolmentSecrets { unlock_token: secret("unlock"), ..EnrolmentSecrets::default() };
            enrolments::set_secrets(tx, one.enrolment, &secrets)
        })
        .await;
    fixture
        .by_hand(&format!(
            "UPDATE enrolments SET unlock_token_sealed = (SELECT unlock_token_sealed FROM enrolments \
             WHERE id = '{}') WHERE id = '{}'",
            one.enrolment, two.enrolment
        ))
        .unwrap();
    let moved = fixture.store.read(move |tx| enrolments::secrets(tx, two.enrolment)).await;
    assert!(matches!(moved, Err(StoreError::Sealed(_))), "{moved:?}");
}
