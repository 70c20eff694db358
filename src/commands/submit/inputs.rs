//! Fetches what a local job reads from S3, and says where it comes from.

use std::sync::Arc;

use crate::commands::interrupt::unless_interrupted;
use crate::context::Context;
use crate::error::Result;
use crate::job::spec::JobSpec;
use crate::model::copies::JobCopies;
use crate::model::time;
use crate::ops::local_copies::{self, CopyChanges, InputReport, InputSource};
use crate::{ui, view};

/// Fetches what a local job reads from S3, and says where it comes from.
pub(super) async fn fetch(spec: &JobSpec, context: &Context) -> Result<JobCopies> {
    let bar = Arc::new(context.ui.progress_of_bytes("fetching from S3"));
    let on_bytes = Arc::new(move |bytes| bar.advance(bytes));
    let aws = async || context.aws(spec.region.as_deref()).await;
    let fetched = local_copies::fetch(context.local_cloud(), aws, spec, on_bytes);
    let (copies, reports) = unless_interrupted(fetched).await?;
    for report in &reports {
        tell(report, context);
    }
    Ok(copies)
}

fn tell(InputReport { input, uri, source }: &InputReport, context: &Context) {
    match source {
        InputSource::Copied(changes) => tell_copied(input, uri, changes, context),
        InputSource::Kept { checked, reason } => {
            let of = time::local(*checked);
            context.ui.warning(format_args!("{input}: the copy of {uri} is of {of}, and may be old: {reason}"));
        }
        InputSource::Local { reason: None } => {
            context.ui.note(format_args!("{input}: read from what local jobs stored, as S3 has nothing at {uri}"));
        }
        InputSource::Local { reason: Some(reason) } => {
            context.ui.note(format_args!("{input}: read from what local jobs stored at {uri} only: {reason}"));
        }
    }
}

fn tell_copied(input: &str, uri: &str, changes: &CopyChanges, context: &Context) {
    let CopyChanges { objects, fetched, fetched_bytes, dropped, unread } = changes;
    let of = if fetched == objects { String::new() } else { format!("{fetched} of ") };
    let objects = view::count(*objects, "object");
    let bytes = ui::bytes(*fetched_bytes);
    let gone = match dropped {
        0 => String::new(),
        dropped => format!("; {dropped} dropped, as S3 has it no longer"),
    };
    if *fetched > 0 || *dropped > 0 {
        context
            .ui
            .note(format_args!("{input}: {of}{objects}, {bytes} fetched from S3, and kept for the next job{gone}"));
    } else {
        context.ui.detail(format_args!("{input}: the copy of {uri} is what S3 has, {objects}"));
    }
    if *unread > 0 {
        let unread = view::count(*unread, "object");
        context.ui.note(format_args!("{input}: without {unread} that local jobs stored at {uri} and S3 doesn't have"));
    }
}
