//! Floor 5: the use cases. Each is one transaction that loads, decides, saves and records.
//!
//! Two kinds of callers come here: tablets, proven by a [`pki::DeviceIdentity`], who are told a
//! [`TabletError`] when they are not served; and people, programs and the calendar, known as a
//! [`Principal`], who are told a [`Refusal`]. Time is a parameter everywhere.

pub mod accounts;
pub mod alarms;
mod answers;
pub mod apple_authorities;
pub mod apps;
mod audit;
pub mod audit_log;
pub mod authorities;
mod bearer_secret;
pub mod brake;
pub mod broadcasts;
pub mod capability;
pub mod checkin;
mod clean_slate;
pub mod coming_in;
pub mod commands;
pub mod connect;
pub mod countersignatures;
mod csv_import;
pub mod enrol;
mod enrolment_profile;
pub mod first_accounts;
mod first_commands;
pub mod identity;
pub mod incidents;
pub mod inventory;
pub mod keys;
pub mod lending;
pub mod links;
pub mod mail;
mod management_profile;
pub mod organisations;
pub mod pace;
pub mod page;
#[cfg(test)]
mod people_tests;
pub mod profiles;
pub mod purges;
pub mod push;
pub mod push_certificate;
mod refusal;
pub mod register;
mod request;
pub mod roles;
pub mod scep;
pub mod school_years;
pub mod segments;
mod settings;
mod standing;
pub mod status;
mod tablet_error;
pub mod tablet_why;
pub mod tablets;
pub mod takeover;
mod takeover_binding;
mod takeover_import;
pub mod unenrolment;
pub mod upkeep;
mod values;
pub mod vitals;
mod watch;
pub mod why;
mod worded;

use std::sync::{Arc, PoisonError, RwLock};

pub use ::incidents::{Asked as WarrantAsked, Limits as WarrantLimits};
pub use ::lending::EraseTerms;
pub use ::lending::calendar::ReminderDays;
pub use authorities::Authorities;
pub use capability::Capability;
use coming_in::Passwords;
pub use coming_in::Principal;
pub use csv_import::{BadLine, COLUMNS as INVENTORY_COLUMNS};
pub use governance::{Permission, Scope};
pub use refusal::Refusal;
pub use settings::{LostModeWords, NoticeSettings, Settings, TakeoverPolicy, UploadLimits};
use store::shared_folder::SharedFolder;
use store::{GroupCommit, Store};
pub use tablet_error::{TabletError, Told};
use tokio::sync::Semaphore;
pub use worded::Worded;

/// What every use case is given: the memory, the settings, and the authorities that vouch for tablets.
///
/// Cheap to clone; all clones share the same authorities.
#[derive(Debug, Clone)]
pub struct Fleet {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    settings: Settings,
    authorities: RwLock<Arc<Authorities>>,
    passwords: Passwords,
    meters: vitals::Meters,
    world: RwLock<Option<(String, Arc<segments::World>)>>,
    uploads: Arc<Semaphore>,
    check_ins: GroupCommit<checkin::CheckIns>,
    queueing: GroupCommit<commands::Queueing>,
}

/// Which of the tablets' doors a message came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Our own.
    Own,
    /// The address of another server, whose tablets move here (T-A6).
    TakenOver,
}

/// What a tablet gets back, always with status 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Nothing: all is well, or there is nothing to do.
    Empty,
    /// An XML property list.
    Plist(Vec<u8>),
    /// JSON, for declarative management.
    Json(Vec<u8>),
}

impl Fleet {
    /// Opens the use cases over a database that `ardoise init` has prepared.
    ///
    /// # Errors
    /// [`Refusal::Conflict`] says what to type when there is no authority yet.
    pub async fn open(store: Store, settings: Settings) -> Result<Self, Refusal> {
        let authorities = Arc::new(authorities::load(&store).await?);
        let check_ins = store.group_commit(checkin::CheckIns)?;
        let queueing = store.group_commit(commands::Queueing)?;
        let at_once = usize::try_from(settings.uploads.at_once).unwrap_or(Semaphore::MAX_PERMITS);
        Ok(Self {
            inner: Arc::new(Inner {
                store,
                settings,
                authorities: RwLock::new(authorities),
                passwords: Passwords::new(),
                meters: vitals::Meters::default(),
                world: RwLock::new(None),
                uploads: Arc::new(Semaphore::new(at_once.min(Semaphore::MAX_PERMITS))),
                check_ins,
                queueing,
            }),
        })
    }

    /// The memory.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The places of uploads that may run at once.
    pub(crate) fn upload_places(&self) -> Arc<Semaphore> {
        Arc::clone(&self.inner.uploads)
    }

    /// Where tablets that enrol share commits.
    pub(crate) fn check_ins(&self) -> &GroupCommit<checkin::CheckIns> {
        &self.inner.check_ins
    }

    /// Where commands that people send share commits.
    pub(crate) fn queueing(&self) -> &GroupCommit<commands::Queueing> {
        &self.inner.queueing
    }

    pub(crate) fn meters(&self) -> &vitals::Meters {
        &self.inner.meters
    }

    /// Where passwords are hashed.
    pub(crate) fn passwords(&self) -> &Passwords {
        &self.inner.passwords
    }

    /// What the configuration decided.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Where uploaded apps lie.
    ///
    /// # Errors
    /// [`Refusal::Internal`] for what runs without it.
    pub(crate) fn shared_folder(&self) -> Result<&SharedFolder, Refusal> {
        self.settings()
            .shared_folder
            .as_ref()
            .ok_or_else(|| Refusal::Internal("this runs without the shared folder".into()))
    }

    /// Asks the database and the shared folder for a sign of life.
    ///
    /// # Errors
    /// [`Refusal::Store`], or [`Refusal::Internal`] with what is wrong with the folder.
    pub async fn is_ready(&self) -> Result<(), Refusal> {
        self.store().ping().await?;
        if let Some(folder) = &self.settings().shared_folder {
            folder.check().await.map_err(|error| Refusal::Internal(error.to_string()))?;
        }
        Ok(())
    }

    /// The authorities as they were last loaded.
    #[must_use]
    pub fn authorities(&self) -> Arc<Authorities> {
        Arc::clone(&self.inner.authorities.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is in force, and its fingerprint; read once for each of its states, for reading it takes long where many collèges
    /// add something. Both come from one view: something else may be in force a moment later.
    pub(crate) async fn world(&self, now: types::Instant) -> Result<(String, Arc<segments::World>), Refusal> {
        let known = self.inner.world.read().unwrap_or_else(PoisonError::into_inner).clone();
        let look = move |tx: &mut store::Tx<'_>| {
            let (fingerprint, _base) = segments::fingerprint(tx, now)?;
            if let Some((_of, world)) = known.filter(|(of, _world)| *of == fingerprint) {
                return Ok((fingerprint, world));
            }
            Ok::<_, Refusal>((fingerprint, Arc::new(segments::World::load(tx, now)?)))
        };
        let (fingerprint, world) = self.store().read(look).await?;
        let kept = Some((fingerprint.clone(), Arc::clone(&world)));
        *self.inner.world.write().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok((fingerprint, world))
    }

    /// Loads the authorities again, after one was added or rotated, here or on another node.
    ///
    /// # Errors
    /// [`Refusal::Store`] when the memory fails; the former authorities stay.
    pub async fn reload_authorities(&self) -> Result<(), Refusal> {
        let fresh = Arc::new(authorities::load(self.store()).await?);
        *self.inner.authorities.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }
}

impl Fleet {
    /// Believes simulated devices in place of Apple's: for tests and the demo, which have no real iPad.
    /// `clippy.toml` bans it elsewhere.
    pub fn believe_simulated_devices(&self, authority: pki::DeviceCertificateAuthorities) {
        let simulated = Arc::new(self.authorities().with_simulated_apple(authority));
        *self.inner.authorities.write().unwrap_or_else(PoisonError::into_inner) = simulated;
    }
}
