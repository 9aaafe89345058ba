//! Layers that were decided by those who decide them, and are in force: what the use cases would have left behind.

use profiles::parts::AppOrigin;
use profiles::{Layer, LayerKey, parse};
use store::apps::{self, App, AppLicence, AppSource, AppUpdates};
use store::countersignatures::{self, Answer, Question, SecondRole};
use store::profile_approvals::{self, Approval};
use store::profile_versions::{self, ProfileVersion, VersionState};
use store::role_grants::GrantReach;
use store::{Digest, Store, StoreError, Tx, accounts};
use types::Clock as _;
use types::{
    AccountId, AppId, CountersignatureId, Duration, Instant, Platform, ProfileVersionId, Role, Secret,
};

use crate::people::{self, Employer};
use crate::{TestServer, TestkitError};

/// What is published, and by whom it is decided.
struct Decided {
    layer: LayerKey,
    read: Layer,
    title: String,
    text: String,
    author: AccountId,
    approvers: Vec<AccountId>,
}

impl TestServer {
    /// Publishes a layer, in place of the published version of it.
    ///
    /// # Errors
    /// [`TestkitError`] with the first thing that is wrong in the text, or with what the database refused.
    pub async fn publish_layer(&self, text: &str) -> Result<ProfileVersionId, TestkitError> {
        publish_layer(self.fleet()?.store(), self.operator()?, text, self.clock().now()).await
    }

    /// Puts the apps of the App Store that a layer names into the catalogue.
    ///
    /// # Errors
    /// [`TestkitError`] with the first thing that is wrong in the text.
    pub async fn offer_apps(&self, text: &str) -> Result<(), TestkitError> {
        let layer = parse("layer", text).map_err(|problems| {
            TestkitError::other(problems.first().map(ToString::to_string).unwrap_or_default())
        })?;
        let now = self.clock().now();
        Ok(self.fleet()?.store().write(move |tx| offer_apps(tx, &layer, now)).await?)
    }
}

/// The same in any database, written by `author`.
///
/// # Errors
/// As [`TestServer::publish_layer`].
pub async fn publish_layer(
    store: &Store,
    author: AccountId,
    text: &str,
    now: Instant,
) -> Result<ProfileVersionId, TestkitError> {
    let layer = parse("layer", text).map_err(|problems| {
        TestkitError::other(problems.first().map(ToString::to_string).unwrap_or_default())
    })?;
    let key = LayerKey::of(&layer);
    let approvers = match key.college() {
        Some(uai) => {
            let login = format!("head-{uai}").to_lowercase();
            vec![known(store, Employer::College(uai.clone()), &login, Role::Head, now).await?]
        }
        None => vec![
            known(store, Employer::Departement, "decides-departement", Role::Approver, now).await?,
            known(store, Employer::Academie, "decides-academie", Role::Approver, now).await?,
        ],
    };
    let decided = Decided {
        layer: key,
        title: layer.name().title.clone(),
        read: layer,
        text: text.to_owned(),
        author,
        approvers,
    };
    Ok(store.write(move |tx| publish(tx, &decided, now)).await?)
}

/// Somebody with that role, made once.
pub(crate) async fn known(
    store: &Store,
    employer: Employer,
    login: &str,
    role: Role,
    now: Instant,
) -> Result<AccountId, StoreError> {
    let name = login.to_owned();
    match store.read(move |tx| accounts::by_login(tx, &name)).await? {
        Some(account) => Ok(account.id),
        None => people::someone(store, employer, login, vec![(role, GrantReach::Organisation)], now).await,
    }
}

/// Puts the apps of the App Store that a layer names into the catalogue, where they are not, or no more.
///
/// # Errors
/// [`StoreError`].
pub fn offer_apps(tx: &mut Tx<'_>, layer: &Layer, now: Instant) -> Result<(), StoreError> {
    for (bundle, at) in layer.apps() {
        let Some(AppOrigin::Store(number)) = &at.value.origin else { continue };
        let known = apps::by_bundle(tx, Platform::Ipad, bundle.as_str())?;
        if known.is_some_and(|app| app.withdrawn_at.is_none()) {
            continue;
        }
        let app = App {
            id: AppId::new(now),
            platform: Platform::Ipad,
            bundle: bundle.to_string(),
            name: at.value.name.clone(),
            source: AppSource::Store,
            store_number: Some(number.to_string()),
            licence: AppLicence::Free,
            version: None,
            updates: AppUpdates::Automatic,
            configuration: None,
            file_sha256: None,
            added_by: "the tests".to_owned(),
            added_at: now,
            withdrawn_by: None,
            withdrawn_at: None,
        };
        apps::insert(tx, &app)?;
    }
    Ok(())
}

fn publish(tx: &mut Tx<'_>, decided: &Decided, now: Instant) -> Result<ProfileVersionId, StoreError> {
    offer_apps(tx, &decided.read, now)?;
    let id = ProfileVersionId::new(now);
    let content_sha256 = Digest::of(decided.text.as_bytes());
    let row = ProfileVersion {
        id,
        layer_kind: decided.layer.kind().to_owned(),
        layer_name: decided.layer.name(),
        uai: decided.layer.college().cloned(),
        number: profile_versions::next_number(tx, &decided.layer)?,
        state: VersionState::Draft,
        title: decided.title.clone(),
        content_sha256,
        based_on: None,
        author_id: decided.author,
        created_at: now,
        edited_at: now,
        submitted_at: None,
        takes_effect_at: None,
        scheduled_by: None,
        rollout_plan: None,
        published_at: None,
        superseded_at: None,
        ended_at: None,
        ended_by: None,
        ended_reason: None,
    };
    profile_versions::insert(tx, &row, &Secret::new(decided.text.clone()))?;
    profile_versions::submit(tx, id, now)?;
    for approver in &decided.approvers {
        approve(tx, &row, *approver, now)?;
    }
    profile_versions::approve(tx, id)?;
    profile_versions::schedule(tx, id, decided.author, (now, None))?;
    if let Some(before) = profile_versions::published(tx, &decided.layer)? {
        profile_versions::supersede(tx, before.id, now)?;
    }
    profile_versions::publish(tx, id, now)?;
    Ok(id)
}

/// A collège decides by itself; what is decided jointly is the signature of a second person.
fn approve(tx: &mut Tx<'_>, row: &ProfileVersion, by: AccountId, now: Instant) -> Result<(), StoreError> {
    let Some(account) = accounts::get(tx, &by)? else { return Ok(()) };
    let countersignature_id = match row.uai {
        Some(_) => None,
        None => {
            let id = CountersignatureId::new(now);
            let question = Question {
                id,
                purpose: "approve".to_owned(),
                subject: format!("version:{}", row.content_sha256),
                content_sha256: row.content_sha256,
                content: format!("version:{}", row.content_sha256),
                reason: "for the tests".to_owned(),
                asked_by: row.author_id,
                asked_at: now,
                answer_organisation: Some(account.organisation_id),
                answer_role: SecondRole::Approver,
                answer_uai: None,
                expires_at: now.plus(Duration::from_secs(86_400)),
            };
            countersignatures::ask(tx, &question)?;
            countersignatures::answer(tx, id, &Answer { given: true, by, at: now, reason: None })?;
            Some(id)
        }
    };
    profile_approvals::insert(
        tx,
        &Approval {
            version_id: row.id,
            organisation_id: account.organisation_id,
            account_id: by,
            content_sha256: row.content_sha256,
            approved_at: now,
            countersignature_id,
        },
    )
}
