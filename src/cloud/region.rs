//! The AWS account and region that a command works with.

use std::fmt;

/// Region and profile that the user asked for. `None` leaves the choice to the SDK's default chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AwsTarget {
    pub(crate) region: Option<String>,
    pub(crate) profile: Option<String>,
    /// The setting that names the profile. `None` if the command line does.
    pub(crate) profile_origin: Option<String>,
    /// Forbids all calls. Values that only AWS can return become placeholders in angle brackets.
    pub(crate) offline: bool,
}

/// Placeholders in the request of a dry run for values that only AWS can return. A dry run calls no service.
pub(crate) mod placeholder {
    pub(crate) const ACCOUNT: &str = "<account>";
    pub(crate) const ROLE_PATH: &str = "<path>";
    pub(crate) const REGION: &str = "<region>";
}

/// Region that a cloud's jobs run in. Displayed as it appears in ARNs and bucket names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    /// An AWS region.
    Aws(String),
    /// An AWS region that no setting names, in a dry run. Displayed as a placeholder.
    Unknown,
    /// This computer.
    Local,
}

impl Region {
    /// Returns the name of the AWS region, if it is known.
    pub(crate) fn aws_name(&self) -> Option<&str> {
        match self {
            Self::Aws(name) => Some(name),
            Self::Unknown | Self::Local => None,
        }
    }

    /// Returns the text that stands for the region in ARNs and bucket names.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Aws(name) => name,
            Self::Unknown => placeholder::REGION,
            Self::Local => "local",
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
