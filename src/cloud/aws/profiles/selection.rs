//! Which profile is used, and the errors about profiles that don't exist.

use std::path::Path;

use super::for_sdk::encoded;
use super::names::{DEFAULT, is_plain};
use super::set::{Profiles, SOURCE_PROFILE};
use crate::cloud::{AwsTarget, CloudError, CloudResult, FailureClass, ServiceError};

/// Maximum number of names in an error.
const MAX_NAMES_SHOWN: usize = 20;

/// The profile that is used, and what names it.
#[derive(Clone, Debug)]
pub(in crate::cloud::aws) struct SelectedProfile {
    name: String,
    named_by: NamedBy,
}

#[derive(Clone, Debug)]
enum NamedBy {
    /// `--profile`, or the setting at this place.
    Target(Option<String>),
    Variable(&'static str),
    /// Nothing: it is the profile `default`, which need not exist.
    Nothing,
}

impl SelectedProfile {
    /// Returns the profile of a target, else that of a variable, else `default`.
    pub(in crate::cloud::aws) fn new(target: &AwsTarget, variable: Option<&(&'static str, String)>) -> Self {
        match (&target.profile, variable) {
            (Some(name), _) => Self { name: name.clone(), named_by: NamedBy::Target(target.profile_origin.clone()) },
            (None, Some((variable, name))) => Self { name: name.clone(), named_by: NamedBy::Variable(variable) },
            (None, None) => Self { name: DEFAULT.to_owned(), named_by: NamedBy::Nothing },
        }
    }

    pub(in crate::cloud::aws) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name as the SDK finds it.
    pub(in crate::cloud::aws) fn sdk_name(&self) -> String {
        encoded(&self.name)
    }

    /// Returns whether only this profile's credentials are used: as in all AWS tools, one that is named for this
    /// program takes precedence over the environment's credentials.
    pub(in crate::cloud::aws) fn is_exclusive(&self) -> bool {
        matches!(self.named_by, NamedBy::Target(_))
    }

    /// Returns the hint that says what named a profile that doesn't exist.
    fn hint(&self) -> Option<String> {
        match &self.named_by {
            NamedBy::Target(None) => Some("--profile names it".to_owned()),
            NamedBy::Target(Some(origin)) => Some(format!("the setting `profile` names it: {origin}")),
            NamedBy::Variable(variable) => Some(format!("{variable} names it: set another one, or unset {variable}")),
            NamedBy::Nothing => None,
        }
    }
}

impl Profiles {
    /// Fails if a profile is named that doesn't exist.
    pub(in crate::cloud::aws) fn check_selected(&self, selection: &SelectedProfile) -> CloudResult<()> {
        match selection.hint() {
            Some(hint) if !self.profiles.contains_key(&selection.name) => Err(self.no_profile(&selection.name, hint)),
            _ => Ok(()),
        }
    }

    /// Fails if a profile takes its credentials, directly or by way of others, from one that doesn't exist.
    pub(in crate::cloud::aws) fn check_sources(&self, profile: &str) -> CloudResult<()> {
        let mut seen = vec![profile];
        while let Some(source) = seen.last().and_then(|last| self.source_of(last)) {
            let last = seen.last().copied().unwrap_or(profile);
            if !self.profiles.contains_key(source) {
                let place = self.place(last, SOURCE_PROFILE).unwrap_or_default();
                return Err(self.no_profile(source, format!("{SOURCE_PROFILE} names it: {place}")));
            }
            if seen.contains(&source) {
                break;
            }
            seen.push(source);
        }
        Ok(())
    }

    /// Returns the error that a profile doesn't exist, with those that do.
    fn no_profile(&self, name: &str, named_by: String) -> CloudError {
        let files: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        let place = if files.is_empty() { "no file of profiles exists".to_owned() } else { files.join(" or ") };
        let message = if files.is_empty() {
            format!("there is no profile {name}: {place}")
        } else {
            format!("there is no profile {name} in {place}")
        };
        let hints = [self.near_miss(name), Some(self.names_hint()), Some(named_by)];
        let hints = hints.into_iter().flatten().collect();
        let class = FailureClass::Other;
        CloudError::Service(Box::new(ServiceError { class, message, hints, details: Vec::new() }))
    }

    fn names_hint(&self) -> String {
        let names: Vec<&str> = self.profiles.keys().map(String::as_str).collect();
        let more = names.len().saturating_sub(MAX_NAMES_SHOWN);
        match names.get(..MAX_NAMES_SHOWN).unwrap_or(&names) {
            [] => "make one: aws configure --profile NAME".to_owned(),
            shown if more > 0 => format!("use one of the profiles there are: {} and {more} more", shown.join(", ")),
            shown => format!("use one of the profiles there are: {}", shown.join(", ")),
        }
    }

    /// Returns the hint that a section seems to be meant for the profile.
    fn near_miss(&self, name: &str) -> Option<String> {
        let is_meant = |header: &str| header.trim().trim_start_matches("profile").trim() == name;
        let (file, line, header) = self.others.iter().find(|(_, _, header)| is_meant(header))?;
        Some(format!("{} has [{header}], which is no profile: write [profile {}]", at(file, *line), as_word(name)))
    }
}

fn at(file: &Path, line: usize) -> String {
    format!("line {line} of {}", file.display())
}

/// Returns a name as it stands in a header: in quotes if it has spaces.
fn as_word(name: &str) -> String {
    if name.chars().all(is_plain) { name.to_owned() } else { format!("\"{name}\"") }
}
