//! What each queueable thing rests on: its order, its tablet, and what is stored of it.
#![expect(clippy::disallowed_methods, reason = "tests make up the facts of rows")]

use apple::command::{Command, RequestType};
use incidents::papers::{AuthorityReference, Papers};
use incidents::{
    Asking, Basis, Declarant, Hands, Incident, IncidentState, Limits, OpenIncident, Petition,
    RecordedIncident, RecordedWarrant, Request, SecondPerson,
};
use lending::notice::Told;
use lending::restitution::Restitution;
use lending::{EnrolmentEnd, EraseOrder, EraseTerms, Grounds, Present, RecordedEnd, RecordedOrder};
use types::{
    AccountId, EnrolmentEndId, EnrolmentId, EraseOrderId, IncidentId, IncidentKind, Instant, LoanId,
    RestitutionId, TabletId, ValidationId, WarrantId,
};

use crate::{EnrolmentProfile, Gate, NotOnTheAgent, Order, Ordinary, Queueable};

fn now() -> Instant {
    Instant::from_millis(1_790_000_000_000)
}

fn incident(tablet: TabletId) -> Incident {
    Incident {
        id: IncidentId::new(now()),
        tablet,
        college: "0761234A".parse().unwrap(),
        kind: IncidentKind::AuthorityRequest,
        noticed_at: now(),
        opened_at: now(),
        reopens: None,
        declared_at: now(),
        declarant: Declarant(AccountId::new(now())),
        state: IncidentState::Declared,
        papers: Papers { authority: AuthorityReference::new("TJ Rouen 2026/112"), ..Papers::default() },
    }
}

fn recorded(incident: &Incident) -> RecordedIncident {
    RecordedIncident::from_row(
        incident.id,
        incident.tablet,
        incident.kind,
        incident.state,
        now(),
        Hands::NOBODYS,
    )
}

fn open(incident: &Incident) -> OpenIncident {
    OpenIncident::read_back(&recorded(incident), incident.tablet, now()).unwrap()
}

fn locate(incident: &Incident, warrant: WarrantId) -> Queueable {
    let validation = Some(ValidationId::new(now()));
    let request = Request {
        author: AccountId::new(now()),
        reason: "seen near the station".to_owned(),
        asked: Limits::default().usual(),
    };
    let petition = Petition {
        incident,
        hands: &Hands::NOBODYS,
        request: &request,
        second: &SecondPerson::Operator { account: AccountId::new(now()) },
        validation,
        last: None,
        limits: &Limits::default(),
    };
    let row = RecordedWarrant::from_row(warrant, &petition.grant(now()).unwrap(), None);
    let basis = Basis { warrant: &row, incident: &recorded(incident), validation, tablet: incident.tablet };
    Queueable::Locate(basis.to_ask(Asking::default(), now()).unwrap())
}

fn erase(tablet: TabletId, order: EraseOrderId) -> Queueable {
    let (restitution, loan) = (RestitutionId::new(now()), LoanId::new(now()));
    let receipt = Restitution::receive(restitution, tablet, loan, now()).ordered(order).unwrap();
    let told = Told { notices: Vec::new(), saved_at: Some(now()) };
    let row = RecordedOrder::from_row(
        order,
        (tablet, None),
        lending::Cause::Restitution { restitution, loan },
        true,
        (now(), now().plus(types::Duration::from_secs(60))),
    );
    let present = Present { tablet, enrolment: None, loan: None, holds: Vec::new() };
    let grounds = Grounds::Restitution(&receipt, &told);
    let terms = EraseTerms::default();
    Queueable::Erase(EraseOrder::read_back(&row, &grounds, &present, &terms, now()).unwrap())
}

fn unenrol(tablet: TabletId, end: EnrolmentEndId) -> Queueable {
    let enrolment = EnrolmentId::new(now());
    let row = RecordedEnd::from_row(end, enrolment, tablet, now());
    Queueable::Unenrol(EnrolmentEnd::read_back(&row, enrolment, now()).unwrap())
}

fn ordinary(kind: RequestType) -> Ordinary {
    let command = Command::from_dictionary(kind, &apple::plist::Dictionary::new()).unwrap();
    Ordinary::check(command, &EnrolmentProfile::Known("fr.example.enrolment".into())).unwrap()
}

#[test]
fn m6_each_dangerous_kind_names_its_order_and_its_one_tablet_and_is_never_stored() {
    let tablet = TabletId::new(now());
    let incident = incident(tablet);
    let (warrant, order, end) = (WarrantId::new(now()), EraseOrderId::new(now()), EnrolmentEndId::new(now()));
    for (queueable, gate, kind, rests_on) in [
        (
            Queueable::LostMode(open(&incident)),
            Gate::LostMode,
            RequestType::EnableLostMode,
            Order::Incident(incident.id),
        ),
        (
            Queueable::Sound(open(&incident)),
            Gate::LostMode,
            RequestType::PlayLostModeSound,
            Order::Incident(incident.id),
        ),
        (
            locate(&incident, warrant),
            Gate::Locate,
            RequestType::DeviceLocation,
            Order::Warrant(warrant, incident.id),
        ),
        (erase(tablet, order), Gate::Erase, RequestType::EraseDevice, Order::Erase(order)),
        (unenrol(tablet, end), Gate::Unenrol, RequestType::RemoveProfile, Order::End(end)),
    ] {
        assert_eq!((queueable.gate(), queueable.request_type()), (gate, kind));
        assert_eq!(queueable.order(), Some(rests_on), "{kind}");
        assert_eq!(queueable.tablet(), Some(tablet), "{kind}");
        assert_eq!(queueable.stored_payload(), None, "{kind}");
        assert!(queueable.urgent(), "{kind}");
    }
}

#[test]
fn m3_m6_a_tablet_with_the_open_agent_is_wiped_by_an_order_alone_and_told_what_it_can_do() {
    use android::capability::Intent;
    use android::command::Kind;
    let tablet = TabletId::new(now());
    let incident = incident(tablet);
    let on_the_agent = [
        (erase(tablet, EraseOrderId::new(now())), Ok(Kind::Wipe)),
        (Queueable::Ordinary(ordinary(RequestType::RestartDevice)), Ok(Kind::Reboot)),
        (Queueable::Ordinary(Ordinary::clear_passcode()), Ok(Kind::ClearCode)),
        (Queueable::LostMode(open(&incident)), Err(NotOnTheAgent::Cannot(Intent::LostMode))),
        (Queueable::Sound(open(&incident)), Err(NotOnTheAgent::Cannot(Intent::Sound))),
        (locate(&incident, WarrantId::new(now())), Err(NotOnTheAgent::ByWarrant)),
        (unenrol(tablet, EnrolmentEndId::new(now())), Err(NotOnTheAgent::ByErasure)),
    ];
    for (queueable, expected) in on_the_agent {
        assert_eq!(queueable.on_the_agent(), expected, "{queueable:?}");
    }
    // Nothing that is ordinary, however it is called on Apple's wire, wipes.
    for (kind, expected) in [
        (RequestType::DeviceLock, NotOnTheAgent::ByConfiguration),
        (RequestType::DisableLostMode, NotOnTheAgent::Cannot(Intent::LostMode)),
    ] {
        assert_eq!(Queueable::Ordinary(ordinary(kind)).on_the_agent(), Err(expected), "{kind}");
    }
}

#[test]
fn what_is_ordinary_rests_on_no_order_and_is_stored_as_it_is() {
    for (kind, urgent) in [
        (RequestType::DeviceLock, true),
        (RequestType::DisableLostMode, true),
        (RequestType::RestartDevice, false),
    ] {
        let ordinary = ordinary(kind);
        let stored = ordinary.stored_payload().unwrap();
        let queueable = Queueable::Ordinary(ordinary);
        assert_eq!((queueable.gate(), queueable.request_type()), (Gate::Ordinary, kind));
        assert_eq!((queueable.order(), queueable.tablet()), (None, None), "{kind}");
        assert_eq!(queueable.urgent(), urgent, "{kind}");
        assert!(String::from_utf8_lossy(&stored).contains(kind.as_str()), "{kind}");
        assert_eq!(queueable.stored_payload(), Some(stored), "{kind}");
    }
}

#[test]
fn what_a_segment_is_given_is_looked_up_when_it_is_delivered() {
    for (ordinary, kind) in [
        (Ordinary::clear_passcode(), RequestType::ClearPasscode),
        (Ordinary::renew_enrolment(), RequestType::InstallProfile),
        (Ordinary::segment_profile(), RequestType::InstallProfile),
        (Ordinary::segment_app(), RequestType::InstallApplication),
    ] {
        assert_eq!(ordinary.request_type(), kind);
        assert_eq!(Queueable::Ordinary(ordinary).stored_payload(), None, "{kind}");
    }
}
