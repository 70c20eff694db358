//! One file a subcommand: its arguments, resolved, the operation called, the result shown.

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

use crate::cli::Command;
use crate::context::Context;
use crate::error::Result;

/// Runs a command of the user's.
pub(crate) async fn run(command: Command, context: &Context) -> Result<()> {
    match command {
        Command::Init(args) => init::run(args, context),
        Command::Validate(args) => validate::run(args, context),
        Command::Submit(args) => submit::run(*args, context).await,
        Command::Logs(args) => logs::run(args, context).await,
        Command::History(args) => history::run(args, context).await,
        Command::Describe(args) => describe::run(args, context).await,
        Command::Wait(args) => wait::run(args, context).await,
        Command::Stop(args) => stop::run(args, context).await,
        Command::Download(args) => download::run(args, context).await,
        Command::Image(args) => image::run(args, context).await,
        Command::Images(args) => images::run(args, context),
        Command::Schema(args) => schema::run(args, context),
        Command::Completions(args) => completions::run(args, context),
        // Not for people: the program's root runs these itself.
        Command::Supervise { .. } | Command::Guard { .. } | Command::ProbeMount => Ok(()),
    }
}
