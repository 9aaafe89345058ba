//! What stands in for Apple's push service: its authority, its certificate for us, its address.

use std::path::{Path, PathBuf};

use tablets::{Authority, Identity, Purpose, Validity};
use types::Instant;

use crate::TestkitError;

/// The topic of the stand-in's push certificate.
const TOPIC: &str = "com.apple.mgmt.External.00000000-0000-4000-8000-a4d015e00001";
/// How long its certificates last: tests travel through a year and more.
const DAYS: i64 = 1_200;

/// A stand-in for Apple's push service.
#[derive(Debug)]
pub struct PushService {
    trust_file: PathBuf,
    certificate: Identity,
    port: u16,
}

impl PushService {
    pub(crate) async fn start(now: Instant, folder: &Path) -> Result<Self, TestkitError> {
        let trust_file = folder.join("push-authority.pem");
        let file = trust_file.clone();
        let made = move || {
            let validity = Validity::days(now.as_seconds(), DAYS);
            let authority = Authority::new(&[("CN", "Stand-in push authority")], validity)?;
            std::fs::write(&file, authority.certificate_pem()?)
                .map_err(TestkitError::file("writing the push authority"))?;
            let subject = [("UID", TOPIC), ("CN", "APSP: stand-in"), ("C", "FR")];
            Ok::<_, TestkitError>(authority.identity_for(&subject, &Purpose::Client, validity)?)
        };
        let certificate = tokio::task::spawn_blocking(made).await.map_err(TestkitError::other)??;
        Ok(Self { trust_file, certificate, port: 1 })
    }

    /// What the configuration says of it.
    pub(crate) fn flags(&self) -> Vec<String> {
        vec![
            format!("apns.endpoint=https://localhost:{}", self.port),
            format!("apns.trust={}", self.trust_file.display()),
            format!("egress.allow=localhost:{} private", self.port),
        ]
    }

    /// The push certificate and its key, PEM, as Apple's portal would give them.
    ///
    /// # Errors
    /// [`TestkitError::Tablet`] when they cannot be written.
    pub fn certificate(&self) -> Result<(String, String), TestkitError> {
        Ok((self.certificate.certificate_pem()?, self.certificate.key_pem()?))
    }

    /// The topic of its push certificate.
    #[must_use]
    pub const fn topic(&self) -> &'static str {
        TOPIC
    }
}
