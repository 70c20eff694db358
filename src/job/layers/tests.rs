//! Layers from their text to the values that a spec gets from them.

use std::error::Error;
use std::fs;

use tempfile::TempDir;

use super::super::load::{LoadOptions, Loaded, load};
use super::super::overrides::Override;
use super::super::problem::{InvalidSpec, line_and_column};
use super::{Layer, Layers, VARIABLES};

type TestResult<T = ()> = Result<T, Box<dyn Error>>;

const SPEC: &str = "[framework]\nname = \"pytorch\"\nversion = \"2.3\"\n[resources]\ninstance_type = \"ml.m5.large\"\n\
                    [source]\nentry_point = \"train.py\"\n";
const ALGORITHM: &str =
    "[algorithm]\nname = \"xgboost\"\nversion = \"1.7-1\"\n[resources]\ninstance_type = \"ml.m5.large\"\n";

/// A folder with a script, for a spec and the files of settings.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> TestResult<Self> {
        let folder = TempDir::new()?;
        fs::write(folder.path().join("train.py"), "")?;
        Ok(Self { folder })
    }

    fn layer(&self, name: &str, text: &str) -> TestResult<Result<Layer, InvalidSpec>> {
        let path = self.folder.path().join(name);
        fs::write(&path, text)?;
        let is_sdk = name.contains(".yaml");
        Ok(if is_sdk { Layer::sdk(&path, name.to_owned()) } else { Layer::toml(&path, name.to_owned()) })
    }

    /// Files of settings from the lowest to the highest.
    fn layers(&self, files: &[(&str, &str)]) -> TestResult<Layers> {
        let layers: Result<Vec<Layer>, String> = files
            .iter()
            .map(|(name, text)| {
                self.layer(name, text).map_err(|error| error.to_string())?.map_err(|it| shown(&it).join("; "))
            })
            .collect();
        Ok(Layers::new(layers?, Vec::new()))
    }

    fn load(&self, spec: &str, options: &LoadOptions<'_>) -> TestResult<Result<Loaded, InvalidSpec>> {
        let path = self.folder.path().join("job.toml");
        fs::write(&path, spec)?;
        Ok(load(&path, options))
    }

    fn loaded(&self, spec: &str, layers: &Layers, overrides: &[Override]) -> TestResult<Loaded> {
        let options = LoadOptions { layers, overrides, ..LoadOptions::default() };
        self.load(spec, &options)?.map_err(|invalid| shown(&invalid).join("; ").into())
    }
}

/// `FILE:LINE:COLUMN message -- hint`.
fn shown(invalid: &InvalidSpec) -> Vec<String> {
    let show = |problem: &super::super::problem::Problem| {
        let place = problem.place.as_ref().map(|place| {
            let source = &invalid.sources[place.source];
            let (line, column) = line_and_column(&source.text, place.bytes.start);
            let name = source.name.rsplit('/').next().unwrap_or_default();
            format!("{name}:{line}:{column} ")
        });
        let hint = problem.hint.as_ref().map_or_else(String::new, |hint| format!(" -- {hint}"));
        format!("{}{}{hint}", place.unwrap_or_default(), problem.message)
    };
    invalid.problems.iter().map(show).collect()
}

fn problems_of(name: &str, text: &str) -> TestResult<Vec<String>> {
    Ok(Place::new()?.layer(name, text)?.err().map(|invalid| shown(&invalid)).unwrap_or_default())
}

#[test]
fn the_highest_layer_wins_and_tables_are_merged() -> TestResult {
    let place = Place::new()?;
    let layers = place.layers(&[
        ("low.toml", "role = \"Low\"\nregion = \"eu-west-1\"\n[tags]\na = \"low\"\nb = \"low\"\nc = \"low\"\n"),
        ("high.toml", "role = \"High\"\n[tags]\nb = \"high\"\nc = \"high\"\n[environment]\nX = \"1\"\nY = \"1\"\n"),
    ])?;
    let spec = format!("{SPEC}[tags]\nc = \"spec\"\n[environment]\nY = \"2\"\n");
    let spec = place.loaded(&spec, &layers, &[Override::set("environment.Z=3")])?.spec;
    assert_eq!((spec.role.as_deref(), spec.region.as_deref()), (Some("High"), Some("eu-west-1")));
    let mut tags = spec.tags;
    tags.sort();
    let of = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(tags, [of("a", "low"), of("b", "high"), of("c", "spec")]);
    let environment: Vec<_> = spec.environment.into_iter().collect();
    assert_eq!(environment, [of("X", "1"), of("Y", "2"), of("Z", "3")]);
    Ok(())
}

#[test]
fn spec_and_flags_stand_over_settings() -> TestResult {
    let place = Place::new()?;
    let settings =
        "role = \"Settings\"\nregion = \"eu-west-1\"\n[output]\ns3_uri = \"s3://settings/x\"\nkms_key_id = \"k\"\n";
    let layers = place.layers(&[("settings.toml", settings)])?;
    let spec = format!("region = \"eu-west-2\"\n{SPEC}[output]\ns3_uri = \"s3://from-spec/x\"\n");
    let spec = place.loaded(&spec, &layers, &[Override::string("--role", &["role"], "Flag")])?.spec;
    assert_eq!((spec.role.as_deref(), spec.region.as_deref()), (Some("Flag"), Some("eu-west-2")));
    assert_eq!(spec.output.s3_uri.map(|uri| uri.to_string()).as_deref(), Some("s3://from-spec/x"));
    assert_eq!(spec.output.kms_key_id.as_deref(), Some("k"));
    Ok(())
}

#[test]
fn a_place_for_code_is_not_code() -> TestResult {
    let place = Place::new()?;
    let layers = place.layers(&[("settings.toml", "[source]\ns3_uri = \"s3://code/here\"\n")])?;
    assert_eq!(place.loaded(ALGORITHM, &layers, &[])?.spec.source, None);
    let source = place.loaded(SPEC, &layers, &[])?.spec.source;
    assert_eq!(source.and_then(|it| it.s3_uri).map(|uri| uri.to_string()).as_deref(), Some("s3://code/here"));
    let by_flag = SPEC.replace("[source]\nentry_point = \"train.py\"\n", "");
    let source = place.loaded(&by_flag, &layers, &[Override::set("source.entry_point=train.py")])?.spec.source;
    assert!(source.is_some_and(|source| source.s3_uri.is_some()));
    Ok(())
}

#[test]
fn a_wrong_section_is_shown_where_the_spec_has_it() -> TestResult {
    let place = Place::new()?;
    let layers = place.layers(&[("settings.toml", "[source]\ns3_uri = \"s3://code/here\"\n")])?;
    let spec = format!("{ALGORITHM}[source]\ndir = \".\"\n");
    let options = LoadOptions { layers: &layers, ..LoadOptions::default() };
    let problems = place.load(&spec, &options)?.err().map(|invalid| shown(&invalid)).unwrap_or_default();
    assert_eq!(
        problems,
        ["job.toml:6:1 [source] can't be used with [algorithm], which has its own code -- leave it out"]
    );
    Ok(())
}

#[test]
fn half_a_network_is_wrong_on_aws_only() -> TestResult {
    let place = Place::new()?;
    let layers = place.layers(&[("settings.toml", "[network]\nisolation = true\nsubnets = [\"subnet-1\"]\n")])?;
    let options = LoadOptions { layers: &layers, ..LoadOptions::default() };
    let problems = place.load(SPEC, &options)?.err().map(|invalid| shown(&invalid)).unwrap_or_default();
    let half = "settings.toml:3:11 `subnets` needs `security_group_ids` too -- add security_group_ids = [...]";
    assert_eq!(problems, [half]);
    for (spec, local) in [(SPEC.to_owned(), true), (SPEC.replace("ml.m5.large", "local"), false)] {
        let loaded = place.load(&spec, &LoadOptions { local, ..options })?;
        let network = loaded.map_err(|invalid| shown(&invalid).join("; "))?.spec.network;
        assert_eq!((network.isolation, network.subnets), (true, Vec::new()));
    }
    let own = format!("{SPEC}[network]\nsubnets = [\"subnet-2\"]\n");
    assert!(place.load(&own, &LoadOptions { local: true, ..LoadOptions::default() })?.is_err(), "the spec's own half");
    let whole = format!("{SPEC}[network]\nsecurity_group_ids = [\"sg-1\"]\n");
    let network = place.loaded(&whole, &layers, &[])?.spec.network;
    assert_eq!((network.subnets, network.security_group_ids), (vec!["subnet-1".to_owned()], vec!["sg-1".to_owned()]));
    Ok(())
}

#[test]
fn what_is_no_setting_is_refused() -> TestResult {
    for (text, expected) in [
        ("rolle = \"x\"\n", "s.toml:1:1 unknown key `rolle` in the settings -- did you mean `role`?"),
        ("name = \"x\"\n", "s.toml:1:1 unknown key `name` in the settings -- `name` belongs in a job spec"),
        ("subnets = []\n", "s.toml:1:1 unknown key `subnets` in the settings -- `subnets` belongs in [network]"),
        (
            "[source]\ndir = \".\"\n",
            "s.toml:2:1 unknown key `dir` in [source] of the settings -- `dir` belongs in a job spec",
        ),
        (
            "[output]\nkms = \"x\"\n",
            "s.toml:2:1 unknown key `kms` in [output] of the settings -- its keys are s3_uri, kms_key_id",
        ),
        ("role = 3\n", "s.toml:1:8 `role` is an integer, and should be a string -- write \"3\", in quotes"),
        ("provenance = \"no\"\n", "s.toml:1:14 `provenance` is a string, and should be a boolean"),
        ("network = true\n", "s.toml:1:11 `network` is a boolean, and should be a table"),
        ("region = \"Ireland\"\n", "s.toml:1:10 `region` is not a region, such as eu-west-1"),
        (
            "default_bucket = \"s3://b\"\n",
            "s.toml:1:18 `default_bucket` is not a bucket's name: 3 to 63 lower-case letters, digits, dots and hyphens",
        ),
        (
            "default_bucket_prefix = \"s3://b/x\"\n",
            "s.toml:1:25 `default_bucket_prefix` is a URI, and should be the start of keys, such as team/churn",
        ),
        ("profile = \"\"\n", "s.toml:1:11 `profile` is empty"),
        ("[environment]\n1X = \"a\"\n", "s.toml:2:1 the variable's name starts with a digit"),
        ("[tags]\n\"aws:x\" = \"a\"\n", "s.toml:2:1 tags that start with `aws:` are reserved -- give it another key"),
        ("role = \n", "s.toml:1:8 invalid TOML: a value is missing"),
        (
            "role: x\n",
            "s.toml:1:1 this looks like YAML, and a settings file is TOML -- TOML is written as `role = \"MyRole\"` and `[tags]`",
        ),
    ] {
        assert_eq!(problems_of("s.toml", text)?, [expected], "{text}");
    }
    Ok(())
}

#[test]
fn variables_set_their_keys() -> TestResult {
    let value = |name: &str| match name {
        "SMTRAIN_REGION" => "eu-west-1",
        "SMTRAIN_OUTPUT_S3_URI" => "s3://bucket/jobs",
        "SMTRAIN_PROVENANCE" => "false",
        "SMTRAIN_DEFAULT_BUCKET_PREFIX" => "/team/churn/",
        _ => "some-name",
    };
    let layers: Result<Vec<Layer>, InvalidSpec> =
        VARIABLES.into_iter().map(|(name, key)| Layer::variable(name, key, value(name))).collect();
    let layers = Layers::new(layers.map_err(|invalid| shown(&invalid).join("; "))?, Vec::new());
    let shown = |setting: Option<super::Setting<&str>>| setting.map(|it| format!("{} {}", it.value, it.origin));
    assert_eq!(shown(layers.region()).as_deref(), Some("eu-west-1 SMTRAIN_REGION"));
    assert_eq!(shown(layers.profile()).as_deref(), Some("some-name SMTRAIN_PROFILE"));
    assert_eq!(shown(layers.default_bucket()).as_deref(), Some("some-name SMTRAIN_DEFAULT_BUCKET"));
    assert_eq!(shown(layers.default_bucket_prefix()).as_deref(), Some("team/churn SMTRAIN_DEFAULT_BUCKET_PREFIX"));
    assert!(!layers.provenance());
    let spec = Place::new()?.loaded(SPEC, &layers, &[])?.spec;
    assert_eq!(spec.role.as_deref(), Some("some-name"));
    assert_eq!(spec.output.s3_uri.map(|uri| uri.to_string()).as_deref(), Some("s3://bucket/jobs"));
    Ok(())
}

#[test]
fn a_variable_is_checked_as_a_file_is() {
    let problems = |name: &str, key: &[&str], value: &str| {
        Layer::variable(name, key, value).err().map(|invalid| shown(&invalid)).unwrap_or_default()
    };
    assert_eq!(
        problems("SMTRAIN_ROLE", &["role"], "a b"),
        [
            "SMTRAIN_ROLE:1:1 `role` has the character ' ', and only letters, digits and `_+=,.@-`, or an ARN, are allowed"
        ]
    );
    assert_eq!(
        problems("SMTRAIN_PROVENANCE", &["provenance"], "no"),
        ["SMTRAIN_PROVENANCE:1:1 `provenance` is a string, and should be a boolean"]
    );
}

#[test]
fn without_settings_there_are_defaults() {
    let layers = Layers::default();
    assert!(layers.provenance());
    assert_eq!((layers.region(), layers.default_bucket_prefix()), (None, None));
}

#[test]
fn an_empty_prefix_takes_a_lower_one_away() -> TestResult {
    let files = [("low.toml", "default_bucket_prefix = \"low\"\n"), ("high.toml", "default_bucket_prefix = \"\"\n")];
    assert_eq!(Place::new()?.layers(&files)?.default_bucket_prefix(), None);
    Ok(())
}

#[test]
fn origins_tell_what_holds_and_what_it_stands_over() -> TestResult {
    let place = Place::new()?;
    let low = "role = \"Low\"\ndefault_bucket = \"low-bucket\"\n[tags]\nteam = \"secret\"\n[source]\ns3_uri = \"s3://code/x\"\n";
    let layers = place.layers(&[
        ("low.toml", low),
        ("config.yaml", "SageMaker:\n  TrainingJob:\n    EnableNetworkIsolation: yes\n"),
        ("high.toml", "role = \"High\"\nregion = \"eu-west-1\"\n[environment]\nTOKEN = \"secret\"\n[network]\nisolation = false\n"),
    ])?;
    let spec = format!("region = \"eu-west-2\"\n{ALGORITHM}");
    let loaded = place.loaded(&spec, &layers, &[Override::set("tags.team=secret")])?;
    let origins: Vec<String> = loaded.origins.iter().map(ToString::to_string).collect();
    let spec = place.folder.path().join("job.toml").display().to_string();
    assert_eq!(
        origins,
        [
            "role: High (from high.toml:1, over low.toml:1)",
            &format!("region: eu-west-2 (from {spec}:1, over high.toml:2)"),
            "environment.TOKEN (from high.toml:4)",
            "network.isolation: false (from high.toml:6, over config.yaml:3)",
            "default_bucket: low-bucket (from low.toml:2)",
            "tags.team (from --set, over low.toml:4)",
        ]
    );
    Ok(())
}

mod sdk {
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
        Ok(())
    }

    #[test]
    fn places_are_right_behind_other_letters() -> TestResult {
        let text = format!("# Größe\n{CONFIG}    VpcConfig: {{Subnets: [ä b]}}\n");
        let problems = problems_of("config.yaml", &text)?;
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert_eq!(problems[0], "config.yaml:12:14 `role` is not a role's ARN: arn:aws:iam::ACCOUNT:role/NAME");
        assert!(
            problems[1].starts_with("config.yaml:14:27 `subnets` has an entry that has the character"),
            "{problems:?}"
        );
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
        let text = "SageMaker: {TrainingJob: {Environment: {A: '1', A: '2'}, Tags: [{Key: t, Value: a}, {Key: t, Value: b}]}}\n";
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
            ("a: &a [*a]\n".to_owned(), "this alias stands inside what it names"),
            ("[".repeat(1 << 20), "recursion limit exceeded"),
            ("- ".repeat(1 << 19), "nested more than 64 levels deep"),
            ("{a: ".repeat(1 << 18), "recursion limit exceeded"),
            ("? ".repeat(1 << 19), "nested more than 64 levels deep"),
            ("a".repeat((1 << 20) + 1), "this file is larger than 1 MiB"),
        ] {
            let problems = problems_of("config.yaml", &text)?;
            assert!(problems.len() == 1 && problems[0].contains(expected), "{expected}: {problems:?}");
        }
        let keys: String = (0..60_000).map(|index| format!("k{index}: {{}}\n")).collect();
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
}
