//! Apple's authorities of device certificates, known by their fingerprints.
//!
//! An iPad signs what it says of itself when it enrols (its MachineInfo) with a certificate that Apple put
//! in it. Its chain is fixed: the three certificates below, which Apple publishes. The files are not part
//! of this program; an operator adds them, and only files with these fingerprints are admitted.

use crate::certificate::{Certificate, MalformedCertificate};
use crate::{Fingerprint, UntrustworthyAuthority};

/// One of Apple's authorities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AppleAuthority {
    /// Issues the certificates of devices. Expired since 2014 and still in use.
    IphoneDeviceCa,
    /// Issued the one above. Expired since 2022.
    IphoneCertificationAuthority,
    /// Issued the one above.
    RootCa,
}

impl AppleAuthority {
    /// All three, from the one that issues to devices up to the root.
    pub const ALL: [Self; 3] = [Self::IphoneDeviceCa, Self::IphoneCertificationAuthority, Self::RootCa];

    /// Its common name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IphoneDeviceCa => "Apple iPhone Device CA",
            Self::IphoneCertificationAuthority => "Apple iPhone Certification Authority",
            Self::RootCa => "Apple Root CA",
        }
    }

    /// The SHA-256 of its certificate.
    #[must_use]
    pub const fn fingerprint(self) -> Fingerprint {
        match self {
            Self::IphoneDeviceCa => IPHONE_DEVICE_CA,
            Self::IphoneCertificationAuthority => IPHONE_CERTIFICATION_AUTHORITY,
            Self::RootCa => ROOT_CA,
        }
    }
}

#[rustfmt::skip]
const IPHONE_DEVICE_CA: Fingerprint = Fingerprint::from_bytes([
        0x76, 0xF2, 0x7D, 0x00, 0xE1, 0x33, 0x3B, 0xC8, 0x8D, 0xE0, 0xE2, 0x91, 0x6C, 0x38, 0xC9, 0xA7,
        0xF2, 0xB7, 0x57, 0x74, 0xC2, 0x5A, 0x79, 0x4C, 0x09, 0x2A, 0x80, 0xE3, 0xC4, 0xC6, 0x6C, 0xCE,
]);
#[rustfmt::skip]
const IPHONE_CERTIFICATION_AUTHORITY: Fingerprint = Fingerprint::from_bytes([
        0xE4, 0xE2, 0x93, 0x6D, 0x3C, 0x07, 0x6E, 0xC4, 0xAE, 0xA8, 0xAC, 0x37, 0x27, 0x75, 0x24, 0x95,
        0x0C, 0xA0, 0x05, 0x89, 0x4B, 0x39, 0xBB, 0xA2, 0xD3, 0x47, 0xFA, 0x33, 0x15, 0x5A, 0xE5, 0xFA,
]);
#[rustfmt::skip]
const ROOT_CA: Fingerprint = Fingerprint::from_bytes([
        0xB0, 0xB1, 0x73, 0x0E, 0xCB, 0xC7, 0xFF, 0x45, 0x05, 0x14, 0x2C, 0x49, 0xF1, 0x29, 0x5E, 0x6E,
        0xDA, 0x6B, 0xCA, 0xED, 0x7E, 0x2C, 0x68, 0xC5, 0xBE, 0x91, 0xB5, 0xA1, 0x10, 0x01, 0xF0, 0x24,
]);

/// A file that is one of Apple's authorities, byte for byte.
#[derive(Debug, Clone)]
pub struct AdmittedAuthority {
    authority: AppleAuthority,
    certificate: Certificate,
}

impl AdmittedAuthority {
    /// Which one it is.
    #[must_use]
    pub fn authority(&self) -> AppleAuthority {
        self.authority
    }

    /// Its certificate, DER, to be kept and admitted again at the next start.
    #[must_use]
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate.der
    }
}

/// Why a file is not admitted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NotAdmitted {
    /// It is not a certificate.
    #[error(transparent)]
    Malformed(#[from] MalformedCertificate),
    /// It is another certificate.
    #[error(
        "the file is not one of Apple's authorities of device certificates (its SHA-256 is {fingerprint}): \
         download Apple iPhone Device CA, Apple iPhone Certification Authority and Apple Root CA from Apple's \
         certificate authority page"
    )]
    Unknown {
        /// Its fingerprint.
        fingerprint: Fingerprint,
    },
}

/// Admits a file, PEM or DER, that is one of Apple's authorities.
///
/// # Errors
/// [`NotAdmitted`], for any other file.
pub fn admit(file: &[u8]) -> Result<AdmittedAuthority, NotAdmitted> {
    let certificate = Certificate::from_pem_or_der(file)?;
    AppleAuthority::ALL
        .into_iter()
        .find(|authority| authority.fingerprint() == certificate.fingerprint)
        .map(|authority| AdmittedAuthority { authority, certificate: certificate.clone() })
        .ok_or(NotAdmitted::Unknown { fingerprint: certificate.fingerprint })
}

/// The authorities that vouch for devices, as far as they have been admitted.
#[derive(Debug, Clone)]
pub struct DeviceCertificateAuthorities {
    issuer: Option<Certificate>,
    missing: Vec<AppleAuthority>,
    simulated: bool,
}

impl DeviceCertificateAuthorities {
    /// Apple's, as admitted so far. Their signatures on one another are not checked again, nor their dates:
    /// the fingerprints already say that they are Apple's own, and two of the three have expired.
    #[must_use]
    pub fn from_admitted(admitted: &[AdmittedAuthority]) -> Self {
        let find = |wanted: AppleAuthority| admitted.iter().find(|one| one.authority == wanted);
        let missing = AppleAuthority::ALL.into_iter().filter(|wanted| find(*wanted).is_none()).collect();
        let issuer = find(AppleAuthority::IphoneDeviceCa).map(|one| one.certificate.clone());
        Self { issuer, missing, simulated: false }
    }

    /// An authority that vouches for *simulated* devices, PEM or DER: for tests and the demonstration only. With
    /// it, no real device is recognised.
    ///
    /// # Errors
    /// [`UntrustworthyAuthority`], for anything but the certificate of an authority.
    pub fn for_simulation(certificate: &[u8]) -> Result<Self, UntrustworthyAuthority> {
        let certificate = Certificate::from_pem_or_der(certificate)?;
        if !certificate.is_authority() {
            return Err(UntrustworthyAuthority::NotAnAuthority);
        }
        Ok(Self { issuer: Some(certificate), missing: Vec::new(), simulated: true })
    }

    /// Apple's authorities that are still to be added; until there are none, no device is recognised.
    #[must_use]
    pub fn missing(&self) -> &[AppleAuthority] {
        &self.missing
    }

    /// Whether these vouch for simulated devices.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.simulated
    }

    /// The authority that issues to devices, once nothing is missing.
    pub(crate) fn issuer(&self) -> Option<&Certificate> {
        self.issuer.as_ref().filter(|_issuer| self.missing.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn the_fingerprints_are_those_that_apple_publishes() {
        let shown: Vec<String> =
            AppleAuthority::ALL.iter().map(|one| one.fingerprint().to_string()).collect();
        assert!(shown[0].starts_with("76f27d00") && shown[0].ends_with("c4c66cce"));
        assert!(shown[1].starts_with("e4e2936d") && shown[1].ends_with("155ae5fa"));
        assert!(shown[2].starts_with("b0b1730e") && shown[2].ends_with("1001f024"));
    }

    #[test]
    fn t_a9_only_apples_own_files_are_admitted() {
        let impostor = fixtures::authority("Apple iPhone Device CA");
        let error = admit(impostor.certificate_der()).unwrap_err();
        assert!(
            matches!(error, NotAdmitted::Unknown { fingerprint } if fingerprint == impostor.fingerprint())
        );
        assert!(error.to_string().contains("certificate authority page"), "{error}");
        assert!(matches!(admit(b"not a certificate"), Err(NotAdmitted::Malformed(_))));
    }

    #[test]
    fn what_is_missing_is_named() {
        let none = DeviceCertificateAuthorities::from_admitted(&[]);
        assert_eq!(none.missing(), AppleAuthority::ALL);
        assert!(none.issuer().is_none());
    }
}
