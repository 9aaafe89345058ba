//! The book that is kept of a storm: what tablets and operators were promised, to be held against the database.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::by_hand::ByHand;

/// What a tablet says of a command. It says the same of one command however often it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    Acknowledged,
    /// Refused, with a code that no other command was refused with.
    Error(u32),
    NotNow,
}

/// What was promised.
#[derive(Debug, Default)]
pub(crate) struct Book(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    /// Commands whose end a tablet told and got a 200 for.
    ended: BTreeMap<String, Said>,
    /// How often a tablet said NotNow to a command and got a 200 for it.
    not_now: BTreeMap<String, u32>,
    /// What the API said it queued: the command's id by its idempotency key.
    queued: BTreeMap<String, String>,
    /// The last bootstrap token that a tablet got a 200 for, and the last it tried, by serial number.
    tokens: BTreeMap<String, (u64, u64)>,
    counts: Counts,
    wrongs: Vec<String>,
}

/// How much happened.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    /// Reports that a tablet got a 200 for, Idle ones left out.
    pub(crate) answers: u64,
    /// Bootstrap tokens that a tablet got a 200 for.
    pub(crate) tokens: u64,
    /// Commands that the API said it queued.
    pub(crate) queued: u64,
    /// Requests that were told to come back later, or whose connection broke.
    pub(crate) troubles: u64,
}

/// What a look into the database found.
#[derive(Debug, Default)]
pub(crate) struct Losses(pub(crate) Vec<String>);

impl Book {
    fn open(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A tablet got a 200 for what it said of a command.
    pub(crate) fn confirmed(&self, command: &str, said: Said) {
        let mut pages = self.open();
        pages.counts.answers += 1;
        match said {
            Said::NotNow => *pages.not_now.entry(command.to_owned()).or_default() += 1,
            end => drop(pages.ended.insert(command.to_owned(), end)),
        }
    }

    /// A tablet was offered a command; one whose end it was told that we know of must not be.
    pub(crate) fn offered(&self, serial: &str, command: &str) {
        let mut pages = self.open();
        if let Some(said) = pages.ended.get(command) {
            let wrong = format!("{serial} is offered {command} again, of which it said {said:?}");
            pages.wrongs.push(wrong);
        }
    }

    /// A tablet is about to give its bootstrap token.
    pub(crate) fn token_tried(&self, serial: &str, token: u64) {
        self.open().tokens.entry(serial.to_owned()).or_default().1 = token;
    }

    /// It got a 200 for it.
    pub(crate) fn token_kept(&self, serial: &str, token: u64) {
        let mut pages = self.open();
        pages.counts.tokens += 1;
        pages.tokens.entry(serial.to_owned()).or_default().0 = token;
    }

    /// The API said that a command is queued.
    pub(crate) fn queued(&self, key: &str, command: &str) {
        let mut pages = self.open();
        pages.counts.queued += 1;
        pages.queued.insert(key.to_owned(), command.to_owned());
    }

    pub(crate) fn trouble(&self) {
        self.open().counts.troubles += 1;
    }

    /// Something happened that must not.
    pub(crate) fn wrong(&self, what: String) {
        self.open().wrongs.push(what);
    }

    pub(crate) fn wrongs(&self) -> Vec<String> {
        self.open().wrongs.clone()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.open().counts
    }

    /// How many commands wait for their end, as far as operators and tablets know.
    pub(crate) fn waiting(&self) -> usize {
        let pages = self.open();
        pages.queued.len().saturating_sub(pages.ended.len())
    }

    /// The bootstrap tokens between which the one that the server gives back must lie, by serial number.
    pub(crate) fn tokens(&self) -> BTreeMap<String, (u64, u64)> {
        self.open().tokens.clone()
    }

    /// Holds the book against the database: what is written in it so far must be there.
    pub(crate) fn hold_against(&self, database: &ByHand) -> Losses {
        let (ended, not_now, queued) = {
            let pages = self.open();
            (pages.ended.clone(), pages.not_now.clone(), pages.queued.clone())
        };
        let columns = "id || '|' || state || '|' || not_now_count || '|' || coalesce(idempotency_key, '') \
                       || '|' || coalesce(error, '')";
        let mut rows = BTreeMap::new();
        let mut keys: BTreeMap<String, u32> = BTreeMap::new();
        for line in database.texts(columns, "commands") {
            let mut fields = line.splitn(5, '|').map(str::to_owned);
            let mut next = || fields.next().unwrap_or_default();
            let (id, state, times, key, error) = (next(), next(), next(), next(), next());
            *keys.entry(key).or_default() += 1;
            rows.insert(id, (state, times.parse::<u32>().unwrap(), error));
        }
        let mut lost = Vec::new();
        for (command, said) in ended {
            let found = rows.get(&command);
            let as_said = found.is_some_and(|(state, _times, error)| match said {
                Said::Acknowledged => state == "acknowledged",
                Said::Error(code) => state == "failed" && error.contains(&code.to_string()),
                Said::NotNow => false,
            });
            if !as_said {
                lost.push(format!("{said:?} of {command}: the database has {found:?}"));
            }
        }
        for (command, times) in not_now {
            let found = rows.get(&command).map(|(_state, times, _error)| *times);
            if found.is_none_or(|found| found < times) {
                lost.push(format!("{times} NotNow of {command}: the database has {found:?}"));
            }
        }
        for (key, command) in queued {
            if !rows.contains_key(&command) || keys.get(&key) != Some(&1) {
                lost.push(format!("{command}, queued as {key}: the database has {:?}", keys.get(&key)));
            }
        }
        Losses(lost)
    }
}
