//! The machine that a job runs on, as the service and the toolkit describe it.

/// The name of the only host of a local job, in the service's own words.
pub(crate) const HOST_NAME: &str = "algo-1";

/// What the service and the toolkit say of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) cpus: usize,
    pub(crate) gpus: usize,
    /// AWS Neuron cores.
    pub(crate) neurons: usize,
    /// `eth0` on SageMaker.
    pub(crate) network_interface: String,
    pub(crate) instance_type: String,
}
