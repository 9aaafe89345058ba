//! How tablets prove who they are in a load: one way at a time, so that figures can be compared.

use clap::{Args, ValueEnum};
use hyper::header::HeaderName;
use serde::Serialize;
use tablets::{ForwardedCertificate, Proofs, SignatureStyle};

use crate::program::failure::Failure;

/// The header of RFC 9440.
const CLIENT_CERT: &str = "Client-Cert";

/// One way to prove who one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Auth {
    /// A client certificate in TLS.
    Mtls,
    /// `Mdm-Signature`: every message is signed.
    Signature,
    /// A header with the certificate, as a proxy that ended TLS would add it.
    Header,
}

/// How a certificate is written in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HeaderFormat {
    /// `:base64 of DER:` (RFC 9440).
    Rfc9440,
    /// PEM, escaped as in an address.
    EscapedPem,
}

/// How tablets prove who they are.
#[derive(Debug, Clone, Args)]
pub(super) struct AuthArguments {
    /// How tablets prove who they are: mtls where the server's address is https, else signature.
    #[arg(long, value_enum)]
    auth: Option<Auth>,
    /// The header's name, with `--auth header`.
    #[arg(long, value_name = "NAME", default_value = CLIENT_CERT)]
    header: String,
    /// How the header holds the certificate: rfc9440 for `Client-Cert`, escaped-pem for any other, unless told.
    #[arg(long, value_enum)]
    header_format: Option<HeaderFormat>,
}

impl AuthArguments {
    /// The way for a server that speaks TLS or not.
    ///
    /// # Errors
    /// When the two do not go together.
    pub(super) fn decide(&self, tls: bool) -> Result<(Auth, Proofs), Failure> {
        let auth = self.auth.unwrap_or(if tls { Auth::Mtls } else { Auth::Signature });
        if auth == Auth::Mtls && !tls {
            return Err(Failure::Usage(
                "`--auth mtls` needs TLS, and the tablets' server speaks in the clear: choose `--auth signature` or \
                 `--auth header`"
                    .into(),
            ));
        }
        let proofs = match auth {
            Auth::Mtls => Proofs::client_certificate(),
            Auth::Signature => Proofs::signature(SignatureStyle::default()),
            Auth::Header => Proofs::forwarded(self.forwarded()?),
        };
        Ok((auth, proofs))
    }

    fn forwarded(&self) -> Result<ForwardedCertificate, Failure> {
        let standard = self.header.eq_ignore_ascii_case(CLIENT_CERT);
        match self.header_format {
            Some(HeaderFormat::Rfc9440) | None if standard => Ok(ForwardedCertificate::Rfc9440),
            Some(HeaderFormat::Rfc9440) => {
                Err(Failure::Usage("RFC 9440 knows one header: `--header Client-Cert`".into()))
            }
            _ => {
                self.header.parse::<HeaderName>().map(ForwardedCertificate::EscapedPem).map_err(|_no_name| {
                    Failure::Usage(format!("`--header {}` is no name of a header", self.header))
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        auth: AuthArguments,
    }

    fn decided(line: &str, url: &str) -> Result<(Auth, Proofs), Failure> {
        Typed::try_parse_from(line.split(' ')).unwrap().auth.decide(url.starts_with("https"))
    }

    #[test]
    fn the_servers_address_decides_unless_told() {
        assert_eq!(decided("x", "https://h/").unwrap().0, Auth::Mtls);
        assert_eq!(decided("x", "http://h/").unwrap().0, Auth::Signature);
        assert!(matches!(decided("x --auth mtls", "http://h/"), Err(Failure::Usage(_))));
    }

    #[test]
    fn each_way_proves_itself_in_that_way_only() {
        let (_auth, mtls) = decided("x --auth mtls", "https://h/").unwrap();
        assert!(mtls.client_certificate && mtls.forwarded.is_none());
        let (_auth, signature) = decided("x --auth signature", "https://h/").unwrap();
        assert!(!signature.client_certificate && signature.forwarded.is_none());
        let (_auth, header) = decided("x --auth header", "http://h/").unwrap();
        assert_eq!(header.forwarded, Some(ForwardedCertificate::Rfc9440));
        let (_auth, header) = decided("x --auth header --header X-SSL-Client-Cert", "http://h/").unwrap();
        assert!(
            matches!(header.forwarded, Some(ForwardedCertificate::EscapedPem(name)) if name == "x-ssl-client-cert")
        );
        let odd = decided("x --auth header --header X-Cert --header-format rfc9440", "http://h/");
        assert!(matches!(odd, Err(Failure::Usage(_))));
    }
}
