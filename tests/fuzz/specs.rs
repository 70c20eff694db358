//! Rules of job specs and settings: for any bytes an answer, whose problems have places and can be shown.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::images;
use crate::job::decode::image_catalog;
use crate::job::diagnostics::problem::{InvalidSpec, Problem, SourceText, line_and_column};
use crate::job::{Layer, Layers, LoadOptions, Override, VARIABLES, load};
use crate::model::printable;
use crate::requests;
use crate::screen::{is_harmless, without_styles};
use crate::ui::{self, Text};

/// The longest message or hint, in characters.
const MAX_MESSAGE: usize = 1000;

/// The most images of a catalog that are looked up again.
const MAX_LISTED: usize = 50;

/// A valid spec, for settings to lie under.
const SPEC: &str = "[framework]\nname = \"pytorch\"\nversion = \"2.3\"\n[source]\ndir = \"src\"\nentry_point = \"train.py\"\n\
                    [resources]\ninstance_type = \"ml.m5.xlarge\"\n";

thread_local! {
    static PROJECT: Project = Project::new();
}

/// A folder with what the specs in `tests/sdk/specs` name.
struct Project {
    folder: TempDir,
}

impl Project {
    fn new() -> Self {
        let project = Self { folder: tempfile::tempdir().expect("a folder of its own") };
        for folder in ["src", "data"] {
            fs::create_dir(project.folder.path().join(folder)).expect("a new folder");
        }
        project.write("src/train.py", b"");
        project.write("train.py", b"");
        project
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).expect("a small file");
        path
    }
}

/// A job spec's text.
pub fn spec(bytes: &[u8]) {
    PROJECT.with(|project| check_spec(&project.write("job.toml", bytes), &[], &Layers::default(), is_local(bytes)));
}

/// Settings, then whatever else NUL separates, each told apart by its first byte: `-H`, a variable, a file of images, a
/// spec; anything else is `--set`.
pub fn settings(bytes: &[u8]) {
    PROJECT.with(|project| {
        let mut parts = bytes.split(|byte| *byte == 0);
        let file = project.write("smtrain.toml", parts.next().unwrap_or_default());
        let mut given =
            Given { overrides: Vec::new(), layers: Vec::new(), spec: project.write("job.toml", SPEC.as_bytes()) };
        let mut catalog = None;
        given.layer(Layer::toml(&file, "smtrain.toml".to_owned()));
        for part in parts.take(20) {
            let text = String::from_utf8_lossy(part.get(1..).unwrap_or_default()).into_owned();
            match part.first() {
                Some(b'H') => given.overrides.push(Override::hyperparameter(text)),
                Some(b'V') => given.variable(&text),
                Some(b'S') => given.spec = project.write("job.toml", &[SPEC.as_bytes(), text.as_bytes()].concat()),
                Some(b'I') => catalog = images(&project.write("images.toml", text.as_bytes()), project.folder.path()),
                _ => given.overrides.push(Override::set(String::from_utf8_lossy(part))),
            }
        }
        let mut layers = Layers::new(given.layers, Vec::new());
        layers.catalog = catalog.unwrap_or_default();
        check_layers(&layers);
        check_spec(&given.spec, &given.overrides, &layers, is_local(bytes));
    });
}

/// The SageMaker SDK's `config.yaml`.
pub fn sdk_config(bytes: &[u8]) {
    PROJECT.with(|project| {
        let file = project.write("config.yaml", bytes);
        let mut given =
            Given { overrides: Vec::new(), layers: Vec::new(), spec: project.write("job.toml", SPEC.as_bytes()) };
        given.layer(Layer::sdk(&file, "config.yaml".to_owned()));
        let layers = Layers::new(given.layers, Vec::new());
        check_layers(&layers);
        check_spec(&given.spec, &[], &layers, is_local(bytes));
    });
}

/// Half of all inputs are read for a job on this computer.
fn is_local(bytes: &[u8]) -> bool {
    bytes.len() % 2 == 1
}

struct Given {
    overrides: Vec<Override>,
    layers: Vec<Layer>,
    spec: PathBuf,
}

impl Given {
    fn layer(&mut self, layer: Result<Layer, InvalidSpec>) {
        match layer {
            Ok(layer) => self.layers.push(layer),
            Err(invalid) => check_invalid(invalid),
        }
    }

    fn variable(&mut self, text: &str) {
        let (name, key) = VARIABLES[text.len() % VARIABLES.len()];
        self.layer(Layer::variable(name, key, text));
    }
}

fn images(file: &Path, folder: &Path) -> Option<images::Catalog> {
    let own = image_catalog::read(file, "images.toml".to_owned(), folder).map_err(check_invalid).ok()?;
    let catalog = images::Catalog::with_own(own);
    for listed in images::list(&catalog, None).expect("all names are known").iter().take(MAX_LISTED) {
        images::kind(&catalog, &listed.name).expect("a listed name is known");
    }
    Some(catalog)
}

fn check_layers(layers: &Layers) {
    for setting in [layers.region(), layers.profile(), layers.default_bucket(), layers.default_bucket_prefix()] {
        assert!(setting.is_none_or(|setting| !setting.value.contains(char::is_control) && !setting.origin.is_empty()));
    }
    layers.provenance();
    layers.images();
}

fn check_spec(path: &Path, overrides: &[Override], layers: &Layers, local: bool) {
    match load(path, &LoadOptions { overrides, local, layers }) {
        Ok(loaded) => {
            check_problems(&loaded.sources, &loaded.warnings);
            for origin in loaded.origins.iter().chain(&loaded.destination) {
                is_harmless(&Text::from(origin).shown(true));
            }
            requests::is_made(&loaded.spec, &layers.catalog, local);
        }
        Err(invalid) => check_invalid(invalid),
    }
}

fn check_invalid(invalid: InvalidSpec) {
    assert!(invalid.problems.iter().any(Problem::is_error), "there is a reason");
    check_problems(&invalid.sources, &invalid.problems);
    let withheld = invalid.withhold("job spec");
    check_problems(&withheld.sources, &withheld.problems);
}

fn check_problems(sources: &[SourceText], problems: &[Problem]) {
    for problem in problems {
        let texts = [Some(&problem.message), problem.hint.as_ref()];
        let is_short = texts.iter().flatten().all(|text| !text.is_empty() && text.chars().count() <= MAX_MESSAGE);
        assert!(is_short, "{problem:?}");
        if let Some(place) = &problem.place {
            let source = sources.get(place.source).unwrap_or_else(|| panic!("no source of {problem:?}"));
            // A withheld text is empty, and its problems have no places.
            assert!(source.text.get(place.bytes.clone()).is_some(), "{problem:?} of {source:?}");
            line_and_column(&source.text, place.bytes.start);
        }
    }
    let shown = ui::problems(sources, problems);
    is_harmless(&shown.shown(true));
    let plain = shown.shown(false);
    assert_eq!(plain, without_styles(&shown.shown(true)));
    assert!(printable(&plain) == plain && !plain.contains(['\r', '\t']), "{plain:?}");
}
