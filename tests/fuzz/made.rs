//! Archives made from what the fuzzer says: as raw bytes, or entry by entry from names that meet each other.

use std::io::Write;

use arbitrary::Arbitrary;
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, GnuExtSparseHeader, Header};

const BLOCK: usize = 512;

/// An archive.
#[derive(Arbitrary, Debug)]
pub(crate) enum Made {
    /// As it comes, gzip and all.
    Raw(Vec<u8>),
    /// A tar that is wrapped in gzip; its headers get the right checksums.
    Tar(Vec<u8>, Wrap),
    Entries(Vec<Step>, End, Wrap),
}

#[derive(Arbitrary, Debug)]
pub(crate) enum Wrap {
    Stored,
    Deflated,
    /// In members of so many bytes.
    Members(u8),
}

#[derive(Arbitrary, Debug)]
pub(crate) enum End {
    Marked,
    Missing,
    /// So many bytes are missing of it.
    Cut(u16),
    Followed(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
pub(crate) enum Step {
    Entry {
        kind: Kind,
        name: Name,
        target: Name,
        data: Data,
        mode: u16,
    },
    File(Name, Data),
    Folder(Name),
    Symlink(Name, Name),
    HardLink(Name, Name),
    LongName(Name),
    LongLink(Name),
    Pax(Vec<Record>),
    Global(Vec<Record>),
    Sparse {
        name: Name,
        pieces: Vec<(Offset, Offset)>,
        real: Offset,
        stored: u16,
    },
    /// A header with some of its bytes changed, before the checksum is made or after it.
    Changed {
        name: Name,
        changes: Vec<(u16, u8)>,
        is_sound: bool,
    },
    Zeros,
}

#[derive(Arbitrary, Debug)]
pub(crate) enum Kind {
    Regular,
    Old,
    Continuous,
    Char,
    Fifo,
    Other(u8),
}

#[derive(Arbitrary, Debug)]
pub(crate) struct Name {
    is_absolute: bool,
    parts: Vec<Part>,
    has_slash: bool,
}

/// Few of them, so that they meet.
#[derive(Arbitrary, Debug)]
pub(crate) enum Part {
    A,
    B,
    C,
    UpperA,
    Here,
    Up,
    Nothing,
    Outside,
    Into,
    File,
    Long,
    Bytes(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
pub(crate) struct Data {
    length: u16,
    /// What the header says instead.
    said: Option<Offset>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Offset {
    Small(u16),
    Blocks(u8),
    Any(u64),
}

#[derive(Arbitrary, Debug)]
pub(crate) enum Record {
    Path(Name),
    Link(Name),
    Size(Offset),
    Other(Vec<u8>, Vec<u8>),
    Sparse(u8),
    Raw(Vec<u8>),
}

impl Made {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Raw(bytes) => bytes.clone(),
            Self::Tar(tar, wrap) => wrap.gzip(&with_checksums(tar.clone())),
            Self::Entries(steps, end, wrap) => {
                let mut tar = Vec::new();
                steps.iter().for_each(|step| step.append(&mut tar));
                end.append(&mut tar);
                wrap.gzip(&tar)
            }
        }
    }
}

impl Wrap {
    fn gzip(&self, tar: &[u8]) -> Vec<u8> {
        let member = |part: &[u8], level| {
            let mut encoder = GzEncoder::new(Vec::new(), level);
            encoder.write_all(part).and_then(|()| encoder.finish()).expect("a vector takes all")
        };
        match self {
            Self::Stored => member(tar, Compression::none()),
            Self::Deflated => member(tar, Compression::fast()),
            Self::Members(length) => {
                // A few at most, since each takes its time.
                let length = (usize::from(*length) * 97).max(tar.len() / 20).max(1);
                tar.chunks(length).flat_map(|part| member(part, Compression::none())).collect()
            }
        }
    }
}

impl End {
    fn append(&self, tar: &mut Vec<u8>) {
        match self {
            Self::Missing => {}
            Self::Marked => tar.extend_from_slice(&[0; 2 * BLOCK]),
            Self::Cut(count) => tar.truncate(tar.len().saturating_sub(usize::from(*count))),
            Self::Followed(bytes) => {
                tar.extend_from_slice(&[0; 2 * BLOCK]);
                tar.extend_from_slice(bytes);
            }
        }
    }
}

impl Step {
    fn append(&self, tar: &mut Vec<u8>) {
        match self {
            Self::Entry { kind, name, target, data, mode } => {
                let mut header = header(kind.entry_type(), &name.bytes(), &target.bytes(), data.size());
                header.set_mode(u32::from(*mode));
                push(tar, header, &data.bytes());
            }
            Self::File(name, data) => {
                push(tar, header(EntryType::Regular, &name.bytes(), b"", data.size()), &data.bytes());
            }
            Self::Folder(name) => push(tar, header(EntryType::Directory, &name.bytes(), b"", 0), b""),
            Self::Symlink(name, to) => push(tar, header(EntryType::Symlink, &name.bytes(), &to.bytes(), 0), b""),
            Self::HardLink(name, to) => push(tar, header(EntryType::Link, &name.bytes(), &to.bytes(), 0), b""),
            Self::LongName(name) => about(tar, EntryType::GNULongName, &[&name.bytes()[..], b"\0"].concat()),
            Self::LongLink(name) => about(tar, EntryType::GNULongLink, &[&name.bytes()[..], b"\0"].concat()),
            Self::Pax(records) => about(tar, EntryType::XHeader, &all(records)),
            Self::Global(records) => about(tar, EntryType::XGlobalHeader, &all(records)),
            Self::Sparse { name, pieces, real, stored } => sparse(tar, name, pieces, *real, *stored),
            Self::Changed { name, changes, is_sound } => {
                let mut header = header(EntryType::Regular, &name.bytes(), b"", 0);
                for (at, byte) in changes {
                    header.as_mut_bytes()[usize::from(*at) % BLOCK] = *byte;
                }
                if *is_sound {
                    header.set_cksum();
                }
                tar.extend_from_slice(header.as_bytes());
            }
            Self::Zeros => tar.extend_from_slice(&[0; BLOCK]),
        }
    }
}

fn header(kind: EntryType, name: &[u8], target: &[u8], size: u64) -> Header {
    let mut header = Header::new_gnu();
    let put = |place: &mut [u8], bytes: &[u8]| place.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    put(&mut header.as_old_mut().name, name);
    put(&mut header.as_old_mut().linkname, target);
    header.set_entry_type(kind);
    header.set_mode(0o6755);
    header.set_mtime(1_700_000_000);
    header.set_size(size);
    header
}

fn push(tar: &mut Vec<u8>, mut header: Header, data: &[u8]) {
    header.set_cksum();
    tar.extend_from_slice(header.as_bytes());
    tar.extend_from_slice(data);
    tar.resize(tar.len().next_multiple_of(BLOCK), 0);
}

fn about(tar: &mut Vec<u8>, kind: EntryType, data: &[u8]) {
    push(tar, header(kind, b"././@LongLink", b"", data.len() as u64), data);
}

fn sparse(tar: &mut Vec<u8>, name: &Name, pieces: &[(Offset, Offset)], real: Offset, stored: u16) {
    let mut header = header(EntryType::GNUSparse, &name.bytes(), b"", u64::from(stored));
    let (first, rest) = pieces.split_at(pieces.len().min(4));
    if let Some(gnu) = header.as_gnu_mut() {
        gnu.set_real_size(real.value());
        gnu.set_is_extended(!rest.is_empty());
        for (place, (offset, length)) in gnu.sparse.iter_mut().zip(first) {
            place.set_offset(offset.value());
            place.set_length(length.value());
        }
    }
    push(tar, header, b"");
    let mut blocks = rest.chunks(21).peekable();
    while let Some(block) = blocks.next() {
        let mut more = GnuExtSparseHeader::new();
        for (place, (offset, length)) in more.sparse_mut().iter_mut().zip(block) {
            place.set_offset(offset.value());
            place.set_length(length.value());
        }
        more.set_is_extended(blocks.peek().is_some());
        tar.extend_from_slice(more.as_bytes());
    }
    tar.extend(std::iter::repeat_n(b's', usize::from(stored).next_multiple_of(BLOCK)));
}

impl Kind {
    fn entry_type(&self) -> EntryType {
        match self {
            Self::Regular => EntryType::Regular,
            Self::Old => EntryType::new(0),
            Self::Continuous => EntryType::Continuous,
            Self::Char => EntryType::Char,
            Self::Fifo => EntryType::Fifo,
            Self::Other(kind) => EntryType::new(*kind),
        }
    }
}

impl Name {
    fn bytes(&self) -> Vec<u8> {
        let mut parts: Vec<&[u8]> = self.parts.iter().map(Part::bytes).collect();
        if self.is_absolute {
            parts.insert(0, b"");
        }
        if self.has_slash {
            parts.push(b"");
        }
        parts.join(&b'/')
    }
}

impl Part {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::A => b"a",
            Self::B => b"b",
            Self::C => b"c",
            Self::UpperA => b"A",
            Self::Here => b".",
            Self::Up => b"..",
            Self::Nothing => b"",
            Self::Outside => b"outside",
            Self::Into => b"into",
            Self::File => b"file",
            Self::Long => &[b'l'; 200],
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl Data {
    fn size(&self) -> u64 {
        self.said.map_or(u64::from(self.length), Offset::value)
    }

    fn bytes(&self) -> Vec<u8> {
        vec![b'd'; usize::from(self.length)]
    }
}

impl Offset {
    fn value(self) -> u64 {
        match self {
            Self::Small(value) => u64::from(value),
            Self::Blocks(count) => u64::from(count) * BLOCK as u64,
            Self::Any(value) => value,
        }
    }
}

fn all(records: &[Record]) -> Vec<u8> {
    records.iter().flat_map(Record::bytes).collect()
}

impl Record {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Path(name) => record(b"path", &name.bytes()),
            Self::Link(name) => record(b"linkpath", &name.bytes()),
            Self::Size(size) => record(b"size", size.value().to_string().as_bytes()),
            Self::Other(key, value) => record(key, value),
            Self::Sparse(major) => record(b"GNU.sparse.major", &[*major]),
            Self::Raw(bytes) => bytes.clone(),
        }
    }
}

fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = [b" ", key, b"=", value, b"\n"].concat();
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    [length.to_string().as_bytes(), &rest].concat()
}

/// Each header's checksum made right, as far as headers can be found: no change that a fuzzer makes would keep it.
fn with_checksums(mut tar: Vec<u8>) -> Vec<u8> {
    let mut at = 0;
    while let Some(block) = tar.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<BLOCK>()) {
        let mut header = Header::from_byte_slice(block).clone();
        header.set_cksum();
        block.copy_from_slice(header.as_bytes());
        let size = header.entry_size().ok().and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
        at = at.saturating_add(BLOCK).saturating_add(size.min(1 << 30).next_multiple_of(BLOCK));
    }
    tar
}
