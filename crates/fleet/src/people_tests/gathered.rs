//! Lists of loans, restitutions, repairs, transfers and departures are read by a number of statements that does not grow with
//! their rows; and so is a class received.

use std::ops::Range;

use lending::loan::Suspension;
use privacy::Activity;
use store::loans;
use store::repairs::{self, Repair, RepairState};
use store::tablets::{self, Tablet};
use store::transfers::{self, Transfer, TransferState};
use testkit::people::Employer;
use types::{Platform, RepairId, Role, SerialNumber, TabletId, TransferId};

use super::fixture::{People, engines, now};
use crate::lending::departures::{self, decisions};
use crate::lending::restitutions::{Receipt, Scanned};
use crate::lending::{
    loans as shown_loans, orders, repairs as shown_repairs, restitutions, transfers as shown_transfers,
};
use crate::page::Page;
use crate::tablets::Named;

const HERE: &str = "0761234A";

fn serials(kind: &str, of: Range<u32>) -> Vec<SerialNumber> {
    of.map(|number| format!("DMP{kind}{number:08}").parse().unwrap()).collect()
}

async fn inventory(people: &People, serials: &[SerialNumber]) -> Vec<TabletId> {
    let named = serials.to_vec();
    let write = people.fleet.store().write(move |tx| {
        let mut ids = Vec::new();
        for serial in &named {
            let tablet = Tablet {
                id: TabletId::new(now()),
                serial: serial.clone(),
                asset_tag: None,
                model: None,
                platform: Platform::Ipad,
                uai: Some(HERE.parse().unwrap()),
                created_at: now(),
                updated_at: now(),
            };
            tablets::insert(tx, &tablet)?;
            ids.push(tablet.id);
        }
        Ok::<_, store::StoreError>(ids)
    });
    write.await.unwrap()
}

/// Of each kind of list so many rows: tablets in repair whose loans rest, tablets that are to move, tablets that leave.
async fn rows(people: &People, of: Range<u32>) {
    let (store, by) = (people.fleet.store(), people.camille);
    let broken = serials("R", of.clone());
    inventory(people, &broken).await;
    let lent = testkit::rows::lent(store, &broken, &HERE.parse().unwrap(), now()).await.unwrap();
    let moving = inventory(people, &serials("T", of.clone())).await;
    let write = store.write(move |tx| {
        for id in &lent {
            let loan = loans::get(tx, id)?.unwrap();
            let rests = loan.decided()?.suspend(Suspension::Repair).unwrap();
            loans::update(tx, &loan.standing(&rests, now()))?;
            let repair = Repair {
                id: RepairId::new(now()),
                tablet_id: loan.tablet_id,
                loan_id: Some(loan.id),
                loaner_loan_id: None,
                uai: loan.uai,
                reference: "SAV-118".parse().unwrap(),
                state: RepairState::AtSupplier,
                sent_at: now(),
                sent_by: by,
                closed_at: None,
                closed_by: None,
                exchanged_tablet_id: None,
                loan_rested: false,
            };
            repairs::insert(tx, &repair)?;
        }
        for tablet in &moving {
            let transfer = Transfer {
                id: TransferId::new(now()),
                tablet_id: *tablet,
                from_uai: HERE.parse().unwrap(),
                to_uai: "0765678B".parse().unwrap(),
                reason: "ouverture d’une classe".parse().unwrap(),
                state: TransferState::Proposed,
                proposed_at: now(),
                proposed_by: by,
                given_at: None,
                given_by: None,
                taken_at: None,
                taken_by: None,
                ended_at: None,
            };
            transfers::insert(tx, &transfer)?;
        }
        Ok::<_, store::StoreError>(())
    });
    write.await.unwrap();
    let leaving = serials("D", of);
    inventory(people, &leaving).await;
    for serial in leaving {
        let reason = "écran irréparable".parse().unwrap();
        decisions::retire(&people.fleet, &people.operator, Named::Serial(serial), reason, now())
            .await
            .unwrap();
    }
}

/// How many rows each list shows, and by how many statements.
async fn looked_at(people: &People) -> [(usize, u64); 3] {
    let (fleet, who, store) = (&people.fleet, &people.operator, people.fleet.store());
    let mut before = store.statements();
    let mut since = || {
        let all = store.statements();
        all - std::mem::replace(&mut before, all)
    };
    let page = || Page::read(None, None).unwrap();
    let repairs = shown_repairs::list(fleet, who, false, page(), now()).await.unwrap().items.len();
    let repairs = (repairs, since());
    let transfers =
        shown_transfers::list(fleet, who, false, Page::read(None, None).unwrap(), now()).await.unwrap();
    let transfers = (transfers.items.len(), since());
    let departures =
        departures::list(fleet, who, false, Page::read(None, None).unwrap(), now()).await.unwrap();
    [repairs, transfers, (departures.items.len(), since())]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_of_repairs_transfers_and_departures_take_as_many_statements_for_one_row_as_for_many() {
    for engine in engines() {
        let people = People::new(engine).await;
        rows(&people, 0..1).await;
        let one = looked_at(&people).await;
        assert_eq!(one.map(|(shown, _)| shown), [1; 3]);
        rows(&people, 1..7).await;
        let many = looked_at(&people).await;
        assert_eq!(many.map(|(shown, _)| shown), [7; 3]);
        assert_eq!(many.map(|(_, statements)| statements), one.map(|(_, statements)| statements));
    }
}

/// So many tablets of the inventory that are lent, and enrolled.
async fn lent(people: &People, serials: &[SerialNumber]) {
    let (store, college) = (people.fleet.store(), HERE.parse().unwrap());
    inventory(people, serials).await;
    testkit::rows::lent(store, serials, &college, now()).await.unwrap();
}

/// Receives tablets by what is written on them, and says by how many statements.
async fn received(people: &People, scanned: &[String], saved: bool) -> (Receipt, u64) {
    let scanned = scanned.iter().map(|tablet| Scanned {
        tablet: tablet.clone(),
        accessories: ["coque".to_owned()].into(),
        condition: "bon état".parse().unwrap(),
        saved,
    });
    let (store, scanned) = (people.fleet.store(), scanned.collect());
    let before = store.statements();
    let receipt = restitutions::receive(&people.fleet, &people.operator, scanned, now()).await.unwrap();
    (receipt, store.statements() - before)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_class_is_received_by_as_many_statements_as_one_tablet() {
    for engine in engines() {
        let people = People::new(engine).await;
        let (one, class) = (serials("A", 0..1), serials("B", 0..30));
        lent(&people, &one).await;
        lent(&people, &class).await;
        let named = |serials: &[SerialNumber]| serials.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (alone, statements) = received(&people, &named(&one), true).await;
        assert_eq!((alone.lines.len(), alone.counted, alone.held), (1, true, None));
        let (receipt, of_a_class) = received(&people, &named(&class), true).await;
        assert_eq!(receipt.lines.len(), 30);
        assert!(
            receipt.lines.iter().all(|(line, already)| !already && line.waits.why.code == "second-thoughts")
        );
        let order: Vec<String> = receipt.lines.iter().map(|(line, _)| line.serial.to_string()).collect();
        assert_eq!(order, named(&class), "in the order they were scanned");
        assert_eq!(of_a_class, statements, "{engine:?}");
        // Scanned again, one of them twice: nothing is received twice.
        let mut again = named(&class[..2]);
        again.push(class[0].to_string());
        let (again, _) = received(&people, &again, true).await;
        assert!(again.lines.iter().all(|(_, already)| *already));
        assert_eq!(again.lines[0].0.restitution.id, receipt.lines[0].0.restitution.id);
        assert_eq!(again.lines[2].0.restitution.id, receipt.lines[0].0.restitution.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_tablets_that_were_scanned_each_that_cannot_be_received_is_named_and_none_is_received() {
    for engine in engines() {
        let people = People::new(engine).await;
        let (class, idle) = (serials("B", 0..3), serials("I", 0..1));
        lent(&people, &class).await;
        inventory(&people, &idle).await;
        let scanned =
            [class[0].to_string(), idle[0].to_string(), "inconnue".to_owned(), class[1].to_string()];
        let scanned = scanned.map(|tablet| Scanned {
            tablet,
            accessories: [].into(),
            condition: "bon état".parse().unwrap(),
            saved: true,
        });
        let refused = restitutions::receive(&people.fleet, &people.operator, scanned.into(), now()).await;
        let Err(crate::Refusal::BadScans(bad)) = refused else { panic!("{refused:?}") };
        assert_eq!(bad.len(), 2, "{bad:?}");
        let page = Page::read(None, None).unwrap();
        let listed = restitutions::list(&people.fleet, &people.operator, false, page, now()).await.unwrap();
        assert_eq!(listed.items.len(), 0, "all of them, or none");
    }
}

/// How many rows the lists of loans and of restitutions show, and by how many statements.
async fn lending_looked_at(people: &People) -> [(usize, u64); 2] {
    let (fleet, who, store) = (&people.fleet, &people.operator, people.fleet.store());
    let before = store.statements();
    let wanted = shown_loans::Wanted { over: true, ..shown_loans::Wanted::default() };
    let loans = shown_loans::list(fleet, who, wanted, Page::read(None, None).unwrap(), now()).await.unwrap();
    let between = store.statements();
    let restitutions =
        restitutions::list(fleet, who, false, Page::read(None, None).unwrap(), now()).await.unwrap();
    let after = store.statements();
    [(loans.items.len(), between - before), (restitutions.items.len(), after - between)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_of_loans_and_restitutions_take_as_many_statements_for_one_row_as_for_many() {
    for engine in engines() {
        let people = People::new(engine).await;
        let (_, dpo) = people.someone(Employer::Departement, "dpo", &[Role::Dpo]).await;
        let entry = privacy::Entry::of(Activity::Lending, &store::declarations()).digest();
        crate::register::validate(&people.fleet, &dpo, Activity::Lending, entry, now()).await.unwrap();
        // Of each kind one: received and told nothing, and ordered by hand.
        let rows = async |of: Range<u32>| {
            let (waiting, ordered) = (serials("W", of.clone()), serials("O", of));
            lent(&people, &waiting).await;
            lent(&people, &ordered).await;
            for (serials, saved) in [(waiting, false), (ordered, true)] {
                let named: Vec<String> = serials.iter().map(ToString::to_string).collect();
                let (receipt, _) = received(&people, &named, saved).await;
                if saved {
                    for (line, _) in &receipt.lines {
                        let later = now().plus(types::Duration::from_secs(120));
                        let id = line.restitution.id;
                        orders::order(&people.fleet, &people.operator, id, later).await.unwrap();
                    }
                }
            }
        };
        rows(0..1).await;
        let one = lending_looked_at(&people).await;
        assert_eq!(one.map(|(shown, _)| shown), [2; 2]);
        rows(1..9).await;
        let many = lending_looked_at(&people).await;
        assert_eq!(many.map(|(shown, _)| shown), [18; 2]);
        assert_eq!(many.map(|(_, statements)| statements), one.map(|(_, statements)| statements));
    }
}
