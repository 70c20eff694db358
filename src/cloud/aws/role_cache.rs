//! The AWS CLI's cache of roles' credentials: a JSON file each, which is named by the digest of the request (botocore
//! 1.44.5, `credentials.py`, `_create_cache_key`; `utils.py`, `JSONFileCache`).

use std::fmt::Write as _;
use std::fs::DirBuilder;
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use aws_credential_types::Credentials;
use aws_sdk_sts::types::Credentials as RoleCredentials;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use tempfile::NamedTempFile;

use super::files;

/// Time that cached credentials must still be valid for.
const MIN_VALIDITY: SignedDuration = SignedDuration::from_mins(5);
/// Mode of the folder: only its owner may look into it. That of a temporary file is likewise.
const FOLDER_MODE: u32 = 0o700;
const PROVIDER: &str = "the cache of the AWS CLI";

/// A request of a role to STS.
#[derive(Clone, Copy, Debug)]
pub(super) struct RoleRequest<'a> {
    pub(super) role_arn: &'a str,
    pub(super) serial_number: Option<&'a str>,
    pub(super) external_id: Option<&'a str>,
    pub(super) session_name: Option<&'a str>,
    pub(super) duration_seconds: Option<i32>,
}

impl RoleRequest<'_> {
    /// Returns the credentials that the cache has for the request, if they are valid.
    pub(super) fn cached(self, cache: &Path) -> Option<Credentials> {
        let text = files::required_text(&self.file(cache), String::new).ok()?;
        let cached: Value = serde_json::from_str(&text).ok()?;
        let field = |name: &str| cached["Credentials"][name].as_str().map(str::to_owned);
        // botocore writes the zone as its name, other tools as an offset.
        let expiry: Timestamp = field("Expiration")?.replace("UTC", "Z").parse().ok()?;
        let is_valid = expiry > Timestamp::now() + MIN_VALIDITY;
        let (id, secret, token) = (field("AccessKeyId")?, field("SecretAccessKey")?, field("SessionToken")?);
        is_valid.then(|| Credentials::new(id, secret, Some(token), Some(expiry.into()), PROVIDER))
    }

    /// Keeps credentials in the cache, if it can be written.
    pub(super) fn keep(self, cache: &Path, role: &RoleCredentials) {
        // Without the cache, the code is asked for again.
        let _kept = self.write(cache, role);
    }

    fn write(self, cache: &Path, role: &RoleCredentials) -> io::Result<()> {
        let expiry = Timestamp::from_second(role.expiration.secs()).map_err(io::Error::other)?;
        let content = json!({ "Credentials": {
            "AccessKeyId": role.access_key_id,
            "SecretAccessKey": role.secret_access_key,
            "SessionToken": role.session_token,
            "Expiration": expiry.strftime("%Y-%m-%dT%H:%M:%SUTC").to_string(),
        } });
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(cache)?;
        let mut file = NamedTempFile::new_in(cache)?;
        file.write_all(content.to_string().as_bytes())?;
        file.persist(self.file(cache))?;
        Ok(())
    }

    fn file(self, cache: &Path) -> PathBuf {
        let digest = Sha1::digest(self.key().as_bytes());
        let mut name = String::new();
        let _ok = digest.iter().try_for_each(|byte| write!(name, "{byte:02x}"));
        cache.join(name + ".json")
    }

    /// Returns the request as Python's `json.dumps` writes it, with its keys sorted.
    fn key(self) -> String {
        let text = |value: &str| Value::from(value).to_string();
        let fields = [
            ("DurationSeconds", self.duration_seconds.map(|seconds| seconds.to_string())),
            ("ExternalId", self.external_id.map(text)),
            ("RoleArn", Some(text(self.role_arn))),
            ("RoleSessionName", self.session_name.map(text)),
            ("SerialNumber", self.serial_number.map(text)),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| Some(format!("\"{name}\": {}", value?)));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const REQUEST: RoleRequest<'static> = RoleRequest {
        role_arn: "arn:aws:iam::111122223333:role/R",
        serial_number: Some("arn:aws:iam::111122223333:mfa/me"),
        external_id: None,
        session_name: None,
        duration_seconds: None,
    };

    /// The names are those of botocore 1.44.5, `AssumeRoleCredentialFetcher`.
    #[test]
    fn files_are_named_as_botocore_names_them() {
        let full = RoleRequest {
            external_id: Some("a \"b\""),
            session_name: Some("me"),
            duration_seconds: Some(3600),
            ..REQUEST
        };
        for (request, name) in [
            (REQUEST, "c2ca3fd745612f007a542833da0e78fb81cd3339.json"),
            (full, "e6e389a51542e980ba6e3c6f0aec844bb3c364b2.json"),
        ] {
            assert_eq!(request.file(Path::new("")), Path::new(name), "{}", request.key());
        }
    }

    #[test]
    fn only_valid_credentials_are_taken() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        for (minutes, is_valid) in [(60, true), (1, false), (-60, false)] {
            let expiration = aws_smithy_types::DateTime::from_secs(Timestamp::now().as_second() + minutes * 60);
            let builder = RoleCredentials::builder().access_key_id("A").secret_access_key("B").session_token("C");
            let role = builder.expiration(expiration).build().map_err(io::Error::other)?;
            REQUEST.write(&folder.path().join("cache"), &role)?;
            let cached = REQUEST.cached(&folder.path().join("cache"));
            assert_eq!(cached.is_some(), is_valid, "{minutes}");
        }
        fs::write(REQUEST.file(folder.path()), "{")?;
        assert!(REQUEST.cached(folder.path()).is_none());
        Ok(())
    }
}
