//! Passwords: what makes one, and how it is kept (argon2id, RFC 9106).
//!
//! A password is long, and not made of what everybody knows about its holder; there are no rules about kinds
//! of characters. It is kept as a hash in PHC form that names its own cost, so that the cost can rise later.

use argon2::password_hash::phc::{self, PasswordHash as Phc};
use argon2::password_hash::{CustomizedPasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use types::Secret;

/// The fewest characters of a password.
const SHORTEST: usize = 12;
/// The most: hashing must not take an attacker's time as its own.
const LONGEST: usize = 128;
/// How many characters must be left when what everybody knows is taken out.
const LEFT_OVER: usize = 8;
/// How many different characters there must be.
const DIFFERENT: usize = 5;
/// A name shorter than this is left in: too many words contain it.
const SHORTEST_NAME: usize = 4;
/// A stored hash that costs more is not ours.
const COSTLIEST_KIB: u32 = 1024 * 1024;
const COSTLIEST_PASSES: u32 = 16;

/// What everybody tries first, here.
const COMMON: &[&str] = &[
    "motdepasse",
    "password",
    "passwort",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "qwertyuiop",
    "asdfghjkl",
    "123456789",
    "987654321",
    "12345678",
    "abcdefgh",
    "administrateur",
    "administrator",
    "admin",
    "departement",
    "academie",
    "college",
    "tablette",
    "ardoise",
    "changeme",
    "changezmoi",
    "bienvenue",
    "bonjour",
    "soleil",
    "doudou",
    "iloveyou",
    "jetaime",
    "welcome",
    "letmein",
    "secret",
    "azerty",
    "qwerty",
];

/// What everybody knows about whoever chooses a password.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Their login.
    pub login: &'a str,
    /// Their name.
    pub name: &'a str,
    /// Their organisation's name.
    pub organisation: &'a str,
}

/// Why a password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// It is too short.
    #[error(
        "a password has at least {SHORTEST} characters; best are a few words that only you would put together"
    )]
    TooShort,
    /// It is too long.
    #[error("a password has at most {LONGEST} characters")]
    TooLong,
    /// It is one of those that are tried first.
    #[error(
        "without your login, your name, your organisation's name and what everybody tries first, this \
         password has fewer than {LEFT_OVER} characters"
    )]
    Guessable,
    /// It is one character after the other, or the same few.
    #[error("this password is a row of characters, or the same few over and over")]
    Monotonous,
}

/// A password that may be chosen.
#[derive(Debug, Clone)]
pub struct NewPassword(Secret<String>);

impl NewPassword {
    /// Looks at what somebody chose.
    ///
    /// # Errors
    /// [`WeakPassword`].
    pub fn choose(password: Secret<String>, about: About<'_>) -> Result<Self, WeakPassword> {
        let text = password.expose();
        match text.chars().count() {
            ..SHORTEST => return Err(WeakPassword::TooShort),
            SHORTEST..=LONGEST => {}
            _ => return Err(WeakPassword::TooLong),
        }
        if is_monotonous(text) {
            return Err(WeakPassword::Monotonous);
        }
        let names = [about.login, about.name, about.organisation].map(plain);
        let words = names.iter().flat_map(|name| name.split(|letter: char| !letter.is_alphanumeric()));
        let known = words.filter(|word| word.chars().count() >= SHORTEST_NAME).chain(COMMON.iter().copied());
        // Longest first: `admin` must not take `administrateur` apart.
        let mut known: Vec<&str> = known.collect();
        known.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let left = known.into_iter().fold(plain(text), |left, word| left.replace(word, " "));
        if left.chars().filter(|letter| !letter.is_whitespace()).count() < LEFT_OVER {
            return Err(WeakPassword::Guessable);
        }
        Ok(Self(password))
    }
}

/// What hashing costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
}

impl Cost {
    /// 19 MiB and two passes, the least that OWASP's cheat sheet on storing passwords gives: some tens of
    /// milliseconds.
    pub const DEFAULT: Self = Self { memory_kib: 19 * 1024, passes: 2 };

    #[cfg(test)]
    pub(crate) const NEXT_TO_NOTHING: Self = Self { memory_kib: 8, passes: 1 };

    fn params(self) -> Option<Params> {
        Params::new(self.memory_kib, self.passes, 1, None).ok()
    }
}

/// A hash could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password could not be hashed; nothing was changed")]
pub struct NotHashed;

/// A password as it is kept.
#[derive(Debug, Clone)]
pub struct PasswordHash(Secret<String>);

impl PasswordHash {
    /// Hashes a password under 16 random bytes of salt.
    ///
    /// # Errors
    /// [`NotHashed`] when there is no memory for it.
    pub fn of(password: &NewPassword, salt: [u8; 16], cost: Cost) -> Result<Self, NotHashed> {
        Self::of_text(password.0.expose(), salt, cost)
    }

    fn of_text(text: &str, salt: [u8; 16], cost: Cost) -> Result<Self, NotHashed> {
        let params = cost.params().ok_or(NotHashed)?;
        let hash: Phc = Argon2::default()
            .hash_password_customized(
                text.as_bytes(),
                &salt,
                Some(Algorithm::Argon2id.as_str()),
                Some(Version::V0x13.into()),
                params,
            )
            .map_err(|_out_of_memory| NotHashed)?;
        Ok(Self(Secret::new(hash.to_string())))
    }

    /// A hash that no password has, at this cost: what an unknown login is checked against, so that it takes
    /// as long as a known one.
    ///
    /// # Errors
    /// [`NotHashed`] when there is no memory for it.
    pub fn decoy(cost: Cost) -> Result<Self, NotHashed> {
        // Longer than any password.
        Self::of_text(&"-".repeat(LONGEST + 1), [0; 16], cost)
    }

    /// The hash that was stored.
    #[must_use]
    pub fn from_stored(text: Secret<String>) -> Self {
        Self(text)
    }

    /// What is stored, sealed.
    #[must_use]
    pub fn to_stored(&self) -> &Secret<String> {
        &self.0
    }

    /// Whether this is the password. Takes as long for a wrong one as for a right one; a hash that is not one
    /// of ours, or costs more than any of ours, fits no password.
    #[must_use]
    pub fn fits(&self, password: &Secret<String>) -> bool {
        let text = password.expose();
        // What is too long to be one is still hashed: the time must not tell.
        let short = text.chars().take(LONGEST).collect::<String>();
        let fits = self
            .parsed()
            .is_some_and(|(hash, _cost)| Argon2::default().verify_password(short.as_bytes(), &hash).is_ok());
        fits && short.len() == text.len()
    }

    /// Whether it costs less than hashes do today: then the password is hashed again when it is next right.
    #[must_use]
    pub fn is_cheaper_than(&self, cost: Cost) -> bool {
        self.parsed()
            .is_none_or(|(_hash, ours)| ours.memory_kib < cost.memory_kib || ours.passes < cost.passes)
    }

    fn parsed(&self) -> Option<(Phc, Cost)> {
        let hash = phc::PasswordHash::new(self.0.expose()).ok()?;
        let params = Params::try_from(&hash).ok()?;
        let cost = Cost { memory_kib: params.m_cost(), passes: params.t_cost() };
        let ours = hash.algorithm.as_str() == Algorithm::Argon2id.as_str()
            && cost.memory_kib <= COSTLIEST_KIB
            && cost.passes <= COSTLIEST_PASSES
            && params.p_cost() == 1
            && hash.salt.is_some()
            && hash.hash.is_some();
        ours.then_some((hash, cost))
    }
}

/// In lower case and without accents, as people who guess would write it.
fn plain(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .map(|letter| match letter {
            'à' | 'â' | 'ä' => 'a',
            'ç' => 'c',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'î' | 'ï' => 'i',
            'ô' | 'ö' => 'o',
            'ù' | 'û' | 'ü' => 'u',
            other => other,
        })
        .collect()
}

fn is_monotonous(text: &str) -> bool {
    let letters: Vec<u32> = text.chars().map(u32::from).collect();
    let steps: std::collections::BTreeSet<_> = letters
        .iter()
        .zip(letters.iter().skip(1))
        .map(|(one, next)| i64::from(*next) - i64::from(*one))
        .collect();
    let different: std::collections::BTreeSet<_> = letters.iter().collect();
    different.len() < DIFFERENT || steps.len() == 1
}
