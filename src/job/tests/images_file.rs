//! A user's own file of container images: what it adds to the catalog, and what is wrong with one.

use std::fs;

use tempfile::TempDir;

use super::{TestResult, show};
use crate::images::{Catalog, ImageKind, ImageQuery, Library, list, resolve};
use crate::job::decode::image_catalog;
use crate::job::diagnostics::problem::InvalidSpec;
use crate::model::InstanceType;

fn read(text: &str) -> Result<Result<Catalog, InvalidSpec>, Box<dyn std::error::Error>> {
    let folder = TempDir::new()?;
    let file = folder.path().join("images.toml");
    fs::write(&file, text)?;
    Ok(image_catalog::read(&file, "images.toml".to_owned(), folder.path()).map(Catalog::with_own))
}

fn catalog(text: &str) -> Result<Catalog, Box<dyn std::error::Error>> {
    read(text)?.map_err(|invalid| format!("{:?}", invalid.problems).into())
}

fn uri(catalog: &Catalog, name: &str, version: &str, instance_type: &str) -> Result<String, String> {
    let instance_type = InstanceType::new(instance_type);
    let query = ImageQuery {
        kind: crate::images::kind(catalog, name).map_err(|error| error.to_string())?,
        name,
        version: Some(version),
        py_version: None,
        base: None,
        instance_type: Some(&instance_type),
        training_compiler: false,
        library: Library::Any,
        allow_unknown_version: false,
    };
    let choice = resolve(catalog, &query).map_err(|error| error.to_string())?;
    choice.uri("eu-west-1").map_err(|error| error.to_string())
}

#[test]
fn a_version_is_as_the_newest_where_nothing_is_said() -> TestResult {
    let catalog = catalog("[pytorch.versions.\"9.1\"]\npy_versions = [\"py399\"]\n")?;
    let registry = "763104351884.dkr.ecr.eu-west-1.amazonaws.com";
    assert_eq!(uri(&catalog, "pytorch", "9.1", "ml.g5.xlarge")?, format!("{registry}/pytorch-training:9.1-gpu-py399"));
    assert_eq!(uri(&catalog, "pytorch", "2.3", "ml.m5.large")?, format!("{registry}/pytorch-training:2.3-cpu-py311"));
    let versions: Vec<String> = list(&catalog, Some("pytorch"))?.into_iter().map(|listed| listed.version).collect();
    assert_eq!(versions.first().map(String::as_str), Some("9.1"));
    Ok(())
}

#[test]
fn a_version_of_the_catalog_is_replaced() -> TestResult {
    let own = "[pytorch.versions.\"2.3\"]\nregistries = { eu-west-1 = \"111122223333\" }\nprocessors = [\"cpu\"]\n";
    let catalog = catalog(own)?;
    let mine = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training";
    assert!(uri(&catalog, "pytorch", "2.3", "ml.m5.large")?.starts_with(mine));
    assert!(uri(&catalog, "pytorch", "2.3", "ml.g5.large").is_err_and(|error| error.contains("has no image for")));
    assert!(uri(&catalog, "pytorch", "2.4", "ml.g5.large")?.starts_with("763104351884"));
    Ok(())
}

const IN_HOUSE: &str = r#"
[in-house]
version_aliases = { latest = "2" }

[in-house.versions."2"]
repository = "in-house-training"
registries = { eu-west-1 = "111122223333" }
processors = ["cpu", "gpu"]
tag_prefix = "v2"
container_version = { gpu = "cu130" }

[[own-algorithm.versions."1"]]
repository = "own-algorithm"
registries = { eu-west-1 = "111122223333", us-east-1 = "111122223333" }
"#;

#[test]
fn names_of_ones_own() -> TestResult {
    let catalog = catalog(IN_HOUSE)?;
    let registry = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";
    assert_eq!(
        uri(&catalog, "in-house", "latest", "ml.g5.xlarge")?,
        format!("{registry}/in-house-training:v2-gpu-cu130")
    );
    assert_eq!(uri(&catalog, "own-algorithm", "1", "ml.m5.large")?, format!("{registry}/own-algorithm:1"));
    let own = list(&catalog, Some("own-algorithm"))?;
    let kinds: Vec<(ImageKind, usize)> = own.iter().map(|listed| (listed.kind, listed.regions.len())).collect();
    assert_eq!(kinds, [(ImageKind::Algorithm, 2)]);
    Ok(())
}

#[test]
fn mistakes_are_shown_with_their_places() -> TestResult {
    let text = r#"
[PyTorch.versions."2"]
[a]
[b.versions."1"]
py_version = ["py3"]
registries = { eu-west-1 = "12345" }
processors = ["tpu"]
[c]
versions = 7
"#;
    let invalid = read(text)?.err().ok_or("it was read")?;
    let said: Vec<String> = invalid.problems.iter().map(|problem| show(problem, &invalid.sources)).collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    2:2 a framework's or an algorithm's name is of small letters, digits and hyphens
    3:1 [a] needs `versions` -- a table for each version, such as [pytorch.versions."2.9"]
    5:1 unknown key `py_version` in [b.versions.1] -- did you mean `py_versions`?
    6:28 `eu-west-1` is not an account: twelve digits
    7:15 `processors` has an entry that is none of cpu, gpu, trn
    9:12 `versions` should be a table of tables, one for each version
    "#);
    Ok(())
}
