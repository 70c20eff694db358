//! Finds and reads the layers of settings: the SageMaker SDK's files, smtrain's own files, and variables.
//!
//! A file that is found, not named by the user, must not be another user's: see [`trust`](super::trust).

use std::env;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use super::trust::{exists, is_repository, is_writable_by_all};
use crate::error::{Error, Result};
use crate::images::Catalog;
use crate::job::decode::image_catalog;
use crate::job::diagnostics::problem::InvalidSpec;
use crate::job::{Layer, Layers, VARIABLES};
use crate::model::is_own;

/// Name of the SDK's file in its folder (sagemaker 2.257.7, `sagemaker/config/config.py`).
const SDK_FILE: &str = "config.yaml";
const PROJECT_FILE: &str = "smtrain.toml";
/// Default of `XDG_CONFIG_DIRS` (XDG Base Directory Specification 0.8).
const DEFAULT_SITE_FOLDER: &str = "/etc/xdg";

/// Reads all layers, from the lowest to the highest, and the user's file of images. `config` is the user's folder of
/// all programs' settings. Errors with all problems of all layers.
pub(super) fn layers(config: Option<&Path>) -> Result<Layers> {
    let mut found = FoundLayers::default();
    found.sdk("SAGEMAKER_ADMIN_CONFIG_OVERRIDE", Some(&site_folder()));
    found.sdk("SAGEMAKER_USER_CONFIG_OVERRIDE", config);
    if let Some(file) = config.map(|config| config.join("smtrain/config.toml")).filter(|file| exists(file)) {
        found.add(Layer::toml(&file, shown(&file)));
    }
    if let Some((file, name)) = found.project_file() {
        found.add(Layer::toml(&file, name));
    }
    for (name, key) in VARIABLES {
        if let Some(value) = variable(name)? {
            found.add(Layer::variable(name, key, &value));
        }
    }
    if !found.invalid.is_empty() {
        return Err(Error::invalid_specs(found.invalid));
    }
    let mut layers = Layers::new(found.layers, found.warnings);
    if let Some((file, folder)) = layers.images().or_else(|| images_file(config)) {
        let own =
            image_catalog::read(&file, shown(&file), &folder).map_err(|invalid| Error::invalid_specs(vec![invalid]))?;
        layers.catalog = Catalog::with_own(own);
    }
    Ok(layers)
}

/// Returns the default file of the user's images and its folder, if the file exists.
fn images_file(config: Option<&Path>) -> Option<(PathBuf, PathBuf)> {
    let folder = config?.join("smtrain");
    Some((folder.join("images.toml"), folder)).filter(|(file, _)| exists(file))
}

/// The layers that were found so far, and the problems of invalid ones.
#[derive(Default)]
struct FoundLayers {
    layers: Vec<Layer>,
    invalid: Vec<InvalidSpec>,
    warnings: Vec<String>,
}

impl FoundLayers {
    fn add(&mut self, layer: Result<Layer, InvalidSpec>) {
        match layer {
            Ok(layer) => self.layers.push(layer),
            Err(invalid) => self.invalid.push(invalid),
        }
    }

    /// Returns the nearest `smtrain.toml` in the working directory or above it, and its name for messages. One that
    /// isn't trusted is skipped with a warning.
    fn project_file(&mut self) -> Option<(PathBuf, String)> {
        let here = env::current_dir().ok()?;
        for (folder, is_reachable) in folders(&here) {
            let file = folder.join(PROJECT_FILE);
            let Some(doubt) = exists(&file).then(|| doubt(&file, is_reachable)) else { continue };
            if let Some(doubt) = doubt {
                self.warnings.push(format!("{} is not read: {doubt}", shown(&file)));
                continue;
            }
            let name = if file.parent() == Some(&here) { PROJECT_FILE.to_owned() } else { shown(&file) };
            return Some((file, name));
        }
        None
    }

    /// Adds the SDK's file in `folder`, or the file or folder that the variable names.
    fn sdk(&mut self, name: &str, folder: Option<&Path>) {
        match env::var_os(name).filter(|value| !value.is_empty()) {
            Some(value) if value.to_string_lossy().starts_with("s3://") => {
                let warning = "is not read here: settings are read from this computer only";
                self.warnings.push(format!("{name}={} {warning}", value.to_string_lossy()));
            }
            Some(value) => self.add(named(name, PathBuf::from(value))),
            None => {
                let file = folder.map(|folder| folder.join("sagemaker").join(SDK_FILE));
                if let Some(file) = file.filter(|file| exists(file)) {
                    self.add(Layer::sdk(&file, shown(&file)));
                }
            }
        }
    }
}

/// Reads the SDK's file that a variable names. Errors if it doesn't exist.
fn named(variable: &str, path: PathBuf) -> Result<Layer, InvalidSpec> {
    let file = if path.is_dir() { path.join(SDK_FILE) } else { path };
    Layer::sdk(&file, shown(&file)).map_err(|mut invalid| {
        if !exists(&file) {
            let problems = invalid.problems.into_iter();
            invalid.problems = problems.map(|problem| problem.hint(format!("{variable} names it"))).collect();
        }
        invalid
    })
}

/// Returns the first of the system's folders of settings, which is the only one that the SDK reads.
fn site_folder() -> PathBuf {
    let folders = env::var_os("XDG_CONFIG_DIRS").unwrap_or_default();
    let first = env::split_paths(&folders).next().filter(|folder| !folder.as_os_str().is_empty());
    first.unwrap_or_else(|| PathBuf::from(DEFAULT_SITE_FOLDER))
}

/// Returns the folders from `here` up to a repository's root or the home folder, each with whether its settings are
/// trusted: they aren't from the first folder on that belongs to another user or is writable by all, such as /tmp.
fn folders(here: &Path) -> impl Iterator<Item = (&Path, bool)> {
    let home = etcetera::home_dir().ok().and_then(|home| home.canonicalize().ok());
    std::iter::successors(Some((here, true)), move |(folder, is_reachable)| {
        let folder: &Path = folder;
        let is_top = Some(folder) == home.as_deref() || is_repository(folder);
        let parent = folder.parent().filter(|_| !is_top)?;
        let is_private = parent.metadata().is_ok_and(|about| is_own(&about) && !is_writable_by_all(&about));
        Some((parent, *is_reachable && is_private))
    })
}

/// Returns why a file isn't trusted, if it isn't. A link and its target must both be the user's own.
fn doubt(file: &Path, is_reachable: bool) -> Option<&'static str> {
    let abouts = [file.symlink_metadata(), file.metadata()];
    let any = |is: fn(&Metadata) -> bool| abouts.iter().flatten().any(is);
    if !is_reachable {
        Some("it lies in or above a folder that belongs to another user or that everybody may write to")
    } else if any(|about| !is_own(about)) {
        Some("it belongs to another user")
    } else if any(|about| !about.is_symlink() && is_writable_by_all(about)) {
        Some("everybody may write to it; see chmod o-w")
    } else {
        None
    }
}

/// Returns a path for messages, with the home folder as `~`.
fn shown(path: &Path) -> String {
    let home = etcetera::home_dir().ok();
    match home.and_then(|home| path.strip_prefix(home).ok()) {
        Some(below) => format!("~/{}", below.display()),
        None => path.display().to_string(),
    }
}

/// Returns a variable's value; `None` if it is unset or empty. Errors if it is no UTF-8 text.
fn variable(name: &str) -> Result<Option<String>> {
    let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    value.into_string().map(Some).map_err(|_| Error::usage(format!("{name} is not UTF-8 text")))
}
