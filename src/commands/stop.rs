//! `smtrain stop`: jobs are asked to stop.

use clap::Args;

use super::job_args::JobsArg;
use crate::context::Context;
use crate::error::Result;
use crate::ops::find_job::Found;

/// Stop jobs
///
/// The script gets SIGTERM, and 120 seconds later SIGKILL. What it has saved by then is kept. Stopping a job that has ended
/// changes nothing.
#[derive(Debug, Args)]
pub(crate) struct StopArgs {
    #[command(flatten)]
    jobs: JobsArg,
}

pub(crate) async fn run(args: StopArgs, context: &Context) -> Result<()> {
    let StopArgs { jobs } = args;
    for Found { cloud, name, .. } in jobs.find(context).await? {
        let before = cloud.jobs.describe(&name).await?.training_job_status;
        if before.is_final() {
            context.ui.note(format_args!("job {name} has ended already: {before}"));
            continue;
        }
        cloud.jobs.stop(&name).await?;
        context.ui.note(format_args!("stopping {name}; wait for its end: smtrain wait {name}"));
    }
    Ok(())
}
