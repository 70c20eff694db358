//! `smtrain download`: what a job left, unpacked.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::interrupt::unless_interrupted;
use super::job_args::JobArg;
use crate::context::Context;
use crate::error::Result;
use crate::model::downloaded::Downloaded;
use crate::model::printable;
use crate::ops::download;
use crate::ops::find_job::Found;
use crate::ui;
use crate::view;
use crate::view::download::DownloadJson;

/// Fetch and unpack a job's model and output data
///
/// The model comes to DIR/JOB/model/, the output data to DIR/JOB/output/; the folder is printed.
#[derive(Debug, Args)]
pub(crate) struct DownloadArgs {
    #[command(flatten)]
    job: JobArg,
    /// The folder to make JOB in
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Replace what an earlier download left
    #[arg(long)]
    force: bool,
    /// What to print on stdout
    #[arg(short, long, value_name = "FORMAT", default_value = "path")]
    output: DownloadOutput,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DownloadOutput {
    /// The folder
    Path,
    Json,
}

pub(crate) async fn run(args: DownloadArgs, context: &Context) -> Result<()> {
    let DownloadArgs { job, dir, force, output } = args;
    let Found { cloud, name: job } = job.find(context).await?;
    let fetch = download::download(cloud, &job, &dir, force);
    let downloaded = unless_interrupted(fetch).await?;
    report(&downloaded, context);
    match output {
        DownloadOutput::Path => context.ui.line(downloaded.folder.display()),
        DownloadOutput::Json => context.ui.line(view::json_line(&DownloadJson::of(&job, &downloaded))?),
    }
}

/// What came, on stderr.
pub(super) fn report(downloaded: &Downloaded, context: &Context) {
    for (what, part) in [("model", &downloaded.model), ("output data", &downloaded.output)] {
        if let Some(part) = part {
            let (files, bytes) = (view::count(part.files, "file"), ui::bytes(part.bytes));
            for link in &part.left_out {
                context.ui.warning(format_args!("left out of the {what}, as it leads elsewhere: {}", printable(link)));
            }
            context.ui.note(format_args!("{what}: {files}, {bytes} in {}", part.folder.display()));
        }
    }
}
