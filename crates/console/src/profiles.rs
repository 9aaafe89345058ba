//! `/profiles`: versions of layers, from a draft to publication, and who decided them.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path, Query};
use fleet::profiles::{self, Difference, Line, Plan, Shown, When};
use fleet::{Fleet, Principal, Refusal};
use serde::{Deserialize, Serialize};
use types::{Day, Instant, ProfileVersionId, Secret};
use utoipa::{IntoParams, ToSchema};

use crate::gate::Caller;
use crate::input::{Answer, Created, Page, PageQuery, State, field, optional, parse};
use crate::problem::{Failure, Problem};
use crate::profile_rollouts::{RolloutView, WavesWanted};
use crate::timestamp::Timestamp;

/// A layer’s text.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LayerText {
    /// The text, in TOML. Networks in it may have passwords: it is stored sealed.
    text: String,
}

impl std::fmt::Debug for LayerText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LayerText")
    }
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Why {
    /// Why, in 1 to 500 characters: others decide by it, and it is recorded.
    pub(crate) reason: String,
}

/// What is approved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LookedAt {
    /// SHA-256 of the text one looked at: that is approved, and nothing else (C3.1.1).
    text_sha256: String,
}

/// When a version takes effect.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Publication {
    /// The day, such as `2027-09-01`, from whose first minute on; at once, if it is left out.
    on: Option<String>,
    /// The waves in which it comes to tablets; everyone at once, if they are left out.
    waves: Option<WavesWanted>,
}

/// Which versions are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct VersionsQuery {
    /// Those of one layer: `base`, `user:pupil`, `mode:take-home`, `college:0761234A`, `emergency:TITLE`, `tablet:TITLE`.
    layer: Option<String>,
    /// Those in one state: `draft`, `submitted`, `approved`, `published`, `superseded`, `rejected`, `withdrawn`.
    state: Option<String>,
    /// The `next` of the part before; none for the first part.
    after: Option<String>,
    /// How many at most: 1 to 500, 100 unless told.
    limit: Option<u32>,
}

/// With what a version is compared.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DiffQuery {
    /// The version before; the one in force, if it is left out.
    before: Option<String>,
}

/// An approval.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApprovalView {
    /// The organisation.
    organisation: String,
    /// Who approved for it.
    by: String,
    /// When.
    at: Timestamp,
}

/// Somebody who may approve for an organisation whose approval is missing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MayApproveView {
    /// The organisation.
    organisation: String,
    /// Their login.
    login: String,
    /// From when on their right counts, a day after a second person confirmed it (C3.1.7); none while nobody has.
    from: Option<Timestamp>,
    /// Why they cannot approve this version all the same: `author`, or `one-hand` where one hand made their account and
    /// another that stands behind it.
    but: Option<&'static str>,
}

/// How many people of an organisation that is not the reader's may approve a version that lacks its approval.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ElsewhereApproveView {
    /// The organisation.
    organisation: String,
    /// How many can approve it now.
    now: usize,
    /// From when on the first of them can, or could; none where nobody will yet.
    from: Option<Timestamp>,
}

/// A version.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionView {
    /// Its id.
    id: String,
    /// Its layer, such as `base` or `college:0761234A`.
    layer: String,
    /// Its number among those of its layer.
    number: i32,
    /// The layer’s title.
    title: String,
    /// How far it has come.
    state: String,
    /// SHA-256 of its text.
    text_sha256: String,
    /// Who wrote it.
    author: String,
    /// The version it edits, if it does.
    based_on: Option<String>,
    /// When it was begun.
    created_at: Timestamp,
    /// When it was submitted.
    submitted_at: Option<Timestamp>,
    /// Who approved exactly this text.
    approvals: Vec<ApprovalView>,
    /// The organisations whose approval it waits for.
    waits_for: Vec<String>,
    /// Why it is not given to tablets for now although it is published: it contradicts what was decided jointly since.
    suspended_because: Option<String>,
    /// Since when.
    suspended_at: Option<Timestamp>,
    /// When it takes effect, or did.
    takes_effect_at: Option<Timestamp>,
    /// When it was published.
    published_at: Option<Timestamp>,
    /// When a later one took its place.
    superseded_at: Option<Timestamp>,
    /// When it was rejected or withdrawn.
    ended_at: Option<Timestamp>,
    /// Why.
    ended_reason: Option<String>,
}

impl From<Line> for VersionView {
    fn from(line: Line) -> Self {
        let row = line.version;
        let (suspended_because, suspended_at) = line.suspended.unzip();
        Self {
            id: row.id.to_string(),
            layer: line.layer.to_string(),
            number: row.number,
            title: row.title,
            state: row.state.to_string(),
            text_sha256: row.content_sha256.to_string(),
            author: line.author,
            based_on: row.based_on.map(|id| id.to_string()),
            created_at: row.created_at.into(),
            submitted_at: row.submitted_at.map(Timestamp::from),
            approvals: line
                .approvals
                .into_iter()
                .map(|it| ApprovalView { organisation: it.organisation, by: it.by, at: it.at.into() })
                .collect(),
            waits_for: line.waits_for,
            suspended_because,
            suspended_at: suspended_at.map(Timestamp::from),
            takes_effect_at: row.takes_effect_at.map(Timestamp::from),
            published_at: row.published_at.map(Timestamp::from),
            superseded_at: row.superseded_at.map(Timestamp::from),
            ended_at: row.ended_at.map(Timestamp::from),
            ended_reason: row.ended_reason,
        }
    }
}

/// A version, and what it says.
#[derive(Serialize, ToSchema)]
pub(crate) struct VersionDetail {
    /// The version.
    #[serde(flatten)]
    version: VersionView,
    /// Its text.
    text: String,
    /// Whether passwords in it are masked: they are, for whoever does not write that layer.
    masked: bool,
    /// Before it is approved: who may, and from when on. Empty for whoever does not write that layer.
    may_approve: Vec<MayApproveView>,
    /// How many people of each other organisation whose approval it lacks may approve it.
    elsewhere_approve: Vec<ElsewhereApproveView>,
    /// How it is rolled out, if it is.
    rollout: Option<RolloutView>,
}

impl From<Shown> for VersionDetail {
    fn from(shown: Shown) -> Self {
        Self {
            version: shown.line.into(),
            text: shown.text.expose().clone(),
            masked: shown.masked,
            may_approve: shown
                .may_approve
                .into_iter()
                .map(|it| MayApproveView {
                    organisation: it.organisation,
                    login: it.login,
                    from: it.from.map(Timestamp::from),
                    but: it.but.map(profiles::NotThisOne::as_str),
                })
                .collect(),
            elsewhere_approve: shown
                .elsewhere_approve
                .into_iter()
                .map(|it| ElsewhereApproveView {
                    organisation: it.organisation,
                    now: it.now,
                    from: it.from.map(Timestamp::from),
                })
                .collect(),
            rollout: shown.rollout.map(RolloutView::from),
        }
    }
}

/// One difference.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangeView {
    /// The key or part.
    path: String,
    /// `stricter`, `looser` or `other`.
    direction: String,
    /// In English.
    english: String,
    /// In French.
    french: String,
}

fn changes(changes: &[::profiles::report::Change]) -> Vec<ChangeView> {
    use ::profiles::catalogue::Language;
    use ::profiles::report::Direction;
    let view = |change: &::profiles::report::Change| ChangeView {
        path: change.path.clone(),
        direction: match change.direction {
            Direction::Stricter => "stricter",
            Direction::Looser => "looser",
            Direction::Other => "other",
        }
        .to_owned(),
        english: change.sentence(Language::English).to_owned(),
        french: change.sentence(Language::French).to_owned(),
    };
    changes.iter().map(view).collect()
}

/// What differs between two versions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DifferenceView {
    /// The version before; none, if nothing is in force yet.
    before: Option<String>,
    /// The version after.
    after: String,
    /// Whether it was compared with what is in force, and that is this version itself.
    in_force: bool,
    /// What differs; everything that it says, where nothing is in force yet.
    changes: Vec<ChangeView>,
}

impl From<Difference> for DifferenceView {
    fn from(difference: Difference) -> Self {
        Self {
            before: difference.before.map(|id| id.to_string()),
            after: difference.after.to_string(),
            in_force: difference.in_force,
            changes: changes(&difference.changes),
        }
    }
}

/// What a publication would change.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanView {
    /// The layer.
    layer: String,
    /// Whether it is the one in force: publishing it changes nothing any more.
    in_force: bool,
    /// The version in force that it would replace.
    replaces: Option<String>,
    /// What would change; empty, if there is none to replace.
    changes: Vec<ChangeView>,
    /// How many managed tablets have the layer, in all.
    tablets: u64,
    /// The same by collège; tablets of no collège under an empty name.
    by_college: BTreeMap<String, u64>,
    /// Whether each of them has it. For layers of users, modes and tablets, the counts are the most it can be.
    exact: bool,
    /// How many tablets each wave would have reached.
    waves: Vec<u64>,
    /// Whether it would take the place of a first version that is not everywhere yet, and so go to everyone at once.
    everywhere_at_once: bool,
    /// The apps of collèges that this base would withhold, as far as one may see what a collège adds (C3.1.3).
    withholds: Vec<WithheldView>,
}

/// An app that a collège adds and a base blocks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WithheldView {
    /// The collège.
    college: String,
    /// The app.
    bundle: String,
    /// In words, with the lines of both.
    why: String,
}

impl From<Plan> for PlanView {
    fn from(plan: Plan) -> Self {
        let name = |uai: Option<types::Uai>| uai.map(String::from).unwrap_or_default();
        Self {
            layer: plan.layer.to_string(),
            in_force: plan.in_force,
            replaces: plan.replaces.map(|id| id.to_string()),
            changes: changes(&plan.changes),
            tablets: plan.tablets.values().sum(),
            by_college: plan.tablets.into_iter().map(|(uai, count)| (name(uai), count)).collect(),
            exact: plan.exact,
            waves: plan.waves,
            everywhere_at_once: plan.everywhere_at_once,
            withholds: plan.withholds.into_iter().map(WithheldView::from).collect(),
        }
    }
}

impl From<(types::Uai, ::profiles::InVain)> for WithheldView {
    fn from((college, in_vain): (types::Uai, ::profiles::InVain)) -> Self {
        Self { college: college.to_string(), why: in_vain.to_string(), bundle: in_vain.bundle }
    }
}

pub(crate) fn version(id: &str) -> Result<ProfileVersionId, Failure> {
    parse("profile version", id)
}

/// Does to a version what takes a reason, and shows what came of it.
pub(crate) async fn with_a_reason<T, V: From<T>>(
    (state, caller, id, why): (State, Caller, Path<String>, Json<Why>),
    act: impl AsyncFnOnce(&Fleet, &Principal, ProfileVersionId, &str, Instant) -> Result<T, Refusal>,
) -> Answer<V> {
    let id = version(&id)?;
    let done = act(&state.fleet, caller.principal(), id, &why.reason, state.now()).await?;
    Ok(Json(done.into()))
}

/// Versions, the newest first.
#[utoipa::path(get, path = "/api/v1/profiles", tag = "profiles", params(VersionsQuery), responses(
    (status = 200, body = Page<VersionView>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    state: State,
    caller: Caller,
    query: Query<VersionsQuery>,
) -> Answer<Page<VersionView>> {
    let filter = (optional("layer", query.layer.as_deref())?, optional("state", query.state.as_deref())?);
    let page = fleet::page::Page::read(query.after.as_deref(), query.limit)?;
    let listed = profiles::list(&state.fleet, caller.principal(), filter, page, state.now()).await?;
    Ok(Json(Page::of(listed)))
}

/// Begins a version of the layer that the text says it is. Every line that is wrong is told.
#[utoipa::path(post, path = "/api/v1/profiles", tag = "profiles", request_body = LayerText, responses(
    (status = 201, body = VersionDetail), (status = "default", body = Problem)))]
pub(crate) async fn draft(state: State, caller: Caller, layer: Json<LayerText>) -> Created<VersionDetail> {
    let text = Secret::new(layer.into_inner().text);
    let shown = profiles::draft(&state.fleet, caller.principal(), text, state.now()).await?;
    Ok((Json(shown.into()), StatusCode::CREATED))
}

/// One version, and what it says.
#[utoipa::path(get, path = "/api/v1/profiles/{id}", tag = "profiles", params(("id" = String, Path)), responses(
    (status = 200, body = VersionDetail), (status = "default", body = Problem)))]
pub(crate) async fn show(state: State, caller: Caller, id: Path<String>) -> Answer<VersionDetail> {
    let shown = profiles::show(&state.fleet, caller.principal(), version(&id)?, state.now()).await?;
    Ok(Json(shown.into()))
}

/// Writes another text: into one’s own draft; of anything else it becomes another version, which nobody has approved.
#[utoipa::path(put, path = "/api/v1/profiles/{id}", tag = "profiles", params(("id" = String, Path)),
    request_body = LayerText, responses((status = 200, body = VersionDetail), (status = "default", body = Problem)))]
pub(crate) async fn edit(
    state: State,
    caller: Caller,
    id: Path<String>,
    layer: Json<LayerText>,
) -> Answer<VersionDetail> {
    let text = Secret::new(layer.into_inner().text);
    let shown = profiles::edit(&state.fleet, caller.principal(), version(&id)?, text, state.now()).await?;
    Ok(Json(shown.into()))
}

/// Submits one’s own draft: the département and the académie are asked (C3.1.1); a collège decides its own (C3.1.3).
#[utoipa::path(post, path = "/api/v1/profiles/{id}/submit", tag = "profiles", params(("id" = String, Path)),
    request_body = Why, responses((status = 200, body = VersionDetail), (status = "default", body = Problem)))]
pub(crate) async fn submit(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<Why>,
) -> Answer<VersionDetail> {
    with_a_reason((state, caller, id, why), profiles::submit).await
}

/// Approves exactly the text that one looked at, for one’s organisation (C3.1.1, C3.1.7).
#[utoipa::path(post, path = "/api/v1/profiles/{id}/approve", tag = "profiles", params(("id" = String, Path)),
    request_body = LookedAt, responses((status = 200, body = VersionDetail), (status = "default", body = Problem)))]
pub(crate) async fn approve(
    state: State,
    caller: Caller,
    id: Path<String>,
    looked_at: Json<LookedAt>,
) -> Answer<VersionDetail> {
    let (id, digest) = (version(&id)?, field("text_sha256", &looked_at.text_sha256)?);
    let shown = profiles::approve(&state.fleet, caller.principal(), id, digest, state.now()).await?;
    Ok(Json(shown.into()))
}

/// Refuses a version for one’s organisation; it ends.
#[utoipa::path(post, path = "/api/v1/profiles/{id}/reject", tag = "profiles", params(("id" = String, Path)),
    request_body = Why, responses((status = 200, body = VersionDetail), (status = "default", body = Problem)))]
pub(crate) async fn reject(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<Why>,
) -> Answer<VersionDetail> {
    with_a_reason((state, caller, id, why), profiles::reject).await
}

/// Publishes an approved version, now or on a day.
#[utoipa::path(post, path = "/api/v1/profiles/{id}/publish", tag = "profiles", params(("id" = String, Path)),
    request_body = Publication, responses((status = 200, body = VersionDetail), (status = "default", body = Problem)))]
pub(crate) async fn publish(
    state: State,
    caller: Caller,
    id: Path<String>,
    publication: Json<Publication>,
) -> Answer<VersionDetail> {
    let (id, publication) = (version(&id)?, publication.into_inner());
    let day: Option<Day> = optional("on", publication.on.as_deref())?;
    let plan = publication.waves.map(WavesWanted::plan).transpose()?;
    let when = When { at: day.map(Day::starts_at), plan };
    let shown = profiles::publish(&state.fleet, caller.principal(), id, when, state.now()).await?;
    Ok(Json(shown.into()))
}

/// Takes a version back. What is in force of a joint layer stays until another takes its place (C3.1.1).
#[utoipa::path(post, path = "/api/v1/profiles/{id}/withdraw", tag = "profiles", params(("id" = String, Path)),
    request_body = Why, responses((status = 200, body = VersionDetail), (status = "default", body = Problem)))]
pub(crate) async fn withdraw(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<Why>,
) -> Answer<VersionDetail> {
    with_a_reason((state, caller, id, why), profiles::withdraw).await
}

/// What differs from another version, or from the one in force, in words.
#[utoipa::path(get, path = "/api/v1/profiles/{id}/diff", tag = "profiles", params(("id" = String, Path), DiffQuery),
    responses((status = 200, body = DifferenceView), (status = "default", body = Problem)))]
pub(crate) async fn diff(
    state: State,
    caller: Caller,
    id: Path<String>,
    query: Query<DiffQuery>,
) -> Answer<DifferenceView> {
    let before = query.before.as_deref().map(version).transpose()?;
    let both = (before, version(&id)?);
    Ok(Json(profiles::diff(&state.fleet, caller.principal(), both, state.now()).await?.into()))
}

/// What publishing it would change, and on how many tablets; in these waves, if some are sent.
#[utoipa::path(get, path = "/api/v1/profiles/{id}/plan", tag = "profiles",
    params(("id" = String, Path), crate::profile_rollouts::WavesQuery),
    responses((status = 200, body = PlanView), (status = "default", body = Problem)))]
pub(crate) async fn plan(
    state: State,
    caller: Caller,
    id: Path<String>,
    query: Query<crate::profile_rollouts::WavesQuery>,
) -> Answer<PlanView> {
    let waves = query.into_inner().wanted()?.map(WavesWanted::plan).transpose()?;
    let id = version(&id)?;
    Ok(Json(profiles::plan(&state.fleet, caller.principal(), id, waves, state.now()).await?.into()))
}

/// Every version of its layer, the newest first, each with who decided it.
#[utoipa::path(get, path = "/api/v1/profiles/{id}/history", tag = "profiles",
    params(("id" = String, Path), PageQuery),
    responses((status = 200, body = Page<VersionView>), (status = "default", body = Problem)))]
pub(crate) async fn history(
    state: State,
    caller: Caller,
    id: Path<String>,
    query: Query<PageQuery>,
) -> Answer<Page<VersionView>> {
    let page = fleet::page::Page::read(query.after.as_deref(), query.limit)?;
    let id = version(&id)?;
    let listed = profiles::history(&state.fleet, caller.principal(), id, page, state.now()).await?;
    Ok(Json(Page::of(listed)))
}
