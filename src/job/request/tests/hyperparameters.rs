//! Hyperparameters: how they are encoded, and those that a framework and a distribution add.

use super::*;

/// The hyperparameters that a distribution adds to those of `workload` alone.
fn added(workload: Workload, distribution: Distribution) -> Result<Value, Box<dyn std::error::Error>> {
    let mut spec = JobSpec { workload, ..spec() };
    let before = map(field(&spec, "/HyperParameters")?);
    spec.distribution = Some(distribution);
    let after = map(field(&spec, "/HyperParameters")?);
    Ok(after.into_iter().filter(|(key, _)| !before.contains_key(key)).collect::<Map<_, _>>().into())
}

fn distribution(kind: DistributionKind) -> Distribution {
    Distribution {
        kind,
        processes_per_host: None,
        custom_mpi_options: None,
        parameters: None,
        modelparallel: None,
        instance_groups: Vec::new(),
    }
}

#[test]
fn hyperparameters_are_json_for_scripts_and_plain_for_algorithms() -> TestResult {
    let hyperparameters = map(json!({
        "s": "adam", "quote": "a\"é", "i": 10, "f": 1e-5, "whole": 1.0, "yes": true, "no": false,
        "list": [1, "a", 0.5], "table": {"b": 1, "a": null},
    }));
    let encoded = |workload: Workload, source: Option<SourceSpec>| {
        let hyperparameters = hyperparameters.clone();
        field(&JobSpec { workload, source, hyperparameters, ..spec() }, "/HyperParameters")
    };
    let json_form = json!({
        "s": "\"adam\"", "quote": "\"a\\\"\\u00e9\"", "i": "10", "f": "1e-05", "whole": "1.0", "yes": "true", "no": "false",
        "list": "[1, \"a\", 0.5]", "table": "{\"b\": 1, \"a\": null}",
    });
    assert_eq!(encoded(own_image(), spec().source)?, json_form);
    let script = encoded(pytorch(), spec().source)?;
    for (name, value) in map(json_form) {
        assert_eq!(script.get(&name), Some(&value), "{name}");
    }
    let plain_form = json!({
        "s": "adam", "quote": "a\"é", "i": "10", "f": "1e-05", "whole": "1.0", "yes": "True", "no": "False",
        "list": "[1, \"a\", 0.5]", "table": "{\"b\": 1, \"a\": null}",
    });
    assert_eq!(encoded(built_in(), None)?, plain_form);
    assert_eq!(encoded(own_image(), None)?, plain_form);
    Ok(())
}

#[test]
fn the_toolkits_own_names_are_not_the_users() -> TestResult {
    let hyperparameters = map(json!({"sagemaker_program": "mine.py"}));
    let spec = JobSpec { hyperparameters, ..spec() };
    assert_eq!(field(&spec, "/HyperParameters/sagemaker_program")?, "\"train.py\"");
    Ok(())
}

#[test]
fn tensorflow_has_a_model_dir() -> TestResult {
    let model_dir = |given: Option<ModelDir>, kind: Option<DistributionKind>, hyperparameters: Value| {
        let tensorflow = Framework { name: "tensorflow".into(), model_dir: given, ..Framework::default() };
        let (workload, distribution) = (Workload::Framework(tensorflow), kind.map(distribution));
        let spec = JobSpec { workload, distribution, hyperparameters: map(hyperparameters), ..spec() };
        field(&spec, "/HyperParameters/model_dir")
    };
    assert_eq!(model_dir(None, None, json!({}))?, format!("\"s3://bucket/jobs/{NAME}/model\""));
    assert_eq!(model_dir(None, Some(DistributionKind::Mpi), json!({}))?, "\"/opt/ml/model\"");
    assert_eq!(model_dir(None, None, json!({"model_dir": "/x"}))?, "\"/x\"");
    assert_eq!(model_dir(Some(ModelDir::Uri("s3://m".into())), None, json!({}))?, "\"s3://m\"");
    assert_eq!(model_dir(Some(ModelDir::None), None, json!({}))?, Value::Null);
    assert_eq!(field(&spec(), "/HyperParameters/model_dir")?, Value::Null);
    Ok(())
}

#[test]
fn distributions() -> TestResult {
    use DistributionKind::*;
    let g5 = "\"ml.g5.xlarge\"";
    for (kind, expected) in [
        (TorchDistributed, json!({"sagemaker_torch_distributed_enabled": "true", "sagemaker_instance_type": g5})),
        (Mpi, json!({"sagemaker_mpi_enabled": "true", "sagemaker_mpi_custom_mpi_options": "\"\""})),
        (
            SmdistributedDataparallel,
            json!({
                "sagemaker_distributed_dataparallel_enabled": "true", "sagemaker_instance_type": g5,
                "sagemaker_distributed_dataparallel_custom_mpi_options": "\"\"",
            }),
        ),
        (ParameterServer, json!({"sagemaker_parameter_server_enabled": "true"})),
        (MultiWorkerMirroredStrategy, json!({"sagemaker_multi_worker_mirrored_strategy_enabled": "true"})),
        (PytorchXla, json!({"sagemaker_pytorch_xla_multi_worker_enabled": "true"})),
    ] {
        assert_eq!(added(pytorch(), distribution(kind))?, expected, "{kind:?}");
    }
    Ok(())
}

#[test]
fn distributions_with_settings() -> TestResult {
    use DistributionKind::{Mpi, SmdistributedModelparallel, TorchDistributed};
    let model_parallel = Distribution {
        processes_per_host: Some(8),
        custom_mpi_options: Some("-x A".into()),
        parameters: Some(map(json!({"partitions": 2, "ddp": true}))),
        ..distribution(SmdistributedModelparallel)
    };
    let expected = json!({
        "mp_parameters": "{\"partitions\": 2, \"ddp\": true}",
        "sagemaker_distributed_dataparallel_enabled": "false",
        "sagemaker_instance_type": "\"ml.g5.xlarge\"",
        "sagemaker_mpi_enabled": "true",
        "sagemaker_mpi_num_of_processes_per_host": "8",
        "sagemaker_mpi_custom_mpi_options": "\"-x A\"",
    });
    assert_eq!(added(pytorch(), model_parallel)?, expected);

    let second_version = Distribution {
        modelparallel: Some(map(json!({"tensor_parallel_degree": 8}))),
        ..distribution(TorchDistributed)
    };
    let expected = json!({
        "mp_parameters": "{\"tensor_parallel_degree\": 8}",
        "sagemaker_distributed_dataparallel_enabled": "false",
        "sagemaker_instance_type": "\"ml.g5.xlarge\"",
        "sagemaker_torch_distributed_enabled": "true",
    });
    assert_eq!(added(pytorch(), second_version)?, expected);
    assert_eq!(added(framework("mxnet", "1.9"), distribution(Mpi))?, json!({"sagemaker_mpi_enabled": "true"}));
    Ok(())
}

#[test]
fn chainer_has_its_own_names_for_mpi() -> TestResult {
    let mpi = distribution(DistributionKind::Mpi);
    assert_eq!(added(framework("chainer", "5.0.0"), mpi.clone())?, json!({"sagemaker_use_mpi": "true"}));
    let with_settings = Distribution { processes_per_host: Some(2), custom_mpi_options: Some("-v".into()), ..mpi };
    let expected = json!({
        "sagemaker_use_mpi": "true", "sagemaker_process_slots_per_host": "2",
        "sagemaker_additional_mpi_options": "\"-v\"",
    });
    assert_eq!(added(framework("chainer", "5.0.0"), with_settings)?, expected);
    Ok(())
}

#[test]
fn reinforcement_learning() -> TestResult {
    let names = |workload: Workload, metrics: Vec<(String, String)>| {
        let definitions = field(&JobSpec { workload, metrics, ..spec() }, "/AlgorithmSpecification/MetricDefinitions")?;
        let names = definitions.as_array().into_iter().flatten().filter_map(|metric| metric["Name"].as_str());
        Ok::<_, Box<dyn std::error::Error>>(names.map(str::to_owned).collect::<Vec<_>>())
    };
    assert_eq!(names(framework("coach-mxnet", "0.11.0"), Vec::new())?, ["reward-training", "reward-testing"]);
    assert_eq!(names(framework("ray-pytorch", "1.6.0"), Vec::new())?, ["episode_reward_mean", "episode_reward_max"]);
    // The user's take the place of all of them, as in the SDK.
    assert_eq!(names(framework("ray-pytorch", "1.6.0"), vec![("loss".into(), "loss=(.*)".into())])?, ["loss"]);
    let image = Some("mine:1".to_owned());
    let own_image = Workload::Framework(Framework { name: "ray-pytorch".into(), image, ..Framework::default() });
    assert_eq!(names(own_image.clone(), Vec::new())?, [""; 0]);

    let hyperparameters = field(&JobSpec { workload: own_image, ..spec() }, "/HyperParameters")?;
    assert_eq!(hyperparameters["sagemaker_estimator"], "\"RLEstimator\"");
    assert_eq!(hyperparameters["sagemaker_s3_output"], "\"s3://bucket/jobs\"");
    Ok(())
}

#[test]
fn distributions_on_instance_groups() -> TestResult {
    let on = |groups: &[&str], kind| {
        let mut spec = spec();
        spec.resources.instance_type = None;
        spec.resources.instance_groups = vec![InstanceGroupSpec {
            name: "gpu".into(),
            instance_type: InstanceType::new("ml.p4d.24xlarge"),
            count: 2,
        }];
        let instance_groups = groups.iter().map(|&name| name.to_owned()).collect();
        spec.distribution = Some(Distribution { instance_groups, ..distribution(kind) });
        field(&spec, "/HyperParameters")
    };
    let on_groups = |kind| on(&["gpu"], kind);
    // The only group is meant when none is named.
    assert_eq!(on(&[], DistributionKind::Mpi)?, on_groups(DistributionKind::Mpi)?);
    let mpi = on_groups(DistributionKind::Mpi)?;
    assert_eq!(mpi["sagemaker_distribution_instance_groups"], "[\"gpu\"]");
    // The SDK sends a null too.
    let data_parallel = on_groups(DistributionKind::SmdistributedDataparallel)?;
    assert_eq!(data_parallel["sagemaker_instance_type"], "null");
    let torch = on_groups(DistributionKind::TorchDistributed)?;
    assert_eq!(torch.get("sagemaker_distribution_instance_groups"), None);
    assert_eq!(torch.get("sagemaker_instance_type"), None);
    assert_eq!(torch["sagemaker_torch_distributed_enabled"], "true");
    Ok(())
}

#[test]
fn training_compiler() -> TestResult {
    let workload =
        Workload::Framework(Framework { name: "huggingface".into(), training_compiler: true, ..Framework::default() });
    let hyperparameters = field(&JobSpec { workload, ..spec() }, "/HyperParameters")?;
    assert_eq!(hyperparameters["sagemaker_training_compiler_enabled"], "true");
    assert_eq!(hyperparameters["sagemaker_training_compiler_debug_mode"], "false");
    Ok(())
}
