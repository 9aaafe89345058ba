//! Two keys: what is on tablets is refused alone, approved by two organisations, and comes in waves to tablets of every age;
//! a collège adds and cannot loosen; what a pupil takes away is noticed and comes back (C3.1.1 to C3.1.3, C5.3.2, C5.3.7).

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use store::role_grants::GrantReach;
use testkit::people::{CodeShown, Employer};
use testkit::{Answer, ApiClient};
use tokio::time::{Instant, sleep};
use types::{AccountId, Clock as _, Day, Role, Uai};

use super::Figures;
use super::classroom::Classroom;
use super::departement::Departement;
use super::stage::{Stage, stopped};
use super::teller::Teller;
use crate::failure::Failure;
use crate::remote::Api;
use crate::table::text_at;

/// The first set of choices for lent tablets, and what may take its place for a while.
const BASE: &str = include_str!("../../../../profiles/socle.toml");
const EMERGENCY: &str = include_str!("../../../../profiles/urgence.toml");
/// What is on tablets is called so there.
const PROFILE: &str = "fr.ardoise.configuration.profile";
/// The rule that the second base adds, and the line that says it.
const ADDED: &str = "restrictions.allowScreenShot";
const ADDED_LINE: &str = "[restrictions]\nallowScreenShot = false\n";
/// The app that a collège adds.
const APP: &str = "org.geogebra.mathapps";
/// Systems and supervision: the tablets have them in turn.
const AGES: [(&str, bool); 12] = [
    ("15.0", false),
    ("27.0", true),
    ("17.0", true),
    ("26.4", false),
    ("15.8.3", true),
    ("18.4", true),
    ("16.7.10", true),
    ("17.2", true),
    ("26.1", true),
    ("16.0", false),
    ("18.7.2", true),
    ("27.0", false),
];
/// Requests to the API at the same time.
const AT_ONCE: usize = 8;
/// Between two looks at tablets that are waited for.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long tablets may take for what is new to them, beside a share for each.
const PATIENCE: Duration = Duration::from_secs(180);
const PATIENCE_PER_TABLET: Duration = Duration::from_millis(600);
const HOUR: types::Duration = types::Duration::from_secs(3_600);

/// Tells it.
pub(super) async fn tell(
    stage: &Stage,
    tablets: u64,
    teller: &mut Teller,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let story = Box::pin(Story::begin(stage, tablets, teller)).await?;
    let base = Box::pin(story.the_base(teller)).await?;
    Box::pin(story.in_waves(&base, teller, figures)).await?;
    Box::pin(story.a_college(teller)).await?;
    Box::pin(story.a_pupil(teller, figures)).await?;
    Box::pin(story.an_emergency(teller)).await?;

    teller.step("the evening");
    let delivered = story.settled(&story.all, tablets, |_rules| true).await?;
    teller.check("tablets that have all they are given", tablets, delivered);
    figures.set("delivered", delivered);
    Ok(())
}

/// The tablets, and the people around them.
struct Story<'s> {
    stage: &'s Stage,
    classroom: Classroom,
    /// Every serial number; those of the first collège; those of the other one.
    all: Vec<String>,
    first: Vec<String>,
    other: Vec<String>,
    college: Uai,
    author: AccountId,
    departement: AccountId,
    academie: AccountId,
    head: AccountId,
}

impl<'s> Story<'s> {
    async fn begin(stage: &'s Stage, tablets: u64, teller: &mut Teller) -> Result<Self, Failure> {
        teller
            .step(&format!("{tablets} tablets of iPadOS 15 to 27, supervised or not, enrol in two collèges"));
        let departement = Departement::of(tablets);
        departement.import(stage.api()).await?;
        let links = departement.links(stage.api()).await?;
        let built = |number: usize, serial: &str| {
            let (version, supervised) = AGES.get(number % AGES.len()).copied().unwrap_or(("27.0", true));
            stage
                .server()
                .ipad(serial)
                .system(version, "21A000")
                .supervised(supervised)
                .build()
                .map_err(stopped)
        };
        let classroom = Box::pin(Classroom::enrol(stage, &departement, &links, built, || {})).await?;
        classroom.problems().iter().take(5).for_each(|problem| teller.tell(problem));
        let listed = stage.api().list(&["tablets"], &[("state", "enrolled")], None).await?;
        teller.check("tablets enrolled", tablets, count(listed.iter()));
        let systems: BTreeSet<String> =
            listed.iter().map(|tablet| text_at(tablet, "/enrolment/os_version")).collect();
        let expected =
            BTreeSet::from_iter(AGES.iter().take(departement.serials().len()).map(|(version, _)| version));
        teller.check("different systems", count(expected.iter()), count(systems.iter()));

        let server = stage.server();
        let (uai, first) = departement.first();
        let college: Uai = uai.parse().map_err(stopped)?;
        let somebody = async |employer: Employer, login: &str, role: Role| {
            server.someone(employer, login, role, GrantReach::Organisation).await.map_err(stopped)
        };
        let all = departement.serials();
        Ok(Self {
            stage,
            classroom,
            other: all.iter().filter(|serial| !first.contains(serial)).cloned().collect(),
            first: first.to_vec(),
            all,
            author: server.operator().map_err(stopped)?,
            departement: somebody(Employer::Departement, "denis", Role::Approver).await?,
            academie: somebody(Employer::Academie, "anne", Role::Approver).await?,
            head: somebody(Employer::College(college.clone()), "helene", Role::Head).await?,
            college,
        })
    }

    /// Refused alone, approved by two, published: the base comes to every tablet.
    async fn the_base(&self, teller: &mut Teller) -> Result<String, Failure> {
        let tablets = count(self.all.iter());
        teller.step(
            "one person wants a profile on a tablet: by a command, then by a base of their own (C3.1.1)",
        );
        let author = self.session(self.author).await?;
        let queue = format!("/api/v1/tablets/{}/commands", self.all.first().map_or("", String::as_str));
        let removal = json!({ "request_type": "RemoveProfile", "parameters": { "Identifier": PROFILE } });
        for (what, command) in [
            ("RemoveProfile, as a command", removal),
            (
                "an app, as a command",
                json!({ "request_type": "InstallApplication", "parameters": { "Identifier": APP } }),
            ),
        ] {
            let refused = post(&author, &queue, &command).await?;
            teller.check(what, "C3.1.1", refused.text("/rule"));
        }
        offer(&author, BASE).await?;
        let made = post(&author, "/api/v1/profiles", &json!({ "text": BASE })).await?;
        teller.check("the draft", "draft", made.text("/state"));
        let id = made.text("/id").to_owned();
        let early = step(&author, &id, "publish", &json!({})).await?;
        teller.check("publish a draft", 409, early.status);
        let version = submitted(&author, &id).await?;
        let own = approve(&author, &version).await?;
        teller.check("approve it oneself", "C3.1.1", own.text("/rule"));

        teller.step("the département approves, then the académie: exactly the text that they looked at");
        let denis = self.session(self.departement).await?;
        let another = json!({ "text_sha256": "0".repeat(64) });
        teller.check("approve another text", 409, step(&denis, &id, "approve", &another).await?.status);
        let once = approve(&denis, &version).await?;
        teller.check("with one approval", "submitted", once.text("/state"));
        teller.check(
            "publish with one approval",
            409,
            step(&author, &id, "publish", &json!({})).await?.status,
        );
        teller.check("approve twice for one organisation", 409, approve(&denis, &version).await?.status);
        let twice = approve(&self.session(self.academie).await?, &version).await?;
        teller.check("with both", "approved", twice.text("/state"));
        let plan = get(&author, &format!("/api/v1/profiles/{id}/plan")).await?;
        teller.check("tablets that the plan says will change", tablets, number(&plan, "/tablets"));
        teller.check("tablets that were given anything before", 0, self.having("/segment").await?);

        teller.step("it is published: each tablet gets what it can, and the rest says why not");
        let published = step(&author, &id, "publish", &json!({})).await?;
        teller.check("the base", "published", published.text("/state"));
        let delivered = self.settled(&self.all, tablets, |_rules| true).await?;
        teller.check("tablets that have all they are given", tablets, delivered);
        let shown = self.rules(&self.all).await?;
        let failed = shown.iter().flat_map(rules_of).filter(|rule| text_at(rule, "/state") == "failed");
        teller.check("rules that failed", 0, count(failed));
        let unsupported: Vec<&Value> =
            shown.iter().flat_map(rules_of).filter(|rule| text_at(rule, "/state") == "unsupported").collect();
        let explained = unsupported.iter().filter(|rule| !text_at(rule, "/why").is_empty());
        teller.check(
            "rules that a tablet cannot follow, with a reason",
            count(unsupported.iter()),
            count(explained),
        );
        let applied =
            |rules: &Value| count(rules_of(rules).iter().filter(|rule| text_at(rule, "/state") == "applied"));
        let least = shown.iter().map(applied).min().unwrap_or(0);
        teller.check("iPadOS 15 without supervision has some rules, too", true, least > 10);
        Ok(id)
    }

    /// A stricter base comes in three waves: a collège that agreed to be the first, half of all tablets, everyone.
    async fn in_waves(&self, base: &str, teller: &mut Teller, figures: &mut Figures) -> Result<(), Failure> {
        teller.step(
            "the base changes by one line, and comes in waves: a collège, half of all tablets, everyone",
        );
        let author = self.session(self.author).await?;
        let text = BASE.replacen("[restrictions]\n", ADDED_LINE, 1);
        let edited = author.put(&format!("/api/v1/profiles/{base}"), &json!({ "text": text })).await;
        let id = edited.map_err(stopped)?.text("/id").to_owned();
        self.decided(&author, &id).await?;
        let diff = get(&author, &format!("/api/v1/profiles/{id}/diff")).await?;
        teller.check("lines that differ", 1, items(&diff, "/changes").len());
        teller.check("which way", "stricter", &text_at(&diff, "/changes/0/direction"));
        let waves = json!({ "colleges": [self.college], "percents": [50], "hours_between": 2 });
        step(&author, &id, "publish", &json!({ "waves": waves })).await?.ok().map_err(stopped)?;
        let progress = async || get(&author, &format!("/api/v1/profiles/{id}/rollout")).await;
        let (first, other) = (count(self.first.iter()), count(self.other.iter()));
        let shown = progress().await?;
        teller.check("tablets of the first wave", first, number(&shown, "/reached"));
        teller.check("tablets that wait", other, number(&shown, "/waiting"));
        let has = |rules: &Value| stands(rules, ADDED) == Some("applied");
        teller.check(
            "first wave: tablets that told that it is so",
            first,
            self.settled(&self.first, first, has).await?,
        );
        teller.check("tablets of the other collège that have it", 0, self.with(&self.other, has).await?);

        let moved = step(&author, &id, "rollout/advance", &json!({})).await?.ok().map_err(stopped)?;
        let reached = number(&moved, "/reached");
        let told = self.settled(&self.all, reached, has).await?;
        teller.check("second wave: tablets that told that it is so", reached, told);

        teller.tell("two hours later, the calendar begins the last wave");
        self.stage.server().advance(HOUR + HOUR + HOUR);
        let author = self.session(self.author).await?;
        let path = format!("/api/v1/profiles/{id}/rollout");
        // The draw of the second wave may have been everyone: what tablets tell does not say that the last one began.
        let state = self
            .seen_at_last(&"done".to_owned(), async || Ok(text_at(&get(&author, &path).await?, "/state")))
            .await?;
        teller.check("the roll-out", "done", &state);
        let all = count(self.all.iter());
        teller.check(
            "last wave: tablets that told that it is so",
            all,
            self.settled(&self.all, all, has).await?,
        );
        figures.set("waves", count(items(&get(&author, &path).await?, "/waves").iter()));
        Ok(())
    }

    /// What a head adds is theirs to decide; what a head loosens is not.
    async fn a_college(&self, teller: &mut Teller) -> Result<(), Failure> {
        teller.step("a collège loosens a rule, and is told which line; it adds an app, and has it (C3.1.3)");
        let head = self.session(self.head).await?;
        let frame = format!(
            "layer = \"college\"\nuai = \"{}\"\ntitle = \"Collège\"\npurpose = \"Des maths.\"\n",
            self.college
        );
        let looser = json!({ "text": format!("{frame}\n[restrictions]\nallowScreenShot = true\n") });
        let refused = post(&head, "/api/v1/profiles", &looser).await?;
        teller.check("the rule that refuses it", "C3.1.3", refused.text("/rule"));
        teller.check("the line", 6, number(&refused.body, "/lines/0/line"));
        let app =
            format!("{frame}[[app]]\nbundle = \"{APP}\"\nname = \"GeoGebra\"\nstore = \"1146717204\"\n");
        offer(&self.session(self.author).await?, &app).await?;
        let made = post(&head, "/api/v1/profiles", &json!({ "text": app })).await?;
        let id = made.text("/id").to_owned();
        let version = submitted(&head, &id).await?;
        teller.check("decided by the head alone", "approved", &text_at(&version, "/state"));
        let published = step(&head, &id, "publish", &json!({})).await?;
        teller.check("the addition", "published", published.text("/state"));
        let name = format!("app {APP}");
        let has = |rules: &Value| stands(rules, &name).is_some_and(|state| state != "failed");
        let first = count(self.first.iter());
        teller.check(
            "tablets of the collège that have it",
            first,
            self.settled(&self.first, first, has).await?,
        );
        teller.check("tablets of the other collège that have it", 0, self.with(&self.other, has).await?);
        let keeps = |rules: &Value| stands(rules, ADDED) == Some("applied");
        teller.check(
            "tablets of the collège that keep the base",
            first,
            self.with(&self.first, keeps).await?,
        );
        Ok(())
    }

    /// Where the tablet lets its user remove a profile, it is noticed.
    async fn a_pupil(&self, teller: &mut Teller, figures: &mut Figures) -> Result<(), Failure> {
        teller.step(
            "pupils remove the profile of their tablets: supervision forbids it, or it is noticed (C5.3.2)",
        );
        let removed = async || {
            let alarms = self.stage.api().list(&["alarms"], &[], None).await?;
            Ok::<_, Failure>(count(
                alarms.iter().filter(|alarm| text_at(alarm, "/kind") == "profile-removed"),
            ))
        };
        teller.check("alarms before", 0, removed().await?);
        for (serial, (_version, supervised)) in self.all.iter().zip(AGES).take(2) {
            let went = self.classroom.remove_by_hand(serial, PROFILE).await?;
            let what =
                if supervised { "from a supervised tablet" } else { "from one that is not supervised" };
            teller.check(
                what,
                if supervised { "stays" } else { "went" },
                if went { "went" } else { "stays" },
            );
        }
        teller.tell("a day later, each tablet is asked what is on it");
        self.stage.server().advance(types::Duration::from_secs(90_000));
        let alarms = self.seen_at_last(&1, removed).await?;
        teller.check("alarms after", 1, alarms);
        figures.set("alarms", alarms);
        let all = count(self.all.iter());
        let has = |rules: &Value| stands(rules, ADDED) == Some("applied");
        teller.check("tablets that have it, again or still", all, self.settled(&self.all, all, has).await?);
        Ok(())
    }

    /// A base that both organisations prepared takes the place of theirs, by a head's order, and goes again.
    async fn an_emergency(&self, teller: &mut Teller) -> Result<(), Failure> {
        teller.step(
            "the collège must close: its head orders the emergency base that both had prepared (C5.3.7)",
        );
        let author = self.session(self.author).await?;
        let made = post(&author, "/api/v1/profiles", &json!({ "text": EMERGENCY })).await?;
        let id = made.text("/id").to_owned();
        self.decided(&author, &id).await?;
        step(&author, &id, "publish", &json!({})).await?.ok().map_err(stopped)?;
        let head = self.session(self.head).await?;
        let today = Day::of(self.stage.server().clock().now());
        let order = |days: i32| {
            json!({ "base": id, "colleges": [self.college], "reason": "inondation",
                "starts_on": today.to_string(), "ends_on": today.plus(days).to_string() })
        };
        let long = post(&head, "/api/v1/emergency-orders", &order(31)).await?;
        teller.check("an order for a month and a day", "C5.3.7", long.text("/rule"));
        let given = post(&head, "/api/v1/emergency-orders", &order(6)).await?.ok().map_err(stopped)?;
        teller.check(
            "an order for a week is in force",
            "true",
            &given.get("in_force").map(ToString::to_string).unwrap_or_default(),
        );
        let (first, other) = (count(self.first.iter()), count(self.other.iter()));
        let without = |rules: &Value| stands(rules, ADDED).is_none();
        let has = |rules: &Value| stands(rules, ADDED) == Some("applied");
        teller.check(
            "tablets of the collège that it loosens",
            first,
            self.settled(&self.first, first, without).await?,
        );
        teller.check(
            "tablets of the other collège that keep the base",
            other,
            self.with(&self.other, has).await?,
        );
        let end = format!("/api/v1/emergency-orders/{}/end", text_at(&given, "/id"));
        post(&head, &end, &json!({ "reason": "l’eau s’est retirée" })).await?.ok().map_err(stopped)?;
        teller.check("tablets that have the base again", first, self.settled(&self.first, first, has).await?);
        Ok(())
    }

    /// Submitted by its author and approved by both.
    async fn decided(&self, author: &ApiClient, id: &str) -> Result<(), Failure> {
        let version = submitted(author, id).await?;
        for approver in [self.departement, self.academie] {
            let approver = self.session(approver).await?;
            approve(&approver, &version).await?.ok().map_err(stopped)?;
        }
        Ok(())
    }

    /// Somebody's session, in which a code was just shown: the clock moves, and sessions end.
    async fn session(&self, account: AccountId) -> Result<ApiClient, Failure> {
        self.stage.server().in_session(account, CodeShown::JustNow).await.map_err(stopped)
    }

    async fn rules(&self, serials: &[String]) -> Result<Vec<Value>, Failure> {
        every_rules(self.stage.api(), serials).await
    }

    /// How many tablets have something at that place of what is shown of their rules.
    async fn having(&self, pointer: &str) -> Result<u64, Failure> {
        let shown = self.rules(&self.all).await?;
        Ok(count(shown.iter().filter(|rules| rules.pointer(pointer).is_some_and(|it| !it.is_null()))))
    }

    /// How many of these tablets are so.
    async fn with(&self, serials: &[String], so: impl Fn(&Value) -> bool) -> Result<u64, Failure> {
        Ok(count(self.rules(serials).await?.iter().filter(|rules| so(rules))))
    }

    /// How many of these tablets have all they are given and are so: once so many are, or patience ends.
    async fn settled(
        &self,
        serials: &[String],
        expected: u64,
        so: impl Fn(&Value) -> bool,
    ) -> Result<u64, Failure> {
        let so = &so;
        let settled =
            move |rules: &Value| rules.pointer("/delivered") == Some(&Value::Bool(true)) && so(rules);
        self.seen_at_last(&expected, async || self.with(serials, settled).await).await
    }

    /// What is seen once it is what is expected, or when patience ends.
    async fn seen_at_last<T: PartialEq>(
        &self,
        expected: &T,
        look: impl AsyncFn() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let deadline = Instant::now() + patience(self.all.len());
        loop {
            let seen = look().await?;
            if seen == *expected || Instant::now() >= deadline {
                return Ok(seen);
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

async fn every_rules(api: &Api, serials: &[String]) -> Result<Vec<Value>, Failure> {
    stream::iter(serials)
        .map(|serial| async move { api.get(&["tablets", serial, "rules"]).await })
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

fn patience(tablets: usize) -> Duration {
    PATIENCE + PATIENCE_PER_TABLET.saturating_mul(u32::try_from(tablets).unwrap_or(u32::MAX))
}

/// Adds the apps that a layer names to the catalogue: layers name no others (C3.1.2).
async fn offer(author: &ApiClient, text: &str) -> Result<(), Failure> {
    let layer = profiles::parse("layer", text)
        .map_err(|problems| Failure::Story(problems.first().map(ToString::to_string).unwrap_or_default()))?;
    for (bundle, at) in layer.apps() {
        let Some(profiles::parts::AppOrigin::Store(number)) = &at.value.origin else { continue };
        let new = json!({
            "platform": "ipad", "bundle": bundle.to_string(), "name": at.value.name, "source": "store",
            "store_number": number.to_string(),
        });
        post(author, "/api/v1/apps", &new).await?.ok().map_err(stopped)?;
    }
    Ok(())
}

async fn post(client: &ApiClient, path: &str, body: &Value) -> Result<Answer, Failure> {
    client.post(path, body).await.map_err(stopped)
}

async fn get(client: &ApiClient, path: &str) -> Result<Value, Failure> {
    client.get(path).await.map_err(stopped)?.ok().map_err(stopped)
}

async fn step(client: &ApiClient, id: &str, name: &str, body: &Value) -> Result<Answer, Failure> {
    post(client, &format!("/api/v1/profiles/{id}/{name}"), body).await
}

async fn submitted(author: &ApiClient, id: &str) -> Result<Value, Failure> {
    step(author, id, "submit", &json!({ "reason": "pour la rentrée" })).await?.ok().map_err(stopped)
}

async fn approve(by: &ApiClient, version: &Value) -> Result<Answer, Failure> {
    let seen = json!({ "text_sha256": text_at(version, "/text_sha256") });
    step(by, &text_at(version, "/id"), "approve", &seen).await
}

/// How a rule stands on a tablet, if it is one of its rules.
fn stands<'v>(rules: &'v Value, name: &str) -> Option<&'v str> {
    let rule = rules_of(rules).iter().find(|rule| rule["rule"] == name)?;
    rule.get("state").and_then(Value::as_str)
}

fn rules_of(rules: &Value) -> &[Value] {
    items(rules, "/rules")
}

fn items<'v>(document: &'v Value, pointer: &str) -> &'v [Value] {
    document.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn number(document: &Value, pointer: &str) -> u64 {
    document.pointer(pointer).and_then(Value::as_u64).unwrap_or(u64::MAX)
}

fn count(items: impl Iterator) -> u64 {
    u64::try_from(items.count()).unwrap_or(u64::MAX)
}
