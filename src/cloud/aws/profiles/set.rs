//! All profiles of the files, as the AWS CLI reads them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use aws_credential_types::Credentials;

use super::names::{SectionName, is_plain};
use super::parser::{self, Entry, Section};
use crate::cloud::aws::files::{self, AwsConfigFiles};
use crate::cloud::{CloudError, CloudResult};

pub(in crate::cloud::aws) const TOKEN_FILE: &str = "web_identity_token_file";
pub(super) const SOURCE_PROFILE: &str = "source_profile";
pub(in crate::cloud::aws) const SSO_SESSION: &str = "sso_session";

/// The variable that names the file `config`, whose sections have prefixes.
const CONFIG: &str = "AWS_CONFIG_FILE";

/// A section's values by their keys.
pub(super) type SectionValues = BTreeMap<String, PlacedValue>;

/// A value and the file that it is in.
#[derive(Clone, Debug)]
pub(super) struct PlacedValue {
    pub(super) entry: Entry,
    file: PathBuf,
}

/// All profiles, and the sections that they refer to.
#[derive(Clone, Debug, Default)]
pub(in crate::cloud::aws) struct Profiles {
    pub(super) profiles: BTreeMap<String, SectionValues>,
    pub(super) sso_sessions: BTreeMap<String, SectionValues>,
    pub(super) services: BTreeMap<String, SectionValues>,
    /// Sections that are none of these: the file, the line and the header.
    pub(super) others: Vec<(PathBuf, usize, String)>,
    pub(super) files: Vec<PathBuf>,
}

impl Profiles {
    /// Reads the files. Fails with the first that can't or must not be read, or can't be parsed.
    pub(in crate::cloud::aws) fn read(files: &AwsConfigFiles) -> CloudResult<Self> {
        let mut profiles = Self::default();
        for (variable, path, text) in files.read()? {
            let sections = parser::parse(&text).map_err(|error| unparsed(path, &error.to_string(), variable))?;
            profiles.add_file(path, variable == CONFIG, sections);
        }
        Ok(profiles)
    }

    pub(super) fn add_file(&mut self, path: &Path, is_config: bool, sections: Vec<Section>) {
        let name = |section: &Section| {
            if is_config {
                SectionName::in_config(&section.header)
            } else {
                SectionName::in_credentials(&section.header)
            }
        };
        let (defaults, sections): (Vec<_>, Vec<_>) =
            sections.into_iter().partition(|section| name(section) == SectionName::Defaults);
        let defaults: Vec<Entry> = defaults.into_iter().flat_map(|section| section.entries).collect();
        let placed = |entry: Entry| (entry.key.clone(), PlacedValue { entry, file: path.to_owned() });
        for section in sections {
            let name = name(&section);
            let entries = defaults.iter().cloned().chain(section.entries);
            let values: SectionValues = entries.map(placed).collect();
            match name {
                // A later section replaces one of the same name and another header, as in botocore.
                SectionName::Profile(name) if is_config => _ = self.profiles.insert(name, values),
                SectionName::Profile(name) => self.profiles.entry(name).or_default().extend(values),
                SectionName::SsoSession(name) => _ = self.sso_sessions.insert(name, values),
                SectionName::Services(name) => _ = self.services.insert(name, values),
                SectionName::Defaults | SectionName::Other => {
                    self.others.push((path.to_owned(), section.line, section.header));
                }
            }
        }
        self.files.push(path.to_owned());
    }

    /// Returns the value of a profile's key, if it has one line.
    pub(in crate::cloud::aws) fn get(&self, profile: &str, key: &str) -> Option<&str> {
        self.profiles.get(profile)?.get(key)?.entry.value()
    }

    /// Returns whether a profile's key has an empty value.
    pub(in crate::cloud::aws) fn is_empty_value(&self, profile: &str, key: &str) -> bool {
        let value = self.profiles.get(profile).and_then(|values| values.get(key));
        value.is_some_and(|value| value.entry.lines.iter().all(String::is_empty))
    }

    /// Returns where a profile's key is: `FILE, line 3, profile x`.
    pub(in crate::cloud::aws) fn place(&self, profile: &str, key: &str) -> Option<String> {
        let value = self.profiles.get(profile)?.get(key)?;
        Some(format!("{}, line {}, profile {profile}", value.file.display(), value.entry.line))
    }

    /// Returns the profile whose credentials a profile takes, each with where that is told.
    pub(in crate::cloud::aws) fn source_of(&self, profile: &str) -> Option<&str> {
        // With credentials of its own, or another source, the SDK and botocore don't look at it.
        self.get(profile, "role_arn").and_then(|_| self.get(profile, SOURCE_PROFILE))
    }

    /// Fails if the SDK would hang on a token that a profile, or one that it gets its credentials from, names, or if the
    /// token is absent.
    pub(in crate::cloud::aws) fn check_tokens(&self, profile: &str) -> CloudResult<()> {
        for name in self.chain(profile) {
            if let Some(path) = self.get(name, TOKEN_FILE) {
                let hint = || format!("set {TOKEN_FILE} of the profile {name} to a file with a token, or remove it");
                files::check_token(Path::new(path), hint)?;
            }
        }
        Ok(())
    }

    /// Returns the keys that a profile has itself.
    pub(in crate::cloud::aws) fn keys(&self, profile: &str) -> Option<Credentials> {
        let get = |key| self.get(profile, key).map(str::to_owned);
        let (id, secret) = (get("aws_access_key_id")?, get("aws_secret_access_key")?);
        Some(Credentials::new(id, secret, get("aws_session_token"), None, "profile"))
    }

    /// Fails if a profile, or one that it gets its credentials from, names an sso-session that the SDK can't find: it
    /// takes fewer characters than the AWS CLI, and looks for the login by the name.
    pub(in crate::cloud::aws) fn check_sessions(&self, profile: &str) -> CloudResult<()> {
        for name in self.chain(profile) {
            let session = self.get(name, SSO_SESSION).filter(|session| !session.chars().all(is_plain));
            if let Some((session, place)) = session.zip(self.place(name, SSO_SESSION)) {
                return Err(CloudError::Unusable {
                    what: format!("the name of the sso-session {session} is not supported: {place}"),
                    hint: "name it with letters, digits and `-`, in [sso-session NAME] too".to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Returns a profile and the chain of its source profiles, each once.
    pub(in crate::cloud::aws) fn chain<'a>(&'a self, profile: &'a str) -> Vec<&'a str> {
        let mut chain = vec![profile];
        while let Some(next) = chain.last().and_then(|last| self.get(last, SOURCE_PROFILE)) {
            if chain.contains(&next) {
                break;
            }
            chain.push(next);
        }
        chain
    }
}

fn unparsed(path: &Path, why: &str, variable: &str) -> CloudError {
    CloudError::Unusable {
        what: format!("{} can't be parsed: {why}", path.display()),
        hint: format!("repair it, or set {variable} to another file; /dev/null has no profiles"),
    }
}
