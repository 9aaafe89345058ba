//! What nobody approved is not written for a tablet (C3.1.1).

use profiles::render::{Frame, IpadRendering, IpadTarget, TooOld, render_ipad};
use profiles::Intent;

pub fn write(intent: &Intent, target: IpadTarget, frame: &Frame) -> Result<IpadRendering, TooOld> {
    render_ipad(intent, target, frame)
}

fn main() {}
