//! The inventory and its lists.

use super::fixture::{INVENTORY, OTHER, People, SERIAL, engines, named, now};
use crate::inventory::{self, Imported};
use crate::page::Page;
use crate::tablets::{self, Filter, Standing};
use crate::{Refusal, alarms};

#[tokio::test]
async fn an_import_creates_updates_and_leaves_alone() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        let before = people.tablet(SERIAL).await;
        let enrolment = people.enrol(SERIAL).await;

        let moved = INVENTORY.replace(
            "DMPXK1ABCD01,76-0001,iPad (9th generation),ipad,0761234A",
            "DMPXK1ABCD01,,,ipad,0769999C",
        );
        let imported =
            inventory::import(&people.fleet, &people.operator, moved.as_bytes(), now()).await.unwrap();
        assert_eq!(imported, Imported { created: 0, updated: 1, unchanged: 2 });

        let detail = tablets::show(&people.fleet, &people.operator, named(SERIAL), now()).await.unwrap();
        assert_eq!(detail.line.tablet.id, before);
        assert_eq!(detail.line.tablet.uai.unwrap().as_str(), "0769999C");
        assert_eq!(detail.line.tablet.asset_tag.as_deref(), Some("76-0001"));
        assert_eq!(detail.line.enrolment.unwrap().id, enrolment);
        assert_eq!(people.audit().await, ["inventory.import", "inventory.import"]);
    }
}

#[tokio::test]
async fn a_bad_line_leaves_nothing_half_done() {
    for engine in engines() {
        let people = People::new(engine).await;
        let file = format!("{INVENTORY}short,,,ipad,0761234A\nDMPXK1ABCD09,,,amiga,0761234A\n");
        let refusal =
            inventory::import(&people.fleet, &people.operator, file.as_bytes(), now()).await.unwrap_err();
        let Refusal::BadInventory(lines) = refusal else { panic!("{refusal}") };
        assert_eq!(lines.iter().map(|bad| bad.line).collect::<Vec<_>>(), [5, 6]);
        assert_eq!(people.count(Filter::default()).await, 0);
        assert!(people.audit().await.is_empty());
    }
}

#[tokio::test]
async fn an_enrolled_tablet_does_not_change_its_platform() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        people.enrol(SERIAL).await;
        let file = "serial,platform,uai\nDMPXK1ABCD77,ipad,0761234A\nDMPXK1ABCD01,android,0761234A\n";
        let refusal =
            inventory::import(&people.fleet, &people.operator, file.as_bytes(), now()).await.unwrap_err();
        assert!(matches!(&refusal, Refusal::Conflict(why) if why.contains(SERIAL)), "{refusal}");
        assert_eq!(people.count(Filter::default()).await, 3);
    }
}

#[tokio::test]
async fn a_list_shows_what_its_filter_admits() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        people.enrol(SERIAL).await;
        let cases = [
            (Filter::default(), 3),
            (Filter { uai: Some("0761234A".parse().unwrap()), ..Filter::default() }, 2),
            (Filter { platform: Some(types::Platform::Android), ..Filter::default() }, 1),
            (Filter { standing: Some(Standing::Enrolled), ..Filter::default() }, 1),
            (Filter { standing: Some(Standing::NotEnrolled), ..Filter::default() }, 2),
            (Filter { text: Some("76-000".into()), ..Filter::default() }, 3),
            (Filter { text: Some("galaxy".into()), ..Filter::default() }, 1),
            (Filter { text: Some("' OR 1=1 --".into()), ..Filter::default() }, 0),
        ];
        for (filter, expected) in cases {
            assert_eq!(people.count(filter.clone()).await, expected, "{filter:?}");
        }
    }
}

#[tokio::test]
async fn t_c22_every_tablet_stands_on_exactly_one_page() {
    for engine in engines() {
        let people = People::new(engine).await;
        let mut file = String::from("serial,platform,uai\n");
        for number in 0..57 {
            file.push_str(&format!("DMPXK2A{number:05},ipad,0761234A\n"));
        }
        inventory::import(&people.fleet, &people.operator, file.as_bytes(), now()).await.unwrap();
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let page = Page::read(after.as_deref(), Some(10)).unwrap();
            let listed =
                tablets::list(&people.fleet, &people.operator, Filter::default(), page, now()).await.unwrap();
            seen.extend(listed.items.into_iter().map(|line| line.tablet.serial));
            after = listed.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 57);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 57);
    }
}

#[tokio::test]
async fn a_tablet_shows_what_is_open_about_it_until_it_is_settled() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        let tablet = people.tablet(SERIAL).await;
        let raised = store::alarms::NewAlarm {
            kind: "management-removed".into(),
            about: None,
            tablet: Some(tablet),
            enrolment: None,
            detail: serde_json::json!({}),
        };
        people.fleet.store().write(move |tx| store::alarms::raise(tx, &raised, now())).await.unwrap();
        let shown = tablets::show(&people.fleet, &people.operator, named(SERIAL), now()).await.unwrap();
        assert_eq!(shown.alarms.len(), 1);
        assert!(
            tablets::show(&people.fleet, &people.operator, named(OTHER), now())
                .await
                .unwrap()
                .alarms
                .is_empty()
        );

        let id = shown.alarms[0].id;
        for _ in 0..2 {
            let note = Some("the family was called".to_owned());
            let settled = alarms::settle(&people.fleet, &people.operator, id, note, now()).await.unwrap();
            assert_eq!(settled.settled_at, Some(now()));
        }
        assert!(alarms::list(&people.fleet, &people.operator, None, now()).await.unwrap().is_empty());
        assert_eq!(people.audit().await, ["inventory.import", "alarm.settle"]);
    }
}
