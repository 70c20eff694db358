//! `smtrain image` and `smtrain images`: the catalog, offline.

use serde_json::json;

use crate::support::{Sandbox, TestResult, Transcript};

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
fn errors_speak_of_the_flags_of_the_command_line() -> TestResult {
    let sandbox = sandbox()?;
    let mut transcript = Transcript::default();
    for arguments in [
        "torch 2.3",
        "jax",
        "pytorch 2.3",
        "pytorch 9.9 --instance-type local",
        "pytorch 2.3 --instance-type ml.c7g.large",
        "huggingface 4.36 --instance-type ml.g5.xlarge",
        "xgboost 1.7",
        "xgboost",
        "kmeans 2",
        "kmeans --region eu-wets-1",
    ] {
        let said = sandbox.smtrain(&["image"]).args(arguments.split(' ')).run()?.expect(2)?;
        transcript.add(arguments, &said);
    }
    let said = Sandbox::new()?.smtrain(&["image", "kmeans"]).run()?.expect(2)?;
    transcript.add("without a region", &said);
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## torch 2.3
    exit code: 2
    --- stderr
    error: "torch" is not a framework or a built-in algorithm with training images
    hint: did you mean `pytorch`?
    ## jax
    exit code: 2
    --- stderr
    error: "jax" is not a framework or a built-in algorithm with training images
    hint: list them: smtrain images
    ## pytorch 2.3
    exit code: 2
    --- stderr
    error: the image of `pytorch` depends on the instance type
    hint: give one: --instance-type ml.m5.xlarge
    ## pytorch 9.9 --instance-type local
    exit code: 2
    --- stderr
    error: `pytorch` has no training image of version "9.9"
    hint: the newest is `2.10.0`; --allow-unknown-version builds the URI of a newer one by the same pattern
    ## pytorch 2.3 --instance-type ml.c7g.large
    exit code: 2
    --- stderr
    error: `ml.c7g.large` has a Graviton processor, for which there are no training images
    hint: choose a type without it, such as `ml.m5.xlarge`
    ## huggingface 4.36 --instance-type ml.g5.xlarge
    exit code: 2
    --- stderr
    error: `huggingface` needs the version of the framework below it
    hint: give --pytorch-version or --tensorflow-version: it has `pytorch2.1.0`
    ## xgboost 1.7
    exit code: 2
    --- stderr
    error: `xgboost` has no training image of version "1.7"
    hint: did you mean `1.7-1`?
    ## xgboost
    exit code: 2
    --- stderr
    error: `xgboost` has several versions
    hint: name one, such as "3.2-0"
    ## kmeans 2
    exit code: 2
    --- stderr
    error: `kmeans` has no training image of version "2"
    hint: there is only `1`
    ## kmeans --region eu-wets-1
    exit code: 2
    --- stderr
    error: `kmeans` 1 has no image in region "eu-wets-1"
    hint: did you mean `eu-west-1`?
    ## without a region
    exit code: 2
    --- stderr
    error: no AWS region is set, and each has images of its own
    hint: give one: --region eu-west-1, or set AWS_REGION
    "#);
    Ok(())
}

#[test]
fn the_catalog_is_printed_as_a_table_and_as_json() -> TestResult {
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

    let said = sandbox.smtrain(&["images", "huggingface"]).run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    VERSION  ALSO  BASE             PYTHON  PROCESSORS  REGIONS     FOR
    5.3.0    5.3   pytorch2.9.0     py312   gpu         31 regions
    4.56.2   4.56  pytorch2.8.0     py312   gpu         31 regions
    4.55.0   4.55  pytorch2.7.1     py312   gpu         31 regions
    4.49.0   4.49  pytorch2.5.1     py311   gpu         31 regions
    4.48.0   4.48  pytorch2.3.0     py311   gpu         31 regions
    4.46.1   4.46  pytorch2.3.0     py311   gpu         31 regions
    4.36.0   4.36  pytorch2.1.0     py310   gpu         31 regions
    4.28.1   4.28  pytorch2.0.0     py310   gpu         31 regions
    4.26.0   4.26  pytorch1.13.1    py39    gpu         31 regions
    4.17.0   4.17  pytorch1.10.2    py38    gpu         35 regions
    4.17.0   4.17  tensorflow2.6.3  py38    gpu         35 regions
    4.12.3   4.12  pytorch1.9.1     py38    gpu         35 regions
    4.12.3   4.12  tensorflow2.5.1  py37    gpu         35 regions
    4.11.0   4.11  pytorch1.9.0     py38    gpu         35 regions
    4.11.0   4.11  tensorflow2.5.1  py37    gpu         35 regions
    4.10.2   4.10  pytorch1.8.1     py36    gpu         35 regions
    4.10.2   4.10  pytorch1.9.0     py38    gpu         35 regions
    4.10.2   4.10  tensorflow2.4.3  py37    gpu         35 regions
    4.10.2   4.10  tensorflow2.5.1  py37    gpu         35 regions
    4.6.1    4.6   pytorch1.6.0     py36    gpu         35 regions
    4.6.1    4.6   pytorch1.7.1     py36    gpu         35 regions
    4.6.1    4.6   pytorch1.8.1     py36    gpu         35 regions
    4.6.1    4.6   tensorflow2.4.1  py37    gpu         35 regions
    4.5.0    4.5   pytorch1.6.0     py36    gpu         35 regions
    4.5.0    4.5   tensorflow2.4.1  py37    gpu         35 regions
    4.4.2    4.4   pytorch1.6.0     py36    gpu         35 regions
    4.4.2    4.4   tensorflow2.4.1  py37    gpu         35 regions
    4.21.1   4.21  pytorch1.11.0    py38    gpu         33 regions  training_compiler
    4.17.0   4.17  pytorch1.10.2    py38    gpu         33 regions  training_compiler
    4.17.0   4.17  tensorflow2.6.3  py38    gpu         33 regions  training_compiler
    4.11.0   4.11  pytorch1.9.0     py38    gpu         5 regions   training_compiler
    4.11.0   4.11  tensorflow2.5.1  py37    gpu         5 regions   training_compiler
    4.55.4   4.55  pytorch2.8.0     py310   trn         24 regions  ml.trn instances
    4.51.0   4.51  pytorch2.7.0     py310   trn         24 regions  ml.trn instances
    4.48.1   4.48  pytorch2.1.2     py310   trn         24 regions  ml.trn instances
    4.43.2   4.43  pytorch2.1.2     py310   trn         24 regions  ml.trn instances
    4.36.2   4.36  pytorch1.13.1    py310   trn         25 regions  ml.trn instances
    4.34.1   4.34  pytorch1.13.1    py310   trn         25 regions  ml.trn instances
    4.28.1   4.28  pytorch1.13.0    py38    trn         25 regions  ml.trn instances
    --- stderr
    "#);
    let all = sandbox.smtrain(&["images", "lda", "-o", "json"]).run()?.ok()?.json_lines()?;
    assert_eq!(all.len(), 1);
    let said = sandbox.smtrain(&["images", "lda", "--region", "eu-south-1"]).run()?.expect(2)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: there are no such images in region "eu-south-1"
    hint: see the regions of each: smtrain images NAME -o json
    "#);
    let said = sandbox.smtrain(&["images", "pytroch"]).run()?.expect(2)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: "pytroch" is not a framework or a built-in algorithm with training images
    hint: did you mean `pytorch`?
    "#);
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
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: unknown key `python` in [pytorch.versions.9.9]
     --> [SANDBOX]/own/mine.toml:2:1
      |
    2 | python = "py3"
      | ^^^^^^ unknown key
      |
      = hint: its keys are repository, registries, processors, py_versions, tag_prefix, processor_in_tag, container_version, base
    [SANDBOX]/own/mine.toml: 1 error
    "#);
    let said = sandbox.smtrain(&["images"]).env("SMTRAIN_IMAGES", "nowhere.toml").run()?.expect(2)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: there is no such file
    --> nowhere.toml
    nowhere.toml: 1 error
    "#);
    Ok(())
}
