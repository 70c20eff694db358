//! The job templates: complete jobs, embedded in the binary, that `init` writes into a folder.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry, File, include_dir};

static TEMPLATES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/job-templates");

/// Name of the spec that every template has. Its first comment is the template's summary.
const SPEC: &str = "job.toml";
/// Name of the JSON Schema, which editors find by the spec's first line. It is written along with every template.
const SCHEMA: &str = "job.schema.json";
/// Prefix of a comment for editors.
const DIRECTIVE: &str = "#:";
/// Name of the template that is listed first: the one to start with.
const FIRST: &str = "quickstart";
/// Jaro-Winkler similarity, from 0 to 1, from which on a name is suggested for a mistyped one.
const MIN_SIMILARITY: f64 = 0.75;

/// A job that can be written into a folder and run without changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    pub(crate) name: &'static str,
    /// One line: the first comment of its job.toml.
    pub(crate) summary: String,
    /// True if the job can also run locally: it needs no image.
    pub(crate) runs_locally: bool,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("no template is called `{0}`")]
    Unknown(String),
    /// Files that exist already, at least one; nothing was written.
    #[error("{} already {}", names(.0), if .0.len() == 1 { "exists" } else { "exist" })]
    Exists(Vec<PathBuf>),
    /// A file could not be written; those written before it were removed again.
    #[error("could not write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// Returns all templates: first the one to start with, then the others by name.
pub(crate) fn all() -> Vec<Template> {
    let mut templates: Vec<Template> = TEMPLATES.dirs().filter_map(described).collect();
    templates.sort_by_key(|template| (template.name != FIRST, template.name));
    templates
}

pub(crate) fn find(name: &str) -> Option<Template> {
    all().into_iter().find(|template| template.name == name)
}

/// Returns the name of the template that is most similar to a mistyped name, if one is similar enough.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    all()
        .into_iter()
        .map(|template| (strsim::jaro_winkler(&name, template.name), template.name))
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

/// Writes a template's files into a folder, which is created if missing. Returns the paths of the written files,
/// sorted.
///
/// Either all files are written or none: if one exists, nothing is written, and if one can't be written, those before
/// it are removed again. No existing file is ever changed. Only the schema may exist with the same content, as it does
/// for a second spec in a folder.
pub(crate) fn write(name: &str, into: &Path) -> Result<Vec<PathBuf>, TemplateError> {
    write_missing(files_of(name, into)?)
}

fn write_missing(mut files: Vec<Planned>) -> Result<Vec<PathBuf>, TemplateError> {
    files.retain(|file| !(file.is_schema() && file.is_written()));
    refuse_existing(&files)?;
    write_all(&files)?;
    Ok(files.into_iter().map(|file| file.path).collect())
}

/// A file to be written.
struct Planned {
    path: PathBuf,
    contents: &'static [u8],
}

impl Planned {
    fn is_schema(&self) -> bool {
        self.path.file_name() == Some(SCHEMA.as_ref())
    }

    /// Returns whether the file exists with these contents.
    fn is_written(&self) -> bool {
        fs::read(&self.path).is_ok_and(|contents| contents == self.contents)
    }

    fn failed(&self, source: io::Error) -> TemplateError {
        TemplateError::Write { path: self.path.clone(), source }
    }
}

fn described(folder: &'static Dir<'static>) -> Option<Template> {
    let name = folder.path().to_str()?;
    let spec = folder.get_file(folder.path().join(SPEC))?.contents_utf8()?;
    let comment = spec.lines().find(|line| line.starts_with('#') && !line.starts_with(DIRECTIVE))?;
    let runs_locally = spec.lines().any(|line| line.starts_with("[framework]"));
    Some(Template { name, summary: comment.trim_start_matches('#').trim().to_owned(), runs_locally })
}

fn files_of(name: &str, into: &Path) -> Result<Vec<Planned>, TemplateError> {
    let template = find(name).ok_or_else(|| TemplateError::Unknown(name.to_owned()))?;
    let folder = TEMPLATES.get_dir(template.name).expect("a template has a folder of its name");
    let mut files = Vec::new();
    collect(folder, folder.path(), into, &mut files);
    files.extend(TEMPLATES.get_file(SCHEMA).map(|schema| planned(schema, Path::new(""), into)));
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn collect(folder: &'static Dir<'static>, root: &Path, into: &Path, files: &mut Vec<Planned>) {
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(inner) => collect(inner, root, into, files),
            DirEntry::File(file) => files.push(planned(file, root, into)),
        }
    }
}

fn planned(file: &'static File<'static>, root: &Path, into: &Path) -> Planned {
    let relative = file.path().strip_prefix(root).expect("a template's file is below its folder");
    Planned { path: into.join(relative), contents: file.contents() }
}

/// Errors with all files that exist. A link counts, even a broken one: writing through it would change its target.
fn refuse_existing(files: &[Planned]) -> Result<(), TemplateError> {
    let mut existing = Vec::new();
    for file in files {
        match fs::symlink_metadata(&file.path) {
            Ok(_) => existing.push(file.path.clone()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(file.failed(error)),
        }
    }
    if existing.is_empty() { Ok(()) } else { Err(TemplateError::Exists(existing)) }
}

fn write_all(files: &[Planned]) -> Result<(), TemplateError> {
    for (index, file) in files.iter().enumerate() {
        if let Err(error) = write_new(file) {
            remove(&files[..index]);
            return Err(file.failed(error));
        }
    }
    Ok(())
}

/// Creates a file. Errors if it exists, also if another process creates it at the same time.
fn write_new(file: &Planned) -> io::Result<()> {
    if let Some(folder) = file.path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut created = create_new(&file.path)?;
    created.write_all(file.contents).inspect_err(|_| remove(std::slice::from_ref(file)))
}

fn create_new(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // Embedded files have no mode: a script is recognized by its name. The umask still applies.
    #[cfg(unix)]
    if path.extension().is_some_and(|extension| extension == "sh") {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o777);
    }
    options.open(path)
}

/// Removes files that were just written. A file that can't be removed stays: the error that led here is reported.
fn remove(files: &[Planned]) {
    for file in files {
        let _ = fs::remove_file(&file.path);
    }
}

fn names(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
