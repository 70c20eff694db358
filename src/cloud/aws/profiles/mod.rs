//! The profiles of the AWS configuration files, read once for a connection.
//!
//! They are read as the AWS CLI reads them ([`parser`], [`names`]) and given to the SDK in the form that it knows
//! ([`for_sdk`]). The SDK by itself treats files that it can't parse as absent, and goes on to other credentials, such as
//! those of the instance, if a profile doesn't exist.

mod for_sdk;
mod names;
mod parser;
mod selection;
mod set;
#[cfg(test)]
mod tests;

pub(super) use for_sdk::encoded as sdk_name;
pub(super) use selection::SelectedProfile;
pub(super) use set::{Profiles, SSO_SESSION, TOKEN_FILE};
