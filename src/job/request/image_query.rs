//! Builds the query of the image catalog from a spec.

use crate::images::{BaseFramework, ImageKind, ImageQuery, Library};
use crate::job::spec::{AlgorithmSpec, DistributionKind, Framework, JobSpec, Resources, Workload};
use crate::model::InstanceType;

/// Returns the query; `None` if the spec names an image or an algorithm's ARN, or is serverless.
pub(crate) fn image_query(spec: &JobSpec) -> Option<ImageQuery<'_>> {
    let query = match &spec.workload {
        Workload::Framework(framework) if framework.image.is_none() => of_framework(framework),
        Workload::Algorithm(AlgorithmSpec::BuiltIn { name, version }) => of_algorithm(name, version.as_deref()),
        _ => return None,
    };
    Some(ImageQuery { instance_type: instance_type(&spec.resources), library: library(spec), ..query })
}

fn of_framework(framework: &Framework) -> ImageQuery<'_> {
    let pytorch = framework.pytorch_version.as_ref().map(|version| BaseFramework { name: "pytorch", version });
    let tensorflow =
        || framework.tensorflow_version.as_ref().map(|version| BaseFramework { name: "tensorflow", version });
    ImageQuery {
        kind: ImageKind::Framework,
        name: framework.variant.as_ref().unwrap_or(&framework.name),
        version: framework.version.as_deref(),
        py_version: framework.py_version.as_deref(),
        base: pytorch.or_else(tensorflow),
        instance_type: None,
        training_compiler: framework.training_compiler,
        library: Library::Any,
        allow_unknown_version: framework.allow_unknown_version,
    }
}

fn of_algorithm<'a>(name: &'a str, version: Option<&'a str>) -> ImageQuery<'a> {
    ImageQuery {
        kind: ImageKind::Algorithm,
        name,
        version,
        py_version: None,
        base: None,
        instance_type: None,
        training_compiler: false,
        library: Library::Any,
        allow_unknown_version: false,
    }
}

/// Returns the instance type that decides about the image, which is the same on all of a job's instances: the first one
/// with a GPU, else the first one, as in the SDK.
fn instance_type(resources: &Resources) -> Option<&InstanceType> {
    let all = resources.instance_types();
    let has_gpu = |name: &InstanceType| name.as_str().starts_with("ml.g") || name.as_str().starts_with("ml.p");
    all.iter().copied().find(|name| has_gpu(name)).or(all.first().copied())
}

fn library(spec: &JobSpec) -> Library {
    match &spec.distribution {
        Some(it) if it.kind == DistributionKind::TorchDistributed && it.modelparallel.is_some() => {
            Library::ModelParallel
        }
        Some(it) => match it.kind {
            DistributionKind::SmdistributedDataparallel | DistributionKind::SmdistributedModelparallel => {
                Library::Smdistributed
            }
            _ => Library::Any,
        },
        None => Library::Any,
    }
}
