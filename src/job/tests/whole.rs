//! Specs without problems: every key of the manual is read, and what isn't written has its default.

use std::time::Duration;

use serde_json::json;

use super::super::spec::{
    AlgorithmSpec, ChannelSource, DistributionKind, FileSystemKind, InputMode, ModelDir, RepositoryAccess, S3DataType,
    Workload,
};
use super::{BASE, LoadOptions, Project, TestResult, load, show};
use crate::model::InstanceType;

/// Every section that can stand beside the others; keys that exclude one another are in the specs below.
const FULL: &str = r#"
name = "churn"
input_mode = "File"
role = "SageMakerRole"
region = "eu-west-1"

[framework]
name = "pytorch"
version = "2.3"
py_version = "py311"
image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/mine:1"
training_compiler = false
allow_unknown_version = false

[source]
dir = "."
entry_point = "train.py"
dependencies = ["../common"]
s3_uri = "s3://bucket/prefix"
exclude = ["data/", "*.ckpt"]
external_symlinks = true

[hyperparameters]
epochs = 1_0
lr = 1e-3
mask = 0xff
warmup = +7
steps = 1_000.5
mode = 0o17
layers = [1, 2]
nested = { a = true }
optimizer = "adam"

[environment]
WANDB_MODE = "offline"
THREADS = 8
RATE = 1.0
DEBUG = false

[resources]
volume_size_gb = 50
instance_groups = [{ name = "cpu", type = "ml.c5.xlarge", count = 2 }, { name = "gpu", type = "ml.g5.xlarge", count = 1 }]

[limits]
max_run = "1h30m"
max_wait = 7200
max_pending = "2h"
max_retry_attempts = 3

[spot]
enabled = true

[checkpoints]
s3_uri = "s3://bucket/checkpoints"
local_path = "/opt/ml/checkpoints"

[channels]
train = "s3://bucket/data/train"
[channels.validation]
source = "data/validation.csv"
content_type = "text/csv"
input_mode = "Pipe"
distribution = "ShardedByS3Key"
compression = "Gzip"
record_wrapper = "RecordIO"
s3_data_type = "AugmentedManifestFile"
attribute_names = ["source-ref"]
shuffle_seed = 7
instance_groups = ["cpu"]
[channels.shared]
source = "fsx://fs-01234567/path"
access = "rw"

[output]
s3_uri = "s3://bucket/jobs"
kms_key_id = "alias/mine"
compression = "none"

[metrics]
"train:loss" = 'loss=([0-9.]+)'

[distribution]
type = "mpi"
processes_per_host = 8
custom_mpi_options = "-x NCCL"
parameters = {}
instance_groups = ["gpu"]

[network]
subnets = ["subnet-1"]
security_group_ids = ["sg-1"]
isolation = false
encrypt_inter_container_traffic = true

[encryption]
volume_kms_key_id = "alias/mine"

[tags]
team = "growth"
year = 2026

[local]
python = "python3"
stop_grace = "5s"

[tensorboard]
s3_uri = "s3://bucket/tensorboard"
local_path = "/opt/ml/output/tensorboard"
[experiment]
name = "e"
trial = "t"
display_name = "d"
run_name = "r"
[debugger]
hook = { s3_uri = "s3://bucket/hook", local_path = "/opt/ml/output/tensors", parameters = { save_interval = 100 }, collections = [{ name = "losses", parameters = { a = "b" } }] }
rules = [{ name = "r", image = "i", instance_type = "ml.t3.medium", volume_size_gb = 10, s3_uri = "s3://bucket/r", local_path = "/r", parameters = { rule_to_invoke = "LossNotDecreasing" } }]
[profiler]
enabled = true
s3_uri = "s3://bucket/profiler"
system_monitor_interval_millis = 500
parameters = { DataloaderProfilingConfig = "{}" }
rules = [{ name = "p", image = "i" }]
[remote_debug]
enabled = true
[infra_check]
enabled = true
[session_chaining]
enabled = true
[mlflow]
resource_arn = "arn:aws:sagemaker:eu-west-1:111122223333:mlflow-tracking-server/mine"
experiment_name = "e"
run_name = "r"

[request]
ResourceConfig = { InstancePlacementConfig = { EnableMultipleJobs = true } }
"#;

#[test]
fn every_key_of_the_manual_is_read() -> TestResult {
    let project = Project::new()?;
    assert_eq!(project.problems(FULL, &[])?, Vec::<String>::new());
    let Ok(loaded) = project.load(FULL, &[])? else { return Err("the spec has problems".into()) };
    let spec = loaded.spec;
    let churn = project.home.path().join("churn");
    assert_eq!((spec.folder.as_path(), spec.name.as_str()), (churn.as_path(), "churn"));
    assert_eq!(
        serde_json::to_string(&spec.hyperparameters)?,
        r#"{"epochs":10,"lr":0.001,"mask":255,"warmup":7,"steps":1000.5,"mode":15,"layers":[1,2],"nested":{"a":true},"optimizer":"adam"}"#,
    );
    let environment: Vec<_> = spec.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(environment, ["DEBUG=false", "RATE=1.0", "THREADS=8", "WANDB_MODE=offline"]);
    assert_eq!(spec.tags, [("team".to_owned(), "growth".to_owned()), ("year".to_owned(), "2026".to_owned())]);
    assert_eq!(spec.metrics, [("train:loss".to_owned(), "loss=([0-9.]+)".to_owned())]);
    assert_eq!(spec.limits.max_run, Duration::from_mins(90));
    assert_eq!(spec.limits.max_wait, Some(Duration::from_hours(2)));
    assert_eq!(spec.local.stop_grace, Duration::from_secs(5));
    assert_eq!(spec.request["ResourceConfig"], json!({"InstancePlacementConfig": {"EnableMultipleJobs": true}}));
    let source = spec.source.ok_or("no source")?;
    assert_eq!(source.dir, churn);
    assert_eq!(source.dependencies, [churn.join("../common")]);
    assert!(source.external_symlinks);
    let groups: Vec<_> = spec.resources.instance_groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(groups, ["cpu", "gpu"]);
    assert_eq!(spec.distribution.map(|it| (it.kind, it.processes_per_host)), Some((DistributionKind::Mpi, Some(8))));
    assert_eq!(spec.profiler.ok_or("no profiler")?.system_monitor_interval_millis, Some(500));
    assert_eq!(spec.debugger.ok_or("no debugger")?.rules.len(), 1);
    Ok(())
}

#[test]
fn channels_are_read_in_both_forms_and_in_the_order_written() -> TestResult {
    let project = Project::new()?;
    let Ok(loaded) = project.load(FULL, &[])? else { return Err("the spec has problems".into()) };
    let [train, validation, shared] = loaded.spec.channels.as_slice() else { return Err("not three".into()) };
    assert!(matches!(&train.source, ChannelSource::S3(uri) if uri.to_string() == "s3://bucket/data/train"));
    let file = project.home.path().join("churn/data/validation.csv");
    assert_eq!(validation.source, ChannelSource::Path(file));
    assert_eq!(validation.input_mode, Some(InputMode::Pipe));
    assert_eq!(validation.s3_data_type, Some(S3DataType::AugmentedManifestFile));
    assert_eq!((validation.sharded, validation.gzip, validation.record_io), (Some(true), Some(true), Some(true)));
    let ChannelSource::FileSystem(file_system) = &shared.source else { return Err("not a file system".into()) };
    assert_eq!((file_system.kind, file_system.read_write), (FileSystemKind::FsxLustre, true));
    assert_eq!((file_system.id.as_str(), file_system.directory.as_str()), ("fs-01234567", "/path"));
    Ok(())
}

#[test]
fn what_is_not_written_has_its_default() -> TestResult {
    let Ok(loaded) = Project::new()?.load(BASE, &[])? else { return Err("the spec has problems".into()) };
    let spec = loaded.spec;
    assert_eq!(spec.name, "churn", "from the folder");
    assert_eq!((spec.resources.instance_count, spec.resources.volume_size_gb), (1, 30));
    assert_eq!((spec.limits.max_run, spec.limits.max_wait), (Duration::from_hours(24), None));
    assert_eq!(spec.local.stop_grace, Duration::from_mins(2));
    assert_eq!(spec.resources.instance_type, Some(InstanceType::new("ml.m5.xlarge")));
    assert!(spec.channels.is_empty() && !spec.spot && spec.checkpoints.is_none() && spec.remote_debug.is_none());
    Ok(())
}

#[test]
fn instance_preferences_have_a_count_of_their_own_or_of_all() -> TestResult {
    let project = Project::new()?;
    let plain = "instance_type = \"ml.m5.xlarge\"";
    for (written, counts) in [
        (
            "instance_preferences = [{ type = \"ml.p5.48xlarge\", count = 2 }, { type = \"ml.p4d.24xlarge\", count = 4 }]",
            [2, 4],
        ),
        (
            "instance_count = 3\ninstance_preferences = [{ type = \"ml.p5.48xlarge\" }, { type = \"ml.p4d.24xlarge\" }]",
            [3, 3],
        ),
        ("instance_preferences = [{ type = \"ml.p5.48xlarge\" }, { type = \"ml.p4d.24xlarge\" }]", [1, 1]),
    ] {
        let Ok(loaded) = project.load(BASE.replace(plain, written), &[])? else { return Err(written.into()) };
        let preferences = loaded.spec.resources.instance_preferences;
        assert_eq!(preferences.iter().map(|it| it.count).collect::<Vec<_>>(), counts.map(Some));
    }
    Ok(())
}

#[test]
fn a_local_job_needs_no_instance_type() -> TestResult {
    let project = Project::new()?;
    let text = BASE.replace("[resources]\ninstance_type = \"ml.m5.xlarge\"", "");
    assert_eq!(project.problems(&text, &[])?.len(), 1);
    let options = LoadOptions { local: true, ..LoadOptions::default() };
    let Ok(loaded) = load(&project.spec(), &options) else { return Err("the spec has problems".into()) };
    assert_eq!(loaded.spec.resources.instance_type, None);
    for word in ["local", "local_gpu"] {
        let Ok(loaded) = project.load(BASE.replace("ml.m5.xlarge", word), &[])? else { return Err("problems".into()) };
        assert!(loaded.spec.resources.instance_type.is_some_and(|it| it.is_local()));
    }
    Ok(())
}

#[test]
fn warnings_leave_the_spec_usable_and_know_their_places() -> TestResult {
    let loaded = Project::new()?.load(BASE.replace("m5.xlarge", "m99.xlarge"), &[])?;
    let Ok(loaded) = loaded else { return Err("the spec has problems".into()) };
    let shown: Vec<String> = loaded.warnings.iter().map(|it| show(it, &loaded.sources)).collect();
    let hint = "did you mean `ml.m7i.xlarge`? a newer type is sent as it is written";
    assert_eq!(shown, [format!("8:17 warning: instance type `ml.m99.xlarge` is not in the built-in list -- {hint}")]);
    Ok(())
}

#[test]
fn other_things_run_too() -> TestResult {
    let project = Project::new()?;
    let resources = "[resources]\ninstance_type = \"ml.m5.xlarge\"\n";
    let run = |text: &str| match project.load(format!("{text}\n{resources}"), &[]) {
        Ok(Ok(loaded)) => Ok(loaded.spec.workload),
        Ok(Err(invalid)) => Err(format!("{text}: {:?}", invalid.problems)),
        Err(error) => Err(error.to_string()),
    };
    let algorithm = AlgorithmSpec::BuiltIn { name: "xgboost".to_owned(), version: Some("1.7-1".to_owned()) };
    assert_eq!(run("[algorithm]\nname = \"xgboost\"\nversion = \"1.7-1\"")?, Workload::Algorithm(algorithm));
    let arn = "arn:aws:sagemaker:eu-west-1:111122223333:algorithm/mine";
    assert_eq!(run(&format!("[algorithm]\narn = \"{arn}\""))?, Workload::Algorithm(AlgorithmSpec::Arn(arn.to_owned())));
    let vpc = "[network]\nsubnets = [\"subnet-1\"]\nsecurity_group_ids = [\"sg-1\"]";
    let container = r#"[container]
image = "mine:1"
entrypoint = ["python", "-m", "mine.train"]
arguments = ["--fast"]
repository_access = "Vpc"
repository_credentials_provider_arn = "arn:aws:lambda:eu-west-1:111122223333:function:login""#;
    let Workload::Container(container) = run(&format!("{container}\n{vpc}"))? else {
        return Err("no container".into());
    };
    assert_eq!(container.repository_access, Some(RepositoryAccess::Vpc));
    for (model_dir, expected) in
        [("false", ModelDir::None), ("\"s3://bucket/m\"", ModelDir::Uri("s3://bucket/m".into()))]
    {
        let text = format!("[framework]\nname = \"tensorflow\"\nversion = \"2.14\"\nmodel_dir = {model_dir}");
        let Workload::Framework(it) = run(&format!("{text}\n[source]\nentry_point = \"train.py\""))? else {
            return Err("no framework".into());
        };
        assert_eq!(it.model_dir, Some(expected));
    }
    Ok(())
}
