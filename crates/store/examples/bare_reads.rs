//! The yardstick of `make bench` on SQLite: what `pgbench -S -M prepared` reads, in a bare loop.
//!
//!     bare_reads make FILE            100,000 rows with a key and a number
//!     bare_reads read FILE SECONDS    reads by key on each processor; prints how many were read a second

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SqliteConnection};

diesel::table! {
    /// As `pgbench` makes it, as far as it is read.
    pgbench_accounts (aid) {
        /// The key.
        aid -> Integer,
        /// The number.
        abalance -> Integer,
    }
}

const ROWS: i32 = 100_000;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["make", file] => make(file),
        ["read", file, seconds] => {
            println!("{}", read(file, Duration::from_secs(seconds.parse()?))?);
            Ok(())
        }
        _ => Err("bare_reads make FILE | bare_reads read FILE SECONDS".into()),
    }
}

fn make(file: &str) -> Result<(), Failure> {
    let mut connection = SqliteConnection::establish(file)?;
    connection.batch_execute(&format!(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE pgbench_accounts (aid INTEGER PRIMARY KEY, abalance INTEGER NOT NULL, filler TEXT NOT NULL);
         WITH RECURSIVE account (aid) AS (SELECT 1 UNION ALL SELECT aid + 1 FROM account WHERE aid < {ROWS})
         INSERT INTO pgbench_accounts SELECT aid, 0, printf('%84s', '') FROM account;"
    ))?;
    Ok(())
}

/// How many rows were read a second, on all processors together.
fn read(file: &str, time: Duration) -> Result<u64, Failure> {
    let readers = std::thread::available_parallelism()?.get();
    let threads: Vec<_> = (0..readers)
        .map(|_reader| {
            let file = file.to_owned();
            std::thread::spawn(move || read_alone(&file, time))
        })
        .collect();
    let mut all = 0;
    for thread in threads {
        all += thread.join().map_err(|_panicked| "a reader panicked")??;
    }
    Ok(all / time.as_secs().max(1))
}

fn read_alone(file: &str, time: Duration) -> Result<u64, Failure> {
    let mut connection = SqliteConnection::establish(file)?;
    let begun = Instant::now();
    let mut reads = 0;
    while begun.elapsed() < time {
        let _balance: i32 = pgbench_accounts::table
            .filter(pgbench_accounts::aid.eq(rand::random_range(1..=ROWS)))
            .select(pgbench_accounts::abalance)
            .first(&mut connection)?;
        reads += 1;
    }
    Ok(reads)
}
