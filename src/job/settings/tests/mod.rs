//! Layers from their text to the values that a spec gets from them.

mod sdk;

use std::fs;

use tempfile::TempDir;

use super::{Layer, Layers, VARIABLES};
use crate::job::diagnostics::problem::{InvalidSpec, line_and_column};
use crate::job::document::overrides::Override;
use crate::job::load::{LoadOptions, Loaded, load};
use crate::tests::TestResult;

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
        let options = LoadOptions { overrides, layers, ..LoadOptions::default() };
        self.load(spec, &options)?.map_err(|invalid| shown(&invalid).join("; ").into())
    }
}

/// `FILE:LINE:COLUMN message -- hint`.
fn shown(invalid: &InvalidSpec) -> Vec<String> {
    let show = |problem: &crate::job::diagnostics::problem::Problem| {
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
fn what_is_only_a_setting_is_sent_there() -> TestResult {
    let spec = format!("profile = \"x\"\n{SPEC}");
    let problems = Place::new()?.load(&spec, &LoadOptions::default())?.err().map(|invalid| shown(&invalid));
    let hint = "job.toml:1:1 unknown key `profile` -- `profile` belongs in the settings, such as smtrain.toml";
    assert_eq!(problems.unwrap_or_default(), [hint]);
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
