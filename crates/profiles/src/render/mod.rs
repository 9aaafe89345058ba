//! From an intent to what each platform is given: as much as it can do, and the rest with the reason.
//!
//! The same intent gives the same bytes, so that what was not changed is not sent again. Names are stable, so that an
//! update replaces.

mod agent;
mod ipad;
mod node;
mod why;

pub(crate) use agent::sketch_agent;
pub use agent::{AgentRendering, render_agent};
pub use android::{ApiLevel, NotAnAndroid};
pub(crate) use ipad::{DECLARATIONS_SINCE, server_token, sketch_ipad};
pub use ipad::{Frame, IpadRendering, IpadTarget, NotAFrame, OLDEST_IPADOS, TooOld, render_ipad};
pub use why::{LeftOut, Why, Written};
