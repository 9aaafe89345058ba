//! A SCEP client (RFC 8894) that behaves like the clients seen in the field, the odd ones included.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::x509::{X509, X509Name};
use url::Url;

use crate::http::{HttpClient, Request};
use crate::scep_message::{self, PKCS_REQ, Parcel, RENEWAL_REQ};
use crate::signed_message::{Digest, Parameters};
use crate::{Clock, Error, Identity};

/// What the server says it can do (`GetCACaps`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities(Vec<String>);

impl Capabilities {
    fn parse(text: &str) -> Self {
        Self(
            text.lines()
                .map(|line| line.trim().to_ascii_lowercase())
                .filter(|line| !line.is_empty())
                .collect(),
        )
    }

    /// Whether the server named a capability; case does not matter.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(&name.to_ascii_lowercase())
    }
}

/// How messages reach the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Via {
    /// `POST` where the server offers it, else `GET`.
    #[default]
    AsOffered,
    /// `GET` with base64 in the query.
    Get,
    /// `POST`.
    Post,
    /// `POST`, with the whole DER repeated in `?message=`, escaped byte by byte, as some clients do.
    PostAndRepeat,
}

/// The cipher of the envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvelopeCipher {
    /// AES-128-CBC.
    Aes128,
    /// AES-256-CBC.
    Aes256,
    /// Triple DES, CBC.
    TripleDes,
    /// Single DES, CBC: only the oldest clients. Needs OpenSSL's legacy provider.
    SingleDes,
}

/// The message a renewal is sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RenewalStyle {
    /// `PKCSReq` when the profile brings a challenge, else `RenewalReq` if the server offers it.
    #[default]
    AsOffered,
    /// `RenewalReq`, signed by the certificate to be renewed.
    RenewalReq,
    /// `PKCSReq`, with the challenge.
    PkcsReq,
}

/// How a SCEP client behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScepStyle {
    /// How messages reach the server.
    pub via: Via,
    /// The digest; none is the best one the server offers.
    pub digest: Option<Digest>,
    /// The cipher; none is the best one the server offers.
    pub cipher: Option<EnvelopeCipher>,
    /// What follows the algorithms' identifiers.
    pub parameters: Parameters,
    /// The message a renewal is sent as.
    pub renewal: RenewalStyle,
}

impl ScepStyle {
    /// A client that knows only single DES and SHA-1, whatever the server offers.
    #[must_use]
    pub fn ancient() -> Self {
        Self { digest: Some(Digest::Sha1), cipher: Some(EnvelopeCipher::SingleDes), ..Self::default() }
    }
}

/// What a tablet asks a certificate for.
pub struct CertificateRequest<'a> {
    /// The subject asked for.
    pub subject: &'a X509Name,
    /// The key to certify.
    pub key: &'a PKey<Private>,
    /// The challenge password, if the server wants one.
    pub challenge: Option<&'a str>,
    /// The key usage asked for: 1 signing, 4 encryption, or both (Apple's `Key Usage`).
    pub key_usage: u64,
    /// Further extensions asked for, each an encoded `Extension` (RFC 5280 §4.1). Real tablets ask for none.
    pub wishes: &'a [Vec<u8>],
}

/// A client of one server.
#[derive(Debug)]
pub struct ScepClient<'a> {
    http: &'a mut HttpClient,
    url: Url,
    /// The name of the authority, for servers that hold several.
    authority_name: Option<String>,
    style: ScepStyle,
    clock: Clock,
}

impl<'a> ScepClient<'a> {
    /// A client of the server at `url`, over `http`.
    #[must_use]
    pub const fn new(http: &'a mut HttpClient, url: Url, style: ScepStyle, clock: Clock) -> Self {
        Self { http, url, authority_name: None, style, clock }
    }

    /// Names the authority (the profile's `Name`) in GetCACaps and GetCACert.
    #[must_use]
    pub fn authority_name(mut self, name: Option<String>) -> Self {
        self.authority_name = name;
        self
    }

    /// Asks what the server can do.
    ///
    /// # Errors
    /// When the server cannot be reached or does not answer 200.
    pub async fn capabilities(&mut self) -> Result<Capabilities, Error> {
        let name = self.authority_name.clone();
        let reply = self.get("GetCACaps", name.as_deref()).await?;
        Ok(Capabilities::parse(&String::from_utf8_lossy(&reply)))
    }

    /// Asks for the authority's certificates. `fingerprint`, if given, must be that of one of them.
    ///
    /// # Errors
    /// When the server cannot be reached, its answer holds no certificate, or the fingerprint differs.
    pub async fn authority_certificates(&mut self, fingerprint: Option<&[u8]>) -> Result<Vec<X509>, Error> {
        const WHAT: &str = "the SCEP authority's certificate";
        let name = self.authority_name.clone();
        let reply = self.get("GetCACert", name.as_deref()).await?;
        let certificates = match X509::from_der(&reply) {
            Ok(certificate) => vec![certificate],
            Err(_several) => scep_message::certificates_of(&reply)?,
        };
        if certificates.is_empty() {
            return Err(Error::malformed(WHAT, "the server sent none"));
        }
        if let Some(expected) = fingerprint {
            let digest = match expected.len() {
                16 => MessageDigest::md5(),
                20 => MessageDigest::sha1(),
                64 => MessageDigest::sha512(),
                _ => MessageDigest::sha256(),
            };
            let matches = |certificate: &X509| {
                certificate.digest(digest).is_ok_and(|actual| actual.as_ref() == expected)
            };
            if !certificates.iter().any(matches) {
                return Err(Error::malformed(WHAT, "it is not the one whose fingerprint the profile names"));
            }
        }
        Ok(certificates)
    }

    /// Gets a first certificate (PKCSReq), the request signed by a certificate of its own key.
    ///
    /// # Errors
    /// When the authority refuses, or what it answers cannot be used.
    pub async fn enrol(
        &mut self,
        request: &CertificateRequest<'_>,
        fingerprint: Option<&[u8]>,
    ) -> Result<Identity, Error> {
        let capabilities = self.capabilities().await?;
        let authorities = self.authority_certificates(fingerprint).await?;
        let signer = Identity::self_signed(request.subject, request.key.clone(), self.clock.now())?;
        let parcel = self.parcel(&capabilities, PKCS_REQ, &signer, request, &authorities);
        self.obtain(&capabilities, &parcel).await
    }

    /// Gets a new certificate for a new key, on the strength of the present one.
    ///
    /// # Errors
    /// When the authority refuses, or what it answers cannot be used.
    pub async fn renew(
        &mut self,
        request: &CertificateRequest<'_>,
        present: &Identity,
        fingerprint: Option<&[u8]>,
    ) -> Result<Identity, Error> {
        let capabilities = self.capabilities().await?;
        let as_first = match self.style.renewal {
            RenewalStyle::PkcsReq => true,
            RenewalStyle::RenewalReq => false,
            RenewalStyle::AsOffered => request.challenge.is_some() || !capabilities.has("Renewal"),
        };
        let authorities = self.authority_certificates(fingerprint).await?;
        let own;
        let (message_type, signer) = if as_first {
            own = Identity::self_signed(request.subject, request.key.clone(), self.clock.now())?;
            (PKCS_REQ, &own)
        } else {
            (RENEWAL_REQ, present)
        };
        let parcel = self.parcel(&capabilities, message_type, signer, request, &authorities);
        self.obtain(&capabilities, &parcel).await
    }

    /// Asks as no well-behaved client does: any type of message (RFC 8894 §3.2.1.2), signed by anyone. Gives every
    /// certificate of the answer, in its order.
    ///
    /// # Errors
    /// When the authority refuses, or what it answers cannot be used.
    pub async fn ask(
        &mut self,
        message_type: &str,
        signer: &Identity,
        request: &CertificateRequest<'_>,
    ) -> Result<Vec<X509>, Error> {
        let capabilities = self.capabilities().await?;
        let authorities = self.authority_certificates(None).await?;
        let parcel = self.parcel(&capabilities, message_type, signer, request, &authorities);
        self.operate(&capabilities, &parcel).await
    }

    /// The message that [`ScepClient::ask`] would send, for those who send it themselves, perhaps more than once.
    ///
    /// # Errors
    /// When the server cannot be reached, or OpenSSL refuses.
    pub async fn message(
        &mut self,
        message_type: &str,
        signer: &Identity,
        request: &CertificateRequest<'_>,
    ) -> Result<Vec<u8>, Error> {
        let capabilities = self.capabilities().await?;
        let authorities = self.authority_certificates(None).await?;
        let parcel = self.parcel(&capabilities, message_type, signer, request, &authorities);
        Ok(parcel.write()?.bytes)
    }

    /// Sends a message as it is, for those who try what a server refuses, and gives back the CertRep.
    ///
    /// # Errors
    /// When the server does not answer 200.
    pub async fn send_message(&mut self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let capabilities = Capabilities::parse("POSTPKIOperation");
        self.post_or_get(&capabilities, message).await
    }

    fn parcel<'p>(
        &self,
        capabilities: &Capabilities,
        message_type: &'p str,
        signer: &'p Identity,
        request: &'p CertificateRequest<'p>,
        authorities: &'p [X509],
    ) -> Parcel<'p> {
        let offered = |name| capabilities.has(name) || capabilities.has("SCEPStandard");
        Parcel {
            message_type,
            signer,
            request,
            authorities,
            digest: self.style.digest.unwrap_or_else(|| match () {
                () if capabilities.has("SHA-512") && !capabilities.has("SHA-256") => Digest::Sha512,
                () if offered("SHA-256") => Digest::Sha256,
                () => Digest::Sha1,
            }),
            cipher: self.style.cipher.unwrap_or_else(|| match () {
                () if offered("AES") => EnvelopeCipher::Aes128,
                () if capabilities.has("DES3") => EnvelopeCipher::TripleDes,
                () => EnvelopeCipher::SingleDes,
            }),
            parameters: self.style.parameters,
        }
    }

    async fn operate(
        &mut self,
        capabilities: &Capabilities,
        parcel: &Parcel<'_>,
    ) -> Result<Vec<X509>, Error> {
        let message = parcel.write()?;
        let answer = self.post_or_get(capabilities, &message.bytes).await?;
        scep_message::read_answer(&answer, &message, parcel)
    }

    /// What a tablet keeps: the first certificate, with its key.
    async fn obtain(&mut self, capabilities: &Capabilities, parcel: &Parcel<'_>) -> Result<Identity, Error> {
        let certificates = self.operate(capabilities, parcel).await?;
        let first = certificates.into_iter().next();
        let first = first.ok_or_else(|| Error::malformed("the SCEP answer", "it brings no certificate"))?;
        Ok(Identity::new(first, parcel.request.key.clone()))
    }

    async fn post_or_get(&mut self, capabilities: &Capabilities, message: &[u8]) -> Result<Vec<u8>, Error> {
        let post = match self.style.via {
            Via::AsOffered => capabilities.has("POSTPKIOperation") || capabilities.has("SCEPStandard"),
            Via::Get => false,
            Via::Post | Via::PostAndRepeat => true,
        };
        if !post {
            return self.get("PKIOperation", Some(&STANDARD.encode(message))).await;
        }
        let mut url = self.url.clone();
        let query = match self.style.via {
            Via::PostAndRepeat => format!("operation=PKIOperation&message={}", escaped(message)),
            Via::AsOffered | Via::Get | Via::Post => "operation=PKIOperation".to_owned(),
        };
        url.set_query(Some(&with_own_query(&self.url, &query)));
        let request = Request::new(Method::POST, url, message.to_vec())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-pki-message"));
        self.exchange(&request, "PKIOperation").await
    }

    async fn get(&mut self, operation: &'static str, message: Option<&str>) -> Result<Vec<u8>, Error> {
        let mut url = self.url.clone();
        let query = message.map_or_else(
            || format!("operation={operation}"),
            |message| format!("operation={operation}&message={}", escaped(message.as_bytes())),
        );
        url.set_query(Some(&with_own_query(&self.url, &query)));
        self.exchange(&Request::new(Method::GET, url, Vec::new()), operation).await
    }

    async fn exchange(&mut self, request: &Request, operation: &'static str) -> Result<Vec<u8>, Error> {
        let reply = self.http.send(request, None).await?;
        // Clients compare the status exactly.
        if reply.status == 200 {
            Ok(reply.body.to_vec())
        } else {
            Err(Error::Refused { step: operation, status: reply.status, body: reply.excerpt() })
        }
    }
}

/// A server's address may bring a query of its own, such as a token.
fn with_own_query(url: &Url, query: &str) -> String {
    url.query().map_or_else(|| query.to_owned(), |own| format!("{own}&{query}"))
}

/// Every byte that is no letter or digit, escaped.
fn escaped(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() { char::from(*byte).to_string() } else { format!("%{byte:02X}") }
        })
        .collect()
}

#[cfg(test)]
mod tests;
