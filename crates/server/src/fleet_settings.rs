//! What the use cases and the push service are told of the configuration.

use std::net::SocketAddr;

use fleet::{NoticeSettings, Settings, TakeoverPolicy, UploadLimits};
use jobs::{MailService, PushService};
use outbound::mail::{MailClient, MailServer};
use pki::scep::LegacyPolicy;
use pki::{ProxyNetwork, SigningKey, TrustedProxies};
use store::shared_folder::SharedFolder;
use types::Secret;
use url::Url;

use crate::config::{Config, DoorTls};
use crate::error::{DoorName, StartError};
use crate::options::ServerOptions;
use crate::tls::TlsFileError;

/// The settings of the use cases. `tablets_url` is where tablets come in, `anchors` what their enrolment
/// profile asks them to trust.
pub(crate) fn settings(
    options: &ServerOptions,
    tablets_url: Url,
    anchors: Vec<Vec<u8>>,
) -> Result<Settings, StartError> {
    let config = &options.config;
    Ok(Settings {
        organisation: config.enrolment.organisation_name.clone(),
        tablets_url,
        challenge_lifetime: config.scep.challenge_lifetime,
        identity_lifetime: options.identity_lifetime,
        scep_legacy: LegacyPolicy::from_setting(config.scep.allow_legacy)?,
        setup_waits: config.enrolment.setup_waits,
        minimum_os: config.enrolment.minimum_os.as_deref().map(str::parse).transpose()?,
        profile_signer: profile_signer(&config.tablets.tls)?,
        anchors,
        shared_folder: Some(SharedFolder::open(config.shared_folder.clone())?),
        uploads: UploadLimits {
            longest: u64::from(config.limits.app_bytes),
            at_once: config.limits.app_uploads,
            within: config.limits.app_upload_time,
            stays_free: u64::from(config.limits.free_megabytes).saturating_mul(1_000_000),
        },
        takeover: if config.takeover_enabled { TakeoverPolicy::Open } else { TakeoverPolicy::Closed },
        quiet_hours: config.apns.quiet_hours,
        erasures: config.erasures,
        warrants: config.warrants,
        lost_mode: config.lost_mode.clone(),
        notices: NoticeSettings { by_mail: config.mail.is_some(), reminders: config.reminders.clone() },
    })
}

/// A door's certificate from a public authority signs profiles too: tablets then show them as verified.
fn profile_signer(tls: &DoorTls) -> Result<Option<SigningKey>, StartError> {
    let DoorTls::Files { certificate, key } = tls else { return Ok(None) };
    let read = |path: &std::path::Path| {
        std::fs::read_to_string(path).map_err(|source| StartError::Certificate {
            door: DoorName::Tablets,
            source: TlsFileError::Unreadable { path: path.to_owned(), source },
        })
    };
    match SigningKey::from_pem(&read(certificate)?, &Secret::new(read(key)?)) {
        Ok(signer) => Ok(Some(signer)),
        Err(error) => {
            tracing::warn!(%error, "the tablets' door's key cannot sign profiles; our own authority signs them");
            Ok(None)
        }
    }
}

/// The proxies of the configuration.
pub(crate) fn proxies(config: &Config) -> Result<TrustedProxies, StartError> {
    let networks = config.tablets.trusted_proxies.iter().map(|address| address.to_string().parse());
    Ok(TrustedProxies::new(networks.collect::<Result<Vec<ProxyNetwork>, _>>()?))
}

/// Where pushes go.
pub(crate) fn push_service(config: &Config) -> Result<PushService, StartError> {
    let trust = config.apns.trust.as_ref().map(|path| {
        std::fs::read_to_string(path).map_err(|source| StartError::PushTrust { path: path.clone(), source })
    });
    Ok(PushService {
        endpoint: config.apns.endpoint.clone(),
        trust: trust.transpose()?,
        egress: config.egress(),
    })
}

/// Where mail goes, and where it comes back; `None` without a mail server.
pub(crate) fn mail_service(config: &Config) -> Result<Option<MailService>, StartError> {
    let Some(mail) = &config.mail else { return Ok(None) };
    let server = MailServer {
        host: mail.host.clone(),
        port: mail.port,
        tls: mail.tls,
        trust: mail.authorities()?,
        login: mail.login()?,
        from: mail.from.clone(),
        returns_to: mail.returns_to.clone(),
    };
    let client = MailClient::new(server, config.egress())?;
    Ok(Some(MailService { client, returns: mail.returns_folder.clone() }))
}

/// A public address with port 0 takes the port on which the door came to listen.
pub(crate) fn reached_at(public: &Url, listening: SocketAddr) -> Url {
    let mut url = public.clone();
    if url.port() == Some(0) {
        // Only an address without a host refuses a port, and the configuration refuses those.
        let _has_a_host = url.set_port(Some(listening.port()));
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_port_zero_is_replaced() {
        let listening: SocketAddr = "127.0.0.1:4711".parse().unwrap();
        for (public, reached) in [
            ("https://localhost:0", "https://localhost:4711/"),
            ("https://mdm.example.org", "https://mdm.example.org/"),
            ("https://mdm.example.org:8443", "https://mdm.example.org:8443/"),
        ] {
            assert_eq!(reached_at(&public.parse().unwrap(), listening).as_str(), reached);
        }
    }
}
