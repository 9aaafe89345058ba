//! What the help promises can be typed, and says what it does.

use clap::CommandFactory as _;

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(words(line))
}

/// The words of a line, as a shell finds them.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut begun) = (Vec::new(), String::new(), false, false);
    for character in line.chars() {
        match character {
            '\'' => {
                quoted = !quoted;
                begun = true;
            }
            character if character.is_whitespace() && !quoted => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            character => {
                word.push(character);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

/// Every example in the help of a command and of those below it: lines that begin with `tablets`, with what
/// follows a backslash.
fn examples(command: &clap::Command, found: &mut Vec<String>) {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let help = help.split("\\\n").map(str::trim).collect::<Vec<_>>().join(" ");
    for line in help.lines() {
        // A step may have a number before it, and an explanation after it.
        let line =
            line.trim_start().trim_start_matches(|character: char| character.is_ascii_digit()).trim_start();
        if line.starts_with("tablets ") {
            found.push(line.split("   ").next().unwrap_or(line).to_owned());
        }
    }
    command.get_subcommands().for_each(|below| examples(below, found));
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_and_every_argument_says_what_it_does() {
    fn look(command: &clap::Command, path: &str) {
        let path = format!("{path} {}", command.get_name());
        assert!(command.get_about().is_some(), "{path} has no sentence");
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            assert!(argument.get_help().is_some(), "{path}: {} has no sentence", argument.get_id());
        }
        command.get_subcommands().for_each(|below| look(below, &path));
    }
    look(&Cli::command(), "");
}

#[test]
fn every_example_of_the_help_can_be_typed() {
    let mut found = Vec::new();
    examples(&Cli::command(), &mut found);
    assert!(found.len() >= 25, "only {} examples were found: {found:#?}", found.len());
    for line in &found {
        parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    for command in ["seed", "enrol", "run", "apns", "bench idle", "bench enrol", "bench cycle"] {
        assert!(
            found.iter().any(|line| line.starts_with(&format!("tablets {command} "))),
            "{command} has no example"
        );
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    for line in [
        "tablets",
        "tablets seed fleet --tablets 10",
        "tablets seed fleet --tablets 10 --server-url https://x/mdm --topic com.example.push",
        "tablets seed fleet --tablets ten --server-url https://x/mdm --topic com.apple.mgmt.x",
        "tablets enrol fleet",
        "tablets enrol fleet --link https://x --profile y",
        "tablets enrol fleet --machine-info https://x",
        "tablets run fleet --apns-files push",
        "tablets run fleet --drop 2",
        "tablets apns",
        "tablets bench",
        "tablets bench idle",
        "tablets bench idle fleet --rate 0",
        "tablets bench idle fleet --requests 0",
        "tablets bench cycle fleet",
        "tablets bench cycle fleet --dialect ardoise",
        "tablets bench cycle fleet --dialect ardoise --api https://x --secret s3cret",
        "tablets bench enrol fleet --link https://x --profile y",
    ] {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}
