//! The subcommands, one file each: arguments, resolved; the operation called; the result shown.

pub(crate) mod completions;
pub(crate) mod describe;
pub(crate) mod download;
pub(crate) mod history;
pub(crate) mod image;
pub(crate) mod images;
pub(crate) mod init;
mod interrupt;
mod job_args;
mod log_printer;
pub(crate) mod logs;
pub(crate) mod schema;
pub(crate) mod stop;
pub(crate) mod submit;
pub(crate) mod validate;
pub(crate) mod wait;

use std::path::PathBuf;

use clap::Subcommand;

use crate::context::Context;
use crate::error::Result;

pub(crate) use job_args::complete_jobs;

/// All subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    User(UserCommand),
    #[command(flatten)]
    Internal(InternalCommand),
}

/// Subcommands for users and their scripts.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    Init(init::InitArgs),
    Validate(validate::ValidateArgs),
    Submit(Box<submit::SubmitArgs>),
    Logs(logs::LogsArgs),
    #[command(visible_alias = "list")]
    History(history::HistoryArgs),
    #[command(visible_alias = "show")]
    Describe(describe::DescribeArgs),
    Wait(wait::WaitArgs),
    Stop(stop::StopArgs),
    Download(download::DownloadArgs),
    Image(image::ImageArgs),
    Images(images::ImagesArgs),
    Schema(schema::SchemaArgs),
    Completions(completions::CompletionsArgs),
}

/// Hidden subcommands that smtrain runs in processes of its own. The crate's root runs them.
#[derive(Debug, Subcommand)]
pub(crate) enum InternalCommand {
    /// The process that looks after a local job
    #[command(name = "__supervise", hide = true)]
    Supervise { folder: PathBuf },
    /// The process between a local job and its script
    #[command(name = "__guard", hide = true)]
    Guard { folder: PathBuf },
    /// Tells whether this computer grants a private /opt/ml
    #[command(name = "__probe-mount", hide = true)]
    ProbeMount,
}

/// Runs a user's subcommand.
pub(crate) async fn run(command: UserCommand, context: &Context) -> Result<()> {
    match command {
        UserCommand::Init(args) => init::run(args, context),
        UserCommand::Validate(args) => validate::run(args, context),
        UserCommand::Submit(args) => Box::pin(submit::run(*args, context)).await,
        UserCommand::Logs(args) => logs::run(args, context).await,
        UserCommand::History(args) => history::run(args, context).await,
        UserCommand::Describe(args) => describe::run(args, context).await,
        UserCommand::Wait(args) => wait::run(args, context).await,
        UserCommand::Stop(args) => stop::run(args, context).await,
        UserCommand::Download(args) => download::run(args, context).await,
        UserCommand::Image(args) => image::run(args, context).await,
        UserCommand::Images(args) => images::run(args, context),
        UserCommand::Schema(args) => schema::run(args, context),
        UserCommand::Completions(args) => completions::run(args, context),
    }
}
