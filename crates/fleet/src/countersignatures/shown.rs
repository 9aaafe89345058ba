//! A request for a second person as people read it: in words, and exactly.

use governance::countersignature::{CountersignatureState, Purpose, SecondPerson, Subject};
use store::countersignatures::Countersignature;
use store::{Digest, Tx, accounts, organisations};
use types::{AccountId, CountersignatureId, Instant, OrganisationId};

use super::may_be_answered;
use crate::Refusal;
use crate::coming_in::Person;

/// A person, as others see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Somebody {
    /// Their account.
    pub account: AccountId,
    /// What they sign in with.
    pub login: String,
    /// Their name; empty once they are forgotten.
    pub name: String,
    /// The name of their organisation.
    pub organisation: String,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its id.
    pub id: CountersignatureId,
    /// What it is for.
    pub purpose: String,
    /// What it is about.
    pub subject: String,
    /// What is asked, in a sentence.
    pub in_words: String,
    /// What exactly is asked, byte by byte as its digest has it; `None` once it was purged.
    pub content: Option<String>,
    /// SHA-256 of the content: an answer names it.
    pub content_sha256: Digest,
    /// Why, in the asker's words; `None` once it was purged.
    pub reason: Option<String>,
    /// Who asked.
    pub asked_by: Somebody,
    /// When.
    pub asked_at: Instant,
    /// Who may answer, in words.
    pub who_may_answer: String,
    /// The first instant at which it is answered no more.
    pub expires_at: Instant,
    /// What became of it by now.
    pub state: CountersignatureState,
    /// Whether whoever looks could answer it now.
    pub answerable: bool,
    /// Who answered.
    pub answered_by: Option<Somebody>,
    /// When.
    pub answered_at: Option<Instant>,
    /// What they said to it.
    pub answer_reason: Option<String>,
    /// When the signature was used.
    pub used_at: Option<Instant>,
}

pub(super) fn line(
    tx: &mut Tx<'_>,
    reader: &Person,
    row: Countersignature,
    now: Instant,
) -> Result<Line, Refusal> {
    let waits = row.state == CountersignatureState::Waiting;
    let state = if waits && now >= row.expires_at { CountersignatureState::Expired } else { row.state };
    let answerable = state == CountersignatureState::Waiting && may_be_answered(tx, reader, &row, now)?;
    let second = SecondPerson::from_columns(
        &row.answer_role.to_string(),
        row.answer_organisation,
        row.answer_uai.clone(),
    )
    .map_err(|error| Refusal::Internal(error.to_string()))?;
    let answered_by = row.answered_by.map(|account| somebody(tx, account)).transpose()?;
    Ok(Line {
        in_words: in_words(tx, &row)?,
        asked_by: somebody(tx, row.asked_by)?,
        who_may_answer: who(tx, &second)?,
        id: row.id,
        purpose: row.purpose,
        subject: row.subject,
        content: row.content,
        content_sha256: row.content_sha256,
        reason: row.reason,
        asked_at: row.asked_at,
        expires_at: row.expires_at,
        state,
        answerable,
        answered_by,
        answered_at: row.answered_at,
        answer_reason: row.answer_reason,
        used_at: row.used_at,
    })
}

fn somebody(tx: &mut Tx<'_>, id: AccountId) -> Result<Somebody, Refusal> {
    let account = accounts::get(tx, &id)?
        .ok_or_else(|| Refusal::Internal(format!("account {id} of a countersignature is missing")))?;
    let organisation = organisation_name(tx, account.organisation_id)?;
    Ok(Somebody { account: id, login: account.login, name: account.name, organisation })
}

/// Who may answer, with the name of the organisation or collège.
fn who(tx: &mut Tx<'_>, second: &SecondPerson) -> Result<String, Refusal> {
    let whose = match (second.organisation(), second.uai()) {
        (Some(organisation), _) => format!(": {}", organisation_name(tx, organisation)?),
        (None, Some(uai)) => format!(": {uai}"),
        (None, None) => String::new(),
    };
    Ok(format!("{}{whose}", second.in_words()))
}

/// What is asked, in a sentence. The content has the last word: it is what is signed.
fn in_words(tx: &mut Tx<'_>, row: &Countersignature) -> Result<String, Refusal> {
    let (Ok(purpose), Ok(subject)) = (row.purpose.parse::<Purpose>(), row.subject.parse::<Subject>()) else {
        return Ok("what the content says".to_owned());
    };
    Ok(match (purpose, subject) {
        (Purpose::ConfirmApprover, Subject::Grant { to, .. }) => {
            let Somebody { login, name, organisation, .. } = somebody(tx, to)?;
            format!("that {name} (`{login}`) may approve for {organisation}, 24 hours after your answer")
        }
        (Purpose::RecoverAccount, Subject::Account(account)) => {
            let Somebody { login, name, organisation, .. } = somebody(tx, account)?;
            format!(
                "that password and second factor of {name} (`{login}`, {organisation}) are both reset, and \
                 whoever asked hands over the link by which they are chosen anew"
            )
        }
        (Purpose::FirstAccount, Subject::Organisation(organisation)) => {
            let login = row.content.as_deref().and_then(login_in).unwrap_or_default();
            let name = organisation_name(tx, organisation)?;
            format!("that {name} gets the account `{login}` from outside, which then manages its accounts")
        }
        (Purpose::ExceedBudget, _) => {
            "that the acts which the brake holds go on; the content lists them".to_owned()
        }
        (Purpose::OpenCampaign, _) => {
            "that a campaign of restitutions is opened, as the content dates and bounds it".to_owned()
        }
        (Purpose::ReleaseBrake, _) => {
            "that the switch is released, and destructive acts may go on".to_owned()
        }
        (Purpose::ReadoptOrphans, _) => {
            "that the tablets in the content, which the restored database does not know, are taken back"
                .to_owned()
        }
        (Purpose::Approve, _) => "that the version in the content takes effect".to_owned(),
        (Purpose::GrantWarrant | Purpose::ExtendWarrant, _) => {
            let said = |key: &str| said(row, key);
            format!(
                "that tablet {} ({}) may be located for {} hours: at most {} times, at least {} minutes apart",
                said("serial"),
                said("kind"),
                said("hours"),
                said("fixes"),
                said("interval_minutes"),
            )
        }
        (Purpose::EraseStolen, _) => format!(
            "that the stolen tablet {} is erased wherever it is: its head decided so, and your yes is the decision of the \
             département; nobody can undo it, and it is located no more",
            said(row, "serial"),
        ),
        (Purpose::GiveAway, _) => {
            "that the tablet, which is proven empty, is given away: it leaves management and its owner’s account, which \
             nobody can undo"
                .to_owned()
        }
        (Purpose::ReleaseTablet, _) => {
            "that the tablet, which is proven empty, leaves management and is released from its owner’s account, which \
             nobody can undo"
                .to_owned()
        }
        _ => "what the content says".to_owned(),
    })
}

/// What the content says under a key; nothing once it was purged.
fn said(row: &Countersignature, key: &str) -> String {
    let content = row.content.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let content: Option<&serde_json::Value> = content.as_ref();
    content
        .and_then(|content| content.get(key))
        .map_or_else(String::new, |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

fn login_in(content: &str) -> Option<String> {
    let content: serde_json::Value = serde_json::from_str(content).ok()?;
    content.get("login")?.as_str().map(str::to_owned)
}

fn organisation_name(tx: &mut Tx<'_>, id: OrganisationId) -> Result<String, Refusal> {
    organisations::get(tx, &id)?
        .map(|organisation| organisation.name)
        .ok_or_else(|| Refusal::Internal(format!("organisation {id} is missing")))
}
