//! `smtrain download`: downloads and unpacks the artifacts of a job.

mod watching;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use clap::{Args, ValueEnum};

use self::watching::ProgressWatch;
use super::interrupt::unless_interrupted;
use super::job_args::SourceArg;
use crate::cloud::Cloud;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::downloaded::{Downloaded, ListedEntry};
use crate::model::size::Size;
use crate::model::{IgnorePoison, JobName, S3Uri, shell_quote};
use crate::ops::download::{self as ops, DownloadSource, Patterns, SaveOptions, Selection, Watch};
use crate::view::download::{DownloadJson, FileJson};
use crate::{ui, view};

/// Download and unpack a job's model and output data
///
/// The model is saved in DIR/JOB/model/, the output data in DIR/JOB/output/; the folder's path is printed. The content of
/// an S3 URI is saved in DIR. The same command resumes an interrupted download; no file appears under its name before it
/// is complete and verified.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags")]
pub(crate) struct DownloadArgs {
    #[command(flatten)]
    source: SourceArg,
    /// Folder in which JOB is created
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Save the tar.gz archive without unpacking it
    #[arg(long, conflicts_with = "only")]
    archive: bool,
    /// List the content and save nothing
    #[arg(long, conflicts_with_all = ["archive", "only", "stdout", "force", "max_size"])]
    list: bool,
    /// Save only matching files, such as `*.json` or `logs/`; repeatable
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Write the content of one file to stdout
    #[arg(long, value_name = "PATH", conflicts_with_all = ["archive", "only", "force", "max_size", "output"])]
    stdout: Option<PathBuf>,
    /// Download the checkpoints to DIR/JOB/checkpoints/
    #[arg(long)]
    checkpoints: bool,
    /// Download the code that ran to DIR/JOB/code/
    #[arg(long)]
    code: bool,
    /// Replace what an earlier download saved
    #[arg(long)]
    force: bool,
    /// Maximum unpacked size, such as 20GB [default: the free disk space]
    #[arg(long, value_name = "SIZE")]
    max_size: Option<Size>,
    /// What to print on stdout
    #[arg(short, long, value_name = "FORMAT", default_value = "path")]
    output: DownloadOutput,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DownloadOutput {
    /// The folder's path; with --list, sizes and names
    Path,
    /// One object a line: each file, then a summary
    Json,
}

pub(crate) async fn run(args: DownloadArgs, context: &Context) -> Result<()> {
    let uri = args.source.uri().filter(|_| !context.local);
    match (download(args, context).await, uri) {
        (Err(error), Some(uri)) => Err(hint_at_local(error, &uri, context).await),
        (result, _) => result,
    }
}

/// Adds a hint to an error of S3 where local jobs stored something at the URI.
async fn hint_at_local(error: Error, uri: &S3Uri, context: &Context) -> Error {
    let is_of_s3 = error.is_about_asking() || matches!(error.kind(), ErrorKind::Failure);
    // Not every key of S3 can be one on this computer.
    let stored = context.local_cloud().objects.list(uri).await.unwrap_or_default();
    if is_of_s3 && !stored.is_empty() {
        error.hint(format!(
            "local jobs stored something there: smtrain download {} --local",
            shell_quote(&uri.to_string())
        ))
    } else {
        error
    }
}

async fn download(args: DownloadArgs, context: &Context) -> Result<()> {
    let DownloadArgs { source, dir, archive, list, only, stdout, checkpoints, code, force, max_size, output } = args;
    let (cloud, source) = source.find(context).await?;
    let selection = Selection { code, checkpoints };
    if matches!(source, DownloadSource::Uri(_)) && selection != Selection::default() {
        return Err(Error::usage("--code and --checkpoints are parts of a job, not of an S3 URI")
            .hint("name the job, or download the URI without them"));
    }
    if list {
        return print_list(cloud, &source, selection, output, context).await;
    }
    if let Some(path) = stdout {
        return print_file(cloud, &source, selection, &path, context).await;
    }
    let watch = Arc::new(ProgressWatch::new(context.ui, output == DownloadOutput::Json)?);
    let again = "the same command".to_owned();
    let saving = SaveOptions {
        into: dir,
        as_archive: archive,
        only: Patterns::parse(&only)?,
        force,
        max_size: max_size.map(|size| size.0),
        state: context.settings.state.clone(),
        again,
        watch: watch.clone(),
    };
    let downloaded = save(cloud, &source, selection, &saving, &watch).await?;
    report(&downloaded, &watch, context);
    match output {
        DownloadOutput::Path
            if matches!(source, DownloadSource::Job(_)) && !archive && selection == Selection::default() =>
        {
            context.ui.path(&downloaded.folder)
        }
        DownloadOutput::Path => downloaded.parts.iter().try_for_each(|part| context.ui.path(&part.path)),
        DownloadOutput::Json => {
            watch.print_files(context.ui)?;
            let name = source.to_string();
            context.ui.line(view::json_line(&DownloadJson::of(&name, &downloaded))?)
        }
    }
}

/// Downloads the model and output data of a job that has just completed.
pub(super) async fn results(cloud: &Cloud, job: &JobName, into: PathBuf, context: &Context) -> Result<()> {
    let watch = Arc::new(ProgressWatch::new(context.ui, false)?);
    // The same command would submit another job: name the one that resumes.
    let folder = shell_quote(&into.to_string_lossy());
    let again = format!("smtrain download {job} -d {folder}{}", context.target_flags(cloud));
    let saving = SaveOptions {
        into,
        as_archive: false,
        only: None,
        force: false,
        max_size: None,
        state: context.settings.state.clone(),
        again,
        watch: watch.clone(),
    };
    let source = DownloadSource::Job(job.clone());
    let downloaded = save(cloud, &source, Selection::default(), &saving, &watch).await?;
    report(&downloaded, &watch, context);
    Ok(())
}

async fn save(
    cloud: &Cloud,
    source: &DownloadSource,
    selection: Selection,
    saving: &SaveOptions,
    watch: &ProgressWatch,
) -> Result<Downloaded> {
    let saved = unless_interrupted(ops::save(cloud, source, selection, saving)).await;
    watch.end();
    saved.map_err(|error| watch.hint(error, &saving.again))
}

/// Reports the downloaded artifacts on stderr.
fn report(downloaded: &Downloaded, watch: &ProgressWatch, context: &Context) {
    for part in &downloaded.parts {
        for link in &part.left_out {
            context
                .ui
                .warning(format_args!("left out of the {}, since its target was not downloaded: {link}", part.what));
        }
        let files = view::count(part.files, "file");
        let bytes = ui::bytes(part.bytes);
        context.ui.note(format_args!("{}: {files}, {bytes} in {}", part.what, part.path.display()));
    }
    if let Some(rate) = watch.rate() {
        context.ui.note(rate);
    }
}

async fn print_list(
    cloud: &Cloud,
    source: &DownloadSource,
    selection: Selection,
    output: DownloadOutput,
    context: &Context,
) -> Result<()> {
    let watch: Arc<dyn Watch> = Arc::new(ProgressWatch::beside_data(context.ui));
    let out = Arc::new(Mutex::new(context.ui.data()));
    let lines = out.clone();
    let print = move |part: &str, listed: ListedEntry| {
        let line = match output {
            DownloadOutput::Path => view::download::listed(&listed),
            DownloadOutput::Json => view::json_line(&FileJson::listed(part, &listed)).map_err(io::Error::other)?,
        };
        lines.lock().ignore_poison().try_text(line + "\n")
    };
    unless_interrupted(ops::list(cloud, source, selection, &watch, Arc::new(print))).await?;
    out.lock().ignore_poison().flush()
}

async fn print_file(
    cloud: &Cloud,
    source: &DownloadSource,
    selection: Selection,
    path: &Path,
    context: &Context,
) -> Result<()> {
    let watch: Arc<dyn Watch> = Arc::new(ProgressWatch::beside_data(context.ui));
    unless_interrupted(ops::pick(cloud, source, selection, path, &watch, ui::file_bytes)).await
}
