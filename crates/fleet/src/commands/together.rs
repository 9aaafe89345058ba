//! Commands that people send at the same moment: authorised and decided one by one, queued and logged in a few statements,
//! which share one commit.
//!
//! Whatever is not plain (it is refused, it was queued before, the tablet came from another server) is left to be done
//! alone, by [`alone`](super::alone), which says why.

use std::collections::HashSet;
use std::sync::Arc;

use apple::command::RequestType;
use governance::{Permission, Reach};
use orders::Queueable;
use privacy::Activity;
use store::commands::{Command, Enqueue};
use store::enrolments::Enrolment;
use store::tablets::Tablet;
use store::{StoreError, Together, Tx, commands, enrolments};
use types::{CommandId, EnrolmentId, Instant, SerialNumber, TabletId};
use uuid::Uuid;

use super::{Accepted, NewCommand, change, check, check_envelope};
use crate::request::{self, Request};
use crate::tablets::{Named, place};
use crate::{Fleet, Principal, Refusal, management_profile, push, register};

/// A command that somebody sends.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(super) principal: Principal,
    pub(super) named: Named,
    pub(super) new: NewCommand,
    pub(super) request: Request,
    pub(super) now: Instant,
}

impl Asked {
    /// A command as it was sent.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] names the field.
    pub(crate) fn read(
        principal: &Principal,
        named: Named,
        new: NewCommand,
        now: Instant,
    ) -> Result<Self, Refusal> {
        check_envelope(&new, now)?;
        let request = request::read(&new.request_type, new.content.as_ref())?;
        Ok(Self { principal: principal.clone(), named, new, request, now })
    }

    /// How it is queued.
    pub(super) fn how(&self, tablet: TabletId, enrolment: EnrolmentId) -> Enqueue {
        Enqueue {
            id: CommandId::new(self.now),
            enrolment,
            tablet,
            priority: self.new.priority,
            replaces_key: self.request.replaces_key.clone(),
            idempotency_key: self.new.idempotency_key.clone(),
            at: self.now,
            by: self.principal.actor().to_string(),
            not_before: self.new.not_before,
            expires_at: self.new.expires_at,
        }
    }

    /// When the tablet is to be woken for it.
    pub(super) fn due(&self) -> Instant {
        self.new.not_before.unwrap_or(self.now).max(self.now)
    }
}

/// The kind of work.
#[derive(Debug)]
pub(crate) struct Queueing;

impl Together for Queueing {
    type Ask = Arc<Asked>;
    /// The command, or nothing was done: it is to be done alone.
    type Answer = Option<Command>;

    fn whose(asked: &Arc<Asked>) -> Uuid {
        match &asked.named {
            Named::Id(id) => id.as_uuid(),
            Named::Serial(serial) => end_of(serial.as_str()),
            Named::Label(label) => end_of(label),
        }
    }

    fn carry_out(&self, tx: &mut Tx<'_>, asked: &[&Arc<Asked>]) -> Result<Vec<Option<Command>>, StoreError> {
        let asked: Vec<&Asked> = asked.iter().map(|one| &***one).collect();
        carry_out(tx, &asked)
    }
}

/// The end of a serial number or a label is what differs from tablet to tablet.
fn end_of(name: &str) -> Uuid {
    let mut bytes = [0; 16];
    for (byte, place) in name.bytes().rev().zip(bytes.iter_mut().rev()) {
        *place = byte;
    }
    Uuid::from_bytes(bytes)
}

/// Has a command queued with those that come at the same moment, or alone if that takes more.
///
/// # Errors
/// [`Refusal`]; nothing is changed then.
pub(super) async fn queue(fleet: &Fleet, asked: Asked) -> Result<Accepted, Refusal> {
    let asked = Arc::new(asked);
    if let Some(command) = fleet.queueing().submit(Arc::clone(&asked)).await? {
        return Ok(Accepted { command, new: true });
    }
    fleet.store().write_held(move |tx| super::alone(tx, &asked)).await
}

/// Queues those that are plain.
pub(super) fn carry_out(tx: &mut Tx<'_>, asked: &[&Asked]) -> Result<Vec<Option<Command>>, StoreError> {
    let reaches = reaches(tx, asked)?;
    let tablets = named(tx, asked)?;
    let reached = |(place_of, one): (usize, &&Asked)| -> Option<(usize, TabletId)> {
        let (_, reach) = reaches.iter().find(|(principal, _)| **principal == one.principal)?;
        let tablet = tablets.iter().find(|tablet| match &one.named {
            Named::Id(id) => tablet.id == *id,
            Named::Serial(serial) => tablet.serial == *serial,
            // Which one a label means is looked at alone.
            Named::Label(_) => false,
        })?;
        reach.covers(&place(tablet)).then_some((place_of, tablet.id))
    };
    let mut reached: Vec<(usize, TabletId)> = asked.iter().enumerate().filter_map(reached).collect();
    // A second one for one tablet may replace the first one, or be the same.
    let mut once = HashSet::new();
    reached.retain(|(_, tablet)| once.insert(*tablet));
    let live = enrolments::hold_live_of_tablets(tx, reached.iter().map(|(_, tablet)| *tablet))?;
    let lists_apps = |place: &usize| {
        asked.get(*place).is_some_and(|one| apple::inventory::lists_apps(one.request.request_type))
    };
    let now = asked.iter().map(|one| one.now).max().unwrap_or(Instant::from_millis(0));
    let may_list_apps = reached.iter().any(|(place, _)| lists_apps(place))
        && register::may_process(tx, Activity::AppInventory, now)?.is_ok();
    let mut queued = Vec::new();
    for (place, tablet) in reached {
        let Some(one) = asked.get(place).filter(|_| may_list_apps || !lists_apps(&place)) else { continue };
        let enrolment = live.iter().find(|enrolment| enrolment.tablet_id == Some(tablet));
        if let Some((queueable, how)) = enrolment.and_then(|enrolment| plain(one, tablet, enrolment)) {
            queued.push(((place, *one), (queueable, how)));
        }
    }
    // Whoever writes about several tablets goes in this order: their connects do, too.
    queued.sort_by_key(|(_, (_, how))| how.enrolment);
    let (places, queued): (Vec<_>, Vec<_>) = queued.into_iter().unzip();
    let mut answers = vec![None; asked.len()];
    let (mut wanted, mut entries) = (Vec::new(), Vec::new());
    for ((place, one), command) in places.into_iter().zip(commands::enqueue_all(tx, queued)?) {
        let Some(command) = command else { continue };
        wanted.push((command.enrolment_id, one.due(), one.now));
        entries.push(change(&command).entry(one.principal.actor(), one.now));
        if let Some(answer) = answers.get_mut(place) {
            *answer = Some(command);
        }
    }
    push::want_each(tx, wanted)?;
    store::audit::append_all(tx, &entries)?;
    Ok(answers)
}

/// What there is to queue, if the rules let it pass and the name of the tablet's own profile is ours.
fn plain(asked: &Asked, tablet: TabletId, enrolment: &Enrolment) -> Option<(Queueable, Enqueue)> {
    // Whether lost mode rests on an incident is looked at alone.
    if asked.request.request_type == RequestType::DisableLostMode {
        return None;
    }
    let profile = management_profile::ours(enrolment.kind)?;
    Some((check(&profile, &asked.request).ok()?, asked.how(tablet, enrolment.id)))
}

/// Where each of those who ask may send commands. Whoever may nowhere is told so alone.
fn reaches<'a>(tx: &mut Tx<'_>, asked: &[&'a Asked]) -> Result<Vec<(&'a Principal, Reach)>, StoreError> {
    let mut reaches: Vec<(&Principal, Option<Reach>)> = Vec::new();
    for one in asked {
        if reaches.iter().any(|(principal, _)| **principal == one.principal) {
            continue;
        }
        let reach = match one.principal.may(tx, Permission::SendCommands, one.now) {
            Ok(reach) => Some(reach),
            Err(Refusal::Store(error)) => return Err(error),
            Err(_refused) => None,
        };
        reaches.push((&one.principal, reach));
    }
    Ok(reaches.into_iter().filter_map(|(principal, reach)| Some((principal, reach?))).collect())
}

/// The tablets that are named, as many as there are.
fn named(tx: &mut Tx<'_>, asked: &[&Asked]) -> Result<Vec<Tablet>, StoreError> {
    let (mut ids, mut serials): (Vec<TabletId>, Vec<SerialNumber>) = (Vec::new(), Vec::new());
    for one in asked {
        match &one.named {
            Named::Id(id) => ids.push(*id),
            Named::Serial(serial) => serials.push(serial.clone()),
            Named::Label(_) => {}
        }
    }
    let mut tablets = store::tablets::get_all(tx, ids)?;
    tablets.append(&mut store::tablets::by_serials(tx, serials)?);
    Ok(tablets)
}
