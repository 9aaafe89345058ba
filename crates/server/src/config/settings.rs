//! The typed values of the configuration, section by section, and what each of them refuses.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use fleet::{LostModeWords, ReminderDays, WarrantAsked, WarrantLimits};
use outbound::{ApnsEndpoint, Destination, Egress};
use store::{DatabaseUrl, Engine};
use tracing_subscriber::EnvFilter;
use types::QuietHours;
use url::{Host, Url};

use super::reader::{Fault, Reader, Reported};

/// The memory.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// Where it is; the path of an SQLite file is absolute if the home folder's is.
    pub url: DatabaseUrl,
    /// How many connections are open at most.
    pub connections: u32,
}

/// How a door is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoorTls {
    /// TLS with a certificate that our own authority issues for the door's public address.
    Auto,
    /// TLS with a certificate from files.
    Files {
        /// PEM: the certificate, then its intermediates.
        certificate: PathBuf,
        /// PEM: the private key.
        key: PathBuf,
    },
    /// None: a trusted proxy in front, or only this machine.
    PlainHttp,
}

/// The tablets' door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TabletsDoor {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The address tablets use: https, without a path.
    pub public_url: Url,
    /// How it is protected.
    pub tls: DoorTls,
    /// Whose `Client-Cert` header (RFC 9440) is believed; IPv4 addresses are never in their IPv6 form.
    pub trusted_proxies: Vec<IpAddr>,
}

/// The people's door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeopleDoor {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The address people use.
    pub public_url: Url,
    /// How it is protected.
    pub tls: DoorTls,
}

/// Certificates for tablets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScepSettings {
    /// Whether clients that know only old algorithms are served.
    pub allow_legacy: bool,
    /// How long a challenge stays valid.
    pub challenge_lifetime: Duration,
}

/// Who may enrol, and what they see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentSettings {
    /// The name tablets show.
    pub organisation_name: String,
    /// The oldest iPadOS that may enrol, such as `17.0` or `17.6.1`.
    pub minimum_os: Option<String>,
    /// How long the Setup Assistant of a new tablet waits at most for what was decided.
    pub setup_waits: Duration,
}

/// Apple's push service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApnsSettings {
    /// Which one.
    pub endpoint: ApnsEndpoint,
    /// PEM file with the only authorities that vouch for it; `None` for the public ones.
    pub trust: Option<PathBuf>,
    /// When tablets are woken only for what is urgent.
    pub quiet_hours: Option<QuietHours>,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object per line.
    Json,
}

/// The log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// How it is written.
    pub format: LogFormat,
    /// What it shows, as `tracing-subscriber`'s `EnvFilter` reads it.
    pub filter: String,
}

/// What is refused because it is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open connections per door.
    pub connections: u32,
    /// Bytes of a tablet's body.
    pub body_bytes: u32,
    /// Bytes of a person's body.
    pub upload_bytes: u32,
    /// Bytes of an app that is uploaded.
    pub app_bytes: u32,
    /// How many apps are taken in at once.
    pub app_uploads: u32,
    /// How long an app may take to arrive.
    pub app_upload_time: Duration,
    /// Megabytes of the shared folder's disk that stay free.
    pub free_megabytes: u32,
    /// How long a request may take to arrive.
    pub request_time: Duration,
}

/// Passwords that installations are found with. Ours has none of them, and refuses them in an address.
const DEFAULT_PASSWORDS: [&str; 8] =
    ["password", "postgres", "ardoise", "changeme", "change-me", "secret", "admin", "example"];

pub(super) fn database(reader: &mut Reader<'_>) -> Result<DatabaseSettings, Reported> {
    let url = reader.one("database.url", |text| {
        let url: DatabaseUrl = text.parse().map_err(|error: store::StoreError| error.to_string())?;
        if url.engine() == Engine::Postgresql && has_default_password(text) {
            return Err("its password is one that everybody tries first".to_owned());
        }
        Ok(url)
    });
    let connections = reader.number("database.connections", 1, 200);
    let url = url?;
    let url = match url.sqlite_path() {
        Some(path) => DatabaseUrl::sqlite(reader.within_home(path)),
        None => url,
    };
    Ok(DatabaseSettings { url, connections: connections? })
}

/// Whether a database that others can reach is opened by a password of the list (T-C6). On this machine only
/// those who are already in can try.
fn has_default_password(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let local = url.host_str().is_none_or(|host| {
        host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    });
    let in_query = url.query_pairs().find(|(name, _value)| name == "password");
    let password = url.password().map(str::to_owned).or(in_query.map(|(_name, value)| value.into_owned()));
    !local
        && password
            .is_some_and(|password| DEFAULT_PASSWORDS.contains(&password.to_ascii_lowercase().as_str()))
}

pub(super) fn tablets(reader: &mut Reader<'_>) -> Result<TabletsDoor, Reported> {
    let listen = reader.one("tablets.listen", socket_address);
    let public_url = reader.one("tablets.public_url", |text| public_url(text, false));
    let trusted_proxies = reader.list("tablets.trusted_proxies", proxy_address);
    let plain_http = reader.switch("tablets.plain_http");
    let tls = plain_http.and_then(|plain_http| {
        door_tls(reader, plain_http, ["tablets.plain_http", "tablets.tls.certificate", "tablets.tls.key"])
    });
    let trusted_proxies = trusted_proxies?;
    if plain_http == Ok(true) && trusted_proxies.is_empty() {
        let fault = "without TLS and without a trusted proxy every tablet would be anonymous".to_owned();
        let next = "name the proxy in `tablets.trusted_proxies`, or leave `plain_http` out".to_owned();
        return Err(reader.refuse_with("tablets.plain_http", fault, next));
    }
    Ok(TabletsDoor { listen: listen?, public_url: public_url?, tls: tls?, trusted_proxies })
}

pub(super) fn people(reader: &mut Reader<'_>) -> Result<PeopleDoor, Reported> {
    let listen = reader.one("people.listen", socket_address);
    let plain_http = reader.switch("people.plain_http");
    let public_url = reader.one("people.public_url", |text| public_url(text, plain_http.unwrap_or(false)));
    let tls = plain_http.and_then(|plain_http| {
        door_tls(reader, plain_http, ["people.plain_http", "people.tls.certificate", "people.tls.key"])
    });
    let listen = listen?;
    if plain_http == Ok(true) && !listen.ip().is_loopback() {
        let fault = format!("`people.listen` is {listen}: passwords would cross the network in clear");
        let next = "listen on 127.0.0.1, or leave `plain_http` out".to_owned();
        return Err(reader.refuse_with("people.plain_http", fault, next));
    }
    Ok(PeopleDoor { listen, public_url: public_url?, tls: tls? })
}

fn door_tls(
    reader: &mut Reader<'_>,
    plain_http: bool,
    [plain, certificate, key]: [&'static str; 3],
) -> Result<DoorTls, Reported> {
    let auto = reader.one(certificate, |text| Ok(text == "auto"))?;
    let certificate_path = reader.path(certificate)?;
    let key_path = reader.path(key)?;
    match (plain_http, auto, certificate_path, key_path) {
        (true, true, _, None) => Ok(DoorTls::PlainHttp),
        (true, _, _, _) => {
            let fault = format!("it contradicts `{certificate}` and `{key}`, which are for TLS");
            Err(reader.refuse_with(plain, fault, "leave either out".to_owned()))
        }
        (false, true, _, None) => Ok(DoorTls::Auto),
        (false, true, _, Some(_)) => {
            let fault = format!("there is a key but no certificate in `{certificate}`");
            Err(reader.refuse(key, fault))
        }
        (false, false, Some(certificate), Some(key)) => Ok(DoorTls::Files { certificate, key }),
        (false, false, _, _) => {
            let fault = format!("its private key is missing in `{key}`");
            Err(reader.refuse(certificate, fault))
        }
    }
}

/// What one door alone cannot know.
pub(super) fn two_doors(reader: &mut Reader<'_>, tablets: &TabletsDoor, people: &PeopleDoor) {
    if tablets.listen == people.listen && tablets.listen.port() != 0 {
        let fault = "it is the tablets' door too; each door has its own".to_owned();
        reader.refuse("people.listen", fault);
    }
}

fn socket_address(text: &str) -> Result<SocketAddr, Fault> {
    text.parse().map_err(|_invalid| "expected a numeric address and a port".to_owned())
}

fn proxy_address(text: &str) -> Result<IpAddr, Fault> {
    let address: IpAddr =
        text.parse().map_err(|_invalid| "expected one numeric address, not a name or a range".to_owned())?;
    let address = address.to_canonical();
    if address.is_unspecified() || address.is_multicast() {
        return Err("this is not the address of a machine".to_owned());
    }
    Ok(address)
}

fn public_url(text: &str, plain_http: bool) -> Result<Url, Fault> {
    let url = Url::parse(text).map_err(|error| format!("this is not a web address ({error})"))?;
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => {}
        "http" if plain_http && local => {}
        _ => return Err("it must begin with `https://`".to_owned()),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it must hold no user name and no password".to_owned());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("it must end after the host and port, without a path".to_owned());
    }
    Ok(url)
}

pub(super) fn scep(reader: &mut Reader<'_>) -> Result<ScepSettings, Reported> {
    let allow_legacy = reader.switch("scep.allow_legacy");
    let hours = reader.number("scep.challenge_hours", 1, 720);
    let challenge_lifetime = Duration::from_secs(u64::from(hours?) * 3_600);
    Ok(ScepSettings { allow_legacy: allow_legacy?, challenge_lifetime })
}

pub(super) fn enrolment(reader: &mut Reader<'_>) -> Result<EnrolmentSettings, Reported> {
    let organisation_name = reader.one("enrolment.organisation_name", |text| {
        let fits = text.chars().count() <= 64 && !text.chars().any(char::is_control);
        if fits { Ok(text.to_owned()) } else { Err("expected at most 64 printable characters".to_owned()) }
    });
    let minimum_os = reader.optional("enrolment.minimum_os", |text| {
        let parts: Vec<&str> = text.split('.').collect();
        let numbers = parts
            .iter()
            .all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()));
        if numbers && parts.len() <= 3 {
            Ok(text.to_owned())
        } else {
            Err("expected a version such as 17.0 or 17.6.1".to_owned())
        }
    });
    let minutes = reader.number("enrolment.setup_minutes", 5, 120);
    let setup_waits = Duration::from_secs(u64::from(minutes?) * 60);
    Ok(EnrolmentSettings { organisation_name: organisation_name?, minimum_os: minimum_os?, setup_waits })
}

pub(super) fn takeover_paths(reader: &mut Reader<'_>) -> Result<Vec<String>, Reported> {
    reader.list("takeover.paths", |text| {
        // Which paths can be served is decided by the door, which knows its own.
        if text.starts_with('/') {
            Ok(text.to_owned())
        } else {
            Err("expected a path, such as `/mdm`".to_owned())
        }
    })
}

pub(super) fn egress_allow(reader: &mut Reader<'_>) -> Result<Vec<Destination>, Reported> {
    reader
        .list("egress.allow", |text| text.parse::<Destination>().map_err(|error| error.problem().to_owned()))
}

pub(super) fn apns(reader: &mut Reader<'_>, allowed: &[Destination]) -> Result<ApnsSettings, Reported> {
    let trust = reader.path("apns.trust");
    let quiet_hours = reader
        .optional("apns.quiet_hours", |text| text.parse::<QuietHours>().map_err(|error| error.to_string()));
    let endpoint = reader.one("apns.endpoint", |text| {
        text.parse::<ApnsEndpoint>().map_err(|_invalid| {
            "expected `production`, `sandbox` or an https address without a path".to_owned()
        })
    })?;
    let url = match endpoint.url() {
        Ok(url) => url,
        Err(error) => return Err(reader.refuse("apns.endpoint", error.to_string())),
    };
    let apple = Egress::new(Egress::apple());
    let is_apple = apple.admit(&url).is_ok();
    if !is_apple && let Err(refusal) = Egress::new(allowed.iter().cloned()).admit(&url) {
        let place =
            format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443));
        let next = format!("add `{place}` to `egress.allow`");
        return Err(reader.refuse_with("apns.endpoint", refusal.to_string(), next));
    }
    let trust = trust?;
    if is_apple && trust.is_some() {
        let fault = "Apple's push service is vouched for by public authorities only".to_owned();
        let next = "leave it out, or name a stand-in in `apns.endpoint`".to_owned();
        return Err(reader.refuse_with("apns.trust", fault, next));
    }
    Ok(ApnsSettings { endpoint, trust, quiet_hours: quiet_hours? })
}

/// How long an erasure waits for whoever held the tablet, and how long its order lasts: between a floor and a ceiling that no
/// configuration moves (M3).
pub(super) fn erasures(reader: &mut Reader<'_>) -> Result<fleet::EraseTerms, Reported> {
    let (notice, lasts) =
        (reader.number("lending.notice_days", 1, 60), reader.number("lending.order_days", 1, 90));
    let days = |count: u32| u16::try_from(count).unwrap_or(u16::MAX);
    fleet::EraseTerms::new(days(notice?), days(lasts?)).map_err(|beyond| {
        let next = "wait 1 to 60 days, and let an order last 1 to 90".to_owned();
        reader.refuse_with("lending.notice_days", beyond.to_string(), next)
    })
}

/// How long, how often and how closely a warrant lets a tablet be located: between a floor and a ceiling that no
/// configuration moves (M1).
pub(super) fn warrants(reader: &mut Reader<'_>) -> Result<WarrantLimits, Reported> {
    let most = asked(reader, ["warrants.most_hours", "warrants.most_fixes", "warrants.least_minutes"]);
    let usual = asked(reader, ["warrants.hours", "warrants.fixes", "warrants.minutes"]);
    let (most, usual) = (most?, usual?);
    WarrantLimits::new(usual, most).map_err(|beyond| {
        let next = "ask for no more than `warrants.most_hours`, `warrants.most_fixes` and `warrants.least_minutes` admit";
        reader.refuse_with("warrants.hours", beyond.to_string(), next.to_owned())
    })
}

fn asked(
    reader: &mut Reader<'_>,
    [hours, fixes, minutes]: [&'static str; 3],
) -> Result<WarrantAsked, Reported> {
    let hours = reader.number(hours, 1, 168);
    let fixes = reader.number(fixes, 1, 24);
    let minutes = reader.number(minutes, 5, 1_440);
    Ok(WarrantAsked {
        lasts: Duration::from_secs(u64::from(hours?) * 3_600),
        fixes: fixes?,
        interval: Duration::from_secs(u64::from(minutes?) * 60),
    })
}

pub(super) fn lost_mode(reader: &mut Reader<'_>) -> Result<LostModeWords, Reported> {
    let mut words = |name| {
        let words = reader.optional(name, |text| {
            let fits = text.chars().count() <= 400 && !text.chars().any(|c| c.is_control() && c != '\n');
            if fits {
                Ok(text.to_owned())
            } else {
                Err("expected at most 400 printable characters".to_owned())
            }
        });
        Ok::<_, Reported>(words?.unwrap_or_default())
    };
    let (message, phone, footnote) =
        (words("lost_mode.message"), words("lost_mode.phone"), words("lost_mode.footnote"));
    Ok(LostModeWords { message: message?, phone: phone?, footnote: footnote? })
}

pub(super) fn reminders(reader: &mut Reader<'_>) -> Result<ReminderDays, Reported> {
    let days = reader.list("lending.reminder_days", |text| {
        text.parse::<u16>().map_err(|_invalid| "expected a number of days".to_owned())
    });
    ReminderDays::new(days?)
        .map_err(|_bounds| reader.refuse("lending.reminder_days", "expected days from 1 to 90".to_owned()))
}

pub(super) fn log(reader: &mut Reader<'_>) -> Result<LogSettings, Reported> {
    let format = reader.one("log.format", |text| match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("expected `text` or `json`".to_owned()),
    });
    let filter = reader.one("log.filter", |text| {
        EnvFilter::try_new(text).map(|_filter| text.to_owned()).map_err(|error| error.to_string())
    });
    Ok(LogSettings { format: format?, filter: filter? })
}

pub(super) fn limits(reader: &mut Reader<'_>) -> Result<Limits, Reported> {
    let connections = reader.number("limits.connections", 16, 1_000_000);
    let body_bytes = reader.number("limits.body_bytes", 65_536, 16_777_216);
    let upload_bytes = reader.number("limits.upload_bytes", 65_536, 268_435_456);
    let app_bytes = reader.number("limits.app_bytes", 65_536, u32::MAX);
    let app_uploads = reader.number("limits.app_uploads", 1, 1_000);
    let app_upload_seconds = reader.number("limits.app_upload_seconds", 1, 86_400);
    let free_megabytes = reader.number("limits.free_megabytes", 0, u32::MAX);
    let seconds = reader.number("limits.request_seconds", 1, 600);
    Ok(Limits {
        connections: connections?,
        body_bytes: body_bytes?,
        upload_bytes: upload_bytes?,
        app_bytes: app_bytes?,
        app_uploads: app_uploads?,
        app_upload_time: Duration::from_secs(u64::from(app_upload_seconds?)),
        free_megabytes: free_megabytes?,
        request_time: Duration::from_secs(u64::from(seconds?)),
    })
}
