//! Keys of `images.toml`, the user's file of container images. Their names are those of the SageMaker SDK's tables
//! (`image_uri_config`).

use super::{Key, KeyKind, Values};

/// Number of processors that an image can be for.
pub(super) const PROCESSORS: usize = 4;

/// Keys of a framework or an algorithm.
pub(crate) const IMAGES: &[Key] = &[
    Key::new(
        "version_aliases",
        KeyKind::Map(usize::MAX, Values::Text),
        "What may be written for a version, and the version",
    ),
    Key::new(
        "versions",
        KeyKind::Named(usize::MAX, IMAGES_OF_VERSION),
        "The images by version, each a table or a list of tables",
    )
    .required("a table for each version, such as [pytorch.versions.\"2.9\"]"),
];

/// Keys of a version's images. The default of a missing key is that of the newest version in the built-in catalog.
pub(crate) const IMAGES_OF_VERSION: &[Key] = &[
    Key::new("repository", KeyKind::Text, "Repository in the registry, such as pytorch-training"),
    Key::new("registries", KeyKind::Map(usize::MAX, Values::Text), "Account by region"),
    Key::new("processors", KeyKind::Texts(PROCESSORS), "Processors: cpu, gpu, trn; none where one image is for all"),
    Key::new(
        "py_versions",
        KeyKind::Texts(usize::MAX),
        "Python versions, such as py311; none where the tag doesn't say it",
    ),
    Key::new(
        "tag_prefix",
        KeyKind::Text,
        "What stands in the tag for the version; default: the version as it is asked for",
    ),
    Key::new("processor_in_tag", KeyKind::Boolean, "Whether the tag says the processor; default true"),
    Key::new("container_version", KeyKind::Map(PROCESSORS, Values::Text), "End of the tag by processor"),
    Key::new(
        "base",
        KeyKind::Texts(usize::MAX),
        "Of Hugging Face's: the framework below with its version, then other names of it",
    ),
];
