//! Warrants that holders and guardians were not told of by mail, and must be told of by hand: a letter to print and hand over,
//! or a word in person (M1, C7.1). What waits for somebody raises an alarm, until it is told.

use std::collections::{BTreeMap, BTreeSet};

use governance::{Permission, Place};
use incidents::Incident;
use lending::letter::addressees;
use privacy::Activity;
use serde_json::json;
use store::mails::{self, Mail, MailState};
use store::persons::Known;
use store::untold::{self, OfWarrant};
use store::warrant_notices::{self, ToldHow, WarrantNotice};
use store::{Tx, Within, alarms, incident_declarations, loans, persons, tablets, warrant_grants};
use types::{AccountId, Day, Instant, LoanId, PersonId, RuleId, SerialNumber, TabletId, Uai, WarrantId};

use super::warrants::reached_warrant;
use crate::audit::{self, Change};
use crate::countersignatures::{Somebody, somebody};
use crate::mail::{self, Letter};
use crate::page::{Listed, Page};
use crate::watch::{self, AlarmKind, Subject};
use crate::worded::Worded;
use crate::{Fleet, Principal, Refusal, register};

/// How many notices one statement of the calendar looks at.
const BATCH: u32 = 200;

types::text_enum! {
    /// Why a notice that is due was not told yet.
    Stands: "why a notice was not told" {
        /// Its mail is about to be written, or waits to be taken by the mail server.
        OnItsWay = "on-its-way",
        /// No mail server is configured: somebody tells it.
        NoMailServer = "no-mail-server",
        /// Nobody knows an address of the holder, or of the guardians: somebody tells it.
        NoAddress = "no-address",
        /// No mail reached anybody: refused, given up, or it came back. Somebody tells it.
        Unreached = "unreached",
        /// The DPO has not validated notices: none is written (C3.1.6).
        NotValidated = "not-validated",
    }
}

impl Stands {
    /// Whether it is told only by somebody's hand.
    #[must_use]
    pub const fn by_hand(self) -> bool {
        match self {
            Self::NoMailServer | Self::NoAddress | Self::Unreached => true,
            Self::OnItsWay | Self::NotValidated => false,
        }
    }

    fn of(mails: &[Mail], has_address: bool, by_mail: bool, validated: bool) -> Self {
        match mails {
            _ if !validated => Self::NotValidated,
            _ if !by_mail => Self::NoMailServer,
            [] if has_address => Self::OnItsWay,
            [] => Self::NoAddress,
            mails if mails.iter().any(|mail| mail.state == MailState::Waiting) => Self::OnItsWay,
            _ => Self::Unreached,
        }
    }
}

types::text_enum! {
    /// Why whoever reads the list may not tell a notice by hand.
    MayNotTell: "why somebody may not tell a notice" {
        /// They asked for its warrant: one person would locate a tablet and keep it quiet.
        AskedForIt = "asked-for-it",
        /// Their roles let them look at it only.
        OnlyLooks = "only-looks",
    }
}

/// What was told before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldBefore {
    /// When.
    pub at: Instant,
    /// How somebody told it; nothing, of what went by mail.
    pub how: Option<ToldHow>,
    /// Who told it; nobody, of what went by mail.
    pub by: Option<Somebody>,
}

/// What came of telling a notice by hand.
#[derive(Debug, Clone)]
pub struct Told {
    /// The letter.
    pub letter: Letter<OfWarrant>,
    /// What was told before and stays as it was told: this time changed nothing.
    pub before: Option<ToldBefore>,
}

/// A notice of a warrant that nobody was told of yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Untold {
    /// Of which warrant, and what it tells.
    pub of: OfWarrant,
    /// The notice.
    pub notice: WarrantNotice,
    /// The tablet.
    pub tablet: TabletId,
    /// Its serial number.
    pub serial: Option<SerialNumber>,
    /// The collège of the incident: whoever handles it there tells.
    pub uai: Uai,
    /// Why nobody was told.
    pub stands: Stands,
}

/// A notice that somebody is to tell, as whoever reads the list may.
#[derive(Debug, Clone, PartialEq)]
pub struct ToTell {
    /// The notice.
    pub untold: Untold,
    /// Why whoever reads may not tell it by hand.
    pub may_not: Option<MayNotTell>,
}

/// Notices of warrants that are due and were not told, of incidents within reach: the first granted first.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    page: Page<OfWarrant>,
    now: Instant,
) -> Result<Listed<ToTell>, Refusal> {
    let (principal, by_mail) = (principal.clone(), fleet.settings().notices.by_mail);
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ViewIncidents, now)?;
            let due = untold::of_warrants_within(tx, &within, now, page.after, page.with_one_more())?;
            let Listed { items, next } = page.cut(due, ToString::to_string);
            let untold = seen(tx, &items, by_mail, now)?;
            Ok(Listed { items: for_whom_reads(tx, &principal, untold, now)?, next })
        })
        .await
}

/// Each notice with why whoever reads it may not tell it.
fn for_whom_reads(
    tx: &mut Tx<'_>,
    principal: &Principal,
    untold: Vec<Untold>,
    now: Instant,
) -> Result<Vec<ToTell>, Refusal> {
    let me = principal.person(tx, now)?.standing.account();
    let reach = match principal.may(tx, Permission::HandleIncident, now) {
        Ok(reach) => Some(reach),
        Err(Refusal::NotAllowed(_)) => None,
        Err(failure) => return Err(failure),
    };
    let warrants: BTreeSet<WarrantId> = untold.iter().map(|untold| untold.of.warrant).collect();
    let granted = warrant_grants::get_all(tx, warrants)?;
    let asked_for: BTreeSet<WarrantId> = granted
        .into_iter()
        .filter(|granted| granted.author == me)
        .map(|granted| granted.warrant_id)
        .collect();
    let may_not = |untold: &Untold| {
        let place = Place::College(Some(untold.uai.clone()));
        if !reach.as_ref().is_some_and(|reach| reach.covers(&place)) {
            Some(MayNotTell::OnlyLooks)
        } else if asked_for.contains(&untold.of.warrant) {
            Some(MayNotTell::AskedForIt)
        } else {
            None
        }
    };
    Ok(untold.into_iter().map(|untold| ToTell { may_not: may_not(&untold), untold }).collect())
}

/// What is known of these notices, in their order: as many statements for one as for all.
fn seen(tx: &mut Tx<'_>, all: &[OfWarrant], by_mail: bool, now: Instant) -> Result<Vec<Untold>, Refusal> {
    let warrants: BTreeSet<WarrantId> = all.iter().map(|of| of.warrant).collect();
    let notices = warrant_notices::of_all(tx, warrants.iter().copied())?;
    let notices: BTreeMap<_, _> =
        notices.into_iter().map(|notice| ((notice.warrant_id, notice.occasion.as_str()), notice)).collect();
    let of_loans: BTreeSet<LoanId> = notices.values().filter_map(|notice| notice.loan_id).collect();
    let loans = loans::get_all(tx, of_loans)?;
    let holders: BTreeSet<PersonId> = loans.iter().map(|loan| loan.person_id).collect();
    let holders = persons::get_all(tx, holders)?;
    let lent: BTreeSet<TabletId> = loans.iter().map(|loan| loan.tablet_id).collect();
    let lent = tablets::get_all(tx, lent)?;
    let of_warrants = warrants.clone();
    let mails = mails::of_warrants(tx, warrants)?;
    let validated = mail::is_on(tx, now)?;
    let colleges = incident_declarations::colleges_of(tx, of_warrants)?;
    let one = |of: &OfWarrant| {
        let notice = notices.get(&(of.warrant, of.occasion.as_str()))?;
        let loan = loans.iter().find(|loan| Some(loan.id) == notice.loan_id)?;
        let holder = holders.iter().find(|holder| holder.id == loan.person_id)?;
        let has_address = holder.entry().is_some_and(|entry| !addressees(&entry).is_empty());
        let of_this =
            |mail: &&Mail| mail.warrant_id == Some(of.warrant) && mail.occasion == Some(of.occasion);
        let mails: Vec<Mail> = mails.iter().filter(of_this).cloned().collect();
        let serial = lent.iter().find(|tablet| tablet.id == loan.tablet_id);
        Some(Untold {
            of: *of,
            notice: notice.clone(),
            tablet: loan.tablet_id,
            serial: serial.map(|tablet| tablet.serial.clone()),
            uai: colleges.get(&of.warrant)?.clone(),
            stands: Stands::of(&mails, has_address, by_mail, validated),
        })
    };
    let nobody = |of: &OfWarrant| Refusal::Internal(format!("notice {of} is for nobody"));
    all.iter().map(|of| one(of).ok_or_else(|| nobody(of))).collect()
}

/// Writes the letter that tells of a warrant: to print and hand over.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::NotValidated`] as long as notices are off; [`Refusal::Conflict`] if there is nobody to
/// tell; [`Refusal::Forbidden`] before the day that an authority asked for.
pub async fn letter(
    fleet: &Fleet,
    principal: &Principal,
    of: OfWarrant,
    now: Instant,
) -> Result<Letter<OfWarrant>, Refusal> {
    let (principal, context) = (principal.clone(), fleet.clone());
    fleet
        .store()
        .read(move |tx| {
            let (_, notice) = due(tx, &principal, of, now)?;
            rendered(tx, &context, of, &notice, now)
        })
        .await
}

/// Records that somebody handed the letter over, or said what it says. What was told before stays as it was told, and whoever tells
/// it again is told when that was, and by whom.
///
/// Whoever asked for the warrant does not say that its holder was told: one person would locate a tablet and keep it quiet.
///
/// # Errors
/// As [`letter`](fn@letter); [`Refusal::Forbidden`] for whoever asked for the warrant; [`Refusal::Conflict`] while it is told
/// by mail.
pub async fn told(
    fleet: &Fleet,
    principal: &Principal,
    of: OfWarrant,
    how: ToldHow,
    now: Instant,
) -> Result<Told, Refusal> {
    let (principal, context) = (principal.clone(), fleet.clone());
    let by_mail = fleet.settings().notices.by_mail;
    fleet
        .store()
        .write(move |tx| {
            let (incident, before) = due(tx, &principal, of, now)?;
            let by = principal.person(tx, now)?.standing.account();
            must_be_told_by(tx, of, by)?;
            let told_before = told_before(tx, &before)?;
            if told_before.is_none() {
                must_go_by_hand(&seen(tx, &[of], by_mail, now)?)?;
            }
            if warrant_notices::told(tx, of.warrant, of.occasion, Some((how, by)), now)? {
                let detail = json!({
                    "warrant": of.warrant, "incident": incident.id, "occasion": of.occasion, "how": how,
                });
                let change = Change::new("warrant.tell").tablet(Some(incident.tablet)).detail(detail);
                audit::record(tx, &principal, change, now)?;
            }
            settle(tx, incident.tablet, now)?;
            let notice = warrant_notices::of(tx, of.warrant, of.occasion)?;
            let notice = notice.ok_or_else(|| Refusal::not_found("notice", of))?;
            let letter = rendered(tx, &context, of, &notice, now)?;
            Ok(Told { letter, before: told_before })
        })
        .await
}

fn told_before(tx: &mut Tx<'_>, notice: &WarrantNotice) -> Result<Option<ToldBefore>, Refusal> {
    let Some(at) = notice.told_at else { return Ok(None) };
    let by = notice.told_by.map(|account| somebody(tx, account)).transpose()?;
    Ok(Some(ToldBefore { at, how: notice.told_how, by }))
}

/// The notice, if whoever asks may tell it now.
fn due(
    tx: &mut Tx<'_>,
    principal: &Principal,
    of: OfWarrant,
    now: Instant,
) -> Result<(Incident, WarrantNotice), Refusal> {
    let (_, incident) = reached_warrant(tx, principal, Permission::HandleIncident, of.warrant, now)?;
    let notice = warrant_notices::of(tx, of.warrant, of.occasion)?;
    let notice = notice.ok_or_else(|| Refusal::not_found("notice", of))?;
    register::may_process(tx, Activity::Notices, now)??;
    let Some(loan) = notice.loan_id else {
        return Err(Worded::contradicts(
            "nobody had the tablet: there is nobody to tell",
            "personne n’avait la tablette : il n’y a personne à informer",
        )
        .into());
    };
    let (_, holder) = mail::loan_and_holder(tx, loan)?;
    if holder.name == Known::Forgotten {
        return Err(Worded::contradicts(
            "whoever had the tablet was forgotten: there is nobody to tell any more",
            "la personne qui avait la tablette a été effacée : il n’y a plus personne à informer",
        )
        .into());
    }
    let due_at = warrant_notices::due_at(tx, &notice)?;
    if due_at > now {
        let day = Day::of(due_at);
        return Err(Worded::forbids(
            RuleId::M1,
            format!("an authority asked that nobody be told before {day}: tell it then"),
            format!(
                "une autorité a demandé que personne ne soit informé avant le {day} : faites-le ce jour-là"
            ),
        )
        .then(
            "`ardoise notice to-tell` lists it from that day on",
            "`ardoise notice to-tell` le montre à partir de ce jour",
        )
        .into());
    }
    Ok((incident, notice))
}

fn must_be_told_by(tx: &mut Tx<'_>, of: OfWarrant, by: AccountId) -> Result<(), Refusal> {
    let asked_for_it = warrant_grants::get(tx, &of.warrant)?.is_some_and(|granted| granted.author == by);
    if asked_for_it {
        return Err(Worded::forbids(
            RuleId::M1,
            "you asked for this warrant: somebody else of the collège tells of it, and records that",
            "vous avez demandé cette autorisation : une autre personne du collège informe, et l’enregistre",
        )
        .then(
            format!("the head, or another technician of the collège, types `ardoise notice told {of} --how letter`"),
            format!(
                "le chef d’établissement, ou un autre technicien du collège, tape `ardoise notice told {of} --how letter`"
            ),
        )
        .into());
    }
    Ok(())
}

fn must_go_by_hand(untold: &[Untold]) -> Result<(), Refusal> {
    if untold.iter().all(|untold| untold.stands.by_hand()) {
        return Ok(());
    }
    Err(Worded::contradicts(
        "this notice goes by mail: tell it by hand only once no mail reached anybody; it is then listed so",
        "cet avis part par courriel : informez de vive voix seulement si aucun courriel n’est arrivé ; la liste le dit alors",
    )
    .then(
        "`ardoise notice to-tell` says how its mail stands",
        "`ardoise notice to-tell` dit où en est son courriel",
    )
    .into())
}

fn rendered(
    tx: &mut Tx<'_>,
    fleet: &Fleet,
    of: OfWarrant,
    notice: &WarrantNotice,
    now: Instant,
) -> Result<Letter<OfWarrant>, Refusal> {
    let loan = notice.loan_id.ok_or_else(|| Refusal::Internal(format!("notice {of} is for nobody")))?;
    let (loan, person) = mail::loan_and_holder(tx, loan)?;
    let written = notice.told_at.unwrap_or(now);
    let text = mail::sending::of_warrant(tx, fleet.settings(), of, (&loan, &person), written)?
        .ok_or_else(|| Refusal::not_found("notice", of))?;
    Ok(Letter { notice: of, handed_over_at: notice.told_at, french: text.french, english: text.english })
}

/// Raises an alarm about each tablet of whose warrants somebody must tell by hand, and settles those that nobody is to be told
/// of any more. The calendar's work; says how many it raised.
///
/// # Errors
/// [`Refusal::OtherHands`] for anyone but the calendar.
pub async fn watch(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    let (by_mail, mut after, mut raised) = (fleet.settings().notices.by_mail, None, 0);
    loop {
        let (due, silent) = fleet
            .store()
            .read(move |tx| {
                let due = untold::of_warrants_within(tx, &Within::Everything, now, after, BATCH)?;
                let silent = without_alarm(tx, &due, by_mail, now)?;
                Ok::<_, Refusal>((due, silent.into_iter().map(|untold| untold.of).collect::<Vec<_>>()))
            })
            .await?;
        if !silent.is_empty() {
            raised += fleet.store().write(move |tx| raise(tx, &silent, by_mail, now)).await?;
        }
        let more = due.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX);
        match due.last() {
            Some(last) if more => after = Some(*last),
            _ => break,
        }
    }
    if !fleet.store().read(move |tx| over(tx, now)).await?.is_empty() {
        fleet.store().write(move |tx| settle_what_is_over(tx, now)).await?;
    }
    Ok(raised)
}

/// Those of these notices that somebody must tell by hand, of tablets that no alarm is open about: one for each.
fn without_alarm(
    tx: &mut Tx<'_>,
    due: &[OfWarrant],
    by_mail: bool,
    now: Instant,
) -> Result<Vec<Untold>, Refusal> {
    let alarmed = alarms::tablets_of_open(tx, AlarmKind::WarrantUntold.as_str())?;
    let mut alarmed: BTreeSet<TabletId> = alarmed.into_iter().collect();
    let waits = |untold: &Untold| untold.notice.told_at.is_none() && untold.notice.due_at <= now;
    let mut untold = seen(tx, due, by_mail, now)?;
    untold.retain(|one| waits(one) && one.stands.by_hand() && alarmed.insert(one.tablet));
    Ok(untold)
}

/// Somebody may have told it since it was found: each is looked at once more.
fn raise(tx: &mut Tx<'_>, silent: &[OfWarrant], by_mail: bool, now: Instant) -> Result<usize, Refusal> {
    let untold = without_alarm(tx, silent, by_mail, now)?;
    for Untold { of, tablet, stands, .. } in &untold {
        let detail = json!({ "notice": of.to_string(), "why": stands });
        watch::raise(tx, AlarmKind::WarrantUntold, &Subject::tablet(*tablet), detail, now)?;
    }
    Ok(untold.len())
}

/// The tablets that an alarm is open about, though nobody is to be told any more: whoever had it was forgotten, or an authority
/// asked for a delay.
fn over(tx: &mut Tx<'_>, now: Instant) -> Result<Vec<TabletId>, Refusal> {
    let alarmed = alarms::tablets_of_open(tx, AlarmKind::WarrantUntold.as_str())?;
    let untold = warrant_notices::untold_among(tx, &alarmed, now)?;
    Ok(alarmed.into_iter().filter(|tablet| !untold.contains(tablet)).collect())
}

fn settle_what_is_over(tx: &mut Tx<'_>, now: Instant) -> Result<(), Refusal> {
    for tablet in over(tx, now)? {
        alarms::settle_about(tx, AlarmKind::WarrantUntold.as_str(), Subject::tablet(tablet).name(), now)?;
    }
    Ok(())
}

/// Settles the alarm about a tablet once whoever had it was told of each of its warrants.
pub(crate) fn settle(tx: &mut Tx<'_>, tablet: TabletId, now: Instant) -> Result<(), Refusal> {
    if warrant_notices::untold_among(tx, &[tablet], now)?.is_empty() {
        alarms::settle_about(tx, AlarmKind::WarrantUntold.as_str(), Subject::tablet(tablet).name(), now)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use incidents::NoticeOccasion;
    use lending::agreement::Signatory;
    use store::mails::About;

    use super::*;

    #[test]
    fn m1_somebody_must_tell_whoever_no_mail_reached_or_will_reach() {
        let now = Instant::from_millis(0);
        let about = About::Warrant(WarrantId::new(now), NoticeOccasion::Opened);
        let mail = |state| Mail { state, ..Mail::new(PersonId::new(now), Signatory::User, about, now) };
        let waits = [mail(MailState::Refused), mail(MailState::Waiting)];
        let back = [mail(MailState::Refused), mail(MailState::GivenUp), mail(MailState::Bounced)];
        for (mails, has_address, by_mail, validated, stands) in [
            (&[][..], true, true, true, Stands::OnItsWay),
            (&[][..], false, true, true, Stands::NoAddress),
            (&[][..], true, false, true, Stands::NoMailServer),
            (&waits[..], true, true, true, Stands::OnItsWay),
            (&waits[..], true, false, true, Stands::NoMailServer),
            (&back[..], true, true, true, Stands::Unreached),
            (&back[..], false, false, false, Stands::NotValidated),
        ] {
            assert_eq!(Stands::of(mails, has_address, by_mail, validated), stands, "{mails:?}");
        }
        let by_hand: Vec<Stands> = Stands::ALL.iter().copied().filter(|stands| stands.by_hand()).collect();
        assert_eq!(by_hand, [Stands::NoMailServer, Stands::NoAddress, Stands::Unreached]);
    }
}
