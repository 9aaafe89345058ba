//! The command of each step.

use apple::command::{
    Command, DeclarativeManagement, InstallProfile, ManagedApplicationList, ProfileList, RemoveApplication,
    RemoveProfile, RequestType, ScheduleOSUpdate, ScheduledUpdate,
};
use orders::{EnrolmentProfile, Ordinary};
use profiles::segment::{Plan, Query, Step, UpdateAction};
use store::segments::Segment;
use types::Secret;

use crate::TabletError;

/// The command of a step, looked at like any other; `None` if the step asks nothing of the tablet. `own` is the
/// tablet's small profile, signed.
pub(super) fn command(
    step: &Step,
    segment: &Segment,
    plan: &Plan,
    own: Option<&[u8]>,
    enrolment: &EnrolmentProfile,
) -> Result<Option<Ordinary>, TabletError> {
    let command: Command = match step {
        Step::Wait | Step::Rest { .. } => return Ok(None),
        // Its payload is the segment's, and joins it at delivery.
        Step::InstallProfile => return Ok(Some(Ordinary::segment_profile())),
        Step::Ask(Query::Profiles) => {
            ProfileList { managed_only: Some(true), ..ProfileList::default() }.into()
        }
        Step::Ask(Query::Device) => apple::inventory::device_information().into(),
        Step::Ask(Query::Apps) => {
            let identifiers = plan.apps.iter().map(|app| app.bundle.clone()).collect();
            ManagedApplicationList { identifiers: Some(identifiers), ..ManagedApplicationList::default() }
                .into()
        }
        Step::InstallTabletProfile => {
            let Some(own) = own else { return Ok(None) };
            InstallProfile::new(Secret::new(own.to_vec())).into()
        }
        Step::RemoveProfile(name) => RemoveProfile::new(name.clone()).into(),
        Step::Declare => {
            let tokens = plan.items().tokens_json(segment.changed_at);
            DeclarativeManagement { data: Some(Secret::new(tokens)), ..DeclarativeManagement::default() }
                .into()
        }
        Step::Set => match &plan.settings {
            Some(settings) => stored(RequestType::Settings, &settings.command)?,
            None => return Ok(None),
        },
        // Its address is the tablet's own, for a time, and joins it at delivery.
        Step::InstallApp(_bundle) => return Ok(Some(Ordinary::segment_app())),
        Step::RemoveApp(bundle) => RemoveApplication::new(bundle.clone()).into(),
        Step::Update(action) => {
            let Some(update) = &plan.update else { return Ok(None) };
            let action = match action {
                UpdateAction::Download => "DownloadOnly",
                UpdateAction::Install => "InstallASAP",
            };
            let mut wanted = ScheduledUpdate::new(action.to_owned());
            wanted.product_version = Some(update.version.clone());
            ScheduleOSUpdate::new(vec![wanted]).into()
        }
    };
    let kind = command.request_type();
    let checked = Ordinary::check(command, enrolment);
    checked.map(Some).map_err(|refused| TabletError::Internal(format!("{kind} of a segment: {refused}")))
}

fn stored(kind: RequestType, xml: &str) -> Result<Command, TabletError> {
    let internal =
        |error: &dyn std::fmt::Display| TabletError::Internal(format!("{kind} of a segment: {error}"));
    let dictionary =
        apple::plist::parse(xml.as_bytes(), apple::plist::Limits::CONNECT).map_err(|e| internal(&e))?;
    Command::from_dictionary(kind, &dictionary).map_err(|error| internal(&error))
}
