//! The kinds of SCEP message, and the reasons for a refusal (RFC 8894 §3.2.1.2, §3.2.1.4).

use std::fmt;

/// What a message asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageType {
    /// 3, an answer. A client that sends one is refused.
    CertRep,
    /// 17, a new certificate in place of the one that signs the request.
    RenewalReq,
    /// 18, a variant of renewal that RFC 8894 removed: never granted.
    UpdateReq,
    /// 19, a first certificate.
    PkcsReq,
    /// 20, whether an earlier request has been decided: never, each is decided at once.
    CertPoll,
    /// 21, a copy of a certificate: never given.
    GetCert,
    /// 22, a revocation list: never given.
    GetCrl,
    /// Anything else.
    Other(String),
}

impl MessageType {
    /// The kind with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        match code {
            "3" => Self::CertRep,
            "17" => Self::RenewalReq,
            "18" => Self::UpdateReq,
            "19" => Self::PkcsReq,
            "20" => Self::CertPoll,
            "21" => Self::GetCert,
            "22" => Self::GetCrl,
            other => Self::Other(other.chars().take(32).collect()),
        }
    }

    /// Its code on the wire.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::CertRep => "3",
            Self::RenewalReq => "17",
            Self::UpdateReq => "18",
            Self::PkcsReq => "19",
            Self::CertPoll => "20",
            Self::GetCert => "21",
            Self::GetCrl => "22",
            Self::Other(code) => code,
        }
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CertRep => f.write_str("CertRep"),
            Self::RenewalReq => f.write_str("RenewalReq"),
            Self::UpdateReq => f.write_str("UpdateReq"),
            Self::PkcsReq => f.write_str("PKCSReq"),
            Self::CertPoll => f.write_str("CertPoll"),
            Self::GetCert => f.write_str("GetCert"),
            Self::GetCrl => f.write_str("GetCRL"),
            Self::Other(code) => write!(f, "message type {code:?}"),
        }
    }
}

/// Why a request is refused, as the client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailInfo {
    /// 0, an algorithm that is not supported, or a key too weak.
    BadAlg,
    /// 1, the message does not verify or does not decrypt.
    BadMessageCheck,
    /// 2, the request is not permitted.
    BadRequest,
    /// 3, the time in the message is too far from ours.
    BadTime,
    /// 4, no certificate is known by what was asked.
    BadCertId,
}

impl FailInfo {
    /// Its code on the wire.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadAlg => "0",
            Self::BadMessageCheck => "1",
            Self::BadRequest => "2",
            Self::BadTime => "3",
            Self::BadCertId => "4",
        }
    }
}
