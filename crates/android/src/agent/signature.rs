//! What the agent signs, and what it checks: SHA-1 over a secret and a text, in upper-case hexadecimal.
//!
//! The secret of the published agent stands in its source code: its signatures prove nothing, and are told apart from those of
//! an agent that was built with a secret of its own (T-C6).

use types::Secret;

/// The header with the signature of a request.
pub const REQUEST_SIGNATURE: &str = "X-Request-Signature";
/// The header with the signature of an answer.
pub const RESPONSE_SIGNATURE: &str = "X-Response-Signature";
/// The header of an answer with the address that the tablet came from.
pub const IP_ADDRESS: &str = "X-IP-Address";
/// The header of a request with the tablet's processor, such as `arm64-v8a`.
pub const CPU_ARCH: &str = "X-CPU-Arch";

/// The secret in the source code of the published agent.
const PUBLISHED: &str = "changeme-C3z9vi54";

/// The fewest characters of a secret of one's own.
const SHORTEST: usize = 24;

/// The secret that an agent was built with.
#[derive(Debug, Clone)]
pub enum AgentSecret {
    /// The public one.
    Published,
    /// One's own.
    Own(OwnSecret),
}

/// A secret that is not the published one.
#[derive(Debug, Clone)]
pub struct OwnSecret(Secret<String>);

/// Why a text is no secret of one's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotASecret {
    /// Everybody knows it.
    #[error(
        "this is the secret of the published agent, which everybody knows; build the agent with another one"
    )]
    Published,
    /// It can be guessed.
    #[error("a secret of the agent has at least {SHORTEST} characters")]
    Short,
}

impl OwnSecret {
    /// Takes charge of a secret.
    ///
    /// # Errors
    /// It is the published one, or too short.
    pub fn new(secret: Secret<String>) -> Result<Self, NotASecret> {
        let text = secret.expose();
        if text.trim().eq_ignore_ascii_case(PUBLISHED) {
            return Err(NotASecret::Published);
        }
        if text.chars().count() < SHORTEST {
            return Err(NotASecret::Short);
        }
        Ok(Self(secret))
    }
}

/// What a request's signature is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// Nothing: there is none to expect, since its secret is public.
    Unsigned,
    /// It was made with the secret of one's own agent.
    Proven,
    /// It is missing or wrong, where one's own agent makes one.
    Wrong,
}

impl AgentSecret {
    fn text(&self) -> &str {
        match self {
            Self::Published => PUBLISHED,
            Self::Own(OwnSecret(secret)) => secret.expose(),
        }
    }

    /// SHA-1 over the secret and a text, as the agent writes it.
    fn sign(&self, text: &str) -> String {
        let mut sha = openssl::sha::Sha1::new();
        sha.update(self.text().as_bytes());
        sha.update(text.as_bytes());
        hex::encode_upper(sha.finish())
    }

    /// What a request for the configuration says.
    #[must_use]
    pub fn of_configuration(&self, number: &str) -> String {
        self.sign(number)
    }

    /// What a long poll may say: the agent signs its path without the first slash; the servers it was made for expect one,
    /// before the decoded number.
    #[must_use]
    pub fn of_poll(&self, project: &str, number: &str) -> [String; 2] {
        let path = format!("{project}/rest/notification/polling/");
        [self.sign(&format!("{path}{}", form_encoded(number))), self.sign(&format!("/{path}{number}"))]
    }

    /// What a request for a file says: it signs what follows the first `/files/`.
    #[must_use]
    pub fn of_file(&self, name: &str) -> String {
        self.sign(name)
    }

    /// What the header of an answer says; `None` for a body without data, which no agent checks.
    #[must_use]
    pub fn of_answer(&self, body: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(body).ok()?;
        let (_frame, data) = text.split_once("\"data\":")?;
        let data = data.strip_suffix('}')?;
        // Java's `\s`, wherever it stands: inside texts too.
        let is_space = |letter: char| matches!(letter, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r');
        let bare: String = data.chars().filter(|letter| !is_space(*letter)).collect();
        Some(self.sign(&bare))
    }

    /// What a request's signature is worth, given those that would be right.
    #[must_use]
    pub fn judge(&self, shown: Option<&str>, right: &[String]) -> Signed {
        match (self, shown) {
            (Self::Published, _) => Signed::Unsigned,
            (Self::Own(_), Some(shown)) => {
                let shown = shown.to_ascii_uppercase();
                let is_same = |right: &String| {
                    right.len() == shown.len() && openssl::memcmp::eq(right.as_bytes(), shown.as_bytes())
                };
                if right.iter().any(is_same) { Signed::Proven } else { Signed::Wrong }
            }
            (Self::Own(_), None) => Signed::Wrong,
        }
    }
}

/// As Java's `URLEncoder` writes a text.
fn form_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            _ if byte.is_ascii_alphanumeric() || b"-_.*".contains(&byte) => encoded.push(char::from(byte)),
            _ => {
                encoded.push('%');
                encoded.push_str(&hex::encode_upper([byte]));
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> AgentSecret {
        let text = "une phrase secrète du département".to_owned();
        AgentSecret::Own(OwnSecret::new(Secret::new(text)).unwrap())
    }

    #[test]
    fn the_published_agents_signature_is_what_it_was_seen_to_be() {
        let signature = AgentSecret::Published.of_configuration("t1");
        assert_eq!(signature, "A5AE4AF4D3072409365268BB53A83B4F554B4B60");
    }

    #[test]
    fn a_poll_is_signed_without_the_first_slash_and_accepted_with_it() {
        let secret = AgentSecret::Published;
        let [agents, servers] = secret.of_poll("d-1", "a b/é");
        assert_eq!(agents, secret.sign("d-1/rest/notification/polling/a+b%2F%C3%A9"));
        assert_eq!(servers, secret.sign("/d-1/rest/notification/polling/a b/é"));
    }

    #[test]
    fn an_answer_is_signed_over_its_data_without_any_space() {
        let secret = AgentSecret::Published;
        let body = b"{\"status\":\"OK\",\"message\":null,\"data\":{\"title\":\"Salle 12\\t\", \"a\":\n1}}";
        assert_eq!(secret.of_answer(body), Some(secret.sign("{\"title\":\"Salle12\\t\",\"a\":1}")));
        assert_eq!(secret.of_answer(b"{}"), None);
        assert_eq!(secret.of_answer(b"\xff"), None);
        assert_eq!(secret.of_answer(b"{\"data\":"), None);
    }

    #[test]
    fn t_c6_the_published_secret_proves_nothing_and_is_nobodys_own() {
        let published = AgentSecret::Published;
        let right = published.of_configuration("t1");
        assert_eq!(published.judge(Some(&right), std::slice::from_ref(&right)), Signed::Unsigned);
        let attempt = |text: &str| OwnSecret::new(Secret::new(text.to_owned())).map(drop);
        assert_eq!(attempt(PUBLISHED), Err(NotASecret::Published));
        assert_eq!(attempt(" CHANGEME-c3z9vi54\n"), Err(NotASecret::Published));
        assert_eq!(attempt("changeme"), Err(NotASecret::Short));
    }

    #[test]
    fn an_agent_of_ones_own_is_known_by_its_signature_in_either_case() {
        let secret = own();
        let right = secret.of_poll("d-1", "R52T40ABCDE").to_vec();
        for shown in [right[0].clone(), right[1].to_lowercase()] {
            assert_eq!(secret.judge(Some(&shown), &right), Signed::Proven);
        }
        for shown in [None, Some(""), Some("A5AE4AF4D3072409365268BB53A83B4F554B4B60")] {
            assert_eq!(secret.judge(shown, &right), Signed::Wrong);
        }
        assert!(!format!("{secret:?}").contains("phrase"));
    }
}
