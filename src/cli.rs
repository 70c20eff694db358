//! The command line: clap's root type and the global flags.

use clap::{ArgAction, Args, Parser, ValueEnum};

use crate::commands::Command;

/// Runs machine-learning training jobs on Amazon SageMaker, and the same jobs on this computer.
#[derive(Debug, Parser)]
#[command(name = "smtrain", version, max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
#[expect(clippy::struct_excessive_bools, reason = "flags")]
pub(crate) struct GlobalArgs {
    /// Work with jobs on this computer
    #[arg(long, global = true)]
    pub(crate) local: bool,
    /// AWS region [default: from the settings, AWS_REGION or the profile]
    #[arg(long, global = true, value_name = "REGION", conflicts_with = "local")]
    pub(crate) region: Option<String>,
    /// Profile of the AWS configuration [default: from the settings or AWS_PROFILE]
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "local")]
    pub(crate) profile: Option<String>,
    /// Print more on stderr: the origin of settings and the causes of errors
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// Print only warnings and errors on stderr
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// Show no progress bars
    #[arg(long, global = true, action = ArgAction::SetTrue)]
    pub(crate) no_progress: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    /// If the stream is a terminal and NO_COLOR is not set
    Auto,
    Always,
    Never,
}

impl From<Color> for anstream::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::AlwaysAnsi,
            Color::Never => Self::Never,
        }
    }
}
