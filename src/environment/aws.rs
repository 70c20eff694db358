//! Files of AWS's own tools, at the places where the SDK reads them.

use std::env;
use std::path::PathBuf;

/// Variables that name a file of profiles, and its place where they are unset (AWS SDKs and Tools Reference Guide, "Location
/// of the shared config and credentials files").
const PROFILES: [(&str, &str); 2] =
    [("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")];
/// Variables that name a file with a token that credentials are exchanged for.
const TOKENS: [&str; 2] = ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];

/// A variable and the file that it names, or would name.
type Named = (&'static str, PathBuf);

/// Returns the files of profiles, whether they are there or not.
pub(crate) fn aws_profiles() -> Vec<Named> {
    let path = |(variable, place): (&'static str, &str)| {
        // The SDK takes a variable that is no text for one that is unset, and an empty one for the name of no file.
        (variable, expanded(env::var(variable).unwrap_or_else(|_| place.to_owned())))
    };
    PROFILES.into_iter().map(path).collect()
}

/// Returns the files with tokens that variables name.
pub(crate) fn aws_tokens() -> Vec<Named> {
    TOKENS.into_iter().filter_map(|variable| Some((variable, env::var_os(variable)?.into()))).collect()
}

/// Returns the folder in which `aws sso login` keeps tokens (the AWS CLI's user guide, "Configuring IAM Identity Center").
pub(crate) fn aws_sso_cache() -> PathBuf {
    expanded("~/.aws/sso/cache".to_owned())
}

/// Replaces a leading `~`. Without a home folder it stays, as the SDK has it.
fn expanded(path: String) -> PathBuf {
    match (path.strip_prefix("~/"), env::var("HOME")) {
        (Some(below), Ok(home)) => PathBuf::from(home).join(below),
        _ => path.into(),
    }
}
