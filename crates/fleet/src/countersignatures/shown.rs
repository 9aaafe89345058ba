//! A request for a second person as people read it: in words, and exactly.

use governance::countersignature::{CountersignatureState, Purpose, SecondPerson, Subject};
use store::countersignatures::Countersignature;
use store::{Digest, Tx, accounts, organisations};
use types::{AccountId, CountersignatureId, Instant, OrganisationId};

use super::why_not::{Signable, signable, unless_unreadable, unreadable};
use super::{may_be_answered, rests_on};
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

/// What is said of a request, in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// In English.
    pub english: String,
    /// In French.
    pub french: String,
}

pub(super) fn sentence(english: impl Into<String>, french: impl Into<String>) -> Sentence {
    Sentence { english: english.into(), french: french.into() }
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
    pub in_words: Sentence,
    /// What it rests on while it waits, in sentences, of a warrant.
    pub rests_on: Vec<Sentence>,
    /// What exactly is asked, byte by byte as its digest has it; `None` once it was purged.
    pub content: Option<String>,
    /// SHA-256 of the content, and of a warrant that waits also of what it rests on: an answer names it, so that it counts for
    /// nothing else than what was looked at.
    pub content_sha256: Digest,
    /// Why, in the asker's words; `None` once it was purged.
    pub reason: Option<String>,
    /// Who asked.
    pub asked_by: Somebody,
    /// When.
    pub asked_at: Instant,
    /// Who may answer, in words.
    pub who_may_answer: Sentence,
    /// The first instant at which it is answered no more.
    pub expires_at: Instant,
    /// What became of it by now.
    pub state: CountersignatureState,
    /// Whether whoever looks could answer it now.
    pub answerable: bool,
    /// Whether whoever looks could sign it now: a yes takes more than a no.
    pub signable: Signable,
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
    let waits = state == CountersignatureState::Waiting;
    let answerable = waits && unless_unreadable(may_be_answered(tx, reader, &row, now))?.unwrap_or_default();
    let signable = if waits { signable(tx, reader, &row, now)? } else { Signable::Over };
    let second = SecondPerson::from_columns(
        &row.answer_role.to_string(),
        row.answer_organisation,
        row.answer_uai.clone(),
    )
    .map_err(|error| Refusal::Internal(error.to_string()))
    .and_then(|second| who(tx, &second));
    let who_may_answer = unless_unreadable(second)?.unwrap_or_else(unreadable);
    let rests_on =
        if waits { unless_unreadable(rests_on::of(tx, &row, now))?.unwrap_or_default() } else { Vec::new() };
    let content_sha256 = if waits {
        unless_unreadable(rests_on::digest(tx, &row, now))?.unwrap_or(row.content_sha256)
    } else {
        row.content_sha256
    };
    let answered_by = row.answered_by.map(|account| somebody(tx, account)).transpose()?;
    Ok(Line {
        in_words: unless_unreadable(in_words(tx, &row))?.unwrap_or_else(unreadable),
        asked_by: somebody(tx, row.asked_by)?,
        who_may_answer,
        rests_on,
        id: row.id,
        purpose: row.purpose,
        subject: row.subject,
        content: row.content,
        content_sha256,
        reason: row.reason,
        asked_at: row.asked_at,
        expires_at: row.expires_at,
        state,
        answerable,
        signable,
        answered_by,
        answered_at: row.answered_at,
        answer_reason: row.answer_reason,
        used_at: row.used_at,
    })
}

/// A person, as others see them.
pub(crate) fn somebody(tx: &mut Tx<'_>, id: AccountId) -> Result<Somebody, Refusal> {
    let account =
        accounts::get(tx, &id)?.ok_or_else(|| Refusal::Internal(format!("account {id} is missing")))?;
    let organisation = organisation_name(tx, account.organisation_id)?;
    Ok(Somebody { account: id, login: account.login, name: account.name, organisation })
}

/// Who may answer, with the name of the organisation or collège.
fn who(tx: &mut Tx<'_>, second: &SecondPerson) -> Result<Sentence, Refusal> {
    let (english, french) = (second.in_words(), second.in_french());
    Ok(match (second.organisation(), second.uai()) {
        (Some(organisation), _) => {
            let name = organisation_name(tx, organisation)?;
            sentence(format!("{english}: {name}"), format!("{french} : {name}"))
        }
        (None, Some(uai)) => sentence(format!("{english}: {uai}"), format!("{french} : {uai}")),
        (None, None) => sentence(english, french),
    })
}

/// What is asked, in a sentence. The content has the last word: it is what is signed.
fn in_words(tx: &mut Tx<'_>, row: &Countersignature) -> Result<Sentence, Refusal> {
    let as_it_says = || sentence("what the content says", "ce que dit le contenu");
    let (Ok(purpose), Ok(subject)) = (row.purpose.parse::<Purpose>(), row.subject.parse::<Subject>()) else {
        return Ok(as_it_says());
    };
    Ok(match (purpose, subject) {
        (Purpose::ConfirmApprover, Subject::Grant { to, .. }) => {
            let Somebody { login, name, organisation, .. } = somebody(tx, to)?;
            sentence(
                format!("that {name} (`{login}`) may approve for {organisation}, 24 hours after your answer"),
                format!(
                    "que {name} (`{login}`) puisse approuver pour {organisation}, 24 heures après votre réponse"
                ),
            )
        }
        (Purpose::RecoverAccount, Subject::Account(account)) => {
            let Somebody { login, name, organisation, .. } = somebody(tx, account)?;
            sentence(
                format!(
                    "that password and second factor of {name} (`{login}`, {organisation}) are both reset, and whoever asked \
                     hands over the link by which they are chosen anew"
                ),
                format!(
                    "que le mot de passe et le second facteur de {name} (`{login}`, {organisation}) soient tous deux \
                     réinitialisés, et que la personne qui le demande remette le lien qui permet de les choisir de nouveau"
                ),
            )
        }
        (Purpose::FirstAccount, Subject::Organisation(organisation)) => {
            let login = row.content.as_deref().and_then(login_in).unwrap_or_default();
            let name = organisation_name(tx, organisation)?;
            sentence(
                format!(
                    "that {name} gets the account `{login}` from outside, which then manages its accounts"
                ),
                format!(
                    "que {name} reçoive de l’extérieur le compte `{login}`, qui gérera ensuite ses comptes"
                ),
            )
        }
        (Purpose::ExceedBudget, _) => sentence(
            "that the acts which the brake holds go on; the content lists them",
            "que les actes retenus par le frein soient exécutés ; le contenu en donne la liste",
        ),
        (Purpose::OpenCampaign, _) => sentence(
            "that a campaign of restitutions is opened, as the content dates and bounds it",
            "qu’une campagne de restitutions soit ouverte, aux dates et dans les limites du contenu",
        ),
        (Purpose::ReleaseBrake, _) => sentence(
            "that the switch is released, and destructive acts may go on",
            "que l’arrêt d’urgence soit levé et que les actes destructeurs puissent reprendre",
        ),
        (Purpose::ReadoptOrphans, _) => sentence(
            "that the tablets in the content, which the restored database does not know, are taken back",
            "que les tablettes du contenu, inconnues de la base restaurée, soient reprises",
        ),
        (Purpose::Approve, _) => {
            sentence("that the version in the content takes effect", "que la version du contenu prenne effet")
        }
        (Purpose::GrantWarrant | Purpose::ExtendWarrant, _) => to_locate(row),
        (Purpose::EraseStolen, _) => {
            let serial = said(row, "serial");
            sentence(
                format!(
                    "that the stolen tablet {serial} is erased wherever it is: its head decided so, and your yes is the decision \
                     of the département; nobody can undo it, and it is located no more"
                ),
                format!(
                    "que la tablette volée {serial} soit effacée où qu’elle soit : le chef d’établissement l’a décidé, et votre \
                     oui est la décision du département ; personne ne peut l’annuler, et elle ne sera plus géolocalisée"
                ),
            )
        }
        (Purpose::GiveAway, _) => sentence(
            "that the tablet, which is proven empty, is given away: it leaves management and its owner’s account, which \
             nobody can undo",
            "que la tablette, dont l’effacement est prouvé, soit donnée : elle quitte la gestion et le compte de son \
             propriétaire, ce que personne ne peut annuler",
        ),
        (Purpose::ReleaseTablet, _) => sentence(
            "that the tablet, which is proven empty, leaves management and is released from its owner’s account, which \
             nobody can undo",
            "que la tablette, dont l’effacement est prouvé, quitte la gestion et soit libérée du compte de son \
             propriétaire, ce que personne ne peut annuler",
        ),
        _ => as_it_says(),
    })
}

/// What is asked of a warrant.
fn to_locate(row: &Countersignature) -> Sentence {
    let said = |key: &str| said(row, key);
    let (serial, kind, hours, fixes, apart) =
        (said("serial"), said("kind"), said("hours"), said("fixes"), said("interval_minutes"));
    let in_french = privacy::glossary::value("kind", &kind).map_or(kind.as_str(), |word| word.fr);
    sentence(
        format!(
            "that tablet {serial} ({kind}) may be located for {hours} hours: at most {fixes} times, at least {apart} minutes \
             apart"
        ),
        format!(
            "que la tablette {serial} ({in_french}) puisse être géolocalisée pendant {hours} heures : {fixes} fois au plus, à \
             {apart} minutes d’intervalle au moins"
        ),
    )
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
