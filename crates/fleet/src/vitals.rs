//! How the pulse is doing: what tablets wait for, and what waits for tablets. Counts only; nothing is about anybody.

use governance::Permission;
use outbound::PushOutcome;
use outbound::mail::MailAnswer;
use store::mails;
use store::push_states::{self, Backlog};
use types::Instant;
use types::meter::{Counter, Timer, Times};

use crate::{Fleet, Principal, Refusal, TabletError, Told};

/// What is counted while the program runs.
#[derive(Debug, Default)]
pub struct Meters {
    pub(crate) connects: Timer,
    pub(crate) check_ins: Timer,
    pub(crate) refused: Counter,
    pub(crate) unavailable: Counter,
    pub(crate) quiet: Counter,
    pushes: Pushes<Counter>,
    mails: Mails<Counter>,
}

/// Mails by what became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mails<N> {
    /// The server took it.
    pub accepted: N,
    /// The server refused it for good.
    pub refused: N,
    /// Not now.
    pub put_off: N,
    /// Nobody knows whether it went.
    pub unknown: N,
}

/// Pushes by what Apple said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pushes<N> {
    /// Taken.
    pub accepted: N,
    /// Refused: the token is no good.
    pub token_invalid: N,
    /// Refused: too many.
    pub throttled: N,
    /// Refused: the push certificate is no good.
    pub certificate_refused: N,
    /// Not taken: the service failed or could not be reached.
    pub unavailable: N,
    /// Refused: the push itself is wrong.
    pub rejected: N,
}

impl Meters {
    pub(crate) fn mailed(&self, answer: &MailAnswer) {
        let Mails { accepted, refused, put_off, unknown } = &self.mails;
        match answer {
            MailAnswer::Taken => accepted.one(),
            MailAnswer::Never(_) => refused.one(),
            MailAnswer::NotNow(_) => put_off.one(),
            MailAnswer::Unknown => unknown.one(),
        }
    }

    pub(crate) fn pushed(&self, outcome: &PushOutcome) {
        let Pushes { accepted, token_invalid, throttled, certificate_refused, unavailable, rejected } =
            &self.pushes;
        match outcome {
            PushOutcome::Accepted { .. } => accepted.one(),
            PushOutcome::TokenInvalid { .. } => token_invalid.one(),
            PushOutcome::Throttled { .. } => throttled.one(),
            PushOutcome::CertificateRefused { .. } => certificate_refused.one(),
            PushOutcome::Unavailable { .. } => unavailable.one(),
            PushOutcome::Rejected { .. } => rejected.one(),
        }
    }

    /// Notes how a tablet was answered.
    pub(crate) fn answered<T>(
        &self,
        timer: &Timer,
        began: std::time::Instant,
        outcome: &Result<T, TabletError>,
    ) {
        timer.took(began.elapsed());
        match outcome {
            Err(error) if error.told() == Told::Unavailable => self.unavailable.one(),
            Err(_refused) => self.refused.one(),
            Ok(_) => {}
        }
    }
}

/// How the pulse is doing, on this node since it was started; what waits, on all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vitals {
    /// The memory.
    pub memory: store::Vitals,
    /// What waits to be pushed.
    pub backlog: Backlog,
    /// How long connects took.
    pub connects: Times,
    /// How long check-ins took.
    pub check_ins: Times,
    /// Messages of tablets that were refused: malformed, unproven, not ours.
    pub refused: u64,
    /// Messages of tablets that were told to come back, because something of ours failed.
    pub unavailable: u64,
    /// Tablets that were put off to the end of the quiet hours.
    pub quiet: u64,
    /// Pushes.
    pub pushes: Pushes<u64>,
    /// What waits to be mailed, on all nodes.
    pub mail_backlog: mails::Backlog,
    /// Mails.
    pub mails: Mails<u64>,
}

/// Reads them.
///
/// # Errors
/// [`Refusal::NotAllowed`]; [`Refusal::Store`].
pub async fn show(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<Vitals, Refusal> {
    let principal = principal.clone();
    let (backlog, mail_backlog) = fleet
        .store()
        .read(move |tx| {
            principal.may(tx, Permission::ViewTablets, now)?;
            Ok::<_, Refusal>((push_states::backlog(tx, now)?, mails::backlog(tx)?))
        })
        .await?;
    let meters = fleet.meters();
    let Pushes { accepted, token_invalid, throttled, certificate_refused, unavailable, rejected } =
        &meters.pushes;
    Ok(Vitals {
        memory: fleet.store().vitals(),
        backlog,
        connects: meters.connects.read(),
        check_ins: meters.check_ins.read(),
        refused: meters.refused.get(),
        unavailable: meters.unavailable.get(),
        quiet: meters.quiet.get(),
        pushes: Pushes {
            accepted: accepted.get(),
            token_invalid: token_invalid.get(),
            throttled: throttled.get(),
            certificate_refused: certificate_refused.get(),
            unavailable: unavailable.get(),
            rejected: rejected.get(),
        },
        mail_backlog,
        mails: Mails {
            accepted: meters.mails.accepted.get(),
            refused: meters.mails.refused.get(),
            put_off: meters.mails.put_off.get(),
            unknown: meters.mails.unknown.get(),
        },
    })
}
