//! Decodes `[distribution]`: how the script runs on more than one device or host.

use super::constraints;
use super::free_form::json_table;
use super::section::SectionReader;
use crate::job::diagnostics::suggest::list;
use crate::job::spec::{Distribution, DistributionKind};

const KINDS: &[(&str, DistributionKind)] = &[
    ("torch_distributed", DistributionKind::TorchDistributed),
    ("mpi", DistributionKind::Mpi),
    ("smdistributed_dataparallel", DistributionKind::SmdistributedDataparallel),
    ("smdistributed_modelparallel", DistributionKind::SmdistributedModelparallel),
    ("parameter_server", DistributionKind::ParameterServer),
    ("multi_worker_mirrored_strategy", DistributionKind::MultiWorkerMirroredStrategy),
    ("pytorch_xla", DistributionKind::PytorchXla),
];

/// Length limit of MPI options, which are sent as a hyperparameter (botocore, `HyperParameterValue`).
const MAX_OPTIONS_CHARS: usize = 2500;

pub(crate) fn decode(root: &SectionReader<'_>) -> Option<Distribution> {
    let section = root.section("distribution");
    if !section.is_written() {
        return None;
    }
    let kind = section.word("type", KINDS);
    if let Some(kind) = kind {
        check_options(&section, kind);
    }
    Some(Distribution {
        kind: kind.unwrap_or(DistributionKind::Mpi),
        processes_per_host: section.count("processes_per_host"),
        custom_mpi_options: section.checked("custom_mpi_options", |text| constraints::at_most(text, MAX_OPTIONS_CHARS)),
        parameters: json_table(&section, "parameters"),
        modelparallel: json_table(&section, "modelparallel"),
        instance_groups: section.strings("instance_groups", constraints::not_empty),
    })
}

/// Reports keys that the type of distribution doesn't have.
fn check_options(section: &SectionReader<'_>, kind: DistributionKind) {
    use DistributionKind::{Mpi, SmdistributedDataparallel, SmdistributedModelparallel, TorchDistributed};
    let only = |key: &str, kinds: &[DistributionKind]| {
        if section.has(key) && !kinds.contains(&kind) {
            let names: Vec<&str> =
                KINDS.iter().filter(|(_, kind)| kinds.contains(kind)).map(|(name, _)| *name).collect();
            let message = format!("`{key}` is only for {}", list(&names));
            section.refuse(key, message, Some("leave it out".to_owned()));
        }
    };
    only("processes_per_host", &[Mpi, SmdistributedModelparallel]);
    only("custom_mpi_options", &[Mpi, SmdistributedDataparallel, SmdistributedModelparallel]);
    // An empty table is accepted with every type, like none.
    let is_empty = json_table(section, "parameters").is_none_or(|parameters| parameters.is_empty());
    if !is_empty {
        only("parameters", &[SmdistributedModelparallel]);
    }
    only("modelparallel", &[TorchDistributed]);
}
