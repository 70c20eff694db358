//! How a script is started on several devices by torchrun.
//!
//! Sources: sagemaker-training 5.1.4, `torch_distributed.py` and `runner.py`; sagemaker-pytorch-training 2.9.1,
//! `training.py`, which chooses among the kinds of distribution.

use super::entry_point::EntryPointKind;
use super::environment::find;
use super::error::ContractError;
use super::local_environment::LocalEnvironment;
use crate::python::repr::PyValue;

/// The module behind the command `torchrun`: started by the script's own Python, whichever its `PATH` is.
const MODULE: &str = "torch.distributed.run";
const SWITCH: &str = "sagemaker_torch_distributed_enabled";
/// Kinds that the image's training module prefers.
const PREFERRED_SWITCHES: [&str; 2] = ["sagemaker_mpi_enabled", "sagemaker_pytorch_ddp_enabled"];
/// The toolkit reads the number of processes from MPI's hyperparameter.
const PROCESSES: &str = "sagemaker_mpi_num_of_processes_per_host";
/// Variable and value with which the toolkit precompiles graphs for AWS Neuron.
const PRECOMPILES: (&str, &str) = ("RUN_NEURON_PARALLEL_COMPILE", "1");
const PRECOMPILER: &str = "neuron_parallel_compile";

/// Returns whether torchrun starts the script.
pub(super) fn is_on(host: &LocalEnvironment<'_>) -> bool {
    let on = |switch: &str| find(host.framework_parameters(), switch).is_some_and(PyValue::is_truthy);
    on(SWITCH) && host.takes_part() && !PREFERRED_SWITCHES.iter().any(|switch| on(switch))
}

/// Returns the command that starts the script on one host, without the script and its arguments. Fails for an entry
/// point that is no Python script, as the toolkit does.
pub(super) fn launcher(
    host: &LocalEnvironment<'_>,
    kind: EntryPointKind,
    python: &str,
) -> Result<Vec<String>, ContractError> {
    match kind {
        EntryPointKind::Program => {}
        EntryPointKind::Package => return Err(ContractError::TorchDistributed("with a setup.py beside it, a package")),
        EntryPointKind::Shell => return Err(ContractError::TorchDistributed("not a Python script")),
    }
    let precompiles = host.variable(PRECOMPILES.0) == Some(PRECOMPILES.1);
    let processes = processes(host);
    let words = [python, "-m", MODULE, "--nnodes", "1", "--nproc_per_node", &processes];
    Ok(precompiles.then_some(PRECOMPILER).into_iter().chain(words).map(str::to_owned).collect())
}

/// Returns the number of processes: one for each GPU, else one for each Neuron core, else one.
fn processes(host: &LocalEnvironment<'_>) -> String {
    let given = find(host.framework_parameters(), PROCESSES).filter(|given| given.is_truthy());
    let of_devices = || host.devices().into_iter().find(|count| *count > 0).unwrap_or(1).to_string();
    given.map_or_else(of_devices, PyValue::to_str)
}

/// Returns the variables that the toolkit sets for torchrun. Not those of Elastic Fabric Adapter, which this computer
/// doesn't have, whatever its instance type is called.
pub(super) fn variables(host: &LocalEnvironment<'_>) -> [(String, String); 2] {
    [
        ("NCCL_SOCKET_IFNAME".to_owned(), host.network_interface().to_owned()),
        ("NCCL_PROTO".to_owned(), "simple".to_owned()),
    ]
}
