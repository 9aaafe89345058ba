//! A stand-in for the authority that gives every iPad an identity in the factory.

use crate::authority::{Authority, Purpose, Validity};
use crate::{Error, Identity, KeyPool};

/// Root, intermediate, and leaves for devices. As in real life, the intermediate has expired and is still in use,
/// and a `MachineInfo` carries the leaf alone.
#[derive(Debug, Clone)]
pub struct AppleDeviceAuthority {
    root: Authority,
    intermediate: Authority,
    now: i64,
}

impl AppleDeviceAuthority {
    /// Makes root and intermediate; `now` in seconds since 1970 is when leaves begin.
    ///
    /// # Errors
    /// When OpenSSL refuses.
    pub fn new(now: i64) -> Result<Self, Error> {
        const YEAR: i64 = 365 * 86_400;
        let root = Authority::new(
            &[("C", "US"), ("O", "Simulated Apple"), ("CN", "Simulated Apple Root CA")],
            Validity { from: now - 20 * YEAR, until: now + 9 * YEAR },
        )?;
        let intermediate = root.identity_for(
            &[
                ("C", "US"),
                ("O", "Simulated Apple"),
                ("OU", "Simulated iPhone"),
                ("CN", "Simulated iPhone Device CA"),
            ],
            &Purpose::Authority,
            Validity { from: now - 19 * YEAR, until: now - 12 * YEAR },
        )?;
        Ok(Self { root, intermediate: Authority::from_identity(intermediate), now })
    }

    /// An authority that was kept as two PEM texts, each a certificate and its key; `now` as for a new one.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn from_pem(root: &str, intermediate: &str, now: i64) -> Result<Self, Error> {
        Ok(Self {
            root: Authority::from_identity(Identity::from_pem(root)?),
            intermediate: Authority::from_identity(Identity::from_pem(intermediate)?),
            now,
        })
    }

    /// Root and intermediate, each with its key, to be kept. They hold the keys in the clear.
    ///
    /// # Errors
    /// When OpenSSL cannot write them.
    pub fn to_pem(&self) -> Result<(String, String), Error> {
        Ok((self.root.identity().to_pem()?, self.intermediate.identity().to_pem()?))
    }

    /// An identity for the device of this identifier, valid for a year.
    ///
    /// # Errors
    /// When OpenSSL refuses.
    pub fn device(&self, udid: &str, keys: &KeyPool) -> Result<Identity, Error> {
        let number = udid.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let key = keys.key(number);
        let certificate = self.intermediate.certify(
            &[("CN", udid), ("O", "Simulated Apple"), ("OU", "iPad")],
            &key,
            &Purpose::Client,
            Validity::days(self.now, 365),
        )?;
        Ok(Identity::new(certificate, key))
    }

    /// The root's certificate in PEM.
    ///
    /// # Errors
    /// When OpenSSL cannot write it.
    pub fn root_pem(&self) -> Result<String, Error> {
        self.root.certificate_pem()
    }

    /// The intermediate's certificate in PEM.
    ///
    /// # Errors
    /// When OpenSSL cannot write it.
    pub fn intermediate_pem(&self) -> Result<String, Error> {
        self.intermediate.certificate_pem()
    }
}
