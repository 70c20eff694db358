//! `--set` and its short forms.

use serde_json::json;

use super::super::spec::{InputMode, JobSpec, Workload};
use super::{BASE, Project, TestResult};
use crate::job::document::overrides::Override;

fn spec_with(overrides: &[Override]) -> Result<JobSpec, Box<dyn std::error::Error>> {
    match Project::new()?.load(BASE, overrides)? {
        Ok(loaded) => Ok(loaded.spec),
        Err(invalid) => Err(format!("{:?}", invalid.problems).into()),
    }
}

fn problem_of(flag: Override) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    Project::new()?.problems(BASE, &[flag])
}

#[test]
fn values_are_replaced_added_and_merged() -> TestResult {
    let spec = spec_with(&[
        Override::set("resources.instance_type=ml.g5.xlarge"),
        Override::set("resources={instance_count=2, volume_size_gb=40}"),
        Override::set("limits.max_run = 10"),
        Override::set("input_mode = FastFile"),
        Override::set("tags.padded= x"),
        Override::set("metrics.\"a=b:loss\"='x=(.)'"),
        Override::set("channels.train=s3://bucket/data"),
        Override::set("hyperparameters.layers=[1,2]"),
    ])?;
    assert_eq!(spec.resources.instance_type.as_ref().map(ToString::to_string).as_deref(), Some("ml.g5.xlarge"));
    assert_eq!((spec.resources.instance_count, spec.resources.volume_size_gb), (2, 40));
    assert_eq!(spec.limits.max_run.as_secs(), 10);
    assert_eq!(spec.metrics, [("a=b:loss".to_owned(), "x=(.)".to_owned())]);
    assert_eq!((spec.input_mode, spec.tags[0].1.as_str()), (InputMode::FastFile, " x"));
    assert_eq!(spec.channels.len(), 1);
    assert_eq!(spec.hyperparameters["layers"], json!([1, 2]));
    Ok(())
}

#[test]
fn short_forms_mean_their_keys() -> TestResult {
    let spec = spec_with(&[
        Override::hyperparameter("epochs=3"),
        Override::hyperparameter("optimizer=adam"),
        Override::hyperparameter("model.lr=1e-2"),
        Override::hyperparameter("note="),
        Override::string("--role", &["role"], "123"),
        Override::string("--name", &["name"], "true"),
        Override::value("--instance-count", &["resources", "instance_count"], "4"),
        Override::value("--spot", &["spot", "enabled"], "true"),
    ])?;
    let expected = r#"{"epochs":3,"optimizer":"adam","model.lr":0.01,"note":""}"#;
    assert_eq!(serde_json::to_string(&spec.hyperparameters)?, expected);
    assert_eq!((spec.role.as_deref(), spec.name.as_str()), (Some("123"), "true"));
    assert_eq!(spec.resources.instance_count, 4);
    assert!(spec.spot);
    Ok(())
}

#[test]
fn a_number_given_by_flag_is_text_where_text_is_wanted() -> TestResult {
    let flags = ["framework.version=2.10", "environment.V=1_0", "tags.day=2026-11-23", "name=7"];
    let spec = spec_with(&flags.map(Override::set))?;
    assert!(matches!(&spec.workload, Workload::Framework(it) if it.version.as_deref() == Some("2.10")));
    assert_eq!(spec.environment["V"], "1_0");
    assert_eq!((spec.tags[0].1.as_str(), spec.name.as_str()), ("2026-11-23", "7"));
    Ok(())
}

#[test]
fn a_later_flag_wins() -> TestResult {
    let spec = spec_with(&[Override::set("name=a"), Override::set("name=b")])?;
    assert_eq!(spec.name, "b");
    Ok(())
}

#[test]
fn problems_are_shown_in_the_flag() -> TestResult {
    for (flag, expected) in [
        (
            Override::set("resources.instance_cuont=2"),
            "--set:1:11 unknown key `instance_cuont` in [resources] -- did you mean `instance_count`?",
        ),
        (
            Override::set("limits.max_run=soon"),
            "--set:1:16 `max_run` is not a duration -- durations are written as \"90s\", \"30m\", \"24h\", \"1h30m\" or a number of seconds",
        ),
        (
            Override::set("framework.name.x=1"),
            "--set:1:11 `framework.name` is a string, and has no keys in it -- set the whole value, or name another key",
        ),
        (Override::set("name"), "--set:1:1 a value is missing -- write --set KEY=VALUE"),
        (
            Override::set("=1"),
            "--set:1:1 \"\" is not a key -- quote parts with other characters: metrics.\"train:loss\"=...",
        ),
        (
            Override::set("metrics.train:loss=(.)"),
            "--set:1:1 \"metrics.train:loss\" is not a key -- quote parts with other characters: metrics.\"train:loss\"=...",
        ),
        (
            Override::set("a\nb=1"),
            "--set:1:1 \"a\\nb\" is not a key -- quote parts with other characters: metrics.\"train:loss\"=...",
        ),
        (Override::set("resources=3"), "--set:1:11 `resources` is an integer, and should be a table"),
        (
            Override::value("--instance-count", &["resources", "instance_count"], "two"),
            "--instance-count:1:1 `instance_count` is a string, and should be an integer",
        ),
        (
            Override::string("--instance-type", &["resources", "instance_type"], "g5.xlarge"),
            "--instance-type:1:1 \"g5.xlarge\" is not an instance type -- did you mean `ml.g5.xlarge`?",
        ),
        (
            Override::hyperparameter("sagemaker_program=x"),
            "-H:1:1 hyperparameters that start with `sagemaker_` are reserved -- give it another name",
        ),
        (Override::hyperparameter("x=nan"), "-H:1:3 nan can't be sent as a value here -- write it in quotes: \"nan\""),
    ] {
        assert_eq!(problem_of(flag)?.first().map(String::as_str), Some(expected));
    }
    Ok(())
}

#[test]
fn hostile_flags_are_answered() -> TestResult {
    let deep = [format!("a={}", "[".repeat(100_000)), format!("{}=1", "a.".repeat(100_000)), "\0=\0".to_owned()];
    for text in deep {
        assert_eq!(problem_of(Override::set(text))?.len(), 1);
    }
    Ok(())
}
