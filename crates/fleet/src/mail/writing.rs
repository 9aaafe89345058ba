//! Writes what is due to be told. However often it runs, and on however many nodes, each is told once.

use std::collections::BTreeSet;
use std::fmt::Display;

use ::lending::calendar::{deposit_due, due_back};
use ::lending::letter::addressees;
use ::lending::notice::NoticeKind;
use serde_json::json;
use store::loans::{Loan, Standing};
use store::mails::{self, About, Mail};
use store::notices::{self, Channel, Notice, NoticeState};
use store::persons::Person;
use store::untold::{self, OfWarrant};
use store::{Tx, notices_due, restitutions, school_years, warrant_notices};
use types::{Actor, Day, Instant, LoanId, NoticeId};

use super::{is_on, loan_and_holder};
use crate::audit::{self, Change};
use crate::lending::decided_year;
use crate::{Fleet, Principal, Refusal, watch};

/// Loans in one transaction.
const BATCH: u32 = 100;
/// Changes of the rules that are looked at in one round.
const CHANGES: u32 = 20;

/// Reminds the holders whose tablets are due back: what to save, where to bring it; and pupils, of the summer's deposit. The calendar's work, once a day; says how
/// many were reminded.
///
/// # Errors
/// [`Refusal::OtherHands`] for anyone but the calendar.
pub async fn remind(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    if !fleet.settings().notices.by_mail {
        return Ok(0);
    }
    let today = Day::of(now);
    let deposits = remind_of_deposits(fleet, today, now).await?;
    let days = fleet.settings().notices.reminders.clone();
    let until = today.plus(days.longest().into());
    let due = move |tx: &mut Tx<'_>, after: Option<LoanId>| -> Result<Vec<LoanId>, Refusal> {
        if !is_on(tx, now)? {
            return Ok(Vec::new());
        }
        Ok(untold::due_soon(tx, (today, until), after, BATCH)?)
    };
    let tell_one = move |tx: &mut Tx<'_>, id: LoanId| -> Result<usize, Refusal> {
        let (loan, person) = loan_and_holder(tx, id)?;
        // Stolen, in repair or confiscated: whoever had it cannot bring it.
        if loan.state == Standing::Suspended {
            return Ok(0);
        }
        let Some(back) = due_back(loan.decided()?.state(), person.leaves_on) else { return Ok(0) };
        let sent = reminders_sent(tx, id, NoticeKind::Reminder, back)?;
        let Some(step) = days.due(back, &sent, today) else { return Ok(0) };
        tell(tx, &loan, &person, NoticeKind::Reminder, &reminder(back, step), now)
    };
    Ok(deposits + walk(fleet, due, tell_one, now).await?)
}

/// Reminds the pupils whose tablets stay in the collège during the summer: until when they hand them in, and that nothing is
/// erased by it (C5.2.2).
async fn remind_of_deposits(fleet: &Fleet, today: Day, now: Instant) -> Result<usize, Refusal> {
    let days = fleet.settings().notices.reminders.clone();
    let year = fleet.store().read(move |tx| school_years::on(tx, today)).await?;
    let Some(year) = year.map(|year| decided_year(&year)).transpose()? else { return Ok(0) };
    let last = year.summer_starts_on().plus(-1);
    if today < last.plus(-i32::from(days.longest())) || last < today {
        return Ok(0);
    }
    let due = move |tx: &mut Tx<'_>, after: Option<LoanId>| -> Result<Vec<LoanId>, Refusal> {
        if !is_on(tx, now)? {
            return Ok(Vec::new());
        }
        Ok(untold::to_deposit(tx, after, BATCH)?)
    };
    let tell_one = move |tx: &mut Tx<'_>, id: LoanId| -> Result<usize, Refusal> {
        let (loan, person) = loan_and_holder(tx, id)?;
        let decided = loan.decided()?;
        let Some(last) = deposit_due(loan.holder_kind, decided.state(), &year, person.leaves_on) else {
            return Ok(0);
        };
        let sent = reminders_sent(tx, id, NoticeKind::Deposit, last)?;
        let Some(step) = days.due(last, &sent, today) else { return Ok(0) };
        tell(tx, &loan, &person, NoticeKind::Deposit, &reminder(last, step), now)
    };
    walk(fleet, due, tell_one, now).await
}

/// What a reminder is about: the day that the tablet is due, and how many days before it.
fn reminder(back: Day, step: u16) -> String {
    format!("{back}:{step}")
}

/// How many days before `back` reminders of that kind were written.
fn reminders_sent(
    tx: &mut Tx<'_>,
    loan: LoanId,
    kind: NoticeKind,
    back: Day,
) -> Result<BTreeSet<u16>, Refusal> {
    let of_that_day = format!("{back}:");
    let sent = notices::of_loan(tx, loan)?;
    let steps = sent.iter().filter(|notice| notice.kind == kind && notice.channel == Channel::Mail);
    Ok(steps.filter_map(|notice| notice.occasion.strip_prefix(&of_that_day)?.parse().ok()).collect())
}

/// The day that a reminder names.
pub(super) fn reminded_day(occasion: &str) -> Option<Day> {
    occasion.split_once(':')?.0.parse().ok()
}

/// Tells what has happened: a loan that is over, a tablet that came back and will be erased, a warrant that opened or is
/// over, rules that changed. The calendar's work; says how many notices were written.
///
/// # Errors
/// [`Refusal::OtherHands`] for anyone but the calendar.
pub async fn tell_what_happened(
    fleet: &Fleet,
    principal: &Principal,
    now: Instant,
) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    if !fleet.settings().notices.by_mail {
        return Ok(0);
    }
    let on = fleet.store().read(move |tx| is_on(tx, now)).await?;
    if !on {
        return Ok(0);
    }
    let over = walk(
        fleet,
        |tx: &mut Tx<'_>, after| Ok(untold::over(tx, after, BATCH)?),
        move |tx: &mut Tx<'_>, id| {
            let (loan, person) = loan_and_holder(tx, id)?;
            tell(tx, &loan, &person, NoticeKind::LoanOver, "over", now)
        },
        now,
    );
    let over = over.await?;
    let received = walk(
        fleet,
        |tx: &mut Tx<'_>, after| Ok(untold::received(tx, after, BATCH)?),
        move |tx: &mut Tx<'_>, id| {
            let Some(row) = restitutions::get(tx, &id)? else { return Ok(0) };
            let (loan, person) = loan_and_holder(tx, row.loan_id)?;
            tell(tx, &loan, &person, NoticeKind::Received, &id.to_string(), now)
        },
        now,
    );
    let received = received.await?;
    Ok(over + received + warrants(fleet, now).await? + changes(fleet, now).await?)
}

/// Goes through all that is due, in batches, each a transaction of its own; says how many notices were written. If a row of
/// a batch cannot be read or decided, each is done in a transaction of its own, and that one is passed over with an alarm.
///
/// # Errors
/// What is not about a row.
async fn walk<I, Due, Act>(fleet: &Fleet, due: Due, act: Act, now: Instant) -> Result<usize, Refusal>
where
    I: Copy + Display + Send + Sync + 'static,
    Due: Fn(&mut Tx<'_>, Option<I>) -> Result<Vec<I>, Refusal> + Clone + Send + 'static,
    Act: Fn(&mut Tx<'_>, I) -> Result<usize, Refusal> + Clone + Send + 'static,
{
    let (mut after, mut told) = (None, 0);
    loop {
        let (due_then, act_on) = (due.clone(), act.clone());
        let together = fleet
            .store()
            .write(move |tx| {
                let rows = due_then(tx, after)?;
                let mut some = 0;
                for row in &rows {
                    some += act_on(tx, *row)?;
                }
                Ok::<_, Refusal>((rows, some))
            })
            .await;
        let (rows, some) = match together {
            Ok(done) => done,
            // What is not about a row fails again, and says so.
            Err(_one_of_them) => one_by_one(fleet, after, due.clone(), act.clone(), now).await?,
        };
        told += some;
        match rows.last() {
            Some(last) if rows.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX) => after = Some(*last),
            _ => return Ok(told),
        }
    }
}

/// Does a batch, each row in a transaction of its own.
async fn one_by_one<I, Due, Act>(
    fleet: &Fleet,
    after: Option<I>,
    due: Due,
    act: Act,
    now: Instant,
) -> Result<(Vec<I>, usize), Refusal>
where
    I: Copy + Display + Send + Sync + 'static,
    Due: Fn(&mut Tx<'_>, Option<I>) -> Result<Vec<I>, Refusal> + Clone + Send + 'static,
    Act: Fn(&mut Tx<'_>, I) -> Result<usize, Refusal> + Clone + Send + 'static,
{
    let rows = fleet.store().read(move |tx| due(tx, after)).await?;
    let mut told = 0;
    for row in &rows {
        let (row, act_on) = (*row, act.clone());
        match fleet.store().write(move |tx| act_on(tx, row)).await {
            Ok(some) => told += some,
            Err(failure) => watch::pass_over(fleet, row.to_string(), failure, now).await?,
        }
    }
    Ok((rows, told))
}

/// Writes a notice to each addressee of a loan who has none of this occasion; says how many.
fn tell(
    tx: &mut Tx<'_>,
    loan: &Loan,
    person: &Person,
    kind: NoticeKind,
    occasion: &str,
    now: Instant,
) -> Result<usize, Refusal> {
    let Some(entry) = person.entry() else { return Ok(0) };
    let mut told = 0;
    for (addressee, _) in addressees(&entry) {
        let notice = Notice {
            id: NoticeId::new(now),
            loan_id: loan.id,
            kind,
            occasion: occasion.to_owned(),
            channel: Channel::Mail,
            state: NoticeState::Waiting,
            created_at: now,
            counted_at: None,
            counted_by: None,
            addressee: Some(addressee),
        };
        if !notices::write(tx, &notice)? {
            continue;
        }
        mails::insert(tx, &Mail::new(person.id, addressee, About::Notice(notice.id), now))?;
        told += 1;
    }
    if told > 0 {
        let detail = json!({ "loan": loan.id, "kind": kind, "occasion": occasion, "mails": told });
        let change = Change::new("notice.write").tablet(Some(loan.tablet_id)).detail(detail);
        audit::record_by(tx, Actor::Calendar, change, now)?;
    }
    Ok(told)
}

/// Writes what is due of warrants: an authority's delay is in the day that each is due (M1). Whom nobody can write to gets a
/// letter: that row stays, and keeps none from being reached.
async fn warrants(fleet: &Fleet, now: Instant) -> Result<usize, Refusal> {
    let tell_one = move |tx: &mut Tx<'_>, row: OfWarrant| -> Result<usize, Refusal> {
        let OfWarrant { warrant, occasion } = row;
        let Some(notice) = warrant_notices::of(tx, warrant, occasion)? else { return Ok(0) };
        let Some(loan) = notice.loan_id else { return Ok(0) };
        let (loan, person) = loan_and_holder(tx, loan)?;
        let Some(entry) = person.entry() else { return Ok(0) };
        let mut mailed = 0;
        for (addressee, _) in addressees(&entry) {
            let about = About::Warrant(warrant, occasion);
            mails::insert(tx, &Mail::new(person.id, addressee, about, now))?;
            mailed += 1;
        }
        if mailed > 0 {
            let detail = json!({ "warrant": warrant, "occasion": occasion, "mails": mailed });
            let change = Change::new("notice.write").tablet(Some(loan.tablet_id)).detail(detail);
            audit::record_by(tx, Actor::Calendar, change, now)?;
        }
        Ok(mailed)
    };
    let due = move |tx: &mut Tx<'_>, after: Option<OfWarrant>| -> Result<Vec<OfWarrant>, Refusal> {
        Ok(untold::of_warrants(tx, now, after, BATCH)?)
    };
    walk(fleet, due, tell_one, now).await
}

/// Tells the holders of a collège, one page of loans after the other, that rules changed, and then that they were told.
async fn changes(fleet: &Fleet, now: Instant) -> Result<usize, Refusal> {
    let due = fleet.store().read(|tx| notices_due::to_tell(tx, CHANGES)).await?;
    let mut told = 0;
    for change in due {
        let (id, uai, occasion) = (change.id, change.uai, change.id.to_string());
        told += walk(
            fleet,
            move |tx: &mut Tx<'_>, after| Ok(untold::lent(tx, uai.as_ref(), after, BATCH)?),
            move |tx: &mut Tx<'_>, id| {
                let (loan, person) = loan_and_holder(tx, id)?;
                tell(tx, &loan, &person, NoticeKind::RulesChanged, &occasion, now)
            },
            now,
        )
        .await?;
        fleet.store().write(move |tx| notices_due::told(tx, id, now)).await?;
    }
    Ok(told)
}
