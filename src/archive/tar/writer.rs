//! Writes tar entries in GNU format, with names as raw bytes of any length.
//!
//! The bytes depend on names, content and [`Attributes`] alone, so that equal trees make equal archives.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use tar::{Builder, EntryType, Header};

/// Fields of an entry's header besides its name. The owner is always 0: ids of this computer mean nothing on another.
#[derive(Clone, Copy)]
pub(crate) struct Attributes {
    pub(crate) mode: u32,
    /// Seconds since 1970.
    pub(crate) mtime: u64,
}

/// A writer of uncompressed tar data.
pub(crate) struct TarWriter<W: Write> {
    builder: Builder<W>,
}

impl<W: Write> TarWriter<W> {
    pub(crate) fn new(to: W) -> Self {
        Self { builder: Builder::new(to) }
    }

    /// Appends a file. `data` must have exactly `size` bytes.
    pub(crate) fn file(&mut self, name: &Path, with: Attributes, size: u64, data: impl Read) -> io::Result<()> {
        let mut header = header(EntryType::Regular, with);
        header.set_size(size);
        self.append(header, name.as_os_str().as_bytes(), data)
    }

    /// Appends a folder, whose name gets a slash at its end.
    pub(crate) fn folder(&mut self, name: &Path, with: Attributes) -> io::Result<()> {
        let mut bytes = name.as_os_str().as_bytes().to_vec();
        bytes.push(b'/');
        self.append(header(EntryType::Directory, with), &bytes, io::empty())
    }

    /// Appends a symbolic link.
    pub(crate) fn symlink(&mut self, name: &Path, target: &OsStr, with: Attributes) -> io::Result<()> {
        let mut header = header(EntryType::Symlink, with);
        let target = target.as_bytes();
        let field = &mut header.as_old_mut().linkname;
        let kept = target.len().min(field.len());
        field[..kept].copy_from_slice(&target[..kept]);
        if target.len() > kept {
            self.append_long(EntryType::GNULongLink, target)?;
        }
        self.append(header, name.as_os_str().as_bytes(), io::empty())
    }

    /// Writes the end of the archive and returns the underlying writer.
    pub(crate) fn finish(self) -> io::Result<W> {
        self.builder.into_inner()
    }

    fn append(&mut self, mut header: Header, name: &[u8], data: impl Read) -> io::Result<()> {
        let field = &mut header.as_old_mut().name;
        let kept = name.len().min(field.len());
        field[..kept].copy_from_slice(&name[..kept]);
        if name.len() > kept {
            self.append_long(EntryType::GNULongName, name)?;
        }
        header.set_cksum();
        self.builder.append(&header, data)
    }

    /// Appends the entry that GNU tar puts before one whose name or target does not fit into the header's 100 bytes.
    fn append_long(&mut self, kind: EntryType, name: &[u8]) -> io::Result<()> {
        let mut header = header(kind, Attributes { mode: 0o644, mtime: 0 });
        let title = b"././@LongLink";
        header.as_old_mut().name[..title.len()].copy_from_slice(title);
        header.set_size(name.len() as u64 + 1);
        header.set_cksum();
        self.builder.append(&header, name.chain(&b"\0"[..]))
    }
}

fn header(kind: EntryType, with: Attributes) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(with.mode);
    header.set_mtime(with.mtime);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    header
}
