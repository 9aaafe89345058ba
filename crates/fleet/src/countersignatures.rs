//! Second persons: what was asked of whom, how they answer, and how their signature is used up.
//!
//! A use case that needs a second person calls [`ask`], which authorises, records what exactly is asked, and leaves
//! it to wait. Once it was answered, whoever asked calls the use case again; it takes the signature by [`proof`], in
//! the transaction that acts on it, so that it serves once.

mod rests_on;
mod shown;
mod why_not;

use governance::countersignature::{
    Asked, Content, CountersignatureState, Countersigned, NotCountersigned, Parties, Purpose, Question,
    Subject, Verdict,
};
use governance::{Access, Hands, Permission, Standing};
use lending::EraseTerms;
use serde_json::json;
use store::countersignatures::{self as rows, Countersignature};
use store::{Digest, Tx, account_makers, standings};
use types::{AccountId, Actor, CountersignatureId, Instant};

use crate::audit::{self, Change};
use crate::brake::held;
use crate::coming_in::Person;
use crate::incidents::{theft, warrants};
use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal, profiles, roles};

pub(crate) use shown::somebody;
pub use shown::{Line, Sentence, Somebody};
pub use why_not::Signable;

/// The longest reason of an answer, in characters.
const LONGEST_REASON: usize = 500;

/// Asks a second person, and appends the audit entry: a use case that only asks adds none. What the same person
/// asked before, word for word, and still waits, is not asked twice.
///
/// # Errors
/// [`Refusal::NotAsked`]; [`Refusal::NotAllowed`].
pub(crate) fn ask(
    tx: &mut Tx<'_>,
    person: &Person,
    question: Question,
    now: Instant,
) -> Result<CountersignatureId, Refusal> {
    let (id, asked) = ask_within(tx, person, question, now)?;
    if let Some(asked) = asked {
        let Question { purpose, content, reason, .. } = asked.question();
        let change = Change::new("countersignature.ask").reason(Some(reason.clone())).detail(
            json!({ "countersignature": id, "purpose": purpose, "content_sha256": content.digest() }),
        );
        audit::record_by(tx, Actor::Account(asked.asked_by()), change, now)?;
    }
    Ok(id)
}

/// Asks a second person as part of a change that has its own entry. What is asked anew is returned with its id.
///
/// # Errors
/// [`Refusal::NotAsked`]; [`Refusal::NotAllowed`].
pub(crate) fn ask_within(
    tx: &mut Tx<'_>,
    person: &Person,
    question: Question,
    now: Instant,
) -> Result<(CountersignatureId, Option<Asked>), Refusal> {
    let id = CountersignatureId::new(now);
    let asked = Asked::ask(id, question, &person.standing, &person.access, now)?;
    let Question { purpose, content, .. } = asked.question();
    let same = rows::waiting_same(tx, purpose.as_str(), asked.asked_by(), &content.digest(), now)?;
    if let Some(same) = same {
        return Ok((same, None));
    }
    rows::record(tx, &asked)?;
    Ok((id, Some(asked)))
}

/// What a signature is used for.
#[derive(Debug)]
pub(crate) struct Use<'a> {
    /// What must have been signed for.
    pub(crate) purpose: Purpose,
    /// About what.
    pub(crate) subject: &'a Subject,
    /// What exactly.
    pub(crate) content: &'a Content,
    /// What comes of it, by its id: the row says so for good.
    pub(crate) used_for: &'a str,
}

/// Takes the signature of a second person, in the transaction that acts on it: read back, checked against both
/// persons as they are now, and used up.
///
/// # Errors
/// [`Refusal::NotCountersigned`]; [`Refusal::NotFound`].
pub(crate) fn proof(
    tx: &mut Tx<'_>,
    id: CountersignatureId,
    used: &Use<'_>,
    now: Instant,
) -> Result<Countersigned, Refusal> {
    let signed = stands(tx, id, used, now)?;
    if !rows::use_once(tx, id, used.used_for, now)? {
        return Err(Refusal::not_countersigned(used.purpose, NotCountersigned::Used { at: now }));
    }
    Ok(signed)
}

/// As [`proof`], of a signature that is only looked at: whether it would count now.
///
/// # Errors
/// As [`proof`].
pub(crate) fn stands(
    tx: &mut Tx<'_>,
    id: CountersignatureId,
    used: &Use<'_>,
    now: Instant,
) -> Result<Countersigned, Refusal> {
    let purpose = used.purpose;
    let asked = load(tx, id)?;
    let refused = |why| Refusal::not_countersigned(purpose, why);
    let second =
        asked.answered_by().ok_or_else(|| refused(NotCountersigned::Ended { state: asked.state(now) }))?;
    let both = Both::of(tx, asked.asked_by(), second, now)?;
    Countersigned::read_back(&asked, purpose, used.subject, used.content, both.parties(), now)
        .map_err(refused)
}

/// Which requests are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that wait and that one's roles would let one answer, be it that somebody else must for another reason, which is told:
    /// the oldest first.
    ToAnswer,
    /// Those that one asked, the newest first, whatever became of them.
    Asked,
}

/// The requests that one's roles let one answer, or that one asked. A part may hold fewer than its limit although more follow.
///
/// # Errors
/// [`Refusal::NotAllowed`] for an account that is not in use.
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    which: Which,
    page: Page<CountersignatureId>,
    now: Instant,
) -> Result<Listed<Line>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let person = principal.person(tx, now)?;
            person.standing.in_use()?;
            let (me, limit) = (person.standing.account(), page.with_one_more());
            let found = match which {
                Which::Asked => rows::of_asker(tx, me, page.after, limit)?,
                Which::ToAnswer => rows::answerable(tx, me, now, page.after, limit)?,
            };
            let listed = page.cut(found, |row| row.id.to_string());
            let mut items = Vec::with_capacity(listed.items.len());
            for row in listed.items {
                if is_beyond(&person, &row) {
                    continue;
                }
                // One that nobody can read stands there, and says so.
                if which == Which::Asked
                    || why_not::unless_unreadable(has_the_title(tx, &person, &row, now))?.unwrap_or(true)
                {
                    items.push(shown::line(tx, &person, row, now)?);
                }
            }
            Ok(Listed { items, next: listed.next })
        })
        .await
}

/// One request: who asked, what exactly, who may answer, until when, and what became of it.
///
/// # Errors
/// [`Refusal::NotFound`] for whoever neither asked, answered nor may answer it (T-C1).
pub async fn show(
    fleet: &Fleet,
    principal: &Principal,
    id: CountersignatureId,
    now: Instant,
) -> Result<Line, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let person = principal.person(tx, now)?;
            person.standing.in_use()?;
            let row = seen(tx, &person, id, now)?;
            shown::line(tx, &person, row, now)
        })
        .await
}

/// What a second person says.
#[derive(Debug, Clone)]
pub struct Said {
    /// Yes or no.
    pub verdict: Verdict,
    /// The digest of what they looked at.
    pub seen: Digest,
    /// Why; whoever refuses says it.
    pub reason: Option<String>,
}

/// Answers as the second person. Of two who answer at once, one does, and the other is told that it is over.
///
/// # Errors
/// [`Refusal::NotCountersigned`] says why the word does not count; [`Refusal::NotFound`] for a request that one's
/// roles do not let one see; [`Refusal::Invalid`] for a refusal without a reason.
pub async fn answer(
    fleet: &Fleet,
    principal: &Principal,
    id: CountersignatureId,
    said: Said,
    now: Instant,
) -> Result<Line, Refusal> {
    let Said { verdict, seen: digest, reason } = said;
    let reason = checked_reason(reason, verdict)?;
    let (principal, terms) = (principal.clone(), fleet.settings().erasures);
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let said = Said { verdict, seen: digest, reason: reason.clone() };
            answer_within(tx, (&principal, &person), (id, said), &terms, now)?;
            let row = rows::get(tx, &id)?.ok_or_else(|| Refusal::not_found("countersignature", id))?;
            shown::line(tx, &person, row, now)
        })
        .await
}

/// Answers as the second person, in the transaction of whoever calls, with its one entry of the audit log.
///
/// # Errors
/// As [`answer`].
pub(crate) fn answer_within(
    tx: &mut Tx<'_>,
    (principal, person): (&Principal, &Person),
    (id, said): (CountersignatureId, Said),
    terms: &EraseTerms,
    now: Instant,
) -> Result<(), Refusal> {
    let Said { verdict, seen: digest, reason } = said;
    person.standing.may(Permission::AnswerCountersignature, &person.access, now)?;
    let row = seen(tx, person, id, now)?;
    let asked = load(tx, id)?;
    let purpose = asked.question().purpose;
    let refused = |why| Refusal::not_countersigned(purpose, why);
    let both = Both::of(tx, asked.asked_by(), person.standing.account(), now)?;
    let content = asked.question().content.digest();
    let decided = asked.answer(verdict, content, both.parties(), &person.access, now).map_err(refused)?;
    // An answer is to what was looked at: what is asked, and what it rested on then.
    if digest != rests_on::digest(tx, &row, now)? {
        return Err(refused(NotCountersigned::NotSeen));
    }
    let given = decided.state() == CountersignatureState::Given;
    let row = rows::Answer { given, by: decided.by(), at: decided.at(), reason: reason.clone() };
    if !rows::answer(tx, id, &row)? {
        let state = load(tx, id)?.state(now);
        return Err(refused(NotCountersigned::Ended { state }));
    }
    if purpose == Purpose::Approve {
        return profiles::answered(tx, principal, &asked, &row, now);
    }
    if matches!(purpose, Purpose::GrantWarrant | Purpose::ExtendWarrant) {
        return warrants::answered(tx, principal, &asked, &row, now);
    }
    if purpose == Purpose::EraseStolen {
        return theft::answered(tx, (principal, person), (&asked, &row), terms, now);
    }
    if !given && purpose == Purpose::ExceedBudget {
        held::give_up(tx, id)?;
    }
    let action = if given { "countersignature.give" } else { "countersignature.refuse" };
    let change = Change::new(action).reason(reason).detail(json!({
        "countersignature": id, "purpose": purpose, "content_sha256": digest,
    }));
    audit::record(tx, principal, change, now)?;
    // Whoever gave the right has nothing left to decide: it is confirmed by the signature itself.
    if let (true, Subject::Grant { grant, .. }) = (given, &asked.question().subject) {
        roles::confirm(tx, principal, (*grant, id), now)?;
    }
    Ok(())
}

/// Takes back what one asked.
///
/// # Errors
/// [`Refusal::NotCountersigned`] if it no longer waits; [`Refusal::NotFound`].
pub async fn withdraw(
    fleet: &Fleet,
    principal: &Principal,
    id: CountersignatureId,
    now: Instant,
) -> Result<(), Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            person.standing.may(Permission::AskCountersignature, &person.access, now)?;
            seen(tx, &person, id, now)?;
            let asked = load(tx, id)?;
            let purpose = asked.question().purpose;
            let refused = |why| Refusal::not_countersigned(purpose, why);
            asked.withdraw(&person.standing, now).map_err(refused)?;
            if !rows::withdraw(tx, id)? {
                let state = load(tx, id)?.state(now);
                return Err(refused(NotCountersigned::Ended { state }));
            }
            if purpose == Purpose::ExceedBudget {
                held::give_up(tx, id)?;
            }
            profiles::fell(tx, id, now)?;
            let detail = json!({ "countersignature": id, "purpose": purpose });
            audit::record(tx, &principal, Change::new("countersignature.withdraw").detail(detail), now)
        })
        .await
}

/// Ends what an account asked and signed, as far as nothing came of it: its holder lost a right, or may be somebody
/// else from now on. Says how many; the caller's audit entry does, too.
pub(crate) fn void_of_account(tx: &mut Tx<'_>, account: AccountId, now: Instant) -> Result<usize, Refusal> {
    let voided = rows::void_of_account(tx, account)?;
    for id in &voided {
        held::give_up(tx, *id)?;
        profiles::fell(tx, *id, now)?;
    }
    Ok(voided.len())
}

/// Both persons as they are now.
struct Both {
    asker: Standing,
    second: Standing,
    hands: Hands,
}

impl Both {
    fn of(tx: &mut Tx<'_>, asker: AccountId, second: AccountId, now: Instant) -> Result<Self, Refusal> {
        Ok(Self {
            asker: standing(tx, asker)?,
            second: standing(tx, second)?,
            hands: account_makers::hands(tx, now)?,
        })
    }

    const fn parties(&self) -> Parties<'_> {
        Parties { asker: &self.asker, second: &self.second, hands: &self.hands }
    }
}

fn standing(tx: &mut Tx<'_>, account: AccountId) -> Result<Standing, Refusal> {
    standings::of_account(tx, account)?
        .ok_or_else(|| Refusal::Internal(format!("account {account} is missing")))
}

/// What was asked, checked again. What was emptied by retention is over, and nothing rests on it.
fn load(tx: &mut Tx<'_>, id: CountersignatureId) -> Result<Asked, Refusal> {
    rows::asked(tx, id)?.ok_or_else(|| Refusal::not_found("countersignature", id))
}

/// The row, for whoever asked it, answered it, or could answer it now.
fn seen(
    tx: &mut Tx<'_>,
    person: &Person,
    id: CountersignatureId,
    now: Instant,
) -> Result<Countersignature, Refusal> {
    let not_found = || Refusal::not_found("countersignature", id);
    let row = rows::get(tx, &id)?.ok_or_else(not_found)?;
    if is_beyond(person, &row) {
        return Err(not_found());
    }
    let me = person.standing.account();
    if row.asked_by == me || row.answered_by == Some(me) || has_the_title(tx, person, &row, now)? {
        Ok(row)
    } else {
        Err(not_found())
    }
}

/// Whether it lies beyond the collèges that a token is limited to (T-C1).
fn is_beyond(person: &Person, row: &Countersignature) -> bool {
    match &person.access {
        Access::Token { colleges: Some(only), .. } => {
            row.answer_uai.as_ref().is_none_or(|uai| !only.contains(uai))
        }
        Access::Token { colleges: None, .. } | Access::Session { .. } => false,
    }
}

/// Whether the roles of a person are such as answer it, be it that somebody else must for another reason: they are
/// then told that reason. What is asked about themselves they do not find while it waits.
fn has_the_title(
    tx: &mut Tx<'_>,
    person: &Person,
    row: &Countersignature,
    now: Instant,
) -> Result<bool, Refusal> {
    let waits = row.state == CountersignatureState::Waiting && now < row.expires_at;
    Ok(match answers(tx, person, row, now)? {
        None | Some(Err(NotCountersigned::NotTheSecond { .. })) => false,
        Some(Err(NotCountersigned::Concerned)) => !waits,
        Some(_) => true,
    })
}

fn may_be_answered(
    tx: &mut Tx<'_>,
    person: &Person,
    row: &Countersignature,
    now: Instant,
) -> Result<bool, Refusal> {
    Ok(matches!(answers(tx, person, row, now)?, Some(Ok(()))))
}

/// Whether a person could be the second one now; `None` for what was emptied.
fn answers(
    tx: &mut Tx<'_>,
    person: &Person,
    row: &Countersignature,
    now: Instant,
) -> Result<Option<Result<(), NotCountersigned>>, Refusal> {
    let Some(asked) = rows::asked(tx, row.id)? else { return Ok(None) };
    let both = Both::of(tx, asked.asked_by(), person.standing.account(), now)?;
    Ok(Some(asked.may_answer(both.parties(), now)))
}

pub(crate) fn checked_reason(reason: Option<String>, verdict: Verdict) -> Result<Option<String>, Refusal> {
    let reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    match &reason {
        None if verdict == Verdict::Refuse => {
            Err(Refusal::invalid("reason", "say why you refuse: whoever asked reads it"))
        }
        Some(reason) if reason.chars().count() > LONGEST_REASON || reason.chars().any(char::is_control) => {
            Err(Refusal::invalid("reason", format!("must have at most {LONGEST_REASON} characters")))
        }
        _ => Ok(reason),
    }
}
