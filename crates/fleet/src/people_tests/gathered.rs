//! Lists of repairs, transfers and departures are read by a number of statements that does not grow with their rows.

use std::ops::Range;

use lending::loan::Suspension;
use store::loans;
use store::repairs::{self, Repair, RepairState};
use store::tablets::{self, Tablet};
use store::transfers::{self, Transfer, TransferState};
use types::{Platform, RepairId, SerialNumber, TabletId, TransferId};

use super::fixture::{People, engines, now};
use crate::lending::departures::{self, decisions};
use crate::lending::{repairs as shown_repairs, transfers as shown_transfers};
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
