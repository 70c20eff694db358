//! `smtrain completions`: a script that makes a shell complete smtrain's commands.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::context::Context;
use crate::error::Result;

/// Print a shell's completion script
///
/// bash: smtrain completions bash > ~/.local/share/bash-completion/completions/smtrain
/// zsh: smtrain completions zsh > "${fpath[1]}/_smtrain"
/// fish: smtrain completions fish > ~/.config/fish/completions/smtrain.fish
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct CompletionsArgs {
    shell: Shell,
}

pub(crate) fn run(args: CompletionsArgs, context: &Context) -> Result<()> {
    let CompletionsArgs { shell } = args;
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "smtrain", &mut script);
    let mut data = context.ui.data();
    data.bytes(&script)?;
    data.flush()
}
