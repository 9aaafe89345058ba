//! What goes wrong with the tablets, on purpose.

use std::time::Duration;

use clap::Args;
use tablets::Faults;

use super::span;

/// Faults, each by its probability.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What goes wrong, on purpose")]
pub(crate) struct FaultArguments {
    /// How likely a tablet hangs up after it sent a message, without reading the answer: 0 to 1.
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = probability)]
    drop: f64,
    /// How likely it hangs up in the middle of what it sends: 0 to 1.
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = probability)]
    drop_while_sending: f64,
    /// How long it waits before everything it sends.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = span::parse)]
    delay: Duration,
    /// How likely it says NotNow to a command that may wait: 0 to 1. It comes back at its next poll or push.
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = probability)]
    not_now: f64,
    /// How likely what it sends breaks off in the middle of the property list: 0 to 1.
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = probability)]
    malformed: f64,
    /// How likely it sends a report twice: 0 to 1.
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = probability)]
    duplicate: f64,
    /// By how much its clock is wrong: 1h is ahead, -30m behind.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = span::parse_offset, allow_hyphen_values = true)]
    clock_offset: i64,
    /// The share of tablets that are locked with an access code: they say NotNow to some commands. 0 to 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = probability)]
    locked: f64,
}

impl FaultArguments {
    /// As the library takes them.
    pub(crate) const fn faults(&self) -> Faults {
        Faults {
            drop_while_sending: self.drop_while_sending,
            drop_before_reading: self.drop,
            not_now: self.not_now,
            malformed_body: self.malformed,
            duplicate_report: self.duplicate,
            delay: self.delay,
            clock_offset: self.clock_offset,
        }
    }

    /// Whether the tablet at this place is locked: so many of the first so many are.
    pub(crate) fn locks(&self, place: u32) -> bool {
        let share = |count: u32| (f64::from(count) * self.locked).floor();
        share(place.saturating_add(1)) > share(place)
    }
}

fn probability(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(probability) if (0.0..=1.0).contains(&probability) => Ok(probability),
        _ => Err("write a number from 0 to 1, such as 0.05".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        faults: FaultArguments,
    }

    fn typed(line: &str) -> Result<FaultArguments, clap::Error> {
        Typed::try_parse_from(line.split(' ')).map(|typed| typed.faults)
    }

    #[test]
    fn faults_are_handed_to_the_tablets_as_they_were_typed() {
        let line = "x --drop 0.1 --drop-while-sending 0.2 --delay 5ms --not-now 0.3 --malformed 0.4 \
                    --duplicate 0.5 --clock-offset -1h";
        let wanted = Faults {
            drop_before_reading: 0.1,
            drop_while_sending: 0.2,
            delay: Duration::from_millis(5),
            not_now: 0.3,
            malformed_body: 0.4,
            duplicate_report: 0.5,
            clock_offset: -3600,
        };
        assert_eq!(typed(line).unwrap().faults(), wanted);
        assert_eq!(typed("x").unwrap().faults(), Faults::default());
        assert!(typed("x --drop 1.5").is_err());
    }

    #[test]
    fn the_locked_share_is_spread_over_the_fleet() {
        let locked = |share: &str| {
            (0..100).filter(|place| typed(&format!("x --locked {share}")).unwrap().locks(*place)).count()
        };
        assert_eq!((locked("0"), locked("0.25"), locked("1")), (0, 25, 100));
    }
}
