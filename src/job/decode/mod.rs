//! Decodes the tree into the types of [`spec`](super::spec), a file per group of sections.
//!
//! Each section is checked by itself; [`validate`](super::validate) checks them together. A value that can't be used is
//! reported and replaced by a default, so that every section is read whole. The result is used only if no error was
//! reported.

pub(crate) mod channels;
pub(super) mod constraints;
mod distribution;
pub(super) mod free_form;
pub(crate) mod image_catalog;
pub(crate) mod infrastructure;
mod monitoring;
pub(crate) mod parameters;
mod request_patch;
mod resources;
mod runtime;
pub(super) mod section;
mod source;

use std::path::Path;

use super::diagnostics::report::Report;
use super::document::tree::TreeTable;
use super::schema;
use super::spec::JobSpec;
use crate::model::JobName;
use crate::model::job_name::base_from;
use channels::INPUT_MODES;
use section::SectionReader;

/// Decodes a spec. `folder` is the spec's, in which relative paths start.
pub(crate) fn decode(tree: &TreeTable, folder: &Path, report: &Report) -> JobSpec {
    let root = SectionReader::root(tree, schema::ROOT, report);
    JobSpec {
        folder: folder.to_owned(),
        name: name(&root, folder),
        input_mode: root.word("input_mode", INPUT_MODES).unwrap_or_default(),
        role: root.checked("role", constraints::role),
        region: root.checked("region", constraints::region),
        workload: runtime::decode(&root),
        source: source::decode(&root, folder),
        hyperparameters: parameters::hyperparameters(&root),
        environment: parameters::environment(&root),
        resources: resources::resources(&root),
        limits: resources::limits(&root),
        spot: infrastructure::switch(&root, "spot").unwrap_or(false),
        checkpoints: resources::checkpoints(&root),
        channels: channels::decode(&root, folder),
        output: infrastructure::output(&root),
        metrics: parameters::metrics(&root),
        distribution: distribution::decode(&root),
        network: infrastructure::network(&root),
        volume_kms_key_id: infrastructure::volume_kms_key_id(&root),
        tags: parameters::tags(&root),
        local: infrastructure::local(&root),
        tensorboard: monitoring::tensorboard(&root),
        experiment: monitoring::experiment(&root),
        debugger: monitoring::debugger(&root),
        profiler: monitoring::profiler(&root),
        remote_debug: infrastructure::switch(&root, "remote_debug"),
        infra_check: infrastructure::switch(&root, "infra_check"),
        session_chaining: infrastructure::switch(&root, "session_chaining"),
        mlflow: monitoring::mlflow(&root),
        model_package: runtime::model_package(&root),
        request: request_patch::decode(&root),
    }
}

/// Returns the base of the job's name. The default is the folder's name with its invalid characters replaced; a written
/// name must be valid.
fn name(root: &SectionReader<'_>, folder: &Path) -> String {
    let from_folder = || base_from(&folder.file_name().unwrap_or_default().to_string_lossy());
    let Some(name) = root.string("name") else { return from_folder() };
    if let Err(error) = JobName::new(name.as_str()) {
        root.refuse("name", format!("`name` can't start the names of jobs: {error}"), did_you_mean_base(&name));
    }
    name
}

fn did_you_mean_base(name: &str) -> Option<String> {
    let base = base_from(name);
    name.contains(|c: char| c.is_ascii_alphanumeric()).then(|| format!("did you mean \"{base}\"?"))
}
