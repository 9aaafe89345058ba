//! How a tablet proves who it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{HeaderName, HeaderValue};

use crate::signed_message::SignatureStyle;
use crate::{Clock, Error, Identity};

/// When a tablet signs its messages in `Mdm-Signature`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signing {
    /// When the profile's `SignMessage` says so: what a real tablet does.
    #[default]
    AsProfileSays,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How a proxy that ended TLS passes the client's certificate on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardedCertificate {
    /// `Client-Cert: :base64:` (RFC 9440).
    Rfc9440,
    /// Escaped PEM in a header of this name.
    EscapedPem(HeaderName),
}

/// How a tablet proves who it is. The default is a real tablet: it shows its certificate in TLS, and signs when
/// the profile says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proofs {
    /// Shows its certificate in the TLS handshake.
    pub client_certificate: bool,
    /// Signs its messages.
    pub signing: Signing,
    /// How it signs.
    pub style: SignatureStyle,
    /// Passes its certificate in a header, as the proxy in front of a server would.
    pub forwarded: Option<ForwardedCertificate>,
}

impl Default for Proofs {
    fn default() -> Self {
        Self {
            client_certificate: true,
            signing: Signing::AsProfileSays,
            style: SignatureStyle::default(),
            forwarded: None,
        }
    }
}

impl Proofs {
    /// Only the client certificate.
    #[must_use]
    pub fn client_certificate() -> Self {
        Self { signing: Signing::Never, ..Self::default() }
    }

    /// Only the signature.
    #[must_use]
    pub fn signature(style: SignatureStyle) -> Self {
        Self { client_certificate: false, signing: Signing::Always, style, forwarded: None }
    }

    /// Only a header that a proxy would have set.
    #[must_use]
    pub fn forwarded(by: ForwardedCertificate) -> Self {
        Self {
            client_certificate: false,
            signing: Signing::Never,
            style: SignatureStyle::default(),
            forwarded: Some(by),
        }
    }

    /// Nothing at all.
    #[must_use]
    pub fn none() -> Self {
        Self { client_certificate: false, signing: Signing::Never, ..Self::default() }
    }

    /// The headers that prove `identity`, if they are the same for every message: then they need not be made for each.
    ///
    /// # Errors
    /// When OpenSSL cannot write the certificate.
    pub fn same_headers(
        &self,
        identity: &Identity,
        clock: &Clock,
    ) -> Result<Option<Vec<(HeaderName, HeaderValue)>>, Error> {
        if self.signing == Signing::Never {
            self.headers(identity, &[], false, clock).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The headers that prove `identity` for `body`. The client certificate is no header: it is shown in TLS.
    ///
    /// # Errors
    /// When OpenSSL cannot sign.
    pub fn headers(
        &self,
        identity: &Identity,
        body: &[u8],
        profile_says_sign: bool,
        clock: &Clock,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        let mut headers = Vec::new();
        let value =
            |text: String| HeaderValue::from_str(&text).map_err(|error| Error::malformed("a header", error));
        let sign = match self.signing {
            Signing::AsProfileSays => profile_says_sign,
            Signing::Always => true,
            Signing::Never => false,
        };
        if sign {
            let signature = self.style.detached(identity, body, clock)?;
            headers.push((HeaderName::from_static("mdm-signature"), value(STANDARD.encode(signature))?));
        }
        match &self.forwarded {
            Some(ForwardedCertificate::Rfc9440) => {
                let encoded = STANDARD.encode(identity.certificate_der()?);
                headers.push((HeaderName::from_static("client-cert"), value(format!(":{encoded}:"))?));
            }
            Some(ForwardedCertificate::EscapedPem(name)) => {
                let escaped: String =
                    url::form_urlencoded::byte_serialize(identity.certificate_pem()?.as_bytes()).collect();
                headers.push((name.clone(), value(escaped.replace('+', "%20"))?));
            }
            None => {}
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forwarded_certificate_is_written_once_and_a_signature_for_each_message() {
        let key = openssl::pkey::PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
        let name = crate::identity::name(&[("CN", "a tablet")]).unwrap();
        let clock = Clock::system();
        let identity = Identity::self_signed(&name, key, clock.now()).unwrap();
        let forwarded = Proofs::forwarded(ForwardedCertificate::Rfc9440);
        let same = forwarded.same_headers(&identity, &clock).unwrap().unwrap();
        assert_eq!(same, forwarded.headers(&identity, b"a message", false, &clock).unwrap());
        assert_eq!(same.len(), 1);
        let signed = Proofs::signature(SignatureStyle::default());
        assert_eq!(signed.same_headers(&identity, &clock).unwrap(), None);
    }
}
