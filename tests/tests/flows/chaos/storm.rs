//! A storm: tablets that report without a pause, and operators who go on queueing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use plist::{Dictionary, Value};
use serde_json::json;
use tablets::{Error, Ipad, Outcome};
use testkit::ApiClient;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::book::{Book, Said};
use super::dice::Dice;
use crate::support::{given, report};

/// How long a tablet waits for an answer before it gives up and comes back.
const PATIENCE: Duration = Duration::from_secs(4);
/// Operators queue no more than this ahead, per tablet.
const AHEAD: usize = 12;

/// How many operators share the tablets.
const OPERATORS: usize = 4;

/// A storm that goes on until it is told to stop.
pub(crate) struct Storm {
    goes_on: watch::Sender<bool>,
    tablets: JoinSet<Ipad>,
    operators: JoinSet<()>,
}

impl Storm {
    pub(crate) fn of(ipads: Vec<Ipad>, api: &ApiClient, book: &Arc<Book>, dice: &mut Dice) -> Self {
        let (goes_on, hears) = watch::channel(true);
        let serials: Vec<String> = ipads.iter().map(|ipad| ipad.serial().to_owned()).collect();
        let most = serials.len() * AHEAD;
        let (mut tablets, mut operators) = (JoinSet::new(), JoinSet::new());
        for mut ipad in ipads {
            ipad.http().set_patience(PATIENCE);
            tablets.spawn(live(ipad, Arc::clone(book), dice.other(), hears.clone()));
        }
        for (number, share) in serials.chunks(serials.len().div_ceil(OPERATORS)).enumerate() {
            let (share, api) = (share.to_vec(), api.clone());
            operators.spawn(operate(number, share, most, api, Arc::clone(book), hears.clone()));
        }
        Self { goes_on, tablets, operators }
    }

    /// Ends it, and gives the tablets back.
    pub(crate) async fn end(self) -> Vec<Ipad> {
        self.goes_on.send_replace(false);
        self.operators.join_all().await;
        self.tablets.join_all().await
    }
}

/// What a tablet says next.
#[derive(Debug, Clone)]
enum Next {
    Idle,
    Of(String, Said),
}

impl Next {
    fn message(&self, udid: &str) -> Dictionary {
        let (command, said) = match self {
            Self::Idle => return report(udid, "Idle", None),
            Self::Of(command, said) => (command, said),
        };
        match said {
            Said::Acknowledged => report(udid, "Acknowledged", Some(command)),
            Said::NotNow => report(udid, "NotNow", Some(command)),
            Said::Error(code) => {
                let mut told = report(udid, "Error", Some(command));
                let mut link = Dictionary::new();
                link.insert("ErrorCode".into(), Value::Integer((*code).into()));
                link.insert("ErrorDomain".into(), "MCMDMErrorDomain".into());
                link.insert("LocalizedDescription".into(), "Le profil n’existe pas.".into());
                told.insert("ErrorChain".into(), Value::Array(vec![Value::Dictionary(link)]));
                told
            }
        }
    }
}

/// What a tablet says of a command the first time it is asked, and after a NotNow: it follows from the command's id.
fn verdict(command: &str, asked_before: bool) -> Said {
    let hash = command.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    match hash % 8 {
        0 if !asked_before => Said::NotNow,
        1 | 2 => Said::Error(1_000_000 + u32::try_from(hash >> 40).unwrap()),
        _ => Said::Acknowledged,
    }
}

/// A tablet that never sleeps. What it got no answer to it says again, or it begins anew, as tablets do.
async fn live(mut ipad: Ipad, book: Arc<Book>, mut dice: Dice, goes_on: watch::Receiver<bool>) -> Ipad {
    let (serial, udid) = (ipad.serial().to_owned(), ipad.udid().to_owned());
    let (mut next, mut put_off, mut token) = (Next::Idle, BTreeSet::new(), 0);
    while *goes_on.borrow() {
        if matches!(next, Next::Idle) && dice.once_in(40) {
            token += 1;
            keep_token(&mut ipad, token, &book).await;
        }
        let outcome = ipad.report(&next.message(&udid)).await;
        let accepted = match &outcome {
            Ok(outcome @ Outcome::Accepted(_)) => Some(outcome),
            Ok(Outcome::Unavailable { .. }) => None,
            Ok(refused) => {
                book.wrong(format!("{serial} said {next:?} and was told {refused:?}"));
                return ipad;
            }
            // The connection: it was cut, refused, or nobody answered in time.
            Err(Error::Connect { .. } | Error::Tls { .. } | Error::Http { .. } | Error::TimedOut { .. }) => {
                None
            }
            Err(other) => {
                // An answer that breaks off.
                book.trouble();
                assert!(matches!(other, Error::Malformed { .. }), "{serial}: {other}");
                next = Next::Idle;
                continue;
            }
        };
        let Some(accepted) = accepted else {
            book.trouble();
            tokio::time::sleep(dice.millis(1..40)).await;
            if dice.once_in(2) {
                next = Next::Idle;
            }
            continue;
        };
        if let Next::Of(command, said) = &next {
            book.confirmed(command, *said);
        }
        next = match given(accepted) {
            None => {
                tokio::time::sleep(dice.millis(2..30)).await;
                Next::Idle
            }
            Some(command) => {
                book.offered(&serial, &command);
                let said = verdict(&command, !put_off.insert(command.clone()));
                Next::Of(command, said)
            }
        };
    }
    ipad
}

async fn keep_token(ipad: &mut Ipad, token: u64, book: &Book) {
    let serial = ipad.serial().to_owned();
    book.token_tried(&serial, token);
    match ipad.set_bootstrap_token(&token.to_be_bytes()).await {
        Ok(()) => book.token_kept(&serial, token),
        Err(Error::Refused { status, body, .. }) if status < 500 => {
            book.wrong(format!("{serial} gave its token and was told {status}: {body}"));
        }
        Err(_trouble) => book.trouble(),
    }
}

/// An operator, who asks with the same key until there is an answer.
async fn operate(
    number: usize,
    serials: Vec<String>,
    most: usize,
    api: ApiClient,
    book: Arc<Book>,
    goes_on: watch::Receiver<bool>,
) {
    for click in 0_u64.. {
        let serial = &serials[usize::try_from(click).unwrap() % serials.len()];
        let key = format!("storm-{number}-{click}");
        let wanted = json!({
            "request_type": "ValidateApplications",
            "parameters": { "Identifiers": [format!("fr.example.{key}")] },
            "idempotency_key": key,
        });
        let path = format!("/api/v1/tablets/{serial}/commands");
        loop {
            if !*goes_on.borrow() {
                return;
            }
            if book.waiting() >= most {
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            }
            match api.post(&path, &wanted).await {
                Ok(answer) if matches!(answer.status, 200 | 201) => {
                    book.queued(&key, answer.text("/id"));
                    break;
                }
                Ok(answer) if answer.status < 500 => {
                    book.wrong(format!("an operator was told {answer:?}"));
                    return;
                }
                Ok(_) | Err(_) => {
                    book.trouble();
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }
}
