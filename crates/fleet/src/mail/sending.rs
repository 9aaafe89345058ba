//! Sends mails: claimed, written out, handed over, and what the server said recorded.

use ::incidents::letter as warrant_letter;
use ::lending::calendar::deposits_begin;
use ::lending::letter::{self, About, Says, Text, Way};
use ::lending::mail::{MOST_DOUBTS, Next, Said, next};
use ::lending::notice::NoticeKind;
use outbound::mail::{Letter, MailAnswer, MailTrouble};
use serde_json::json;
use store::loans::{Loan, Standing};
pub use store::mails::Claimed;
use store::mails::{self, Mail, MailState};
use store::notices::{self, Notice};
use store::persons::Person;
use store::untold::OfWarrant;
use store::{
    Tx, incident_declarations, notices_due, persons, position_requests, restitutions, warrant_notices,
    warrants,
};
use types::{Actor, Day, Duration, IncidentKind, Instant, NoticeId, Uai, UserKind};

use super::writing::reminded_day;
use super::{is_on, loan_and_holder, names};
use crate::audit::{self, Change};
use crate::incidents::telling;
use crate::watch::{self, AlarmKind, Subject};
use crate::{Fleet, Principal, Refusal, Settings};

/// Why a mail has nobody to go to any more.
const NO_ADDRESS: &str = "no-address";
/// Why it has nothing to say any more.
const MOOT: &str = "moot";

/// Claims mails that are due, until `lease` is over; nothing while the activity is not validated. The messenger's work.
///
/// # Errors
/// [`Refusal::OtherHands`] for anyone but the calendar; [`Refusal::Store`].
pub async fn claim(
    fleet: &Fleet,
    principal: &Principal,
    (limit, lease): (u32, Duration),
    now: Instant,
) -> Result<Vec<Claimed>, Refusal> {
    principal.must_be_calendar()?;
    let due =
        fleet.store().read(move |tx| Ok::<_, Refusal>(mails::is_due(tx, now)? && is_on(tx, now)?)).await?;
    if !due {
        return Ok(Vec::new());
    }
    fleet.store().write_held(move |tx| Ok::<_, Refusal>(mails::claim(tx, now, now.plus(lease), limit)?)).await
}

/// Writes a claimed mail out; `None` if it has nobody to go to, nothing to say, or may not be sent once more. That is then
/// recorded. `None` too, and nothing is recorded, if the claim is over.
///
/// # Errors
/// [`Refusal::OtherHands`] for anyone but the calendar; [`Refusal::Store`].
pub async fn written(
    fleet: &Fleet,
    principal: &Principal,
    claimed: Claimed,
    now: Instant,
) -> Result<Option<Letter>, Refusal> {
    principal.must_be_calendar()?;
    let settings = fleet.clone();
    fleet
        .store()
        .write_held(move |tx| {
            let Some(mut mail) = ours(tx, claimed)?.filter(|mail| is_leased(mail, now)) else {
                return Ok(None);
            };
            if mail.handing_at.take().is_some() {
                // Whoever was at it died with the mail in hand.
                mail.doubts += 1;
                if u32::try_from(mail.doubts).is_ok_and(|doubts| doubts >= MOST_DOUBTS) {
                    end(tx, mail, MailState::GivenUp, "unknown", now)?;
                    return Ok(None);
                }
                mails::put(tx, &mail)?;
            }
            match compose(tx, settings.settings(), &mail, now)? {
                Composed::Letter(letter) => Ok(Some(letter)),
                Composed::Later(due_at) => {
                    mails::put(tx, &Mail { due_at, lease_until: None, ..mail })?;
                    Ok(None)
                }
                Composed::Nothing(why) => {
                    end(tx, mail, MailState::GivenUp, why, now)?;
                    Ok(None)
                }
            }
        })
        .await
}

/// Records that a mail is handed to the server now, and keeps others away for `lease`; `false` if it is no more ours to send.
///
/// # Errors
/// As [`written`].
pub async fn handing(
    fleet: &Fleet,
    principal: &Principal,
    claimed: Claimed,
    lease: Duration,
    now: Instant,
) -> Result<bool, Refusal> {
    principal.must_be_calendar()?;
    fleet
        .store()
        .write_held(move |tx| {
            let Some(mail) = ours(tx, claimed)? else { return Ok(false) };
            if mail.handing_at.is_some() || !is_leased(&mail, now) {
                return Ok(false);
            }
            // An authority may have asked for a delay since it was composed; the notice is held, so that none comes between (M1).
            if let (Some(warrant), Some(occasion)) = (mail.warrant_id, mail.occasion)
                && let Some(notice) = warrant_notices::hold(tx, warrant, occasion)?
            {
                let due_at = warrant_notices::due_at(tx, &notice)?;
                if due_at > now {
                    mails::put(tx, &Mail { due_at, lease_until: None, ..mail })?;
                    return Ok(false);
                }
            }
            mails::put(tx, &Mail { handing_at: Some(now), lease_until: Some(now.plus(lease)), ..mail })?;
            Ok(true)
        })
        .await
}

/// Records what the server said to a claimed mail, and what follows. One that was given back since, or that another claimed,
/// is left as it is. A lease that ran out while nobody else claimed it changes nothing: what the server said is known.
///
/// # Errors
/// As [`written`].
pub async fn record(
    fleet: &Fleet,
    principal: &Principal,
    claimed: Claimed,
    answer: MailAnswer,
    now: Instant,
) -> Result<(), Refusal> {
    principal.must_be_calendar()?;
    fleet.meters().mailed(&answer);
    let said = said(&answer);
    fleet
        .store()
        .write_held(move |tx| {
            let held = ours(tx, claimed)?.filter(|mail| mail.lease_until.is_some());
            let Some(mut mail) = held else { return Ok(()) };
            mail.handing_at = None;
            mail.lease_until = None;
            if said == Said::Unknown {
                mail.doubts += 1;
            }
            let count = |number: i32| u32::try_from(number).unwrap_or(0);
            match next(&said, count(mail.attempts), count(mail.doubts), mail.created_at, now) {
                Next::Counts => end(tx, mail, MailState::Accepted, "", now),
                Next::Refused(why) => end(tx, mail, MailState::Refused, &why, now),
                Next::GivenUp(why) => end(tx, mail, MailState::GivenUp, &why, now),
                Next::Again(due_at) => {
                    let reason = match &said {
                        Said::NotNow(why) => why.clone(),
                        _ => "unknown".to_owned(),
                    };
                    Ok(mails::put(tx, &Mail { due_at, reason: Some(reason), ..mail })?)
                }
            }
        })
        .await
}

/// The mail, held, if it waits and nobody claimed it since.
fn ours(tx: &mut Tx<'_>, claimed: Claimed) -> Result<Option<Mail>, Refusal> {
    let mail = mails::hold(tx, claimed.id)?;
    Ok(mail.filter(|mail| mail.state == MailState::Waiting && mail.attempts == claimed.attempt))
}

/// Whether the node that claimed it may still be at it.
fn is_leased(mail: &Mail, now: Instant) -> bool {
    mail.lease_until.is_some_and(|until| until > now)
}

/// A server's word in the rules' words.
fn said(answer: &MailAnswer) -> Said {
    match answer {
        MailAnswer::Taken => Said::Taken,
        MailAnswer::Never(code) => Said::Never(*code),
        MailAnswer::Unknown => Said::Unknown,
        MailAnswer::NotNow(trouble) => Said::NotNow(match trouble {
            MailTrouble::Egress(_) => "not-allowed".to_owned(),
            MailTrouble::Unreachable(_) => "unreachable".to_owned(),
            MailTrouble::Tls(_) => "not-protected".to_owned(),
            MailTrouble::RefusesUs(code) => format!("refuses-us {code}"),
            MailTrouble::Later(code) => code.to_string(),
        }),
    }
}

/// Ends a mail, whether its notice counts, and tells the collège of one that reached nobody.
pub(super) fn end(
    tx: &mut Tx<'_>,
    mail: Mail,
    state: MailState,
    why: &str,
    now: Instant,
) -> Result<(), Refusal> {
    let ended = Mail {
        state,
        reason: (!why.is_empty()).then(|| why.to_owned()),
        handing_at: None,
        lease_until: None,
        ended_at: Some(now),
        ..mail
    };
    mails::put(tx, &ended)?;
    if state == MailState::Accepted {
        if let Some(notice) = ended.notice_id {
            notices::count(tx, notice, None, now)?;
        }
        if let (Some(warrant), Some(occasion)) = (ended.warrant_id, ended.occasion) {
            warrant_notices::told(tx, warrant, occasion, None, now)?;
        }
    }
    let subject = about(tx, &ended)?;
    if let (Some(tablet), Some(_)) = (subject.tablet, ended.warrant_id) {
        telling::settle(tx, tablet, now)?;
    }
    let detail = json!({
        "mail": ended.id, "notice": ended.notice_id, "warrant": ended.warrant_id, "occasion": ended.occasion,
        "addressee": ended.addressee, "state": state, "why": ended.reason,
    });
    let change = Change::new("notice.mail").tablet(subject.tablet).detail(detail.clone());
    audit::record_by(tx, Actor::Calendar, change, now)?;
    if state != MailState::Accepted && why != MOOT {
        watch::raise(tx, AlarmKind::NoticeUndelivered, &Subject::college(&subject.uai), detail, now)?;
    }
    Ok(())
}

/// Which tablet a mail is about, and in which collège.
struct Concerned {
    tablet: Option<types::TabletId>,
    uai: Uai,
}

fn about(tx: &mut Tx<'_>, mail: &Mail) -> Result<Concerned, Refusal> {
    let loan = match (mail.notice_id, mail.warrant_id, mail.occasion) {
        (Some(notice), _, _) => notices::get(tx, &notice)?.map(|notice| notice.loan_id),
        (None, Some(warrant), Some(occasion)) => {
            warrant_notices::of(tx, warrant, occasion)?.and_then(|notice| notice.loan_id)
        }
        _ => None,
    };
    let loan = loan.ok_or_else(|| Refusal::Internal(format!("mail {} is about nothing", mail.id)))?;
    let (loan, _) = loan_and_holder(tx, loan)?;
    Ok(Concerned { tablet: Some(loan.tablet_id), uai: loan.uai })
}

/// A mail written out.
enum Composed {
    Letter(Letter),
    Later(Instant),
    Nothing(&'static str),
}

fn compose(tx: &mut Tx<'_>, settings: &Settings, mail: &Mail, now: Instant) -> Result<Composed, Refusal> {
    let missing = || Refusal::Internal(format!("mail {} is about nothing", mail.id));
    let person = persons::get(tx, &mail.person_id)?.ok_or_else(missing)?;
    let Some(to) = person.contacts.get(&mail.addressee).cloned() else {
        return Ok(Composed::Nothing(NO_ADDRESS));
    };
    let text = match (mail.notice_id, mail.warrant_id, mail.occasion) {
        (Some(notice), _, _) => of_notice(tx, settings, notice, &person, mail.created_at)?,
        (None, Some(warrant), Some(occasion)) => {
            let row = warrant_notices::of(tx, warrant, occasion)?.ok_or_else(missing)?;
            // An authority may have asked for a delay since, even after another addressee was told (M1).
            let due_at = warrant_notices::due_at(tx, &row)?;
            if due_at > now {
                return Ok(Composed::Later(due_at));
            }
            // Somebody told it meanwhile.
            if row.told_by.is_some() {
                return Ok(Composed::Nothing(MOOT));
            }
            let (loan, _) = loan_and_holder(tx, row.loan_id.ok_or_else(missing)?)?;
            let of = OfWarrant { warrant, occasion };
            of_warrant(tx, settings, of, (&loan, &person), mail.created_at)?
        }
        _ => None,
    };
    let Some(text) = text else { return Ok(Composed::Nothing(MOOT)) };
    let token = mail.token.parse().map_err(|()| missing())?;
    Ok(Composed::Letter(Letter {
        id: mail.id,
        token,
        to,
        text: text.both(),
        subject: text.subject,
        written_at: mail.created_at,
    }))
}

/// What a notice of a loan says now; `None` if it has nothing to say any more: the tablet is back that was to be brought, or
/// is erased that was to be.
fn of_notice(
    tx: &mut Tx<'_>,
    settings: &Settings,
    id: NoticeId,
    person: &Person,
    written: Instant,
) -> Result<Option<Text>, Refusal> {
    let Some(notice) = notices::get(tx, &id)? else { return Ok(None) };
    let (loan, _) = loan_and_holder(tx, notice.loan_id)?;
    let receipt = restitutions::of_loan(tx, loan.id)?;
    let title;
    let says = match notice.kind {
        NoticeKind::Reminder => match reminded_day(&notice.occasion) {
            Some(day) if receipt.is_none() && matches!(loan.state, Standing::Lent | Standing::Deposited) => {
                Says::Due(day)
            }
            _ => return Ok(None),
        },
        NoticeKind::LoanOver | NoticeKind::Overdue if receipt.is_none() => {
            Says::Over(loan.ended_on.unwrap_or_else(|| Day::of(loan.changed_at)))
        }
        NoticeKind::LoanOver | NoticeKind::Overdue => return Ok(None),
        NoticeKind::Received => match &receipt {
            Some(receipt) if receipt.id.to_string() == notice.occasion => {
                Says::Received { on: Day::of(receipt.received_at), days: notice_days(settings) }
            }
            _ => return Ok(None),
        },
        NoticeKind::Deposit => match reminded_day(&notice.occasion) {
            Some(until) if loan.state == Standing::Lent => {
                Says::Deposit { from: deposits_begin(until), until }
            }
            _ => return Ok(None),
        },
        NoticeKind::RulesChanged => {
            title = change_of(tx, &notice)?;
            match &title {
                Some(title) => Says::RulesChanged(title),
                None => return Ok(None),
            }
        }
    };
    headed(tx, settings, &loan, person, written, |about| letter::write(about, says, Way::Mail)).map(Some)
}

/// What the notice of a change calls it.
fn change_of(tx: &mut Tx<'_>, notice: &Notice) -> Result<Option<String>, Refusal> {
    let Ok(id) = notice.occasion.parse::<NoticeId>() else { return Ok(None) };
    Ok(notices_due::get(tx, &id)?.map(|change| change.title))
}

/// What the notice of a warrant says, by mail or in a letter; `None` if there is no such warrant.
pub(crate) fn of_warrant(
    tx: &mut Tx<'_>,
    settings: &Settings,
    OfWarrant { warrant: id, occasion }: OfWarrant,
    (loan, person): (&Loan, &Person),
    written: Instant,
) -> Result<Option<Text>, Refusal> {
    let Some(warrant) = warrants::get(tx, &id)? else { return Ok(None) };
    let incident = incident_declarations::load(tx, warrant.incident_id)?;
    let kind = incident.map_or(IncidentKind::AuthorityRequest, |incident| incident.kind);
    let asked = position_requests::asked(tx, id, warrant.tablet_id)?.under_this_warrant;
    let names = names(tx, loan, Some(person))?;
    let told = warrant_letter::Told {
        occasion,
        kind,
        serial: &names.serial,
        opened_on: Day::of(warrant.opens_at),
        asked,
    };
    let words = warrant_letter::write(&told);
    let about = about_loan(settings, &names, person, written);
    Ok(Some(Text {
        french: letter::headed(&about, &words.french, true),
        english: letter::headed(&about, &words.english, false),
        subject: words.subject,
    }))
}

fn headed(
    tx: &mut Tx<'_>,
    settings: &Settings,
    loan: &Loan,
    person: &Person,
    written: Instant,
    write: impl FnOnce(&About<'_>) -> Text,
) -> Result<Text, Refusal> {
    let names = names(tx, loan, Some(person))?;
    Ok(write(&about_loan(settings, &names, person, written)))
}

fn about_loan<'a>(
    settings: &'a Settings,
    names: &'a super::Names,
    person: &Person,
    written: Instant,
) -> About<'a> {
    About {
        organisation: &settings.organisation,
        college: &names.college,
        holder: &names.holder,
        minor: person.kind == UserKind::Pupil,
        serial: &names.serial,
        dated: Day::of(written),
    }
}

/// How many days an erasure waits after its notice.
pub(crate) fn notice_days(settings: &Settings) -> i64 {
    i64::try_from(settings.erasures.notice().as_secs() / 86_400).unwrap_or(i64::MAX)
}
