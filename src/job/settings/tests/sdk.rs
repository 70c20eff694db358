//! The SDK's `config.yaml`: its keys, YAML's ways of writing, and files that mean harm.

use super::{Override, Place, SPEC, TestResult, problems_of};

const CONFIG: &str = r"SchemaVersion: '1.0'
SageMaker:
  PythonSDK:
    Modules:
      Session:
        DefaultS3Bucket: 'ml-bucket'
        DefaultS3ObjectKeyPrefix: team/churn/
      RemoteFunction: {Dependencies: x}
  ProcessingJob: {RoleArn: unread}
  TrainingJob:
    RoleArn: arn:aws:iam::111122223333:role/Größe-lesen
    EnableNetworkIsolation: no
";

const WHOLE: &str = r"SageMaker:
  TrainingJob:
    RoleArn: arn:aws:iam::111122223333:role/Train
    VpcConfig:
      Subnets: [subnet-1, subnet-2]
      SecurityGroupIds:
      - sg-1
    EnableNetworkIsolation: yes
    EnableInterContainerTrafficEncryption: true
    OutputDataConfig: {KmsKeyId: out-key}
    ResourceConfig: {VolumeKmsKeyId: volume-key}
    ProfilerConfig: {DisableProfiler: true}
    Environment: {LEVEL: '3', COUNT: 4, FLAG: yes, NOTHING: }
    Tags:
    - Key: team
      Value: growth
    - {Key: cost, Value: 12}
";

#[test]
fn every_key_means_its_setting() -> TestResult {
    let place = Place::new()?;
    let layers = place.layers(&[("config.yaml", WHOLE)])?;
    let spec = place.loaded(SPEC, &layers, &[Override::set("tags.team=mine")])?.spec;
    assert_eq!(spec.role.as_deref(), Some("arn:aws:iam::111122223333:role/Train"));
    assert_eq!((spec.network.subnets.len(), spec.network.security_group_ids), (2, vec!["sg-1".to_owned()]));
    assert!(spec.network.isolation && spec.network.encrypt_inter_container_traffic);
    assert_eq!(spec.output.kms_key_id.as_deref(), Some("out-key"));
    assert_eq!(spec.volume_kms_key_id.as_deref(), Some("volume-key"));
    let of = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let environment: Vec<_> = spec.environment.into_iter().collect();
    assert_eq!(environment, [of("COUNT", "4"), of("FLAG", "yes"), of("LEVEL", "3")]);
    assert_eq!(spec.tags, [of("team", "mine"), of("cost", "12")]);
    Ok(())
}

#[test]
fn the_session_has_the_bucket() -> TestResult {
    let config = CONFIG.replace("ö", "oe").replace("ß", "ss");
    let layers = Place::new()?.layers(&[("config.yaml", &config)])?;
    let bucket = layers.default_bucket().map(|it| (it.value.to_owned(), it.origin));
    assert_eq!(bucket, Some(("ml-bucket".to_owned(), "config.yaml:6".to_owned())));
    assert_eq!(layers.default_bucket_prefix().map(|it| it.value.to_owned()).as_deref(), Some("team/churn"));
    let layers = Place::new()?.layers(&[("config.yaml", &config.replace("'ml-bucket'", "yes"))])?;
    assert_eq!(layers.default_bucket().map(|it| it.value.to_owned()).as_deref(), Some("yes"));
    Ok(())
}

#[test]
fn places_are_right_behind_other_letters() -> TestResult {
    let text = format!("# Größe\n{CONFIG}    VpcConfig: {{Subnets: [ä b]}}\n");
    let problems = problems_of("config.yaml", &text)?;
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert_eq!(problems[0], "config.yaml:12:14 `role` is not a role's ARN: arn:aws:iam::ACCOUNT:role/NAME");
    assert!(problems[1].starts_with("config.yaml:14:27 `subnets` has an entry that has the character"), "{problems:?}");
    Ok(())
}

#[test]
fn what_can_not_be_read_is_shown() -> TestResult {
    for (text, expected) in [
        ("SchemaVersion: 2.0\n", "config.yaml:1:16 the schema's version should be 1.0, the only one there is"),
        ("SageMaker: 3\n", "config.yaml:1:12 `SageMaker` is a string, and should be a mapping"),
        ("- a\n", "config.yaml:1:1 this file is an array, and should be a mapping"),
        ("a: 1\n---\nb: 2\n", "config.yaml:2:1 there is more than one document in this file"),
        (
            "SageMaker: {TrainingJob: {Tags: [{Key: a}]}}\n",
            "config.yaml:1:34 a tag should be a mapping of `Key` and `Value`",
        ),
        ("SageMaker: {TrainingJob: {Tags: {a: b}}}\n", "config.yaml:1:33 `Tags` is a table, and should be a list"),
        (
            "SageMaker: {TrainingJob: {EnableNetworkIsolation: maybe}}\n",
            "config.yaml:1:51 `isolation` is a string, and should be a boolean",
        ),
    ] {
        assert_eq!(problems_of("config.yaml", text)?, [expected], "{text}");
    }
    let broken = problems_of("config.yaml", "SageMaker:\n  a: [1\nb: }\n")?;
    assert!(broken.len() == 1 && broken[0].contains("invalid YAML: "), "{broken:?}");
    Ok(())
}

#[test]
fn an_empty_file_says_nothing() -> TestResult {
    for text in ["", "# only this\n", "---\n", "SageMaker:\n", "SageMaker: ~\n"] {
        assert_eq!(problems_of("config.yaml", text)?, Vec::<String>::new(), "{text}");
    }
    Ok(())
}

#[test]
fn anchors_and_merge_keys_are_resolved() -> TestResult {
    let text = "base: &base {RoleArn: arn:aws:iam::111122223333:role/Base, EnableNetworkIsolation: true}\n\
                more: &more {RoleArn: arn:aws:iam::111122223333:role/More, OutputDataConfig: {KmsKeyId: more}}\n\
                SageMaker: {TrainingJob: {EnableNetworkIsolation: false, <<: [*base, *more]}}\n";
    let place = Place::new()?;
    let spec = place.loaded(SPEC, &place.layers(&[("config.yaml", text)])?, &[])?.spec;
    assert_eq!(spec.role.as_deref(), Some("arn:aws:iam::111122223333:role/Base"));
    assert_eq!((spec.network.isolation, spec.output.kms_key_id.as_deref()), (false, Some("more")));
    Ok(())
}

#[test]
fn the_last_of_several_keys_holds() -> TestResult {
    let text =
        "SageMaker: {TrainingJob: {Environment: {A: '1', A: '2'}, Tags: [{Key: t, Value: a}, {Key: t, Value: b}]}}\n";
    let place = Place::new()?;
    let spec = place.loaded(SPEC, &place.layers(&[("config.yaml", text)])?, &[])?.spec;
    assert_eq!((spec.environment["A"].as_str(), spec.tags), ("2", vec![("t".to_owned(), "b".to_owned())]));
    Ok(())
}

/// Each of these took a naive reader minutes, gigabytes or its stack.
#[test]
fn hostile_files_are_answered() -> TestResult {
    let bomb = (0..64).fold("a0: &a0 [x, x]\n".to_owned(), |text, level| {
        text + &format!("a{}: &a{} [*a{level}, *a{level}]\n", level + 1, level + 1)
    });
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), "*a, ".repeat(10_000));
    for (text, expected) in [
        (bomb, "the aliases up to here make this file too large"),
        (long, "the aliases up to here make this file too large"),
        ("a: &a [*a]\n".to_owned(), "this alias is inside the node that it refers to"),
        ("[".repeat(1 << 20), "recursion limit exceeded"),
        ("- ".repeat(1 << 19), "nested more than 64 levels deep"),
        ("{a: ".repeat(1 << 18), "recursion limit exceeded"),
        ("? ".repeat(1 << 19), "nested more than 64 levels deep"),
        ("a".repeat((1 << 20) + 1), "this file is larger than 1 MiB"),
    ] {
        let problems = problems_of("config.yaml", &text)?;
        assert!(problems.len() == 1 && problems[0].contains(expected), "{expected}: {problems:?}");
    }
    let keys = (0..60_000).fold(String::new(), |text, index| text + "k" + &index.to_string() + ": {}\n");
    let merges = format!("SageMaker:\n{}", "  <<: {a: 1}\n".repeat(60_000));
    let duplicates = "SageMaker: {}\n".repeat(60_000);
    for text in [keys, merges, duplicates] {
        assert_eq!(problems_of("config.yaml", &text)?, Vec::<String>::new());
    }
    Ok(())
}

proptest::proptest! {
    #[test]
    fn any_text_is_answered(text in "[a-cäß:&*<>!|{}\\[\\],?'\"#%@~ \n\t-]{0,60}") {
        let layer = Place::new().and_then(|place| place.layer("config.yaml", &text));
        let layer = layer.map_err(|error| proptest::test_runner::TestCaseError::fail(error.to_string()))?;
        for problem in layer.err().map(|invalid| invalid.problems).unwrap_or_default() {
            let bytes = problem.place.map(|place| place.bytes).unwrap_or_default();
            proptest::prop_assert!(text.get(bytes.clone()).is_some(), "{bytes:?}");
        }
    }
}
