//! Sections of a spec and the requests they mean.

mod channels;
mod hyperparameters;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::*;
use crate::job::spec::{
    ChannelSource, ChannelSpec, Checkpoints, Debugger, DebuggerHook, Distribution, DistributionKind, FileSystem,
    FileSystemKind, InputMode, InstanceGroupSpec, InstancePreferenceSpec, LimitsSpec, Local, ModelDir, OutputSpec,
    Profiler, Resources, RuleSpec, S3AndLocalPath, S3DataType, SourceSpec,
};
use crate::model::{InstanceType, JobName};
use crate::tests::TestResult;

const NAME: &str = "churn-2026-11-23-04-05-06-789";

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn pytorch() -> Workload {
    Workload::Framework(Framework { name: "pytorch".into(), version: Some("2.3".into()), ..Framework::default() })
}

fn framework(name: &str, version: &str) -> Workload {
    Workload::Framework(Framework { name: name.into(), version: Some(version.into()), ..Framework::default() })
}

fn built_in() -> Workload {
    Workload::Algorithm(AlgorithmSpec::BuiltIn { name: "xgboost".into(), version: None })
}

fn own_image() -> Workload {
    Workload::Container(ContainerSpec { image: "mine:1".into(), ..ContainerSpec::default() })
}

/// The smallest script-mode job.
fn spec() -> JobSpec {
    JobSpec {
        folder: PathBuf::from("/work"),
        name: "churn".into(),
        input_mode: InputMode::File,
        role: None,
        region: None,
        workload: pytorch(),
        source: Some(SourceSpec { entry_point: Some("train.py".into()), ..SourceSpec::default() }),
        hyperparameters: Map::new(),
        environment: BTreeMap::new(),
        resources: Resources {
            instance_type: Some(InstanceType::new("ml.g5.xlarge")),
            instance_count: 1,
            volume_size_gb: 30,
            keep_alive_period: None,
            training_plan_arn: None,
            instance_groups: Vec::new(),
            instance_preferences: Vec::new(),
            instance_placement: None,
        },
        limits: LimitsSpec {
            max_run: Duration::from_hours(24),
            max_wait: None,
            max_pending: None,
            max_retry_attempts: None,
        },
        spot: false,
        checkpoints: None,
        channels: Vec::new(),
        output: OutputSpec::default(),
        metrics: Vec::new(),
        distribution: None,
        network: Network::default(),
        volume_kms_key_id: None,
        tags: Vec::new(),
        local: Local {
            python: None,
            installer: crate::model::InstallerChoice::Auto,
            stop_grace: Duration::from_mins(2),
        },
        tensorboard: None,
        experiment: None,
        debugger: None,
        profiler: None,
        remote_debug: None,
        infra_check: None,
        session_chaining: None,
        mlflow: None,
        model_package: None,
        request: Map::new(),
    }
}

/// The request of a spec as JSON, with inputs that never change.
fn sent(spec: &JobSpec) -> Result<Value, Box<dyn std::error::Error>> {
    Ok(with_inputs(spec, |inputs| RequestDraft::build(spec, &inputs)?.finish(None))?.document().clone())
}

fn with_inputs<T>(
    spec: &JobSpec,
    make: impl FnOnce(ResolvedInputs<'_>) -> serde_json::Result<T>,
) -> Result<T, Box<dyn std::error::Error>> {
    let name = JobName::new(NAME)?;
    let (output, code) = (S3Uri::parse("s3://bucket/jobs")?, S3Uri::parse("s3://bucket/code/abc/sourcedir.tar.gz")?);
    let data = [("local".to_owned(), S3Uri::parse("s3://bucket/data/123/")?)].into_iter().collect();
    Ok(make(ResolvedInputs {
        name: &name,
        region: "eu-west-1",
        role_arn: "arn:aws:iam::111122223333:role/Role",
        image: Some("image:1"),
        rules_image: Some("rules:1"),
        output: &output,
        code: spec.source.is_some().then_some(&code),
        data: &data,
        tags: &[("smtrain:version".to_owned(), "0.1.0".to_owned()), ("team".to_owned(), "none".to_owned())],
    })?)
}

/// One field of the request.
fn field(spec: &JobSpec, pointer: &str) -> Result<Value, Box<dyn std::error::Error>> {
    Ok(sent(spec)?.pointer(pointer).cloned().unwrap_or(Value::Null))
}

#[test]
fn the_smallest_job() -> TestResult {
    let expected = json!({
        "TrainingJobName": NAME,
        "HyperParameters": {
            "sagemaker_container_log_level": "20",
            "sagemaker_job_name": format!("\"{NAME}\""),
            "sagemaker_program": "\"train.py\"",
            "sagemaker_region": "\"eu-west-1\"",
            "sagemaker_submit_directory": "\"s3://bucket/code/abc/sourcedir.tar.gz\"",
        },
        "AlgorithmSpecification": {
            "TrainingImage": "image:1",
            "TrainingInputMode": "File",
            "EnableSageMakerMetricsTimeSeries": true,
        },
        "RoleArn": "arn:aws:iam::111122223333:role/Role",
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/jobs"},
        "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
        "Tags": [{"Key": "smtrain:version", "Value": "0.1.0"}, {"Key": "team", "Value": "none"}],
    });
    assert_eq!(sent(&spec())?, expected);
    Ok(())
}

#[test]
fn an_algorithms_arn_takes_the_images_place() -> TestResult {
    let workload = Workload::Algorithm(AlgorithmSpec::Arn("arn:aws:sagemaker:x".into()));
    let expected = json!({"AlgorithmName": "arn:aws:sagemaker:x", "TrainingInputMode": "File"});
    assert_eq!(field(&JobSpec { workload, source: None, ..spec() }, "/AlgorithmSpecification")?, expected);
    Ok(())
}

#[test]
fn metrics_time_series_by_framework_and_version() -> TestResult {
    for (name, version, on) in [
        ("pytorch", "1.2", false),
        ("pytorch", "1.13.1", true),
        ("tensorflow", "1.14.0", false),
        ("tensorflow", "2", true),
        ("mxnet", "1.6", true),
        ("mxnet", "1.4.1", false),
        ("huggingface", "4.4", true),
        ("sklearn", "1.2-1", false),
        ("xgboost", "1.7-1", false),
    ] {
        let spec = JobSpec { workload: framework(name, version), ..spec() };
        let value = field(&spec, "/AlgorithmSpecification/EnableSageMakerMetricsTimeSeries")?;
        assert_eq!(value, if on { json!(true) } else { Value::Null }, "{name} {version}");
    }
    Ok(())
}

#[test]
fn resources() -> TestResult {
    let mut spec = spec();
    spec.resources.keep_alive_period = Some(Duration::from_mins(30));
    spec.resources.training_plan_arn = Some("arn:plan".into());
    spec.volume_kms_key_id = Some("key".into());
    spec.resources.instance_preferences = vec![InstancePreferenceSpec {
        instance_type: InstanceType::new("ml.p5.48xlarge"),
        count: Some(2),
        training_plan_arn: Some("arn:own".into()),
    }];
    let expected = json!({
        "VolumeSizeInGB": 30, "VolumeKmsKeyId": "key", "KeepAlivePeriodInSeconds": 1800, "TrainingPlanArn": "arn:plan",
        "InstancePreferences": [
            {"InstanceType": "ml.p5.48xlarge", "InstanceCount": 2, "TrainingPlanArns": ["arn:own"]},
        ],
    });
    assert_eq!(field(&spec, "/ResourceConfig")?, expected);

    spec.resources.instance_preferences.clear();
    spec.resources.instance_groups =
        vec![InstanceGroupSpec { name: "cpu".into(), instance_type: InstanceType::new("ml.c5.xlarge"), count: 2 }];
    let groups = json!([{"InstanceType": "ml.c5.xlarge", "InstanceCount": 2, "InstanceGroupName": "cpu"}]);
    assert_eq!(field(&spec, "/ResourceConfig/InstanceGroups")?, groups);
    assert_eq!(field(&spec, "/ResourceConfig/InstanceCount")?, Value::Null);
    Ok(())
}

#[test]
fn spot_waits_and_keeps_checkpoints() -> TestResult {
    let mut spec = JobSpec { spot: true, ..spec() };
    spec.limits.max_pending = Some(Duration::from_hours(2));
    spec.limits.max_retry_attempts = Some(3);
    let request = sent(&spec)?;
    assert_eq!(request["EnableManagedSpotTraining"], true);
    let stopping = json!({
        "MaxRuntimeInSeconds": 86400, "MaxWaitTimeInSeconds": 86400, "MaxPendingTimeInSeconds": 7200,
    });
    assert_eq!(request["StoppingCondition"], stopping);
    assert_eq!(request["RetryStrategy"], json!({"MaximumRetryAttempts": 3}));
    let default = format!("s3://bucket/jobs/{NAME}/checkpoints");
    assert_eq!(request["CheckpointConfig"], json!({"S3Uri": default}));

    let s3_uri = Some(S3Uri::parse("s3://bucket/mine")?);
    spec.checkpoints = Some(Checkpoints { s3_uri, local_path: Some("/opt/ml/ckpt".into()) });
    spec.limits.max_wait = Some(Duration::from_hours(36));
    let given = json!({"S3Uri": "s3://bucket/mine", "LocalPath": "/opt/ml/ckpt"});
    assert_eq!(field(&spec, "/CheckpointConfig")?, given);
    assert_eq!(field(&spec, "/StoppingCondition/MaxWaitTimeInSeconds")?, 129_600);
    Ok(())
}

#[test]
fn simple_sections() -> TestResult {
    let spec = JobSpec {
        environment: [("WANDB_MODE".to_owned(), "offline".to_owned())].into_iter().collect(),
        output: OutputSpec { kms_key_id: Some("key".into()), uncompressed: true, ..OutputSpec::default() },
        metrics: vec![("loss".into(), "loss=(.*)".into()), ("acc".into(), "acc=(.*)".into())],
        network: Network {
            subnets: vec!["subnet-1".into()],
            security_group_ids: vec!["sg-1".into()],
            isolation: false,
            encrypt_inter_container_traffic: true,
        },
        tags: vec![("team".into(), "growth".into())],
        tensorboard: Some(S3AndLocalPath { s3_uri: S3Uri::parse("s3://bucket/tb")?, local_path: Some("/tb".into()) }),
        experiment: Some(Experiment { name: Some("e".into()), run_name: Some("r".into()), ..Experiment::default() }),
        remote_debug: Some(true),
        infra_check: Some(false),
        session_chaining: Some(true),
        mlflow: Some(Mlflow { resource_arn: "arn:m".into(), experiment_name: Some("x".into()), run_name: None }),
        ..spec()
    };
    let expected = json!({
        "Environment": {"WANDB_MODE": "offline"},
        "OutputDataConfig": {"KmsKeyId": "key", "S3OutputPath": "s3://bucket/jobs", "CompressionType": "NONE"},
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        "EnableInterContainerTrafficEncryption": true,
        "Tags": [{"Key": "team", "Value": "growth"}, {"Key": "smtrain:version", "Value": "0.1.0"}],
        "TensorBoardOutputConfig": {"LocalPath": "/tb", "S3OutputPath": "s3://bucket/tb"},
        "ExperimentConfig": {"ExperimentName": "e", "RunName": "r"},
        "RemoteDebugConfig": {"EnableRemoteDebug": true},
        "InfraCheckConfig": {"EnableInfraCheck": false},
        "SessionChainingConfig": {"EnableSessionTagChaining": true},
        "MlflowConfig": {"MlflowResourceArn": "arn:m", "MlflowExperimentName": "x"},
    });
    let request = sent(&spec)?;
    for (name, value) in map(expected) {
        assert_eq!(request.get(&name), Some(&value), "{name}");
    }
    let metrics = json!([{"Name": "loss", "Regex": "loss=(.*)"}, {"Name": "acc", "Regex": "acc=(.*)"}]);
    assert_eq!(request["AlgorithmSpecification"]["MetricDefinitions"], metrics);
    assert_eq!(request.get("EnableNetworkIsolation"), None);
    Ok(())
}

#[test]
fn debugger_and_profiler() -> TestResult {
    let parameters: BTreeMap<_, _> = [("k".to_owned(), "v".to_owned())].into_iter().collect();
    let rule = RuleSpec {
        name: "rule".into(),
        image: Some("evaluator".into()),
        instance_type: Some("ml.t3.medium".into()),
        volume_size_gb: Some(10),
        parameters: parameters.clone(),
        ..RuleSpec::default()
    };
    let hook = DebuggerHook {
        s3_uri: S3Uri::parse("s3://bucket/debug")?,
        local_path: None,
        parameters: parameters.clone(),
        collections: vec![("losses".into(), parameters), ("weights".into(), BTreeMap::new())],
    };
    let spec = JobSpec {
        debugger: Some(Debugger { hook: Some(hook), rules: vec![rule.clone()] }),
        profiler: Some(Profiler { rules: vec![rule], ..Profiler::default() }),
        ..spec()
    };
    let request = sent(&spec)?;
    let hook = json!({
        "S3OutputPath": "s3://bucket/debug",
        "HookParameters": {"k": "v"},
        "CollectionConfigurations": [
            {"CollectionName": "losses", "CollectionParameters": {"k": "v"}}, {"CollectionName": "weights"},
        ],
    });
    let rules = json!([{
        "RuleConfigurationName": "rule", "RuleEvaluatorImage": "evaluator", "InstanceType": "ml.t3.medium",
        "VolumeSizeInGB": 10, "RuleParameters": {"k": "v"},
    }]);
    assert_eq!(request["DebugHookConfig"], hook);
    assert_eq!(request["DebugRuleConfigurations"], rules);
    assert_eq!(request["ProfilerRuleConfigurations"], rules);
    assert_eq!(request["ProfilerConfig"], json!({"S3OutputPath": "s3://bucket/jobs", "DisableProfiler": false}));

    let off = Some(Profiler { enabled: Some(false), ..Profiler::default() });
    let spec = JobSpec { profiler: off, ..spec };
    assert_eq!(field(&spec, "/ProfilerConfig")?, json!({"DisableProfiler": true}));
    Ok(())
}

#[test]
fn the_escape_hatch_is_merged_last() -> TestResult {
    let patch = json!({"StoppingCondition": {"MaxRuntimeInSeconds": 1}, "Future": [1], "Tags": []});
    let request = sent(&JobSpec { request: map(patch), ..spec() })?;
    assert_eq!(request["StoppingCondition"], json!({"MaxRuntimeInSeconds": 1}));
    assert_eq!((&request["Future"], &request["Tags"]), (&json!([1]), &json!([])));
    assert_eq!(request["RoleArn"], "arn:aws:iam::111122223333:role/Role");
    Ok(())
}
