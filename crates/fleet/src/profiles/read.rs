//! What people see of layers: versions and who decided them, differences, and what a publication would change.

use std::collections::BTreeMap;

use ::profiles::report::{Change as Said, Source, masked};
use ::profiles::{InVain, LayerKey, Rollout, RolloutPlan, RolloutState};
use governance::Permission;
use governance::countersignature::CountersignatureState;
use store::profile_approvals as approvals;
use store::profile_versions::{self as rows, Filter, ProfileVersion, VersionState};
use store::{Tx, account_makers, accounts, layer_suspensions, organisations, role_grants};
use types::{Instant, OrganisationKind, ProfileVersionId, Secret, Uai};

use super::write::read_layer;
use super::{Sight, look_at, may, may_see, must_reach_somebody, requests_of, rollouts, seen};
use crate::coming_in::Person;
use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal};

/// The most people of one organisation who are named as those who may approve.
const MOST_APPROVERS: u32 = 50;

/// An approval, as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The organisation.
    pub organisation: String,
    /// Who approved for it, by login.
    pub by: String,
    /// When.
    pub at: Instant,
}

/// Somebody of the reader's own organisation who has a right to approve, where a version lacks its approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MayApprove {
    /// The organisation.
    pub organisation: String,
    /// Their login.
    pub login: String,
    /// From when on their right counts; `None` while nobody has confirmed it (C3.1.7).
    pub from: Option<Instant>,
    /// Why they cannot approve this one all the same.
    pub but: Option<NotThisOne>,
}

/// How many people of another organisation may approve a version that lacks its approval. Who they are is told there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElsewhereApprove {
    /// The organisation.
    pub organisation: String,
    /// How many can approve it now.
    pub now: usize,
    /// From when on the first of them can, or could; `None` where nobody will yet.
    pub from: Option<Instant>,
}

/// Why somebody who may approve cannot approve a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotThisOne {
    /// They wrote it.
    Author,
    /// Their account and another that stands behind it were made, or reset, by one hand (C3.1.7).
    OneHand,
}

impl NotThisOne {
    /// A word for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::OneHand => "one-hand",
        }
    }
}

/// A version as it stands in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its row.
    pub version: ProfileVersion,
    /// Its layer.
    pub layer: LayerKey,
    /// Its author's login.
    pub author: String,
    /// Who approved it.
    pub approvals: Vec<Approval>,
    /// Whose approval it waits for: names of organisations.
    pub waits_for: Vec<String>,
    /// Why it is not given to tablets for now although it is published, and since when (C3.1.3).
    pub suspended: Option<(String, Instant)>,
}

/// A version, and what it says.
#[derive(Debug, Clone)]
pub struct Shown {
    /// As in a list.
    pub line: Line,
    /// What it says. Passwords in it are masked, unless the reader may write or decide that layer.
    pub text: Secret<String>,
    /// Whether they are.
    pub masked: bool,
    /// Before it is approved: who of the reader's own organisation may approve it, and from when on. Whoever does not write
    /// that layer is not told.
    pub may_approve: Vec<MayApprove>,
    /// The same of other organisations, in numbers.
    pub elsewhere_approve: Vec<ElsewhereApprove>,
    /// How it is rolled out, if it is.
    pub rollout: Option<rollouts::Progress>,
}

/// The versions, the newest first; of one layer, or in one state, if that is asked.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    (layer, state): (Option<LayerKey>, Option<VersionState>),
    page: Page<ProfileVersionId>,
    now: Instant,
) -> Result<Listed<Line>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let colleges = match principal.may(tx, Permission::ViewProfiles, now)? {
                governance::Reach::Everything => None,
                governance::Reach::Colleges(colleges) => Some(colleges.into_iter().collect()),
                governance::Reach::Organisation(_) | governance::Reach::Own(_) => Some(Vec::new()),
            };
            let filter = Filter { layer: layer.clone(), state, colleges };
            let found = rows::list(tx, &filter, page.after, page.with_one_more())?;
            let listed = page.cut(found, |row| row.id.to_string());
            let items = listed.items.into_iter().map(|row| line(tx, row)).collect::<Result<_, _>>()?;
            Ok(Listed { items, next: listed.next })
        })
        .await
}

/// Every version of the layer that this one is of, the newest first: how it came to be what it is.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn history(
    fleet: &Fleet,
    principal: &Principal,
    id: ProfileVersionId,
    page: Page<ProfileVersionId>,
    now: Instant,
) -> Result<Listed<Line>, Refusal> {
    let layer = look_at(fleet, principal, id, now, |_tx, seen| Ok(seen.layer)).await?;
    list(fleet, principal, (Some(layer), None), page, now).await
}

/// One version.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn show(
    fleet: &Fleet,
    principal: &Principal,
    id: ProfileVersionId,
    now: Instant,
) -> Result<Shown, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let person = principal.person(tx, now)?;
            again(tx, &person, id, now)
        })
        .await
}

pub(super) fn again(
    tx: &mut Tx<'_>,
    person: &Person,
    id: ProfileVersionId,
    now: Instant,
) -> Result<Shown, Refusal> {
    let (row, _layer) = seen(tx, person, id, now)?;
    shown(tx, person, row, now)
}

pub(super) fn shown(
    tx: &mut Tx<'_>,
    person: &Person,
    row: ProfileVersion,
    now: Instant,
) -> Result<Shown, Refusal> {
    let line = line(tx, row)?;
    let content = rows::content(tx, line.version.id)?;
    let writes = may(person, Permission::DraftProfiles, &line.layer, now).is_ok();
    let text = if writes { content } else { Secret::new(masked(content.expose())) };
    let rollout = rollouts::progress_of(tx, line.version.id, &line.layer)?;
    let (may_approve, elsewhere_approve) =
        if writes { may_approve(tx, person, &line, now)? } else { (Vec::new(), Vec::new()) };
    Ok(Shown { line, text, masked: !writes, may_approve, elsewhere_approve, rollout })
}

/// Who may approve a version for the organisations whose approval it lacks; nobody, once it was decided. What a collège
/// adds is approved by nobody else. Each organisation manages its own accounts (C3.1.7): of another, numbers are told.
fn may_approve(
    tx: &mut Tx<'_>,
    person: &Person,
    line: &Line,
    now: Instant,
) -> Result<(Vec<MayApprove>, Vec<ElsewhereApprove>), Refusal> {
    let row = &line.version;
    let is_open = matches!(row.state, VersionState::Draft | VersionState::Submitted);
    if line.layer.college().is_some() || !is_open {
        return Ok((Vec::new(), Vec::new()));
    }
    let given = approvals::of_version(tx, row.id)?;
    let hands = account_makers::hands(tx, now)?;
    let (mut found, mut elsewhere) = (Vec::new(), Vec::new());
    for kind in [OrganisationKind::Departement, OrganisationKind::Academie] {
        let Some(organisation) = organisations::of_kind(tx, kind)? else { continue };
        if given.iter().any(|approval| approval.organisation_id == organisation.id) {
            continue;
        }
        let mut theirs = Vec::new();
        for (login, account, from) in role_grants::approvers(tx, organisation.id, MOST_APPROVERS)? {
            let mut others = std::iter::once(row.author_id).chain(given.iter().map(|given| given.account_id));
            let but = if account == row.author_id {
                Some(NotThisOne::Author)
            } else {
                others.any(|other| !hands.independent(account, other)).then_some(NotThisOne::OneHand)
            };
            theirs.push(MayApprove { organisation: organisation.name.clone(), login, from, but });
        }
        if person.standing.organisation().id() == organisation.id {
            found.extend(theirs);
            continue;
        }
        let from = || theirs.iter().filter(|it| it.but.is_none()).filter_map(|it| it.from);
        elsewhere.push(ElsewhereApprove {
            organisation: organisation.name.clone(),
            now: from().filter(|from| *from <= now).count(),
            from: from().min(),
        });
    }
    Ok((found, elsewhere))
}

fn line(tx: &mut Tx<'_>, row: ProfileVersion) -> Result<Line, Refusal> {
    let layer = row.layer()?;
    let mut given = Vec::new();
    for approval in approvals::of_version(tx, row.id)? {
        given.push(Approval {
            organisation: organisation(tx, approval.organisation_id)?,
            by: login(tx, approval.account_id)?,
            at: approval.approved_at,
        });
    }
    let mut waits_for = Vec::new();
    if row.state == VersionState::Submitted {
        for (_id, request) in requests_of(tx, &row)? {
            if let (CountersignatureState::Waiting, Some(of)) = (request.state, request.answer_organisation) {
                waits_for.push(organisation(tx, of)?);
            }
        }
        waits_for.sort();
    }
    let suspension = layer_suspensions::get(tx, &row.id)?.filter(|it| it.lifted_at.is_none());
    let suspended = suspension.map(|it| (it.why, it.suspended_at));
    Ok(Line {
        author: login(tx, row.author_id)?,
        layer,
        approvals: given,
        waits_for,
        suspended,
        version: row,
    })
}

fn login(tx: &mut Tx<'_>, id: types::AccountId) -> Result<String, Refusal> {
    Ok(accounts::get(tx, &id)?.map(|account| account.login).unwrap_or_default())
}

fn organisation(tx: &mut Tx<'_>, id: types::OrganisationId) -> Result<String, Refusal> {
    Ok(organisations::get(tx, &id)?.map(|organisation| organisation.name).unwrap_or_default())
}

/// What differs between two versions of one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The version before; `None` for nothing.
    pub before: Option<ProfileVersionId>,
    /// The version after.
    pub after: ProfileVersionId,
    /// Whether it was asked what differs from what is in force, and that is this version itself.
    pub in_force: bool,
    /// What differs; where nothing is in force yet, everything that it says.
    pub changes: Vec<Said>,
}

/// What differs from one version to another, in words; from the one in force, if none is named.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Invalid`] for versions of different layers.
pub async fn diff(
    fleet: &Fleet,
    principal: &Principal,
    (before, after): (Option<ProfileVersionId>, ProfileVersionId),
    now: Instant,
) -> Result<Difference, Refusal> {
    look_at(fleet, principal, after, now, move |tx, Sight { person, row, layer }| {
        let (in_force, before) = match before {
            None => stands(tx, &layer, row.id)?,
            Some(before) => {
                let (before, of) = seen(tx, &person, before, now)?;
                if of != layer {
                    let problem = format!("this is a version of {of}, and the other of {layer}");
                    return Err(Refusal::invalid("before", problem));
                }
                (false, Some(before))
            }
        };
        let text = rows::content(tx, row.id)?;
        let changes = match &before {
            None if in_force => Vec::new(),
            None => everything(&text)?,
            Some(before) => changes(&rows::content(tx, before.id)?, &text)?,
        };
        Ok(Difference { before: before.map(|before| before.id), after, in_force, changes })
    })
    .await
}

/// Whether this version is the one in force; otherwise the one that is, if there is one.
fn stands(
    tx: &mut Tx<'_>,
    layer: &LayerKey,
    version: ProfileVersionId,
) -> Result<(bool, Option<ProfileVersion>), Refusal> {
    Ok(match rows::published(tx, layer)? {
        Some(published) if published.id == version => (true, None),
        other => (false, other),
    })
}

/// What a text says, where nothing was in force before.
fn everything(text: &Secret<String>) -> Result<Vec<Said>, Refusal> {
    ::profiles::report::everything(Source { file: "after", text: text.expose() }).map_err(Refusal::BadLayer)
}

/// What differs between two texts.
///
/// # Errors
/// [`Refusal::BadLayer`].
pub fn changes(before: &Secret<String>, after: &Secret<String>) -> Result<Vec<Said>, Refusal> {
    let source = |file, text| Source { file, text };
    ::profiles::report::diff(source("before", before.expose()), source("after", after.expose()))
        .map_err(Refusal::BadLayer)
}

/// What a publication would change, and on how many tablets.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The layer.
    pub layer: LayerKey,
    /// Whether it is the one in force: publishing it changes nothing any more.
    pub in_force: bool,
    /// The version in force that it would replace.
    pub replaces: Option<ProfileVersionId>,
    /// What would change; nothing, if there is none to replace: all of it is new then, unless it is in force itself.
    pub changes: Vec<Said>,
    /// How many managed tablets have the layer, by collège; those of no collège under `None`.
    pub tablets: BTreeMap<Option<Uai>, u64>,
    /// Whether each of them has the layer. Which tablets have those of a kind of user, a mode or a tablet is not known
    /// here: the counts are the most it can be.
    pub exact: bool,
    /// How many tablets each wave would have reached, in order, if it is rolled out.
    pub waves: Vec<u64>,
    /// Whether it would take the place of a first version that is not everywhere yet, and so go to everyone at once.
    pub everywhere_at_once: bool,
    /// The apps of collèges that this base would withhold: those of layers that are published, and that one may see (C3.1.3).
    pub withholds: Vec<(Uai, InVain)>,
}

/// What publishing a version would change.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::BadLayer`] for a text that this program does not understand any more;
/// [`Refusal::Conflict`] for waves of what would take the place of a first version that is not everywhere yet.
pub async fn plan(
    fleet: &Fleet,
    principal: &Principal,
    id: ProfileVersionId,
    waves: Option<RolloutPlan>,
    now: Instant,
) -> Result<Plan, Refusal> {
    look_at(fleet, principal, id, now, move |tx, Sight { person, row, layer }| {
        let text = rows::content(tx, row.id)?;
        let plan = plan_within(tx, (&layer, id, waves.as_ref()), &text, now)?;
        Ok(Plan { withholds: withheld(tx, &person, (&layer, &text), now)?, ..plan })
    })
    .await
}

/// What publishing a text would change, before it is even a draft.
///
/// # Errors
/// [`Refusal::BadLayer`]; [`Refusal::Forbidden`] for what another collège adds.
pub async fn plan_of_draft(
    fleet: &Fleet,
    principal: &Principal,
    text: Secret<String>,
    now: Instant,
) -> Result<Plan, Refusal> {
    let (layer, _title) = read_layer(&text)?;
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let person = principal.person(tx, now)?;
            may(&person, Permission::DraftProfiles, &layer, now)?;
            let plan = plan_within(tx, (&layer, ProfileVersionId::new(now), None), &text, now)?;
            Ok(Plan { withholds: withheld(tx, &person, (&layer, &text), now)?, ..plan })
        })
        .await
}

fn plan_within(
    tx: &mut Tx<'_>,
    (layer, version, waves): (&LayerKey, ProfileVersionId, Option<&RolloutPlan>),
    text: &Secret<String>,
    now: Instant,
) -> Result<Plan, Refusal> {
    if let Some(waves) = waves {
        must_reach_somebody(tx, layer, waves)?;
    }
    let (in_force, before) = stands(tx, layer, version)?;
    let everywhere_at_once = match &before {
        Some(before) => rollouts::is_a_first_under_way(tx, before.id)?,
        None => false,
    };
    if everywhere_at_once {
        rollouts::must_be_at_once(waves)?;
    }
    let changes = match &before {
        None => Vec::new(),
        Some(before) => changes(&rows::content(tx, before.id)?, text)?,
    };
    let mut tablets: BTreeMap<Option<Uai>, u64> = BTreeMap::new();
    let steps = waves.map_or(0, |plan| plan.waves().len());
    let mut reached = vec![0_u64; steps];
    for (tablet, uai) in store::enrolments::managed_tablets(tx)? {
        if layer.college().is_some_and(|of| Some(of) != uai.as_ref()) {
            continue;
        }
        for (wave, reached) in reached.iter_mut().enumerate() {
            if let Some(plan) = waves {
                let state = RolloutState::Running;
                let rollout = Rollout { version, plan: plan.clone(), state, wave, wave_since: now };
                *reached += u64::from(rollout.reaches(tablet, uai.as_ref()));
            }
        }
        *tablets.entry(uai).or_default() += 1;
    }
    let exact = matches!(layer, LayerKey::Base | LayerKey::College(_));
    Ok(Plan {
        layer: layer.clone(),
        in_force,
        replaces: before.map(|before| before.id),
        changes,
        tablets,
        exact,
        waves: reached,
        everywhere_at_once,
        withholds: Vec::new(),
    })
}

/// The apps that published layers of collèges add, and that this base blocks.
fn withheld(
    tx: &mut Tx<'_>,
    person: &Person,
    (layer, text): (&LayerKey, &Secret<String>),
    now: Instant,
) -> Result<Vec<(Uai, InVain)>, Refusal> {
    if *layer != LayerKey::Base {
        return Ok(Vec::new());
    }
    let base = ::profiles::parse("base", text.expose()).map_err(Refusal::BadLayer)?;
    let reach = person.standing.may(Permission::ViewProfiles, &person.access, now)?;
    let mut found = Vec::new();
    for version in rows::all_published(tx)? {
        let key = version.layer()?;
        let Some(uai) = key.college() else { continue };
        if !may_see(&reach, &key) {
            continue;
        }
        let added = rows::content(tx, version.id)?;
        // One that this program does not understand any more is told where it is looked at.
        let Ok(added) = ::profiles::parse("college", added.expose()) else { continue };
        let refused = ::profiles::added_in_vain(&added, &base).into_iter();
        found.extend(refused.filter_map(|refused| match refused {
            ::profiles::Refusal::InVain(in_vain) => Some((uai.clone(), *in_vain)),
            _ => None,
        }));
    }
    Ok(found)
}
