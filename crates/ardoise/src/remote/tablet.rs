//! `ardoise tablet`: each tablet with its enrolment, what it can do, what it reported.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::Connection;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet, table, text_at};

const EXAMPLES: &str = "\
  ardoise tablet list --uai 0761234A --state not-enrolled
  ardoise tablet show DMPXK1ABCD12
  ardoise tablet why DMPXK1ABCD12
  ardoise tablet rules DMPXK1ABCD12 --state unsupported
  ardoise tablet show DMPXK1ABCD12 --json | jq '.observations[] | select(.kind == \"ProfileList\")'";

/// What is done with tablets.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List tablets.
    List {
        /// Those for this collège.
        #[arg(long)]
        uai: Option<String>,
        /// Those that are in this state.
        #[arg(long, value_parser = ["not-enrolled", "enrolling", "enrolled"])]
        state: Option<String>,
        /// Those of this platform.
        #[arg(long, value_parser = ["ipad", "android"])]
        platform: Option<String>,
        /// Those whose serial number, asset tag or model holds this text.
        #[arg(long)]
        text: Option<String>,
        /// At most this many.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Say why a tablet does not come, or is not woken.
    Why {
        /// Its id or serial number.
        tablet: String,
        /// Say it in French.
        #[arg(long)]
        french: bool,
    },
    /// Show how each rule stands on a tablet: applied, requested, failed or unsupported, and why.
    Rules {
        /// Its id or serial number.
        tablet: String,
        /// Only those that stand so.
        #[arg(long, value_parser = ["applied", "requested", "failed", "unsupported"])]
        state: Option<String>,
    },
    /// Show how segments stand: the tablets that share the same layers, and to how many all was delivered.
    Segments,
    /// Show which rules tablets refuse, and how many of them.
    Failing,
    /// Show all that is known of one tablet.
    Show {
        /// Its id or serial number.
        tablet: String,
    },
}

const COLUMNS: &[Column] = &[
    ("serial", "/serial"),
    ("asset tag", "/asset_tag"),
    ("collège", "/uai"),
    ("state", "/state"),
    ("enrolled by", "/enrolment/kind"),
    ("supervision", "/enrolment/supervision"),
    ("system", "/enrolment/os_version"),
    ("last seen", "/last_seen_at"),
];

const FIELDS: &[Column] = &[
    ("serial", "/serial"),
    ("id", "/id"),
    ("asset tag", "/asset_tag"),
    ("model", "/model"),
    ("platform", "/platform"),
    ("collège", "/uai"),
    ("state", "/state"),
    ("last seen", "/last_seen_at"),
    ("enrolled by", "/enrolment/kind"),
    ("supervision", "/enrolment/supervision"),
    ("UDID", "/enrolment/udid"),
    ("product", "/enrolment/product_name"),
    ("system", "/enrolment/os_version"),
    ("build", "/enrolment/build_version"),
    ("push topic", "/enrolment/topic"),
    ("push token since", "/enrolment/token_updated_at"),
];

const WHY: &[Column] = &[
    ("waiting commands", "/waiting"),
    ("the first of them", "/command"),
    ("last seen", "/last_seen_at"),
    ("last pushed", "/pushed_at"),
    ("pushes without an answer", "/unanswered_pushes"),
    ("next push", "/next_push_at"),
];

const DELIVERY: &[Column] = &[
    ("segment", "/segment"),
    ("class", "/class"),
    ("delivered", "/delivered"),
    ("looked at again", "/due_at"),
];

const RULES: &[Column] =
    &[("rule", "/rule"), ("state", "/state"), ("why", "/why"), ("observed", "/observed_at")];

const SEGMENTS: &[Column] =
    &[("segment", "/id"), ("class", "/class"), ("tablets", "/tablets"), ("delivered", "/delivered")];

const FAILING: &[Column] = &[("rule", "/rule"), ("tablets that refuse it", "/tablets")];

const CAPABILITIES: &[Column] =
    &[("capability", "/name"), ("able", "/able"), ("why", "/why"), ("rule", "/rule")];

const OBSERVATIONS: &[Column] = &[("report", "/kind"), ("at", "/reported_at"), ("what", "/body")];

const ALARMS: &[Column] =
    &[("alarm", "/kind"), ("about", "/subject"), ("times", "/times"), ("last", "/last_raised_at")];

/// Lists or shows.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    match arguments.action {
        Action::List { uai, state, platform, text, limit } => {
            let filters = [("uai", &uai), ("state", &state), ("platform", &platform), ("text", &text)];
            let query: Vec<(&str, &str)> = filters
                .iter()
                .filter_map(|(name, value)| value.as_deref().map(|value| (*name, value)))
                .collect();
            let tablets = Value::Array(api.list(&["tablets"], &query, limit).await?);
            output.show(&tablets, || table(tablets.as_array().map_or(&[], Vec::as_slice), COLUMNS))
        }
        Action::Why { tablet, french } => {
            let why = api.get(&["tablets", &tablet, "why"]).await?;
            output.show(&why, || {
                let sentence = text_at(&why, if french { "/french" } else { "/english" });
                format!("{sentence}\n\n{}", sheet(&why, WHY))
            })
        }
        Action::Rules { tablet, state } => {
            let mut rules = api.get(&["tablets", &tablet, "rules"]).await?;
            if let (Some(state), Some(all)) = (state, rules.get_mut("rules").and_then(Value::as_array_mut)) {
                all.retain(|rule| rule.get("state").and_then(Value::as_str) == Some(state.as_str()));
            }
            output.show(&rules, || {
                let each = rules.get("rules").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                format!("{}\n\n{}", sheet(&rules, DELIVERY), table(each, RULES))
            })
        }
        Action::Segments => {
            let segments = Value::Array(api.list(&["segments"], &[], None).await?);
            output.show(&segments, || table(segments.as_array().map_or(&[], Vec::as_slice), SEGMENTS))
        }
        Action::Failing => {
            let failing = api.get(&["rules", "failing"]).await?;
            output.show(&failing, || table(failing.as_array().map_or(&[], Vec::as_slice), FAILING))
        }
        Action::Show { tablet } => {
            let detail = api.get(&["tablets", &tablet]).await?;
            output.show(&detail, || told(&detail))
        }
    }
}

fn told(detail: &Value) -> String {
    let part = |name: &str, columns: &[Column]| {
        let items = detail.get(name).and_then(Value::as_array).filter(|items| !items.is_empty())?;
        Some(table(items, columns))
    };
    let parts = [
        Some(sheet(detail, FIELDS)),
        part("capabilities", CAPABILITIES),
        part("observations", OBSERVATIONS),
        part("alarms", ALARMS),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}
