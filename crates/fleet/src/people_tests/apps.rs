//! The catalogue of apps: who may change it, what layers may name, how an upload goes.

use profiles::segment::AppItem;
use serde_json::json;
use store::apps::{App, AppUpdates};
use testkit::people::Employer;
use types::{AppId, Platform, Role, RuleId};

use super::fixture::{People, SERIAL, engines, now};
use crate::Refusal;
use crate::apps::configuration::{self, Configuration};
use crate::apps::delivery::{NotInstallable, install_body, managed_payload};
use crate::apps::{self, Changes, Known, NewApp, Origin, upload};
use crate::page::Page;

const CANTINE: &str = "fr.departement.cantine";

fn from_the_store(bundle: &str, number: &str) -> NewApp {
    NewApp {
        platform: Platform::Ipad,
        bundle: bundle.parse().unwrap(),
        name: "Pages".into(),
        origin: Origin::Store(Some(number.parse().unwrap())),
        updates: AppUpdates::Automatic,
        configuration: None,
    }
}

fn in_house(version: &str) -> NewApp {
    let origin = Origin::InHouse { version: version.into() };
    NewApp { name: "Cantine".into(), origin, ..from_the_store(CANTINE, "361309726") }
}

async fn added(people: &People, new: NewApp) -> App {
    apps::add(&people.fleet, &people.operator, new, now()).await.unwrap()
}

async fn uploaded(people: &People, id: AppId, content: &[u8]) -> Result<store::app_files::AppFile, Refusal> {
    let mut upload = upload::begin(&people.fleet, &people.operator, id, None, now()).await?;
    for piece in content.chunks(1_000) {
        upload.write(piece).await?;
    }
    upload.finish(now()).await
}

/// A collège's layer that names one app.
fn layer(named: &str) -> ::profiles::Layer {
    let text = format!(
        "layer = \"college\"\nuai = \"0761234A\"\ntitle = \"T\"\npurpose = \"P.\"\n[[app]]\nname = \"App\"\n{named}\n"
    );
    ::profiles::parse("layer", &text).unwrap()
}

/// What was decided of that app.
fn decided(named: &str) -> AppItem {
    let layer = layer(named);
    let (bundle, at) = layer.apps().iter().next().unwrap();
    AppItem::of(bundle, &at.value).unwrap()
}

/// Everything that a refusal says.
fn told(refusal: &Refusal) -> String {
    match refusal {
        Refusal::DoesNotFit(wrong) => wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        other => panic!("{other:?}"),
    }
}

fn left(people: &People) -> usize {
    let count = |part: &str| std::fs::read_dir(people.folder().join("shared").join(part)).unwrap().count();
    count("apps") + count("incoming") + count("leaving")
}

#[tokio::test]
async fn c3_1_4_only_the_departement_changes_the_catalogue_and_each_change_is_recorded() {
    for engine in engines() {
        let people = People::new(engine).await;
        let before = people.audit().await.len();
        let app = added(&people, from_the_store("com.apple.Pages", "361309726")).await;
        let changes = Changes { name: Some("Pages !".into()), ..Changes::default() };
        assert!(
            apps::configure(&people.fleet, &people.operator, app.id, changes.clone(), now()).await.unwrap()
        );
        assert!(!apps::configure(&people.fleet, &people.operator, app.id, changes, now()).await.unwrap());
        assert!(apps::withdraw(&people.fleet, &people.operator, app.id, None, now()).await.unwrap());
        assert!(!apps::withdraw(&people.fleet, &people.operator, app.id, None, now()).await.unwrap());
        assert_eq!(people.audit().await[before..], ["app.add", "app.configure", "app.withdraw"]);

        let college = Employer::College("0761234A".parse().unwrap());
        for (employer, login, role) in [
            (college, "head", Role::Head),
            (Employer::Academie, "theirs", Role::Administrator),
            (Employer::Departement, "approver", Role::Approver),
        ] {
            let (_id, somebody) = people.someone(employer, login, &[role]).await;
            let refused = apps::add(&people.fleet, &somebody, in_house("1"), now()).await;
            assert!(matches!(refused, Err(Refusal::NotAllowed(_))), "{login}");
            let listed = apps::list(&people.fleet, &somebody, true, Page::default(), now()).await.unwrap();
            assert_eq!(listed.items.len(), 1, "{login} looks");
            let listed = apps::list(&people.fleet, &somebody, false, Page::default(), now()).await.unwrap();
            assert!(listed.items.is_empty());
        }
    }
}

#[tokio::test]
async fn c3_1_2_a_layer_names_only_what_is_offered() {
    for engine in engines() {
        let people = People::new(engine).await;
        let app = added(&people, from_the_store("com.apple.Pages", "361309726")).await;
        let refused = |named: &'static str| {
            let store = people.fleet.store();
            let layer = layer(named);
            async move { store.read(move |tx| apps::require_known(tx, &layer)).await.err() }
        };
        assert!(refused("bundle = \"com.apple.Pages\"\nstore = \"361309726\"").await.is_none());
        assert!(refused("bundle = \"com.apple.camera\"\ninstall = \"present\"").await.is_none());
        for (named, why) in [
            ("bundle = \"com.apple.Numbers\"\nstore = \"361304891\"", "not in the catalogue"),
            ("bundle = \"com.apple.Pages\"\nstore = \"361304891\"", "under the number 361309726"),
        ] {
            let refusal = refused(named).await.unwrap();
            assert_eq!(refusal.rule(), Some(RuleId::C3_1_2));
            let told = told(&refusal);
            assert!(told.contains(why) && told.contains("(line 5)"), "{told}");
        }
        let again =
            apps::add(&people.fleet, &people.operator, from_the_store("com.apple.Pages", "1234567"), now());
        assert!(matches!(again.await, Err(Refusal::Conflict(_))));
        apps::withdraw(&people.fleet, &people.operator, app.id, Some("replaced".into()), now())
            .await
            .unwrap();
        let refusal = refused("bundle = \"com.apple.Pages\"\nstore = \"361309726\"").await.unwrap();
        assert!(told(&refusal).contains("withdrawn"), "{refusal}");
        let changes = Changes { name: Some("Other".into()), ..Changes::default() };
        let late = apps::configure(&people.fleet, &people.operator, app.id, changes, now()).await;
        assert!(matches!(late, Err(Refusal::Conflict(_))), "withdrawn for good");
        // Added anew, it is another app of the same name.
        let anew = added(&people, from_the_store("com.apple.Pages", "361309726")).await;
        let known = people
            .fleet
            .store()
            .read(|tx| apps::known(tx, Platform::Ipad, &"com.apple.Pages".parse().unwrap()))
            .await
            .unwrap();
        assert_eq!(known, Known::Offered(Box::new(anew)));
    }
}

#[tokio::test]
async fn t_c9_a_name_of_an_app_turns_no_line_around_and_an_origin_fits_its_platform() {
    let people = People::new(store::Engine::Sqlite).await;
    for name in ["", " Pages", "a\u{202e}b", "a\nb", &"x".repeat(65)] {
        let new = NewApp { name: name.into(), ..in_house("1") };
        let refused = apps::add(&people.fleet, &people.operator, new, now()).await;
        assert!(matches!(refused, Err(Refusal::Invalid { field: "name", .. })), "{name:?}");
    }
    for (platform, origin) in [
        (Platform::Ipad, Origin::Store(None)),
        (Platform::Android, Origin::Store(Some("361309726".parse().unwrap()))),
        (Platform::Ipad, Origin::InHouse { version: String::new() }),
        (Platform::Ipad, Origin::InHouse { version: "1 2".into() }),
    ] {
        let new = NewApp { platform, origin: origin.clone(), ..in_house("1") };
        let refused = apps::add(&people.fleet, &people.operator, new, now()).await;
        assert!(matches!(refused, Err(Refusal::Invalid { .. })), "{origin:?}");
    }
    let android = NewApp { platform: Platform::Android, origin: Origin::Store(None), ..in_house("1") };
    added(&people, android).await;
}

#[tokio::test]
async fn c3_1_4_an_upload_is_held_in_pieces_and_must_be_what_the_catalogue_says() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        let app = added(&people, in_house("2.4.1")).await;
        let enrolment = people.enrol(SERIAL).await;
        let named = format!("bundle = \"{CANTINE}\"\nfile = \"{}\"", "0".repeat(64));
        let body = install_body(&people.fleet, Some(&app), &decided(&named), enrolment, now());
        assert_eq!(body.unwrap_err(), NotInstallable::NoFile { bundle: CANTINE.into() });

        let long = vec![7; 3 << 20];
        let good = testkit::ipa(CANTINE, "2.4.1", &[(b"Payload/App.app/App", &long)]).unwrap();
        let mut upload = upload::begin(&people.fleet, &people.operator, app.id, None, now()).await.unwrap();
        let (mut pieces, mut most) = (0, 0);
        for piece in good.chunks(5_000) {
            upload.write(piece).await.unwrap();
            (pieces, most) = (pieces + 1, most.max(upload.held()));
        }
        assert!(pieces > 600 && most <= 512 << 10, "{pieces} pieces, {most} bytes held of {}", good.len());
        let file = upload.finish(now()).await.unwrap();
        assert_eq!(file.sha256, types::Digest::of(&good));
        assert_eq!(
            (file.bundle.as_str(), file.version.as_str(), file.build.as_deref()),
            (CANTINE, "2.4.1", Some("17"))
        );
        assert_eq!(left(&people), 1);

        for (content, why) in [
            (testkit::ipa("fr.other.app", "2.4.1", &[]).unwrap(), "identifier"),
            (testkit::ipa(CANTINE, "2.4.2", &[]).unwrap(), "version"),
            (testkit::ipa(CANTINE, "2.4.1", &[(b"../../x", b"")]).unwrap(), "leads out"),
            (b"no archive".to_vec(), "zip"),
            (vec![0; 9 << 20], "longer than"),
        ] {
            let refused = uploaded(&people, app.id, &content).await.unwrap_err();
            assert!(
                matches!(refused, Refusal::Invalid { field: "file", .. })
                    && refused.to_string().contains(why),
                "{refused}"
            );
            assert_eq!(left(&people), 1, "{why}: nothing is left");
        }
        let announced = upload::begin(&people.fleet, &people.operator, app.id, Some(9 << 20), now()).await;
        assert!(matches!(announced, Err(Refusal::Invalid { .. })), "refused before a byte of it");
        let shop = added(&people, from_the_store("com.apple.Pages", "361309726")).await;
        assert!(matches!(uploaded(&people, shop.id, &good).await, Err(Refusal::Conflict(_))));
    }
}

#[tokio::test]
async fn c3_1_4_an_app_is_installed_managed_with_its_settings_and_from_where_it_is() {
    let people = People::stocked(store::Engine::Sqlite).await;
    let enrolment = people.enrol(SERIAL).await;
    let settings = Configuration::new(json!({ "school": "0761234A" })).unwrap();
    let new = NewApp { configuration: Some(settings), ..from_the_store("com.apple.Pages", "361309726") };
    let app = added(&people, new).await;
    let digest = configuration::digest(&json!({ "school": "0761234A" }));
    let named = format!(
        "bundle = \"com.apple.Pages\"\nstore = \"361309726\"\nbackup = false\nsettings = \"{digest}\""
    );
    let body = install_body(&people.fleet, Some(&app), &decided(&named), enrolment, now()).unwrap();
    assert_eq!((body.itunes_store_id, body.management_flags), (Some(361_309_726), Some(5)));
    assert_eq!(body.change_management_state.as_deref(), Some("Managed"));
    assert_eq!(body.configuration.unwrap()["school"].as_string(), Some("0761234A"));
    assert_eq!((body.manifest_url, body.options.unwrap().purchase_method), (None, Some(1)));

    let own = added(&people, in_house("1")).await;
    let package = testkit::ipa(CANTINE, "1", &[]).unwrap();
    uploaded(&people, own.id, &package).await.unwrap();
    let (own, _file) = apps::show(&people.fleet, &people.operator, own.id, now()).await.unwrap();
    let file = |package: &[u8]| format!("bundle = \"{CANTINE}\"\nfile = \"{}\"", types::Digest::of(package));
    let wanted = decided(&file(&package));
    let body = install_body(&people.fleet, Some(&own), &wanted, enrolment, now()).unwrap();
    assert_eq!((body.itunes_store_id, body.management_flags), (None, Some(1)));
    let url = body.manifest_url.unwrap();
    assert!(url.starts_with("https://tablettes.example.fr/apps/"), "{url}");
    let shared = json!({ "InstallBehavior": { "Install": "Optional" }, "ManifestURL": "urn:sha256:x" });
    let payload = managed_payload(&people.fleet, Some(&own), &wanted, shared, enrolment, now()).unwrap();
    assert_eq!(payload["ManifestURL"], json!(url), "one instant gives one address");
    assert_eq!(payload["InstallBehavior"]["Install"], "Optional", "the rest is what was decided");

    // Nothing is given in the place of what was decided (C3.1.2).
    let other = install_body(&people.fleet, Some(&own), &decided(&file(b"another")), enrolment, now());
    assert!(
        matches!(other, Err(NotInstallable::OtherFile { given, .. }) if given == types::Digest::of(&package))
    );
    let from_the_shop = decided(&format!("bundle = \"{CANTINE}\"\nstore = \"361309726\""));
    let other = install_body(&people.fleet, Some(&own), &from_the_shop, enrolment, now());
    assert!(matches!(other, Err(NotInstallable::OtherFile { .. })), "{other:?}");
    let without_settings = decided("bundle = \"com.apple.Pages\"\nstore = \"361309726\"");
    let other = install_body(&people.fleet, Some(&app), &without_settings, enrolment, now()).unwrap_err();
    assert_eq!(
        other,
        NotInstallable::OtherSettings { bundle: "com.apple.Pages".into(), given: Some(digest) }
    );
    assert!(other.to_string().contains(&digest.to_string()), "it says what to write: {other}");
    let gone = install_body(&people.fleet, None, &wanted, enrolment, now()).unwrap_err();
    assert_eq!(gone, NotInstallable::Unknown { bundle: CANTINE.into() });
}

#[tokio::test]
async fn a_replaced_file_is_kept_for_a_while_and_then_swept() {
    use super::fixture::days;
    use crate::apps::sweep;

    for engine in engines() {
        let people = People::new(engine).await;
        let app = added(&people, in_house("1")).await;
        uploaded(&people, app.id, &testkit::ipa(CANTINE, "1", &[]).unwrap()).await.unwrap();
        let changes = Changes { version: Some("2".into()), ..Changes::default() };
        apps::configure(&people.fleet, &people.operator, app.id, changes, now()).await.unwrap();
        let second = uploaded(&people, app.id, &testkit::ipa(CANTINE, "2", &[]).unwrap()).await.unwrap();
        assert_eq!(left(&people), 2);
        people.let_files_age();
        let calendar = super::fixture::calendar();
        assert_eq!(sweep::run(&people.fleet, &calendar, now().plus(days(29))).await.unwrap(), 0);
        assert_eq!(sweep::run(&people.fleet, &calendar, now().plus(days(31))).await.unwrap(), 1);
        assert_eq!(left(&people), 1);
        assert_eq!(
            sweep::run(&people.fleet, &calendar, now().plus(days(500))).await.unwrap(),
            0,
            "it is given out"
        );
        let (_app, file) = apps::show(&people.fleet, &people.operator, app.id, now()).await.unwrap();
        assert_eq!(file.unwrap().sha256, second.sha256);
        apps::withdraw(&people.fleet, &people.operator, app.id, None, now()).await.unwrap();
        assert_eq!(sweep::run(&people.fleet, &calendar, now().plus(days(31))).await.unwrap(), 1);
        assert_eq!(left(&people), 0);
    }
}
