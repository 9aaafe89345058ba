//! Assembly: from a configuration to open doors.

use std::sync::Arc;

use checkin::{DoorSettings, DoorState};
use console::ConsoleState;
use fleet::Fleet;
use fleet::pace::Gate;
use store::{Store, StoreOptions};

use crate::config::{Config, DoorTls};
use crate::door::{self, Manner};
use crate::error::{DoorName, StartError};
use crate::options::ServerOptions;
use crate::running::{Opened, RunningServer};
use crate::{door_certificate, fleet_settings};

/// The server, not yet started.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Starts everything: the key file is opened, the database, the use cases, the calendar, and last both
    /// doors. Must be called inside a tokio runtime, which goes on to run it.
    ///
    /// A door that listens on port 0 takes any free port; a public address with port 0 then means that one.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running.
    pub async fn start(options: ServerOptions) -> Result<RunningServer, StartError> {
        let config = &options.config;
        let now = options.clock.now();
        let vault = config.open_vault()?;
        let (tablets_listener, tablets_addr) =
            door::listen(DoorName::Tablets, config.tablets.listen, config.limits)?;
        let (people_listener, people_addr) =
            door::listen(DoorName::People, config.people.listen, config.limits)?;
        let tablets_url = fleet_settings::reached_at(&config.tablets.public_url, tablets_addr);
        let people_url = fleet_settings::reached_at(&config.people.public_url, people_addr);

        let store = Store::open(store_options(&options), vault).await?;
        let own_authorities = door_certificate::own_authorities(&store).await?;
        let anchors = match config.tablets.tls {
            DoorTls::Auto => own_authorities.clone(),
            DoorTls::Files { .. } | DoorTls::PlainHttp => Vec::new(),
        };
        let settings = fleet_settings::settings(&options, tablets_url.clone(), anchors)?;
        let fleet = Fleet::open(store, settings).await?;

        let tablets_identity =
            door_certificate::identity(DoorName::Tablets, &config.tablets.tls, &tablets_url, &fleet, now)
                .await?;
        let people_identity =
            door_certificate::identity(DoorName::People, &config.people.tls, &people_url, &fleet, now)
                .await?;
        let door_state = DoorState::new(fleet.clone(), Arc::clone(&options.clock), door_settings(&options)?)?;
        let push_service = fleet_settings::push_service(config)?;
        let mail_service = fleet_settings::mail_service(config)?;
        let manner = Manner { limits: config.limits, workers: options.worker_count() };

        let runner = jobs::start(&fleet, &options.clock, push_service, mail_service, options.rhythm);
        let console = ConsoleState {
            fleet: fleet.clone(),
            clock: Arc::clone(&options.clock),
            pace: Arc::new(Gate::new(options.coming_in)),
            proxies: fleet_settings::proxies(&options.config)?,
        };
        let tablets =
            door::open_to_tablets(tablets_listener, tablets_identity, &Arc::new(door_state), manner)?;
        let people = match door::open_to_people(
            people_listener,
            people_identity,
            console,
            runner.waker().clone(),
            manner,
        ) {
            Ok(people) => people,
            Err(error) => {
                tablets.close(false).await;
                return Err(error);
            }
        };
        tracing::info!(tablets = %tablets_url, people = %people_url, database = %fleet.store().engine(), "serving");
        Ok(RunningServer::new(Opened {
            fleet,
            runner,
            tablets,
            people,
            tablets_addr,
            people_addr,
            tablets_url,
            people_url,
            own_authorities,
        }))
    }
}

fn store_options(options: &ServerOptions) -> StoreOptions {
    let Config { database, .. } = &options.config;
    StoreOptions {
        pool_size: database.connections,
        refuse_owner: !options.owner_may_serve,
        ..StoreOptions::new(database.url.clone())
    }
}

fn door_settings(options: &ServerOptions) -> Result<DoorSettings, StartError> {
    let config = &options.config;
    let longest = usize::try_from(config.limits.body_bytes).unwrap_or(usize::MAX);
    let defaults = checkin::Limits::default();
    Ok(DoorSettings {
        proxies: fleet_settings::proxies(config)?,
        taken_over_paths: config.takeover_paths.clone(),
        limits: checkin::Limits {
            check_in_bytes: defaults.check_in_bytes.min(longest),
            connect_bytes: defaults.connect_bytes.min(longest),
            body_within: config.limits.request_time,
            unauthenticated: options.unauthenticated,
            ..defaults
        },
    })
}
