//! The host of a job, as the service and the toolkit describe it.

/// Name of the only host of a local job, in the service's form.
pub(crate) const HOST_NAME: &str = "algo-1";

/// The computer that a job runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) cpus: usize,
    pub(crate) gpus: usize,
    /// Number of AWS Neuron cores.
    pub(crate) neurons: usize,
    /// Name of the network interface: `eth0` on SageMaker.
    pub(crate) network_interface: String,
    pub(crate) instance_type: String,
}
