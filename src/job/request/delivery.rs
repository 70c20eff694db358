//! The ways in which the code in `[source]` reaches the container.

use crate::contract::driver::{CODE_CHANNEL, DRIVER_CHANNEL};
use crate::job::spec::{JobSpec, Workload};

/// The way in which a job's code reaches its container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// The toolkit in the image downloads the archive from its S3 URI.
    Toolkit,
    /// The toolkit is in the image but has no network: the archive is mounted as a channel.
    ToolkitAndChannel,
    /// The image has no toolkit: the archive and the driver that runs it are mounted as channels.
    Channel,
    /// The job has no code of the user's.
    None,
}

impl Delivery {
    /// Returns the delivery that a spec's workload, source and network require.
    pub(super) fn of(spec: &JobSpec) -> Self {
        match (&spec.workload, &spec.source) {
            (Workload::Framework(_), _) if spec.network.isolation => Self::ToolkitAndChannel,
            (Workload::Framework(_), _) => Self::Toolkit,
            (Workload::Container(_), Some(_)) => Self::Channel,
            (Workload::Container(_), None) | (Workload::Algorithm(_) | Workload::Serverless(_), _) => Self::None,
        }
    }

    /// Returns the names of the channels that the delivery needs.
    pub(super) fn channels(self) -> &'static [&'static str] {
        match self {
            Self::Channel => &[CODE_CHANNEL, DRIVER_CHANNEL],
            Self::ToolkitAndChannel => &[CODE_CHANNEL],
            Self::Toolkit | Self::None => &[],
        }
    }
}
