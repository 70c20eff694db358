//! The catalog against the images that AWS publishes (`published.txt`, made by `make_published.py` beside it): every image
//! of the lists can be resolved, and every image that the catalog has of their repositories is in a list. What is not so
//! stands in a table, with its reason.

use std::collections::{BTreeMap, BTreeSet};

use super::super::list::{ListedImage, list};
use super::super::resolve;
use super::{BUILT_IN, framework};
use crate::images::query::{BaseFramework, ImageKind, ImageQuery, Library};
use crate::model::InstanceType;

const PUBLISHED: &str = include_str!("published.txt");

/// An image as `repository:tag`.
type IsMeant = fn(&str) -> bool;

/// Images of the lists that can't be resolved.
const UNRESOLVED: [(&str, IsMeant); 7] = [
    ("a newer Neuron SDK has an image of the same versions", |image| {
        image.starts_with("pytorch-training-neuron") && image.contains("-sdk")
    }),
    ("Gaudi processors are on no instance type of SageMaker", |image| image.contains("-training-habana:")),
    ("the SDK has it not, and a newer patch of the version in its place", |image| {
        let patches = ["2.7.0", "2.8.3", "2.9.1", "2.10.0"];
        patches.iter().any(|patch| image.starts_with(&format!("tensorflow-training:{patch}-")))
            || image.starts_with("pytorch-training:1.5.1-")
    }),
    ("it is older than AutoGluon in the SDK", |image| image.starts_with("autogluon-training:0.2.1-")),
    ("it was in the list for a week, before it was built with Python 3.7", |image| {
        image.starts_with("mxnet-training:1.8.0-") && image.contains("-py36-")
    }),
    ("the SDK has a shorter tag of the image", |image| {
        ["sagemaker-scikit-learn:1.9-0", "sagemaker-scikit-learn:1.4-2-py312"].contains(&image)
            || image == "sagemaker-xgboost:3.2-0-cpu-py312-sagemaker"
            || image.starts_with("pytorch:")
    }),
    ("the catalog has a longer tag of the image, which names its system", |image| {
        image.starts_with("tensorflow-training:2.19") || image.starts_with("tensorflow-training:2.21")
    }),
];

/// Images of the catalog that are in no list, of repositories that the lists have.
const UNLISTED: [(&str, IsMeant); 5] = [
    ("it is newer than the lists", |image| image.starts_with("pytorch:2.14-")),
    ("it left the lists before they were kept", |image| {
        image.contains("-py2") && !image.contains("-py27-") || image.starts_with("tensorflow-training:1.13.1-")
    }),
    ("it is in the releases of the lists' repository: hf-4.10.2, 4.43.2, 4.46.1, 4.48.0, 4.55.0, 4.56.2", |image| {
        image.starts_with("huggingface-")
            && ["4.10.2", "4.43.2", "4.46.1", "4.48.0", "4.55.0", "4.56.2"]
                .iter()
                .any(|version| image.contains(&format!("transformers{version}-")))
    }),
    ("it is in the releases of the lists' repository: a patch between two lists", |image| {
        ["2.0.3", "2.1.2", "2.4.3", "2.5.1", "2.6.3"]
            .iter()
            .any(|patch| image.starts_with(&format!("tensorflow-training:{patch}-")))
            || image.starts_with("pytorch-training:1.5.0-")
    }),
    ("the lists have these repositories since 2026 only, with what is supported", |image| {
        image.starts_with("sagemaker-xgboost:") || image.starts_with("sagemaker-scikit-learn:")
    }),
];

/// Regions in one of both tables only, for the accounts that the other has.
const OTHER_REGIONS: [(&str, IsMeant); 3] = [
    ("it is in another partition, which the table leaves out", |region| {
        ["us-gov-", "us-iso", "eu-iso", "eusc-"].iter().any(|start| region.starts_with(start))
    }),
    ("it is newer than the table", |region| region == "me-west-1"),
    ("the table of algorithms leaves the Middle East out, which the SDK has", |region| region.starts_with("me-")),
];

/// The images of the lists, and the accounts of the regions: frameworks' and algorithms'.
fn published() -> (BTreeSet<&'static str>, [BTreeMap<&'static str, &'static str>; 2]) {
    let mut accounts = [BTreeMap::new(), BTreeMap::new()];
    let mut images = BTreeSet::new();
    for line in PUBLISHED.lines().filter(|line| !line.starts_with('@')) {
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["frameworks", region, account] => drop(accounts[0].insert(*region, *account)),
            ["algorithms", region, account] => drop(accounts[1].insert(*region, *account)),
            _ => drop(images.insert(line)),
        }
    }
    (images, accounts)
}

/// Every image that can be resolved, as `repository:tag`, with its full version or as an alias has it.
struct Resolved {
    full: BTreeSet<String>,
    short: BTreeSet<String>,
}

fn resolved() -> Resolved {
    let (mut full, mut short) = (BTreeSet::new(), BTreeSet::new());
    for listed in list(&BUILT_IN, None).unwrap_or_default() {
        full.extend(tags(&listed, &listed.version));
        short.extend(listed.aliases.iter().flat_map(|alias| tags(&listed, alias)));
    }
    Resolved { full, short }
}

/// The images of a version of a table, for each Python version and each kind of instance.
fn tags(listed: &ListedImage, version: &str) -> BTreeSet<String> {
    let mut tags = BTreeSet::new();
    let py_versions: Vec<Option<&str>> = match listed.py_versions.as_slice() {
        [] => vec![None],
        some => some.iter().map(|py| Some(py.as_str())).collect(),
    };
    for name in ["ml.m5.xlarge", "ml.g5.xlarge", "ml.p4d.24xlarge", "ml.trn1.2xlarge"] {
        let instance_type = InstanceType::new(name);
        for py_version in &py_versions {
            let query = query(listed, version, *py_version, &instance_type);
            let choice = resolve(&BUILT_IN, &query).ok().filter(|choice| choice.entry.repository == listed.repository);
            tags.extend(choice.and_then(|it| Some(format!("{}:{}", listed.repository, it.tag().ok()?))));
        }
    }
    tags
}

fn query<'a>(
    listed: &'a ListedImage,
    version: &'a str,
    py_version: Option<&'a str>,
    instance_type: &'a InstanceType,
) -> ImageQuery<'a> {
    let base = listed.base.as_deref();
    let base = ["pytorch", "tensorflow"].into_iter().find_map(|name| Some((name, base?.strip_prefix(name)?)));
    ImageQuery {
        kind: listed.kind,
        version: Some(version),
        py_version,
        base: base.map(|(name, version)| BaseFramework { name, version }),
        training_compiler: listed.variant == Some("training-compiler"),
        library: if listed.variant == Some("smp") { Library::ModelParallel } else { Library::Any },
        ..framework(&listed.name, "", instance_type)
    }
}

/// Whether a tag of the lists is that of an image, with what the lists add: CUDA's version, the system, the service and
/// the build. The lists have both forms for the same image (`docs/src/data` of their repository). `py3` and `py2` are the
/// SDK's names for a version that the lists name.
fn is_tag_of(image: &str, listed: &str) -> bool {
    let is_added = |part: &str| {
        let starts = ["cu", "ubuntu", "amzn", "v"];
        part == "sagemaker"
            || starts
                .iter()
                .any(|start| part.strip_prefix(start).is_some_and(|rest| rest.starts_with(char::is_numeric)))
    };
    let mut parts = listed.split('-');
    let same = |(ours, theirs): (&str, &str)| {
        ours == theirs || [("py2", "py27"), ("py3", "py36"), ("py3", "py37")].contains(&(ours, theirs))
    };
    image.split('-').all(|part| parts.next().is_some_and(|theirs| same((part, theirs)))) && parts.all(is_added)
}

/// The first reason that holds for an image, noted as needed.
fn meant(reasons: &[(&'static str, IsMeant)], image: &str, needed: &mut BTreeSet<&'static str>) -> bool {
    let found = reasons.iter().find(|(_, is_meant)| is_meant(image));
    found.is_some_and(|(reason, _)| {
        needed.insert(reason);
        true
    })
}

fn unneeded(reasons: &[(&'static str, IsMeant)], needed: &BTreeSet<&'static str>) -> Vec<&'static str> {
    reasons.iter().map(|(reason, _)| *reason).filter(|reason| !needed.contains(reason)).collect()
}

#[test]
fn every_published_image_can_be_resolved() {
    let (published, _) = published();
    let Resolved { full, short } = resolved();
    let mut needed = BTreeSet::new();
    let is_known = |image: &str| full.iter().chain(&short).any(|known| is_tag_of(known, image));
    let unknown = published.iter().filter(|image| !is_known(image));
    let wrong: Vec<_> = unknown.filter(|image| !meant(&UNRESOLVED, image, &mut needed)).collect();
    assert_eq!(wrong, Vec::<&&str>::new(), "published, but not resolved");
    assert_eq!(unneeded(&UNRESOLVED, &needed), Vec::<&str>::new(), "no more so");
    assert!(published.len() > 300, "{}", published.len());
}

#[test]
fn every_image_of_the_catalog_is_published() {
    let (published, _) = published();
    let repository = |image: &str| image.split(':').next().unwrap_or_default().to_owned();
    let repositories: BTreeSet<String> = published.iter().map(|image| repository(image)).collect();
    let Resolved { full, .. } = resolved();
    let ours = full.iter().filter(|image| repositories.contains(&repository(image)));
    let mut needed = BTreeSet::new();
    let unlisted = ours.filter(|image| !published.iter().any(|listed| is_tag_of(image, listed)));
    let wrong: Vec<_> = unlisted.filter(|image| !meant(&UNLISTED, image, &mut needed)).collect();
    assert_eq!(wrong, Vec::<&String>::new(), "in the catalog, but not published");
    assert_eq!(unneeded(&UNLISTED, &needed), Vec::<&str>::new(), "no more so");
}

/// Whatever version, a region that AWS lists has one account for frameworks and one for algorithms.
#[test]
fn no_image_is_in_another_account_than_aws_lists() {
    let (published, [frameworks, algorithms]) = published();
    let repositories: BTreeSet<&str> = published.iter().filter_map(|image| image.split(':').next()).collect();
    let tables = BUILT_IN.tables();
    let entries = tables.images.values().flat_map(|images| images.versions.values().flatten());
    let mut compared = 0;
    for entry in entries.filter(|entry| repositories.contains(&*entry.repository)) {
        let accounts = match &*entry.repository {
            "smdistributed-modelparallel" => continue,
            "sagemaker-xgboost" | "sagemaker-scikit-learn" => &algorithms,
            _ => &frameworks,
        };
        for region in tables.regions_of(entry).into_iter().filter(|region| accounts.contains_key(region)) {
            assert_eq!(tables.account(entry, region), accounts.get(region).copied(), "{} {region}", entry.repository);
            compared += 1;
        }
    }
    assert!(compared > 2000, "{compared}");
}

/// The regions of the newest images, and their accounts.
#[test]
fn the_accounts_of_the_regions_are_those_that_aws_lists() {
    let (_, [frameworks, algorithms]) = published();
    let cpu = InstanceType::new("ml.m5.xlarge");
    let mut needed = BTreeSet::new();
    let mut wrong = Vec::new();
    for (name, accounts) in [("pytorch", &frameworks), ("tensorflow", &frameworks), ("xgboost", &algorithms)] {
        let kind = if name == "xgboost" { ImageKind::Algorithm } else { ImageKind::Framework };
        let listed = list(&BUILT_IN, Some(name)).unwrap_or_default();
        let Some(newest) = listed.iter().find(|image| image.kind == kind) else { panic!("no {name}") };
        let query = ImageQuery { kind, ..framework(name, &newest.version, &cpu) };
        let choice = resolve(&BUILT_IN, &query).unwrap_or_else(|error| panic!("{name}: {error}"));
        let regions: BTreeSet<&str> =
            newest.regions.iter().map(String::as_str).chain(accounts.keys().copied()).collect();
        for region in regions {
            let uri = choice.uri(region).unwrap_or_default();
            let ours = uri.split('.').next().filter(|account| !account.is_empty());
            if ours != accounts.get(region).copied() && !meant(&OTHER_REGIONS, region, &mut needed) {
                wrong.push(format!("{name} {region}: {ours:?}, AWS: {:?}", accounts.get(region)));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(unneeded(&OTHER_REGIONS, &needed), Vec::<&str>::new(), "no more so");
}
