//! Reads the text of a spec or of settings from disk, and refuses what can't be one before it costs anything.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::job::diagnostics::problem::{Location, Problem, line_and_column};

/// The largest file: 1 MiB, hundreds of times what one needs.
const MAX_FILE_BYTES: u64 = 1 << 20;
const BYTE_ORDER_MARK: char = '\u{feff}';

/// What a file should be, for the messages about one that isn't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    JobSpec,
    Settings,
    /// The SageMaker SDK's settings.
    SdkConfig,
    /// A user's own container images.
    Images,
}

impl Wanted {
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

    /// A line as its format has it.
    fn example(self) -> &'static str {
        match self {
            Self::JobSpec => "`name = \"churn\"` and `[resources]`",
            Self::Settings | Self::SdkConfig => "`role = \"MyRole\"` and `[tags]`",
            Self::Images => "`[pytorch.versions.\"2.9\"]`",
        }
    }
}

/// Returns whether errors may show a file's lines: its name must end as its format's does, and it must lie in `folder`, that
/// of whatever names it, links resolved. A project could otherwise have lines of any file shown, by a setting or a link.
pub(crate) fn is_quotable(path: &Path, folder: &Path, wanted: Wanted) -> bool {
    let (Ok(file), Ok(folder)) = (path.canonicalize(), folder.canonicalize()) else { return false };
    wanted.has_extension(&file) && file.starts_with(folder)
}

/// Returns the folder of a file that is named by its path.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The text without a byte order mark, so that the columns of the first line are right.
pub(crate) fn read(path: &Path, wanted: Wanted) -> Result<String, Problem> {
    let bytes = read_bytes(path, wanted)?;
    let text = String::from_utf8(bytes)
        .map_err(|error| not_text(error.as_bytes(), error.utf8_error().valid_up_to(), wanted))?;
    if let Some(at) = text.bytes().position(|byte| byte == 0) {
        return Err(not_text(text.as_bytes(), at, wanted));
    }
    match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(text) => Ok(text.to_owned()),
        None => Ok(text),
    }
}

fn read_bytes(path: &Path, wanted: Wanted) -> Result<Vec<u8>, Problem> {
    let name = wanted.name();
    let about = path.metadata().map_err(|error| unreadable(&error, wanted))?;
    if about.is_dir() {
        let hint = if wanted == Wanted::JobSpec { spec_inside(path) } else { None };
        return Err(Problem::error(format!("this is a folder, not a {name}")).maybe_hint(hint));
    }
    // Not even opened: a pipe that nobody writes to is waited for without end.
    if !about.is_file() {
        let problem = Problem::error(format!("this is a pipe or a device, not a {name}"));
        return Err(problem.hint("write it to a file first"));
    }
    if about.len() > MAX_FILE_BYTES {
        return Err(too_large(wanted));
    }
    // It may have grown since: one byte more than allowed is the most that is read.
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

/// Names the byte and its line, since an editor may hide what is wrong there.
fn not_text(bytes: &[u8], at: usize, wanted: Wanted) -> Problem {
    let before = String::from_utf8_lossy(bytes.get(..at).unwrap_or(bytes));
    let (line, _) = line_and_column(&before, before.len());
    let byte = bytes.get(at).copied().unwrap_or_default();
    let message = format!("this is not a text file: byte {at} (line {line}) is 0x{byte:02x}, which is not UTF-8 text");
    Problem::error(message).hint(format!("a {} is a {} file, saved as UTF-8", wanted.name(), wanted.format()))
}

/// What another format's file is most likely meant to be, said instead of a page of syntax errors.
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

/// `key: value` or `key:`, as no line of TOML starts.
fn is_yaml_entry(line: &str) -> bool {
    let Some((key, value)) = line.split_once(':') else { return false };
    let is_word = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    is_word && (value.is_empty() || value.starts_with(' '))
}
