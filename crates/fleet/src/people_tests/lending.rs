//! Two whole school years, night after night: what the calendar does to loans by itself (C5.2.2, C5.2.3).

use std::collections::BTreeMap;

use store::persons::Person;
use store::tablets::Tablet;
use store::{StoreError, loans, persons, restitutions};
use types::{Day, Duration, Instant, LoanId, Platform, SerialNumber, TabletId};

use super::fixture::{People, calendar, engines, now};
use crate::lending::{calendar as nights, orders};

/// Last days of attendance: around both changes of the clock, the leap day, the turn of a year, and on the summer's first day.
const LAST_DAYS: [&str; 14] = [
    "2026-10-24",
    "2026-10-25",
    "2026-10-26",
    "2026-12-31",
    "2027-03-27",
    "2027-03-28",
    "2027-07-04",
    "2027-07-05",
    "2027-08-31",
    "2028-02-28",
    "2028-02-29",
    "2028-03-01",
    "2028-03-26",
    "2028-08-31",
];

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// A collège in which a pupil leaves on each of these days, and one stays.
async fn school(people: &People) -> BTreeMap<LoanId, Option<Day>> {
    let leaving: Vec<Option<Day>> = LAST_DAYS.iter().map(|text| Some(day(text))).chain([None]).collect();
    let serials: Vec<SerialNumber> =
        (0..leaving.len()).map(|number| format!("DMPX{number:08}").parse().unwrap()).collect();
    let (store, named) = (people.fleet.store(), serials.clone());
    store
        .write(move |tx| {
            named.iter().try_for_each(|serial| {
                let tablet = Tablet {
                    id: TabletId::new(now()),
                    serial: serial.clone(),
                    asset_tag: None,
                    model: None,
                    platform: Platform::Ipad,
                    uai: Some("0761234A".parse().unwrap()),
                    created_at: now(),
                    updated_at: now(),
                };
                store::tablets::insert(tx, &tablet)
            })
        })
        .await
        .unwrap();
    let lent = testkit::rows::lent(store, &serials, &"0761234A".parse().unwrap(), now()).await.unwrap();
    let dated: BTreeMap<LoanId, Option<Day>> = lent.into_iter().zip(leaving).collect();
    let rows = dated.clone();
    store
        .write(move |tx| {
            for (loan, leaves_on) in &rows {
                let loan = loans::get(tx, loan)?.unwrap();
                let person = persons::get(tx, &loan.person_id)?.unwrap();
                assert!(persons::update(tx, &Person { leaves_on: *leaves_on, ..person })?);
            }
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    dated
}

async fn ended(people: &People, of: &BTreeMap<LoanId, Option<Day>>) -> BTreeMap<LoanId, Option<Instant>> {
    let ids: Vec<LoanId> = of.keys().copied().collect();
    let rows = people.fleet.store().read(move |tx| {
        ids.iter().map(|id| Ok((*id, loans::get(tx, id)?.unwrap()))).collect::<Result<Vec<_>, StoreError>>()
    });
    let over = |row: loans::Loan| (row.state == loans::Standing::Ended).then_some(row.changed_at);
    rows.await.unwrap().into_iter().map(|(id, row)| (id, over(row))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c5_2_3_over_two_school_years_each_loan_ends_after_its_last_day_once_and_nothing_is_erased() {
    for engine in engines() {
        let people = People::new(engine).await;
        let dated = school(&people).await;
        let (mut today, last) = (Day::of(now()).plus(1), day("2028-09-02"));
        let mut over = 0;
        while today <= last {
            let leavers = dated.values().flatten().filter(|leaves_on| leaves_on.plus(1) == today).count();
            let midnight = today.starts_at();
            let a_moment_before = midnight.minus(Duration::from_millis(1));
            let early = nights::end_of_attendance(&people.fleet, &calendar(), a_moment_before).await.unwrap();
            assert_eq!(early, 0, "{today}: the last day is not over yet");
            let first = nights::end_of_attendance(&people.fleet, &calendar(), midnight).await.unwrap();
            assert_eq!(first, leavers, "{today}");
            over += first;
            if leavers > 0 {
                let noon = midnight.plus(Duration::from_secs(12 * 3_600));
                let again = nights::end_of_attendance(&people.fleet, &calendar(), noon).await.unwrap();
                assert_eq!(again, 0, "{today}: once");
                assert_eq!(orders::give_due(&people.fleet, &calendar(), noon).await.unwrap(), 0);
                assert_eq!(orders::end_past(&people.fleet, &calendar(), noon).await.unwrap(), 0);
            }
            today = today.plus(1);
        }
        assert_eq!(over, LAST_DAYS.len());
        for (loan, at) in ended(&people, &dated).await {
            assert_eq!(at, dated[&loan].map(Day::ends_at), "since the end of its last day");
        }
        let log = people.audit().await;
        assert_eq!(log.iter().filter(|action| *action == "loan.end").count(), LAST_DAYS.len());
        let received = people
            .fleet
            .store()
            .read(|tx| restitutions::list(tx, &store::Within::Everything, false, None, 10));
        assert_eq!(received.await.unwrap(), Vec::new(), "a deadline receives nothing, and erases nothing");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c5_2_3_a_calendar_that_stood_still_for_two_years_catches_up_with_the_right_days() {
    for engine in engines() {
        let people = People::new(engine).await;
        let dated = school(&people).await;
        let late = day("2028-09-02").starts_at();
        let nobody = nights::end_of_attendance(&people.fleet, &people.operator, late).await;
        assert!(nobody.is_err(), "the calendar alone");
        let all = nights::end_of_attendance(&people.fleet, &calendar(), late).await.unwrap();
        assert_eq!(all, LAST_DAYS.len());
        for (loan, at) in ended(&people, &dated).await {
            assert_eq!(at, dated[&loan].map(Day::ends_at));
        }
    }
}
