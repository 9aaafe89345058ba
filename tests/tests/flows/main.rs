//! Simulated iPads against the real server, over TLS, on SQLite and on PostgreSQL.
//!
//! Each flow is a story that is told twice, once per engine. What it says of the server is read through the
//! API, as an operator would; what it says of a tablet, from the tablet.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod apps;
#[cfg(test)]
mod asker;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod batch;
#[cfg(test)]
mod brake;
#[cfg(test)]
mod by_hand;
#[cfg(test)]
mod chaos;
#[cfg(test)]
mod coming_in;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod counters;
#[cfg(test)]
mod departures;
#[cfg(test)]
mod description;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod ended;
#[cfg(test)]
mod enrolling;
#[cfg(test)]
mod first_day;
#[cfg(test)]
mod half_open;
#[cfg(test)]
mod identities;
#[cfg(test)]
mod in_whose_hands;
#[cfg(test)]
mod incidents;
#[cfg(test)]
mod independent_clients;
#[cfg(test)]
mod interruptions;
#[cfg(test)]
mod lending;
#[cfg(test)]
mod loans;
#[cfg(test)]
mod log;
#[cfg(test)]
mod lost_mode;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod mail_client;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod missing;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod not_now;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod privacy;
#[cfg(test)]
mod profiles;
#[cfg(test)]
mod proofs;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod push;
#[cfg(test)]
mod queue;
#[cfg(test)]
mod random_lives;
#[cfg(test)]
mod renewal;
#[cfg(test)]
mod repairs;
#[cfg(test)]
mod restored;
#[cfg(test)]
mod returns;
#[cfg(test)]
mod returns_interrupted;
#[cfg(test)]
mod returns_killed;
#[cfg(test)]
mod returns_ledger;
#[cfg(test)]
mod rollouts;
#[cfg(test)]
mod scep;
#[cfg(test)]
mod scep_clients;
#[cfg(test)]
mod segments;
#[cfg(test)]
mod signing;
#[cfg(test)]
mod slow;
#[cfg(test)]
mod status_reports;
#[cfg(test)]
mod strange_messages;
#[cfg(test)]
mod strange_reports;
#[cfg(test)]
mod subjects;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tablets_program;
#[cfg(test)]
mod takeover;
#[cfg(test)]
mod thefts;
#[cfg(test)]
mod told;
#[cfg(test)]
mod transfers;
#[cfg(test)]
mod troubles;
#[cfg(test)]
mod turns;
#[cfg(test)]
mod updates;
#[cfg(test)]
mod warrants;
