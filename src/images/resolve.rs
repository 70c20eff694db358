//! Resolves a query to a catalog entry: by name, version, base framework and Python version, in this order.

use super::catalog::Catalog;
use super::error::{ImageError, Subject, list};
use super::query::{ImageKind, ImageQuery, Library};
use super::tables::{COMPILER, ImageEntry, ImageFamily, MODEL_PARALLEL, NEURON, NEURONX, Tables};
use super::unknown_name::unknown_name;
use super::{processor, version_hint, versions};

/// The catalog entry that a query means.
#[derive(Debug)]
pub(crate) struct Choice<'a> {
    pub(super) query: ImageQuery<'a>,
    pub(super) catalog: &'a Tables,
    pub(super) images: &'a ImageFamily,
    pub(super) entry: &'a ImageEntry,
    /// As in the query, or the only one.
    pub(super) version: &'a str,
    /// The version in the catalog that `version` stands for; the newest for an unknown one.
    pub(super) known: &'a str,
    pub(super) py_version: Option<&'a str>,
}

impl Choice<'_> {
    pub(crate) fn name(&self) -> &str {
        self.query.name
    }

    /// The version as in the query, or the only one.
    pub(crate) fn version(&self) -> &str {
        self.version
    }

    pub(crate) fn py_version(&self) -> Option<&str> {
        self.py_version
    }
}

/// Finds the entry that a query means. Processor and region are checked by [`Choice::tag`] and [`Choice::uri`].
pub(crate) fn resolve<'a>(catalog: &'a Catalog, query: &ImageQuery<'a>) -> Result<Choice<'a>, ImageError> {
    let catalog = catalog.tables();
    let images = images(catalog, query)?;
    let (version, known) = version(images, query)?;
    let entries = of_base(images, known, query)?;
    let (entry, py_version) = of_python(&entries, known == version || images.known(version).is_some(), query)?;
    Ok(Choice { query: query.clone(), catalog, images, entry, version, known, py_version })
}

/// Returns the family of a name: its own, or that of the variant that the query's other settings select.
fn images<'a>(catalog: &'a Tables, query: &ImageQuery<'_>) -> Result<&'a ImageFamily, ImageError> {
    let named = catalog.get(query.name).filter(|images| images.is_of(query.kind));
    let Some(named) = named else { return Err(unknown_name(catalog, query.name, Some(query.kind))) };
    let own = |variant: &str| catalog.get(&format!("{}-{variant}", query.name));
    let is_neuron = query.instance_type.is_some_and(|it| processor::is_neuron(processor::of(it)));
    let other = match query.library {
        _ if query.training_compiler => own(COMPILER),
        _ if is_neuron => of_neuron(own(NEURONX), own(NEURON), query.version),
        Library::ModelParallel => own(MODEL_PARALLEL),
        _ => None,
    };
    Ok(other.unwrap_or(named))
}

/// Returns the newer Neuron images, or the older ones of versions that only these have.
fn of_neuron<'a>(
    newer: Option<&'a ImageFamily>,
    older: Option<&'a ImageFamily>,
    version: Option<&str>,
) -> Option<&'a ImageFamily> {
    let (Some(neuronx), Some(neuron), Some(version)) = (newer, older, version) else { return newer.or(older) };
    let is_older = neuronx.newest_first().last().is_some_and(|oldest| versions::key(version) < versions::key(oldest));
    let is_of_older = neuronx.known(version).is_none() && (neuron.known(version).is_some() || is_older);
    Some(if is_of_older { neuron } else { neuronx })
}

/// Returns the version as written, and the one in the table.
fn version<'a>(images: &'a ImageFamily, query: &ImageQuery<'a>) -> Result<(&'a str, &'a str), ImageError> {
    let newest = || images.newest_first().first().copied();
    let Some(written) = query.version else { return only_version(images, query) };
    match images.known(written).or_else(|| newest().filter(|_| query.allow_unknown_version)) {
        Some(known) => Ok((written, known)),
        None => Err(unknown_version(images, written, query)),
    }
}

fn only_version<'a>(images: &'a ImageFamily, query: &ImageQuery<'_>) -> Result<(&'a str, &'a str), ImageError> {
    match images.newest_first().as_slice() {
        [only] => Ok((only, only)),
        several => {
            let message = format!("`{}` has several versions", query.name);
            let hint = several.first().map_or_else(String::new, |newest| format!("name one, such as {newest:?}"));
            Err(ImageError::new(Subject::Version, message, hint))
        }
    }
}

fn unknown_version(images: &ImageFamily, written: &str, query: &ImageQuery<'_>) -> ImageError {
    let message = format!("{} has no training image of version {written:?}", subject(query));
    let mut hint = version_hint::hint(images, written);
    let mut follows_pattern = false;
    let is_newer = images.newest_first().first().is_some_and(|newest| versions::key(newest) < versions::key(written));
    let is_on_neuron = query.instance_type.is_some_and(|it| processor::is_neuron(processor::of(it)));
    match query.kind {
        // Its tags have the Neuron SDK's version as well, which follows no pattern.
        ImageKind::Framework if is_on_neuron => hint += "; any other goes in `image`",
        ImageKind::Framework => follows_pattern = is_newer && !query.training_compiler,
        ImageKind::Algorithm => {}
    }
    ImageError { follows_pattern, ..ImageError::new(Subject::Version, message, hint) }
}

/// Returns the subject of a message: `` `pytorch` ``, and the other settings that its image depends on.
fn subject(query: &ImageQuery<'_>) -> String {
    let neuron = query.instance_type.filter(|it| processor::is_neuron(processor::of(it)));
    match (neuron, query.library) {
        _ if query.training_compiler => format!("the training compiler of `{}`", query.name),
        (Some(instance_type), _) => format!("`{}` on `{instance_type}`", query.name),
        (None, Library::ModelParallel) => format!("`{}` with smdistributed's model parallelism", query.name),
        _ => format!("`{}`", query.name),
    }
}

/// Returns the entries of a version; for Hugging Face, those of the base framework.
fn of_base<'a>(
    images: &'a ImageFamily,
    known: &str,
    query: &ImageQuery<'_>,
) -> Result<Vec<&'a ImageEntry>, ImageError> {
    let entries = images.entries(known);
    if entries.iter().all(|entry| entry.base.is_empty()) {
        return Ok(entries.iter().collect());
    }
    let Some(base) = query.base else {
        let message = format!("`{}` needs the version of the framework below it", query.name);
        return Err(ImageError::new(Subject::BaseVersion, message, format!("it has {}", bases(entries))));
    };
    let wanted = format!("{}{}", base.name, base.version);
    if let Some(entry) = entries.iter().find(|entry| entry.base.contains(&wanted)) {
        return Ok(vec![entry]);
    }
    let is_same = |entry: &&ImageEntry| entry.base.iter().any(|known| known.starts_with(base.name));
    let newest = || images.newest_first().into_iter().flat_map(|version| images.entries(version).iter().rev());
    match newest().find(is_same) {
        Some(entry) if query.allow_unknown_version => Ok(vec![entry]),
        _ => {
            let version = query.version.unwrap_or(known);
            let message = format!("`{}` {version} has no image with {} {:?}", query.name, base.name, base.version);
            Err(ImageError::new(Subject::BaseVersion, message, format!("it has {}", bases(entries))))
        }
    }
}

fn bases(entries: &[ImageEntry]) -> String {
    list(&entries.iter().filter_map(|entry| entry.base.first()).collect::<Vec<_>>())
}

/// Returns the entry of the queried Python version, or of the newest. Images without Python versions accept any.
fn of_python<'a>(
    entries: &[&'a ImageEntry],
    is_known: bool,
    query: &ImageQuery<'a>,
) -> Result<(&'a ImageEntry, Option<&'a str>), ImageError> {
    let mut all: Vec<(&ImageEntry, &str)> =
        entries.iter().flat_map(|it| it.py.iter().map(|py| (*it, py.as_str()))).collect();
    all.sort_by_key(|(_, py)| std::cmp::Reverse(versions::python_key(py)));
    let (newest, py) = match (all.first(), entries.first()) {
        (Some((entry, py)), _) => (*entry, *py),
        (None, Some(entry)) => return Ok((entry, None)),
        (None, None) => return Err(ImageError::new(Subject::Version, format!("{} has no image", subject(query)), "")),
    };
    let Some(wanted) = query.py_version else { return Ok((newest, Some(py))) };
    match all.iter().find(|(_, py)| *py == wanted) {
        Some((entry, py)) => Ok((entry, Some(py))),
        None if !is_known => Ok((newest, Some(wanted))),
        None => {
            let known: Vec<&str> = all.iter().map(|(_, py)| *py).collect();
            let version = query.version.map(|version| format!(" {version}")).unwrap_or_default();
            let message = format!("{}{version} has no image with Python {wanted:?}", subject(query));
            Err(ImageError::new(Subject::PyVersion, message, format!("it has {}", list(&known))))
        }
    }
}
