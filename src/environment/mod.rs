//! Reads the environment: variables, standard folders, the search path, and the files of settings they lead to.
//!
//! No other module reads environment variables.

mod aws;
mod files;
mod programs;
mod proxies;
mod trust;

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use etcetera::BaseStrategy;

use crate::error::{Error, Result, WithContext};
use crate::job::Layers;

pub(crate) use aws::{aws_profile, aws_profiles, aws_region, aws_role_cache, aws_sso_cache, aws_tokens, ca_bundle};
pub(crate) use programs::find_program;
pub(crate) use proxies::{hosts_without_proxy, proxy};
pub(crate) use trust::project_root;

/// The folders that smtrain uses, and its own executable.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Folder of local jobs: `SMTRAIN_HOME`, else `smtrain` in `XDG_STATE_HOME`.
    pub(crate) state: PathBuf,
    /// Folder of what can be recreated: `cache` in `SMTRAIN_HOME`, else `smtrain` in `XDG_CACHE_HOME`.
    pub(crate) cache: PathBuf,
    /// Path of this program.
    pub(crate) executable: PathBuf,
    /// The user's folder of all programs' settings: `XDG_CONFIG_HOME`. `None` without a home folder.
    config: Option<PathBuf>,
}

impl Settings {
    /// Reads the environment. Errors if no folder of local jobs can be determined.
    pub(crate) fn from_environment() -> Result<Self> {
        let executable = env::current_exe().context("find out where smtrain itself is")?;
        let base = etcetera::choose_base_strategy();
        let config = base.as_ref().ok().map(BaseStrategy::config_dir);
        if let Some(home) = env::var_os("SMTRAIN_HOME").filter(|home| !home.is_empty()) {
            let home = std::path::absolute(home).context("resolve SMTRAIN_HOME")?;
            return Ok(Self { cache: home.join("cache"), state: home, executable, config });
        }
        let base = base
            .map_err(|error| Error::failure("there is no home folder to keep jobs in").caused_by(error))
            .map_err(|error| error.hint("set HOME, or SMTRAIN_HOME to a folder of your choice"))?;
        let state = base.state_dir().unwrap_or_else(|| base.data_dir()).join("smtrain");
        Ok(Self { state, cache: base.cache_dir().join("smtrain"), executable, config })
    }

    /// Returns why the folders of local jobs can't be trusted, if so.
    pub(crate) fn doubt_of_state(&self) -> Option<String> {
        trust::doubt_of_state(&self.state, &self.cache)
    }

    /// Reads the layers of settings. No other call reads their files.
    pub(crate) fn layers(&self) -> Result<Layers> {
        files::layers(self.config.as_deref())
    }
}

/// Returns the names of all environment variables of this process.
pub(crate) fn variable_names() -> Vec<OsString> {
    env::vars_os().map(|(name, _)| name).collect()
}

/// Returns a variable's value; `None` if it is unset or empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var_os(name).filter(|value| !value.is_empty()).map(|value| value.to_string_lossy().into_owned())
}

/// Returns the arguments of the command line, the program's name first.
pub(crate) fn arguments() -> Vec<OsString> {
    env::args_os().collect()
}
