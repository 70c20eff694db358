//! The job templates, as `init` writes them: each is a valid job, and those that a plain computer can run train a model.
//! `tests/train_templates.py` trains the others, whose libraries are large.

use std::fs;

use serde_json::Value;

use crate::support::{Sandbox, TestResult};

/// A role that dry runs can name; nobody is asked about it.
const AWS: [&str; 4] = ["--region", "eu-west-1", "--role", "arn:aws:iam::111122223333:role/R"];

/// All of them, each written into a folder of its name.
fn written(sandbox: &Sandbox) -> TestResult<Vec<String>> {
    let list = sandbox.smtrain(&["init", "--list", "-o", "json"]).run()?.ok()?.json_lines()?;
    let names: Vec<String> = list.iter().filter_map(|template| Some(template["name"].as_str()?.to_owned())).collect();
    assert!(!names.is_empty());
    for name in &names {
        sandbox.smtrain(&["init", "-q", "-t", name, name]).run()?.ok()?;
    }
    Ok(names)
}

/// Whether it runs without an image.
fn is_local(sandbox: &Sandbox, name: &str) -> TestResult<bool> {
    Ok(fs::read_to_string(sandbox.path(name).join("job.toml"))?.contains("\n[framework]\n"))
}

#[test]
fn each_is_valid_without_a_warning() -> TestResult {
    let sandbox = Sandbox::new()?;
    for name in written(&sandbox)? {
        let spec = format!("{name}/job.toml");
        let mut places = vec![&["validate", "-q"][..]];
        if is_local(&sandbox, &name)? {
            places.push(&["validate", "-q", "--local"]);
        }
        for place in places {
            let said = sandbox.smtrain(place).args([&spec]).run()?.ok()?;
            assert_eq!((&*said.stdout, &*said.stderr), ("", ""), "{spec}");
        }
    }
    Ok(())
}

#[test]
fn each_makes_a_request() -> TestResult {
    let sandbox = Sandbox::new()?;
    for name in written(&sandbox)? {
        let spec = format!("{name}/job.toml");
        let said = sandbox.smtrain(&[&["submit", &spec, "--dry-run"][..], &AWS].concat()).run()?.ok()?;
        // What else is said differs by template, and none of it is a problem of the template.
        assert!(!said.stderr.contains("warning"), "{name}: {said}");
        let request = said.json()?;
        let image = request["AlgorithmSpecification"]["TrainingImage"].as_str().unwrap_or_default();
        assert!(image.contains(".dkr.ecr.eu-west-1.amazonaws.com/"), "{name}: {image}");
        let limit = request["StoppingCondition"]["MaxRuntimeInSeconds"].as_i64();
        assert!(limit.is_some_and(|seconds| seconds <= 3600), "{name}: {limit:?}");
    }
    Ok(())
}

#[test]
fn each_says_how_it_is_run() -> TestResult {
    let sandbox = Sandbox::new()?;
    for name in written(&sandbox)? {
        let spec = fs::read_to_string(sandbox.path(&name).join("job.toml"))?;
        assert!(spec.contains("smtrain submit job.toml --role ROLE"), "{name}");
        assert_eq!(spec.contains("smtrain submit job.toml --local"), is_local(&sandbox, &name)?, "{name}");
        let said = sandbox.smtrain(&["init", "-t", &name, &format!("{name}-again")]).run()?.ok()?;
        // One of two hints, which a template has by its kind.
        assert_eq!(said.stderr.contains("--local"), is_local(&sandbox, &name)?, "{said}");
    }
    Ok(())
}

/// The metrics of a job that were found in its log.
fn metric_names(job: &Value) -> Vec<&str> {
    let metrics = job["FinalMetricDataList"].as_array().into_iter().flatten();
    metrics.filter_map(|metric| metric["MetricName"].as_str()).collect()
}

/// Installs from the package index the build of XGBoost that is for CPUs alone: the same library, 5 MB in place of 400.
#[test]
fn xgboost_trains_on_this_computer() -> TestResult {
    let sandbox = Sandbox::new()?;
    sandbox.smtrain(&["init", "proj", "-t", "xgboost"]).run()?.ok()?;
    let requirements = sandbox.path("proj/requirements.txt");
    let text = fs::read_to_string(&requirements)?;
    fs::write(&requirements, text.replace("\nxgboost>", "\nxgboost-cpu>"))?;
    let job = sandbox.smtrain(&["submit", "proj/job.toml", "--local"]).run()?.ok()?.line().to_owned();
    // Installing may take longer than a command is given, and each wait is one.
    let ended = (0..5).find_map(|_| sandbox.smtrain(&["wait", &job]).run().ok());
    assert_eq!(ended.ok_or("the job did not end")?.line(), format!("{job} Completed"), "{}", sandbox.log(&job)?);
    let described = sandbox.describe(&job)?;
    let mut metrics = metric_names(&described);
    metrics.sort_unstable();
    assert_eq!(metrics, ["train:logloss", "validation:error", "validation:logloss"]);
    sandbox.smtrain(&["download", &job, "-d", "models"]).run()?.ok()?;
    let left = sandbox.path("models").join(&job);
    let model: Value = serde_json::from_str(&fs::read_to_string(left.join("model/model.json"))?)?;
    assert_eq!(model["learner"]["feature_names"].as_array().map(Vec::len), Some(10));
    assert!(left.join("output/report.json").is_file());
    Ok(())
}

#[test]
fn custom_container_trains_in_an_image_that_knows_nothing_of_sagemaker() -> TestResult {
    let (sandbox, _tenant) = Sandbox::on_aws()?;
    sandbox.smtrain(&["init", "proj", "-t", "custom-container"]).run()?.ok()?;
    let arguments = ["submit", "proj/job.toml", "--role", "SageMakerRole", "--follow", "--download", "models"];
    let said = sandbox.smtrain(&arguments).run()?.ok()?;
    // Which lines come before which phase depends on the moment.
    assert!(said.stderr.contains("\nepoch=50 train_rmse=393.1\n"), "{said}");
    let job = said.line();
    assert_eq!(metric_names(&sandbox.describe(job)?), ["train:rmse"]);
    assert!(sandbox.path("models").join(job).join("model/model.json").is_file());
    Ok(())
}
