//! The resolver against the SageMaker SDK's own answers (`tests/answers.txt`, made by `make_answers.py` beside it), and
//! what it says where the SDK is wrong.

mod answers;
mod published;

use super::query::{BaseFramework, ImageKind, ImageQuery, Library};
use super::{Catalog, ImageError, Subject, resolve};
use crate::model::InstanceType;

static BUILT_IN: Catalog = Catalog::built_in();

/// A query of a framework on an instance; the tests set what they are about.
fn framework<'a>(name: &'a str, version: &'a str, instance_type: &'a InstanceType) -> ImageQuery<'a> {
    ImageQuery {
        kind: ImageKind::Framework,
        name,
        version: Some(version),
        py_version: None,
        base: None,
        instance_type: Some(instance_type),
        training_compiler: false,
        library: Library::Any,
        allow_unknown_version: false,
    }
}

fn algorithm<'a>(name: &'a str, version: Option<&'a str>, instance_type: &'a InstanceType) -> ImageQuery<'a> {
    ImageQuery { kind: ImageKind::Algorithm, version, ..framework(name, "", instance_type) }
}

fn huggingface<'a>(version: &'a str, pytorch: &'a str, instance_type: &'a InstanceType) -> ImageQuery<'a> {
    let base = Some(BaseFramework { name: "pytorch", version: pytorch });
    ImageQuery { base, ..framework("huggingface", version, instance_type) }
}

fn tag(query: &ImageQuery<'_>) -> Result<String, ImageError> {
    let choice = resolve(&BUILT_IN, query)?;
    Ok(format!("{}:{}", choice.entry.repository, choice.tag()?))
}

fn cpu() -> InstanceType {
    InstanceType::new("ml.m5.xlarge")
}

fn gpu() -> InstanceType {
    InstanceType::new("ml.g5.2xlarge")
}

fn trainium() -> InstanceType {
    InstanceType::new("ml.trn1.32xlarge")
}

#[test]
fn uris_have_the_account_and_the_suffix_of_the_region() -> Result<(), ImageError> {
    let cpu = cpu();
    let query = framework("pytorch", "2.3", &cpu);
    let choice = resolve(&BUILT_IN, &query)?;
    let cases = [
        ("eu-west-1", "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.3-cpu-py311"),
        ("cn-north-1", "727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn/pytorch-training:2.3-cpu-py311"),
        ("us-gov-west-1", "442386744353.dkr.ecr.us-gov-west-1.amazonaws.com/pytorch-training:2.3-cpu-py311"),
        ("us-isof-south-1", "454834333376.dkr.ecr.us-isof-south-1.csp.hci.ic.gov/pytorch-training:2.3-cpu-py311"),
    ];
    for (region, uri) in cases {
        assert_eq!(choice.uri(region)?, uri);
    }
    Ok(())
}

#[test]
fn the_newest_python_is_the_default() -> Result<(), ImageError> {
    let cpu = cpu();
    for (name, version, expected) in [
        ("pytorch", "1.6", "pytorch-training:1.6-cpu-py36"),
        ("tensorflow", "1.15", "tensorflow-training:1.15-cpu-py37"),
        ("mxnet", "1.4.1", "mxnet-training:1.4.1-cpu-py3"),
        ("mxnet", "1.2", "sagemaker-mxnet:1.2-cpu-py3"),
    ] {
        assert_eq!(tag(&framework(name, version, &cpu))?, expected);
    }
    Ok(())
}

/// What only the SDK's third version knows: the processor is in the suffix alone.
#[test]
fn some_tags_leave_the_processor_to_the_suffix() -> Result<(), ImageError> {
    let (cpu, gpu) = (cpu(), gpu());
    let name = "pytorch-amzn2023";
    assert_eq!(tag(&framework(name, "2.13", &cpu))?, "pytorch:2.13-cpu-amzn2023-sagemaker");
    assert_eq!(tag(&framework(name, "latest", &gpu))?, "pytorch:2.14-cu133-amzn2023-sagemaker");
    Ok(())
}

/// No SDK picks Hugging Face's Neuron images; their tags are as in AWS's list of images.
#[test]
fn trainium_has_images_of_its_own() -> Result<(), ImageError> {
    let trainium = trainium();
    let query = huggingface("4.36", "1.13", &trainium);
    let expected = "huggingface-pytorch-training-neuronx:1.13.1-transformers4.36.2-neuronx-py310-sdk2.18.0-ubuntu20.04";
    assert_eq!(tag(&query)?, expected);
    let query = framework("hyperpod-recipes-neuron", "2.1.2", &trainium);
    assert_eq!(tag(&query)?, "pytorch-training-neuronx:2.1.2-neuronx-py310-sdk2.20.2-ubuntu20.04");
    Ok(())
}

#[test]
fn an_unknown_version_follows_the_newest_pattern_when_that_is_allowed() -> Result<(), ImageError> {
    let (cpu, gpu) = (cpu(), gpu());
    let unknown = |query: ImageQuery<'static>| tag(&ImageQuery { allow_unknown_version: true, ..query });
    let leak = |it: InstanceType| -> &'static InstanceType { Box::leak(Box::new(it)) };
    let (cpu, gpu) = (leak(cpu), leak(gpu));
    assert_eq!(unknown(framework("pytorch", "9.1", cpu))?, "pytorch-training:9.1-cpu-py313");
    let query = ImageQuery { py_version: Some("py314"), ..framework("pytorch", "9.1", gpu) };
    assert_eq!(unknown(query)?, "pytorch-training:9.1-gpu-py314");
    let expected = "huggingface-pytorch-training:9.0-transformers6.1-gpu-py312-cu130-ubuntu22.04";
    assert_eq!(unknown(huggingface("6.1", "9.0", gpu))?, expected);
    assert_eq!(unknown(framework("ray-tensorflow", "2.0.0", cpu))?, "sagemaker-rl-ray-container:ray-2.0.0-tf-cpu-py37");
    assert_eq!(unknown(framework("pytorch", "2.3", cpu))?, "pytorch-training:2.3-cpu-py311", "a known one");
    Ok(())
}

#[test]
fn errors_say_the_fact_and_what_to_write() {
    let (cpu, gpu, trainium) = (cpu(), gpu(), trainium());
    let graviton = InstanceType::new("ml.c7gd.xlarge");
    let python = ImageQuery { py_version: Some("py36"), ..framework("pytorch", "2.3", &cpu) };
    let compiler = ImageQuery { training_compiler: true, ..framework("pytorch", "2.0", &gpu) };
    let cases = [
        framework("pytorhc", "2.3", &cpu),
        framework("kmeans", "1", &cpu),
        algorithm("pytorch", None, &cpu),
        algorithm("deepar", None, &cpu),
        algorithm("kmeans", Some("2"), &cpu),
        algorithm("xgboost", None, &cpu),
        algorithm("xgboost", Some("1.7"), &cpu),
        framework("pytorch", "2.3.4", &cpu),
        framework("pytorch", "9.1", &cpu),
        framework("pytorch", "0.1", &cpu),
        framework("tensorflow", "2.15", &cpu),
        python,
        compiler,
        framework("sklearn", "1.4-2", &gpu),
        framework("pytorch", "2.3", &graviton),
        framework("pytorch", "1.10", &trainium),
        algorithm("kmeans", None, &trainium),
        huggingface("4.36", "2.3", &gpu),
        huggingface("4.36", "2.1", &cpu),
        ImageQuery { base: None, ..huggingface("4.36", "", &gpu) },
    ];
    let said: Vec<String> = cases
        .iter()
        .map(|query| match tag(query) {
            Ok(tag) => format!("no error: {tag}"),
            Err(error) => format!("{:?}: {error} -- {}", error.subject, error.hint),
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    Name: "pytorhc" is not a framework with training images -- did you mean `pytorch`?
    Name: "kmeans" is not a framework with training images -- it belongs in [algorithm]
    Name: "pytorch" is not a built-in algorithm -- it belongs in [framework]
    Name: "deepar" is not a built-in algorithm -- did you mean `forecasting-deepar`?
    Version: `kmeans` has no training image of version "2" -- there is only `1`
    Version: `xgboost` has several versions -- name one, such as "3.2-0"
    Version: `xgboost` has no training image of version "1.7" -- did you mean `1.7-1`?
    Version: `pytorch` has no training image of version "2.3.4" -- did you mean `2.3`?
    Version: `pytorch` has no training image of version "9.1" -- the newest is `2.10.0`
    Version: `pytorch` has no training image of version "0.1" -- the oldest is `0.4`
    Version: `tensorflow` has no training image of version "2.15" -- the nearest are `2.14.1` and `2.16`
    PyVersion: `pytorch` 2.3 has no image with Python "py36" -- it has `py311`
    Version: the training compiler of `pytorch` has no training image of version "2.0" -- the newest is `1.13.1`
    InstanceType: `sklearn` 1.4-2 has no image for `ml.g5.2xlarge` -- it has images for CPU instances
    InstanceType: `ml.c7gd.xlarge` has a Graviton processor, for which there are no training images -- choose a type without it, such as `ml.m5.xlarge`
    Version: `pytorch` on `ml.trn1.32xlarge` has no training image of version "1.10" -- the oldest is `1.11`; any other goes in `image`
    InstanceType: `kmeans` 1 has no image for `ml.trn1.32xlarge` -- it has images for CPU instances and GPU instances
    BaseVersion: `huggingface` 4.36 has no image with pytorch "2.3" -- it has `pytorch2.1.0`
    InstanceType: `huggingface` 4.36 has no image for `ml.m5.xlarge` -- it has images for GPU instances
    BaseVersion: `huggingface` needs the version of the framework below it -- it has `pytorch2.1.0`
    "#);
}

#[test]
fn a_region_without_an_account_says_what_there_is() {
    let cpu = cpu();
    let no_image =
        |query: &ImageQuery<'_>, region: &str| match resolve(&BUILT_IN, query).and_then(|choice| choice.uri(region)) {
            Err(error) if error.subject == Subject::Region => format!("{error} -- {}", error.hint),
            other => format!("not an error of the region: {other:?}"),
        };
    let pytorch = framework("pytorch", "1.0", &cpu);
    let lda = algorithm("lda", None, &cpu);
    let said = [
        no_image(&pytorch, "ca-west-1"),
        no_image(&pytorch, "eu-wset-1"),
        no_image(&pytorch, "mars"),
        no_image(&lda, "eu-south-1"),
    ];
    insta::assert_snapshot!(said.join("\n"), @r#"
    `pytorch` 1.0 has no image in region "ca-west-1" -- the newest version with an image there is `2.10.0`
    `pytorch` 1.0 has no image in region "eu-wset-1" -- did you mean `eu-west-1`?
    `pytorch` 1.0 has no image in region "mars" -- there are no images at all in that region
    `lda` 1 has no image in region "eu-south-1" -- none of its versions has one there: choose another region
    "#);
}
