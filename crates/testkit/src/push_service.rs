//! What stands in for Apple's push service: it listens on loopback, and refuses what Apple refuses.

use std::path::{Path, PathBuf};

use tablets::{Apns, PushAuthority, PushCertificate, Validity};
use types::Instant;

use crate::TestkitError;

/// The topic of the stand-in's push certificate.
const TOPIC: &str = "com.apple.mgmt.External.00000000-0000-4000-8000-a4d015e00001";
/// How long its push certificate lasts: tests travel through a year and more.
const DAYS: i64 = 1_200;

/// A stand-in for Apple's push service.
#[derive(Debug)]
pub struct PushService {
    trust_file: PathBuf,
    authority: PushAuthority,
    certificate: PushCertificate,
    apns: Apns,
}

impl PushService {
    pub(crate) async fn start(now: Instant, folder: &Path) -> Result<Self, TestkitError> {
        let made = move || {
            let authority = PushAuthority::new(now.as_seconds())?;
            let certificate = authority.certificate_valid(TOPIC, Validity::days(now.as_seconds(), DAYS))?;
            Ok::<_, TestkitError>((authority, certificate))
        };
        let (authority, certificate) =
            tokio::task::spawn_blocking(made).await.map_err(TestkitError::other)??;
        let apns = Apns::on_loopback(&authority).await?;
        let trust_file = folder.join("push-authority.pem");
        std::fs::write(&trust_file, apns.root_pem()?)
            .map_err(TestkitError::file("writing the push authority"))?;
        Ok(Self { trust_file, authority, certificate, apns })
    }

    /// What the configuration says of it.
    pub(crate) fn flags(&self) -> Vec<String> {
        let port = self.apns.address().port();
        vec![
            format!("apns.endpoint={}", self.apns.url()),
            format!("apns.trust={}", self.trust_file.display()),
            format!("egress.allow=localhost:{port} private"),
        ]
    }

    /// The push certificate and its key, PEM, as Apple's portal would give them.
    #[must_use]
    pub fn certificate(&self) -> (&str, &str) {
        (&self.certificate.certificate_pem, &self.certificate.key_pem)
    }

    /// Another push certificate, as Apple's portal gives one: renewed, if it is of the same topic.
    ///
    /// # Errors
    /// [`TestkitError::Tablet`].
    pub fn another_certificate(
        &self,
        topic: &str,
        from: Instant,
        days: i64,
    ) -> Result<PushCertificate, TestkitError> {
        Ok(self.authority.certificate_valid(topic, Validity::days(from.as_seconds(), days))?)
    }

    /// The topic of its push certificate.
    #[must_use]
    pub const fn topic(&self) -> &'static str {
        TOPIC
    }

    /// The service itself: what it accepted and refused, and the faults it can be told to have.
    #[must_use]
    pub const fn apns(&self) -> &Apns {
        &self.apns
    }
}
