//! Finds the files of AWS's own tools, at the paths from which the SDK reads them.

use std::env;
use std::path::PathBuf;

use super::variable;

/// Variables that name a file of profiles, and the default path (AWS SDKs and Tools Reference Guide, "Location of the
/// shared config and credentials files").
const PROFILES: [(&str, &str); 2] =
    [("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")];
/// Variables that name a file with a token, which is exchanged for credentials.
const TOKENS: [&str; 2] = ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];

/// Variables that name the profile, the first that is set, in the order of botocore 1.44.5 (`configprovider.py`) and so of
/// the AWS CLI; the AWS SDKs and Tools Reference Guide has only the second.
const PROFILE: [&str; 2] = ["AWS_DEFAULT_PROFILE", "AWS_PROFILE"];
/// Variables that name the region, the first that is set (AWS SDKs and Tools Reference Guide, "AWS Region").
const REGION: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// A variable and the path of its file, by its value or by default.
type Named = (&'static str, PathBuf);

/// Returns the paths of the files of profiles, which may not exist.
pub(crate) fn aws_profiles() -> Vec<Named> {
    let path = |(variable, default): (&'static str, &str)| {
        // To the SDK, a variable that is no UTF-8 text counts as unset, and an empty one as a path that doesn't exist.
        (variable, expand_home(env::var(variable).unwrap_or_else(|_| default.to_owned())))
    };
    PROFILES.into_iter().map(path).collect()
}

/// Returns the paths of the files of tokens, for each variable that is set.
pub(crate) fn aws_tokens() -> Vec<Named> {
    TOKENS.into_iter().filter_map(|variable| Some((variable, env::var_os(variable)?.into()))).collect()
}

/// Returns the folder in which `aws sso login` keeps tokens (the AWS CLI's user guide, "Configuring IAM Identity
/// Center").
pub(crate) fn aws_sso_cache() -> PathBuf {
    expand_home("~/.aws/sso/cache".to_owned())
}

/// Returns the folder in which the AWS CLI keeps credentials of roles (AWS CLI's user guide, "Using an IAM role").
pub(crate) fn aws_role_cache() -> PathBuf {
    expand_home("~/.aws/cli/cache".to_owned())
}

/// Returns the profile that the environment names, with the variable. An empty variable counts as unset.
pub(crate) fn aws_profile() -> Option<(&'static str, String)> {
    PROFILE.into_iter().find_map(|name| Some((name, variable(name)?)))
}

/// Returns the region that the environment names. An empty variable counts as unset.
pub(crate) fn aws_region() -> Option<String> {
    REGION.into_iter().find_map(variable)
}

/// Returns the file of trusted certificates that a variable names, with the variable. botocore 1.44.5 knows both
/// (`configprovider.py`, `endpoint.py`); a profile's `ca_bundle` stands between them.
pub(crate) fn ca_bundle(name: &'static str) -> Option<Named> {
    Some((name, variable(name)?.into()))
}

/// Replaces a leading `~` by the home folder. Without a home folder it stays, as in the SDK.
fn expand_home(path: String) -> PathBuf {
    match (path.strip_prefix("~/"), env::var("HOME")) {
        (Some(below), Ok(home)) => PathBuf::from(home).join(below),
        _ => path.into(),
    }
}
