//! Checks keys that require or exclude each other, as the API or the SageMaker SDK does.

use std::path::Path;

use super::checks::Checks;
use crate::job::diagnostics::problem::Problem;
use crate::job::diagnostics::suggest::{did_you_mean, list};
use crate::job::request;
use crate::job::schema::MAX_CHANNELS;
use crate::job::spec::{
    ChannelSource, Distribution, DistributionKind, Framework, InstanceGroupSpec, RepositoryAccess, Workload,
};
use crate::model::duration;

pub(crate) fn check(checks: &Checks<'_>) {
    instances(checks);
    instance_groups(checks);
    spot(checks);
    keep_alive(checks);
    checkpoints(checks);
    network(checks);
    distribution(checks);
    if let Workload::Framework(framework) = &checks.spec.workload
        && framework.training_compiler
    {
        training_compiler(checks, framework);
    }
    code(checks);
    code_channels(checks);
    serverless(checks);
}

const TYPE: [&str; 2] = ["resources", "instance_type"];
const COUNT: [&str; 2] = ["resources", "instance_count"];
const GROUPS: [&str; 2] = ["resources", "instance_groups"];
const PREFERENCES: [&str; 2] = ["resources", "instance_preferences"];

fn instances(checks: &Checks<'_>) {
    let groups = checks.has(&GROUPS);
    let preferences = checks.has(&PREFERENCES);
    if groups && preferences {
        checks.refuse(
            &PREFERENCES,
            "`instance_preferences` can't be used beside `instance_groups`",
            "keep one of them",
        );
    }
    for (several, name) in [(groups, "instance_groups"), (preferences, "instance_preferences")] {
        if several && checks.has(&TYPE) {
            let message = format!("`instance_type` can't be used beside `{name}`");
            checks.refuse(&TYPE, message, "each entry has a type of its own");
        }
    }
    if groups && checks.has(&COUNT) {
        let message = "`instance_count` can't be used beside `instance_groups`";
        checks.refuse(&COUNT, message, "each group has a count of its own");
    }
    if preferences && checks.spec.spot {
        let message = "spot instances can't be used with `instance_preferences`";
        checks.refuse(&["spot", "enabled"], message, "leave one of them out");
    }
    let is_serverless = matches!(checks.spec.workload, Workload::Serverless(_));
    if !(checks.local || is_serverless || groups || preferences || checks.has(&TYPE) || checks.is_misplaced(TYPE)) {
        let hint = "such as instance_type = \"ml.m5.xlarge\", or \"local\" to run on this computer";
        checks.refuse(&TYPE, "[resources] needs `instance_type`", hint);
    }
}

fn instance_groups(checks: &Checks<'_>) {
    let names: Vec<&str> = checks.spec.resources.instance_groups.iter().map(|group| group.name.as_str()).collect();
    let check = |path: &[&str], group: &String| {
        if names.contains(&group.as_str()) {
            return;
        }
        let hint = did_you_mean(group, names.iter().copied());
        let hint = hint.unwrap_or_else(|| "groups are named in resources.instance_groups".to_owned());
        checks.refuse(path, format!("there is no instance group `{group}`"), &hint);
    };
    for channel in &checks.spec.channels {
        let path = ["channels", channel.name.as_str(), "instance_groups"];
        channel.instance_groups.iter().for_each(|group| check(&path, group));
    }
    let Some(distribution) = &checks.spec.distribution else { return };
    let path = ["distribution", "instance_groups"];
    distribution.instance_groups.iter().for_each(|group| check(&path, group));
    if names.len() > 1 && distribution.instance_groups.len() != 1 {
        let hint = "add instance_groups = [\"NAME\"] of the group that trains";
        checks.refuse(&path, "distribution on several instance groups needs exactly one of them", hint);
    }
}

fn spot(checks: &Checks<'_>) {
    let limits = &checks.spec.limits;
    let path = ["limits", "max_wait"];
    let Some(max_wait) = limits.max_wait else { return };
    if !checks.spec.spot {
        return checks.refuse(&path, "`max_wait` is only for spot instances", "add [spot] with enabled = true");
    }
    if max_wait < limits.max_run {
        let wait = duration::show(max_wait);
        let run = duration::show(limits.max_run);
        let message = format!("`max_wait` ({wait}) is shorter than `max_run` ({run}), which it includes");
        checks.refuse(&path, message, "make it at least as long, or leave it out: it is then the same");
    }
}

/// Warns of checkpoints that are stored nowhere.
fn checkpoints(checks: &Checks<'_>) {
    let is_nowhere = checks.spec.checkpoints.as_ref().is_some_and(|checkpoints| checkpoints.s3_uri.is_none());
    if is_nowhere && !checks.spec.spot && !checks.is_misplaced(["checkpoints", "s3_uri"]) {
        let problem = Problem::warning("[checkpoints] has no `s3_uri`, and no checkpoint is stored");
        checks
            .add(&["checkpoints"], problem.hint("add s3_uri = \"s3://BUCKET/PREFIX\"; only a spot job has a default"));
    }
}

fn keep_alive(checks: &Checks<'_>) {
    let is_kept = checks.spec.resources.keep_alive_period.is_some_and(|period| !period.is_zero());
    if is_kept && checks.spec.spot {
        let message = "`keep_alive_period` can't be used with spot instances, which can't be kept";
        checks.refuse(&["resources", "keep_alive_period"], message, "leave one of them out");
    }
}

fn network(checks: &Checks<'_>) {
    if checks.has(&["network", "subnets"]) || checks.has(&["network", "security_group_ids"]) {
        return;
    }
    let hint = "add [network] with subnets and security_group_ids";
    for channel in &checks.spec.channels {
        if matches!(channel.source, ChannelSource::FileSystem(_)) {
            let path = ["channels", channel.name.as_str(), "source"];
            checks.refuse(&path, "a file system is reached through a network, and none is given", hint);
        }
    }
    if let Workload::Container(container) = &checks.spec.workload
        && container.repository_access == Some(RepositoryAccess::Vpc)
    {
        let message = "a repository in your VPC is reached through a network, and none is given";
        checks.refuse(&["container", "repository_access"], message, hint);
    }
}

fn distribution(checks: &Checks<'_>) {
    let Some(distribution) = &checks.spec.distribution else { return };
    let path = ["distribution", "type"];
    let Workload::Framework(framework) = &checks.spec.workload else {
        return checks.refuse(&path, "[distribution] is only for [framework]", "leave it out");
    };
    let only = |frameworks: &[&str]| {
        if !framework.name.is_empty() && !frameworks.contains(&framework.name.as_str()) && framework.image.is_none() {
            let message = format!("this distribution is only for {}", list(frameworks));
            checks.refuse(&path, message, "choose another type");
        }
    };
    match distribution.kind {
        // The library's second version is only in PyTorch images of its own.
        DistributionKind::TorchDistributed if distribution.modelparallel.is_some() => only(&["pytorch"]),
        DistributionKind::TorchDistributed => only(&["pytorch", "huggingface"]),
        DistributionKind::PytorchXla if !framework.training_compiler => {
            let hint = "add training_compiler = true to [framework]";
            checks.refuse(&path, "`pytorch_xla` needs the training compiler", hint);
        }
        DistributionKind::MultiWorkerMirroredStrategy => only(&["tensorflow"]),
        DistributionKind::ParameterServer => only(&["tensorflow", "mxnet"]),
        DistributionKind::SmdistributedModelparallel | DistributionKind::SmdistributedDataparallel => {
            only(&["pytorch", "tensorflow", "huggingface"]);
        }
        DistributionKind::PytorchXla | DistributionKind::Mpi => {}
    }
    if framework.image.is_none() {
        devices(checks, framework, distribution);
    }
    python_program(checks, distribution.kind);
}

/// Instance types that the data-parallel library supports (sagemaker 2.257.7,
/// `SM_DATAPARALLEL_SUPPORTED_INSTANCE_TYPES`).
const DATAPARALLEL_TYPES: [&str; 4] = ["ml.p3.16xlarge", "ml.p3dn.24xlarge", "ml.p4d.24xlarge", "ml.p4de.24xlarge"];

/// Checks the types of the instances that the script is distributed on against the kind of distribution.
fn devices(checks: &Checks<'_>, framework: &Framework, distribution: &Distribution) {
    let resources = &checks.spec.resources;
    let is_of_group = |group: &&InstanceGroupSpec| distribution.instance_groups.contains(&group.name);
    let groups = resources.instance_groups.iter().filter(is_of_group).map(|group| (&GROUPS, &group.instance_type));
    let single = resources.instance_type.iter().map(|name| (&TYPE, name));
    for (path, instance_type) in single.chain(groups).filter(|(_, name)| !name.is_local()) {
        let name = instance_type.as_str();
        if distribution.kind == DistributionKind::SmdistributedDataparallel && !DATAPARALLEL_TYPES.contains(&name) {
            let message = format!("smdistributed_dataparallel doesn't run on `{name}`");
            checks.refuse(path, message, &format!("it runs on {}", list(&DATAPARALLEL_TYPES)));
        }
        let is_torch = distribution.kind == DistributionKind::TorchDistributed;
        if !is_torch && name.starts_with("ml.trn") {
            let message = format!("`{name}` only runs torch_distributed");
            checks.refuse(&["distribution", "type"], message, "choose that type");
        }
        if is_torch && framework.name == "pytorch" && !instance_type.is_accelerated() {
            let message = format!("torch_distributed doesn't run on `{name}`, which has no GPU");
            checks.refuse(path, message, "it runs on types with GPUs or Neuron devices, such as ml.g5.xlarge");
        }
    }
}

/// Reports an entry point that torch_distributed can't start (sagemaker 2.257.7,
/// `validate_torch_distributed_distribution`).
fn python_program(checks: &Checks<'_>, kind: DistributionKind) {
    let entry_point = checks.spec.source.as_ref().and_then(|source| source.entry_point.as_deref());
    let is_python = |name: &str| Path::new(name).extension().is_some_and(|extension| extension == "py");
    if kind == DistributionKind::TorchDistributed && entry_point.is_some_and(|name| !is_python(name)) {
        let message = "torch_distributed starts only Python programs";
        checks.refuse(&["source", "entry_point"], message, "name a .py file, or leave [distribution] out");
    }
}

/// Instance families that the training compiler's images support (sagemaker 2.257.7, `TrainingCompilerConfig`).
const COMPILER_FAMILIES: [&str; 4] = ["ml.p3.", "ml.p4d.", "ml.g4dn.", "ml.g5."];

fn training_compiler(checks: &Checks<'_>, framework: &Framework) {
    let path = ["framework", "training_compiler"];
    if let Some(instance_type) = &checks.spec.resources.instance_type {
        let name = instance_type.as_str();
        let is_supported = instance_type.is_local()
            || name.starts_with("ml.p3dn.")
            || COMPILER_FAMILIES.iter().any(|family| name.starts_with(family));
        if !is_supported {
            let message = format!("the training compiler doesn't run on `{name}`");
            checks.refuse(&TYPE, message, "it runs on ml.p3, ml.p3dn, ml.p4d, ml.g4dn and ml.g5");
        }
    }
    if !checks.spec.resources.instance_groups.is_empty() {
        checks.refuse(&path, "the training compiler can't be used with instance groups", "leave one of them out");
    }
    let kind = checks.spec.distribution.as_ref().map(|distribution| distribution.kind);
    if framework.name == "tensorflow" && kind == Some(DistributionKind::MultiWorkerMirroredStrategy) {
        checks.refuse(&path, "the training compiler can't be used with this distribution", "leave one of them out");
    }
}

/// Checks that a framework has a script, that an algorithm has none, and that a container with code has one way to
/// start it.
fn code(checks: &Checks<'_>) {
    match &checks.spec.workload {
        Workload::Algorithm(_) if checks.has(&["source"]) => {
            checks.refuse(
                &["source"],
                "[source] can't be used with [algorithm], which has its own code",
                "leave it out",
            );
        }
        Workload::Framework(_) if checks.has(&["framework"]) && !is_script_given(checks) => {
            let hint = "add entry_point = \"train.py\" to [source]";
            let section = if checks.has(&["source"]) { "source" } else { "framework" };
            checks.refuse(&[section], "[framework] needs a script, and none is given", hint);
        }
        Workload::Container(container) if checks.has(&["source"]) => {
            let has_script = is_script_given(checks);
            if container.entrypoint.is_empty() && !has_script {
                let hint = "add entry_point = \"train.py\", or [container] entrypoint";
                checks.refuse(&["source", "entry_point"], "nothing says what of [source] runs", hint);
            }
            if has_script && !container.entrypoint.is_empty() {
                let message = "`entrypoint` can't be used beside the `entry_point` of [source]";
                checks.refuse(&["container", "entrypoint"], message, "keep the one that starts the job");
            }
        }
        _ => {}
    }
}

fn code_channels(checks: &Checks<'_>) {
    let names = request::code_channels(checks.spec);
    let count = checks.spec.channels.len();
    let most = MAX_CHANNELS - names.len();
    // More channels than the API allows at all were reported by the decoder.
    if (most + 1..=MAX_CHANNELS).contains(&count) {
        let message = format!("[channels] has {count} channels, and the code of this job leaves room for {most}");
        checks.refuse(&["channels"], message, "put some of the data together");
    }
    for name in names {
        if checks.spec.channels.iter().any(|channel| channel.name == *name) {
            let message =
                format!("the code of this job comes in a channel `{name}`, and there can't be two of that name");
            checks.refuse(&["channels", name], message, "give your channel another name");
        }
    }
}

/// Reports sections that serverless jobs don't have: their code and instances are the service's.
fn serverless(checks: &Checks<'_>) {
    if !matches!(checks.spec.workload, Workload::Serverless(_)) {
        return;
    }
    for section in ["source", "resources", "metrics", "spot", "checkpoints"] {
        if checks.has(&[section]) {
            let message =
                format!("[{section}] can't be used with [serverless], whose code and instances are the service's");
            checks.refuse(&[section], message, "leave it out");
        }
    }
}

fn is_script_given(checks: &Checks<'_>) -> bool {
    let path = ["source", "entry_point"];
    checks.has(&path) || checks.is_misplaced(path)
}
