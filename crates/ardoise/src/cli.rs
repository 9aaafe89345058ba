//! The command line: what can be typed.

use clap::{Parser, Subcommand};

use crate::demo;
use crate::failure::Failure;
use crate::machine::{authority, backup, config, init, key, migrate, serve};
use crate::offline::profile;
use crate::output::Output;
use crate::remote::{
    account, agreement, alarm, app, apple, audit, brake, command, countersignature, departure, incident,
    inventory, link, list, loan, notice, organisation, person, position, privacy, push_certificate, repair,
    restitution, role, school_year, session, status, tablet, takeover, token, transfer, warrant,
};

const EXAMPLES: &str = "\
Begin here:
  ardoise demo                                   a whole département on this machine, with simulated tablets
  ardoise init --tablets-url https://mdm.example.org --organisation \"Département de l'Exemple\"
  ardoise serve                                  serve the home folder that `init` made

Then, from anywhere:
  export ARDOISE_SERVER=https://ardoise.example.org
  ardoise join                                   use an invitation: choose a password and a second factor
  ardoise login marie.curie                      sign in
  ardoise inventory import tablets.csv           which tablets may enrol
  ardoise link create --uai 0761234A --max-uses 30
  ardoise tablet list --state enrolled
  ardoise command send DMPXK1ABCD12 ClearPasscode
  ardoise command why COMMAND                    one sentence: why is it still pending?

Exit codes: 0 done, 1 refused or failed, 2 not understood.";

/// Manages the tablets that a département lends.
#[derive(Debug, Parser)]
#[command(name = "ardoise", version, after_help = EXAMPLES, max_term_width = 110)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Print one JSON document for programs; errors too, on standard error.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a home folder: configuration, key file, tables, authority, first account. Safe to repeat.
    Init(init::Arguments),
    /// Serve tablets and people until told to stop.
    Serve(serve::Arguments),
    /// Show Ardoise at work, with simulated tablets: a story that is checked, or a département to play with.
    Demo(demo::Arguments),
    /// Create or upgrade the tables, as their owner.
    Migrate(migrate::Arguments),
    /// Look at the configuration without starting anything.
    Config(config::Arguments),
    /// Write a backup of the database, while it is served.
    Backup(backup::BackupArguments),
    /// Bring a backup back into an empty database. What destroys and is older is void.
    Restore(backup::RestoreArguments),
    /// The authority that issues tablets' certificates.
    Authority(authority::Arguments),
    /// The keys that seal what is secret in the database.
    Key(key::Arguments),
    /// Layers of configuration in files: what is wrong with them, what tablets would be given.
    Profile(Box<profile::Arguments>),

    /// Use an invitation: choose a password and a second factor.
    Join(session::Join),
    /// Sign in.
    Login(session::Login),
    /// Sign out.
    Logout(session::Logout),
    /// Show a code of your second factor: what needs one is open for five minutes.
    StepUp(session::StepUp),
    /// Who you are here and what you may do; your sessions.
    Session(session::Sessions),
    /// Set up your second factor, or change it.
    SecondFactor(session::SecondFactor),
    /// Change your password.
    Password(session::Password),

    /// How the fleet stands, in a few numbers.
    Status(status::Arguments),
    /// The tablets that may enrol.
    Inventory(inventory::Arguments),
    /// Addresses by which tablets enrol.
    Link(link::Arguments),
    /// Tablets: what they are, what they reported.
    Tablet(tablet::Arguments),
    /// Commands: what tablets are asked, and what became of it.
    Command(command::Arguments),
    /// Apps that layers may name, and the département's own.
    App(app::Arguments),
    /// The certificate by which Apple lets us wake tablets.
    PushCertificate(push_certificate::Arguments),
    /// Tablets of another server that may move here.
    Takeover(takeover::Arguments),
    /// What Apple's automated enrolment needs.
    Apple(apple::Arguments),
    /// The people whom a collège knows, and what was said to the agreement for each.
    Person(person::Arguments),
    /// The named list of users: from the school's export to the académie's validation.
    List(list::Arguments),
    /// The texts of the agreement of loan.
    Agreement(agreement::Arguments),
    /// Who holds which tablet: the light, the handover, what becomes of the loan.
    Loan(loan::Arguments),
    /// What happened to tablets: papers and their clocks, lost mode.
    Incident(incident::Arguments),
    /// Tablets that were given back: received, erased by order, proven empty.
    Restitution(restitution::Arguments),
    /// Tablets at their supplier's: who has which meanwhile, and what came back.
    Repair(repair::Arguments),
    /// Tablets that go from one collège to another, with the consent of both.
    Transfer(transfer::Arguments),
    /// Donations and retirements: facts, decisions, and the way out.
    Departure(departure::Arguments),
    /// What holders and guardians were told, and what reached nobody.
    Notice(notice::Arguments),
    /// Location warrants: who may locate a missing tablet, for how long, and who granted it.
    Warrant(warrant::Arguments),
    /// Where a missing tablet is: asked under a warrant, looked at with a reason.
    Position(position::Arguments),
    /// What an operator should look at.
    Alarm(alarm::Arguments),
    /// Who did what, and whether the log of it is whole.
    Audit(audit::Arguments),
    /// What is stored about people; what the DPO validated; what was forgotten.
    Privacy(privacy::Arguments),
    /// What destroys, what holds it back, and the switch that stops everything.
    Brake(brake::Arguments),
    /// Decide that tablets leave management.
    Unenrol(brake::Unenrol),
    /// Restitutions above the budgets, opened by two persons.
    Campaign(brake::Campaigns),
    /// Tokens of yours, for your programs.
    Token(token::Arguments),

    /// The département, the académie, the collèges, and what each collège decides for itself.
    Organisation(organisation::Arguments),
    /// School years and their summer breaks.
    SchoolYear(school_year::Arguments),
    /// People's accounts, as each organisation manages its own.
    Account(account::Arguments),
    /// Roles: who may do what, and where.
    Role(role::Arguments),
    /// What second persons are asked, and how they answer.
    Countersignature(countersignature::Arguments),
}

impl Cli {
    /// Does what was typed.
    pub(crate) async fn run(self, output: &Output) -> Result<(), Failure> {
        let output = *output;
        match self.command {
            Verb::Init(arguments) => Box::pin(init::run(arguments, output)).await,
            Verb::Serve(arguments) => Box::pin(serve::run(arguments)).await,
            Verb::Demo(arguments) => Box::pin(demo::run(arguments, output)).await,
            Verb::Migrate(arguments) => migrate::run(arguments, output).await,
            Verb::Config(arguments) => config::run(&arguments, output),
            Verb::Backup(arguments) => backup::backup(arguments, output).await,
            Verb::Restore(arguments) => Box::pin(backup::restore(arguments, output)).await,
            Verb::Authority(arguments) => Box::pin(authority::run(arguments, output)).await,
            Verb::Key(arguments) => Box::pin(key::run(arguments, output)).await,
            Verb::Profile(arguments) => Box::pin(profile::run(*arguments, output)).await,
            Verb::Join(arguments) => Box::pin(session::join(arguments, output)).await,
            Verb::Login(arguments) => Box::pin(session::login(arguments, output)).await,
            Verb::Logout(arguments) => session::logout(arguments, output).await,
            Verb::StepUp(arguments) => session::step_up(arguments, output).await,
            Verb::Session(arguments) => session::sessions(arguments, output).await,
            Verb::SecondFactor(arguments) => Box::pin(session::second_factor(arguments, output)).await,
            Verb::Password(arguments) => session::password(arguments, output).await,
            Verb::Status(arguments) => status::run(arguments, output).await,
            Verb::Inventory(arguments) => inventory::run(arguments, output).await,
            Verb::Link(arguments) => link::run(arguments, output).await,
            Verb::Tablet(arguments) => tablet::run(arguments, output).await,
            Verb::Command(arguments) => Box::pin(command::run(arguments, output)).await,
            Verb::App(arguments) => Box::pin(app::run(arguments, output)).await,
            Verb::PushCertificate(arguments) => push_certificate::run(arguments, output).await,
            Verb::Takeover(arguments) => takeover::run(arguments, output).await,
            Verb::Apple(arguments) => apple::run(arguments, output).await,
            Verb::Audit(arguments) => Box::pin(audit::run(arguments, output)).await,
            Verb::Privacy(arguments) => privacy::run(arguments, output).await,
            Verb::Person(arguments) => person::run(arguments, output).await,
            Verb::List(arguments) => Box::pin(list::run(arguments, output)).await,
            Verb::Agreement(arguments) => agreement::run(arguments, output).await,
            Verb::Loan(arguments) => Box::pin(loan::run(arguments, output)).await,
            Verb::Incident(arguments) => Box::pin(incident::run(arguments, output)).await,
            Verb::Warrant(arguments) => warrant::run(arguments, output).await,
            Verb::Position(arguments) => position::run(arguments, output).await,
            Verb::Restitution(arguments) => Box::pin(restitution::run(arguments, output)).await,
            Verb::Repair(arguments) => repair::run(arguments, output).await,
            Verb::Transfer(arguments) => transfer::run(arguments, output).await,
            Verb::Departure(arguments) => Box::pin(departure::run(arguments, output)).await,
            Verb::Notice(arguments) => notice::run(arguments, output).await,
            Verb::Alarm(arguments) => alarm::run(arguments, output).await,
            Verb::Brake(arguments) => Box::pin(brake::run(arguments, output)).await,
            Verb::Unenrol(arguments) => brake::unenrol(arguments, output).await,
            Verb::Campaign(arguments) => Box::pin(brake::campaigns(arguments, output)).await,
            Verb::Token(arguments) => Box::pin(token::run(arguments, output)).await,
            Verb::Organisation(arguments) => Box::pin(organisation::run(arguments, output)).await,
            Verb::SchoolYear(arguments) => school_year::run(arguments, output).await,
            Verb::Account(arguments) => Box::pin(account::run(arguments, output)).await,
            Verb::Role(arguments) => role::run(arguments, output).await,
            Verb::Countersignature(arguments) => Box::pin(countersignature::run(arguments, output)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_begins_with_what_the_program_is_for() {
        let help = Cli::command().render_help().to_string();
        assert!(help.starts_with("Manages the tablets"), "{help}");
    }

    #[test]
    fn every_command_says_what_it_does() {
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
    fn what_the_help_shows_can_be_typed() {
        for line in [
            "ardoise demo",
            "ardoise init --tablets-url https://mdm.example.org --organisation Exemple",
            "ardoise serve",
            "ardoise join",
            "ardoise login marie.curie",
            "ardoise inventory import tablets.csv",
            "ardoise link create --uai 0761234A --max-uses 30",
            "ardoise tablet list --state enrolled",
            "ardoise command send DMPXK1ABCD12 ClearPasscode",
            "ardoise command why 0193",
            "ardoise demo first-day --tablets 50 --json",
            "ardoise --json alarm list --server https://localhost:9443",
            "ardoise apple authority add root.pem",
            "ardoise brake drill --what unenrolment --acts 13000",
            "ardoise unenrol DMPXK1ABCD12 --reason sold --code 123456",
            "ardoise incident list --to-confirm",
            "ardoise incident confirm 0193",
            "ardoise incident warranty 0193 shock-or-scratch",
            "ardoise incident supplier 0193 --reference SAV-118 --exchanged DMPXK1ABCD13",
            "ardoise incident replace 0193 --granted --counterpart sum --cents 12000 --fixed-on 2026-11-26",
            "ardoise incident pay 0193 --on 2026-12-01",
            "ardoise warrant ask 0193 --hours 48 --reason x",
            "ardoise warrant delay 0193 --until 2026-12-24 --reference PV-7",
            "ardoise position look 0193 --reason x --code 123456",
            "ardoise campaign ask --colleges 0761234A,0767777B --from 2027-06-21 --to 2027-07-02 --ceiling 600 --reason end",
            "ardoise audit list --tablet DMPXK1ABCD12 --since 2026-11-01T00:00:00Z --order newest",
            "ardoise audit verify --on-this-machine --against 42:9f86",
            "ardoise audit export log.jsonl",
            "ardoise audit verify --file log.jsonl",
            "ardoise privacy register --format html --language fr",
            "ardoise privacy validate app-inventory --entry 1161e6e0",
            "ardoise privacy withdraw app-inventory --reason x",
            "ardoise privacy prove --json",
            "ardoise privacy notice --language en",
            "ardoise privacy assessment geolocation",
            "ardoise list import 0761234A export.csv --mapping mapping.toml --preview",
            "ardoise list settle 0193 --seen 3f2a91c0",
            "ardoise list validate 0193 --seen 3f2a91c0",
            "ardoise list wall 0761234A --class 4eB",
            "ardoise person list 0761234A",
            "ardoise person sign 0193 guardian-1 --on 2026-09-12 --reference x",
            "ardoise person oppose 0193 user --on 2026-09-12 --scan 3f2a91c0",
            "ardoise agreement publish convention.txt --title Convention --guardians all",
            "ardoise loan ready DMPX00000001 --person 0193",
            "ardoise loan hand-over DMPX00000001 0193 --condition neuve --with chargeur --with coque --under-reserve",
            "ardoise loan except DMPX00000001 --reason x",
            "ardoise loan except DMPX00000001 --end",
            "ardoise loan list --under-reserve",
            "ardoise loan restrict 0193 --until 2026-12-18",
            "ardoise loan end 0193 --breach",
            "ardoise loan letter 0193 --from guardians --dated 2027-02-01 --reference x",
            "ardoise loan year --csv",
            "ardoise loan swap 0193 DMPX00000002 --back DMPX00000001 --condition neuve --back-condition bon --saved",
            "ardoise repair send DMPX00000001 --reference SAV-118 --loaner DMPX00000002 --condition neuve",
            "ardoise repair back 0193 --loaner DMPX00000002 --condition bon --saved",
            "ardoise repair exchanged 0193 DMPX00000003 --label 76-0003",
            "ardoise transfer propose DMPX00000001 0765678B --reason x",
            "ardoise transfer consent 0193",
            "ardoise departure year 0193 2026-2027 yes",
            "ardoise departure donate 0193 --reason x",
            "ardoise departure retire DMPX00000001 --reason x",
            "ardoise departure let-go 0193 --signed 0194",
            "ardoise departure release 0193 --release x --lock y",
            "ardoise config explain tablets.listen",
            "ardoise profile lint a.toml b.toml",
            "ardoise profile render socle.toml --platform ipados --os 27.0 --unsupervised --json",
            "ardoise profile render socle.toml --os 15.0 --unsigned",
            "ardoise profile diff a.toml b.toml --language fr",
            "ardoise profile diff in-force 0193",
            "ardoise profile plan 0193 --canary 0761234A --percent 10 --percent 50",
            "ardoise profile draft socle.toml",
            "ardoise profile submit 0193 --reason september",
            "ardoise profile approve 0193 --seen 3f2a91c0 --code 123456",
            "ardoise profile publish 0193 --on 2027-09-01 --canary 0761234A --percent 10 --percent 50",
            "ardoise profile rollout 0193 roll-back --reason x",
            "ardoise profile emergency order 0193 --from 2027-03-16 --until 2027-04-14 --reason x",
            "ardoise organisation import colleges.csv",
            "ardoise organisation decide 0761234A --home-use allowed --charter 2026-09-15 --referent m.moreau",
            "ardoise school-year set --starts 2026-09-01 --ends 2027-08-31 --summer 2027-07-03 2027-08-31",
            "ardoise account invite marie.curie Marie --email marie.curie@example.fr",
            "ardoise account invite marie.curie Marie --on-this-machine --home /var/lib/ardoise",
            "ardoise role give lea.petit ati --colleges 0761234A,0767777B",
            "ardoise countersignature give 0193 --seen 3f2a91c0",
            "ardoise countersignature refuse 0193 --seen 3f2a91c0 --reason no",
        ] {
            Cli::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    /// The words of a line as a shell has them, as far as our pages go: quotes, a comment, a background job.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quoted = false;
        for letter in line.replace("$(date +%F)", "2026-11-23").chars() {
            match letter {
                '"' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                other => words.last_mut().unwrap().push(other),
            }
        }
        words.retain(|word| !word.is_empty());
        words.into_iter().take_while(|word| !["#", "&", "|"].contains(&word.as_str())).collect()
    }

    #[test]
    fn what_the_pages_show_can_be_typed() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let mut typed = 0;
        for page in ["README.md", "docs/operations.md"] {
            let text = std::fs::read_to_string(format!("{root}/{page}")).unwrap().replace("\\\n", " ");
            for line in text.lines().filter_map(|line| line.strip_prefix("$ ")) {
                let words = words(line);
                let Some(program) = words.iter().position(|word| !word.contains('=')) else { continue };
                if words[program] != "ardoise" {
                    continue;
                }
                Cli::try_parse_from(&words[program..])
                    .unwrap_or_else(|error| panic!("{page}: {line}\n{error}"));
                typed += 1;
            }
        }
        assert!(typed > 25, "only {typed} commands were found");
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for line in [
            "ardoise",
            "ardoise link create",
            "ardoise unenrol --reason nothing",
            "ardoise link create --tablet DMPXK1ABCD12 --uai 0761234A",
            "ardoise link create --uai 0761234A",
            "ardoise command send X DeviceLock --property-list a --parameters {}",
            "ardoise demo no-such-story",
            "ardoise demo first-day --tablets 0",
            "ardoise audit verify --on-this-machine --file log.jsonl",
            "ardoise profile lint",
            "ardoise profile diff a.toml",
            "ardoise countersignature give 0193",
            "ardoise countersignature refuse 0193 --seen 3f2a91c0",
            "ardoise school-year set --starts 2026-09-01",
            "ardoise list settle 0193",
            "ardoise person sign 0193 guardian-1 --on 2026-09-12",
            "ardoise person sign 0193 guardian-5 --on 2026-09-12 --reference x",
            "ardoise loan end 0193",
            "ardoise loan end 0193 --reason x --breach",
            "ardoise loan except DMPX00000001",
        ] {
            let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
