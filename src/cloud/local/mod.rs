//! The cloud on this computer: a store of jobs, a supervisor for each, and SageMaker's container contract.

pub(crate) mod contract;
