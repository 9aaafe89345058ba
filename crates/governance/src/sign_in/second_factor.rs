//! The second factor: codes of an authenticator (TOTP, RFC 6238): six digits, 30 seconds, SHA-1, as every
//! authenticator knows them. A code is accepted one step early or late, and once.

use std::fmt::Write as _;

use totp_rs::{Builder, Secret as TotpSecret, Totp};
use types::{Instant, Secret};

/// How many seconds a code is shown.
const STEP_SECONDS: u64 = 30;

/// How many bytes a secret has that was drawn here.
const LENGTH: usize = 20;

/// The number of a 30-second step, counted from 1970.
pub type Step = i64;

/// Why a code is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefused {
    /// It is not the code of this step, the one before or the one after.
    #[error("this is not the code that your authenticator shows now; check its clock")]
    Wrong,
    /// It was used, or is of a step before one that was.
    #[error("this code was used; wait for the next one")]
    Used,
}

/// The secret that an account shares with its holder's authenticator.
#[derive(Debug, Clone)]
pub struct SecondFactor(Secret<Vec<u8>>);

impl SecondFactor {
    /// A new one of 160 random bits, as RFC 4226 recommends.
    #[must_use]
    pub fn new(random: [u8; LENGTH]) -> Self {
        Self(Secret::new(random.to_vec()))
    }

    /// The one that was stored; `None` if it is too short to be one.
    #[must_use]
    pub fn from_stored(bytes: Secret<Vec<u8>>) -> Option<Self> {
        (bytes.expose().len() >= 16).then_some(Self(bytes))
    }

    /// The one whose secret somebody sends back as it was shown to them; `None` if it was never drawn here.
    #[must_use]
    pub fn from_base32(text: &str) -> Option<Self> {
        let secret = TotpSecret::try_from_base32(text).ok()?;
        (secret.as_bytes().len() == LENGTH).then(|| Self(Secret::new(secret.as_bytes().to_vec())))
    }

    /// What is stored, sealed.
    #[must_use]
    pub fn to_stored(&self) -> &Secret<Vec<u8>> {
        &self.0
    }

    /// The secret as people type it: base 32.
    #[must_use]
    pub fn base32(&self) -> Secret<String> {
        Secret::new(self.totp().secret().to_base32())
    }

    /// The address that authenticators read from a QR code, for this login at this service.
    #[must_use]
    pub fn address(&self, service: &str, login: &str) -> Secret<String> {
        let (service, login) = (encoded(service), encoded(login));
        Secret::new(format!(
            "otpauth://totp/{service}:{login}?secret={secret}&issuer={service}&algorithm=SHA1&digits=6\
             &period=30",
            secret = self.base32().expose()
        ))
    }

    /// Checks a code; what is returned is stored as the last step that was used.
    ///
    /// # Errors
    /// [`CodeRefused`]. After the clock was set back, codes are refused until it has caught up with the last
    /// one.
    pub fn check(
        &self,
        code: &Secret<String>,
        last_used: Option<Step>,
        now: Instant,
    ) -> Result<Step, CodeRefused> {
        let seconds = u64::try_from(now.as_seconds()).map_err(|_before_1970| CodeRefused::Wrong)?;
        // People type a blank in the middle.
        let digits: String = code.expose().chars().filter(|letter| !letter.is_whitespace()).collect();
        let step = self.totp().check(&digits, seconds).and_then(|step| Step::try_from(step).ok());
        match step {
            None => Err(CodeRefused::Wrong),
            Some(step) if last_used.is_some_and(|last| step <= last) => Err(CodeRefused::Used),
            Some(step) => Ok(step),
        }
    }

    fn totp(&self) -> Totp {
        let builder = Builder::new().with_step_duration(STEP_SECONDS).with_skew(1).with_digits(6);
        // The length was checked when it came in, which is all that the other way of building looks at.
        builder.with_secret(self.0.expose().as_slice()).build_noncompliant()
    }
}

/// Percent-encoded, but for the letters that stand for themselves everywhere.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            _ => {
                let _infallible = write!(encoded, "%{byte:02X}");
            }
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use types::Duration;

    use super::*;

    fn factor() -> SecondFactor {
        SecondFactor::new(*b"12345678901234567890")
    }

    fn code(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn at(seconds: i64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        // Appendix B, SHA-1, the last six digits of each.
        let codes = [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ];
        for (seconds, expected) in codes {
            assert_eq!(factor().check(&code(expected), None, at(seconds)), Ok(seconds / 30), "{expected}");
        }
    }

    #[test]
    fn t_c12_a_code_is_accepted_one_step_early_or_late_and_once() {
        let ours = code("005924");
        let step = 1_234_567_890 / 30;
        let first = step * 30;
        for (seconds, accepted) in
            [(first - 31, false), (first - 30, true), (first, true), (first + 59, true), (first + 60, false)]
        {
            assert_eq!(factor().check(&ours, None, at(seconds)).is_ok(), accepted, "{seconds}");
        }
        assert_eq!(factor().check(&ours, Some(step - 1), at(first)), Ok(step));
        assert_eq!(factor().check(&ours, Some(step), at(first)), Err(CodeRefused::Used));
        // A later code was used: this one was seen over a shoulder.
        assert_eq!(factor().check(&ours, Some(step + 1), at(first + 30)), Err(CodeRefused::Used));
    }

    #[test]
    fn what_is_no_code_is_wrong() {
        for bad in ["", "00592", "0059244", "-05924", "+05924", "٠٠٥٩٢٤", "abcdef"] {
            assert_eq!(factor().check(&code(bad), None, at(1_234_567_890)), Err(CodeRefused::Wrong), "{bad}");
        }
        assert_eq!(factor().check(&code("287082"), None, at(-59)), Err(CodeRefused::Wrong));
        assert_eq!(factor().check(&code("005 924"), None, at(1_234_567_890)), Ok(1_234_567_890 / 30));
    }

    #[test]
    fn an_authenticator_reads_the_address() {
        let address = factor().address("Ardoise & Co", "m.curie@example.fr");
        assert_eq!(
            address.expose(),
            "otpauth://totp/Ardoise%20%26%20Co:m.curie%40example.fr?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Ardoise%20%26%20Co&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(format!("{address:?} {:?}", factor()), "[redacted] SecondFactor([redacted])");
        assert!(SecondFactor::from_stored(Secret::new(vec![1; 15])).is_none());
    }

    proptest! {
        /// In whatever order codes come back, none is accepted twice, even when the clock goes back and
        /// forth.
        #[test]
        fn t_c12_no_code_is_accepted_twice(jumps in prop::collection::vec(-90_i64..120, 1..40)) {
            let (mut now, mut last, mut accepted) = (1_795_000_000_i64, None, Vec::new());
            for jump in jumps {
                now += jump;
                let shown = factor().totp().generate(u64::try_from(now).unwrap()).to_string();
                let accepts = factor().check(&code(&shown), last, at(now).plus(Duration::from_millis(1)));
                if let Ok(step) = accepts {
                    prop_assert!(!accepted.contains(&step));
                    accepted.push(step);
                    last = Some(step);
                }
            }
            prop_assert!(!accepted.is_empty());
        }
    }
}
