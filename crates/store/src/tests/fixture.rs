//! A migrated, empty database and a tablet or two in it.

use lending::last_decision::LastKind;
use orders::Gate;
use types::{
    AccountId, Actor, CommandId, CountersignatureId, Day, DestructionId, DestructionKind, EnrolmentId,
    EnrolmentKind, EraseOrderId, IncidentId, Instant, LastDecisionId, OrganisationKind, Platform, Role,
    Secret, SerialNumber, Supervision, TabletId,
};

use super::cast::{account, new_grant, organisation};
use super::postgresql::TestDatabase;
use crate::certificates::{Certificate, CertificateState};
use crate::commands::{Command, CommandState, Enqueued};
use crate::countersignatures::{self, Answer, Question, SecondRole};
use crate::destructions::{Fate, NewDestruction};
use crate::enrolments::{Enrolment, EnrolmentState};
use crate::erase_orders::EraseOrder;
use crate::last_decisions::{self, LastDecision};
use crate::tablets::Tablet;
use crate::warrants::OrderState;
use crate::{
    ConnectKey, ConnectRow, ConnectWrite, DatabaseUrl, Delivery, Digest, Engine, Store, StoreError,
    StoreOptions, Tx, Vault, accounts, certificates, commands, destructions, enrolments, organisations,
    role_grants, tablets,
};

/// An instant `seconds` after the fixture's beginning.
pub(crate) fn at(seconds: i64) -> Instant {
    Instant::from_millis(1_790_000_000_000 + seconds * 1000)
}

pub(crate) fn digest(byte: u8) -> Digest {
    Digest::from([byte; 32])
}

pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) vault: Vault,
    pub(crate) key_line: Secret<String>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) url: DatabaseUrl,
    pub(crate) postgresql: Option<TestDatabase>,
}

/// A tablet with an active enrolment and its certificate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Enrolled {
    pub(crate) tablet: TabletId,
    pub(crate) enrolment: EnrolmentId,
    pub(crate) certificate: Digest,
}

impl Fixture {
    pub(crate) async fn new(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (url, postgresql) = match engine {
            Engine::Sqlite => (DatabaseUrl::sqlite(folder.path().join("ardoise.db")), None),
            Engine::Postgresql => {
                let database = TestDatabase::create();
                (database.url(), Some(database))
            }
        };
        Store::migrate(url.clone()).await.unwrap();
        let key_line = Vault::generate_key_line("test");
        let vault = Vault::parse(&key_line).unwrap();
        let store = Self::open(&url, &vault).await;
        Self { store, vault, key_line, folder, url, postgresql }
    }

    pub(crate) async fn open(url: &DatabaseUrl, vault: &Vault) -> Store {
        let options = StoreOptions { pool_size: 4, ..StoreOptions::new(url.clone()) };
        Store::open(options, vault.clone()).await.unwrap()
    }

    /// Writes, or panics with the refusal.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        write: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.store.write(write).await.unwrap()
    }

    /// Runs a use case that holds what it is about, or panics with its refusal.
    pub(crate) async fn write_held<T: Send + 'static>(
        &self,
        write: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.store.write_held(write).await.unwrap()
    }

    /// Reads, or panics with the refusal.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.store.read(read).await.unwrap()
    }

    /// The `number`-th enrolled tablet.
    pub(crate) async fn enrolled(&self, number: u8) -> Enrolled {
        let tablet = tablet(number);
        let enrolment = enrolment(&tablet, EnrolmentState::Active);
        let certificate = certificate(digest(number), enrolment.id);
        let enrolled =
            Enrolled { tablet: tablet.id, enrolment: enrolment.id, certificate: certificate.sha256 };
        self.write(move |tx| {
            tablets::insert(tx, &tablet)?;
            enrolments::insert(tx, &enrolment)?;
            certificates::insert(tx, &certificate)
        })
        .await;
        enrolled
    }

    /// Queues an ordinary command at `at(seconds)`.
    pub(crate) async fn queue(&self, enrolled: Enrolled, seconds: i64) -> CommandId {
        self.queue_with(enrolled, seconds, |_| {}).await
    }

    /// Queues an ordinary command, changed first.
    pub(crate) async fn queue_with(
        &self,
        enrolled: Enrolled,
        seconds: i64,
        change: impl FnOnce(&mut Command),
    ) -> CommandId {
        let mut command = command(enrolled, seconds);
        change(&mut command);
        let queued =
            self.write(move |tx| commands::queue(tx, command.clone(), Some(b"<plist/>".to_vec()))).await;
        match queued {
            Enqueued::New(command) => command.id,
            Enqueued::Already(id) => id,
        }
    }

    pub(crate) async fn connect(
        &self,
        enrolled: Enrolled,
        reported: Option<CommandId>,
        fresh: bool,
        seconds: i64,
    ) -> ConnectRow {
        let key = ConnectKey { certificate_sha256: enrolled.certificate, reported, fresh, now: at(seconds) };
        self.store.connect_read(key).await.unwrap().unwrap()
    }

    /// The id of the command that a fresh conversation would offer.
    pub(crate) async fn offered(&self, enrolled: Enrolled, seconds: i64) -> Option<CommandId> {
        self.connect(enrolled, None, true, seconds).await.next.map(|next| next.id)
    }

    /// Delivers a command; `false` if it is not to be had.
    pub(crate) async fn deliver(&self, enrolled: Enrolled, command: CommandId, seconds: i64) -> bool {
        let write = ConnectWrite {
            deliver: Some(delivery(command)),
            ..ConnectWrite::new(enrolled.enrolment, at(seconds))
        };
        self.store.connect_write(write).await.unwrap().delivered.is_some()
    }

    pub(crate) async fn command(&self, id: CommandId) -> Command {
        self.read(move |tx| commands::get(tx, &id)).await.unwrap()
    }

    pub(crate) async fn state(&self, id: CommandId) -> CommandState {
        self.command(id).await.state
    }

    /// Counts a destruction of a tablet, as the host's: what carries it out is then let through.
    pub(crate) async fn count(&self, kind: DestructionKind, reference: &str, seconds: i64) {
        let new = destruction(kind, reference, seconds);
        self.write(move |tx| destructions::record(tx, &new)).await;
    }

    /// Runs SQL as the owner of the tables, past the program.
    pub(crate) fn by_hand(&self, sql: &str) -> Result<(), StoreError> {
        use diesel::connection::SimpleConnection as _;
        Ok(crate::database::connect(&self.url)?.batch_execute(sql)?)
    }
}

/// A destruction that the host ordered, and that is counted.
pub(crate) fn destruction(kind: DestructionKind, reference: &str, seconds: i64) -> NewDestruction {
    NewDestruction {
        id: DestructionId::new(at(seconds)),
        kind,
        day: Day::of(at(seconds)),
        at: at(seconds),
        actor: Actor::Host,
        uai: Some("0761234A".parse().unwrap()),
        tablet: None,
        reference: reference.to_owned(),
        fate: Fate::Counted,
    }
}

/// A delivery that is repeated whenever the tablet comes back without an answer.
pub(crate) fn delivery(command: CommandId) -> Delivery {
    Delivery { command, again_at: None, opens: false }
}

pub(crate) fn tablet(number: u8) -> Tablet {
    Tablet {
        id: TabletId::new(at(0)),
        serial: format!("DMPX{number:08}").parse::<SerialNumber>().unwrap(),
        asset_tag: Some(format!("76-{number}")),
        model: None,
        platform: Platform::Ipad,
        uai: Some("0761234A".parse().unwrap()),
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(crate) fn enrolment(tablet: &Tablet, state: EnrolmentState) -> Enrolment {
    Enrolment {
        id: EnrolmentId::new(at(0)),
        tablet_id: Some(tablet.id),
        platform: Platform::Ipad,
        state,
        kind: EnrolmentKind::Link,
        supervision: Supervision::Unknown,
        udid: Some("00008020-000915083C80012E".parse().unwrap()),
        serial: Some(tablet.serial.clone()),
        topic: Some("com.apple.mgmt.External.1".to_owned()),
        awaiting_configuration: false,
        os_version: None,
        build_version: None,
        product_name: None,
        access_rights: Some(8191),
        link_id: None,
        takeover_id: None,
        segment_id: None,
        reported_token: None,
        end_id: None,
        created_at: at(0),
        authenticated_at: Some(at(1)),
        token_updated_at: Some(at(2)),
        ended_at: None,
    }
}

pub(crate) fn certificate(sha256: Digest, enrolment: EnrolmentId) -> Certificate {
    Certificate {
        sha256,
        enrolment_id: enrolment,
        authority_fingerprint: digest(200),
        serial_number: "0a1b".to_owned(),
        state: CertificateState::Confirmed,
        issued_at: at(0),
        not_after: at(365 * 86_400),
        first_used_at: None,
        renewed_from: None,
    }
}

pub(crate) fn command(enrolled: Enrolled, seconds: i64) -> Command {
    Command {
        id: CommandId::new(at(seconds)),
        enrolment_id: enrolled.enrolment,
        tablet_id: enrolled.tablet,
        request_type: "ProfileList".to_owned(),
        gate: Gate::Ordinary,
        incident_id: None,
        warrant_id: None,
        erase_order_id: None,
        enrolment_end_id: None,
        priority: 0,
        urgent: false,
        state: CommandState::Queued,
        replaces_key: None,
        idempotency_key: None,
        queued_at: at(seconds),
        queued_by: "calendar".to_owned(),
        not_before: None,
        expires_at: None,
        sent_at: None,
        sent_count: 0,
        not_now_at: None,
        not_now_count: 0,
        retry_at: None,
        answered_at: None,
        result: None,
        error: None,
    }
}

/// An order to erase this tablet, from `at(from)` to `at(until)`, and the decision that it rests on, signed at `at(from)`:
/// that it is retired, or the answer to this theft. The decision is written; the order is not.
pub(crate) fn decided_order(
    tx: &mut Tx<'_>,
    order: EraseOrderId,
    (tablet, enrolment): (TabletId, Option<EnrolmentId>),
    theft: Option<IncidentId>,
    (from, until): (i64, i64),
) -> Result<EraseOrder, StoreError> {
    let kind = if theft.is_some() { LastKind::Theft } else { LastKind::Retirement };
    let id = LastDecisionId::new(at(from));
    let (head, operator) = two_who_decide(tx, id)?;
    let decision = LastDecision {
        id,
        kind,
        tablet_id: tablet,
        loan_id: None,
        incident_id: theft,
        reason: "worn out".parse().unwrap(),
        begun_at: at(from),
        head_by: theft.map(|_theft| head),
        head_at: theft.map(|_theft| at(from)),
        departement_by: None,
        departement_at: None,
        withdrawn_at: None,
    };
    last_decisions::insert(tx, &decision)?;
    if let Some(theft) = theft {
        answered_yes(tx, id, theft, (head, operator), at(from))?;
    }
    let signed =
        LastDecision { departement_by: Some(operator), departement_at: Some(at(from)), ..decision.clone() };
    last_decisions::update(tx, &signed)?;
    Ok(EraseOrder {
        id: order,
        tablet_id: tablet,
        enrolment_id: enrolment,
        cause: kind.to_string(),
        state: OrderState::Open,
        not_before: at(from),
        expires_at: at(until),
        restitution_id: None,
        decision_id: Some(decision.id),
        loan_id: None,
    })
}

/// A head and an operator of the département, who decide this.
pub(crate) fn two_who_decide(
    tx: &mut Tx<'_>,
    decision: LastDecisionId,
) -> Result<(AccountId, AccountId), StoreError> {
    let departement = match organisations::of_kind(tx, OrganisationKind::Departement)? {
        Some(found) => found.id,
        None => {
            let new = organisation(OrganisationKind::Departement, None);
            organisations::insert(tx, &new).map(|()| new.id)?
        }
    };
    let head = account(departement, &format!("head-{decision}"));
    let operator = account(departement, &format!("operator-{decision}"));
    accounts::insert(tx, &head)?;
    accounts::insert(tx, &operator)?;
    role_grants::grant(tx, &new_grant(operator.id, Role::Operator, None))?;
    Ok((head.id, operator.id))
}

/// The département answers the head that the tablet of this theft is to be erased.
pub(crate) fn answered_yes(
    tx: &mut Tx<'_>,
    decision: LastDecisionId,
    theft: IncidentId,
    (head, operator): (AccountId, AccountId),
    when: Instant,
) -> Result<(), StoreError> {
    let content = format!("{{\"decision\":\"{decision}\"}}");
    let question = Question {
        id: CountersignatureId::new(when),
        purpose: "erase-stolen".to_owned(),
        subject: format!("incident:{theft}"),
        content_sha256: Digest::of(content.as_bytes()),
        content,
        reason: "seen for sale".to_owned(),
        asked_by: head,
        asked_at: when,
        answer_organisation: None,
        answer_role: SecondRole::Departement,
        answer_uai: None,
        expires_at: when.plus(types::Duration::from_secs(86_400)),
    };
    countersignatures::ask(tx, &question)?;
    let yes = Answer { given: true, by: operator, at: when, reason: None };
    assert!(countersignatures::answer(tx, question.id, &yes)?);
    assert!(countersignatures::use_once(tx, question.id, &format!("decision:{decision}"), when)?);
    Ok(())
}
