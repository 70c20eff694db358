//! Goes through a tar.gz from its first entry to its checksum, within limits, and shows each entry to a visitor.

use std::cell::Cell;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tar::{Archive, EntryType, Header};

use super::UnpackError;
use super::ahead::Ahead;
use super::members::{Members, TrailingData};
use crate::model::printable;

/// What stands between two files' data: headers, long names, padding. More than this is an attack on memory.
const LARGEST_HEADERS: u64 = 4 * 1024 * 1024;
const BUFFER: usize = 128 * 1024;
/// The pax keys of sparse files, whose data begins with a map (GNU tar manual, "Storing Sparse Files").
const PAX_SPARSE: &[u8] = b"GNU.sparse.";

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

/// Whom the entries are shown to, one after the other. What is not read of an entry is passed over.
pub(super) trait Visit {
    /// `Break` once nothing more is wanted: the rest is not even checked.
    fn visit(&mut self, entry: &mut Entry<'_, '_, impl Read>) -> Result<ControlFlow<()>, UnpackError>;
}

/// An entry that is being looked at.
pub(super) struct Entry<'e, 'a, R: Read> {
    inner: &'e mut tar::Entry<'a, R>,
    pub(super) name: &'e Path,
    walk: &'e Walk,
    read: u64,
}

impl<R: Read> Entry<'_, '_, R> {
    pub(super) fn kind(&self) -> EntryType {
        self.inner.header().entry_type()
    }

    pub(super) fn header(&self) -> &Header {
        self.inner.header()
    }

    /// The file's, in bytes, holes included.
    pub(super) fn size(&self) -> u64 {
        self.inner.size()
    }

    /// Old archives mark a folder by the slash at the end of its name alone.
    pub(super) fn is_folder(&self) -> bool {
        self.kind() == EntryType::Directory || self.inner.path_bytes().ends_with(b"/")
    }

    pub(super) fn link_target(&self) -> PathBuf {
        self.inner.link_name_bytes().map(|bytes| bytes_to_path(&bytes)).unwrap_or_default()
    }

    /// The file's next bytes; none at its end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, UnpackError> {
        self.walk.gauge.allow_data();
        loop {
            match self.inner.read(buffer) {
                Ok(0) if self.read < self.size() => return Err(self.damaged(io::ErrorKind::UnexpectedEof.into())),
                Ok(count) => {
                    self.read += count as u64;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.damaged(error)),
            }
        }
    }

    fn damaged(&self, source: io::Error) -> UnpackError {
        self.walk.damaged(format!("in {}", shown(self.name)), source)
    }

    /// What comes next lies behind the data.
    fn pass_over(&mut self, buffer: &mut [u8]) -> Result<(), UnpackError> {
        while self.read < self.size() {
            self.read(buffer)?;
        }
        Ok(())
    }
}

/// How far an archive may still be read.
struct Walk {
    gauge: Gauge,
    limits: Limits,
}

impl Walk {
    fn damaged(&self, place: String, source: io::Error) -> UnpackError {
        match source.kind() {
            _ if self.gauge.is_spent() => UnpackError::TooLarge(self.limits.bytes),
            _ if TrailingData::is(&source) => UnpackError::TrailingData,
            _ => UnpackError::Damaged { place, source },
        }
    }
}

/// Shows all entries, and reads on to the very end, where gzip's checksum stands.
pub(super) fn each(
    from: impl Read + Send + 'static,
    limits: &Limits,
    visitor: &mut impl Visit,
) -> Result<(), UnpackError> {
    let walk = Walk { gauge: Gauge::new(limits.bytes), limits: *limits };
    let at_start = |error| walk.damaged("at its start".to_owned(), error);
    let ahead = Ahead::new(Members::new(from)).map_err(at_start)?;
    let mut archive = Archive::new(Metered { from: ahead, gauge: walk.gauge.clone() });
    let (mut place, mut buffer) = ("at its start".to_owned(), vec![0; BUFFER]);
    let entries = archive.entries().map_err(at_start)?;
    for (index, entry) in (0_u64..).zip(entries) {
        let mut entry = entry.map_err(|error| walk.damaged(place.clone(), error))?;
        if index >= limits.entries {
            return Err(UnpackError::TooMany(limits.entries));
        }
        if entry.header().entry_type() == EntryType::XGlobalHeader {
            continue;
        }
        let name = bytes_to_path(&entry.path_bytes());
        refuse_sparse_pax(&mut entry, &name)?;
        let mut shown_entry = Entry { inner: &mut entry, name: &name, walk: &walk, read: 0 };
        if visitor.visit(&mut shown_entry)?.is_break() {
            return Ok(());
        }
        shown_entry.pass_over(&mut buffer)?;
        place = format!("after {}", shown(&name));
        walk.gauge.allow_headers();
    }
    rest(archive.into_inner(), &walk, &mut buffer)
}

/// Past tar's own end mark there is nothing but its padding.
fn rest(mut from: impl Read, walk: &Walk, buffer: &mut [u8]) -> Result<(), UnpackError> {
    walk.gauge.allow_headers();
    loop {
        match from.read(buffer) {
            Ok(0) => return Ok(()),
            Ok(count) if buffer[..count].iter().all(|byte| *byte == 0) => {}
            Ok(_) => return Err(UnpackError::TrailingData),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(walk.damaged("at its end".to_owned(), error)),
        }
    }
}

/// The tar crate reads a sparse file of this form as if the map were part of its data.
fn refuse_sparse_pax(entry: &mut tar::Entry<'_, impl Read>, name: &Path) -> Result<(), UnpackError> {
    let Ok(Some(mut extensions)) = entry.pax_extensions() else { return Ok(()) };
    if extensions.any(|field| field.is_ok_and(|field| field.key_bytes().starts_with(PAX_SPARSE))) {
        return Err(UnpackError::Unsupported { entry: shown(name), kind: "a sparse file in pax form" });
    }
    Ok(())
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

fn bytes_to_path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

/// A name that does no harm where it is shown, on one line.
pub(super) fn shown(path: &Path) -> String {
    printable(&path.display().to_string()).replace('\n', "\\n")
}
