//! `smtrain completions`: prints a shell's completion script.

use clap::{Args, ValueEnum};
use clap_complete::env::{EnvCompleter, Shells};

use crate::context::Context;
use crate::error::{Error, Result, WithContext};

/// Environment variable that the shell's script sets when it asks for candidates.
pub(crate) const VARIABLE: &str = "SMTRAIN_COMPLETE";

/// Print a shell's completion script
///
/// bash:        smtrain completions bash > ~/.local/share/bash-completion/completions/smtrain
/// zsh:         smtrain completions zsh > "${fpath[1]}/_smtrain"
/// fish:        smtrain completions fish > ~/.config/fish/completions/smtrain.fish
/// powershell:  smtrain completions powershell >> $PROFILE
/// elvish:      smtrain completions elvish >> ~/.config/elvish/rc.elv
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct CompletionsArgs {
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
    Elvish,
}

impl Shell {
    fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
            Self::Powershell => "powershell",
            Self::Elvish => "elvish",
        }
    }
}

pub(crate) fn run(args: CompletionsArgs, context: &Context) -> Result<()> {
    let CompletionsArgs { shell } = args;
    let mut data = context.ui.data();
    data.bytes(&script(shell)?)?;
    data.flush()
}

/// Returns the script. It asks smtrain itself for candidates, so that it is always current and completes names of jobs.
fn script(shell: Shell) -> Result<Vec<u8>> {
    let shells = Shells::builtins();
    let completer: &dyn EnvCompleter =
        shells.completer(shell.name()).ok_or_else(|| Error::failure(format!("no completions for {}", shell.name())))?;
    let mut script = Vec::new();
    completer
        .write_registration(VARIABLE, "smtrain", "smtrain", "smtrain", &mut script)
        .context("write the completion script")?;
    Ok(script)
}
