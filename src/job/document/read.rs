//! Reads the text of a spec or of settings, within limits: a regular file of UTF-8 text, of at most 1 MiB.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::job::diagnostics::problem::{Location, Problem, line_and_column};

/// Size limit of a file: 1 MiB, hundreds of times the size of a real one.
const MAX_FILE_BYTES: u64 = 1 << 20;
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The kind of file that is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    JobSpec,
    Settings,
    /// `config.yaml` of the SageMaker SDK.
    SdkConfig,
    /// `images.toml`: container images that are added to the catalog.
    Images,
}

impl Wanted {
    /// Returns the kind's name for messages, without an article.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::JobSpec => "job spec",
            Self::Settings => "settings file",
            Self::SdkConfig => "config file of the SageMaker SDK",
            Self::Images => "file of container images",
        }
    }

    fn format(self) -> &'static str {
        if self == Self::SdkConfig { "YAML" } else { "TOML" }
    }

    fn has_extension(self, path: &Path) -> bool {
        let extensions: &[&str] = if self == Self::SdkConfig { &["yaml", "yml"] } else { &["toml"] };
        path.extension().is_some_and(|extension| extensions.iter().any(|known| extension == *known))
    }

    /// Returns an excerpt of such a file, for hints.
    fn example(self) -> &'static str {
        match self {
            Self::JobSpec => "`name = \"churn\"` and `[resources]`",
            Self::Settings | Self::SdkConfig => "`role = \"MyRole\"` and `[tags]`",
            Self::Images => "`[pytorch.versions.\"2.9\"]`",
        }
    }
}

/// Returns whether messages may quote a file's lines: with links resolved, the file must have its format's extension
/// and lie in `folder`, that of the file that names it. Otherwise a project could have lines of any file shown, by a
/// setting or a link.
pub(crate) fn is_quotable(path: &Path, folder: &Path, wanted: Wanted) -> bool {
    let (Ok(file), Ok(folder)) = (path.canonicalize(), folder.canonicalize()) else { return false };
    wanted.has_extension(&file) && file.starts_with(folder)
}

/// Returns the folder that a file's path names; `.` for a bare file name.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Reads a file's text. A byte order mark is removed, so that the columns of the first line are right, and lines
/// end in LF, so that a text of several lines is the same whichever line ends git checks it out with. Errors if the
/// file is missing, no regular file, larger than 1 MiB, or no UTF-8 text.
pub(crate) fn read(path: &Path, wanted: Wanted) -> Result<String, Problem> {
    let bytes = read_bytes(path, wanted)?;
    let text = String::from_utf8(bytes)
        .map_err(|error| not_text(error.as_bytes(), error.utf8_error().valid_up_to(), wanted))?;
    if let Some(at) = text.bytes().position(|byte| byte == 0) {
        return Err(not_text(text.as_bytes(), at, wanted));
    }
    Ok(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text).replace("\r\n", "\n"))
}

fn read_bytes(path: &Path, wanted: Wanted) -> Result<Vec<u8>, Problem> {
    let name = wanted.name();
    let about = path.metadata().map_err(|error| unreadable(&error, wanted))?;
    if about.is_dir() {
        let hint = if wanted == Wanted::JobSpec { spec_inside(path) } else { None };
        return Err(Problem::error(format!("this is a folder, not a {name}")).maybe_hint(hint));
    }
    // Checked before the file is opened: opening a pipe that has no writer blocks forever.
    if !about.is_file() {
        let problem = Problem::error(format!("this is a pipe or a device, not a {name}"));
        return Err(problem.hint("write it to a file first"));
    }
    if about.len() > MAX_FILE_BYTES {
        return Err(too_large(wanted));
    }
    // The file may have grown since: at most one byte more than the limit is read.
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unreadable(&error, wanted))?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error, wanted))?;
    if bytes.len() as u64 > MAX_FILE_BYTES { Err(too_large(wanted)) } else { Ok(bytes) }
}

fn spec_inside(folder: &Path) -> Option<String> {
    let spec = folder.join("job.toml");
    spec.is_file().then(|| format!("did you mean {}?", spec.display()))
}

fn unreadable(error: &io::Error, wanted: Wanted) -> Problem {
    match error.kind() {
        io::ErrorKind::NotFound if wanted != Wanted::JobSpec => Problem::error("there is no such file"),
        io::ErrorKind::NotFound => {
            Problem::error("there is no such file").hint("`smtrain init` writes a job spec to start from")
        }
        io::ErrorKind::PermissionDenied => Problem::error("this file can't be read: permission denied"),
        _ => Problem::error(format!("this file can't be read: {error}")),
    }
}

fn too_large(wanted: Wanted) -> Problem {
    let message = format!("this file is larger than 1 MiB, which no {} is", wanted.name());
    Problem::error(message).hint("is it a data file or an archive?")
}

/// Returns the error for a byte that is no text. It names the byte's line: editors may not show the byte.
fn not_text(bytes: &[u8], at: usize, wanted: Wanted) -> Problem {
    let before = String::from_utf8_lossy(bytes.get(..at).unwrap_or(bytes));
    let (line, _) = line_and_column(&before, before.len());
    let byte = bytes.get(at).copied().expect("the offset is that of a byte of the file");
    let message = format!("this is not a text file: byte {at} (line {line}) is 0x{byte:02x}, which is not UTF-8 text");
    Problem::error(message).hint(format!("a {} is a {} file, saved as UTF-8", wanted.name(), wanted.format()))
}

/// Returns an error that names the format, JSON or YAML, that a text seems to have; it replaces a page of syntax
/// errors.
pub(crate) fn other_format(text: &str, wanted: Wanted) -> Option<Problem> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let first = lines.next()?;
    let format = if first.starts_with('{') {
        "JSON"
    } else if first.starts_with("---") || is_yaml_entry(first) {
        "YAML"
    } else {
        return None;
    };
    let at = text.find(first).unwrap_or(0);
    let message = format!("this looks like {format}, and a {} is TOML", wanted.name());
    let place = Location { source: 0, bytes: at..at + first.len() };
    Some(Problem::error(message).at(&place).hint(format!("TOML is written as {}", wanted.example())))
}

/// Returns whether a line is `key: value` or `key:`, which no line of TOML is.
fn is_yaml_entry(line: &str) -> bool {
    let Some((key, value)) = line.split_once(':') else { return false };
    let is_word = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    is_word && (value.is_empty() || value.starts_with(' '))
}
