//! Files with tokens that a source of credentials needs and that don't exist. The SDK's errors don't name them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha1::{Digest, Sha1};

use super::profiles::{SSO_SESSION, TOKEN_FILE};
use super::settings::ConnectionSettings;
use crate::cloud::CloudError;

const SSO_START_URL: &str = "sso_start_url";

/// Returns the error about the first file that is missing for a profile, or for the environment's own source.
pub(super) fn file(settings: &ConnectionSettings, profile: &str) -> Option<CloudError> {
    let chain = settings.profiles.chain(profile);
    let of_profiles = chain.iter().find_map(|profile| token(settings, profile).or_else(|| login(settings, profile)));
    of_profiles.or_else(|| of_variables(settings))
}

fn token(settings: &ConnectionSettings, profile: &str) -> Option<CloudError> {
    let path = Path::new(settings.profiles.get(profile, TOKEN_FILE)?);
    let place = settings.profiles.place(profile, TOKEN_FILE)?;
    is_absent(path).then(|| CloudError::Unusable {
        what: format!("there is no file {}", path.display()),
        hint: format!("{TOKEN_FILE} names it: {place}"),
    })
}

/// Returns the error that nobody has logged in to a profile's IAM Identity Center.
fn login(settings: &ConnectionSettings, profile: &str) -> Option<CloudError> {
    let profiles = &settings.profiles;
    let session = profiles.get(profile, SSO_SESSION).or_else(|| profiles.get(profile, SSO_START_URL))?;
    let path = cached_login(&settings.variables.files.sso_cache, session);
    is_absent(&path).then(|| CloudError::Unusable {
        what: format!("there is no login to {session}: no file {}", path.display()),
        hint: format!("log in: aws sso login --profile {}", crate::model::shell_quote(profile)),
    })
}

/// Returns the path of a login's token (botocore 1.44.5, `utils.py`, `SSOTokenLoader`).
fn cached_login(cache: &Path, session: &str) -> PathBuf {
    let mut name = String::new();
    let _ok = Sha1::digest(session.as_bytes()).iter().try_for_each(|byte| write!(name, "{byte:02x}"));
    cache.join(name + ".json")
}

fn of_variables(settings: &ConnectionSettings) -> Option<CloudError> {
    let (variable, path) = settings.variables.files.tokens.iter().find(|(_, path)| is_absent(path))?;
    Some(CloudError::Unusable {
        what: format!("there is no file {}", path.display()),
        hint: format!("{variable} names it: set it to a file with a token, or unset it"),
    })
}

fn is_absent(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}
