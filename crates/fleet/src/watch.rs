//! What operators should hear of: alarms, and the tablets that a restored database does not know.
//!
//! An alarm is raised in a transaction of its own when the tablet was refused, since the refused one is undone.

use apple::checkin::CheckIn;
use pki::DeviceIdentity;
use serde_json::{Value, json};
use store::alarms::{self, NewAlarm};
use store::enrolments::Enrolment;
use store::{ConnectEnrolment, Digest, StoreError, Tx};
use types::{EnrolmentId, Instant, SerialNumber, TabletId, Uai, Udid};

use crate::{Fleet, TabletError};

/// What an alarm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AlarmKind {
    /// A certificate was used for another tablet than its own (T-A1).
    IdentityMismatch,
    /// A certificate that was replaced is still used (T-A5).
    SupersededCertificate,
    /// A certificate of ours that the database does not know: was it restored? (T-A7)
    UnknownCertificate,
    /// A tablet that is not in the inventory tried to enrol (C3.3.4).
    UnknownSerial,
    /// A tablet tried to enrol by an invitation that was not for it, or with an identity that has enrolled.
    RefusedEnrolment,
    /// A tablet that is enrolled started to enrol again (C5.3.2).
    Reenrolment,
    /// The management was removed on the tablet (C5.3.2).
    ManagementRemoved,
    /// A profile of ours went from a tablet, and nobody here removed it (C5.3.2).
    ProfileRemoved,
    /// A tablet reported on a command it was never sent (T-A18).
    UnknownReport,
    /// A row of the queue had no proof (M6).
    CommandWithoutProof,
    /// A stored command is not one that may be delivered: its row was edited, or the rules have changed since.
    RefusedCommand,
    /// Someone at the machine made an account of the département, which has people who could (C3.1.7).
    AccountByTheMachine,
    /// The push certificate expires soon, or has: then no tablet can be woken (T-B1).
    PushCertificateExpires,
    /// A version was not published on its day: a signature no longer stands, or it contradicts what came since (C3.1.1).
    PublicationRefused,
    /// Too many tablets failed, or none of those a wave reached reported: a roll-out paused by itself.
    RolloutPaused,
    /// An app is not given out as it was decided: it is not installed (C3.1.2).
    AppNotAsDecided,
    /// What a collège adds contradicts what was decided jointly since, and is not given for now (C3.1.3).
    LayerSuspended,
    /// A version whose day has come waits for something that people decide.
    PublicationWaits,
    /// A row cannot be read, or is not what a decision can have written: it is passed over, and the others are not.
    RowPassedOver,
    /// A tablet refuses to leave lost mode, which nothing wants any more (T-C17).
    LostModeStays,
    /// A notice reached nobody by mail: the letter must be handed over (C5.3.5).
    NoticeUndelivered,
    /// Mail has waited for hours: the mail server does not take it.
    MailWaits,
    /// Whoever had a tablet must be told by hand that it may be located, or that this is over (M1).
    WarrantUntold,
}

impl AlarmKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::IdentityMismatch => "identity-mismatch",
            Self::SupersededCertificate => "superseded-certificate",
            Self::UnknownCertificate => "unknown-certificate",
            Self::UnknownSerial => "unknown-serial",
            Self::RefusedEnrolment => "refused-enrolment",
            Self::Reenrolment => "re-enrolment",
            Self::ManagementRemoved => "management-removed",
            Self::ProfileRemoved => "profile-removed",
            Self::UnknownReport => "unknown-report",
            Self::CommandWithoutProof => "command-without-proof",
            Self::RefusedCommand => "refused-command",
            Self::AccountByTheMachine => "account-by-the-machine",
            Self::PushCertificateExpires => "push-certificate-expires",
            Self::PublicationRefused => "publication-refused",
            Self::RolloutPaused => "rollout-paused",
            Self::AppNotAsDecided => "app-not-as-decided",
            Self::LayerSuspended => "layer-suspended",
            Self::PublicationWaits => "publication-waits",
            Self::RowPassedOver => "row-passed-over",
            Self::LostModeStays => "lost-mode-stays",
            Self::NoticeUndelivered => "notice-undelivered",
            Self::MailWaits => "mail-waits",
            Self::WarrantUntold => "warrant-untold",
        }
    }
}

/// Which tablet an alarm is about. Alarms of one kind about one subject are counted, not repeated.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    name: String,
    tablet: Option<TabletId>,
    enrolment: Option<EnrolmentId>,
}

impl Subject {
    /// About something else than a tablet.
    pub(crate) fn named(name: String) -> Self {
        Self { name, tablet: None, enrolment: None }
    }

    pub(crate) fn enrolment(enrolment: &Enrolment) -> Self {
        Self { name: enrolment.id.to_string(), tablet: enrolment.tablet_id, enrolment: Some(enrolment.id) }
    }

    /// About a tablet, whatever its enrolment.
    pub(crate) fn tablet(tablet: TabletId) -> Self {
        Self { name: tablet.to_string(), tablet: Some(tablet), enrolment: None }
    }

    /// About a collège: its head and référent see it, too.
    pub(crate) fn college(uai: &Uai) -> Self {
        Self::thing(alarms::about_college(uai))
    }

    fn certificate(digest: &Digest, of: Option<&Enrolment>) -> Self {
        match of {
            Some(enrolment) => Self::enrolment(enrolment),
            None => Self { name: digest.to_string(), tablet: None, enrolment: None },
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Something that is no tablet, by a name of its own.
    pub(crate) const fn thing(name: String) -> Self {
        Self { name, tablet: None, enrolment: None }
    }

    fn serial(serial: &SerialNumber, tablet: Option<TabletId>) -> Self {
        Self { name: serial.to_string(), tablet, enrolment: None }
    }
}

/// Who a message claims to come from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claim {
    pub(crate) udid: Option<Udid>,
    pub(crate) serial: Option<SerialNumber>,
}

impl Claim {
    pub(crate) fn of_message(message: &CheckIn) -> Self {
        let serial = match message {
            CheckIn::Authenticate(message) => message.serial_number.clone(),
            _ => None,
        };
        Self { udid: message.udid().cloned(), serial }
    }
}

/// The digest under which the memory knows an identity.
pub(crate) fn digest(identity: &DeviceIdentity) -> Digest {
    Digest::from(*identity.fingerprint().as_bytes())
}

/// Raises an alarm, or counts it once more.
pub(crate) fn raise(
    tx: &mut Tx<'_>,
    kind: AlarmKind,
    subject: &Subject,
    detail: Value,
    now: Instant,
) -> Result<(), StoreError> {
    let alarm = NewAlarm {
        kind: kind.as_str().to_owned(),
        about: Some(subject.name.clone()),
        tablet: subject.tablet,
        enrolment: subject.enrolment,
        detail,
    };
    alarms::raise(tx, &alarm, now)?;
    Ok(())
}

/// Raises an alarm unless one of that kind about that subject was raised before: what lasts is not counted every minute.
pub(crate) fn raise_once(
    tx: &mut Tx<'_>,
    kind: AlarmKind,
    subject: &Subject,
    detail: Value,
    now: Instant,
) -> Result<(), StoreError> {
    if alarms::was_raised(tx, kind.as_str(), subject.name())? {
        return Ok(());
    }
    raise(tx, kind, subject, detail, now)
}

/// Passes over a row that cannot be read or decided, with an alarm; whatever else failed is the caller's to fail with.
///
/// # Errors
/// The failure itself, if it is not about a row; or that the alarm could not be kept.
pub(crate) async fn pass_over(
    fleet: &Fleet,
    row: String,
    failure: crate::Refusal,
    now: Instant,
) -> Result<(), crate::Refusal> {
    if !is_about_a_row(&failure) {
        return Err(failure);
    }
    tracing::error!(row, %failure, "a row is passed over");
    let detail = json!({ "why": failure.to_string() });
    fleet
        .store()
        .write(move |tx| {
            raise_once(tx, AlarmKind::RowPassedOver, &Subject::thing(row.clone()), detail.clone(), now)?;
            Ok::<_, crate::Refusal>(())
        })
        .await
}

/// Does the same to each of these rows, all in one transaction. If one of them cannot be read or decided, each is done in
/// a transaction of its own, and that one is passed over with an alarm. Says to how many something was done.
///
/// # Errors
/// What is not about a row.
pub(crate) async fn each_of<Id, Act>(
    fleet: &Fleet,
    rows: Vec<Id>,
    act: Act,
    now: Instant,
) -> Result<usize, crate::Refusal>
where
    Id: Copy + std::fmt::Display + Send + Sync + 'static,
    Act: Fn(&mut Tx<'_>, Id) -> Result<bool, crate::Refusal> + Clone + Send + 'static,
{
    let (all, act_on) = (rows.clone(), act.clone());
    let together = fleet
        .store()
        .write(move |tx| {
            let mut done = 0;
            for id in &all {
                done += usize::from(act_on(tx, *id)?);
            }
            Ok::<_, crate::Refusal>(done)
        })
        .await;
    match together {
        Err(failure) if is_about_a_row(&failure) => {}
        other => return other,
    }
    let mut done = 0;
    for id in rows {
        let act = act.clone();
        match fleet.store().write(move |tx| act(tx, id)).await {
            Ok(something) => done += usize::from(something),
            Err(failure) => pass_over(fleet, id.to_string(), failure, now).await?,
        }
    }
    Ok(done)
}

fn is_about_a_row(failure: &crate::Refusal) -> bool {
    match failure {
        crate::Refusal::Store(error) => error.is_about_a_row(),
        crate::Refusal::Internal(_) => true,
        _ => false,
    }
}

/// Raises an alarm about a tablet that is being served. A failure is logged: the tablet must not wait for it.
pub(crate) async fn raise_now(fleet: &Fleet, kind: AlarmKind, enrolment: &ConnectEnrolment, now: Instant) {
    let subject =
        Subject { name: enrolment.id.to_string(), tablet: enrolment.tablet, enrolment: Some(enrolment.id) };
    tracing::warn!(alarm = kind.as_str(), enrolment = %enrolment.id, "alarm");
    let raised = fleet.store().write(move |tx| raise(tx, kind, &subject, json!({}), now)).await;
    if let Err(error) = raised {
        tracing::error!(alarm = kind.as_str(), %error, "alarm not recorded");
    }
}

/// Raises the alarm that a refusal deserves, and remembers a tablet that the database does not know.
pub(crate) async fn report(
    fleet: &Fleet,
    identity: &DeviceIdentity,
    claim: &Claim,
    error: &TabletError,
    now: Instant,
) {
    let kind = match error {
        TabletError::Mismatch { .. } => AlarmKind::IdentityMismatch,
        TabletError::Superseded => AlarmKind::SupersededCertificate,
        TabletError::Orphan { .. } => AlarmKind::UnknownCertificate,
        TabletError::NotInInventory { .. } => AlarmKind::UnknownSerial,
        TabletError::NotAdmitted { .. } => AlarmKind::RefusedEnrolment,
        _ => return,
    };
    let digest = digest(identity);
    tracing::warn!(alarm = kind.as_str(), certificate = %digest, %error, "tablet refused");
    let (claim, authority) = (claim.clone(), Digest::from(*identity.authority().as_bytes()));
    let raised = fleet
        .store()
        .write(move |tx| {
            let bound = store::enrolments::by_certificate(tx, &digest)?;
            let enrolment = bound.as_ref().map(|(_certificate, enrolment)| enrolment);
            let subject = match (kind, &claim.serial) {
                (AlarmKind::UnknownSerial, Some(serial)) => Subject::serial(serial, None),
                _ => Subject::certificate(&digest, enrolment),
            };
            if kind == AlarmKind::UnknownCertificate {
                store::orphans::sighted(
                    tx,
                    &digest,
                    &authority,
                    claim.udid.as_ref(),
                    claim.serial.as_ref(),
                    now,
                )?;
            }
            let detail = json!({
                "claimed_udid": claim.udid.as_ref().map(Udid::as_str),
                "claimed_serial": claim.serial.as_ref().map(SerialNumber::as_str),
            });
            raise(tx, kind, &subject, detail, now)
        })
        .await;
    if let Err(error) = raised {
        tracing::error!(alarm = kind.as_str(), %error, "alarm not recorded");
    }
}

/// Raises the alarm that a device of Apple's which is not in the inventory tried to enrol (C3.3.4).
pub(crate) async fn report_stranger(fleet: &Fleet, serial: &SerialNumber, now: Instant) {
    let (kind, subject) = (AlarmKind::UnknownSerial, Subject::serial(serial, None));
    let detail = json!({ "claimed_serial": serial.as_str() });
    let raised = fleet.store().write(move |tx| raise(tx, kind, &subject, detail.clone(), now)).await;
    if let Err(error) = raised {
        tracing::error!(alarm = kind.as_str(), %error, "alarm not recorded");
    }
}

/// Raises the alarm that a tablet of the inventory starts to enrol although it is enrolled.
pub(crate) fn raise_reenrolment(
    tx: &mut Tx<'_>,
    former: &Enrolment,
    serial: &SerialNumber,
    now: Instant,
) -> Result<(), StoreError> {
    let subject = Subject::serial(serial, former.tablet_id);
    raise(tx, AlarmKind::Reenrolment, &subject, json!({ "former_enrolment": former.id.to_string() }), now)
}
