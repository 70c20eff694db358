//! Reads a spec's text from disk, and refuses what can't be one before it costs anything.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::problem::{Place, Problem, line_and_column};

/// The largest spec: 1 MiB, hundreds of times what one needs.
const MAX_BYTES: u64 = 1 << 20;
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The text without a byte order mark, so that the columns of the first line are right.
pub(crate) fn read(path: &Path) -> Result<String, Problem> {
    let bytes = read_bytes(path)?;
    let text =
        String::from_utf8(bytes).map_err(|error| not_text(error.as_bytes(), error.utf8_error().valid_up_to()))?;
    if let Some(at) = text.bytes().position(|byte| byte == 0) {
        return Err(not_text(text.as_bytes(), at));
    }
    match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(text) => Ok(text.to_owned()),
        None => Ok(text),
    }
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Problem> {
    let about = path.metadata().map_err(|error| unreadable(&error))?;
    if about.is_dir() {
        return Err(Problem::error("this is a folder, not a job spec").maybe_hint(spec_inside(path)));
    }
    // Not even opened: a pipe that nobody writes to is waited for without end.
    if !about.is_file() {
        return Err(Problem::error("this is a pipe or a device, not a job spec").hint("write it to a file first"));
    }
    if about.len() > MAX_BYTES {
        return Err(too_large());
    }
    // It may have grown since: one byte more than allowed is the most that is read.
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > MAX_BYTES { Err(too_large()) } else { Ok(bytes) }
}

fn spec_inside(folder: &Path) -> Option<String> {
    let spec = folder.join("job.toml");
    spec.is_file().then(|| format!("did you mean {}?", spec.display()))
}

fn unreadable(error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::NotFound => {
            Problem::error("there is no such file").hint("`smtrain init` writes a job spec to start from")
        }
        io::ErrorKind::PermissionDenied => Problem::error("this file can't be read: permission denied"),
        _ => Problem::error(format!("this file can't be read: {error}")),
    }
}

fn too_large() -> Problem {
    Problem::error("this file is larger than 1 MiB, which no job spec is").hint("is it a data file or an archive?")
}

/// Names the byte and its line, since an editor may hide what is wrong there.
fn not_text(bytes: &[u8], at: usize) -> Problem {
    let before = String::from_utf8_lossy(bytes.get(..at).unwrap_or(bytes));
    let (line, _) = line_and_column(&before, before.len());
    let byte = bytes.get(at).copied().unwrap_or_default();
    let message = format!("this is not a text file: byte {at} (line {line}) is 0x{byte:02x}, which is not UTF-8 text");
    Problem::error(message).hint("a job spec is a TOML file, saved as UTF-8")
}

/// What another format's file is most likely meant to be, said instead of a page of syntax errors.
pub(crate) fn other_format(text: &str) -> Option<Problem> {
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
    let message = format!("this looks like {format}, and a job spec is TOML");
    let place = Place { source: 0, bytes: at..at + first.len() };
    Some(Problem::error(message).at(&place).hint("TOML is written as `name = \"churn\"` and `[resources]`"))
}

/// `key: value` or `key:`, as no line of TOML starts.
fn is_yaml_entry(line: &str) -> bool {
    let Some((key, value)) = line.split_once(':') else { return false };
    let is_word = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    is_word && (value.is_empty() || value.starts_with(' '))
}
