//! Unpacks a tar.gz from anywhere: streaming, within limits, and never outside the given folder.

mod members;

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use tar::{Archive, EntryType, Header};

use super::UnpackError;
use super::inside::{self, Inside};
use members::{Members, TrailingData};

/// What stands between two files' data: headers, long names, padding. More than this is an attack on memory.
const LARGEST_HEADERS: u64 = 4 * 1024 * 1024;
const BUFFER: usize = 128 * 1024;
/// Links that are named as left out, and the characters that are shown of each name: an archive can have millions.
const MOST_LEFT_OUT: usize = 100;
const LONGEST_SHOWN: usize = 200;

/// What an archive may unpack to, and where it came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Of the archive without its compression, and of the files that it makes.
    pub(crate) bytes: u64,
    pub(crate) entries: u64,
    /// The folder that was packed, as those who made absolute links in it saw it: such links come to lead here.
    pub(crate) packed_from: Option<&'static str>,
}

impl Default for Limits {
    /// More than any model has; less than would fill a disk for long.
    fn default() -> Self {
        Self { bytes: 1 << 40, entries: 10_000_000, packed_from: None }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unpacked {
    /// Regular files.
    pub(crate) files: usize,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Symbolic links that would lead outside, as `NAME -> TARGET`: the first [`MOST_LEFT_OUT`] of them.
    pub(crate) left_out: Vec<String>,
    /// How many more of them there are.
    pub(crate) more_left_out: usize,
}

/// Unpacks into a folder, which is made if need be. After an error, what was unpacked so far is still there.
///
/// Modes (without setuid and the like) and times are kept; the owner can always read and write. Owners are not kept. A
/// symbolic link that would lead outside is left out: what it leads to is not in the archive, and the rest is whole
/// without it.
pub(crate) fn unpack(from: impl Read, into: &Path, limits: &Limits) -> Result<Unpacked, UnpackError> {
    let inside = Inside::new(into).map_err(|source| UnpackError::Write { path: into.to_owned(), source })?;
    let gauge = Gauge::new(limits.bytes);
    let plain = Metered { from: Members::new(from), gauge: gauge.clone() };
    let mut archive = Archive::new(plain);
    let mut unpacking = Unpacking::new(into, inside, *limits, gauge);
    unpacking.entries(&mut archive)?;
    unpacking.rest(archive.into_inner())?;
    unpacking.set_folder_times();
    Ok(unpacking.done)
}

/// How much may still be read: in all, and before the next file's data.
#[derive(Clone)]
struct Gauge {
    total: Rc<Cell<u64>>,
    headers: Rc<Cell<u64>>,
}

impl Gauge {
    fn new(total: u64) -> Self {
        Self { total: Rc::new(Cell::new(total)), headers: Rc::new(Cell::new(LARGEST_HEADERS)) }
    }

    fn allow_headers(&self) {
        self.headers.set(LARGEST_HEADERS);
    }

    fn allow_data(&self) {
        self.headers.set(u64::MAX);
    }

    fn is_spent(&self) -> bool {
        self.total.get() == 0
    }
}

/// Decompressed bytes, counted.
struct Metered<R> {
    from: R,
    gauge: Gauge,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.gauge.total.get().min(self.gauge.headers.get());
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        if wanted == 0 && !buffer.is_empty() {
            return Err(io::Error::other("more headers than an archive has"));
        }
        let count = self.from.read(&mut buffer[..wanted])?;
        for counter in [&self.gauge.total, &self.gauge.headers] {
            counter.set(counter.get().saturating_sub(count as u64));
        }
        Ok(count)
    }
}

struct Unpacking<'p> {
    into: &'p Path,
    inside: Inside,
    limits: Limits,
    gauge: Gauge,
    done: Unpacked,
    /// Set last, since making a file in a folder changes the folder's time.
    folder_times: Vec<(PathBuf, SystemTime)>,
    /// For messages: where in the archive we are.
    place: String,
    buffer: Vec<u8>,
}

impl<'p> Unpacking<'p> {
    fn new(into: &'p Path, inside: Inside, limits: Limits, gauge: Gauge) -> Self {
        let place = "at its start".to_owned();
        let buffer = vec![0; BUFFER];
        Self { into, inside, limits, gauge, done: Unpacked::default(), folder_times: Vec::new(), place, buffer }
    }

    fn entries(&mut self, archive: &mut Archive<impl Read>) -> Result<(), UnpackError> {
        let entries = archive.entries().map_err(|error| self.damaged(error))?;
        for (index, entry) in (0_u64..).zip(entries) {
            let mut entry = entry.map_err(|error| self.damaged(error))?;
            if index >= self.limits.entries {
                return Err(UnpackError::TooMany(self.limits.entries));
            }
            let name = bytes_to_path(&entry.path_bytes());
            self.place = format!("in {}", name.display());
            self.entry(&mut entry, &name)?;
            self.place = format!("after {}", name.display());
            self.gauge.allow_headers();
        }
        Ok(())
    }

    fn entry(&mut self, entry: &mut tar::Entry<'_, impl Read>, name: &Path) -> Result<(), UnpackError> {
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            return Ok(());
        }
        if let Some(kind) = unsupported(kind) {
            return Err(UnpackError::Unsupported { entry: shown(name), kind });
        }
        let path = inside::relative(name).ok_or_else(|| UnpackError::Outside(shown(name)))?;
        // Old archives mark a folder by the slash at the end of its name alone.
        let is_folder = kind == EntryType::Directory || entry.path_bytes().ends_with(b"/");
        if path.as_os_str().is_empty() {
            return if is_folder { Ok(()) } else { Err(UnpackError::Outside(shown(name))) };
        }
        match kind {
            EntryType::Symlink => self.symlink(&path, &link_target(entry)),
            EntryType::Link => self.hard_link(&path, &link_target(entry)),
            _ if is_folder => self.folder(path, entry.header()),
            _ => self.file(&path, entry),
        }
    }

    fn folder(&mut self, path: PathBuf, header: &Header) -> Result<(), UnpackError> {
        let made = self.inside.folder(&path).and_then(|folder| set_mode(folder, header, 0o700));
        made.map_err(|error| self.not_made(&path, error))?;
        self.folder_times.extend(modified(header).map(|time| (path, time)));
        Ok(())
    }

    fn symlink(&mut self, path: &Path, target: &Path) -> Result<(), UnpackError> {
        let moved = self.limits.packed_from.and_then(|root| inside::moved_link(path, target, Path::new(root)));
        let leads_to = moved.as_deref().unwrap_or(target);
        if !inside::stays_inside(path, leads_to) {
            self.leave_out(path, target);
            return Ok(());
        }
        self.inside.symlink(path, leads_to).map_err(|error| self.not_made(path, error))
    }

    /// Nothing is made, so that a later entry of this name, or below it, is a file or a folder like any other.
    fn leave_out(&mut self, path: &Path, target: &Path) {
        if self.done.left_out.len() < MOST_LEFT_OUT {
            self.done.left_out.push(format!("{} -> {}", shortened(path), shortened(target)));
        } else {
            self.done.more_left_out += 1;
        }
    }

    fn hard_link(&mut self, path: &Path, target: &Path) -> Result<(), UnpackError> {
        let outside = || UnpackError::LinkOutside { entry: shown(path), target: shown(target) };
        let existing = inside::relative(target).ok_or_else(outside)?;
        self.inside.hard_link(path, &existing).map_err(|error| self.not_made(path, error))
    }

    fn file(&mut self, path: &Path, entry: &mut tar::Entry<'_, impl Read>) -> Result<(), UnpackError> {
        let mut file = self.inside.file(path).map_err(|error| self.not_made(path, error))?;
        self.gauge.allow_data();
        let copied = self.copy(entry, &mut file, path)?;
        if copied < entry.size() {
            return Err(self.damaged(io::ErrorKind::UnexpectedEof.into()));
        }
        set_mode(&file, entry.header(), 0o600).map_err(|error| self.not_made(path, error))?;
        if let Some(time) = modified(entry.header()) {
            // The time is a courtesy: some file systems cannot keep it.
            let _ = file.set_modified(time);
        }
        self.done.files += 1;
        Ok(())
    }

    fn copy(&mut self, from: &mut impl Read, file: &mut File, path: &Path) -> Result<u64, UnpackError> {
        let mut copied = 0;
        loop {
            let count = match from.read(&mut self.buffer) {
                Ok(0) => return Ok(copied),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.damaged(error)),
            };
            copied += count as u64;
            self.done.bytes += count as u64;
            // A sparse file can be larger than all that was read.
            if self.done.bytes > self.limits.bytes {
                return Err(UnpackError::TooLarge(self.limits.bytes));
            }
            file.write_all(&self.buffer[..count]).map_err(|error| self.not_made(path, error))?;
        }
    }

    /// Reads on to the very end, past tar's own end mark: it is there that gzip's checksum stands.
    fn rest(&mut self, mut from: impl Read) -> Result<(), UnpackError> {
        self.gauge.allow_headers();
        "at its end".clone_into(&mut self.place);
        loop {
            match from.read(&mut self.buffer) {
                Ok(0) => return Ok(()),
                Ok(count) if self.buffer[..count].iter().all(|byte| *byte == 0) => {}
                Ok(_) => return Err(UnpackError::TrailingData),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if TrailingData::is(&error) => return Err(UnpackError::TrailingData),
                Err(error) => return Err(self.damaged(error)),
            }
        }
    }

    /// Inmost first, so that no time is changed again. Times are a courtesy, here as for files.
    fn set_folder_times(&mut self) {
        for (path, time) in std::mem::take(&mut self.folder_times).iter().rev() {
            let _ = self.inside.folder(path).and_then(|folder| folder.set_modified(*time));
        }
    }

    fn damaged(&self, source: io::Error) -> UnpackError {
        if self.gauge.is_spent() {
            return UnpackError::TooLarge(self.limits.bytes);
        }
        UnpackError::Damaged { place: self.place.clone(), source }
    }

    fn not_made(&self, path: &Path, source: io::Error) -> UnpackError {
        if inside::is_obstacle(&source) {
            return UnpackError::ThroughLink(shown(path));
        }
        UnpackError::Write { path: self.into.join(path), source }
    }
}

fn unsupported(kind: EntryType) -> Option<&'static str> {
    match kind {
        EntryType::Regular
        | EntryType::Continuous
        | EntryType::GNUSparse
        | EntryType::Directory
        | EntryType::Symlink
        | EntryType::Link => None,
        EntryType::Char | EntryType::Block => Some("a device"),
        EntryType::Fifo => Some("a fifo"),
        _ => Some("of a kind that smtrain does not know"),
    }
}

fn link_target(entry: &tar::Entry<'_, impl Read>) -> PathBuf {
    entry.link_name_bytes().map(|bytes| bytes_to_path(&bytes)).unwrap_or_default()
}

fn bytes_to_path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn shortened(path: &Path) -> String {
    let whole = shown(path);
    match whole.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}...", &whole[..end]),
        None => whole,
    }
}

fn set_mode(file: &File, header: &Header, always: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = header.mode()? & 0o777 | always;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

fn modified(header: &Header) -> Option<SystemTime> {
    let seconds = header.mtime().ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
