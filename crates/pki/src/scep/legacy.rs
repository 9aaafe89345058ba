//! What is accepted from clients that know only the algorithms of the last century.

use std::sync::OnceLock;

use openssl::error::ErrorStack;
use openssl::provider::Provider;

/// Kept loaded as long as the program runs: unloading it would take single DES away from everyone.
static LEGACY_PROVIDER: OnceLock<Provider> = OnceLock::new();

/// Whether single DES and SHA-1 are accepted, and advertised with triple DES.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LegacyPolicy {
    admitted: bool,
}

/// The library cannot do what legacy clients need.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "OpenSSL's legacy provider cannot be loaded, and single DES needs it: install it, or set scep.allow_legacy to false ({0})"
)]
pub struct LegacyUnavailable(#[from] ErrorStack);

impl LegacyPolicy {
    /// Old algorithms are refused. The default.
    #[must_use]
    pub const fn refuse() -> Self {
        Self { admitted: false }
    }

    /// Old algorithms are accepted. Loads OpenSSL's legacy provider beside the default one, for the whole
    /// program.
    ///
    /// # Errors
    /// [`LegacyUnavailable`], when the provider is not installed.
    pub fn admit() -> Result<Self, LegacyUnavailable> {
        if LEGACY_PROVIDER.get().is_none() {
            let provider = Provider::try_load(None, "legacy", true)?;
            // Another thread may have been first; then this handle only counts one more use.
            LEGACY_PROVIDER.get_or_init(|| provider);
        }
        Ok(Self { admitted: true })
    }

    /// [`LegacyPolicy::admit`] or [`LegacyPolicy::refuse`], as configured.
    ///
    /// # Errors
    /// [`LegacyUnavailable`], when they are to be admitted and cannot.
    pub fn from_setting(allow_legacy: bool) -> Result<Self, LegacyUnavailable> {
        if allow_legacy { Self::admit() } else { Ok(Self::refuse()) }
    }

    /// Whether they are accepted.
    #[must_use]
    pub const fn is_admitted(self) -> bool {
        self.admitted
    }
}
