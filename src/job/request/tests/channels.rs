//! Channels, and how the code is delivered.

use super::*;

fn channel(name: &str, source: ChannelSource) -> ChannelSpec {
    ChannelSpec {
        name: name.into(),
        source,
        content_type: None,
        input_mode: None,
        sharded: None,
        gzip: None,
        record_io: None,
        s3_data_type: None,
        attribute_names: Vec::new(),
        shuffle_seed: None,
        instance_groups: Vec::new(),
        accept_eula: None,
        hub_content_arn: None,
        external_symlinks: false,
        allow_secrets: Vec::new(),
    }
}

fn s3_channel(name: &str) -> Result<ChannelSpec, Box<dyn std::error::Error>> {
    Ok(channel(name, ChannelSource::S3(S3Uri::parse("s3://bucket/in")?)))
}

#[test]
fn isolation_delivers_the_code_by_a_channel() -> TestResult {
    let network = Network { isolation: true, ..Network::default() };
    let isolated = JobSpec { network, input_mode: InputMode::Pipe, ..spec() };
    let request = sent(&isolated)?;
    let s3 = json!({
        "S3DataType": "S3Prefix",
        "S3Uri": "s3://bucket/code/abc/sourcedir.tar.gz",
        "S3DataDistributionType": "FullyReplicated",
    });
    let code = json!({"ChannelName": "code", "DataSource": {"S3DataSource": s3}, "InputMode": "File"});
    assert_eq!(request["InputDataConfig"], json!([code]));
    assert_eq!(request["EnableNetworkIsolation"], true);
    let directory = &request["HyperParameters"]["sagemaker_submit_directory"];
    assert_eq!(directory, "\"/opt/ml/input/data/code/sourcedir.tar.gz\"");
    Ok(())
}

#[test]
fn an_own_image_gets_the_code_and_no_toolkit_hyperparameters() -> TestResult {
    let container = ContainerSpec {
        image: "mine:1".into(),
        entrypoint: vec!["python".into(), "-m".into()],
        arguments: vec!["--fast".into()],
        repository_access: Some(RepositoryAccess::Vpc),
        repository_credentials_provider_arn: Some("arn:aws:lambda:x".into()),
    };
    let request = sent(&JobSpec { workload: Workload::Container(container), ..spec() })?;
    assert_eq!(request["HyperParameters"], Value::Null);
    assert_eq!(request["InputDataConfig"][0]["ChannelName"], "code");
    let expected = json!({
        "TrainingImage": "image:1",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["python", "-m"],
        "ContainerArguments": ["--fast"],
        "TrainingImageConfig": {
            "TrainingRepositoryAccessMode": "Vpc",
            "TrainingRepositoryAuthConfig": {"TrainingRepositoryCredentialsProviderArn": "arn:aws:lambda:x"},
        },
    });
    assert_eq!(request["AlgorithmSpecification"], expected);
    Ok(())
}

#[test]
fn an_own_image_is_started_by_the_driver() -> TestResult {
    let container = |entrypoint: &[&str]| ContainerSpec {
        image: "mine:1".into(),
        entrypoint: entrypoint.iter().map(ToString::to_string).collect(),
        arguments: vec!["--fast".into()],
        ..ContainerSpec::default()
    };
    let spec = |entrypoint: &[&str], source: SourceSpec| {
        let hyperparameters = map(json!({"lr": 1e-5, "name": "it's"}));
        let workload = Workload::Container(container(entrypoint));
        JobSpec { workload, source: Some(source), hyperparameters, input_mode: InputMode::Pipe, ..spec() }
    };
    let script = spec(&[], SourceSpec { entry_point: Some("train.py".into()), ..SourceSpec::default() });
    let uri = S3Uri::parse("s3://bucket/smtrain/driver/abc/driver.sh")?;
    let request = with_inputs(&script, |inputs| RequestDraft::build(&script, &inputs)?.finish(Some(&uri)))?;
    let request = request.document();
    let started = json!(["/bin/sh", "/opt/ml/input/data/sm_drivers/driver.sh"]);
    assert_eq!(request["AlgorithmSpecification"]["ContainerEntrypoint"], started);
    assert_eq!(request["AlgorithmSpecification"]["ContainerArguments"], json!(["--fast"]));
    let channel = &request["InputDataConfig"][1];
    assert_eq!((&channel["ChannelName"], &channel["InputMode"]), (&json!("sm_drivers"), &json!("File")));
    assert_eq!(channel["DataSource"]["S3DataSource"]["S3Uri"], uri.to_string());

    let text = with_inputs(&script, |inputs| RequestDraft::build(&script, &inputs)?.driver())?.ok_or("no driver")?;
    assert!(text.contains("smtrain_run_entry_point --lr 1e-05 --name 'it'\"'\"'s' \"$@\"\n"), "{text}");
    let command = spec(&["python", "-m", "mine.train"], SourceSpec::default());
    let text = with_inputs(&command, |inputs| RequestDraft::build(&command, &inputs)?.driver())?.ok_or("no driver")?;
    assert!(text.contains("smtrain_run python -m mine.train \"$@\"\n"), "{text}");
    for other in [super::spec(), JobSpec { source: None, ..command }] {
        assert_eq!(with_inputs(&other, |inputs| RequestDraft::build(&other, &inputs)?.driver())?, None);
    }
    Ok(())
}

#[test]
fn channels_of_every_kind() -> TestResult {
    let full = ChannelSpec {
        content_type: Some("text/csv".into()),
        input_mode: Some(InputMode::FastFile),
        sharded: Some(true),
        gzip: Some(true),
        record_io: Some(true),
        s3_data_type: Some(S3DataType::AugmentedManifestFile),
        attribute_names: vec!["a".into()],
        shuffle_seed: Some(7),
        instance_groups: vec!["cpu".into()],
        ..s3_channel("full")?
    };
    let system =
        FileSystem { kind: FileSystemKind::FsxLustre, id: "fs-1".into(), directory: "/x".into(), read_write: true };
    let local = channel("local", ChannelSource::Path("/work/data".into()));
    let channels = vec![full, local, channel("shared", ChannelSource::FileSystem(system))];
    let expected = json!([
        {
            "ChannelName": "full",
            "DataSource": {"S3DataSource": {
                "S3DataType": "AugmentedManifestFile", "S3Uri": "s3://bucket/in", "AttributeNames": ["a"],
                "S3DataDistributionType": "ShardedByS3Key", "InstanceGroupNames": ["cpu"],
            }},
            "ContentType": "text/csv", "CompressionType": "Gzip", "RecordWrapperType": "RecordIO",
            "InputMode": "FastFile", "ShuffleConfig": {"Seed": 7},
        },
        {
            "ChannelName": "local",
            "DataSource": {"S3DataSource": {
                "S3DataType": "S3Prefix", "S3Uri": "s3://bucket/data/123/", "S3DataDistributionType": "FullyReplicated",
            }},
        },
        {
            "ChannelName": "shared",
            "DataSource": {"FileSystemDataSource": {
                "FileSystemId": "fs-1", "FileSystemAccessMode": "rw", "FileSystemType": "FSxLustre",
                "DirectoryPath": "/x",
            }},
        },
    ]);
    assert_eq!(field(&JobSpec { channels, ..spec() }, "/InputDataConfig")?, expected);
    Ok(())
}

#[test]
fn data_that_was_not_uploaded_is_an_error() {
    let channels = vec![channel("other", ChannelSource::Path("/work/data".into()))];
    let result = sent(&JobSpec { channels, ..spec() });
    assert!(result.is_err_and(|error| error.to_string().contains("/work/data was not uploaded")));
}

#[test]
fn the_code_channel_is_on_all_groups_when_others_are_on_some() -> TestResult {
    let group = |name: &str| InstanceGroupSpec {
        name: name.into(),
        instance_type: InstanceType::new("ml.c5.xlarge"),
        count: 1,
    };
    let mut spec = JobSpec { workload: own_image(), ..spec() };
    spec.resources.instance_groups = vec![group("a"), group("b")];
    spec.channels = vec![s3_channel("train")?];
    let pointer = "/InputDataConfig/1/DataSource/S3DataSource/InstanceGroupNames";
    assert_eq!(field(&spec, pointer)?, Value::Null);
    spec.channels[0].instance_groups = vec!["a".into()];
    assert_eq!(field(&spec, pointer)?, json!(["a", "b"]));
    Ok(())
}
