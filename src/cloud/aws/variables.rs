//! The environment's values for AWS, as far as smtrain reads them itself. The rest, such as keys and endpoints, is read by
//! the SDK.

use std::io;
use std::path::PathBuf;

use super::files::AwsConfigFiles;
use super::proxies::Proxies;

/// Asks the user a question and returns the answer; `None` where there is no terminal. Blocks.
pub(crate) type Ask = fn(&str) -> io::Result<Option<String>>;

/// Values of environment variables. What is empty there is `None` here.
#[derive(Clone, Debug)]
pub(crate) struct AwsVariables {
    pub(crate) files: AwsConfigFiles,
    /// The profile, and the variable that names it.
    pub(crate) profile: Option<(&'static str, String)>,
    pub(crate) region: Option<String>,
    /// File of trusted certificates that takes precedence over the profile's, and its variable.
    pub(crate) ca_bundle: Option<(&'static str, PathBuf)>,
    /// File of trusted certificates that the profile's takes precedence over, and its variable.
    pub(crate) fallback_ca_bundle: Option<(&'static str, PathBuf)>,
    pub(crate) proxies: Proxies,
    /// Folder in which the AWS CLI keeps credentials of roles.
    pub(crate) role_cache: PathBuf,
    pub(crate) ask: Ask,
}
