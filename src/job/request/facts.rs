//! Facts that a spec does not hold itself, and how its code reaches the container.

use std::collections::BTreeMap;

use crate::contract::driver::{CODE_CHANNEL, DRIVER_CHANNEL};
use crate::job::spec::{JobSpec, Workload};
use crate::model::{JobName, S3Uri};

/// What a spec doesn't say by itself: found out before the request is made.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedInputs<'a> {
    pub(crate) name: &'a JobName,
    pub(crate) region: &'a str,
    pub(crate) role_arn: &'a str,
    /// The container image; of no use to an algorithm's ARN.
    pub(crate) image: &'a str,
    /// The image of built-in rules; of no use where the spec has none.
    pub(crate) rules_image: &'a str,
    /// Where the job's output goes, without its name.
    pub(crate) output: &'a S3Uri,
    /// The uploaded `sourcedir.tar.gz`.
    pub(crate) code: Option<&'a S3Uri>,
    /// The uploaded [`driver`], where there is one.
    pub(crate) driver: Option<&'a S3Uri>,
    /// Channel to uploaded local data.
    pub(crate) data: &'a BTreeMap<String, S3Uri>,
    /// Provenance. A tag of the spec with the same key comes first.
    pub(crate) tags: &'a [(String, String)],
}

/// How the code in `[source]` reaches the container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// The toolkit in the image fetches the archive by its S3 URI.
    Toolkit,
    /// The same toolkit, cut off from the network: the archive comes as a channel.
    ToolkitAndChannel,
    /// An image that knows nothing of the toolkit: the archive comes as a channel.
    Channel,
    /// No code of the user's.
    None,
}

impl Delivery {
    pub(super) fn of(spec: &JobSpec) -> Self {
        match (&spec.workload, &spec.source) {
            (Workload::Framework(_), _) if spec.network.isolation => Self::ToolkitAndChannel,
            (Workload::Framework(_), _) => Self::Toolkit,
            (Workload::Container(_), Some(_)) => Self::Channel,
            (Workload::Container(_), None) | (Workload::Algorithm(_) | Workload::Serverless(_), _) => Self::None,
        }
    }

    pub(super) fn channels(self) -> &'static [&'static str] {
        match self {
            Self::Channel => &[CODE_CHANNEL, DRIVER_CHANNEL],
            Self::ToolkitAndChannel => &[CODE_CHANNEL],
            Self::Toolkit | Self::None => &[],
        }
    }
}
