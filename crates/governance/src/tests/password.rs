//! Passwords, and signing in with them.

use types::{Instant, Secret};

use super::world::*;
use crate::AccountState;
use crate::sign_in::{
    About, Attempts, CodeRefused, Cost, Credentials, LONGEST_LOCK, Locked, NewPassword, NotSignedIn,
    NotSteppedUp, PasswordHash, SecondFactor, SignedIn, WeakPassword, check, step_up,
};

const MARIE: About<'_> =
    About {
        login: "marie.curie", name: "Marie Skłodowska-Curie", organisation: "Collège Évariste Galois"
    };

const GOOD: &str = "quatre loutres au bord du lac";

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn choose(text: &str) -> Result<NewPassword, WeakPassword> {
    NewPassword::choose(secret(text), MARIE)
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::of(&choose(text).unwrap(), [7; 16], Cost::NEXT_TO_NOTHING).unwrap()
}

#[test]
fn a_password_is_long_and_needs_no_kinds_of_characters() {
    for good in
        [GOOD, "correcthorsebatterystaple", "ééééààààùùùùçççç1", "1 loutre, 2 lacs, 3 îles", "pkzrwqvhjfmt"]
    {
        assert!(choose(good).is_ok(), "{good}");
    }
    assert_eq!(choose("loutre-lac!").unwrap_err(), WeakPassword::TooShort);
    assert_eq!(choose(&"ab c".repeat(33)).unwrap_err(), WeakPassword::TooLong);
    assert!(choose(&"abc def ghi ".repeat(11)).is_err());
}

#[test]
fn a_password_made_of_what_everybody_knows_is_refused() {
    for bad in [
        "marie.curie2026",
        "MarieCurie!!",
        "Skłodowska-1867",
        "evaristegalois",
        "ÉvaristeGalois26",
        "motdepasse123",
        "MotDePasse2026!",
        "azertyuiop12",
        "azertyuiopqsdfghjklm",
        "administrateur1",
        "ardoise-college",
        "bonjoursoleil",
        "tablette2026!",
    ] {
        assert_eq!(choose(bad).unwrap_err(), WeakPassword::Guessable, "{bad}");
    }
    // A name in a sentence is no harm.
    assert!(choose("marie mange douze pommes").is_ok());
}

#[test]
fn a_row_of_characters_is_no_password() {
    for bad in
        ["aaaaaaaaaaaa", "abababababab", "abcdefghijkl", "lkjihgfedcba", "1111222233334444", "            "]
    {
        assert_eq!(choose(bad).unwrap_err(), WeakPassword::Monotonous, "{bad}");
    }
}

#[test]
fn a_hash_is_argon2id_of_known_cost_and_fits_its_password_only() {
    let kept = PasswordHash::of(&choose(GOOD).unwrap(), *b"somesaltsomesalt", Cost::DEFAULT).unwrap();
    let text = kept.to_stored().expose();
    assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"), "{text}");
    let read = PasswordHash::from_stored(secret(text));
    assert!(read.fits(&secret(GOOD)));
    for wrong in ["", "quatre loutres au bord du lac ", "Quatre loutres au bord du lac"] {
        assert!(!read.fits(&secret(wrong)), "{wrong}");
    }
    assert!(!read.is_cheaper_than(Cost::DEFAULT));
    assert!(hash(GOOD).is_cheaper_than(Cost::DEFAULT));
    assert_eq!(
        format!("{read:?} {:?}", choose(GOOD).unwrap()),
        "PasswordHash([redacted]) NewPassword([redacted])"
    );
}

#[test]
fn the_salt_makes_two_hashes_of_one_password_differ() {
    let of = |salt| PasswordHash::of(&choose(GOOD).unwrap(), salt, Cost::NEXT_TO_NOTHING).unwrap();
    assert_ne!(of([1; 16]).to_stored().expose(), of([2; 16]).to_stored().expose());
    assert_eq!(of([1; 16]).to_stored().expose(), of([1; 16]).to_stored().expose());
}

#[test]
fn a_stored_hash_that_is_not_ours_fits_nothing_and_costs_nothing() {
    let ours = hash(GOOD).to_stored().expose().clone();
    let bad = [
        String::new(),
        "plaintext".to_owned(),
        GOOD.to_owned(),
        ours.replace("argon2id", "argon2i"),
        ours.replace("m=8", "m=4194304"),
        ours.replace("t=1", "t=4000000"),
        ours.rsplit_once('$').unwrap().0.to_owned(),
    ];
    for text in bad {
        let read = PasswordHash::from_stored(secret(&text));
        assert!(!read.fits(&secret(GOOD)), "{text}");
        assert!(read.is_cheaper_than(Cost::NEXT_TO_NOTHING), "{text}");
    }
}

#[test]
fn the_decoy_fits_no_password_however_long() {
    let decoy = PasswordHash::decoy(Cost::NEXT_TO_NOTHING).unwrap();
    for length in [0, 12, 127, 128, 129, 130, 1_000] {
        assert!(!decoy.fits(&secret(&"-".repeat(length))), "{length}");
    }
}

#[test]
fn the_longest_password_is_all_of_it() {
    let longest = "quatre loutres, ".repeat(8);
    let kept = hash(&longest);
    assert!(kept.fits(&secret(&longest)));
    assert!(!kept.fits(&secret(&format!("{longest}x"))));
}

struct Attempt {
    credentials: Option<Credentials>,
    attempts: Attempts,
    password: &'static str,
    code: Option<String>,
}

fn factor() -> SecondFactor {
    SecondFactor::new([3; 20])
}

/// The code that the holder's authenticator shows; worked out from the address that it was given.
fn shown(at: Instant) -> String {
    let builder = totp_rs::Builder::new().with_secret(vec![3; 20]);
    builder.build().unwrap().generate(u64::try_from(at.as_seconds()).unwrap()).to_string()
}

impl Attempt {
    fn right() -> Self {
        let credentials = Credentials {
            state: AccountState::Active,
            password: Some(hash(GOOD)),
            second_factor: Some((factor(), None)),
        };
        let code = Some(shown(now()));
        Self { credentials: Some(credentials), attempts: Attempts::default(), password: GOOD, code }
    }

    fn with(self, edit: impl FnOnce(&mut Credentials)) -> Self {
        let mut credentials = self.credentials.unwrap();
        edit(&mut credentials);
        Self { credentials: Some(credentials), ..self }
    }

    fn check(self) -> Result<SignedIn, NotSignedIn> {
        let decoy = PasswordHash::decoy(Cost::NEXT_TO_NOTHING).unwrap();
        check(
            self.credentials.as_ref(),
            self.attempts.begin(now()),
            &secret(self.password),
            self.code.as_deref().map(secret).as_ref(),
            &decoy,
            Cost::NEXT_TO_NOTHING,
            now(),
        )
    }
}

#[test]
fn somebody_signs_in_with_password_and_code_and_not_with_less() {
    let step = now().as_seconds() / 30;
    assert_eq!(Attempt::right().check(), Ok(SignedIn { step: Some(step), hash_again: false }));
    let wrong = [
        (
            Attempt { password: "quatre loutres au bord du lac!", ..Attempt::right() },
            NotSignedIn::WrongPassword,
        ),
        (Attempt { code: None, ..Attempt::right() }, NotSignedIn::NoCode),
        (
            Attempt { code: Some("000000".to_owned()), ..Attempt::right() },
            NotSignedIn::Code(CodeRefused::Wrong),
        ),
        (
            Attempt::right().with(|it| it.second_factor = Some((factor(), Some(step)))),
            NotSignedIn::Code(CodeRefused::Used),
        ),
        (Attempt { credentials: None, ..Attempt::right() }, NotSignedIn::UnknownLogin),
        (Attempt::right().with(|it| it.password = None), NotSignedIn::WrongPassword),
        (
            Attempt::right().with(|it| it.state = AccountState::Suspended),
            NotSignedIn::NotActive(AccountState::Suspended),
        ),
        (
            Attempt::right().with(|it| it.state = AccountState::Invited),
            NotSignedIn::NotActive(AccountState::Invited),
        ),
    ];
    for (attempt, expected) in wrong {
        assert_eq!(attempt.check(), Err(expected));
    }
    let without = Attempt { code: None, ..Attempt::right() }.with(|it| it.second_factor = None);
    assert_eq!(without.check(), Ok(SignedIn { step: None, hash_again: false }));
}

#[test]
fn t_c12_whoever_does_not_sign_in_is_told_the_same_whatever_the_reason() {
    let until = now().plus(LONGEST_LOCK);
    let locked = Attempts { failed: 20, locked_until: Some(until) };
    let reasons = [
        Attempt { credentials: None, ..Attempt::right() }.check().unwrap_err(),
        Attempt { password: "faux", ..Attempt::right() }.check().unwrap_err(),
        Attempt { code: None, ..Attempt::right() }.check().unwrap_err(),
        Attempt::right().with(|it| it.state = AccountState::Closed).check().unwrap_err(),
        Attempt { attempts: locked, ..Attempt::right() }.check().unwrap_err(),
    ];
    assert_eq!(reasons[4], NotSignedIn::Locked(Locked { until }), "even the right password waits");
    for reason in reasons {
        assert_eq!(reason.to_string(), NotSignedIn::WrongPassword.to_string());
    }
}

#[test]
fn a_hash_of_old_is_made_again_when_its_password_is_next_right() {
    let decoy = PasswordHash::decoy(Cost::NEXT_TO_NOTHING).unwrap();
    let attempt = Attempt::right();
    let outcome = check(
        attempt.credentials.as_ref(),
        Attempts::default().begin(now()),
        &secret(GOOD),
        attempt.code.as_deref().map(secret).as_ref(),
        &decoy,
        Cost::DEFAULT,
        now(),
    );
    assert!(outcome.unwrap().hash_again);
}

#[test]
fn t_c12_codes_are_not_guessed_in_a_stolen_session() {
    let (mut attempts, mut last) = (Attempts::default(), None);
    let mut show = |code: &str, now| {
        let begun = attempts.begin(now);
        attempts = begun.unwrap_or(attempts);
        let outcome = step_up(Some(&(factor(), last)), begun, &secret(code), now);
        last = outcome.ok().or(last);
        outcome
    };
    assert_eq!(show(&shown(now()), now()), Ok(now().as_seconds() / 30));
    assert_eq!(show(&shown(now()), now()), Err(NotSteppedUp::Code(CodeRefused::Used)));
    for _guess in 0..3 {
        assert_eq!(show("000000", now()), Err(NotSteppedUp::Code(CodeRefused::Wrong)));
    }
    // From here on even the right one waits.
    let next = now().plus(MINUTE / 2);
    assert!(matches!(show(&shown(next), next.minus(MILLISECOND)), Err(NotSteppedUp::Locked(_))));
    assert!(show(&shown(next), next).is_ok());
    let without = step_up(None, Attempts::default().begin(now()), &secret("000000"), now());
    assert_eq!(without, Err(NotSteppedUp::NoSecondFactor));
}
