//! The job templates: whole jobs, built into the binary, that `init` writes into a folder.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry, File, include_dir};

static TEMPLATES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/job-templates");

/// Every template has one; its first comment says what the template is.
const SPEC: &str = "job.toml";
/// The JSON Schema of a spec, which editors find by the spec's first line: it stands beside the templates, and is written with
/// each of them.
const SCHEMA: &str = "job.schema.json";
/// How a comment begins that is for editors.
const DIRECTIVE: &str = "#:";
/// Listed before the others: where a newcomer starts.
const FIRST: &str = "quickstart";
/// How alike, from 0 to 1, a name must be to be meant by a mistyped one.
const ALIKE: f64 = 0.75;

/// A job that can be written into a folder and run as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    pub(crate) name: &'static str,
    /// One line, from the first comment of its job.toml.
    pub(crate) summary: String,
    /// Whether it runs without an image, and so on this computer too.
    pub(crate) runs_here: bool,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("no template is called `{0}`")]
    Unknown(String),
    /// Nothing was written. Never empty.
    #[error("{} already {}", names(.0), if .0.len() == 1 { "exists" } else { "exist" })]
    Exists(Vec<PathBuf>),
    /// What had been written before it was removed again.
    #[error("could not write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// All templates by name, but the one for newcomers first.
pub(crate) fn all() -> Vec<Template> {
    let mut templates: Vec<Template> = TEMPLATES.dirs().filter_map(described).collect();
    templates.sort_by_key(|template| (template.name != FIRST, template.name));
    templates
}

pub(crate) fn find(name: &str) -> Option<Template> {
    all().into_iter().find(|template| template.name == name)
}

/// The template that a mistyped name most likely means.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    all()
        .into_iter()
        .map(|template| (strsim::jaro_winkler(&name, template.name), template.name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

/// Writes a template's files into a folder, which is made when missing; gives the paths of those that were written, sorted.
///
/// It is all or nothing: where one of the files is there already none is written, and where one can't be written the others
/// are removed again. No existing file is ever changed. Only the schema may be there, when it is this one: whoever makes a
/// second spec in a folder has it already.
pub(crate) fn write(name: &str, into: &Path) -> Result<Vec<PathBuf>, TemplateError> {
    write_missing(files_of(name, into)?)
}

fn write_missing(mut files: Vec<Planned>) -> Result<Vec<PathBuf>, TemplateError> {
    files.retain(|file| !(file.is_schema() && file.is_there()));
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

    /// With these contents.
    fn is_there(&self) -> bool {
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
    let runs_here = spec.lines().any(|line| line.starts_with("[framework]"));
    Some(Template { name, summary: comment.trim_start_matches('#').trim().to_owned(), runs_here })
}

fn files_of(name: &str, into: &Path) -> Result<Vec<Planned>, TemplateError> {
    let template = find(name).ok_or_else(|| TemplateError::Unknown(name.to_owned()))?;
    let folder = TEMPLATES.get_dir(template.name).ok_or_else(|| TemplateError::Unknown(name.to_owned()))?;
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
    let relative = file.path().strip_prefix(root).unwrap_or(file.path());
    Planned { path: into.join(relative), contents: file.contents() }
}

/// All that are in the way are named at once. A link counts, wherever it leads: writing through it would be overwriting.
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

/// Made anew or not at all: also when someone else makes a file of this name right now, theirs stays as it is.
fn write_new(file: &Planned) -> io::Result<()> {
    if let Some(folder) = file.path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut made = create_new(&file.path)?;
    made.write_all(file.contents).inspect_err(|_| remove(std::slice::from_ref(file)))
}

fn create_new(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // The binary holds contents without modes, so that the name has to tell what is run. The umask still applies.
    #[cfg(unix)]
    if path.extension().is_some_and(|extension| extension == "sh") {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o777);
    }
    options.open(path)
}

/// Takes back what was just written. A file that can't be removed stays: the error that led here is the one to tell.
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
