//! `smtrain image` and `smtrain images`: the catalog, offline.

use serde_json::json;

use crate::support::{Sandbox, TestResult};

const REGISTRY: &str = "763104351884.dkr.ecr.eu-west-1.amazonaws.com";

/// In a region, and with nobody to ask.
fn sandbox() -> TestResult<Sandbox> {
    Ok(Sandbox::new()?.with_env("AWS_REGION", "eu-west-1").with_env("AWS_ENDPOINT_URL", "http://127.0.0.1:1"))
}

#[test]
fn an_image_is_one_line() -> TestResult {
    let sandbox = sandbox()?;
    for (arguments, uri) in [
        ("pytorch 2.3 --instance-type ml.g5.xlarge", format!("{REGISTRY}/pytorch-training:2.3-gpu-py311")),
        ("pytorch 2.3 --instance-type local", format!("{REGISTRY}/pytorch-training:2.3-cpu-py311")),
        (
            "pytorch 1.6 --instance-type ml.m5.large --py-version py3",
            format!("{REGISTRY}/pytorch-training:1.6-cpu-py3"),
        ),
        (
            "huggingface 4.36 --pytorch-version 2.1 --instance-type ml.g5.xlarge",
            format!("{REGISTRY}/huggingface-pytorch-training:2.1-transformers4.36-gpu-py310-cu121-ubuntu20.04"),
        ),
        (
            "huggingface 4.17 --tensorflow-version 2.6 --instance-type ml.p3.2xlarge --training-compiler",
            format!(
                "{REGISTRY}/huggingface-tensorflow-trcomp-training:2.6-transformers4.17-gpu-py38-cu112-ubuntu20.04"
            ),
        ),
        (
            "pytorch 9.9 --instance-type ml.g5.xlarge --allow-unknown-version",
            format!("{REGISTRY}/pytorch-training:9.9-gpu-py313"),
        ),
        ("xgboost 1.7-1", "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1".to_owned()),
        ("kmeans --region cn-north-1", "390948362332.dkr.ecr.cn-north-1.amazonaws.com.cn/kmeans:1".to_owned()),
    ] {
        let arguments: Vec<&str> = ["image"].into_iter().chain(arguments.split(' ')).collect();
        let said = sandbox.smtrain(&arguments).run()?.ok().map_err(|error| format!("{arguments:?}: {error}"))?;
        assert_eq!((&*said.stdout, &*said.stderr), (&*format!("{uri}\n"), ""), "{arguments:?}");
    }
    let said = sandbox.smtrain(&["image", "pytorch", "2.3", "--instance-type", "local", "-o", "json"]).run()?.ok()?;
    let expected = json!({
        "version": 1, "uri": format!("{REGISTRY}/pytorch-training:2.3-cpu-py311"), "name": "pytorch",
        "image_version": "2.3", "py_version": "py311", "region": "eu-west-1",
    });
    assert_eq!(said.json()?, expected);
    Ok(())
}

#[test]
fn what_there_is_no_image_of_is_said_in_words_of_the_command_line() -> TestResult {
    let sandbox = sandbox()?;
    for (arguments, words) in [
        ("torch 2.3", "did you mean `pytorch`?"),
        ("jax", "smtrain images"),
        ("pytorch 2.3", "--instance-type"),
        ("pytorch 9.9 --instance-type local", "--allow-unknown-version"),
        ("pytorch 2.3 --instance-type ml.c7g.large", "Graviton"),
        ("huggingface 4.36 --instance-type ml.g5.xlarge", "--pytorch-version"),
        ("xgboost 1.7", "did you mean `1.7-1`?"),
        ("xgboost", "has several versions"),
        ("kmeans 2", "there is only `1`"),
        ("kmeans --region eu-wets-1", "did you mean `eu-west-1`?"),
    ] {
        let arguments: Vec<&str> = ["image"].into_iter().chain(arguments.split(' ')).collect();
        let said = sandbox.smtrain(&arguments).run()?.expect(2).map_err(|error| format!("{arguments:?}: {error}"))?;
        assert_eq!(said.stdout, "", "{arguments:?}");
        assert!(said.stderr.contains(words) && said.stderr.contains("hint: "), "{arguments:?}: {said}");
    }
    let said = Sandbox::new()?.smtrain(&["image", "kmeans"]).run()?.expect(2)?;
    assert!(said.stderr.contains("no AWS region is set") && said.stderr.contains("--region"), "{said}");
    Ok(())
}

#[test]
fn the_catalog_as_a_table_and_as_json() -> TestResult {
    let sandbox = sandbox()?;
    let table = sandbox.smtrain(&["images"]).run()?.ok()?;
    assert_eq!(
        table.lines().first().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).as_deref(),
        Some("NAME KIND NEWEST VERSIONS PROCESSORS")
    );
    assert!(table.lines().iter().any(|line| line.starts_with("kmeans ") && line.contains("algorithm")), "{table}");

    let listed = sandbox.smtrain(&["images", "pytorch", "-o", "json"]).run()?.ok()?.json_lines()?;
    let of = |version: &str| listed.iter().find(|image| image["image_version"] == version);
    let image = of("2.3.0").ok_or("no 2.3.0")?;
    assert_eq!((&image["kind"], &image["py_versions"]), (&json!("framework"), &json!(["py311"])));
    assert_eq!((&image["aliases"], &image["processors"]), (&json!(["2.3"]), &json!(["cpu", "gpu"])));
    assert!(image["regions"].as_array().is_some_and(|regions| regions.contains(&json!("eu-west-1"))), "{image}");
    assert!(listed.iter().any(|image| image["variant"] == "training-compiler"));

    let versions = sandbox.smtrain(&["images", "huggingface"]).run()?.ok()?;
    assert!(versions.stdout.contains("pytorch2.1.0"), "{versions}");
    let all = sandbox.smtrain(&["images", "lda", "-o", "json"]).run()?.ok()?.json_lines()?;
    assert_eq!(all.len(), 1);
    let none = sandbox.smtrain(&["images", "lda", "--region", "eu-south-1"]).run()?.expect(2)?;
    assert!(none.stderr.contains("eu-south-1"), "{none}");
    let unknown = sandbox.smtrain(&["images", "pytroch"]).run()?.expect(2)?;
    assert!(unknown.stderr.contains("did you mean `pytorch`?"), "{unknown}");
    Ok(())
}

#[test]
fn a_file_of_one_s_own_adds_to_the_catalog() -> TestResult {
    let sandbox = sandbox()?;
    let project = sandbox.project("own", "")?.file(
        "mine.toml",
        "[pytorch.versions.\"9.9\"]\nregistries = { eu-west-1 = \"111122223333\" }\npy_versions = [\"py314\"]\n",
    )?;
    let project = project.file("smtrain.toml", "images = \"mine.toml\"\n")?;
    let uri = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:9.9-cpu-py314";
    let here = project.path("");
    let said = sandbox.smtrain(&["image", "pytorch", "9.9", "--instance-type", "local"]).dir(&here).run()?.ok()?;
    assert_eq!(said.line(), uri);
    // A spec takes it too, wherever the setting stands.
    let spec = "[framework]\nname = \"pytorch\"\nversion = \"9.9\"\n[source]\nentry_point = \"train.py\"\n\
                [resources]\ninstance_type = \"ml.m5.large\"\n";
    let project = project.whole_spec(spec)?;
    let dry_run = sandbox.smtrain(&["submit", &project.spec(), "--dry-run", "--role", "R"]);
    let request = dry_run.env("SMTRAIN_IMAGES", project.path("mine.toml")).run()?.ok()?.json()?;
    assert_eq!(request["AlgorithmSpecification"]["TrainingImage"], uri);
    sandbox.smtrain(&["validate", &project.spec()]).run()?.expect(2)?;

    let project = project.file("mine.toml", "[pytorch.versions.\"9.9\"]\npython = \"py3\"\n")?;
    let said = sandbox.smtrain(&["images"]).dir(project.path("")).run()?.expect(2)?;
    assert!(said.stderr.contains("mine.toml:2:1"), "{said}");
    let said = sandbox.smtrain(&["images"]).env("SMTRAIN_IMAGES", "nowhere.toml").run()?.expect(2)?;
    assert!(said.stderr.contains("nowhere.toml") && said.stderr.contains("no such file"), "{said}");
    Ok(())
}
